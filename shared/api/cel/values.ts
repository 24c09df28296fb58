/**
 * CEL's values. int is a bigint, double a number, string, bool and null are JavaScript's own, bytes a Uint8Array; the rest is here.
 * Errors are values too: logic operators swallow them where the other side decides.
 */
import type { CelType } from "./types.ts";

/** An error of evaluation, in CEL's words. */
export class EvalError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const noSuchOverload = (): EvalError => new EvalError("no such overload");

export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Timestamp {
  /** Since the Unix epoch. */
  readonly nanos: bigint;
  /** How far the clocks where it was written are ahead of UTC: it is shown as it was written. */
  readonly offsetSeconds: number;

  constructor(nanos: bigint, offsetSeconds = 0) {
    this.nanos = nanos;
    this.offsetSeconds = offsetSeconds;
  }
}

/** What `type(x)` gives. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class Optional {
  /** Undefined: there is none. */
  readonly value: unknown;

  constructor(value?: unknown) {
    this.value = value;
  }

  get hasValue(): boolean {
    return this.value !== undefined;
  }
}

export const none = new Optional();

/** A list, read element by element: those of objects are made when they are asked for. */
export abstract class CelList {
  abstract readonly size: number;
  abstract at(index: number): unknown;

  get first(): unknown {
    return this.at(0);
  }

  *[Symbol.iterator](): IterableIterator<unknown> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }

  /** This list and, behind it, another. */
  concat(other: CelList): CelList {
    return new JoinedList(this, other);
  }

  /** Lists that are sets or maps in disguise compare in their own way. */
  equals(other: CelList): unknown {
    if (this.size !== other.size) return false;
    for (let index = 0; index < this.size; index++) {
      const result = equal(this.at(index), other.at(index));
      if (result !== true) return result;
    }
    return true;
  }
}

export class ArrayList extends CelList {
  readonly #items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    super();
    this.#items = items;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): unknown {
    return this.#items[index];
  }
}

/** Two lists in a row. Flattened when it is first read: a fold makes long chains of them and reads only the last. */
class JoinedList extends CelList {
  #parts: readonly [CelList, CelList] | undefined;
  #items: readonly unknown[] | undefined;
  readonly size: number;
  readonly #first: unknown;

  constructor(left: CelList, right: CelList) {
    super();
    this.#parts = [left, right];
    this.size = left.size + right.size;
    this.#first = (left.size > 0 ? left : right).first;
  }

  /** Known without flattening: every step of a fold asks for it. */
  override get first(): unknown {
    return this.#first;
  }

  at(index: number): unknown {
    if (this.#items === undefined) {
      // From the end, without recursion: the left side is the long one.
      const items: unknown[] = [];
      const pending: CelList[] = [this];
      for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
        if (list instanceof JoinedList && list.#parts !== undefined) pending.push(...list.#parts);
        else for (let last = list.size - 1; last >= 0; last--) items.push(list.at(last));
      }
      this.#items = items.toReversed();
      this.#parts = undefined;
    }
    return this.#items[index];
  }
}

/** A map or an object. */
export abstract class CelMap {
  abstract readonly size: number;
  /** Undefined where the key is not there. */
  abstract get(key: unknown): unknown;
  abstract keys(): Iterable<unknown>;

  equals(other: CelMap): unknown {
    if (this.size !== other.size) return false;
    for (const key of this.keys()) {
      const theirs = other.get(key);
      if (theirs === undefined) return false;
      const result = equal(this.get(key), theirs);
      if (result !== true) return result;
    }
    return true;
  }
}

/** Numbers of all kinds that are equal are the same key. */
function keyText(key: unknown): string | undefined {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "boolean") return `b${key}`;
  if (typeof key === "bigint") return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === "number" && Number.isInteger(key)) return `n${BigInt(key)}`;
  return undefined;
}

type Entry = readonly [key: unknown, value: unknown];

export class EntryMap extends CelMap {
  /** Shared by the maps that grew out of one another: each has the first of them, as many as its size. */
  readonly #entries: Map<string, { readonly entry: Entry; readonly place: number }>;
  readonly size: number;

  private constructor(entries: Map<string, { readonly entry: Entry; readonly place: number }>) {
    super();
    this.#entries = entries;
    this.size = entries.size;
  }

  static of(entries: Iterable<Entry>): EntryMap | EvalError {
    const map = new Map<string, { readonly entry: Entry; readonly place: number }>();
    for (const entry of entries) {
      const text = keyText(entry[0]);
      if (text === undefined || typeof entry[0] === "number") return new EvalError("unsupported key type");
      map.set(text, { entry, place: map.get(text)?.place ?? map.size });
    }
    return new EntryMap(map);
  }

