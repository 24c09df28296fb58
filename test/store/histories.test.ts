import { assert, asyncProperty, integer } from "fast-check";
import { expect, it } from "vitest";
import { simulate } from "../support/simulation/simulate.ts";

/** Longer runs: `STORE_HISTORIES=500`. */
const numRuns = Number(process.env.STORE_HISTORIES ?? 20);

it(
  "concurrent histories of processes in trouble are what the log says",
  async () => {
    await assert(
      asyncProperty(integer({ min: 1, max: 2 ** 31 }), async (seed) => {
        expect((await simulate({ seed })).violations).toEqual([]);
      }),
      { numRuns, endOnFailure: true },
    );
  },
  60_000 + numRuns * 3_000,
);
