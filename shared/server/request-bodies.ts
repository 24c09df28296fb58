/** Bodies of requests for a kind, decoded as far as the registry expects them. */
import { builtinSchema } from "../api/builtin-schemas.ts";
import { DecodeError, decodeObject, jsonType } from "../api/codec.ts";
import { type AnyObject, apiVersionOf, type Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import type { SchemaNode } from "../api/schema.ts";
import { badRequest } from "../errors/status-error.ts";
import { checkType } from "../registry/decode.ts";
import { placeInNamespace } from "../registry/metadata.ts";
import type { WriteParameters } from "../registry/registry.ts";
import { decodeBody, objectBody, readBody, unrecognised } from "./body.ts";
import { type KindRequest, namespaceIn } from "./kind-request.ts";
import { writeOptions } from "./query.ts";

const deleteOptionsDefinition = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

export interface ObjectToWrite {
  readonly body: JsonObject;
  readonly write: WriteParameters;
}

/** @throws {StatusError} BadRequest, Invalid, RequestEntityTooLarge, UnsupportedMediaType */
export async function objectToWrite(
  { request, kind, query, context, resource }: KindRequest,
  optionsKind: "CreateOptions" | "UpdateOptions",
): Promise<ObjectToWrite> {
  const bytes = await readBody(request);
  const { force: _force, ...write } = writeOptions(optionsKind, query, context.userAgent);
  const decoded = await decodeBody(bytes, request.headers.get("content-type") ?? "", kind.kind);
  const body = objectBody(decoded, kind.kind);
  if (kind.custom && (resource.subresource === "" || resource.subresource === "status")) requireType(kind, body, bytes);
  return { body, write: { ...write, bodyProblems: decoded.duplicates } };
}

/** A custom resource is what it says it is: there is no type of Go that it is read into. @throws {StatusError} BadRequest */
function requireType(kind: Kind, body: JsonObject, bytes: Uint8Array): void {
  for (const field of ["apiVersion", "kind"] as const) {
    const value = body[field];
    if (value === undefined || value === null || typeof value === "string") continue;
    const what = `json: cannot unmarshal ${jsonType(value)} into Go struct field .${field} of type string`;
    throw unrecognised(bytes, kind.kind, new Error(`couldn't get version/kind; json parse error: ${what}`));
  }
  if (!body.kind) throw unrecognised(bytes, kind.kind, new Error(`Object 'Kind' is missing in '${Buffer.from(bytes).toString()}'`));
  if (body.apiVersion) return;
  throw badRequest(`the API version in the data () does not match the expected API version (${apiVersionOf(kind)})`);
}

/** Reviews never reach the registry, so their bodies are checked against their schema here. */
export async function reviewBody(request: KindRequest): Promise<JsonObject> {
  const { kind, context } = request;
  const { body, write } = await objectToWrite(request, "CreateOptions");
  const own = { kind: kind.kind, apiVersion: apiVersionOf(kind) };
  checkType(kind, body);
  const { object, unknownFields } = decode(kind.schema, body, kind.kind);
  const problems = [...(write.bodyProblems ?? []), ...unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`)];
  if (problems.length > 0 && write.fieldValidation === "Strict")
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(", ")}`,
    );
  if (write.fieldValidation === "Warn") context.warnings.push(...problems);
  // In Go it is there even where the body has none.
  const review = { metadata: {}, ...object, ...own };
  placeInNamespace(kind, review as unknown as AnyObject, namespaceIn(request));
  return review;
}

/** DeleteOptions in a body; of any group, since clients send them in the resource's own. An empty body is none, whatever its type. */
export async function deleteBody({ request, kind }: KindRequest): Promise<JsonObject | undefined> {
  const bytes = await readBody(request);
  if (bytes.byteLength === 0) return undefined;
  const body = objectBody(await decodeBody(bytes, request.headers.get("content-type") ?? "", "DeleteOptions"), "DeleteOptions");
  const groups = ["v1", "meta.k8s.io/v1", apiVersionOf(kind)];
  if (
    (body.kind !== undefined && body.kind !== "DeleteOptions") ||
    (body.apiVersion !== undefined && !groups.includes(textOf(body.apiVersion)))
  )
    throw badRequest("decoded object cannot be converted to DeleteOptions");
  return decode(builtinSchema(deleteOptionsDefinition), body, "DeleteOptions").object;
}

const decode = (schema: SchemaNode, body: JsonObject, kind: string): ReturnType<typeof decodeObject> => {
  try {
    return decodeObject(schema, body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const version = textOf(body.apiVersion ?? "v1")
      .split("/")
      .at(-1);
    throw badRequest(
      `${textOf(body.kind ?? kind)} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${error.message}`,
      error,
    );
  }
};

/** A value that should be a string, for a message. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
