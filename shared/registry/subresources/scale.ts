/** `/scale`: how many replicas something has and should have, in one shape for every kind that can be scaled. */

import { builtinSchema } from "../../api/builtin-schemas.ts";
import { type AnyObject, apiVersionOf, type Kind, type ScaleMapping } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { badRequest, invalid, notFound, StatusError } from "../../errors/status-error.ts";
import { decodeBare, decodeBody } from "../decode.ts";
import { unknownResource } from "../errors.ts";
import { checkName, placeInNamespace } from "../metadata.ts";
import { apply } from "../ownership.ts";
import { patched } from "../patch.ts";
import { modified, uidMismatch } from "../preconditions.ts";
import type { Patch } from "../registry.ts";
import { change } from "../update.ts";
import { clone, isObject, show } from "../values.ts";
import type { Write, Written } from "../write.ts";
import { mainEndpoint } from "./status.ts";

interface Scale {
  readonly metadata: { readonly name?: unknown; readonly uid?: unknown; readonly resourceVersion?: unknown };
  /** Decoded, so that a number of replicas is one. */
  readonly spec?: { readonly replicas?: unknown };
}

const mappingOf = (kind: Kind): ScaleMapping<AnyObject> => {
  const mapping = kind.behaviour.scale;
  if (mapping === undefined) throw unknownResource();
  return mapping as ScaleMapping<any>;
};

/** GET of a Scale. @throws {StatusError} InternalError, as upstream, where there is nothing to show */
export function getScale(kind: Kind, object: AnyObject): AnyObject {
  const problem = mappingOf(kind).unreadable?.(object);
  if (problem === undefined) return scaleOf(kind, object);
  throw new StatusError("InternalError", `Internal error occurred: ${problem}`, { details: { causes: [{ message: problem }] } });
}

/** The Scale of an object. */
function scaleOf(kind: Kind, object: AnyObject): AnyObject {
  const { specReplicas, statusReplicas, selector } = mappingOf(kind);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = specReplicas(object);
  const text = selector(object);
  return Object.freeze({
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: statusReplicas(object), ...(text && { selector: text }) },
  });
}

const definition = "io.k8s.api.autoscaling.v1.Scale";

/** What bodies are read as. Nothing else is done with it: a Scale is stored nowhere. */
const scales: Kind = {
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  singular: "scale",
  namespaced: true,
  verbs: [],
  shortNames: [],
  categories: [],
  subresources: [],
  storage: "",
  listKind: "",
  definition,
  custom: false,
  behaviour: {},
  get schema() {
    return builtinSchema(definition);
  },
};

/** PUT of a Scale. */
export async function putScale(write: Write, body: JsonObject): Promise<Written> {
  const { parameters, context, key } = write;
  const scale = decodeBody(scales, body, parameters, (text) => context.warnings.push(text));
  placeInNamespace(write.kind, scale, key.namespace);
  checkName(scale, key.name);
  return scaled(write, () => scale);
}

/** PATCH of a Scale: made against the Scale that the newest object has. */
export async function patchScale(write: Write, patch: Patch): Promise<Written> {
  if (patch.type === "apply") return applyScale(write, patch);
  const warnings = new Set<string>();
  const written = await scaled(write, (current) => {
    const scale = patched(scales, "", scaleOf(write.kind, current), patch, write.parameters, (text) => warnings.add(text));
    checkName(scale, write.key.name);
    return scale;
  });
  write.context.warnings.push(...warnings);
  return written;
}

async function scaled(write: Write, wanted: (current: AnyObject) => Scale): Promise<Written> {
  const { kind, key } = write;
  const mapping = mappingOf(kind);
  const written = await change(write, {
    wanted: (current) => {
      if (current === undefined) throw notFound(kind, key.name);
      const scale = wanted(current);
      checkPreconditions(write, scale, current);
      const next = mapping.withReplicas(current, replicasOf(kind, scale));
      return { object: clone(next), owned: false };
    },
    endpoint: mainEndpoint(kind),
    creates: false,
  });
  return { ...written, object: scaleOf(kind, written.object) };
}

/** Server-side apply of a Scale owns the replicas, and nothing else, of the object behind it. */
async function applyScale(write: Write, { body, force = false }: Patch): Promise<Written> {
  const { kind, key, parameters } = write;
  const mapping = mappingOf(kind);
  if (!isObject(body)) throw badRequest("error decoding YAML: an apply configuration must be an object");
  const scale = decodeBody(scales, body, parameters, (text) => write.context.warnings.push(text), decodeBare);
  if (scale.metadata.name) checkName(scale, key.name);
  const replicas = replicasOf(kind, scale);
  const bare = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: key.name } } as unknown as AnyObject;
  const configuration = mapping.withReplicas(bare, replicas);
  const written = await change(write, {
    wanted: (current, now) => {
      if (current === undefined) throw notFound(kind, key.name);
      const writer = { manager: parameters.fieldManager, subresource: "scale", now, force };
      return { object: clone(apply(kind, current, { object: configuration, sent: configuration }, writer)), owned: true };
    },
    endpoint: mainEndpoint(kind),
    creates: false,
  });
  return { ...written, object: scaleOf(kind, written.object) };
}

function replicasOf({ custom }: Kind, { metadata, spec }: Scale): number {
  const replicas = Number(spec?.replicas ?? 0);
  // A custom resource says itself what it may not have.
  if (replicas < 0 && !custom) {
    throw invalid({ group: "autoscaling", kind: "Scale" }, show(metadata.name), [
      { reason: "FieldValueInvalid", field: "spec.replicas", message: `Invalid value: ${replicas}: must be greater than or equal to 0` },
    ]);
  }
  return replicas;
}

function checkPreconditions({ kind, key }: Write, { metadata: { uid, resourceVersion } }: Scale, { metadata }: AnyObject): void {
  if (uid && uid !== metadata.uid) throw uidMismatch(kind, key.name, show(uid), metadata.uid);
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) throw modified(kind, key.name);
}
