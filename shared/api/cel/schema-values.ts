/** Stored data as rules see it: each part is made into a value when it is asked for. */
import { isDeepStrictEqual } from "node:util";
import type { RawJson } from "../json.ts";
import type { JsonObject } from "../objects.ts";
import { dateTimeNanos, wordDuration } from "../string-formats.ts";
import { type Structural, withResourceFields } from "../structural.ts";
import { TimeError } from "../time.ts";
import { escapeName, unescapeName } from "./field-names.ts";
import { parseDuration, writtenOffset } from "./library/time.ts";
import { ArrayList, CelList, CelMap, CelObject, Duration, EvalError, equal, noSuchOverload, Timestamp } from "./values.ts";

/** Data that does not fit its schema becomes an EvalError. */
export function valueOf(data: unknown, schema: Structural): unknown {
  if (data === null || data === undefined) {
    return schema.nullable ? null : new EvalError("invalid data, got null for schema with nullable=false");
  }
  if (schema["x-kubernetes-int-or-string"]) {
    const value = typeof data === "string" ? data : integer(data);
    return value ?? new EvalError("invalid data, expected XIntOrString value to be either a string or integer");
  }
  switch (schema.type) {
    case "object":
      if (!isObject(data)) return new EvalError("invalid data, expected a map for the provided schema with type=object");
      return new ObjectValue(data, schema["x-kubernetes-embedded-resource"] ? withResourceFields(schema) : schema);
    case "array":
      if (!Array.isArray(data)) return new EvalError("invalid data, expected an array for the provided schema with type=array");
      return listOf(data, schema);
    case "string":
      return typeof data === "string" ? text(data, schema) : wrong("string");
    case "number":
      return typeof data === "number" ? data : isRaw(data) ? Number(data.rawJSON) : wrong("float");
    case "integer":
      return integer(data) ?? wrong("int");
    case "boolean":
      return typeof data === "boolean" ? data : wrong("bool");
    default:
      return schema["x-kubernetes-preserve-unknown-fields"] ? new PreservedValue(data) : noSuchOverload();
  }
}

/** Data that nobody described: it can be compared, and nothing else. */
class PreservedValue extends CelObject {
  readonly typeName = "unknown";
  readonly #data: unknown;

  constructor(data: unknown) {
    super();
    this.#data = data;
  }

  equals(other: CelObject): boolean {
    return other instanceof PreservedValue && isDeepStrictEqual(this.#data, other.#data);
  }
}

const wrong = (expected: string): EvalError => new EvalError(`invalid data, expected ${expected}`);
const isRaw = (data: unknown): data is RawJson => JSON.isRawJSON(data);
const isObject = (data: unknown): data is JsonObject => typeof data === "object" && data !== null && !Array.isArray(data) && !isRaw(data);

function integer(data: unknown): bigint | undefined {
  if (typeof data === "number") return Number.isInteger(data) ? BigInt(data) : undefined;
  return isRaw(data) && /^-?[0-9]+$/.test(data.rawJSON) ? BigInt(data.rawJSON) : undefined;
}

function text(data: string, { format }: Structural): unknown {
  switch (format) {
    case "duration": {
      const nanos = wordDuration(data);
      const duration = parseDuration(data) ?? (nanos === undefined ? undefined : new Duration(nanos));
      return duration ?? new EvalError(`Invalid duration ${data}: unable to parse ${data} as duration`);
    }
    case "date":
      return moment(`${data}T00:00:00Z`, `Invalid date formatted string ${data}`);
    case "date-time":
      return moment(data, `Invalid date-time formatted string ${data}`);
    case "byte":
      return new Uint8Array(Buffer.from(data, "base64url"));
    default:
      return data;
  }
}

function moment(data: string, problem: string): unknown {
  try {
    return new Timestamp(dateTimeNanos(data), writtenOffset(data));
  } catch (error) {
    if (error instanceof TimeError) return new EvalError(`${problem}: ${error.message}`);
    throw error;
  }
}

function listOf(data: readonly unknown[], schema: Structural): CelList {
  const list = new ListValue(data, schema);
  switch (schema["x-kubernetes-list-type"]) {
    case "map":
      return new MapListValue(
        list,
        (schema["x-kubernetes-list-map-keys"] ?? []).map((key) => escapeName(key) ?? key),
      );
    case "set":
      return new SetValue(list);
    default:
      return list;
  }
}

class ListValue extends CelList {
  readonly #data: readonly unknown[];
  readonly #items: Structural;
  readonly #made = new Map<number, unknown>();

  constructor(data: readonly unknown[], { items = {} }: Structural) {
    super();
    this.#data = data;
    this.#items = items;
  }

  get size(): number {
    return this.#data.length;
  }

