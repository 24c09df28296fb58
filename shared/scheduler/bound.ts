/** A proof of how good a packing can be at best: no way of placing these Pods needs fewer Nodes of this shape. */
import type { Pod } from "../api/generated/types.ts";
import { amountsOf } from "./amounts.ts";
import { bookedFor } from "./requests.ts";

/**
 * The least number of equal Nodes that can hold all Pods: the largest of the bounds of each resource by itself.
 * @param shape allocatable of one Node, for example `{ cpu: "2", memory: "8Gi", pods: "10" }`
 * @returns 0 without Pods; Infinity when a Pod alone is larger than a Node
 */
export function nodeBound(pods: readonly Pod[], shape: Readonly<Record<string, string>>): number {
  const capacity = amountsOf(shape);
  const requests = pods.map(bookedFor);
  const resources = new Set(requests.flatMap((amounts) => Object.keys(amounts)));
  const bounds = [...resources].map((resource) =>
    boundOfOne(
      requests.map((amounts) => amounts[resource] ?? 0).filter((amount) => amount > 0),
      capacity[resource] ?? 0,
    ),
  );
  return Math.max(0, ...bounds);
}

/**
 * Bound L2 for one dimension: for a threshold k, items above `capacity − k` need a bin each, items above half a bin cannot share one
 * with each other, and what items of at least k do not find room for beside those needs bins of its own.
 * @see Martello and Toth, Lower bounds and reduction procedures for the bin packing problem, 1990
 */
function boundOfOne(items: readonly number[], capacity: number): number {
  if (items.length === 0) return 0;
  if (items.some((item) => item > capacity)) return Number.POSITIVE_INFINITY;
  const sorted = items.toSorted((one, other) => other - one);
  const thresholds = new Set([0, ...sorted.filter((item) => item <= capacity / 2)]);
  let best = 0;
  for (const threshold of [...thresholds].slice(0, thresholdLimit)) {
    let alone = 0;
    let large = 0;
    let largeTotal = 0;
    let smallTotal = 0;
    for (const item of sorted) {
      if (item > capacity - threshold) alone++;
      else if (item > capacity / 2) {
        large++;
        largeTotal += item;
      } else if (item >= threshold) smallTotal += item;
    }
    const overflow = smallTotal - (large * capacity - largeTotal);
    best = Math.max(best, alone + large + Math.max(0, Math.ceil(overflow / capacity)));
  }
  return best;
}

/** Each threshold costs one pass over the Pods; any subset of them gives a valid bound. */
const thresholdLimit = 200;
