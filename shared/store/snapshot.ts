/** Lists as snapshots: cut out of the cache, or of the cache as it was (rule 14). */
import type { LogCache } from "./cache.ts";
import type { Overlay } from "./history.ts";
import { compareKeys, lowerBound, prefixEnd } from "./order.ts";
import type { Stored } from "./store.ts";

export interface Cut {
  readonly prefix: string;
  readonly after?: string;
  readonly limit?: number;
}

/** @param overlay what was different at the revision wanted */
export function cutSnapshot(cache: LogCache, cut: Cut, overlay?: Overlay): { readonly items: Stored[]; readonly remaining: number } {
  const [start, end] = rangeOf(cache.keys, cut);
  if (!overlay || overlay.size === 0) {
    const last = Math.min(end, start + (cut.limit ?? Infinity));
    return { items: cache.keys.slice(start, last).map((key) => cache.object(key)!), remaining: end - last };
  }
  const keys = keysWith(cache, cache.keys.slice(start, end), cut, overlay);
  const page = keys.slice(0, cut.limit);
  const items = page.map((key) => (overlay.has(key) ? overlay.get(key)! : cache.object(key)!));
  return { items, remaining: keys.length - page.length };
}

/** Where the wanted keys begin and end. */
function rangeOf(keys: readonly string[], { prefix, after }: Cut): readonly [number, number] {
  let start = lowerBound(keys, prefix);
  if (after !== undefined && compareKeys(after, prefix) >= 0) {
    start = lowerBound(keys, after);
    if (keys[start] === after) start++;
  }
  return [start, prefixEnd(keys, prefix, start)];
}

/** The keys that were there at the overlay's revision. */
function keysWith(cache: LogCache, now: readonly string[], cut: Cut, overlay: Overlay): readonly string[] {
  const there = now.filter((key) => !overlay.has(key) || overlay.get(key) !== undefined);
  const deletedSince = [...overlay].flatMap(([key, object]) =>
    object && !cache.object(key) && key.startsWith(cut.prefix) && (cut.after === undefined || compareKeys(key, cut.after) > 0) ? [key] : [],
  );
  return deletedSince.length === 0 ? there : [...there, ...deletedSince].sort(compareKeys);
}
