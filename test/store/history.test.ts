import { afterAll, beforeAll } from "vitest";
import { systemClock } from "../../shared/runtime/clock.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../support/dynoxide.ts";
import { describeHistory } from "../support/history-suite.ts";
import { runningClock } from "../support/running-clock.ts";

const clock = runningClock();
describeHistory("a table in memory", { table: async () => memoryTable({ clock }), clock });

let engine: TestDynamoDb;
beforeAll(async () => {
  engine = await startTestDynamoDb();
});
afterAll(() => engine.stop());
describeHistory("DynamoDB", { table: () => engine.table(), clock: systemClock });
