/** Optional values. `or`, `orValue` and selections are the evaluator's: they leave parts of the expression alone. */
import { type Declaration, fn, method } from "../functions.ts";
import { ArrayList, CelList, CelMap, CelObject, Duration, EvalError, none, Optional, Timestamp, Uint } from "../values.ts";

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800_000_000_000n;
  return value instanceof CelObject ? false : value instanceof Optional && (!value.hasValue || isZero(value.value));
}

const at = (list: CelList, index: number): Optional => (list.size === 0 ? none : new Optional(list.at(index)));
const unwrapped = (list: CelList): ArrayList =>
  new ArrayList([...list].flatMap((item) => (item instanceof Optional && item.hasValue ? [item.value] : [])));

const valueOf = (optional: Optional): unknown => (optional.hasValue ? optional.value : new EvalError("optional.none() dereference"));
const own = (): EvalError => new EvalError("no such overload");

export const optionals: readonly Declaration[] = [
  fn("optional.of", "optional_of", "(V) optional<V>", (value: unknown) => new Optional(value)),
  fn("optional.ofNonZeroValue", "optional_ofNonZeroValue", "(V) optional<V>", (value: unknown) =>
    isZero(value) ? none : new Optional(value),
  ),
  fn("optional.none", "optional_none", "() optional<V>", () => none),
  method("value", "optional_value", "(optional<V>) V", valueOf),
  method("hasValue", "optional_hasValue", "(optional<V>) bool", ({ hasValue }: Optional) => hasValue),
  method("or", "optional_or_optional", "(optional<V>, optional<V>) optional<V>", own),
  method("orValue", "optional_orValue_value", "(optional<V>, V) V", own),
  fn("_?._", "select_optional_field", "(dyn, string) optional<V>", own),
  fn("_[?_]", "list_optindex_optional_int", "(list<V>, int) optional<V>", own),
  fn("_[?_]", "optional_list_optindex_optional_int", "(optional<list<V>>, int) optional<V>", own),
  fn("_[?_]", "map_optindex_optional_value", "(map<K, V>, K) optional<V>", own),
  fn("_[?_]", "optional_map_optindex_optional_value", "(optional<map<K, V>>, K) optional<V>", own),
  fn("_[_]", "optional_list_index_int", "(optional<list<V>>, int) optional<V>", own),
  fn("_[_]", "optional_map_index_value", "(optional<map<K, V>>, K) optional<V>", own),
  method("first", "list_first", "(list<V>) optional<V>", (list: CelList) => at(list, 0)),
  method("last", "list_last", "(list<V>) optional<V>", (list: CelList) => at(list, list.size - 1)),
  fn("optional.unwrap", "optional_unwrap", "(list<optional<V>>) list<V>", unwrapped),
  method("unwrapOpt", "optional_unwrapOpt", "(list<optional<V>>) list<V>", unwrapped),
];
