import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTable, type DynamoDbEngine, NoEngineError, startDynamoDb } from "../../../local/dynamodb/engine.ts";
import { type EngineRecord, identityOf, isRunning } from "../../../local/dynamodb/process-record.ts";
import { dynamoDbTable } from "../../../shared/aws/dynamodb-table.ts";
import { silentLog } from "../../../shared/runtime/log.ts";

describe("DynamoDB on a laptop", () => {
  let dataFolder: string;
  const engines: DynamoDbEngine[] = [];
  beforeEach(() => {
    dataFolder = mkdtempSync(join(tmpdir(), "engine-"));
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.stop()));
    rmSync(dataFolder, { recursive: true, force: true });
  });
  const start = async (options: Partial<Parameters<typeof startDynamoDb>[0]> = {}) => {
    const engine = await startDynamoDb({ dataFolder, env: {}, log: silentLog, ...options });
    engines.push(engine);
    return engine;
  };
  const record = () => JSON.parse(readFileSync(join(dataFolder, "dynamodb.pid.json"), "utf8")) as EngineRecord;
  const gone = async (process: EngineRecord["engine"]) => {
    for (let waited = 0; isRunning(process) && waited < 5_000; waited += 20) await pause(20);
    return !isRunning(process);
  };

  it.each(["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL", "DYNAMODB_ENDPOINT"])("is whatever %s names", async (variable) => {
    const engine = await start({ env: { [variable]: "http://localhost:4566" } });
    expect(engine.endpoint).toBe("http://localhost:4566");
    expect(existsSync(join(dataFolder, "dynamodb.pid.json"))).toBe(false);
  });

  it("prefers the endpoint that is named for DynamoDB", async () => {
    const env = {
      AWS_ENDPOINT_URL: "http://localhost:1",
      AWS_ENDPOINT_URL_DYNAMODB: "http://localhost:2",
      DYNAMODB_ENDPOINT: "http://localhost:3",
    };
    expect((await start({ env })).endpoint).toBe("http://localhost:2");
  });

  it("finds the end of a stream without looking through it, in a folder of before as well", async () => {
    const engine = await start();
    await createTable(engine.client(), "things");
    const table = dynamoDbTable({ client: engine.client(), tableName: "things" });
    for (let n = 0; n < 3; n++) await table.put({ pk: "p", sk: "s", n });
    // As dynoxide asks before each write.
    const end = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 AS next FROM _stream_records WHERE table_name = 'things'";
    const look = (query: string) => {
      const database = new DatabaseSync(join(dataFolder, "dynamodb.sqlite"));
      const rows = database.prepare(query).all();
      database.close();
      return rows;
    };
    const plan = () => JSON.stringify(look(`EXPLAIN QUERY PLAN ${end}`));
    expect(look(end)).toEqual([expect.objectContaining({ next: 4 })]);
    expect(plan()).toContain("COVERING INDEX");

    await engine.stop();
    look("DROP INDEX binnacle_stream_order");
    expect(plan()).not.toContain("INDEX");
    await start();
    expect(plan()).toContain("COVERING INDEX");
  });

  it("listens on the loopback only, and keeps its data in the folder", async () => {
    const engine = await start();
    expect(engine.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await createTable(engine.client(), "things");
    await dynamoDbTable({ client: engine.client(), tableName: "things" }).put({ pk: "p", sk: "s", n: 1 });
    await engine.stop();

    const again = await start();
    const table = dynamoDbTable({ client: again.client(), tableName: "things" });
    expect((await table.get({ pk: "p", sk: "s" }, { consistent: true })).item).toMatchObject({ n: 1 });
  });

  it("makes the table once, with its keys and its stream", async () => {
    const client = (await start()).client();
    await createTable(client, "things");
    await createTable(client, "things");
    const { Table } = await client.send(new DescribeTableCommand({ TableName: "things" }));
    expect(Table).toMatchObject({
      TableStatus: "ACTIVE",
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    });
  });

  it("ends when it is stopped, and leaves no record", async () => {
    const engine = await start();
    const { engine: child } = record();
    expect(isRunning(child)).toBe(true);
    await engine.stop();
    expect(await gone(child)).toBe(true);
    expect(existsSync(join(dataFolder, "dynamodb.pid.json"))).toBe(false);
  });

  it("says when it ends by itself", async () => {
    const engine = await start();
    process.kill(record().engine.pid, "SIGKILL");
    await engine.ended;
  });

  it("ends with its parent, even when that is killed", async () => {
    const script = `
      import { startDynamoDb } from ${JSON.stringify(join(import.meta.dirname, "../../../local/dynamodb/engine.ts"))};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      await startDynamoDb({ dataFolder: ${JSON.stringify(dataFolder)}, env: {}, log });
      console.log("up");
      setInterval(() => {}, 1000);
    `;
    const file = join(dataFolder, "parent.ts");
    writeFileSync(file, script);
    const parent = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    const { engine: child, owner } = record();
    expect(owner.pid).toBe(parent.pid);
    expect(isRunning(child)).toBe(true);
    await expect(start(), "the folder is in use").rejects.toBeInstanceOf(NoEngineError);
    parent.kill("SIGKILL");
    expect(await gone(child)).toBe(true);
    await start();
  });

  it("ends what a killed start left behind", async () => {
    const leftover = spawn("sleep", ["60"], { stdio: "ignore" });
    const owner = { pid: 2 ** 22, started: "1" };
    writeFileSync(join(dataFolder, "dynamodb.pid.json"), JSON.stringify({ owner, engine: identityOf(leftover.pid!) }));
    const ended = new Promise((resolve) => leftover.once("exit", (_code, signal) => resolve(signal)));
    await start();
    expect(await ended).toBe("SIGKILL");
  });

  it("does not touch a process that has merely got an old number", async () => {
    const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
    const started = "1";
    writeFileSync(
      join(dataFolder, "dynamodb.pid.json"),
      JSON.stringify({ owner: { pid: stranger.pid, started }, engine: { pid: stranger.pid, started } }),
    );
    await start();
    expect(stranger.exitCode).toBeNull();
    expect(isRunning(identityOf(stranger.pid!))).toBe(true);
    stranger.kill("SIGKILL");
  });
});
