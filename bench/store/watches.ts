/** How long after a commit was acknowledged a watch in another process hears of it. */
import { fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { type Bed, storeOver } from "./bed.ts";
import { percentile } from "./figures.ts";
import { keyOf, smallPod } from "./pods.ts";
import { done, write } from "./proposals.ts";
import type { Heard } from "./watcher.ts";

/** Writes come as they do in a busy cluster, and not in step with the polls. */
const pauses = { least: 5, most: 95 };

export async function watchLatency(bed: Bed, durationMs: number): Promise<Record<string, number>> {
  const store = storeOver(bed.table);
  const pods = (await store.createCluster("watches")).resource("pods");
  await done(pods.commit(write("first/one", smallPod(0))));
  const { revision } = await pods.list({ prefix: "", limit: 1, at: "newest" });

  const heardAt = new Map<number, number>();
  const child = fork(new URL("./watcher.ts", import.meta.url), [bed.endpoint, bed.tableName, "watches", String(revision)], {
    stdio: "inherit",
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`the watcher ended with ${code}`)));
    });
    child.on("message", (heard: Heard) => heardAt.set(heard.revision, heard.at));
    const committedAt = new Map<number, number>();
    const until = performance.now() + durationMs;
    for (let count = 0; performance.now() < until; count++) {
      const outcome = await pods.commit(write(keyOf(count % 100), smallPod(count % 100, count)));
      if (outcome.type === "committed") committedAt.set(outcome.object.revision, performance.timeOrigin + performance.now());
      await pause(pauses.least + Math.random() * (pauses.most - pauses.least));
    }
    for (const deadline = performance.now() + 5_000; heardAt.size < committedAt.size && performance.now() < deadline; ) await pause(20);
    const late = [...committedAt].map(([each, at]) => Math.max(0, (heardAt.get(each) ?? Number.POSITIVE_INFINITY) - at));
    return {
      watch_latency_ms_p50: percentile(late, 0.5),
      watch_latency_ms_p99: percentile(late, 0.99),
      watch_changes: committedAt.size,
    };
  } finally {
    child.kill();
  }
}