  /** This map and one entry more, whose key is not in it. A fold grows a map step by step: the newest is not copied. */
  with(entry: Entry): EntryMap | EvalError {
    const text = keyText(entry[0]);
    if (text === undefined || typeof entry[0] === "number") return new EvalError("unsupported key type");
    const isNewest = this.size > 0 && this.size === this.#entries.size;
    const map = isNewest ? this.#entries : new Map([...this.#entries].slice(0, this.size));
    map.set(text, { entry, place: map.size });
    return new EntryMap(map);
  }

  get(key: unknown): unknown {
    const text = keyText(key);
    const found = text === undefined ? undefined : this.#entries.get(text);
    return found !== undefined && found.place < this.size ? found.entry[1] : undefined;
  }

  *keys(): IterableIterator<unknown> {
    for (const { entry, place } of this.#entries.values()) {
      if (place >= this.size) return;
      yield entry[0];
    }
  }
}

/** Values of Kubernetes' own types know their name and when they are equal. */
export abstract class CelObject {
  abstract readonly typeName: string;
  abstract equals(other: CelObject): boolean;
}

const isNumeric = (value: unknown): value is number | bigint | Uint =>
  typeof value === "number" || typeof value === "bigint" || value instanceof Uint;

/** JavaScript compares bigints with numbers exactly. */
const comparable = (value: number | bigint | Uint): number | bigint => (value instanceof Uint ? value.value : value);

/** Negative, zero or positive; undefined where the two have no order (NaN, or different types). */
export function compare(left: unknown, right: unknown): number | undefined {
  if (isNumeric(left) && isNumeric(right)) return order(comparable(left), comparable(right));
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if ((left instanceof Duration && right instanceof Duration) || (left instanceof Timestamp && right instanceof Timestamp)) {
    return order(left.nanos, right.nanos);
  }
  return undefined;
}

const order = (left: number | bigint, right: number | bigint): number | undefined =>
  left < right ? -1 : left > right ? 1 : left == right ? 0 : undefined;

/** By code points, as Go compares bytes of UTF-8; JavaScript's own order differs beyond the basic plane. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** A boolean, or an EvalError where what is compared holds one. */
export function equal(left: unknown, right: unknown): unknown {
  if (left instanceof EvalError) return left;
  if (right instanceof EvalError) return right;
  if (isNumeric(left) && isNumeric(right)) return comparable(left) == comparable(right);
  if (left instanceof CelList) return right instanceof CelList ? left.equals(right) : false;
  if (left instanceof CelMap) return right instanceof CelMap ? left.equals(right) : false;
  if (left instanceof CelObject) return right instanceof CelObject && left.typeName === right.typeName && left.equals(right);
  if (left instanceof TypeValue) return right instanceof TypeValue && left.name === right.name;
  if (left instanceof Optional) {
    if (!(right instanceof Optional) || left.hasValue !== right.hasValue) return false;
    return left.hasValue ? equal(left.value, right.value) : true;
  }
  if (left === null || right === null || typeof left === "string") return left === right;
  return compare(left, right) === 0;
}

/** What `size()` says; 1 for what has none: the measure of costs. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Optional && value.hasValue) return sizeOf(value.value);
  return 1;
}

export function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0xd800 && code < 0xdc00 && index + 1 < text.length) index++;
    count++;
  }
  return count;
}

/** The name of a value's type as `type(x)` shows it. */
export function typeName(value: unknown): string {
  if (value === null) return "null_type";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "double";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof CelList) return "list";
  if (value instanceof CelMap) return "map";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof TypeValue) return "type";
  if (value instanceof Optional) return "optional_type";
  return value instanceof CelObject ? value.typeName : "unknown";
}

/** Whether a value belongs to a declared type, as far as that is told apart when functions are chosen: containers by what comes first. */
export function belongs(value: unknown, { kind, name, params: [first, second] = [] }: CelType): boolean {
  switch (kind) {
    case "dyn":
    case "param":
    case "error":
      return true;
    case "int":
      return typeof value === "bigint";
    case "uint":
      return value instanceof Uint;
    case "double":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "bytes":
      return value instanceof Uint8Array;
    case "null":
      return value === null;
    case "list":
      return value instanceof CelList && (value.size === 0 || first === undefined || belongs(value.first, first));
    case "map": {
      if (!(value instanceof CelMap)) return false;
      const [key] = value.keys();
      return key === undefined || first === undefined || second === undefined || (belongs(key, first) && belongs(value.get(key), second));
    }
    case "duration":
      return value instanceof Duration;
    case "timestamp":
      return value instanceof Timestamp;
    case "type":
      return value instanceof TypeValue;
    default:
      return typeName(value) === name;
  }
}
