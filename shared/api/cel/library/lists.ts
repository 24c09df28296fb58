/** Lists: Kubernetes' own functions, CEL's lists extension (version 3) and sets. */
import { type Declaration, fn, method, unguarded } from "../functions.ts";
import { ArrayList, CelList, compare, Duration, EvalError, equal, noSuchOverload, typeName, Uint } from "../values.ts";
import { standard } from "./standard.ts";

const comparable = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"] as const;

function isSorted(list: CelList): unknown {
  for (let at = 1; at < list.size; at++) {
    const order = compare(list.at(at - 1), list.at(at));
    if (order === undefined) return noSuchOverload();
    if (order > 0) return false;
  }
  return true;
}

/** The element that no other comes before, in the wanted direction. */
const extreme =
  (name: string, direction: 1 | -1) =>
  (list: CelList): unknown => {
    if (list.size === 0) return new EvalError(`${name} called on empty list`);
    let found = list.at(0);
    for (const item of list) {
      const order = compare(found, item);
      if (order === undefined) return noSuchOverload();
      if (order * direction > 0) found = item;
    }
    return found;
  };

const additions = standard.filter(({ name }) => name === "_+_");
const adder = (id: string) => additions.find(({ overload }) => overload.id === id)?.overload.call ?? noSuchOverload;

const sum = (zero: unknown, addition: string) => {
  const add = adder(addition);
  return (list: CelList): unknown => {
    let total = zero;
    for (const item of list) {
      if (typeName(item) !== typeName(zero)) return noSuchOverload();
      total = add(total, item);
      if (total instanceof EvalError) return total;
    }
    return total;
  };
};

const position = (list: CelList, value: unknown, from: number, step: 1 | -1): bigint => {
  for (let at = from; at >= 0 && at < list.size; at += step) if (equal(list.at(at), value) === true) return BigInt(at);
  return -1n;
};

function slice(list: CelList, start: bigint, end: bigint): unknown {
  const wrong = (why: string) => new EvalError(`cannot slice(${start}, ${end}), ${why}`);
  if (start < 0n || end < 0n) return wrong("negative indexes not supported");
  if (start > end) return wrong("start index must be less than or equal to end index");
  if (end > BigInt(list.size)) return wrong(`list is length ${list.size}`);
  return new ArrayList([...list].slice(Number(start), Number(end)));
}

function flattened(list: unknown, depth: unknown = 1n): unknown {
  if (!(list instanceof CelList) || typeof depth !== "bigint") return noSuchOverload();
  if (depth < 0n) return new EvalError("level must be non-negative");
  const flat = (items: CelList, level: bigint): unknown[] =>
    [...items].flatMap((item) => (item instanceof CelList && level > 0n ? flat(item, level - 1n) : [item]));
  return new ArrayList(flat(list, depth));
}

function sortBy(list: CelList, keys: CelList): unknown {
  if (list.size !== keys.size) {
    return new EvalError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.size} and ${keys.size} elements respectively`,
    );
  }
  const pairs = [...list].map((item, at) => ({ item, key: keys.at(at) }));
  const type = typeName(pairs[0]?.key);
  if (pairs.some(({ key }) => typeName(key) !== type)) return new EvalError("list elements must have the same type");
  return new ArrayList(pairs.toSorted((a, b) => compare(a.key, b.key) ?? 0).map(({ item }) => item));
}

/** More would not pass the limit of costs anyway. */
const longestRange = 10_000_000n;

function range(length: bigint): unknown {
  if (length > longestRange) return new EvalError("operation cancelled: actual cost limit exceeded");
  return new ArrayList(Array.from({ length: Math.max(Number(length), 0) }, (_, at) => BigInt(at)));
}

function distinct(list: CelList): ArrayList {
  const kept: unknown[] = [];
  for (const item of list) if (!kept.some((other) => equal(other, item) === true)) kept.push(item);
  return new ArrayList(kept);
}

const has = (list: CelList, value: unknown): boolean => position(list, value, 0, 1) >= 0n;
const includesAll = (list: CelList, part: CelList): boolean => [...part].every((value) => has(list, value));

export const lists: readonly Declaration[] = [
  ...comparable.flatMap((type) => [
    method("isSorted", `list_${type}_is_sorted_bool`, `(list<${type}>) bool`, isSorted),
    method("max", `list_${type}_max_${type}`, `(list<${type}>) ${type}`, extreme("max", -1)),
    method("min", `list_${type}_min_${type}`, `(list<${type}>) ${type}`, extreme("min", 1)),
    method("sort", `list_${type}_sort`, `(list<${type}>) list<${type}>`, (list: CelList) => sortBy(list, list)),
    method("@sortByAssociatedKeys", `list_${type}_sortByAssociatedKeys`, `(list<T>, list<${type}>) list<T>`, sortBy),
  ]),
  method("sum", "list_int_sum_int", "(list<int>) int", sum(0n, "add_int64")),
  method("sum", "list_uint_sum_uint", "(list<uint>) uint", sum(new Uint(0n), "add_uint64")),
  method("sum", "list_double_sum_double", "(list<double>) double", sum(0, "add_double")),
  method("sum", "list_duration_sum_duration", "(list<duration>) duration", sum(new Duration(0n), "add_duration_duration")),
  method("indexOf", "list_a_index_of_int", "(list<A>, A) int", (list: CelList, value: unknown) => position(list, value, 0, 1)),
  method("lastIndexOf", "list_a_last_index_of_int", "(list<A>, A) int", (list: CelList, value: unknown) =>
    position(list, value, list.size - 1, -1),
  ),
  method("slice", "list_slice", "(list<T>, int, int) list<T>", slice),
  unguarded(method("flatten", "list_flatten", "(list<list<T>>) list<T>", (list: unknown) => flattened(list))),
  unguarded(method("flatten", "list_flatten_int", "(list<dyn>, int) list<dyn>", flattened)),
  method("reverse", "list_reverse", "(list<T>) list<T>", (list: CelList) => new ArrayList([...list].toReversed())),
  method("distinct", "list_distinct", "(list<T>) list<T>", distinct),
  fn("lists.range", "lists_range", "(int) list<int>", range),
  fn("sets.contains", "list_sets_contains_list", "(list<T>, list<T>) bool", includesAll),
  fn(
    "sets.equivalent",
    "list_sets_equivalent_list",
    "(list<T>, list<T>) bool",
    (a: CelList, b: CelList) => includesAll(a, b) && includesAll(b, a),
  ),
  fn("sets.intersects", "list_sets_intersects_list", "(list<T>, list<T>) bool", (a: CelList, b: CelList) =>
    [...a].some((value) => has(b, value)),
  ),
];
