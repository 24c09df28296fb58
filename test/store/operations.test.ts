import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../support/dynoxide.ts";
import { put, remove, take } from "../support/stores.ts";

let engine: TestDynamoDb;
beforeAll(async () => {
  engine = await startTestDynamoDb();
});
afterAll(() => engine.stop());

/** Operations that a global table with multi-Region strong consistency has; transactions, TTL and local indexes are not among them. */
const singleItemOperations = ["DeleteItem", "GetItem", "PutItem", "Query"];

describe("rule 25: the operations of DynamoDB that the store uses", () => {
  it("are these four, through a cluster's whole life", async () => {
    const table = await engine.table();
    const used = new Set<string>();
    engine.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          used.add(String(commandName).replace("Command", ""));
          return next(args);
        },
      { step: "initialize", name: "operations" },
    );
    const brief = { tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0, stubMs: 0, chunkSlots: 0 };
    const store = openStore({ table, clock: systemClock, log: silentLog, settings: { ...brief, helpSlots: 5 } });
    const pods = (await store.createCluster("default")).resource("pods");
    await Promise.all(Array.from({ length: 150 }, (_, n) => pods.commit(put(`p${n}`))));
    const { revision } = await pods.list({ prefix: "", at: "newest" });
    const watch = take(pods.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 3);
    await pods.commit(put("large", { data: "x".repeat(1_000_000) }));
    await pods.commit(remove("p0"));
    await pods.commit(put("large", { data: "small" }));
    await watch;
    await pods.list({ prefix: "", limit: 10, at: { asOf: revision } });
    await systemClock.sleep(1_100);
    while (await store.maintain("default", { untilMs: Infinity }));
    await openStore({ table, clock: systemClock, log: silentLog })
      .cluster("default")
      .then((cluster) => cluster.resource("pods").list({ prefix: "", at: "newest" }));
    await store.restoredCluster("default");
    await store.deleteCluster("default");
    await store.maintain("default", { untilMs: Infinity });
    expect([...used].toSorted()).toEqual(singleItemOperations);
  });
});
