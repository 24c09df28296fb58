/**
 * A DynamoDB engine of its own for a test file: dynoxide on a free port, in memory or with its data in a temporary folder; or the
 * endpoint that TEST_DYNAMODB_ENDPOINT names, with credentials from the environment.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, startDynamoDb } from "../../local/dynamodb/engine.ts";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import type { Table } from "../../shared/store/table.ts";

export interface TestDynamoDb {
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  /** A new, empty table. */
  table(): Promise<Table>;
  /** The name of the newest table. */
  tableName(): string;
  stop(): Promise<void>;
}

export async function startTestDynamoDb({ onDisk = false }: { readonly onDisk?: boolean } = {}): Promise<TestDynamoDb> {
  const dataFolder = onDisk ? mkdtempSync(join(tmpdir(), "dynamodb-")) : undefined;
  const env = { AWS_ENDPOINT_URL_DYNAMODB: process.env.TEST_DYNAMODB_ENDPOINT };
  const engine = await startDynamoDb({ ...(dataFolder && { dataFolder }), env, log: silentLog });
  const client = engine.client();
  // Others may use the endpoint that is named.
  const prefix = `test-${randomUUID()}`;
  let tables = 0;
  return {
    endpoint: engine.endpoint,
    client,
    tableName: () => `${prefix}-${tables}`,
    async table() {
      const tableName = `${prefix}-${++tables}`;
      await createTable(client, tableName);
      return dynamoDbTable({ client, tableName });
    },
    async stop() {
      client.destroy();
      await engine.stop();
      if (dataFolder) rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