  at(index: number): unknown {
    let value = this.#made.get(index);
    if (value === undefined) this.#made.set(index, (value = valueOf(this.#data[index], this.#items)));
    return value;
  }
}

/** A list whose order says nothing: each element has a key of its own. */
abstract class KeyedList extends CelList {
  readonly #list: CelList;
  #byKey: ReadonlyMap<string, unknown> | undefined;

  constructor(list: CelList) {
    super();
    this.#list = list;
  }

  protected abstract keyOf(value: unknown): string;
  protected abstract with(list: CelList): KeyedList;

  get size(): number {
    return this.#list.size;
  }

  at(index: number): unknown {
    return this.#list.at(index);
  }

  #keyed(): ReadonlyMap<string, unknown> {
    return (this.#byKey ??= new Map([...this].map((value) => [this.keyOf(value), value])));
  }

  /** What is added takes the place of the element with its key. */
  override concat(other: CelList): CelList {
    const merged = new Map(this.#keyed());
    for (const value of other) merged.set(this.keyOf(value), value);
    return this.with(new ArrayList([...merged.values()]));
  }

  override equals(other: CelList): unknown {
    if (this.size !== other.size) return false;
    const own = this.#keyed();
    for (const value of other) {
      const mine = own.get(this.keyOf(value));
      if (mine === undefined) return false;
      const result = equal(mine, value);
      if (result !== true) return result;
    }
    return true;
  }
}

class SetValue extends KeyedList {
  protected override keyOf(value: unknown): string {
    return identity(value);
  }

  protected override with(list: CelList): KeyedList {
    return new SetValue(list);
  }
}

class MapListValue extends KeyedList {
  readonly #keys: readonly string[];

  constructor(list: CelList, keys: readonly string[]) {
    super(list);
    this.#keys = keys;
  }

  protected override keyOf(value: unknown): string {
    return value instanceof CelMap ? this.#keys.map((key) => identity(value.get(key))).join() : identity(value);
  }

  protected override with(list: CelList): KeyedList {
    return new MapListValue(list, this.#keys);
  }
}

/** Text that two values share exactly when they are the same element of a set, or the same key. */
const identity = (value: unknown): string => {
  if (value instanceof CelList) return `[${[...value].map(identity).join()}]`;
  if (value instanceof CelMap) return `{${[...value.keys()].map((key) => `${identity(key)}:${identity(value.get(key))}`).join()}}`;
  if (value instanceof Timestamp || value instanceof Duration) return `t${value.nanos}`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
};

/** An object with named fields, or a map: which of them, its schema says. */
class ObjectValue extends CelMap {
  readonly #data: JsonObject;
  readonly #schema: Structural;
  readonly #made = new Map<string, unknown>();

  constructor(data: JsonObject, schema: Structural) {
    super();
    this.#data = data;
    this.#schema = schema;
  }

  get size(): number {
    return Object.keys(this.#data).length;
  }

  #schemaOf(name: string): Structural | undefined {
    const { properties, additionalProperties } = this.#schema;
    if (properties !== undefined) return Object.hasOwn(properties, name) ? properties[name] : undefined;
    return typeof additionalProperties === "object" ? additionalProperties : undefined;
  }

  get #hasFields(): boolean {
    return this.#schema.properties !== undefined;
  }

  get(key: unknown): unknown {
    if (typeof key !== "string") return noSuchOverload();
    const name = this.#hasFields ? unescapeName(key) : key;
    if (name === undefined || !Object.hasOwn(this.#data, name)) return undefined;
    const data = this.#data[name];
    // A field that holds null is a field that is not there.
    if (data === undefined || (data === null && this.#hasFields)) return undefined;
    const schema = this.#schemaOf(name);
    if (schema === undefined) return undefined;
    let value = this.#made.get(name);
    if (value === undefined) this.#made.set(name, (value = valueOf(data, schema)));
    return value;
  }

  *keys(): IterableIterator<unknown> {
    for (const name of Object.keys(this.#data)) {
      if (this.#schemaOf(name) !== undefined) yield this.#hasFields ? (escapeName(name) ?? name) : name;
    }
  }

  override equals(other: CelMap): unknown {
    if (this.size !== other.size) return false;
    for (const name of Object.keys(this.#data)) {
      if (this.#schemaOf(name) === undefined) {
        if (!(other instanceof ObjectValue)) return noSuchOverload();
        if (Object.hasOwn(other.#data, name) && !isDeepStrictEqual(this.#data[name], other.#data[name])) return false;
        continue;
      }
      const key = this.#hasFields ? (escapeName(name) ?? name) : name;
      const mine = this.get(key);
      const theirs = other.get(key);
      if ((mine === undefined) !== (theirs === undefined)) return false;
      if (mine === undefined) continue;
      const result = equal(mine, theirs);
      if (result !== true) return result;
    }
    return true;
  }
}
