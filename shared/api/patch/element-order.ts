/** Order of a merged list: the patch's items as the patch orders them, those that only the server has near their old neighbours. */
import { field, isObject, scalarKey } from "./values.ts";

interface Order {
  /** Undefined for lists of scalars. */
  readonly mergeKey: string | undefined;
  /** The order which the patch asks for: items, or objects that hold the merge key. */
  readonly order: readonly unknown[];
  /** The list before the patch. */
  readonly live: readonly unknown[];
}

export function orderItems(merged: readonly unknown[], { mergeKey, order, live }: Order): unknown[] {
  const keyOf = (item: unknown): string => scalarKey(mergeKey === undefined ? item : isObject(item) ? field(item, mergeKey) : null);
  const asked = positions(order.map(keyOf));
  const known = positions(live.map(keyOf));
  const byPosition = (items: readonly unknown[], place: ReadonlyMap<string, number>) =>
    items.toSorted((a, b) => (place.get(keyOf(a)) ?? 0) - (place.get(keyOf(b)) ?? 0));

  const patched = byPosition(
    merged.filter((item) => asked.has(keyOf(item))),
    asked,
  );
  const serverOnly = byPosition(
    merged.filter((item) => !asked.has(keyOf(item))),
    known,
  );
  // An item of the server goes before the first patched item that followed it in the live list.
  const result: unknown[] = [];
  let next = 0;
  for (const item of patched) {
    const place = known.get(keyOf(item));
    for (; next < serverOnly.length; next++) {
      const own = known.get(keyOf(serverOnly[next]));
      if (place === undefined || own === undefined || own >= place) break;
      result.push(serverOnly[next]);
    }
    result.push(item);
  }
  return [...result, ...serverOnly.slice(next)];
}

/** First position by key. */
function positions(keys: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const [index, key] of keys.entries()) if (!places.has(key)) places.set(key, index);
  return places;
}
