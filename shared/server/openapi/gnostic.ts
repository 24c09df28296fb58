/**
 * The OpenAPI v2 document as protobuf, which is the only form that some clients ask for.
 * @see https://github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto: field numbers below are its
 */
import type { JsonObject } from "../../api/objects.ts";

/** How a JSON member becomes a protobuf field. */
type FieldType =
  | "string"
  | "strings"
  | "bool"
  | "int64"
  | "double"
  /** Free-form value as YAML text. */
  | "any"
  | "anys"
  /** A message of its own. */
  | { readonly message: () => Message }
  | { readonly messages: () => Message }
  /** An object whose members become `{ name, value }` messages, inside a message of their own. */
  | { readonly named: () => Message; readonly at: number };

interface Message {
  readonly fields: Readonly<Record<string, readonly [number: number, type: FieldType]>>;
  /** Number of the field that holds `x-…` members. */
  readonly extensions?: number;
  /** Replaces the value before it is written: wraps unions and singular forms. */
  readonly wrap?: (value: unknown) => Uint8Array;
}

const one = (message: () => Message): FieldType => ({ message });
const named = (value: () => Message, at = 1): FieldType => ({ named: value, at });

const schema: Message = {
  extensions: 31,
  fields: {
    $ref: [1, "string"],
    format: [2, "string"],
    title: [3, "string"],
    description: [4, "string"],
    default: [5, "any"],
    multipleOf: [6, "double"],
    maximum: [7, "double"],
    exclusiveMaximum: [8, "bool"],
    minimum: [9, "double"],
    exclusiveMinimum: [10, "bool"],
    maxLength: [11, "int64"],
    minLength: [12, "int64"],
    pattern: [13, "string"],
    maxItems: [14, "int64"],
    minItems: [15, "int64"],
    uniqueItems: [16, "bool"],
    maxProperties: [17, "int64"],
    minProperties: [18, "int64"],
    required: [19, "strings"],
    enum: [20, "anys"],
    additionalProperties: [21, one(() => additionalProperties)],
    type: [22, one(() => typeItem)],
    items: [23, one(() => itemsItem)],
    allOf: [24, { messages: () => schema }],
    properties: [25, named(() => schema)],
    readOnly: [27, "bool"],
    example: [30, "any"],
  },
};

const additionalProperties: Message = {
  fields: {},
  wrap: (value) => (typeof value === "boolean" ? field(2, varint(value ? 1 : 0)) : nested(1, encode(schema, value))),
};
const typeItem: Message = { fields: {}, wrap: (value) => joined([value].flat().map((type) => text(1, String(type)))) };
const itemsItem: Message = { fields: {}, wrap: (value) => nested(1, encode(schema, value)) };
const schemaItem: Message = { fields: {}, wrap: (value) => nested(1, encode(schema, value)) };

const parameterFields = {
  required: [1, "bool"],
  in: [2, "string"],
  description: [3, "string"],
  name: [4, "string"],
} as const;
const queryParameter: Message = {
  extensions: 23,
  fields: { ...parameterFields, type: [6, "string"], format: [7, "string"], uniqueItems: [20, "bool"] },
};
const pathParameter: Message = {
  extensions: 22,
  fields: { ...parameterFields, type: [5, "string"], format: [6, "string"], uniqueItems: [19, "bool"] },
};
const bodyParameter: Message = {
  extensions: 6,
  fields: { description: [1, "string"], name: [2, "string"], in: [3, "string"], required: [4, "bool"], schema: [5, one(() => schema)] },
};
/** ParametersItem › Parameter › BodyParameter, or NonBodyParameter › its kind. */
const parameter: Message = {
  fields: {},
  wrap: (value) => {
    const place = (value as { readonly in: string }).in;
    if (place === "body") return nested(1, nested(1, encode(bodyParameter, value)));
    const inner = place === "path" ? nested(4, encode(pathParameter, value)) : nested(3, encode(queryParameter, value));
    return nested(1, nested(2, inner));
  },
};

const response: Message = {
  extensions: 5,
  fields: { description: [1, "string"], schema: [2, one(() => schemaItem)] },
};
const responseValue: Message = { fields: {}, wrap: (value) => nested(1, encode(response, value)) };

