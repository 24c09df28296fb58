/** Lists that hold so many items and no more, as those of devices do: of a list that is too long nothing else is said. */
import type { Problem } from "../../kind.ts";
import { duplicate, eachItem, tooMany } from "../problems.ts";

type Check<T> = (item: T, path: string) => Problem[];

export function limitedItems<T>(path: string, items: readonly T[] | undefined, most: number, check: Check<T>): Problem[] {
  const count = items?.length ?? 0;
  return count > most ? [tooMany(path, count, most)] : eachItem(path, items, check);
}

/**
 * The same where no two items may be of the same key.
 * @param keyOf a text, or what messages show as JSON
 */
export function distinctItems<T>(
  path: string,
  items: readonly T[] | undefined,
  most: number,
  keyOf: (item: T) => unknown,
  check: Check<T>,
): Problem[] {
  if ((items?.length ?? 0) > most) return limitedItems(path, items, most, check);
  return [...eachItem(path, items, check), ...duplicates(path, items, keyOf)];
}

export function duplicates<T>(path: string, items: readonly T[] | undefined, keyOf: (item: T) => unknown): Problem[] {
  const seen = new Set<string>();
  return eachItem(path, items, (item, at) => {
    const key = keyOf(item);
    const text = JSON.stringify(key);
    if (seen.has(text)) return [duplicate(at, key)];
    seen.add(text);
    return [];
  });
}
