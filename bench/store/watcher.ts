/** A process that watches one type, and tells its parent when it heard of which revision. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { coldResource } from "./bed.ts";

export interface Heard {
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const [endpoint = "", tableName = "", cluster = "", after = ""] = process.argv.slice(2);
const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } });
const pods = await coldResource(dynamoDbTable({ client, tableName }), cluster);
await pods.get("first/one");
process.send?.("ready");
for await (const item of pods.watch({ prefix: "", after: Number(after), signal: new AbortController().signal })) {
  if (item.type !== "change") continue;
  const heard: Heard = { revision: item.change.object.revision, at: performance.timeOrigin + performance.now() };
  process.send?.(heard);
}
