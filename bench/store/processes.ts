/** Many processes that write to one type: rates, and whether everybody gets a turn. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Bed, coldResource, logOf, storeOver } from "./bed.ts";
import { latencies, percentile } from "./figures.ts";
import type { Measured, Orders } from "./writer.ts";

const processes = 16;
const smallWriters = 4;

type Task = Pick<Orders, "job" | "roundTripMs" | "durationMs" | "thinkMs">;

/** Starts the processes, lets them go at the same time, and waits for what they say. */
async function runTogether(bed: Bed, cluster: string, tasks: readonly Task[]): Promise<readonly Measured[]> {
  await storeOver(bed.table).createCluster(cluster);
  const children = tasks.map((task, number) => {
    const orders: Orders = { ...task, endpoint: bed.endpoint, tableName: bed.tableName, cluster, number };
    const child = spawn(process.execPath, [join(import.meta.dirname, "writer.ts"), JSON.stringify(orders)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`writer ${number} ended`);
      return value;
    };
    return { child, line };
  });
  try {
    await Promise.all(children.map(({ line }) => line()));
    for (const { child } of children) child.stdin.write("go\n");
    return await Promise.all(children.map(async ({ line }) => JSON.parse(await line()) as Measured));
  } finally {
    for (const { child } of children) child.kill();
  }
}

const allTimes = (results: readonly Measured[]): readonly number[] => results.flatMap(({ times }) => times);

/** Until the view has caught up, from the start of the slowest. @returns per second */
async function rateOf(bed: Bed, cluster: string, results: readonly Measured[]): Promise<number> {
  const begun = performance.now();
  await logOf(await coldResource(bed.table, cluster)).view.materialize(() => true);
  const catchUp = (performance.now() - begun) / 1000;
  const count = results.reduce((sum, each) => sum + each.count, 0);
  return count / (Math.max(...results.map(({ seconds }) => seconds)) + catchUp);
}

export async function manyProcesses(bed: Bed, durationMs: number): Promise<Record<string, number>> {
  const task = (job: Orders["job"], roundTripMs: number): Task => ({ job, roundTripMs, durationMs });
  const same = (each: Task) => Array.from({ length: processes }, () => each);
  const figures: Record<string, number> = {};

  // Rates take the whole window; what the engine can do, and whether everybody gets a turn, show in half of it.
  const shorter = (each: Task): Task => ({ ...each, durationMs: durationMs / 2 });
  const raw = await runTogether(bed, "processes-raw", same(shorter(task("raw", 0))));
  figures.raw_put_per_s_16_processes = raw.reduce((sum, { count, seconds }) => sum + count / seconds, 0);
  for (const [suffix, roundTripMs] of [
    ["", 0],
    ["_rtt_5ms", 5],
    ["_rtt_30ms", 30],
  ] as const) {
    const cluster = `processes-${roundTripMs}`;
    const results = await runTogether(bed, cluster, same(task("write", roundTripMs)));
    const counts = results.map(({ count }) => count);
    const perSecond = await rateOf(bed, cluster, results);
    // A log commits once per round trip: with so many processes on few cores the way to the engine is longer than what is added to it.
    const putMs = percentile(
      results.flatMap(({ puts }) => puts),
      0.5,
    );
    figures[`writes_per_s_16_processes${suffix}`] = perSecond;
    figures[`put_16_processes${suffix}_ms_p50`] = putMs;
    figures[`commits_per_put_time_16_processes${suffix}`] = (perSecond * putMs) / 1000;
    Object.assign(figures, latencies(`write_16_processes${suffix}`, allTimes(results)));
    figures[`write_16_processes${suffix}_ms_max`] = Math.max(...allTimes(results));
    figures[`fewest_share_16_processes${suffix}`] = Math.min(...counts) / (counts.reduce((sum, count) => sum + count, 0) / counts.length);
  }
  for (const [suffix, roundTripMs] of [
    ["", 0],
    ["_rtt_5ms", 5],
    ["_rtt_30ms", 30],
  ] as const) {
    const [batch, ...small] = await runTogether(bed, `batch-${roundTripMs}`, [
      { ...shorter(task("batch", roundTripMs)), thinkMs: 60 },
      ...Array.from({ length: smallWriters }, () => shorter(task("write", roundTripMs))),
    ]);
    const times = batch?.times ?? [];
    figures[`slow_batch${suffix}_commits`] = times.length;
    figures[`slow_batch${suffix}_ms_p50`] = percentile(times, 0.5);
    figures[`slow_batch${suffix}_ms_max`] = Math.max(...times);
    figures[`beside_slow_batch${suffix}_writes_per_s`] = small.reduce((sum, { count, seconds }) => sum + count / seconds, 0);
    Object.assign(figures, latencies(`beside_slow_batch${suffix}`, allTimes(small)));
  }
  return figures;
}
