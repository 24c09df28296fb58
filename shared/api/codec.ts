/**
 * Bodies of built-in kinds pass through Go structs in Kubernetes; this is what that does to them: types are checked, values take their
 * canonical form, unknown fields and zero values disappear. Custom resources pass with their own schema, whose nodes know no zero.
 */
import type { RawJson } from "./json.ts";
import type { JsonObject } from "./objects.ts";
import { canonicalQuantity, QuantityError } from "./quantity.ts";
import type { AnyNode, ListNode, MapNode, ObjectNode, ScalarNode, ScalarType, SchemaNode } from "./schema.ts";
import { canonicalMicroTime, canonicalTime, TimeError } from "./time.ts";

/** What Go's decoder calls a value. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** The body does not fit the schema; the message is what a Kubernetes API server answers after its "cannot be handled as". */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export interface DecodedObject {
  /** A new object; free-form JSON inside it is shared with the input. */
  readonly object: JsonObject;
  /** Paths of fields that the schema does not know, in the order of the body: `spec.containers[0].bar`. */
  readonly unknownFields: string[];
}

/**
 * The typed form of a body. The input stays as it is.
 * @param schema of an object (not a scalar)
 * @throws {DecodeError} at the first value of a wrong type
 */
export function decodeObject(schema: SchemaNode, body: JsonObject): DecodedObject {
  const unknownFields: string[] = [];
  try {
    return { object: decodeValue(schema, body, unknownFields) as JsonObject, unknownFields };
  } catch (error) {
    if (error instanceof Mismatch) throw new DecodeError(error.describe());
    if (error instanceof QuantityError || error instanceof TimeError) throw new DecodeError(error.message, { cause: error });
    throw error;
  }
}

/** A value of another type, on its way up to where its path is known. */
class Mismatch extends Error {
  readonly #found: string;
  readonly #wanted: string;
  readonly #path: string[] = [];
  #struct: string | undefined;

  constructor(value: unknown, wanted: string) {
    super();
    this.#found = describeValue(value);
    this.#wanted = wanted;
  }

  inField(struct: string | undefined, field: string): void {
    this.#struct ??= struct?.slice(struct.lastIndexOf(".") + 1) ?? "";
    this.#path.unshift(field);
  }

  describe(): string {
    const where = this.#path.length > 0 ? `Go struct field ${this.#struct}.${this.#path.join(".")}` : "Go value";
    return `json: cannot unmarshal ${this.#found} into ${where} of type ${this.#wanted}`;
  }
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return "number";
    default:
      return JSON.isRawJSON(value) ? "number" : "object";
  }
}

const numberText = (value: number | RawJson): string => (typeof value === "number" ? String(value) : value.rawJSON);

function decodeValue(node: SchemaNode, value: unknown, unknown: string[]): unknown {
  if (node.type === "scalar") return decodeScalar(node, value);
  if (node.type === "object") return decodeStruct(node, value, unknown);
  if (node.type === "list") return decodeList(node, value, unknown);
  if (node.type === "map") return decodeMap(node, value, unknown);
  return decodeAny(node, value);
}

/** Adds what came before to the paths that a part has reported. */
function prefix(unknown: string[], from: number, part: string): void {
  for (let i = from; i < unknown.length; i++) {
    const path = unknown[i] ?? "";
    unknown[i] = path.startsWith("[") ? part + path : `${part}.${path}`;
  }
}

function isPlainObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** Assignment that makes a field of every key, `__proto__` too. */
function assign(object: JsonObject, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

function decodeStruct(node: ObjectNode, value: unknown, unknown: string[]): JsonObject {
  if (!isPlainObject(value)) throw new Mismatch(value, node.goType ?? "object");
  const { fields } = node;
  const object: JsonObject = {};
  for (const key of Object.keys(value)) {
    const given = value[key];
    const field = fields.get(key);
    if (field === undefined) {
      if (node.preserveUnknown) assign(object, key, given);
      else unknown.push(key);
      continue;
    }
    if (given === null || given === undefined) {
      if (field.nullable) object[key] = null;
      continue;
    }
    const before = unknown.length;
    let decoded: unknown;
    try {
      decoded = decodeValue(field, given, unknown);
    } catch (error) {
      if (error instanceof Mismatch) error.inField(node.goType, field.goPath ?? key);
      throw error;
    }
    if (unknown.length > before) prefix(unknown, before, key);
    if (decoded !== undefined && !(field.zero === "drop" && isZero(decoded))) object[key] = decoded;
  }
  return object;
}

function isZero(value: unknown): boolean {
  if (value === "" || value === 0 || value === false) return true;
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return false;
  if (Array.isArray(value)) return value.length === 0;
  return Object.keys(value).length === 0;
}

function decodeList(node: ListNode, value: unknown, unknown: string[]): unknown[] {
  if (!Array.isArray(value)) throw new Mismatch(value, node.goType ?? "array");
  const { items } = node;
  const list: unknown[] = [];
  for (let i = 0; i < value.length; i++) {
    const before = unknown.length;
    list.push(decodeElement(items, value[i], unknown));
    if (unknown.length > before) prefix(unknown, before, `[${i}]`);
  }
  return list;
}

function decodeMap(node: MapNode, value: unknown, unknown: string[]): JsonObject {
  if (!isPlainObject(value)) throw new Mismatch(value, node.goType ?? "object");
  const { values } = node;
  const map: JsonObject = {};
  for (const key of Object.keys(value)) {
    const before = unknown.length;
    assign(map, key, decodeElement(values, value[key], unknown));
    if (unknown.length > before) prefix(unknown, before, key);
  }
  return map;
}

/** In lists and maps null is no absence: Go puts the zero value there. */
function decodeElement(node: SchemaNode, value: unknown, unknown: string[]): unknown {
  if (value === null || value === undefined) return node.nullable ? null : (zeroOf(node) ?? null);
  const decoded = decodeValue(node, value, unknown);
  return decoded === undefined ? null : decoded;
}

function decodeAny(node: AnyNode, value: unknown): unknown {
  // These types decode themselves in Go, where nobody counts unknown fields.
  if (node.object && isPlainObject(value)) return decodeElement(node.object, value, []);
  if (node.items && Array.isArray(value)) return decodeList({ ...listOf, items: node.items }, value, []);
  if (node.items) return undefined;
  if (node.elseBoolean && typeof value !== "boolean") throw new DecodeError(node.elseBoolean);
  return value;
}

const listOf = { type: "list", listType: "atomic", listKeys: [], patchMerge: false } as const;

function decodeScalar(node: ScalarNode, value: unknown): unknown {
  switch (node.scalar) {
    case "string":
      if (typeof value !== "string") throw new Mismatch(value, node.goType ?? "string");
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw new Mismatch(value, node.goType ?? "bool");
      return value;
    case "int32":
    case "int64":
      return decodeInteger(node.scalar, value, node.goType ?? node.scalar);
    case "number":
      return decodeFloat(value, node.goType ?? "float64");
    case "bytes":
      if (typeof value !== "string") throw new Mismatch(value, node.goType ?? "[]uint8");
      return canonicalBase64(value);
    case "time":
      return canonicalTime(text(value));
    case "microtime":
      return canonicalMicroTime(text(value));
    case "quantity":
      if (typeof value !== "string" && describeValue(value) !== "number") return canonicalQuantity(JSON.stringify(value));
      return canonicalQuantity(typeof value === "string" ? value : numberText(value as number | RawJson));
    case "intOrString":
    default:
      return typeof value === "string" ? value : decodeInteger("int32", value, "int32");
  }
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Mismatch(value, "string");
  return value;
}

const maxInt32 = 2 ** 31 - 1;
const minInt32 = -(2 ** 31);

function decodeInteger(type: "int32" | "int64", value: unknown, goType: string): number | RawJson {
  if (typeof value === "number") {
    if (Number.isInteger(value) && (type === "int64" ? Number.isSafeInteger(value) : value >= minInt32 && value <= maxInt32)) return value;
  } else if (!JSON.isRawJSON(value)) {
    throw new Mismatch(value, goType);
  }
  const digits = numberText(value);
  if (/^-?\d+$/.test(digits)) {
    const exact = BigInt(digits);
    if (exact === BigInt.asIntN(type === "int64" ? 64 : 32, exact)) {
      const short = Number(exact);
      return Number.isSafeInteger(short) ? short : JSON.rawJSON(String(exact));
    }
  }
  throw new NumberMismatch(digits, goType);
}

/** Go names the number when the type is right and the value is not. */
class NumberMismatch extends Mismatch {
  readonly #text: string;
  constructor(text: string, wanted: string) {
    super(0, wanted);
    this.#text = text;
  }
  override describe(): string {
    return super.describe().replace("unmarshal number", `unmarshal number ${this.#text}`);
  }
}

function decodeFloat(value: unknown, goType: string): number {
  if (typeof value === "number") return value;
  if (!JSON.isRawJSON(value)) throw new Mismatch(value, goType);
  const float = Number(value.rawJSON);
  if (!Number.isFinite(float)) throw new NumberMismatch(value.rawJSON, goType);
  return float;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Standard alphabet, padded; line breaks are skipped. */
function canonicalBase64(text: string): string {
  // What comes back as it was is canonical; for a megabyte this is a hundred times faster than looking at its letters.
  if (Buffer.from(text, "base64").toString("base64") === text) return text;
  const compact = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, "") : text;
  if (!base64.test(compact)) throw new DecodeError(`illegal base64 data at input byte ${firstIllegalByte(text)}`);
  // Bits beyond the last byte may be set in what was given, but not in what is written.
  return compact.endsWith("=") ? Buffer.from(compact, "base64").toString("base64") : compact;
}

/** Where Go's decoder stops: at the first character that cannot stand there, or at the start of an incomplete quantum. */
function firstIllegalByte(text: string): number {
  let inQuantum = 0;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (letter === "\r" || letter === "\n") continue;
    if (letter === "=") {
      if (inQuantum < 2) return i;
      if (inQuantum === 3) return i + 1;
      const rest = text.slice(i + 1).search(/[^\r\n]/);
      if (rest < 0) return text.length;
      return text.charAt(i + 1 + rest) === "=" ? i + 2 + rest : i + 1 + rest;
    }
    if (!/[A-Za-z0-9+/]/.test(letter)) return i;
    inQuantum = (inQuantum + 1) % 4;
  }
  return Math.max(text.length - inQuantum, 0);
}

