/**
 * Proves the suite that proves the store: every broken variant must be caught by the simulated robustness run or by the model, which
 * the shipped store passes. Which check caught which mutant is printed.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { StoreBuild } from "../../support/simulation/build.ts";
import { simulate } from "../../support/simulation/simulate.ts";
import { checkInMemory } from "../model/world.ts";
import { buildStore } from "./build.ts";
import { mutants } from "./mutants.ts";

/** Chosen so that the mutants that show rarely do so in more than one of them. */
const seeds = [12, 11, 13, 14, 29, 43, 1, 7];

const modelRuns = { numRuns: 25, seed: 1 };

/** The names of the checks that fail in the first run that finds anything. */
async function checksThatCatch(build: StoreBuild): Promise<readonly string[]> {
  for (const seed of seeds) {
    const { violations } = await simulate({ seed, build });
    if (violations.length > 0) return [...new Set(violations.map(({ check }) => check)), `with seed ${seed}`];
  }
  try {
    await checkInMemory({ ...modelRuns }, build);
    return [];
  } catch {
    return ["model"];
  }
}

describe("the generic suite", () => {
  const caught: string[] = [];
  afterAll(() => console.log(caught.join("\n")));

  it("finds nothing wrong with the shipped store", async () => {
    const build = await buildStore([]);
    await checkInMemory({ ...modelRuns }, build);
    for (const seed of seeds) {
      const { violations, ...counts } = await simulate({ seed, build });
      expect(violations, `seed ${seed}`).toEqual([]);
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20);
    }
  }, 120_000);

  it.each(mutants)(
    "catches $name: $bug",
    async ({ name, patches }) => {
      const build = await buildStore(patches);
      const by = await checksThatCatch(build);
      expect(by, `${name} survived`).not.toEqual([]);
      caught.push(`${name}: ${by.join(", ")}`);
    },
    120_000,
  );

  it("has a mutant for each of the named ones, and no name twice", () => {
    const names = mutants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });
});
