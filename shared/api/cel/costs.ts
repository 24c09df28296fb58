/**
 * What evaluating costs, in Kubernetes' units: the budget of a request is counted in them, so they are the same on every machine.
 * @see k8s.io/apiserver/pkg/apis/cel for the limits
 */
import { formatCost } from "./library/formats.ts";
import { FormatValue } from "./library/kubernetes.ts";
import { CelList, CelMap, CelObject, sizeOf } from "./values.ts";

/** Of one call: about a tenth of a second. */
export const perCallLimit = 1_000_000;
/** Of all rules of a resource. */
export const perRequestBudget = 10_000_000;

export const perCharacter = 0.1;
/** Of a character of a regular expression: about four make one of its parts. */
export const perPatternCharacter = 0.25;
export const listCost = 10;
export const mapCost = 30;

const traversed = (size: number, factor = perCharacter): number => Math.ceil(size * factor);
const patternCost = (text: number, pattern: number): number => traversed(1 + text) * traversed(pattern, perPatternCharacter);

/** What looking at everything inside of a value costs. */
function visit(value: unknown): number {
  if (typeof value === "string") return Math.trunc(Buffer.byteLength(value) * perCharacter);
  if (value instanceof Uint8Array) return Math.trunc(value.length * perCharacter);
  if (value instanceof CelList) return [...value].reduce<number>((sum, item) => sum + visit(item), 0);
  if (value instanceof CelMap) return [...value.keys()].reduce<number>((sum, key) => sum + visit(key) + visit(value.get(key)), 0);
  return 1;
}

type Cost = (args: readonly unknown[], result: unknown, id: string) => number;

const size = (args: readonly unknown[], index: number): number => sizeOf(args[index]);
const first: Cost = (args) => traversed(size(args, 0));
const firstTwice: Cost = (args) => traversed(size(args, 0) * 2);
const find: Cost = (args) => patternCost(size(args, 0), size(args, 1));
const shorter: Cost = (args) => traversed(Math.min(size(args, 0), size(args, 1)));
const both: Cost = (args) => traversed(size(args, 0) + size(args, 1));
const visited: Cost = ([list]) => visit(list);
const allocated = (size: number, factor = 1): number => 1 + Math.trunc(size * factor) + listCost;
const produced: Cost = (_args, result) => allocated(sizeOf(result));
const flattened: Cost = (args) => allocated(size(args, 0), typeof args[1] === "bigint" ? Number(args[1]) : 1);
/** Comparing the elements of a list with each other. */
const compared = (list: unknown): number => {
  const length = sizeOf(list);
  const head: unknown = list instanceof CelList && length > 0 ? list.at(0) : undefined;
  const isText = typeof head === "string" || head instanceof Uint8Array;
  return allocated(length * length, isText ? 2 + perCharacter : 2);
};
/** Comparing every element with every other. */
const crossed =
  (factor: number) =>
  (args: readonly unknown[]): number =>
    1 + size(args, 0) * size(args, 1) * factor;

const containsIp: Cost = (args, _result, id) =>
  traversed(size(args, 0) * 2) + (id === "cidr_contains_ip_string" ? traversed(size(args, 1)) : 0);
const containsCidr: Cost = (args, _result, id) =>
  traversed(size(args, 0) * 2) + traversed(size(args, 0)) + 1 + (id === "cidr_contains_cidr_string" ? traversed(size(args, 1)) : 0);

const equality: Cost = (args, result, id) => (args[0] instanceof CelObject ? 1 : shorter(args, result, id));

/** By the name of the function; else by overload. */
const byName: Readonly<Record<string, Cost>> = {
  isSorted: visited,
  sum: visited,
  max: visited,
  min: visited,
  indexOf: visited,
  lastIndexOf: visited,
  url: first,
  lowerAscii: first,
  upperAscii: first,
  substring: first,
  trim: first,
  replace: firstTwice,
  split: firstTwice,
  join: (_args, result) => traversed(sizeOf(result) * 2),
  find,
  findAll: find,
  cidr: first,
  isIP: first,
  isCIDR: first,
  ip: (args, result, id) => (id === "cidr_ip" ? 1 : first(args, result, id)),
  "ip.isCanonical": firstTwice,
  containsIP: containsIp,
  containsCIDR: containsCidr,
  quantity: first,
  isQuantity: first,
  semver: first,
  isSemver: first,
  validate: ([format, text]) => (format instanceof FormatValue ? patternCost(sizeOf(text), formatCost(format.name)) : 1),
  "_==_": equality,
};

/** A comparison of sizes that may matter in an order of size: text and bytes. */
const orderings = ["less", "less_equals", "greater", "greater_equals"].flatMap((name) => [`${name}_string`, `${name}_bytes`]);

/** Work that can be far more than its arguments are large: paid for before it is done. */
const foreseen: ReadonlyMap<string, (args: readonly unknown[]) => number> = new Map([
  ["lists_range", ([length]) => allocated(Math.max(Number(length), 0))],
  ["list_distinct", ([list]) => compared(list)],
  ["list_sets_contains_list", crossed(1)],
  ["list_sets_intersects_list", crossed(1)],
  ["list_sets_equivalent_list", crossed(2)],
]);

/** What a call will cost, where that is worth asking before. */
export const foreseenCost = (id: string, args: readonly unknown[]): number => foreseen.get(id)?.(args) ?? 0;

const byId: Readonly<Record<string, Cost>> = {
  starts_with_string: first,
  ends_with_string: first,
  string_to_bytes: first,
  bytes_to_string: first,
  strings_quote: first,
  string_format: first,
  in_list: (args) => size(args, 1),
  ...Object.fromEntries(orderings.map((id) => [id, shorter])),
  not_equals: shorter,
  add_string: both,
  add_bytes: both,
  matches: find,
  matches_string: find,
  contains_string: (args) => traversed(size(args, 0)) * traversed(size(args, 1)),
  list_slice: produced,
  list_flatten: flattened,
  list_flatten_int: flattened,
  list_reverse: produced,
  ...Object.fromEntries(foreseen),
};

/** The cost of a call that has been made. */
export function callCost(name: string, id: string, args: readonly unknown[], result: unknown): number {
  const cost = (Object.hasOwn(byName, name) ? byName[name] : undefined) ?? (Object.hasOwn(byId, id) ? byId[id] : undefined);
  if (cost !== undefined) return cost(args, result, id);
  if (name === "sort") return compared(args[0]);
  return name === "@sortByAssociatedKeys" ? compared(args[1]) : 1;
}
