import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTable, type DynamoDbEngine, startDynamoDb } from "../../local/dynamodb/engine.ts";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import { auditLog } from "../support/log-audit.ts";

const writerScript = join(import.meta.dirname, "../support/crash-writer.ts");
const tableName = "binnacle";

describe("what was acknowledged is there", () => {
  let dataFolder: string;
  let engine: DynamoDbEngine;
  const start = async () => {
    engine = await startDynamoDb({ dataFolder, env: {}, log: silentLog });
    await createTable(engine.client(), tableName);
  };
  beforeEach(async () => {
    dataFolder = mkdtempSync(join(tmpdir(), "crash-"));
    await start();
  });
  afterEach(async () => {
    await engine.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  });

  /** Lets a writer work until so many writes are acknowledged, then does away with it, or with something else. */
  const writeUntil = async (count: number, name: string, kill: (writer: number) => void) => {
    const writer = spawn(process.execPath, [writerScript, engine.endpoint, tableName, name], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    await new Promise<void>((resolve) => {
      writer.stdout.on("data", (data: Buffer) => {
        text += data.toString();
        if (text.split("\n").length > count) resolve();
      });
    });
    kill(writer.pid!);
    if (writer.exitCode === null && writer.signalCode === null) {
      writer.kill("SIGKILL");
      await new Promise((resolve) => writer.once("close", resolve));
    }
    return text
      .slice(0, text.lastIndexOf("\n"))
      .split("\n")
      .map((line) => line.split(" ") as [string, string, string]);
  };

  const expectAllThere = async (acknowledged: readonly (readonly [string, string, string])[]) => {
    const table = dynamoDbTable({ client: engine.client(), tableName });
    const { changes } = await auditLog(table);
    const made = new Map(changes.map(({ object }) => [object.revision, object]));
    for (const [key, n, revision] of acknowledged) expect(made.get(Number(revision))).toMatchObject({ key, value: { n: Number(n) } });
    const pods = (await openStore({ table, clock: systemClock, log: silentLog }).cluster("default")).resource("pods");
    for (const [key, , revision] of acknowledged) expect((await pods.get(key)).object?.revision).toBeGreaterThanOrEqual(Number(revision));
    expect((await pods.commit({ key: "after", author: { user: "test" }, judge: () => ({ type: "put", value: {} }) })).type).toBe(
      "committed",
    );
  };

  it("after writers were killed, one after the other and beside each other", async () => {
    const kill = (pid: number) => process.kill(pid, "SIGKILL");
    const first = await writeUntil(150, "first", kill);
    const beside = await Promise.all([writeUntil(100, "second", kill), writeUntil(60, "third", kill)]);
    await expectAllThere([first, ...beside].flat());
  }, 60_000);

  it("after the engine was killed under a writer, and started again", async () => {
    const record = JSON.parse(readFileSync(join(dataFolder, "dynamodb.pid.json"), "utf8")) as { engine: { pid: number } };
    const acknowledged = await writeUntil(150, "writer", () => process.kill(record.engine.pid, "SIGKILL"));
    await engine.ended;
    await start();
    await expectAllThere(acknowledged);
  }, 60_000);
});
