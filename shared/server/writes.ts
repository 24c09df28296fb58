/** Changing objects of a kind. */
import type { AnyObject } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { badRequest, StatusError } from "../errors/status-error.ts";
import type { PatchType, WriteParameters } from "../registry/registry.ts";
import { type Answerer, answerer } from "./answers.ts";
import { type Decoded, decodeBody, patchTypes, readBody } from "./body.ts";
import { collectionDeleteOptions, deleteOptions } from "./delete-options.ts";
import { answersWithDeleted } from "./deleted-answers.ts";
import { resourceNotFound } from "./errors.ts";
import { type KindRequest, keyIn, namespaceIn } from "./kind-request.ts";
import { json, parseMediaType, unsupportedMediaType, yaml } from "./media-types.ts";
import { listOptions, writeOptions } from "./query.ts";
import { deleteBody, objectToWrite, reviewBody } from "./request-bodies.ts";
import { reviewOf } from "./reviews.ts";

const maxPatchOperations = 10_000;

export async function create(request: KindRequest): Promise<Response> {
  const { kind, options, context, resource } = request;
  const review = reviewOf(kind.group, kind.plural);
  if (review) {
    const answer = answerer(request, { transforms: false });
    const body = await reviewBody(request);
    return answer.object((await review(body, { ...options, ...context, namespace: resource.namespace })) as AnyObject, 201);
  }
  const answer = answerer(request);
  const { body, write } = await objectToWrite(request, "CreateOptions");
  if (kind.kind === "Binding" && kind.group === "") return createBinding(request, answer, body, write);
  return answer.object(await options.registry.create(kind, namespaceIn(request), body, write, context), 201);
}

/** POST to `bindings` is the older form of POST to a Pod's `binding`. */
async function createBinding(
  { options, context, resource }: KindRequest,
  answer: Answerer,
  body: JsonObject,
  write: WriteParameters,
): Promise<Response> {
  const name = (body.metadata as { name?: unknown } | undefined)?.name;
  if (typeof name !== "string" || name === "") throw badRequest("Name parameter required.");
  const pods = (await options.registry.catalog(context.cluster)).byResource("", "v1", "pods");
  if (!pods) throw resourceNotFound();
  const key = { namespace: resource.namespace, name };
  return answer.object(await options.registry.createSubresource(pods, key, "binding", body, write, context), 201);
}

export async function update(request: KindRequest): Promise<Response> {
  const { kind, options, context, resource } = request;
  const answer = answerer(request);
  const { body, write } = await objectToWrite(request, "UpdateOptions");
  const name = resource.subresource;
  if (name !== "" && name !== "status")
    return answer.object(await options.registry.updateSubresource(kind, keyIn(request), name, body, write, context));
  const { object, created } = await options.registry.update(kind, keyIn(request), name, body, write, context);
  return answer.object(object, created ? 201 : 200);
}

export async function patch(request: KindRequest): Promise<Response> {
  const { kind, options, context, query, resource } = request;
  const accepted = Object.keys(patchTypes).filter((type) => !kind.custom || patchTypes[type as keyof typeof patchTypes] !== "strategic");
  const contentType = parseMediaType(request.request.headers.get("content-type") ?? "").type;
  if (!accepted.includes(contentType)) throw unsupportedMediaType(accepted);
  const type = patchTypes[contentType as keyof typeof patchTypes];
  const answer = answerer(request);
  const bytes = await readBody(request.request);
  const { force, ...write } = writeOptions("PatchOptions", query, context.userAgent, type === "apply");
  const decoded = await decodePatch(bytes, type);
  if (type === "json") checkOperations(decoded.value);
  else checkObject(decoded.value);
  const { object, created } = await options.registry.patch(
    kind,
    keyIn(request),
    resource.subresource,
    {
      type,
      body: decoded.value,
      ...(force !== undefined && { force }),
    },
    { ...write, bodyProblems: type === "json" ? operationProblems(decoded) : decoded.duplicates },
    context,
  );
  return answer.object(object, created ? 201 : 200);
}

/** @throws {StatusError} BadRequest in the words for patches, which are of no kind */
async function decodePatch(bytes: Uint8Array, type: PatchType): Promise<Decoded> {
  try {
    return await decodeBody(bytes, type === "apply" ? yaml : json, "patch");
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== "BadRequest") throw error;
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    throw badRequest(type === "apply" ? `error encoding patch: ${why}` : `invalid JSON patch: ${why}`, error);
  }
}

function checkObject(value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)) return;
  throw badRequest("error decoding patch: a patch of this type must be an object");
}

const operationFields = new Set(["op", "path", "from", "value"]);

/** What `fieldValidation` finds in the operations themselves: what they make of the object is the registry's to look at. */
function operationProblems({ value, duplicates }: Decoded): string[] {
  const unknown = (value as readonly unknown[]).flatMap((operation, index) =>
    Object.keys(Object(operation))
      .filter((name) => !operationFields.has(name))
      .map((name) => `unknown field ${JSON.stringify(`[${index}].${name}`)}`),
  );
  return [...duplicates, ...unknown].map((problem) => `json patch ${problem}`);
}

function checkOperations(operations: unknown): void {
  if (!Array.isArray(operations)) throw badRequest("error decoding patch: a JSON patch must be an array of operations");
  if (operations.length > maxPatchOperations)
    throw new StatusError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${maxPatchOperations}, got ${operations.length}`,
    );
}

export async function remove(request: KindRequest): Promise<Response> {
  const { kind, options, context, resource } = request;
  const answer = answerer(request);
  const parameters = deleteOptions(request.query, await deleteBody(request));
  const { type, object } = await options.registry.delete(kind, keyIn(request), parameters, context);
  if (type === "marked") return answer.object(object, parameters.orphanDependents === false ? 202 : 200);
  if (answersWithDeleted(kind)) return answer.object(object);
  return answer.status({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name: resource.name, ...(kind.group && { group: kind.group }), kind: kind.plural, uid: object.metadata.uid },
  });
}

export async function removeCollection(request: KindRequest): Promise<Response> {
  const { kind, options, context, query, resource } = request;
  const answer = answerer(request);
  const which = listOptions(query, resource.namespace);
  const parameters = collectionDeleteOptions(query, await deleteBody(request));
  return answer.list(await options.registry.deleteCollection(kind, which, parameters, context));
}
