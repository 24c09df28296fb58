/**
 * Kubernetes' protobuf: the bytes `k8s\0`, then `Unknown { typeMeta = 1 { apiVersion = 1, kind = 2 }, raw = 2, contentEncoding = 3,
 * contentType = 4 }`, whose raw part is the kind's own message.
 */
import { definitionOf } from "./builtin-schemas.ts";
import type { JsonObject } from "./objects.ts";
import { messageOf } from "./protobuf/messages.ts";
import { ProtobufError, Reader } from "./protobuf/reader.ts";
import { Writer } from "./protobuf/writer.ts";
import { QuantityError } from "./quantity.ts";
import { typeGvk } from "./type-table.ts";

export { ProtobufError } from "./protobuf/reader.ts";

const magic = Buffer.from("k8s\0");

/** Whether the bytes begin as Kubernetes' protobuf does. */
export const isProtobuf = (bytes: Uint8Array): boolean =>
  bytes.length >= magic.length && bytes[0] === magic[0] && bytes[1] === magic[1] && bytes[2] === magic[2] && bytes[3] === magic[3];

export interface DecodedProtobuf {
  readonly apiVersion: string;
  readonly kind: string;
  /** In the form of `decodeObject`, apiVersion and kind included. */
  readonly object: JsonObject;
}

/**
 * Reads any built-in kind, lists and options too; unknown fields are skipped.
 * @throws {ProtobufError} for bytes that are no such message or a kind that is not built in
 */
export function decodeProtobuf(bytes: Uint8Array): DecodedProtobuf {
  if (!isProtobuf(bytes)) {
    throw new ProtobufError(
      bytes.length === 0 ? "empty data" : "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  }
  if (bytes.length === magic.length) throw new ProtobufError("empty body");
  const reader = new Reader(bytes);
  const { apiVersion, kind, start, end } = readEnvelope(reader);
  const definition = definitionOf(apiVersion, kind);
  if (definition === undefined) {
    throw new ProtobufError(
      kind === "" ? "Object 'Kind' is missing" : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  }
  const object: JsonObject = { apiVersion, kind };
  reader.at = start;
  try {
    messageOf(definition).read(reader, end, object);
  } catch (error) {
    if (error instanceof QuantityError) throw new ProtobufError(error.message, { cause: error });
    throw error;
  }
  return { apiVersion, kind, object };
}

function readEnvelope(reader: Reader): { apiVersion: string; kind: string; start: number; end: number } {
  const found = { apiVersion: "", kind: "", start: 0, end: 0 };
  reader.at = magic.length;
  while (reader.at < reader.bytes.length) {
    const tag = reader.varint32() >>> 0;
    if (tag === 10 /* typeMeta */) {
      const end = reader.end();
      while (reader.at < end) {
        const inner = reader.varint32() >>> 0;
        if (inner === 10) found.apiVersion = reader.text();
        else if (inner === 18) found.kind = reader.text();
        else reader.skip(inner & 7);
      }
    } else if (tag === 18 /* raw */) {
      found.end = reader.end();
      found.start = reader.at;
      reader.at = found.end;
    } else reader.skip(tag & 7);
  }
  return found;
}

/**
 * The bytes that Go writes for the same object.
 * @param definition OpenAPI definition name: `io.k8s.api.apps.v1.Deployment`
 * @param object as `decodeObject` leaves it; the envelope names its apiVersion and kind, or the definition's own where it has none
 * @throws {RangeError} for a definition that is not built in
 */
export function encodeProtobuf(definition: string, object: JsonObject): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.text("");
  writer.tag(4, 2);
  writer.text("");
  writer.tag(3, 2);
  const before = writer.size;
  messageOf(definition).write(writer, object);
  writer.lengthSince(before);
  writer.tag(2, 2);
  writeHead(writer, definition, object);
  return writer.finish();
}

/** An object's own message, for {@link encodeProtobufList}. */
export function encodeListItem(definition: string, object: JsonObject): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  const before = writer.size;
  messageOf(definition).write(writer, object);
  writer.lengthSince(before);
  writer.tag(itemsField, 2);
  return writer.finish();
}

/** In every list of Kubernetes `metadata` is field 1, and `items` field 2. */
const itemsField = 2;

/**
 * A list whose items were encoded before.
 * @param definition of the list: `io.k8s.api.core.v1.PodList`
 * @param head the list without items
 * @param items from {@link encodeListItem}, one or more of them in each element
 * @returns the parts of the answer, in order
 */
export function encodeProtobufList(definition: string, head: JsonObject, items: readonly Uint8Array[]): Uint8Array[] {
  const metadata = new Writer();
  messageOf(definition).write(metadata, head);
  const ahead = metadata.finish();
  const length = items.reduce((sum, item) => sum + item.byteLength, ahead.byteLength);
  const envelope = new Writer();
  envelope.varint(length);
  envelope.tag(2, 2);
  writeHead(envelope, definition, head);
  const behind = new Writer();
  behind.text("");
  behind.tag(4, 2);
  behind.text("");
  behind.tag(3, 2);
  return [envelope.finish(), ahead, ...items, behind.finish()];
}

/** Magic number and type, written from behind. */
function writeHead(writer: Writer, definition: string, object: JsonObject): void {
  const gvk = typeGvk(definition);
  const apiVersion = text(object["apiVersion"]) ?? (gvk ? (gvk[0] ? `${gvk[0]}/${gvk[1]}` : gvk[1]) : "");
  const kind = text(object["kind"]) ?? gvk?.[2] ?? "";
  const before = writer.size;
  writer.text(kind);
  writer.tag(2, 2);
  writer.text(apiVersion);
  writer.tag(1, 2);
  writer.lengthSince(before);
  writer.tag(1, 2);
  writer.bytes(magic);
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
