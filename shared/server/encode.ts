/** Objects and lists as bytes: media type, pretty printing, compression, size limits. */
import { once } from "node:events";
import { constants, createGzip, gzipSync } from "node:zlib";
import { stringify as stringifyYaml } from "yaml";
import type { JsonObject } from "../api/objects.ts";
import { encodeProtobuf } from "../api/protobuf.ts";
import { StatusError } from "../errors/status-error.ts";
import { protobuf, type Representation, yaml } from "./media-types.ts";
import { isTrue } from "./request-info.ts";

/** Answers above this many bytes are compressed for clients that take it. */
const gzipThreshold = 128 * 1024;
/** The most that one answer may carry, on the wire: Lambda streams 200 MB at most, and metadata counts too. */
const answerLimit = 150 * 1024 * 1024;
/** Items that are turned into text at once: enough to be fast, few enough to stay small. */
const batchSize = 200;

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
  readonly items: readonly unknown[];
}

/** @param definition OpenAPI definition name, for protobuf */
export async function objectResponse(object: JsonObject, status: number, how: Writing, definition?: string): Promise<Response> {
  return bytesResponse(encodeObject(object, how, definition), status, how);
}

/**
 * Answers with a list, without holding all of its text at once.
 * @throws {StatusError} RequestEntityTooLarge when it cannot be sent in one piece
 */
export async function documentResponse(document: LongDocument, how: Writing, definition?: string): Promise<Response> {
  if (how.mediaType === protobuf || how.mediaType === yaml || how.pretty)
    return objectResponse({ ...document.head, [document.arrayName]: document.items }, 200, how, definition);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const text of documentText(document)) {
    const chunk = Buffer.from(text);
    size += chunk.byteLength;
    if (!how.gzip && size > answerLimit) throw tooLarge();
    if (how.gzip && size > gzipThreshold) return compressed(documentText(document), how.mediaType);
    chunks.push(chunk);
  }
  return response(chunks, 200, how.mediaType, false);
}

function* documentText({ head, arrayName, items }: LongDocument): Generator<string> {
  const opening = JSON.stringify(head).slice(0, -1);
  yield `${opening}${opening === "{" ? "" : ","}${JSON.stringify(arrayName)}:[`;
  for (let start = 0; start < items.length; start += batchSize) {
    const batch = JSON.stringify(items.slice(start, start + batchSize));
    yield `${start === 0 ? "" : ","}${batch.slice(1, -1)}`;
  }
  yield "]}\n";
}

/** Compresses text as it is made; what is kept in memory is the compressed form. */
async function compressed(text: Iterable<string>, contentType: string): Promise<Response> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const chunks: Uint8Array[] = [];
  let size = 0;
  gzip.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk);
    size += chunk.byteLength;
  });
  const ended = once(gzip, "end");
  for (const part of text) {
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

function encodeObject(object: JsonObject, how: Writing, definition: string | undefined): Uint8Array {
  if (how.mediaType === protobuf && definition) return encodeProtobuf(definition, object);
  if (how.mediaType === yaml) return Buffer.from(stringifyYaml(plain(object), { aliasDuplicateObjects: false }));
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
