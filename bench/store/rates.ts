/** How many writes a second one process makes to one type, beside what the engine makes of bare conditional puts in the same run. */
import { setTimeout as pause } from "node:timers/promises";
import { type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { readMarks } from "../../shared/store/marks.ts";
import type { ResourceStore, Store } from "../../shared/store/store.ts";
import { type Bed, logOf, storeOver } from "./bed.ts";
import { latencies, timed } from "./figures.ts";
import { keyOf, smallPod } from "./pods.ts";
import { commitAll, done, write } from "./proposals.ts";

const objects = 1_000;
const batchSize = 100;
/** So short that compaction has as much to remove in the window as is written. */
const brief = { tokenAgeMs: 2_000, historyMs: 5_000, tombstoneMs: 5_000, stubMs: 5_000 };
/** About as large as the slot of a 2 KiB Pod. */
const rawBytes = 900;

let rawPuts = 0;

/** Bare conditional puts, each of an item of its own. @returns puts per second */
export async function rawPutsPerSecond(client: DynamoDBClient, tableName: string, lanes: number, durationMs: number): Promise<number> {
  const data = Buffer.alloc(rawBytes, "binnacle");
  const { times, seconds } = await timed(lanes, durationMs, () =>
    client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: { pk: { S: `raw#${process.pid}` }, sk: { S: String(rawPuts++).padStart(12, "0") }, data: { B: data } },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    ),
  );
  return times.length / seconds;
}

export interface Rates {
  readonly figures: Record<string, number>;
  readonly lagMax: number;
}

/**
 * Updates of 1,000 Pods, for so many writers in this process. The upkeep runs all the time, and the clock stops only when the view has
 * caught up.
 * @param compacting with a history so short that slots are removed as fast as they are written, as in the long run
 */
export async function writesPerSecond(bed: Bed, lanes: number, durationMs: number, compacting = false): Promise<Rates> {
  const name = compacting ? `compacting-${lanes}` : `writes-${lanes}`;
  const store = storeOver(bed.table, compacting ? brief : {});
  const pods = (await store.createCluster(name)).resource("pods");
  await fill(store, name);
  const upkeep = startUpkeep(bed, store, name, pods);
  const begun = performance.now();
  const { times } = await timed(lanes, durationMs, (count) =>
    done(pods.commit(write(keyOf((count * 7_919) % objects), smallPod(count % objects, count)))),
  );
  await upkeep.stop();
  const seconds = (performance.now() - begun) / 1000;
  if (compacting) return { figures: { [`writes_per_s_${lanes}_compacting`]: times.length / seconds }, lagMax: upkeep.lagMax() };
  return { figures: { [`writes_per_s_${lanes}`]: times.length / seconds, ...latencies(`write_${lanes}`, times) }, lagMax: upkeep.lagMax() };
}

/** Batches as a controller makes them, which has listed the Pods before: creations, and changes of their status. */
export async function batchesPerSecond(bed: Bed, durationMs: number): Promise<Rates> {
  const store = storeOver(bed.table);
  const pods = (await store.createCluster("batches")).resource("pods");
  await fill(store, "batches");
  await pods.list({ prefix: "", at: "newest" });
  const upkeep = startUpkeep(bed, store, "batches", pods);
  const run = async (proposalOf: (count: number) => ReturnType<typeof write>) => {
    const begun = performance.now();
    const { times } = await timed(1, durationMs, (round) =>
      commitAll(
        pods,
        Array.from({ length: batchSize }, (_, n) => proposalOf(round * batchSize + n)),
      ),
    );
    await logOf(pods).view.materialize(() => true);
    return { rate: (times.length * batchSize) / ((performance.now() - begun) / 1000), times };
  };
  const creates = await run((count) => write(`new-${keyOf(count)}`, smallPod(count)));
  const updates = await run((count) => write(keyOf(count % objects), smallPod(count % objects, count)));
  await upkeep.stop();
  return {
    figures: {
      batch_objects_per_s: updates.rate,
      batch_creates_per_s: creates.rate,
      ...latencies("write_batch_100", updates.times),
    },
    lagMax: upkeep.lagMax(),
  };
}

async function fill(store: Store, cluster: string): Promise<void> {
  const pods = (await store.cluster(cluster)).resource("pods");
  await commitAll(
    pods,
    Array.from({ length: objects }, (_, index) => write(keyOf(index), smallPod(index))),
  );
  await store.maintain(cluster, { untilMs: Infinity });
}

/** The apps look after a log once a minute at most (`shared/app/upkeep.ts`). */
const everyMs = 5_000;
const lagEveryMs = 500;

/**
 * The upkeep beside the writes, in the process that makes them, as in local mode; and how far the view lags meanwhile.
 * @param pods the resource that is written to: the lag is measured by what it knows
 */
function startUpkeep(bed: Bed, store: Store, cluster: string, pods: ResourceStore) {
  const log = logOf(pods);
  const stopped = new AbortController();
  let lagMax = 0;
  const upkeep = (async () => {
    while (!stopped.signal.aborted) {
      await pause(everyMs);
      await store.maintain(cluster, { untilMs: Date.now() + everyMs });
    }
    await log.view.materialize(() => true);
  })();
  const measuring = (async () => {
    const changesIn: { readonly slot: number; readonly changes: number }[] = [];
    while (!stopped.signal.aborted) {
      await pause(lagEveryMs);
      const head = log.cache?.head.slot ?? 0;
      const known = changesIn.at(-1)?.slot ?? head;
      for (const slot of log.cache?.slotsAfter(known) ?? []) changesIn.push({ slot: slot.number, changes: slot.count });
      if (changesIn.length === 0) changesIn.push({ slot: head, changes: 0 });
      const { watermark } = await readMarks(bed.table, log.parts.keys, log.parts.birth);
      while (changesIn.length > 1 && changesIn[0]!.slot <= watermark) changesIn.shift();
      lagMax = Math.max(
        lagMax,
        changesIn.reduce((sum, { slot, changes }) => sum + (slot > watermark ? changes : 0), 0),
      );
    }
  })();
  return {
    lagMax: () => lagMax,
    async stop() {
      stopped.abort();
      await Promise.all([upkeep, measuring]);
    },
  };
}
