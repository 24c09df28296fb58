/** The store against an independent model of what it must answer: random commands, one after the other, on every table. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { systemClock } from "../../../shared/runtime/clock.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../../support/dynoxide.ts";
import { commands } from "./commands.ts";
import { checkInMemory, runCommands } from "./world.ts";

/** Longer runs: `STORE_MODEL_RUNS=1000`. */
const numRuns = Number(process.env.STORE_MODEL_RUNS ?? 40);

describe("whatever is done to it, a store answers as the model does", () => {
  it("over a table in memory", () => checkInMemory({ numRuns }), 60_000 + numRuns * 1_000);

  describe("over DynamoDB", () => {
    let engine: TestDynamoDb;
    beforeAll(async () => {
      engine = await startTestDynamoDb();
    });
    afterAll(() => engine.stop());

    it("too", async () => {
      const property = fc.asyncProperty(commands(25), async (scenario) => {
        // DynamoDB's clock has whole seconds.
        await runCommands(scenario, { table: await engine.table(), clock: systemClock, pass: () => systemClock.sleep(1_100) });
      });
      await fc.assert(property, { numRuns: 4 });
    }, 120_000);
  });
});