/**
 * Adds what Go writes although nobody gave it: empty structs (`status: {}`, `resources: {}`), zero numbers and texts of required
 * fields. For an object that has its defaults already: a default only fills what is absent.
 * @returns the same object when there is nothing to add; the input stays as it is
 */
export function completeObject<T extends object>(schema: SchemaNode, object: T): T {
  return complete(schema, object) as T;
}

function complete(node: SchemaNode, value: unknown): unknown {
  switch (node.type) {
    case "object":
      return isPlainObject(value) ? completeStruct(node, value) : value;
    case "list":
      return Array.isArray(value) ? replaceChanged(value, (item) => complete(node.items, item)) : value;
    case "map": {
      if (!isPlainObject(value) || node.values.type === "scalar") return value;
      let copy: JsonObject | undefined;
      for (const [key, item] of Object.entries(value)) {
        const completed = complete(node.values, item);
        if (completed !== item) (copy ??= { ...value })[key] = completed;
      }
      return copy ?? value;
    }
    default:
      return value;
  }
}

function replaceChanged(list: readonly unknown[], change: (item: unknown) => unknown): readonly unknown[] {
  const changed = list.map(change);
  return changed.some((item, index) => item !== list[index]) ? changed : list;
}

const alwaysWritten = new WeakMap<ObjectNode["fields"], readonly (readonly [string, SchemaNode])[]>();

function completeStruct(node: ObjectNode, value: JsonObject): JsonObject {
  let copy: JsonObject | undefined;
  for (const key of Object.keys(value)) {
    const field = node.fields.get(key);
    if (field === undefined || field.type === "scalar" || field.type === "any") continue;
    const completed = complete(field, value[key]);
    if (completed !== value[key]) (copy ??= { ...value })[key] = completed;
  }
  let always = alwaysWritten.get(node.fields);
  if (!always) {
    always = [...node.fields].filter(([, field]) => field.zero === "fill");
    alwaysWritten.set(node.fields, always);
  }
  for (const [key, field] of always) {
    if (value[key] === undefined) (copy ??= { ...value })[key] = zeroOf(field);
  }
  return copy ?? value;
}

/** Go's zero value as JSON; lists and maps that are nil there are empty here, and what Go writes as null stays absent. */
function zeroOf(node: SchemaNode): unknown {
  if (node.type === "object") return completeStruct(node, {});
  if (node.type === "list") return [];
  if (node.type === "map") return {};
  return node.type === "scalar" ? scalarZeros[node.scalar] : undefined;
}

const scalarZeros: Readonly<Record<ScalarType, unknown>> = {
  string: "",
  boolean: false,
  int32: 0,
  int64: 0,
  number: 0,
  intOrString: 0,
  quantity: "0",
  bytes: undefined,
  time: undefined,
  microtime: undefined,
};
