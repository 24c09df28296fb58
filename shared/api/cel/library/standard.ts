/** CEL's standard functions and operators. */

import { matchesPattern, PatternError } from "../../re2.ts";
import { type Declaration, fn, method } from "../functions.ts";
import {
  CelList,
  CelMap,
  codePoints,
  compare,
  Duration,
  EntryMap,
  EvalError,
  equal,
  Timestamp,
  TypeValue,
  typeName,
  Uint,
} from "../values.ts";
import { goFloat } from "./floats.ts";
import { checkedDuration, checkedTimestamp, formatDuration, formatTimestamp, parseDuration, parseTimestamp } from "./time.ts";

const minInt = -(2n ** 63n);
const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

const int = (value: bigint): unknown => (value < minInt || value > maxInt ? new EvalError("integer overflow") : value);
const uint = (value: bigint): unknown => (value < 0n || value > maxUint ? new EvalError("unsigned integer overflow") : new Uint(value));

const divided = (left: bigint, right: bigint): unknown => (right === 0n ? new EvalError("division by zero") : int(left / right));
const remainder = (left: bigint, right: bigint): unknown => (right === 0n ? new EvalError("modulus by zero") : left % right);
const joinBytes = (left: Uint8Array, right: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([left, right]));

const arithmetic: Declaration[] = [
  fn("_+_", "add_bytes", "(bytes, bytes) bytes", joinBytes),
  fn("_+_", "add_double", "(double, double) double", (a: number, b: number) => a + b),
  fn("_+_", "add_duration_duration", "(duration, duration) duration", (a: Duration, b: Duration) => checkedDuration(a.nanos + b.nanos)),
  fn("_+_", "add_duration_timestamp", "(duration, timestamp) timestamp", (a: Duration, b: Timestamp) =>
    checkedTimestamp(a.nanos + b.nanos),
  ),
  fn("_+_", "add_timestamp_duration", "(timestamp, duration) timestamp", (a: Timestamp, b: Duration) =>
    checkedTimestamp(a.nanos + b.nanos),
  ),
  fn("_+_", "add_int64", "(int, int) int", (a: bigint, b: bigint) => int(a + b)),
  fn("_+_", "add_list", "(list<A>, list<A>) list<A>", (a: CelList, b: CelList) => a.concat(b)),
  fn("_+_", "add_string", "(string, string) string", (a: string, b: string) => a + b),
  fn("_+_", "add_uint64", "(uint, uint) uint", (a: Uint, b: Uint) => uint(a.value + b.value)),
  fn("_/_", "divide_double", "(double, double) double", (a: number, b: number) => a / b),
  fn("_/_", "divide_int64", "(int, int) int", divided),
  fn("_/_", "divide_uint64", "(uint, uint) uint", (a: Uint, b: Uint) =>
    b.value === 0n ? new EvalError("division by zero") : new Uint(a.value / b.value),
  ),
  fn("_%_", "modulo_int64", "(int, int) int", remainder),
  fn("_%_", "modulo_uint64", "(uint, uint) uint", (a: Uint, b: Uint) =>
    b.value === 0n ? new EvalError("modulus by zero") : new Uint(a.value % b.value),
  ),
  fn("_*_", "multiply_double", "(double, double) double", (a: number, b: number) => a * b),
  fn("_*_", "multiply_int64", "(int, int) int", (a: bigint, b: bigint) => int(a * b)),
  fn("_*_", "multiply_uint64", "(uint, uint) uint", (a: Uint, b: Uint) => uint(a.value * b.value)),
  fn("-_", "negate_double", "(double) double", (a: number) => -a),
  fn("-_", "negate_int64", "(int) int", (a: bigint) => int(-a)),
  fn("_-_", "subtract_double", "(double, double) double", (a: number, b: number) => a - b),
  fn("_-_", "subtract_duration_duration", "(duration, duration) duration", (a: Duration, b: Duration) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  fn("_-_", "subtract_int64", "(int, int) int", (a: bigint, b: bigint) => int(a - b)),
  fn("_-_", "subtract_timestamp_duration", "(timestamp, duration) timestamp", (a: Timestamp, b: Duration) =>
    checkedTimestamp(a.nanos - b.nanos, a.offsetSeconds),
  ),
  fn("_-_", "subtract_timestamp_timestamp", "(timestamp, timestamp) duration", (a: Timestamp, b: Timestamp) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  fn("_-_", "subtract_uint64", "(uint, uint) uint", (a: Uint, b: Uint) => uint(a.value - b.value)),
];

/** Names of ordered types in overloads, with the pairs that may also be compared across. */
const ordered: readonly (readonly [suffix: string, left: string, right: string])[] = [
  ["bool", "bool", "bool"],
  ["int64", "int", "int"],
  ["int64_double", "int", "double"],
  ["int64_uint64", "int", "uint"],
  ["uint64", "uint", "uint"],
  ["uint64_double", "uint", "double"],
  ["uint64_int64", "uint", "int"],
  ["double", "double", "double"],
  ["double_int64", "double", "int"],
  ["double_uint64", "double", "uint"],
  ["string", "string", "string"],
  ["bytes", "bytes", "bytes"],
  ["timestamp", "timestamp", "timestamp"],
  ["duration", "duration", "duration"],
];

const comparison = (name: string, id: string, holds: (order: number) => boolean): Declaration[] =>
  ordered.map(([suffix, left, right]) =>
    fn(name, `${id}_${suffix}`, `(${left}, ${right}) bool`, (a: unknown, b: unknown) => {
      const order = compare(a, b);
      return order === undefined ? new EvalError("NaN values cannot be ordered") : holds(order);
    }),
  );

const contains = (list: CelList, value: unknown): unknown => {
  for (const item of list) {
    const result = equal(value, item);
    if (result instanceof EvalError || result === true) return result;
  }
  return false;
};

const index = (list: CelList, at: bigint): unknown =>
  at < 0n || at >= BigInt(list.size) ? new EvalError(`index out of bounds: ${at}`) : list.at(Number(at));

export function lookUp(map: CelMap, key: unknown): unknown {
  const value = map.get(key);
  return value === undefined ? new EvalError(`no such key: ${showKey(key)}`) : value;
}

/** A key as errors show it. */
const showKey = (key: unknown): string => String(key instanceof Uint ? key.value : key);

const logic: Declaration[] = [
  fn("_?_:_", "conditional", "(bool, A, A) A", (condition: boolean, a: unknown, b: unknown) => (condition ? a : b)),
  fn("_&&_", "logical_and", "(bool, bool) bool", (a: boolean, b: boolean) => a && b),
  fn("_||_", "logical_or", "(bool, bool) bool", (a: boolean, b: boolean) => a || b),
  fn("!_", "logical_not", "(bool) bool", (a: boolean) => !a),
  fn("@not_strictly_false", "not_strictly_false", "(bool) bool", (a: boolean) => a),
  fn("_==_", "equals", "(A, A) bool", equal),
  fn("_!=_", "not_equals", "(A, A) bool", (a: unknown, b: unknown) => {
    const result = equal(a, b);
    return result instanceof EvalError ? result : !result;
  }),
  fn("_[_]", "index_list", "(list<A>, int) A", index),
  fn("_[_]", "index_map", "(map<A, B>, A) B", lookUp),
  fn("@in", "in_list", "(A, list<A>) bool", (value: unknown, list: CelList) => contains(list, value)),
  fn("@in", "in_map", "(A, map<A, B>) bool", (key: unknown, map: CelMap) => map.get(key) !== undefined),
];

const sizes: Declaration[] = (
  [
    ["bytes", "bytes", (value: Uint8Array) => value.length],
    ["list", "list<A>", (value: CelList) => value.size],
    ["map", "map<A, B>", (value: CelMap) => value.size],
    ["string", "string", codePoints],
  ] as const
).flatMap(([name, type, size]) => {
  const call = (value: never) => BigInt(size(value));
  return [fn("size", `size_${name}`, `(${type}) int`, call), method("size", `${name}_size`, `(${type}) int`, call)];
});

const cannotConvert = (value: unknown, wanted: string): EvalError =>
  new EvalError(`type conversion error from '${typeName(value)}' to '${wanted}'`);

function doubleToInt(value: number): unknown {
  if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63) return new EvalError("integer overflow");
  return BigInt(Math.trunc(value));
}

function doubleToUint(value: number): unknown {
  if (!Number.isFinite(value) || value <= -1 || value >= 2 ** 64) return new EvalError("unsigned integer overflow");
  return new Uint(BigInt(Math.trunc(value)));
}

function textToInt(text: string): unknown {
  if (!/^[+-]?\d+$/.test(text)) return cannotConvert(text, "int");
  const value = BigInt(text.replace(/^\+/, ""));
  return value < minInt || value > maxInt ? cannotConvert(text, "int") : value;
}

function textToUint(text: string): unknown {
  if (!/^\d+$/.test(text)) return cannotConvert(text, "uint");
  const value = BigInt(text);
  return value > maxUint ? cannotConvert(text, "uint") : new Uint(value);
}

const infinities: Readonly<Record<string, number>> = { inf: Infinity, infinity: Infinity };

function textToDouble(text: string): unknown {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const lower = rest.toLowerCase();
  if (lower === "nan" && sign === "") return Number.NaN;
  const special = infinities[lower];
  if (special !== undefined) return sign === "-" ? -special : special;
  if (!/^(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(rest)) return cannotConvert(text, "double");
  const value = Number(text);
  return Number.isFinite(value) ? value : cannotConvert(text, "double");
}

const trueTexts: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const falseTexts: ReadonlySet<string> = new Set(["0", "f", "F", "FALSE", "false", "False"]);

function textToBool(text: string): unknown {
  if (trueTexts.has(text)) return true;
  return falseTexts.has(text) ? false : cannotConvert(text, "bool");
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function bytesToText(bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes);
  } catch {
    return new EvalError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

const same = <T>(value: T): T => value;

const conversions: Declaration[] = [
  fn("type", "type", "(A) type<A>", (value: unknown) => new TypeValue(typeName(value))),
  fn("bool", "bool_to_bool", "(bool) bool", same),
  fn("bool", "string_to_bool", "(string) bool", textToBool),
  fn("bytes", "bytes_to_bytes", "(bytes) bytes", same),
  fn("bytes", "string_to_bytes", "(string) bytes", (text: string) => new Uint8Array(Buffer.from(text))),
  fn("double", "double_to_double", "(double) double", same),
  fn("double", "int64_to_double", "(int) double", Number),
  fn("double", "string_to_double", "(string) double", textToDouble),
  fn("double", "uint64_to_double", "(uint) double", (value: Uint) => Number(value.value)),
  fn("duration", "duration_to_duration", "(duration) duration", same),
  fn("duration", "int64_to_duration", "(int) duration", (value: bigint) => new Duration(value)),
  fn(
    "duration",
    "string_to_duration",
    "(string) duration",
    (text: string) => parseDuration(text) ?? cannotConvert(text, "google.protobuf.Duration"),
  ),
  fn("dyn", "to_dyn", "(A) dyn", same),
  fn("int", "int64_to_int64", "(int) int", same),
  fn("int", "double_to_int64", "(double) int", doubleToInt),
  fn("int", "duration_to_int64", "(duration) int", (value: Duration) => value.nanos),
  fn("int", "string_to_int64", "(string) int", textToInt),
  fn("int", "timestamp_to_int64", "(timestamp) int", (value: Timestamp) => floorDiv(value.nanos, 1_000_000_000n)),
  fn("int", "uint64_to_int64", "(uint) int", (value: Uint) => int(value.value)),
  fn("string", "string_to_string", "(string) string", same),
  fn("string", "bool_to_string", "(bool) string", String),
  fn("string", "bytes_to_string", "(bytes) string", bytesToText),
  fn("string", "double_to_string", "(double) string", goFloat),
  fn("string", "duration_to_string", "(duration) string", formatDuration),
  fn("string", "int64_to_string", "(int) string", String),
  fn("string", "timestamp_to_string", "(timestamp) string", formatTimestamp),
  fn("string", "uint64_to_string", "(uint) string", (value: Uint) => String(value.value)),
  fn("timestamp", "timestamp_to_timestamp", "(timestamp) timestamp", same),
  fn("timestamp", "int64_to_timestamp", "(int) timestamp", (value: bigint) => checkedTimestamp(value * 1_000_000_000n)),
  fn(
    "timestamp",
    "string_to_timestamp",
    "(string) timestamp",
    (text: string) => parseTimestamp(text) ?? cannotConvert(text, "google.protobuf.Timestamp"),
  ),
  fn("uint", "uint64_to_uint64", "(uint) uint", same),
  fn("uint", "double_to_uint64", "(double) uint", doubleToUint),
  fn("uint", "int64_to_uint64", "(int) uint", uint),
  fn("uint", "string_to_uint64", "(string) uint", textToUint),
];

const floorDiv = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by;

/** @throws nothing: a wrong pattern is an error value */
export function matches(text: string, pattern: string): unknown {
  try {
    return matchesPattern(pattern, text);
  } catch (error) {
    if (error instanceof PatternError) return new EvalError(error.message);
    throw error;
  }
}

const texts: Declaration[] = [
  method("contains", "contains_string", "(string, string) bool", (text: string, part: string) => text.includes(part)),
  method("endsWith", "ends_with_string", "(string, string) bool", (text: string, part: string) => text.endsWith(part)),
  method("startsWith", "starts_with_string", "(string, string) bool", (text: string, part: string) => text.startsWith(part)),
  fn("matches", "matches", "(string, string) bool", matches),
  method("matches", "matches_string", "(string, string) bool", matches),
];

/** Puts an entry into a map, for the folds that make maps; a key that is there already is an error. */
function insert(map: CelMap, key: unknown, value: unknown): EntryMap | EvalError {
  if (map.get(key) !== undefined) return new EvalError(`insert failed: key ${showKey(key)} already exists`);
  const own = map instanceof EntryMap ? map : EntryMap.of([...map.keys()].map((its) => [its, map.get(its)]));
  return own instanceof EvalError ? own : own.with([key, value]);
}

function insertAll(map: CelMap, more: CelMap): CelMap | EvalError {
  let grown: CelMap | EvalError = map;
  for (const key of more.keys()) {
    grown = insert(grown, key, more.get(key));
    if (grown instanceof EvalError) break;
  }
  return grown;
}

const folds: Declaration[] = [
  fn("cel.@mapInsert", "@mapInsert_map_key_value", "(map<K, V>, K, V) map<K, V>", insert),
  fn("cel.@mapInsert", "@mapInsert_map_map", "(map<K, V>, map<K, V>) map<K, V>", insertAll),
];

export const standard: readonly Declaration[] = [
  ...logic,
  ...arithmetic,
  ...comparison("_<_", "less", (order) => order < 0),
  ...comparison("_<=_", "less_equals", (order) => order <= 0),
  ...comparison("_>_", "greater", (order) => order > 0),
  ...comparison("_>=_", "greater_equals", (order) => order >= 0),
  ...sizes,
  ...conversions,
  ...texts,
  ...folds,
];
