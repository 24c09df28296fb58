/** What the benchmarks run on: an engine with its file, a table with its stream read as in local mode, and stores over it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { readStream } from "../../local/dispatcher/stream-reader.ts";
import { createTable, startDynamoDb } from "../../local/dynamodb/engine.ts";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { ResourceLog } from "../../shared/store/resource-log.ts";
import type { LogResourceStore } from "../../shared/store/resource-store.ts";
import type { StoreSettings } from "../../shared/store/settings.ts";
import type { ResourceStore, Store } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";

/** How often the stream is read. */
const streamMs = 200;

export interface Bed {
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly table: Table;
  stop(): Promise<void>;
}

export async function makeBed(): Promise<Bed> {
  const dataFolder = mkdtempSync(join(tmpdir(), "binnacle-bench-"));
  const engine = await startDynamoDb({ dataFolder, env: {}, log: silentLog });
  const client = engine.client();
  const tableName = "bench";
  await createTable(client, tableName);
  const { Table: description } = await client.send(new DescribeTableCommand({ TableName: tableName }));
  const streams = new DynamoDBStreamsClient({
    endpoint: engine.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const reader = await readStream({
    client: streams,
    streamArn: description?.LatestStreamArn ?? "",
    take: async () => {},
    clock: systemClock,
    log: silentLog,
  });
  const hints = setInterval(() => reader.hint(), streamMs);
  return {
    endpoint: engine.endpoint,
    client,
    tableName,
    table: dynamoDbTable({ client, tableName }),
    async stop() {
      clearInterval(hints);
      await reader.stop();
      streams.destroy();
      client.destroy();
      await engine.stop();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

export const storeOver = (table: Table, settings: Partial<StoreSettings> = {}): Store =>
  openStore({ table, clock: systemClock, log: silentLog, settings });

/** A resource of a cluster, as a process sees it that knows nothing yet. */
export async function coldResource(table: Table, cluster: string, settings?: Partial<StoreSettings>): Promise<ResourceStore> {
  return (await storeOver(table, settings).cluster(cluster)).resource("pods");
}

/** What stands behind a resource: its view and its marks. */
export const logOf = (resource: ResourceStore): ResourceLog => (resource as LogResourceStore).log;
