/** What reads and writes cost, in DynamoDB's units. */
import { systemClock } from "../../shared/runtime/clock.ts";
import type { Table } from "../../shared/store/table.ts";
import { coldResource, logOf, storeOver } from "./bed.ts";
import { type Meter, metered } from "./meter.ts";
import { keyOf, largePod, smallPod } from "./pods.ts";
import { commitAll, done, remove, write } from "./proposals.ts";

const writes = 200;
const fewObjects = 100;
const forever = { untilMs: Infinity };
/** Everything is old at once: what upkeep takes away in the end is counted too. */
const briefly = { tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0, stubMs: 0 };

export async function costs(table: Table, manyObjects: number): Promise<Record<string, number>> {
  return {
    ...(await writeCosts(table)),
    ...(await readCosts(table)),
    ...(await watchCost(table)),
    ...(await updateCostAmong(table, manyObjects)),
  };
}

/** One by one, the view brought up to date after all. */
async function writeCosts(table: Table): Promise<Record<string, number>> {
  const meter = metered(table);
  const store = storeOver(meter);
  const pods = (await store.createCluster("costs")).resource("pods");
  await done(pods.commit(write("first/one", smallPod(0))));
  /** Units per write, those of the view included, and what removing the history takes later. */
  const each = async (makeOne: (index: number) => Promise<unknown>, count = writes) => {
    await view("costs", meter);
    for (let index = 0; index < count; index++) await makeOne(index);
    return (await view("costs", meter)) / count;
  };
  const create = await each((index) => done(pods.commit(write(keyOf(index), smallPod(index)))));
  const update = await each((index) => done(pods.commit(write(keyOf(index), smallPod(index, 1)))));
  await each((index) => done(pods.commit(write(`large-${keyOf(index)}`, largePod(index)))));
  const large = await each((index) => done(pods.commit(write(`large-${keyOf(index)}`, largePod(index, 1)))));
  const deleted = await each((index) => done(pods.commit(remove(keyOf(index)))));
  const batch = await each(
    (round) =>
      commitAll(
        pods,
        Array.from({ length: 100 }, (_, n) => write(`batch-${keyOf(round * 100 + n)}`, smallPod(n))),
      ),
    10,
  );
  return {
    bytes_pod_2kib: JSON.stringify(smallPod(1)).length,
    bytes_pod_10kib: JSON.stringify(largePod(1)).length,
    wru_create_2kib: create,
    wru_update_2kib: update,
    wru_update_10kib: large,
    wru_delete: deleted,
    wru_batch_100_per_object: batch / 100,
    wru_compaction_per_update: await compactionCost(table),
  };
}

/** Brings the view up to date and nothing else. @returns write units since the last call */
async function view(cluster: string, meter: Meter): Promise<number> {
  await logOf(await coldResource(meter, cluster)).view.materialize(() => true);
  return meter.read().wru;
}

/** What it takes to remove an update's slot from the table, a day and a week later. */
async function compactionCost(table: Table): Promise<number> {
  const meter = metered(table);
  const store = storeOver(meter);
  const pods = (await store.createCluster("compaction")).resource("pods");
  for (let index = 0; index < fewObjects; index++) await done(pods.commit(write(keyOf(index), smallPod(index))));
  for (let index = 0; index < writes; index++)
    await done(pods.commit(write(keyOf(index % fewObjects), smallPod(index % fewObjects, index))));
  while (await store.maintain("compaction", forever));
  await systemClock.sleep(1_100); // DynamoDB's clock has whole seconds.
  meter.read();
  while (await storeOver(meter, briefly).maintain("compaction", forever));
  return meter.read().wru / (writes + fewObjects);
}

async function readCosts(table: Table): Promise<Record<string, number>> {
  const store = storeOver(table);
  const pods = (await store.createCluster("reads")).resource("pods");
  await commitAll(
    pods,
    Array.from({ length: 1_000 }, (_, index) => write(keyOf(index), smallPod(index))),
  );
  await store.maintain("reads", forever);

  const meter = metered(table);
  const list = { prefix: "", at: "newest" } as const;
  const cold = await coldResource(meter, "reads");
  meter.read();
  await cold.get(keyOf(1));
  const coldGet = meter.read().rru;
  await cold.get(keyOf(1));
  const warmGet = meter.read().rru;

  const other = await coldResource(meter, "reads");
  meter.read();
  const coldBegun = performance.now();
  await other.list(list);
  const coldMs = performance.now() - coldBegun;
  const coldList = meter.read().rru;
  await other.list(list);
  const unchanged = meter.read().rru;
  for (let index = 0; index < 10; index++) await done(pods.commit(write(keyOf(index), smallPod(index, 1))));
  await other.list(list);
  const changed = meter.read().rru;
  const rounds = 100;
  const begun = performance.now();
  for (let round = 0; round < rounds; round++) await other.list(list);
  return {
    rru_get_cold: coldGet,
    rru_get_warm: warmGet,
    rru_list_1000_cold: coldList,
    rru_list_1000_warm_unchanged: unchanged,
    rru_list_1000_warm_10_changed: changed,
    list_1000_ms_cold: coldMs,
    list_1000_ms_warm: (performance.now() - begun) / rounds,
  };
}

/** A watch on which nothing happens, for as long as it takes to become idle and then some. */
async function watchCost(table: Table): Promise<Record<string, number>> {
  const meter = metered(table);
  const pods = await coldResource(meter, "reads");
  const { revision } = await pods.list({ prefix: "", limit: 1, at: "newest" });
  const stop = new AbortController();
  const watching = (async () => {
    for await (const _ of pods.watch({ prefix: "", after: revision, signal: stop.signal }));
  })();
  await systemClock.sleep(3_000);
  meter.read();
  const idleMs = 6_000;
  await systemClock.sleep(idleMs);
  const { rru } = meter.read();
  stop.abort();
  await watching;
  return { rru_watch_idle_per_min: (rru * 60_000) / idleMs };
}

/** The same update, warm and cold, among few objects and among many. */
async function updateCostAmong(table: Table, manyObjects: number): Promise<Record<string, number>> {
  const results: Record<string, number> = {};
  for (const [name, count] of [
    ["100_pods", fewObjects],
    ["100000_pods", manyObjects],
  ] as const) {
    const cluster = `among-${count}`;
    const store = storeOver(table);
    const pods = (await store.createCluster(cluster)).resource("pods");
    await pods.list({ prefix: "", at: "newest" });
    for (let start = 0; start < count; start += 500) {
      await commitAll(
        pods,
        Array.from({ length: Math.min(500, count - start) }, (_, n) => write(keyOf(start + n), smallPod(start + n))),
      );
    }
    while (await store.maintain(cluster, forever));
    const meter = metered(table);
    const writer = await coldResource(meter, cluster);
    meter.read();
    await done(writer.commit(write(keyOf(0), smallPod(0, 3))));
    results[`rru_update_cold_among_${name}`] = meter.read().rru;
    await view(cluster, meter);
    const begun = performance.now();
    const rounds = 20;
    for (let index = 0; index < rounds; index++) await done(writer.commit(write(keyOf(index), smallPod(index, 7))));
    results[`update_ms_among_${name}`] = (performance.now() - begun) / rounds;
    const { wru, rru } = meter.read();
    results[`wru_update_among_${name}`] = (wru + (await view(cluster, meter))) / rounds;
    results[`rru_update_among_${name}`] = rru / rounds;
  }
  return { ...results, pods_stored: manyObjects };
}
