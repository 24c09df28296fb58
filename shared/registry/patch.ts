/** Patches: made against the newest object, so that one without a resourceVersion never conflicts. */
import { typedProblems } from "../api/apply/typed-problems.ts";
import { DecodeError } from "../api/codec.ts";
import { type AnyObject, apiVersionOf, type Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { applyJsonPatch } from "../api/patch/json-patch.ts";
import { applyMergePatch } from "../api/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "../api/patch/strategic-merge.ts";
import { badRequest, invalid, StatusError } from "../errors/status-error.ts";
import { decode, decodeBare, decodeBody } from "./decode.ts";
import { apply } from "./ownership.ts";
import { typeLeftBy } from "./patched-type.ts";
import { uidMismatch } from "./preconditions.ts";
import type { Patch, WriteParameters } from "./registry.ts";
import { change, type Endpoint } from "./update.ts";
import { isObject, show } from "./values.ts";
import { fromStorage, toStorage } from "./versions.ts";
import type { Write, Written } from "./write.ts";

const maxOperations = 10_000;

export async function patchObject(write: Write, patch: Patch, endpoint: Endpoint): Promise<Written> {
  if (patch.type === "apply") return applyObject(write, patch, endpoint);
  const warnings = new Set<string>();
  const written = await change(write, {
    wanted: (current) => {
      if (current === undefined) throw new Error("a patch without an object");
      const object = patched(write.kind, write.subresource, current, patch, write.parameters, (text) => warnings.add(text));
      return { object, owned: false };
    },
    endpoint,
    creates: false,
  });
  write.context.warnings.push(...warnings);
  return written;
}

/**
 * The object after a patch, decoded like a body.
 * @param current an object of `kind`
 * @throws {StatusError} BadRequest, Invalid, UnsupportedMediaType
 */
export function patched(
  kind: Kind,
  subresource: string,
  current: AnyObject,
  patch: Patch,
  { bodyProblems = [], fieldValidation }: Pick<WriteParameters, "bodyProblems" | "fieldValidation">,
  warn: (text: string) => void,
): AnyObject {
  const result = applied(kind, current, patch);
  if (!isObject(result)) throw badPatch(patch, result, "the patch leaves no object");
  try {
    // A strategic patch is made on a value of the type itself: what it says of the type counts for nothing.
    const type = patch.type === "strategic" ? kind : typeLeftBy(kind, current.metadata.name, subresource, result);
    const { object, strictProblems } = decode(type, result);
    const problems = [...bodyProblems, ...strictProblems];
    if (problems.length > 0 && fieldValidation === "Strict") throw badPatch(patch, object, `strict decoding error: ${problems.join(", ")}`);
    if (fieldValidation === "Warn") for (const problem of problems) warn(problem);
    return inVersionOf(kind, type, object);
  } catch (error) {
    if (error instanceof DecodeError) throw badPatch(patch, result, error.message);
    throw error;
  }
}

/** The object as another version of its resource has it. */
function inVersionOf(kind: Kind, from: Kind, object: AnyObject): AnyObject {
  if (apiVersionOf(from) === apiVersionOf(kind)) return object;
  const { resourceVersion } = object.metadata;
  const converted = fromStorage(kind, toStorage(from, object)) as AnyObject;
  return { ...converted, metadata: { ...converted.metadata, resourceVersion } };
}

function applied(kind: Kind, current: AnyObject, { type, body }: Patch): unknown {
  if (type === "json") {
    checkOperations(body);
    return applyJsonPatch(current, body);
  }
  if (type === "strategic" && kind.custom) throw unsupported();
  if (!isObject(body)) throw badRequest(`error decoding patch: a patch of this type must be an object`);
  return type === "strategic" ? applyStrategicMergePatch(current, body, kind.schema) : applyMergePatch(current, body);
}

function checkOperations(body: unknown): asserts body is unknown[] {
  if (!Array.isArray(body)) throw badRequest("error decoding patch: a JSON patch must be a list of operations");
  if (body.length <= maxOperations) return;
  throw new StatusError(
    "RequestEntityTooLarge",
    `Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${body.length}`,
  );
}

const unsupported = () =>
  new StatusError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
  );

/** Upstream answers a strategic patch, or what another one made of the object, as a field called `patch`. */
function badPatch({ type, body }: Patch, result: unknown, why: string): StatusError {
  const shown = JSON.stringify(type === "strategic" ? asGoPrints(body) : JSON.stringify(result));
  return invalid({ group: "", kind: "" }, "", [
    { reason: "FieldValueInvalid", field: "patch", message: `Invalid value: ${shown}: ${why}` },
  ]);
}

/** A JSON value as Go's `%+v` prints it: `map[spec:map[replicas:3]]`. */
function asGoPrints(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(asGoPrints).join(" ")}]`;
  // A number whose text counts is an object to JavaScript.
  if (!isObject(value)) return typeof value === "string" ? value : JSON.stringify(value);
  const members = Object.keys(value).toSorted();
  return `map[${members.map((name) => `${name}:${asGoPrints(value[name])}`).join(" ")}]`;
}

/** Server-side apply. */
async function applyObject(write: Write, { body, force = false }: Patch, endpoint: Endpoint): Promise<Written> {
  const { kind, key, subresource, parameters, context } = write;
  if (parameters.fieldManager === "") {
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [
      { reason: "FieldValueRequired", field: "fieldManager", message: "Required value: is required for apply patch" },
    ]);
  }
  if (!isObject(body)) throw badRequest("error decoding YAML: an apply configuration must be an object");
  checkConfiguration(kind, body);
  // Checked as a body is, but without defaults, or its manager would own them.
  const configuration = decodeBody(kind, body, parameters, (text) => context.warnings.push(text), decodeBare);
  return change(write, {
    wanted: (current, now) => {
      if (current === undefined && configuration.metadata.uid) throw uidMismatch(kind, key.name, configuration.metadata.uid, "");
      const writer = { manager: parameters.fieldManager, subresource, now, force };
      const merged = apply(kind, current, { object: configuration, sent: body }, writer);
      return { object: decode(kind, merged).object, owned: true };
    },
    endpoint,
    creates: subresource === "",
  });
}

/**
 * An apply configuration names its own type, and holds nothing that the kind does not know: fields without an owner would be lost.
 * @throws {StatusError} BadRequest
 */
function checkConfiguration(kind: Kind, configuration: JsonObject): void {
  const { metadata } = configuration;
  const { name = "", namespace = "" } = isObject(metadata) ? metadata : {};
  const version = show(configuration.apiVersion);
  const type = `${version.includes("/") ? version : `/${version}`}, Kind=${show(configuration.kind)}`;
  if (version !== apiVersionOf(kind) || configuration.kind !== kind.kind) throw badRequest(`invalid object type: ${type}`);
  const problems = typedProblems(kind.schema, configuration);
  if (problems.length === 0) return;
  const list = problems.length === 1 ? problems[0] : ["errors:", ...problems.map((problem) => `  ${problem}`)].join("\n");
  throw badRequest(`failed to create typed patch object (${show(namespace)}/${show(name)}; ${type}): ${list}`);
}
