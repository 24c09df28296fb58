import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FaultProxy, type Passage, startFaultProxy } from "../../../bench/robustness/fault-proxy.ts";
import type { Fault } from "../../../bench/robustness/faults.ts";
import { LaggingReplica } from "../../../bench/robustness/lagging-replica.ts";
import { dynamoDbTable } from "../../../shared/aws/dynamodb-table.ts";
import { type Table, ThrottledError, UnknownOutcomeError } from "../../../shared/store/table.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../../support/dynoxide.ts";

describe("the fault proxy", () => {
  let engine: TestDynamoDb;
  let proxy: FaultProxy;
  let client: DynamoDBClient;
  /** With nothing in between. */
  let direct: Table;
  let table: Table;
  /** What goes wrong with the next requests, one each. */
  let faults: Fault[];
  let happened: string[];
  let passage: Passage;

  beforeAll(async () => {
    engine = await startTestDynamoDb();
  });
  afterAll(() => engine.stop());

  beforeEach(async () => {
    faults = [];
    happened = [];
    passage = {};
    direct = await engine.table();
    proxy = await startFaultProxy({
      target: () => engine.endpoint,
      next: () => faults.shift(),
      happened: (type) => happened.push(type),
      random: () => 0.9,
      replica: new LaggingReplica(() => performance.now()),
      passage: {
        before: async (call) => (await passage.before?.(call)) ?? true,
        after: async (call, reply) => passage.after?.(call, reply),
      },
    });
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    client = new DynamoDBClient({ endpoint: proxy.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
    table = dynamoDbTable({ client, tableName: engine.tableName(), timeoutMs: 500 });
  });
  afterEach(async () => {
    client.destroy();
    await proxy.stop();
  });

  const item = { pk: "default#1#pods#log", sk: "1", n: 1 };
  const write = () => table.put(item, { type: "absent" });
  const isThere = async () => (await direct.get(item, { consistent: true })).item !== undefined;

  it("is not noticed when nothing goes wrong", async () => {
    expect(await write()).toMatchObject({ done: true });
    expect(await write()).toMatchObject({ done: false, existing: item });
    expect((await table.query({ pk: item.pk, consistent: true })).items).toEqual([item]);
    expect((await table.delete(item)).done).toBe(true);
    expect(happened).toEqual([]);
  });

  it.each(["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"] as const)(
    "throttles with %s, and nothing is written",
    async (as) => {
      faults = [{ type: "throttle", as }];
      await expect(write()).rejects.toThrow(ThrottledError);
      expect(await isThere()).toBe(false);
      expect(happened).toEqual(["throttle"]);
    },
  );

  it.each<{ readonly name: string; readonly fault: Fault; readonly written: boolean }>([
    { name: "resets the connection before the request arrives", fault: { type: "reset" }, written: false },
    { name: "answers 500 without doing anything", fault: { type: "fail", status: 500 }, written: false },
    { name: "answers 503 without doing anything", fault: { type: "fail", status: 503 }, written: false },
    { name: "answers 500 though it was done", fault: { type: "failAfter", status: 500 }, written: true },
    { name: "drops the reply after the commit", fault: { type: "dropReply" }, written: true },
  ])("$name: the outcome is unknown", async ({ fault, written }) => {
    faults = [fault];
    await expect(write()).rejects.toThrow(UnknownOutcomeError);
    expect(await isThere()).toBe(written);
    expect(happened).toEqual([fault.type]);
  });

  it("lets a request arrive after its connection is broken", async () => {
    faults = [{ type: "late", ms: 50 }];
    const carriedOut = Promise.withResolvers<void>();
    passage = { after: async () => carriedOut.resolve() };
    await expect(write()).rejects.toThrow(UnknownOutcomeError);
    expect(await isThere()).toBe(false);
    await carriedOut.promise;
    expect(await isThere()).toBe(true);
  });

  it("lets a delayed request arrive after its caller has given up", async () => {
    faults = [{ type: "delay", ms: 700 }];
    const carriedOut = Promise.withResolvers<void>();
    passage = { after: async () => carriedOut.resolve() };
    await expect(write()).rejects.toThrow(UnknownOutcomeError);
    expect(await isThere()).toBe(false);
    await carriedOut.promise;
    expect(await isThere()).toBe(true);
  });

  it("delays a reply, though the write is done", async () => {
    faults = [{ type: "delayReply", ms: 30 }];
    expect(await write()).toMatchObject({ done: true });
    expect(happened).toEqual(["delayReply"]);
  });

  it("ends a page early, with a cursor to the rest", async () => {
    for (const sk of ["1", "2", "3"]) await direct.put({ ...item, sk });
    faults = [{ type: "shortPage", limit: 2 }];
    const page = await table.query({ pk: item.pk, consistent: true });
    expect(page.items.map(({ sk }) => sk)).toEqual(["1", "2"]);
    const rest = await table.query({ pk: item.pk, consistent: true, cursor: page.cursor! });
    expect(rest.items.map(({ sk }) => sk)).toEqual(["3"]);
  });

  it("shows a query some of what is written meanwhile", async () => {
    await write();
    faults = [{ type: "tornQuery", ms: 1 }];
    let asked = 0;
    passage = {
      // Between the two times that the engine is asked.
      after: async ({ operation }) => {
        if (operation === "Query" && ++asked === 1) await direct.put({ ...item, sk: "2" });
      },
    };
    const { items } = await table.query({ pk: item.pk, consistent: true });
    expect(items).toEqual([item]);
    expect(happened).toEqual(["tornQuery"]);
  });

  it("serves eventual reads from a replica that lags", async () => {
    await write();
    await table.put({ ...item, n: 2 });
    await pause(2);
    faults = [
      { type: "staleRead", lagMs: 1 },
      { type: "staleRead", lagMs: 4_000 },
    ];
    const read = async () => (await table.get(item, { consistent: false })).item;
    expect(await read()).toEqual({ ...item, n: 2 });
    expect(await read()).toBeUndefined();
  });

  it("has somebody look at every request before it goes on, and at every answer", async () => {
    const seen: string[] = [];
    passage = {
      before: async ({ operation, partition }) => {
        seen.push(`before ${operation} ${partition}`);
        return true;
      },
      after: async ({ operation }, { status }) => void seen.push(`after ${operation} ${status}`),
    };
    await write();
    expect(seen).toEqual(["before PutItem log", "after PutItem 200"]);
    passage = { before: async () => false };
    await expect(table.put({ ...item, sk: "2" })).rejects.toThrow(UnknownOutcomeError);
    expect((await direct.query({ pk: item.pk, consistent: true })).items).toEqual([item]);
  });
});
