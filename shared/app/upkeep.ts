/** When a cluster's logs are looked after: view, compaction, orphans. */
import type { Consumer, WakeUps } from "../runtime/consumer.ts";
import type { Ran } from "../runtime/run-consumer.ts";
import type { Core } from "./core.ts";

/** Not more often than this in one process. */
const pauseMs = 60_000;
/** At most this long at a time, and never more than half of what the invocation has left. */
const longestMs = 20_000;
/** After the last change, once more: by then its continue tokens are too old (`StoreSettings.tokenAgeMs`). */
const lastLookMs = 6 * 60_000;

/** @returns to be called after each run of the consumer that also does the upkeep */
export function createUpkeep({ core, wakeUps }: { readonly core: Core; readonly wakeUps: WakeUps }, consumer: Consumer) {
  const { clock, log } = core.platform;
  const lastAt = new Map<string, number>();
  return async (cluster: string, ran: Ran, remainingMs: number): Promise<void> => {
    const now = clock.now().getTime();
    if (ran.type === "rung" || now - (lastAt.get(cluster) ?? 0) < pauseMs) return;
    lastAt.set(cluster, now);
    try {
      const left = await core.store.maintain(cluster, { untilMs: now + Math.min(longestMs, remainingMs / 2) });
      // A run in which nothing happened arranges nothing more, so that an idle cluster comes to rest.
      if (left || ran.rounds > 0) await wakeUps.at(cluster, consumer, new Date(now + (left ? pauseMs : lastLookMs)));
    } catch (error) {
      log.warn("upkeep failed, the next run tries again", { cluster, error });
    }
  };
}
