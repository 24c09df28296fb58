/**
 * Protobuf messages of the built-in types, compiled from the generated table: JSON in, bytes out, and back.
 *
 * A field that is no pointer in Go is always on the wire, be it zero; reading drops zero where Go's JSON would, so that the object is
 * what Go's JSON encoding of the same message says (what is null there is absent here).
 */

import { maxJsonDepth, parseJson, type RawJson } from "../json.ts";
import type { JsonObject } from "../objects.ts";
import { canonicalQuantity } from "../quantity.ts";
import type { FieldFacts } from "../schema-table.ts";
import { formatMicroTime, formatTime, lastTimeSeconds, parseMoment, zeroTimeSeconds } from "../time.ts";
import { typeFacts } from "../type-table.ts";
import { ProtobufError, type Reader, type WireType } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** How one value travels, be it a field's, a list's item or a map's. */
interface Codec {
  readonly wireType: WireType;
  /** @returns undefined for what Go's JSON writes as null */
  read(reader: Reader): unknown;
  /** Everything but the tag. `undefined` is the zero value. */
  write(writer: Writer, value: unknown): void;
  /** What a map's value is when its entry has none; null where Go's JSON writes null. */
  zero(): unknown;
}

interface Field extends Codec {
  readonly name: string;
  readonly number: number;
  readonly shape: "single" | "list" | "map";
  readonly pointer: boolean;
  /** Go's JSON leaves it out when zero. */
  readonly dropZero: boolean;
}

/** A struct whose fields JSON shows as its parent's: a message of its own on the wire. */
interface Embedded {
  readonly number: number;
  readonly message: Message;
}

class Message {
  /** by descending number: the writer begins at the end */
  readonly #descending: readonly (Field | Embedded)[];
  readonly #byNumber: readonly (Field | Embedded | undefined)[];

  constructor(parts: readonly (Field | Embedded)[]) {
    this.#descending = parts.toSorted((a, b) => b.number - a.number);
    const byNumber: (Field | Embedded | undefined)[] = [];
    for (const part of parts) byNumber[part.number] = part;
    this.#byNumber = byNumber;
  }

  read(reader: Reader, end: number, object: JsonObject): void {
    while (reader.at < end) {
      const tag = reader.varint32() >>> 0;
      const wireType = tag & 7;
      const part = this.#byNumber[tag >>> 3];
      if (part === undefined) reader.skip(wireType);
      else if ("message" in part) {
        if (wireType !== 2) throw new ProtobufError(`proto: wrong wireType = ${wireType} for field ${part.number}`);
        const innerEnd = reader.end();
        part.message.read(reader, innerEnd, object);
      } else readField(reader, part, wireType, object);
    }
    if (reader.at > end) throw new ProtobufError("unexpected EOF");
  }

  write(writer: Writer, object: JsonObject): void {
    for (const part of this.#descending) {
      if ("message" in part) {
        const before = writer.size;
        part.message.write(writer, object);
        writer.lengthSince(before);
        writer.tag(part.number, 2);
      } else writeField(writer, part, object[part.name]);
    }
  }
}

function readField(reader: Reader, field: Field, wireType: number, object: JsonObject): void {
  const { name } = field;
  if (field.shape === "map") {
    if (wireType !== 2) throw new ProtobufError(`proto: wrong wireType = ${wireType} for field ${name}`);
    const map = (object[name] ??= {}) as JsonObject;
    readEntry(reader, field, map);
    return;
  }
  if (field.shape === "list") {
    const list = (object[name] ??= []) as unknown[];
    if (wireType === field.wireType) list.push(field.read(reader) ?? null);
    else if (wireType === 2) {
      // Numbers may come packed.
      const end = reader.end();
      while (reader.at < end) list.push(field.read(reader));
    } else throw new ProtobufError(`proto: wrong wireType = ${wireType} for field ${name}`);
    return;
  }
  if (wireType !== field.wireType) throw new ProtobufError(`proto: wrong wireType = ${wireType} for field ${name}`);
  const value = field.read(reader);
  if (value === undefined || (field.dropZero && (value === "" || value === 0 || value === false))) delete object[name];
  else object[name] = value;
}

