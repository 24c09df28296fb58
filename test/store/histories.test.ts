import { assert, asyncProperty, integer, record } from "fast-check";
import { describe, it } from "vitest";
import { runHistory } from "../support/history.ts";

/** Longer runs: `STORE_HISTORIES=500`. */
const numRuns = Number(process.env.STORE_HISTORIES ?? 12);

describe("concurrent histories", () => {
  const shape = record({ seed: integer({ min: 1, max: 2 ** 31 }), processes: integer({ min: 1, max: 4 }) });

  it.each([
    { name: "on a table that behaves", faults: 0, compaction: false },
    { name: "on a table in trouble", faults: 0.5, compaction: false },
    { name: "with compaction behind the writers", faults: 0, compaction: true },
    { name: "with compaction and trouble", faults: 0.3, compaction: true },
  ])(
    "are what the log says, $name",
    async ({ faults, compaction }) => {
      await assert(
        asyncProperty(shape, (each) => runHistory({ ...each, faults, compaction, durationMs: compaction ? 15_000 : 4_000 })),
        { numRuns, endOnFailure: true },
      );
    },
    120_000 + numRuns * 5_000,
  );
});
