/**
 * DynamoDB on a laptop: an endpoint that the user names, or dynoxide as a child process with its data in the data folder, or DynamoDB
 * Local where Java is. What is missing is named in the error.
 */
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Log } from "../../shared/runtime/log.ts";
import { startDynamoDbLocal } from "./dynamodb-local.ts";
import { freePort } from "./free-port.ts";
import { answersHttp, startGuarded } from "./guarded-child.ts";
import { identityOf, isRunning, readRecord, removeRecord, writeRecord } from "./process-record.ts";
import { indexStreamRecords } from "./stream-index.ts";

export { createTable } from "./create-table.ts";

export interface DynamoDbEngine {
  readonly endpoint: string;
  /** What it is, for people: `dynoxide`, `DynamoDB Local`, or the endpoint's own name. */
  readonly name: string;
  /** A client for it. Credentials come from the environment when the user named the endpoint. */
  client(): DynamoDBClient;
  /** Resolves if the engine ends by itself; never for an endpoint that the user named. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface DynamoDbEngineOptions {
  /** Where the data lives. In memory when absent. */
  readonly dataFolder?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** No engine could be started; the message says what to install or set. */
export class NoEngineError extends Error {
  override readonly name = "NoEngineError";
}

/** @throws {NoEngineError} */
export async function startDynamoDb({ dataFolder, env = process.env, log }: DynamoDbEngineOptions): Promise<DynamoDbEngine> {
  const endpoint = env.AWS_ENDPOINT_URL_DYNAMODB || env.AWS_ENDPOINT_URL || env.DYNAMODB_ENDPOINT;
  if (endpoint) return namedEndpoint(endpoint, env.AWS_REGION);
  const binary = dynoxideBinary();
  if (binary) return startDynoxide(binary, dataFolder, log);
  const local = await startDynamoDbLocal(dataFolder);
  if (typeof local !== "string") return { ...local, name: "DynamoDB Local", client: () => localClient(local.endpoint) };
  throw new NoEngineError(
    `no DynamoDB engine: the npm package @dynoxide/linux-x64 is not installed (it comes with npm ci on Linux x64), and ${local}. ` +
      "Install one of them, or set AWS_ENDPOINT_URL_DYNAMODB to an endpoint that speaks DynamoDB's protocol.",
  );
}

function namedEndpoint(endpoint: string, region = "us-east-1"): DynamoDbEngine {
  return {
    endpoint,
    name: endpoint,
    client: () => new DynamoDBClient({ endpoint, region }),
    ended: new Promise(() => {}),
    stop: async () => {},
  };
}

/** Local engines take any credentials. */
const localClient = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } });

function dynoxideBinary(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`@dynoxide/${process.platform}-${process.arch}/package.json`);
    const binary = join(dirname(manifest), "dynoxide");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

async function startDynoxide(binary: string, dataFolder: string | undefined, log: Log): Promise<DynamoDbEngine> {
  const record = dataFolder && join(dataFolder, "dynamodb.pid.json");
  if (dataFolder && record) {
    mkdirSync(dataFolder, { recursive: true });
    await endLeftover(record, log);
  }
  const file = dataFolder && join(dataFolder, "dynamodb.sqlite");
  const data = file ? ["--db-path", file] : [];
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const child = await startGuarded(binary, ["--host", "127.0.0.1", "--port", String(port), ...data]);
    if (record) writeRecord(record, { owner: identityOf(process.pid), engine: identityOf(child.pid) });
    const endpoint = `http://127.0.0.1:${port}`;
    if (await answersHttp(child, endpoint, startMs)) {
      if (file) quicken(file, log);
      return {
        endpoint,
        name: "dynoxide",
        client: () => localClient(endpoint),
        ended: child.ended,
        async stop() {
          await child.stop();
          if (record) removeRecord(record);
        },
      };
    }
    await child.stop();
    // Somebody else may have taken the port in between.
    if (attempt === 3) throw new NoEngineError(`dynoxide does not start: ${child.complaints() || "it says nothing"}`);
  }
}

function quicken(file: string, log: Log): void {
  try {
    indexStreamRecords(file);
  } catch (error) {
    log.warn("the engine's stream has no index: writes become slower as they grow in number", { file, error });
  }
}

/** Refuses a folder that is in use; ends an engine whose owner was killed. */
async function endLeftover(file: string, log: Log): Promise<void> {
  const record = readRecord(file);
  if (!record) return;
  if (record.owner.pid !== process.pid && isRunning(record.owner)) {
    throw new NoEngineError(`the data folder is in use by process ${record.owner.pid}: stop it first, or use another --data folder`);
  }
  if (isRunning(record.engine)) {
    log.warn("ending the engine of a process that is gone", { pid: record.engine.pid });
    process.kill(record.engine.pid, "SIGKILL");
    while (isRunning(record.engine)) await pause(20);
  }
  removeRecord(file);
}

const startMs = 10_000;
