/**
 * Proves the suite that proves the store: every broken variant must be caught by the simulated robustness run, which the shipped store
 * passes. Which check caught which mutant is printed.
 */
import { afterAll, describe, expect, it } from "vitest";
import { simulate } from "../../support/simulation/simulate.ts";
import { buildStore } from "./build.ts";
import { mutants } from "./mutants.ts";

const seeds = [1, 2, 3, 4, 5];

describe("the robustness run", () => {
  const caught: string[] = [];
  afterAll(() => console.log(caught.join("\n")));

  it("finds nothing wrong with the shipped store", async () => {
    const build = await buildStore([]);
    for (const seed of seeds) {
      const { violations, ...counts } = await simulate({ seed, build });
      expect(violations, `seed ${seed}`).toEqual([]);
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(50);
    }
  }, 60_000);

  it.each(mutants)(
    "catches $name: $bug",
    async ({ name, patches }) => {
      const build = await buildStore(patches);
      for (const seed of seeds) {
        const { violations } = await simulate({ seed, build });
        const checks = [...new Set(violations.map(({ check }) => check))];
        if (checks.length === 0) continue;
        caught.push(`${name}: ${checks.join(", ")} (seed ${seed})`);
        return;
      }
      expect.fail(`${name} survived ${seeds.length} runs`);
    },
    60_000,
  );

  it("has a mutant for each of the named ones, and no name twice", () => {
    const names = mutants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });
});
