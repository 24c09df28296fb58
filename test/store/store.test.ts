import { afterAll, beforeAll } from "vitest";
import { systemClock } from "../../shared/runtime/clock.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../support/dynoxide.ts";
import { runningClock } from "../support/running-clock.ts";
import { describeStore } from "../support/store-suite.ts";

const clock = runningClock();
describeStore("a table in memory", { table: async () => memoryTable({ clock }), clock });

let engine: TestDynamoDb;
beforeAll(async () => {
  engine = await startTestDynamoDb();
});
afterAll(() => engine.stop());
describeStore("DynamoDB", { table: () => engine.table(), clock: systemClock });
