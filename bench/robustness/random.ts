/** Numbers that look random and follow from the run's seed: a stream of its own for every part of a run, so that none disturbs another. */
import { createHash } from "node:crypto";
import { randomFrom } from "../../test/support/stores.ts";

/** In [0, 1). */
export type Random = () => number;

/** @param part whose stream it is: `proxy`, `p1.0` or the like */
export function randomFor(seed: number, part: string): Random {
  return randomFrom(createHash("sha256").update(`${seed} ${part}`).digest().readInt32LE(0));
}

/** From `low` to below `high`. */
export const between = (random: Random, low: number, high: number): number => low + random() * (high - low);

export function oneOf<T>(random: Random, choices: readonly [T, ...T[]]): T;
export function oneOf<T>(random: Random, choices: readonly T[]): T | undefined;
export function oneOf<T>(random: Random, choices: readonly T[]): T | undefined {
  return choices[Math.floor(random() * choices.length)];
}

/** A name, drawn by weights that need not add up to anything. */
export function weighted<Name extends string>(random: Random, weights: Readonly<Record<Name, number>>): Name {
  const entries = Object.entries<number>(weights) as [Name, number][];
  let point = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) {
    point -= weight;
    if (point < 0) return name;
  }
  return entries.at(-1)![0];
}
