/** From a request's body to a typed, defaulted object, with what `fieldValidation` says about fields that do not belong. */
import { completeObject, DecodeError, decodeObject } from "../api/codec.ts";
import { type AnyObject, apiVersionOf, type Kind, type Problem } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { badRequest, invalid } from "../errors/status-error.ts";
import type { WriteParameters } from "./registry.ts";
import { isObject, show } from "./values.ts";

export interface Decoded {
  /** Nobody else's: may be changed. */
  readonly object: AnyObject;
  /** Unknown and duplicate fields, in Kubernetes' words. */
  readonly strictProblems: readonly string[];
}

/** The object in canonical form, without defaults. @throws {DecodeError} when a field has the wrong type */
export function decodeBare(kind: Kind, body: JsonObject): Decoded {
  const { object, unknownFields } = kind.codec ? kind.codec.decode(body) : decodeObject(kind.schema, body);
  object.apiVersion = apiVersionOf(kind);
  object.kind = kind.kind;
  object.metadata ??= {};
  return { object: object as AnyObject, strictProblems: unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`) };
}

/** The same with the kind's defaults, and with what Go always writes: a body that leaves it out changes nothing. */
export function decode(kind: Kind, body: JsonObject): Decoded {
  const decoded = decodeBare(kind, body);
  const spec = kind.schema.type === "object" ? kind.schema.fields.get("spec") : undefined;
  // In Go it is there even where the body has none: defaults and validation look into it.
  if (spec?.implicit && !kind.custom) decoded.object.spec ??= {};
  kind.behaviour.defaults?.(decoded.object);
  return kind.custom ? decoded : { ...decoded, object: completeObject(kind.schema, decoded.object) };
}

/**
 * The object in a POST or PUT.
 * @param read {@link decodeBare} leaves out the defaults
 * @throws {StatusError} BadRequest: another kind or version, a field of the wrong type, or a stray field under `Strict`
 */
export function decodeBody(
  kind: Kind,
  body: JsonObject,
  { fieldValidation, bodyProblems = [] }: Pick<WriteParameters, "fieldValidation" | "bodyProblems">,
  warn: (text: string) => void,
  read: typeof decode = decode,
): AnyObject {
  checkType(kind, body);
  try {
    const { object, strictProblems } = read(kind, body);
    const problems = [...strictProblems, ...bodyProblems];
    if (problems.length > 0 && fieldValidation === "Strict") throw new DecodeError(`strict decoding error: ${problems.join(", ")}`);
    if (fieldValidation === "Warn") for (const problem of problems) warn(problem);
    return object;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${error.message}`,
      error,
    );
  }
}

/** A body may leave out its type, but not name another. @throws {StatusError} BadRequest, Invalid */
export function checkType(kind: Kind, { apiVersion, kind: name, metadata }: JsonObject): void {
  const expected = apiVersionOf(kind);
  const isOther = typeof name === "string" && name !== "" && name !== kind.kind;
  if (isOther && kind.custom && (!apiVersion || apiVersion === expected)) {
    const called = isObject(metadata) ? show(metadata.name) : "";
    throw invalid({ group: kind.group, kind: name }, called, [typeProblem("kind", name, kind.kind)]);
  }
  if (isOther && !kind.custom) {
    const version = typeof apiVersion === "string" && apiVersion !== "" ? apiVersion : expected;
    const short = version.slice(version.lastIndexOf("/") + 1);
    throw badRequest(
      `${name} in version ${JSON.stringify(short)} cannot be handled as a ${kind.kind}: the object provided is a ${name}, and ${kind.plural} are of kind ${kind.kind}`,
    );
  }
  if (typeof apiVersion === "string" && apiVersion !== "" && apiVersion !== expected) {
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`);
  }
}

/** Custom resources are no types of Go: what they say they are is a field like others, and validated. */
export const typeProblem = (field: "kind" | "apiVersion", value: string, expected: string): Problem => ({
  field,
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: must be ${expected}`,
});