function readEntry(reader: Reader, codec: Codec, map: JsonObject): void {
  const end = reader.end();
  let key = "";
  let value: unknown;
  while (reader.at < end) {
    const tag = reader.varint32() >>> 0;
    if (tag === 10) key = reader.text();
    else if (tag >>> 3 === 2 && (tag & 7) === codec.wireType) value = codec.read(reader);
    else reader.skip(tag & 7);
  }
  value ??= codec.zero();
  if (key === "__proto__") Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  else map[key] = value;
}

function writeField(writer: Writer, field: Field, value: unknown): void {
  if (field.shape === "single") {
    if ((value === undefined || value === null) && field.pointer) return;
    field.write(writer, value ?? undefined);
    writer.tag(field.number, field.wireType);
  } else if (field.shape === "list") {
    if (!Array.isArray(value)) return;
    for (let i = value.length - 1; i >= 0; i--) {
      field.write(writer, value[i] ?? undefined);
      writer.tag(field.number, field.wireType);
    }
  } else if (typeof value === "object" && value !== null) {
    const map = value as JsonObject;
    for (const key of Object.keys(map).sort().toReversed()) {
      const before = writer.size;
      field.write(writer, map[key] ?? undefined);
      writer.tag(2, field.wireType);
      writer.text(key);
      writer.tag(1, 2);
      writer.lengthSince(before);
      writer.tag(field.number, 2);
    }
  }
}

const messages = new Map<string, Message>();

/** @throws {RangeError} for a type that the generated table does not hold */
export function messageOf(definition: string): Message {
  let message = messages.get(definition);
  if (!message) {
    const type = typeFacts(definition);
    if (!type) throw new RangeError(`no built-in type ${definition}`);
    message = build(
      Object.entries(type.f)
        .filter(([, { n }]) => n)
        .map(([name, facts]) => ({ path: facts.n ?? [], name, facts })),
    );
    messages.set(definition, message);
  }
  return message;
}

interface Placed {
  readonly path: readonly number[];
  readonly name: string;
  readonly facts: FieldFacts;
}

function build(fields: readonly Placed[]): Message {
  const direct = fields.filter(({ path }) => path.length === 1).map(({ path, name, facts }) => fieldOf(name, path[0] ?? 0, facts));
  const nested = Map.groupBy(
    fields.filter(({ path }) => path.length > 1),
    ({ path }) => path[0] ?? 0,
  );
  const embedded = [...nested].map(([number, inner]) => ({
    number,
    message: build(inner.map(({ path, ...rest }) => ({ ...rest, path: path.slice(1) }))),
  }));
  return new Message([...direct, ...embedded]);
}

function fieldOf(name: string, number: number, facts: FieldFacts): Field {
  const { t: type, w: wrapped } = facts;
  const common = { name, number, pointer: facts.p === 1, dropZero: !facts.p && !facts.z && type !== "any" };
  if (type.startsWith("{}")) return { ...common, shape: "map", ...codecOf(type.slice(2), wrapped === 1) };
  if (type.startsWith("[]") && wrapped) return { ...common, shape: "single", pointer: true, ...codecOf(type, true) };
  if (type.startsWith("[]")) return { ...common, shape: "list", ...codecOf(type.slice(2), false) };
  // A nil slice of bytes is absent, as a pointer would be.
  return { ...common, shape: "single", ...(type === "bytes" && { pointer: true }), ...codecOf(type, false) };
}

function codecOf(type: string, wrapped: boolean): Codec {
  if (type.startsWith("@")) return messageCodec(type.slice(1));
  if (type === "[]string" && wrapped) return wrappedStrings;
  const codec = scalarCodecs[type];
  if (!codec) throw new RangeError(`no protobuf codec for ${type}`);
  return codec;
}

function messageCodec(definition: string): Codec {
  // Types refer to each other in circles, so the message is looked up when first used.
  let message: Message | undefined;
  return {
    wireType: 2,
    zero: () => ({}),
    read(reader) {
      message ??= messageOf(definition);
      const end = reader.end();
      const object: JsonObject = {};
      if (++reader.depth > maxJsonDepth) throw new ProtobufError("exceeded max depth");
      message.read(reader, end, object);
      reader.depth--;
      return object;
    },
    write(writer, value) {
      message ??= messageOf(definition);
      const before = writer.size;
      message.write(writer, (value ?? {}) as JsonObject);
      writer.lengthSince(before);
    },
  };
}

