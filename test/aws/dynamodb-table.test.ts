import { createServer, type Server, type ServerResponse } from "node:http";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { assertTableFits, dynamoDbTable, UnfitTableError } from "../../shared/aws/dynamodb-table.ts";
import { TableFullError, TableRefusedError, TableUnavailableError, ThrottledError, UnknownOutcomeError } from "../../shared/store/table.ts";
import { startTestDynamoDb, type TestDynamoDb } from "../support/dynoxide.ts";
import { describeTable } from "../support/table-suite.ts";

let engine: TestDynamoDb;
beforeAll(async () => {
  engine = await startTestDynamoDb();
});
afterAll(() => engine.stop());

describeTable("DynamoDB", () => engine.table());

describe("a DynamoDB table in trouble", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** A DynamoDB that answers as the test says, and counts what it is asked. */
  const dynamoDbThat = async (answer: (response: ServerResponse) => void) => {
    let calls = 0;
    server = createServer((request, response) => {
      calls++;
      request.resume().on("end", () => answer(response));
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const credentials = { accessKeyId: "x", secretAccessKey: "x" };
    const client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials });
    return { client, table: dynamoDbTable({ client, tableName: "t", timeoutMs: 2_000 }), calls: () => calls };
  };
  const failure =
    (status: number, type: string, more: object = {}) =>
    (response: ServerResponse) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0", date: "Thu, 01 Jan 2026 10:00:00 GMT" });
      response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "no", ...more }));
    };
  const item = { pk: "p", sk: "s" };

  it("tries a write once, and calls a lost reply unknown", async () => {
    const { table, calls } = await dynamoDbThat((response) => response.destroy());
    await expect(table.put(item)).rejects.toBeInstanceOf(UnknownOutcomeError);
    expect(calls()).toBe(1);
  });

  it.each([
    { name: "an internal error", status: 500, type: "InternalServerError" },
    { name: "a conflict between Regions", status: 400, type: "ReplicatedWriteConflictException" },
  ])("calls $name unknown, and does not try again", async ({ status, type }) => {
    const { table, calls } = await dynamoDbThat(failure(status, type));
    await expect(table.put(item)).rejects.toBeInstanceOf(UnknownOutcomeError);
    await expect(table.delete(item)).rejects.toBeInstanceOf(UnknownOutcomeError);
    expect(calls()).toBe(2);
  });

  it("knows the words of an engine whose disk is full", async () => {
    const message =
      "commit failed (backend: database or disk is full) and rollback also failed (backend: cannot rollback - no transaction is active)";
    const { table, calls } = await dynamoDbThat(failure(500, "InternalServerError", { message }));
    const error = await table.put(item).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TableFullError);
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    await expect(table.delete(item)).rejects.toBeInstanceOf(TableFullError);
    expect(calls()).toBe(2);
  });

  it.each([
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "ExpiredTokenException",
  ])("knows %s for a throttle: nothing was written", async (type) => {
    const { table, calls } = await dynamoDbThat(failure(400, type));
    await expect(table.put(item)).rejects.toBeInstanceOf(ThrottledError);
    expect(calls()).toBe(1);
  });

  it.each(["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException", "ValidationException"])(
    "knows %s for a refusal: nothing was written, and trying again is in vain",
    async (type) => {
      const { table, calls } = await dynamoDbThat(failure(400, type));
      await expect(table.put(item)).rejects.toBeInstanceOf(TableRefusedError);
      expect(calls()).toBe(1);
      await expect(table.get(item, { consistent: true })).rejects.toBeInstanceOf(TableRefusedError);
    },
  );

  it("takes the item in the way, and the time, from a failed condition", async () => {
    const answer = failure(400, "ConditionalCheckFailedException", { Item: { pk: { S: "p" }, sk: { S: "s" }, by: { S: "somebody" } } });
    const { table } = await dynamoDbThat(answer);
    expect(await table.put(item, { type: "absent" })).toEqual({
      done: false,
      date: new Date("2026-01-01T10:00:00Z"),
      existing: { ...item, by: "somebody" },
    });
  });

  it("lets the SDK try reads again, and says when they fail for good", async () => {
    const { table, calls } = await dynamoDbThat(failure(500, "InternalServerError"));
    await expect(table.get(item, { consistent: true })).rejects.toBeInstanceOf(TableUnavailableError);
    expect(calls()).toBeGreaterThan(1);
  });

  it("gives up on a table that never answers: nobody knows what became of the write", async () => {
    const { client } = await dynamoDbThat(() => {});
    const table = dynamoDbTable({ client, tableName: "t", timeoutMs: 50 });
    await expect(table.put(item)).rejects.toBeInstanceOf(UnknownOutcomeError);
  });

  it.each([
    {
      name: "an eventually consistent global table",
      refused: true,
      table: { Replicas: [{ RegionName: "eu-west-1" }], GlobalTableVersion: "2019.11.21" },
    },
    {
      name: "a strongly consistent global table",
      refused: false,
      table: { Replicas: [{ RegionName: "eu-west-1" }], MultiRegionConsistency: "STRONG" },
    },
    { name: "a table of one Region", refused: false, table: {} },
  ])("rule 25: $name is refused: $refused", async ({ refused, table }) => {
    const KeySchema = [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ];
    const { client } = await dynamoDbThat((response) => {
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end(JSON.stringify({ Table: { KeySchema, ...table } }));
    });
    const verdict = assertTableFits({ client, tableName: "t" });
    await (refused ? expect(verdict).rejects.toBeInstanceOf(UnfitTableError) : expect(verdict).resolves.toBeUndefined());
  });

  it("refuses a table with other keys", async () => {
    const { client } = await dynamoDbThat((response) => {
      response.end(JSON.stringify({ Table: { KeySchema: [{ AttributeName: "id", KeyType: "HASH" }] } }));
    });
    await expect(assertTableFits({ client, tableName: "t" })).rejects.toBeInstanceOf(UnfitTableError);
  });
});
