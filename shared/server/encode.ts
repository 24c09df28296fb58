/** Objects and lists as bytes: media type, pretty printing, compression, size limits. */
import { once } from "node:events";
import { constants, createGzip, gzipSync } from "node:zlib";
import type { AnyObject } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { encodeProtobuf, encodeProtobufList } from "../api/protobuf.ts";
import { StatusError } from "../errors/status-error.ts";
import { elementRuns, type ObjectForm } from "./encoded.ts";
import { json, protobuf, type Representation, yaml } from "./media-types.ts";
import { isTrue } from "./request-info.ts";

/** Answers above this many bytes are compressed for clients that take it. */
const gzipThreshold = 128 * 1024;
/** The most that one answer may carry, on the wire: Lambda streams 200 MB at most, and metadata counts too. */
const answerLimit = 150 * 1024 * 1024;
/** Answers up to this many bytes are one piece. */
const wholeBelow = 64 * 1024;

/** How one answer is written. */
export interface Writing {
  readonly mediaType: Representation["mediaType"];
  readonly gzip: boolean;
  readonly pretty: boolean;
}

/** What the client's headers say about {@link Writing}; browsers and curl get indented JSON. */
export function writing(request: Request, query: URLSearchParams, mediaType: Representation["mediaType"]): Writing {
  const asked = query.get("pretty");
  const human = /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers.get("user-agent") ?? "");
  return { mediaType, gzip: acceptsGzip(request.headers), pretty: asked ? isTrue(asked) : human };
}

export const acceptsGzip = (headers: Headers): boolean =>
  (headers.get("accept-encoding") ?? "").split(",").some((token) => token.trim() === "gzip");

/** An object whose array may be long: `items` of a list, `rows` of a Table. */
export interface LongDocument {
  readonly head: JsonObject;
  readonly arrayName: string;
  readonly objects: readonly AnyObject[];
  /** What stands in the array for an object. */
  readonly element: (object: AnyObject) => unknown;
  /** The same as JSON. */
  readonly json: ObjectForm;
  /** The same as a field of the list's message, where lists of this kind have one. */
  readonly protobuf?: { readonly definition: string; readonly form: ObjectForm };
}

/** @param definition OpenAPI definition name, for protobuf */
export async function objectResponse(object: JsonObject, status: number, how: Writing, definition?: string): Promise<Response> {
  try {
    return bytesResponse(await encodeObject(object, how, definition), status, how);
  } catch (error) {
    if (!cannotBeMessage(error, how)) throw error;
    const asJson = { ...how, mediaType: json } as const;
    return bytesResponse(await encodeObject(object, asJson, undefined), status, asJson);
  }
}

/**
 * What is stored may not fit its kind (an older version or a bug left it so), and then it is no message, but still JSON: whoever asks for
 * a list gets the list, and its Content-Type says how it is written.
 */
const cannotBeMessage = (error: unknown, { mediaType }: Writing): boolean => mediaType === protobuf && !(error instanceof StatusError);

/**
 * Answers with a list, without holding all of its text at once.
 * @throws {StatusError} RequestEntityTooLarge when it cannot be sent in one piece
 */
export async function documentResponse(document: LongDocument, how: Writing): Promise<Response> {
  try {
    return await writeDocument(document, how);
  } catch (error) {
    if (!cannotBeMessage(error, how)) throw error;
    return writeDocument(document, { ...how, mediaType: json });
  }
}

async function writeDocument(document: LongDocument, how: Writing): Promise<Response> {
  const { head, arrayName, objects, element, protobuf: message } = document;
  if (how.mediaType === yaml || how.pretty) return objectResponse({ ...head, [arrayName]: objects.map(element) }, 200, how);
  const mediaType = how.mediaType === protobuf && !message ? json : how.mediaType;
  const parts = () => (mediaType === protobuf && message ? messageParts(document, message) : jsonParts(document));
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const chunk of parts()) {
    size += chunk.byteLength;
    if (!how.gzip && size > answerLimit) throw tooLarge();
    if (how.gzip && size > gzipThreshold) return compressed(parts(), mediaType);
    chunks.push(chunk);
  }
  return response(size <= wholeBelow ? [Buffer.concat(chunks, size)] : chunks, 200, mediaType, false);
}

function* jsonParts({ head, arrayName, objects, json: form }: LongDocument): Generator<Uint8Array> {
  const opening = JSON.stringify(head).slice(0, -1);
  yield Buffer.from(`${opening}${opening === "{" ? "" : ","}${JSON.stringify(arrayName)}:[`);
  let isFirst = true;
  for (const run of elementRuns(objects, form)) {
    // Every element has its comma ahead of it.
    yield isFirst ? run.subarray(1) : run;
    isFirst = false;
  }
  yield Buffer.from("]}\n");
}

const messageParts = ({ head, objects }: LongDocument, { definition, form }: NonNullable<LongDocument["protobuf"]>) =>
  encodeProtobufList(definition, head, [...elementRuns(objects, form)]);

/** Compresses parts as they are made; what is kept in memory is the compressed form. */
async function compressed(parts: Iterable<Uint8Array>, contentType: string): Promise<Response> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const chunks: Uint8Array[] = [];
  let size = 0;
  gzip.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk);
    size += chunk.byteLength;
  });
  const ended = once(gzip, "end");
  for (const part of parts) {
    if (!gzip.write(part)) await once(gzip, "drain");
    if (size > answerLimit) throw tooLarge();
  }
  gzip.end();
  await ended;
  return response(chunks, 200, contentType, true);
}

const tooLarge = () =>
  new StatusError(
    "RequestEntityTooLarge",
    `Request entity too large: the answer would exceed ${answerLimit} bytes; use limit and continue to read it in pages`,
  );

async function encodeObject(object: JsonObject, how: Writing, definition: string | undefined): Promise<Uint8Array> {
  if (how.mediaType === protobuf && definition) return encodeProtobuf(definition, object);
  if (how.mediaType === yaml) {
    // Hardly anybody asks for it.
    const { stringify } = await import("yaml");
    return Buffer.from(stringify(plain(object), { aliasDuplicateObjects: false }));
  }
  return Buffer.from(how.pretty ? JSON.stringify(object, null, 2) : `${JSON.stringify(object)}\n`);
}

/** Numbers that are kept as text (see `api/json.ts`) as values which YAML can write. */
function plain(value: unknown): unknown {
  if (JSON.isRawJSON(value)) {
    const text = value.rawJSON;
    return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, plain(inner)]])));
}

/** Finished bytes, compressed when that is worth it and wanted. */
export function bytesResponse(
  bytes: Uint8Array,
  status: number,
  { gzip, mediaType }: { readonly gzip: boolean; readonly mediaType: string },
): Response {
  if (!gzip || bytes.byteLength <= gzipThreshold) return response([bytes], status, mediaType, false);
  return response([gzipSync(bytes, { level: constants.Z_BEST_SPEED })], status, mediaType, true);
}

function response(chunks: readonly Uint8Array[], status: number, contentType: string, gzipped: boolean): Response {
  const only = chunks.length === 1 ? chunks[0] : undefined;
  return new Response(only ?? ReadableStream.from(chunks), {
    status,
    headers: {
      "content-type": contentType,
      ...(gzipped && { "content-encoding": "gzip", vary: "Accept-Encoding" }),
    },
  });
}
