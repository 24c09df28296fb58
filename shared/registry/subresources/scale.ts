/** `/scale`: how many replicas something has and should have, in one shape for every kind that can be scaled. */

import { type AnyObject, apiVersionOf, type Kind, type ScaleMapping } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { applyJsonPatch } from "../../api/patch/json-patch.ts";
import { applyMergePatch } from "../../api/patch/merge-patch.ts";
import { badRequest, invalid, notFound } from "../../errors/status-error.ts";
import { unknownResource } from "../errors.ts";
import { apply } from "../ownership.ts";
import { modified, uidMismatch } from "../preconditions.ts";
import type { Patch } from "../registry.ts";
import { change } from "../update.ts";
import { clone, isObject, show } from "../values.ts";
import type { Write, Written } from "../write.ts";
import { mainEndpoint } from "./status.ts";

interface Scale {
  readonly metadata: { readonly name?: unknown; readonly uid?: unknown; readonly resourceVersion?: unknown };
  readonly spec: { readonly replicas?: unknown };
}

const mappingOf = (kind: Kind): ScaleMapping<AnyObject> => {
  const mapping = kind.behaviour.scale;
  if (mapping === undefined) throw unknownResource();
  return mapping as ScaleMapping<any>;
};

/** The Scale of an object. */
export function scaleOf(kind: Kind, object: AnyObject): AnyObject {
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

/** PUT of a Scale. */
export async function putScale(write: Write, body: JsonObject): Promise<Written> {
  const scale = readScale(write, body);
  return scaled(write, () => scale);
}

/** PATCH of a Scale: made against the Scale that the newest object has. */
export async function patchScale(write: Write, patch: Patch): Promise<Written> {
  if (patch.type === "apply") return applyScale(write, patch);
  return scaled(write, (current) => {
    const scale = scaleOf(write.kind, current) as JsonObject;
    const body = patch.type === "json" ? applyJsonPatch(scale, patch.body) : applyMergePatch(scale, patch.body);
    if (!isObject(body)) throw badRequest("the patch leaves no Scale");
    return readScale(write, body);
  });
}

async function scaled(write: Write, wanted: (current: AnyObject) => Scale): Promise<Written> {
  const { kind, key } = write;
  const mapping = mappingOf(kind);
  const written = await change(write, {
    wanted: (current) => {
      if (current === undefined) throw notFound(kind, key.name);
      const scale = wanted(current);
      checkPreconditions(write, scale, current);
      const next = mapping.withReplicas(current, replicasOf(scale));
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
  const replicas = replicasOf(readScale(write, body));
  const bare = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: key.name } } as unknown as AnyObject;
  const configuration = mapping.withReplicas(bare, replicas);
  const written = await change(write, {
    wanted: (current, now) => {
      if (current === undefined) throw notFound(kind, key.name);
      const writer = { manager: parameters.fieldManager, subresource: "scale", now, force, name: key.name };
      return { object: clone(apply(kind, current, configuration, writer)), owned: true };
    },
    endpoint: mainEndpoint(kind),
    creates: false,
  });
  return { ...written, object: scaleOf(kind, written.object) };
}

const isOther = (given: unknown, expected: string): boolean => given !== undefined && given !== "" && given !== expected;

/** @throws {StatusError} BadRequest: not a Scale, or another object's */
function readScale({ key }: Write, body: JsonObject): Scale {
  const { kind, apiVersion, metadata = {}, spec = {} } = body;
  if (isOther(kind, "Scale") || isOther(apiVersion, "autoscaling/v1")) {
    throw badRequest(`the object provided is a ${show(kind)} of ${show(apiVersion)}, and not a Scale of autoscaling/v1`);
  }
  if (!isObject(metadata) || !isObject(spec)) throw badRequest("metadata and spec of a Scale must be objects");
  if (metadata.name !== undefined && metadata.name !== key.name) {
    throw badRequest(`the name of the object (${show(metadata.name)}) does not match the name on the URL (${key.name})`);
  }
  return { metadata, spec };
}

function replicasOf({ metadata, spec }: Scale): number {
  const { replicas = 0 } = spec;
  if (typeof replicas !== "number" || !Number.isInteger(replicas)) {
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
    );
  }
  if (replicas < 0) {
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
