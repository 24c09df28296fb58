/** Bodies that are posted to a part of an object: of a kind of their own, and held to it like any other. */
import { builtinSchema } from "../../api/builtin-schemas.ts";
import { DecodeError, decodeObject } from "../../api/codec.ts";
import type { AnyObject } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { badRequest } from "../../errors/status-error.ts";
import { placeInNamespace } from "../metadata.ts";
import { show } from "../values.ts";
import type { Write } from "../write.ts";

export interface PostedType {
  /** Of its schema. */
  readonly definition: string;
  readonly kind: string;
  /** That a body may name; it may name none. */
  readonly apiVersions: readonly string[];
}

/** @throws {StatusError} BadRequest when it is of another type, has fields that it should not, or is for another namespace */
export function decodePosted({ kind, key, parameters, context }: Write, body: JsonObject, type: PostedType): JsonObject {
  const [name, apiVersion] = [show(body.kind ?? type.kind), show(body.apiVersion ?? type.apiVersions[0])];
  const short = JSON.stringify(apiVersion.slice(apiVersion.lastIndexOf("/") + 1));
  const refused = (why: string, cause?: unknown) =>
    badRequest(`${name} in version ${short} cannot be handled as a ${type.kind}: ${why}`, cause);
  if (name !== type.kind || !type.apiVersions.includes(apiVersion))
    throw refused(`the object provided is a ${name} of ${apiVersion}, and what is expected is of ${type.apiVersions.join(" or ")}`);
  const { object, unknownFields } = decoded(type, body, refused);
  const { fieldValidation, bodyProblems = [] } = parameters;
  const problems = [...unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`), ...bodyProblems];
  if (problems.length > 0 && fieldValidation === "Strict") throw refused(`strict decoding error: ${problems.join(", ")}`);
  if (fieldValidation === "Warn") context.warnings.push(...problems);
  object.metadata ??= {};
  placeInNamespace(kind, object as unknown as AnyObject, key.namespace);
  return object;
}

function decoded({ definition }: PostedType, body: JsonObject, refused: (why: string, cause: unknown) => Error) {
  try {
    return decodeObject(builtinSchema(definition), body);
  } catch (error) {
    if (error instanceof DecodeError) throw refused(error.message, error);
    throw error;
  }
}
