/** Chance that can be repeated: the same seed and number give the same request. */

export interface Chance {
  /** In [0, 1). */
  next(): number;
  /** An integer in [0, below). */
  below(limit: number): number;
  one<T>(of: readonly T[]): T;
  /** True once in so many times. */
  in(times: number): boolean;
}

/** mulberry32. @param seed 32 bits of it count */
export function chance(seed: number, number: number): Chance {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    one: (of) => {
      const found = of[below(of.length)];
      if (found === undefined) throw new RangeError("nothing to choose from");
      return found;
    },
    in: (times) => below(times) === 0,
  };
}
