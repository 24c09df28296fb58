/** Request bodies: read within a limit, decoded by media type. */
import { parseJson } from "../api/json.ts";
import type { JsonObject } from "../api/objects.ts";
import { decodeProtobuf, isProtobuf } from "../api/protobuf.ts";
import { badRequest, StatusError } from "../errors/status-error.ts";
import { json, parseMediaType, protobuf, unsupportedMediaType, yaml } from "./media-types.ts";

/** The largest body that is read, in bytes. */
export const bodyLimit = 3 * 1024 * 1024;

/**
 * The largest body that is read as YAML, in bytes, unless it is JSON in truth (which is what kubectl sends). Reading YAML takes a
 * hundred times as long, and everybody else waits meanwhile.
 */
const yamlLimit = 512 * 1024;

/** @throws {StatusError} RequestEntityTooLarge, before more than the limit was read */
export async function readBody(request: Request): Promise<Uint8Array> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > bodyLimit) throw tooLarge();
  if (!request.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > bodyLimit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

const tooLarge = () => new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimit}`);

const tooLargeAsYaml = () =>
  new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${yamlLimit} for YAML; send it as JSON instead`);

/** A body as plain JSON. */
export interface Decoded {
  readonly value: unknown;
  /** Keys that occurred twice, as field paths, for `fieldValidation`. */
  readonly duplicates: readonly string[];
}

const accepted = [json, yaml, protobuf];

/** @throws {StatusError} UnsupportedMediaType; BadRequest when the text is not what its type says */
export async function decodeBody(bytes: Uint8Array, contentType: string, kind: string): Promise<Decoded> {
  const type = contentType.trim() === "" ? json : parseMediaType(contentType).type;
  switch (type) {
    case json:
      return decodeText(bytes, kind, parseJson);
    case yaml:
      return decodeYaml(bytes, kind);
    case protobuf:
      return decodeBinary(bytes, kind);
    default:
      throw unsupportedMediaType(accepted);
  }
}

/** Most programs send JSON where YAML may stand, and JSON is YAML: it is read a hundred times faster as what it is. */
async function decodeYaml(bytes: Uint8Array, kind: string): Promise<Decoded> {
  if (bytes[0] === openingBrace) {
    try {
      return decodeText(bytes, kind, parseJson);
    } catch {
      // Then it is YAML in its flow style, or neither.
    }
  }
  if (bytes.byteLength > yamlLimit) throw tooLargeAsYaml();
  // Loaded by those who need it: parsing the parser is a good part of a function's cold start.
  const { parseYaml } = await import("../api/yaml.ts");
  return decodeText(bytes, kind, parseYaml);
}

const openingBrace = 0x7b;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decodeText(bytes: Uint8Array, kind: string, parse: (text: string) => Decoded): Decoded {
  try {
    return parse(utf8.decode(bytes));
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw unrecognised(bytes, kind, error);
  }
}

function decodeBinary(bytes: Uint8Array, kind: string): Decoded {
  if (!isProtobuf(bytes))
    throw unrecognised(bytes, kind, new Error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"));
  try {
    const { object, apiVersion, kind: decodedKind } = decodeProtobuf(bytes);
    return { value: { apiVersion, kind: decodedKind, ...object }, duplicates: [] };
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw unrecognised(bytes, kind, error);
  }
}

/** Of a body that is no object of a kind. */
export const unrecognised = (bytes: Uint8Array, kind: string, error: unknown) =>
  badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${error instanceof Error ? error.message : String(error)} (${summary(bytes)})`,
    error,
  );

/** The beginning of a body, as upstream quotes it: text when it looks like JSON, else hexadecimal. */
function summary(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return "<empty>";
  const head = Buffer.from(bytes.subarray(0, 30));
  return `${head.toString(bytes[0] === openingBrace ? "utf8" : "hex")}${bytes.byteLength > 30 ? " ..." : ""}`;
}

/** @throws {StatusError} BadRequest when the body is not an object */
export function objectBody({ value }: Decoded, kind: string): JsonObject {
  // A number that keeps its text is an object for JavaScript alone.
  if (typeof value !== "object" || value === null || Array.isArray(value) || JSON.isRawJSON(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): the body must be one JSON object`);
  return value as JsonObject;
}

/** Media types of patches, as the `Content-Type` of a PATCH names them. */
export const patchTypes = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
} as const;