/** Calls `on` for every field of the message that begins here. */
function eachField(reader: Reader, on: (number: number, wireType: number) => boolean): void {
  const end = reader.end();
  while (reader.at < end) {
    const tag = reader.varint32() >>> 0;
    if (!on(tag >>> 3, tag & 7)) reader.skip(tag & 7);
  }
}

const fromBigInt = (value: bigint): number | RawJson => {
  const short = Number(value);
  return Number.isSafeInteger(short) ? short : JSON.rawJSON(String(value));
};
const toInteger = (value: unknown): number | bigint =>
  typeof value === "number" ? value : JSON.isRawJSON(value) ? BigInt(value.rawJSON) : 0;

const wrappedStrings: Codec = {
  wireType: 2,
  zero: () => [],
  read(reader) {
    const items: string[] = [];
    eachField(reader, (number, wireType) => number === 1 && wireType === 2 && items.push(reader.text()) > 0);
    return items;
  },
  write(writer, value) {
    const before = writer.size;
    for (const item of ((value ?? []) as readonly string[]).toReversed()) {
      writer.text(item);
      writer.tag(1, 2);
    }
    writer.lengthSince(before);
  },
};

/** `Timestamp { seconds = 1, nanos = 2 }`; an empty message is Go's zero time. */
const timeCodec = (format: (moment: { seconds: number; nanos: number }) => string, withNanos: boolean): Codec => ({
  wireType: 2,
  zero: () => null,
  read(reader) {
    let seconds = 0;
    let nanos = 0;
    let any = false;
    eachField(reader, (number, wireType) => {
      if (wireType !== 0 || number > 2) return false;
      any = true;
      if (number === 1) seconds = Number(reader.varint64());
      else nanos = reader.varint32();
      return true;
    });
    if (seconds < zeroTimeSeconds || seconds > lastTimeSeconds) throw new ProtobufError("proto: timestamp out of range");
    return any ? format({ seconds, nanos }) : undefined;
  },
  write(writer, value) {
    const before = writer.size;
    if (typeof value === "string") {
      const { seconds, nanos } = parseMoment(value);
      if (seconds !== zeroTimeSeconds || nanos !== 0) {
        writer.integer(withNanos ? Math.floor(nanos / 1000) * 1000 : 0);
        writer.tag(2, 0);
        writer.integer(seconds);
        writer.tag(1, 0);
      }
    }
    writer.lengthSince(before);
  },
});

/** JSON inside protobuf, `{ raw = 1 }`: RawExtension, FieldsV1, apiextensions' JSON. */
const rawJson: Codec = {
  wireType: 2,
  zero: () => null,
  read(reader) {
    let value: unknown;
    eachField(reader, (number, wireType) => {
      if (number !== 1 || wireType !== 2) return false;
      const end = reader.end();
      const raw = reader.bytes.subarray(reader.at, end);
      reader.at = end;
      value = raw.length === 0 ? undefined : parseRaw(raw);
      return true;
    });
    return value;
  },
  write(writer, value) {
    const before = writer.size;
    if (value !== undefined) {
      writer.text(JSON.stringify(value));
      writer.tag(1, 2);
    }
    writer.lengthSince(before);
  },
};

function parseRaw(raw: Buffer): unknown {
  try {
    return parseJson(raw.toString("utf8")).value;
  } catch (error) {
    throw new ProtobufError("proto: embedded object is not JSON", { cause: error });
  }
}

const jsonSchemaProps = messageCodec("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");

/** `{ schema = 1, list = 2 }` */
const schemaOr = (item: Codec): Codec => ({
  wireType: 2,
  zero: () => null,
  read(reader) {
    let schema: unknown;
    const list: unknown[] = [];
    eachField(reader, (number, wireType) => {
      if (wireType !== 2 || number > 2) return false;
      if (number === 1) schema = jsonSchemaProps.read(reader);
      else list.push(item.read(reader));
      return true;
    });
    return list.length > 0 ? list : schema;
  },
  write(writer, value) {
    const before = writer.size;
    if (Array.isArray(value)) {
      for (const each of value.toReversed()) {
        item.write(writer, each);
        writer.tag(2, 2);
      }
    } else if (value !== undefined) {
      jsonSchemaProps.write(writer, value);
      writer.tag(1, 2);
    }
    writer.lengthSince(before);
  },
});

