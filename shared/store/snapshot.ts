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
  const keys = overlay && overlay.size > 0 ? keysWith(cache, cut, overlay) : keysOf(cache, cut);
  const page = cut.limit !== undefined && cut.limit < keys.length ? keys.slice(0, cut.limit) : keys;
  const items = page.map((key) => (overlay?.has(key) ? overlay.get(key)! : cache.object(key)!));
  return { items, remaining: keys.length - page.length };
}

function keysOf(cache: LogCache, { prefix, after }: Cut): readonly string[] {
  const { keys } = cache;
  let start = lowerBound(keys, prefix);
  if (after !== undefined && compareKeys(after, prefix) >= 0) {
    start = lowerBound(keys, after);
    if (keys[start] === after) start++;
  }
  return keys.slice(start, prefixEnd(keys, prefix, start));
}

function keysWith(cache: LogCache, cut: Cut, overlay: Overlay): readonly string[] {
  const there = keysOf(cache, cut).filter((key) => !overlay.has(key) || overlay.get(key) !== undefined);
  const deletedSince = [...overlay].flatMap(([key, object]) =>
    object && !cache.object(key) && key.startsWith(cut.prefix) && (cut.after === undefined || compareKeys(key, cut.after) > 0) ? [key] : [],
  );
  return deletedSince.length === 0 ? there : [...there, ...deletedSince].sort(compareKeys);
}
