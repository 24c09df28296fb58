/**
 * A process that writes to one type, for the benchmarks with many. Reads its orders as JSON from the command line, says `ready`, begins with
 * the next line that it reads, and prints what it measured as JSON.
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import type { Proposal } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import { storeOver } from "./bed.ts";
import { timed } from "./figures.ts";
import { keyOf, smallPod } from "./pods.ts";
import { commitAll, done, write } from "./proposals.ts";
import { rawPutsPerSecond } from "./rates.ts";

export interface Orders {
  readonly endpoint: string;
  readonly tableName: string;
  readonly cluster: string;
  /** Number of this process: it has Pods of its own. */
  readonly number: number;
  readonly durationMs: number;
  /** Added to each call of the table. */
  readonly roundTripMs: number;
  /** `raw`: bare conditional puts. `batch`: 49 changes at a time, judged for `thinkMs`. */
  readonly job: "write" | "raw" | "batch";
  readonly thinkMs?: number;
}

export interface Measured {
  readonly count: number;
  readonly seconds: number;
  readonly times: readonly number[];
  /** How long each conditional put took, in milliseconds. */
  readonly puts: readonly number[];
}

const batchSize = 49;
const ownPods = 50;

/** Half of the round trip before the engine sees the call, and half after. @param puts how long each put took: grows */
function farAway(real: Table, roundTripMs: number, puts: number[]): Table {
  const travelling = async <T>(call: () => Promise<T>): Promise<T> => {
    if (roundTripMs === 0) return call();
    await pause(roundTripMs / 2);
    try {
      return await call();
    } finally {
      await pause(roundTripMs / 2);
    }
  };
  return {
    get: (key, options) => travelling(() => real.get(key, options)),
    async put(item, condition) {
      const begun = performance.now();
      const result = await travelling(() => real.put(item, condition));
      puts.push(performance.now() - begun);
      return result;
    },
    delete: (key, condition) => travelling(() => real.delete(key, condition)),
    query: (query) => travelling(() => real.query(query)),
  };
}

async function measure(orders: Orders, client: DynamoDBClient): Promise<Measured> {
  const { tableName, cluster, number, durationMs, roundTripMs, thinkMs = 0 } = orders;
  if (orders.job === "raw") {
    const rate = await rawPutsPerSecond(client, tableName, 1, durationMs);
    return { count: (rate * durationMs) / 1000, seconds: durationMs / 1000, times: [], puts: [] };
  }
  const puts: number[] = [];
  const table = farAway(dynamoDbTable({ client, tableName }), roundTripMs, puts);
  const pods = (await storeOver(table).cluster(cluster)).resource("pods");
  const next = (count: number): Proposal => {
    const index = number * ownPods + (count % ownPods);
    return write(keyOf(index), smallPod(index, count));
  };
  const slowly = (proposal: Proposal): Proposal => ({
    ...proposal,
    volatile: true,
    async judge(current, judging) {
      await pause(thinkMs);
      return proposal.judge(current, judging);
    },
  });
  const { times, seconds } = await timed(1, durationMs, (count) => {
    if (orders.job === "write") return done(pods.commit(next(count)));
    // The plan is thought through once for all of the batch.
    return commitAll(
      pods,
      Array.from({ length: batchSize }, (_, n) => (n === 0 ? slowly(next(count * batchSize)) : next(count * batchSize + n))),
    );
  });
  return { count: times.length, seconds, times, puts };
}

const orders = JSON.parse(process.argv[2] ?? "{}") as Orders;
const client = new DynamoDBClient({
  endpoint: orders.endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
process.stdout.write("ready\n");
await once(process.stdin, "data");
const measured = await measure(orders, client);
process.stdout.write(`${JSON.stringify(measured)}\n`);
process.exit(0);