const textCodec: Codec = {
  wireType: 2,
  zero: () => "",
  read: (reader) => reader.text(),
  write: (writer, value) => writer.text(typeof value === "string" ? value : ""),
};

const scalarCodecs: Readonly<Record<string, Codec>> = {
  string: textCodec,
  boolean: {
    wireType: 0,
    zero: () => false,
    read: (reader) => reader.varint32() !== 0,
    write: (writer, value) => writer.varint(value === true ? 1 : 0),
  },
  int32: {
    wireType: 0,
    zero: () => 0,
    read: (reader) => reader.varint32() | 0,
    write: (writer, value) => writer.integer(toInteger(value)),
  },
  int64: {
    wireType: 0,
    zero: () => 0,
    read: (reader) => fromBigInt(reader.varint64()),
    write: (writer, value) => writer.integer(toInteger(value)),
  },
  number: {
    wireType: 1,
    zero: () => 0,
    read: (reader) => reader.double(),
    write: (writer, value) => writer.double(JSON.isRawJSON(value) ? Number(value.rawJSON) : Number(value ?? 0)),
  },
  bytes: {
    wireType: 2,
    zero: () => "",
    read: (reader) => reader.base64(),
    write: (writer, value) => writer.base64(typeof value === "string" ? value : ""),
  },
  time: timeCodec(({ seconds }) => formatTime(seconds), false),
  microtime: timeCodec(formatMicroTime, true),
  quantity: {
    wireType: 2,
    zero: () => "0",
    read(reader) {
      let text = "0";
      eachField(reader, (number, wireType) => {
        if (number !== 1 || wireType !== 2) return false;
        text = canonicalQuantity(reader.text());
        return true;
      });
      return text;
    },
    write(writer, value) {
      const before = writer.size;
      writer.text(value === undefined ? "0" : canonicalQuantity(value as string | number));
      writer.tag(1, 2);
      writer.lengthSince(before);
    },
  },
  /** `{ type = 1, intVal = 2, strVal = 3 }` */
  intOrString: {
    wireType: 2,
    zero: () => 0,
    read(reader) {
      let isText = false;
      let integer = 0;
      let text = "";
      eachField(reader, (number, wireType) => {
        if (number === 1 && wireType === 0) isText = reader.varint32() === 1;
        else if (number === 2 && wireType === 0) integer = reader.varint32() | 0;
        else if (number === 3 && wireType === 2) text = reader.text();
        else return false;
        return true;
      });
      return isText ? text : integer;
    },
    write(writer, value) {
      const before = writer.size;
      const isText = typeof value === "string";
      writer.text(isText ? value : "");
      writer.tag(3, 2);
      writer.integer(isText ? 0 : toInteger(value));
      writer.tag(2, 0);
      writer.varint(isText ? 1 : 0);
      writer.tag(1, 0);
      writer.lengthSince(before);
    },
  },
  any: rawJson,
  schemaOrList: schemaOr(jsonSchemaProps),
  schemaOrStrings: schemaOr(textCodec),
  /** `{ allows = 1, schema = 2 }` */
  schemaOrBool: {
    wireType: 2,
    zero: () => false,
    read(reader) {
      let value: unknown = false;
      eachField(reader, (number, wireType) => {
        if (number === 1 && wireType === 0) {
          const allows = reader.varint32() !== 0;
          if (typeof value === "boolean") value = allows;
        } else if (number === 2 && wireType === 2) value = jsonSchemaProps.read(reader);
        else return false;
        return true;
      });
      return value;
    },
    write(writer, value) {
      const before = writer.size;
      const isSchema = typeof value === "object" && value !== null;
      if (isSchema) {
        jsonSchemaProps.write(writer, value);
        writer.tag(2, 2);
      }
      writer.varint(isSchema || value === true ? 1 : 0);
      writer.tag(1, 0);
      writer.lengthSince(before);
    },
  },
};
