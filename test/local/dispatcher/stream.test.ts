import { DescribeTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localAccount } from "../../../local/account.ts";
import { eventSourceMapping } from "../../../local/dispatcher/event-source-mapping.ts";
import { createFunctions, functionArn } from "../../../local/dispatcher/functions.ts";
import { lambdaService } from "../../../local/dispatcher/lambda-service.ts";
import { schedulerService } from "../../../local/dispatcher/scheduler-service.ts";
import { createSchedules } from "../../../local/dispatcher/schedules.ts";
import { readStream } from "../../../local/dispatcher/stream-reader.ts";
import { watchWrites } from "../../../local/dispatcher/write-hints.ts";
import { openRecords } from "../../../local/state/records.ts";
import { startAwsServer } from "../../../local/wire/server.ts";
import { lambdaInvoker } from "../../../shared/aws/lambda-invoker.ts";
import { scheduleWakeUps } from "../../../shared/aws/schedule-wake-ups.ts";
import { systemClock } from "../../../shared/runtime/clock.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../../support/dynoxide.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };
let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

/** Follows a new table and hands what rings somebody to `invoke`. */
async function followed(invoke: (event: DynamoDBStreamEvent) => Promise<unknown>) {
  await dynamoDb.table();
  const TableName = dynamoDb.tableName();
  const { Table } = await dynamoDb.client.send(new DescribeTableCommand({ TableName }));
  const streamArn = Table?.LatestStreamArn ?? "";
  const client = new DynamoDBStreamsClient({ endpoint: dynamoDb.endpoint, region: "us-east-1", credentials });
  const take = eventSourceMapping({
    streamArn,
    filter: { dynamodb: { NewImage: { ring: { S: [{ exists: true }] } } } },
    invoke,
    retries: 3,
    clock: { ...systemClock, sleep: async () => {} },
    log: silentLog,
  });
  const reader = await readStream({ client, streamArn, take, clock: systemClock, log: silentLog });
  const unwatch = watchWrites(dynamoDb.endpoint, () => reader.hint());
  let written = 0;
  return {
    /** @returns when it was written */
    async write(ring?: string) {
      written += 1;
      const Item = { pk: { S: "c" }, sk: { S: String(written) }, body: { B: new Uint8Array([1, 2]) }, ...(ring && { ring: { S: ring } }) };
      await dynamoDb.client.send(new PutItemCommand({ TableName, Item }));
      return performance.now();
    },
    async stop() {
      unwatch();
      await reader.stop();
      client.destroy();
    },
  };
}

const until = async (condition: () => boolean) => {
  const deadline = Date.now() + 5_000;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
};

describe("the table's stream", () => {
  it("reaches the function soon after a write, as Lambda's event, and only with what rings", async () => {
    const events: DynamoDBStreamEvent[] = [];
    const arrived: number[] = [];
    const table = await followed(async (event) => {
      events.push(event);
      arrived.push(performance.now());
    });
    await table.write();
    const at = await table.write("kubelet");
    await until(() => events.length > 0);
    expect(events.flatMap(({ Records }) => Records)).toMatchObject([
      {
        eventName: "INSERT",
        eventSource: "aws:dynamodb",
        dynamodb: { NewImage: { ring: { S: "kubelet" }, body: { B: "AQI=" } }, ApproximateCreationDateTime: expect.any(Number) },
      },
    ]);
    // The hint makes it a matter of milliseconds; without one it would be seconds.
    expect((arrived[0] ?? Infinity) - at).toBeLessThan(1_000);
    await table.stop();
  });

  it("keeps the order and loses nothing while writes go on", async () => {
    const seen: string[] = [];
    const table = await followed(async ({ Records }) => {
      for (const { dynamodb } of Records) seen.push(dynamodb?.NewImage?.sk?.S ?? "");
    });
    for (let count = 0; count < 100; count += 1) await table.write("reconciler");
    await until(() => seen.length === 100);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => String(index + 1)));
    await table.stop();
  });

  it("halves a batch that fails, and gives up only the record that is at fault", async () => {
    const seen: string[] = [];
    const { promise: first, resolve: release } = Promise.withResolvers<void>();
    const table = await followed(async ({ Records }) => {
      await first;
      const keys = Records.map(({ dynamodb }) => dynamodb?.NewImage?.sk?.S ?? "");
      if (keys.includes("3")) throw new Error("poison");
      seen.push(...keys);
    });
    for (let count = 0; count < 6; count += 1) await table.write("kubelet");
    release();
    await until(() => seen.length === 5);
    expect(seen).toEqual(["1", "2", "4", "5", "6"]);
    await table.stop();
  });
});

describe("the adapters of shared/aws", () => {
  it("start functions and make wake-ups over the wire", async () => {
    const clock = fakeClock();
    const account = localAccount("us-east-1");
    const events: unknown[] = [];
    const functions = createFunctions({
      functions: {
        "binnacle-kubelet": { handler: async (event) => events.push(event), timeoutMs: 1_000, concurrency: 1, memorySize: 128 },
      },
      account,
      clock,
      log: silentLog,
    });
    functions.begin();
    const start = (target: string, event: unknown) => functions.enqueue(target.split(":").at(-1) ?? "", event);
    const schedules = createSchedules({ records: openRecords(":memory:"), clock, log: silentLog, start });
    const rest = [lambdaService(functions), schedulerService({ schedules, groups: ["binnacle-wake-ups"], account, clock })];
    const server = await startAwsServer({ port: 0, services: [], rest, log: silentLog });
    const options = { endpoint: server.url, region: "us-east-1", credentials, maxAttempts: 1 };
    const functionArnPrefix = functionArn(account, "binnacle-");

    const invoker = lambdaInvoker({ client: new LambdaClient(options), functionArnPrefix });
    await invoker.start("default", "kubelet");
    await expect(invoker.start("default", "network")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await clock.advance(0);
    expect(events).toEqual([{ cluster: "default", consumer: "kubelet" }]);

    const group = { groupName: "binnacle-wake-ups", roleArn: "arn:aws:iam::0:role/r", functionArnPrefix };
    const wakeUps = scheduleWakeUps({ client: new SchedulerClient(options), clock, ...group });
    const when = new Date(clock.now().getTime() + 90_000);
    await wakeUps.at("default", "kubelet", when);
    await wakeUps.at("default", "kubelet", when);
    expect(schedules.all()).toHaveLength(1);
    await clock.advance(180_000);
    expect(events).toHaveLength(2);
    schedules.stop();
    await server.stop();
  });
});
