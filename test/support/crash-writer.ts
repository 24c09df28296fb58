/** A process that writes as fast as it can and says so, one line for every write that was acknowledged, until it is killed. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";

const [endpoint = "", tableName = "", name = ""] = process.argv.slice(2);
const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } });
const store = openStore({ table: dynamoDbTable({ client, tableName }), clock: systemClock, log: silentLog, settings: { helpSlots: 20 } });
const pods = (await store.createCluster("default")).resource("pods");

let n = 0;
await Promise.all(
  Array.from({ length: 8 }, async (_, lane) => {
    for (;;) {
      const key = `${name}/${lane}`;
      const value = { n: ++n, filling: "x".repeat(n % 50 === 0 ? 100_000 : 10) };
      const outcome = await pods.commit({ key, author: { user: name }, judge: () => ({ type: "put", value }) });
      if (outcome.type === "committed") process.stdout.write(`${key} ${value.n} ${outcome.object.revision}\n`);
    }
  }),
);
