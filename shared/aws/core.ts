/** What every function needs of AWS: the table, a clock, a log. The other adapters are imported by the functions that use them. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Config } from "../app/config.ts";
import type { CorePlatform } from "../app/platform.ts";
import { systemClock } from "../runtime/clock.ts";
import { jsonLog } from "../runtime/log.ts";
import { assertTableFits, dynamoDbTable } from "./dynamodb-table.ts";

export function awsCore(config: Config): CorePlatform {
  const { tableName } = config;
  const client = new DynamoDBClient({ maxAttempts: 1 });
  return {
    config,
    table: dynamoDbTable({ client, tableName }),
    checkTable: () => assertTableFits({ client, tableName }),
    clock: systemClock,
    log: jsonLog((line) => process.stdout.write(`${line}\n`), config.logLevel),
  };
}