const operation: Message = {
  extensions: 13,
  fields: {
    tags: [1, "strings"],
    description: [3, "string"],
    operationId: [5, "string"],
    produces: [6, "strings"],
    consumes: [7, "strings"],
    parameters: [8, { messages: () => parameter }],
    responses: [9, named(() => responseValue)],
    schemes: [10, "strings"],
    deprecated: [11, "bool"],
  },
};

const pathItem: Message = {
  extensions: 10,
  fields: {
    get: [2, one(() => operation)],
    put: [3, one(() => operation)],
    post: [4, one(() => operation)],
    delete: [5, one(() => operation)],
    patch: [8, one(() => operation)],
    parameters: [9, { messages: () => parameter }],
  },
};

const apiKeySecurity: Message = {
  fields: { type: [1, "string"], name: [2, "string"], in: [3, "string"], description: [4, "string"] },
};
const securityDefinition: Message = { fields: {}, wrap: (value) => nested(2, encode(apiKeySecurity, value)) };
const stringArray: Message = { fields: {}, wrap: (value) => joined((value as string[]).map((entry) => text(1, entry))) };
const securityRequirement: Message = {
  fields: {},
  wrap: (value) => namedMembers(stringArray, 1, value as JsonObject),
};

const document: Message = {
  fields: {
    swagger: [1, "string"],
    info: [2, one(() => ({ fields: { title: [1, "string"], version: [2, "string"], description: [3, "string"] } }))],
    paths: [8, named(() => pathItem, 2)],
    definitions: [9, named(() => schema)],
    security: [12, { messages: () => securityRequirement }],
    securityDefinitions: [13, named(() => securityDefinition)],
  },
};

/** @param swagger an OpenAPI v2 document as this server makes it */
export const encodeGnostic = (swagger: JsonObject): Uint8Array => encode(document, swagger);

function encode(message: Message, value: unknown): Uint8Array {
  if (message.wrap) return message.wrap(value);
  const parts: Uint8Array[] = [];
  for (const [name, member] of Object.entries(value as JsonObject)) {
    if (member === undefined) continue;
    const known = message.fields[name];
    if (known) parts.push(encodeField(known[0], known[1], member));
    else if (name.startsWith("x-") && message.extensions !== undefined)
      parts.push(nested(message.extensions, joined([text(1, name), nested(2, anyValue(member))])));
  }
  return joined(parts);
}

function encodeField(number: number, type: FieldType, value: unknown): Uint8Array {
  if (typeof type === "object") {
    if ("message" in type) return nested(number, encode(type.message(), value));
    if ("messages" in type) return joined((value as unknown[]).map((one) => nested(number, encode(type.messages(), one))));
    return nested(number, namedMembers(type.named(), type.at, value as JsonObject));
  }
  switch (type) {
    case "string":
      return text(number, String(value));
    case "strings":
      return joined((value as unknown[]).map((one) => text(number, String(one))));
    case "bool":
      return field(number, varint(value ? 1 : 0));
    case "int64":
      return field(number, varint(Number(value)));
    case "double":
      return double(number, Number(value));
    case "any":
      return nested(number, anyValue(value));
    default:
      return joined((value as unknown[]).map((one) => nested(number, anyValue(one))));
  }
}

const namedMembers = (message: Message, at: number, members: JsonObject): Uint8Array =>
  joined(Object.entries(members).map(([name, value]) => nested(at, joined([text(1, name), nested(2, encode(message, value))]))));

/** `Any.yaml`; JSON is YAML. */
const anyValue = (value: unknown): Uint8Array => text(2, `${JSON.stringify(value)}\n`);

const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const nested = (number: number, bytes: Uint8Array): Uint8Array => joined([varint(number * 8 + 2), varint(bytes.byteLength), bytes]);
const text = (number: number, value: string): Uint8Array => nested(number, Buffer.from(value));
const field = (number: number, value: Uint8Array): Uint8Array => joined([varint(number * 8), value]);

function double(number: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return joined([varint(number * 8 + 1), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  while (left >= 128n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}
