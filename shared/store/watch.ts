/**
 * Watches: every reader walks the log at its own pace. What is in memory is shared by all; who falls behind what is kept is ended,
 * never skipped.
 */
import type { LogCache } from "./cache.ts";
import { checkFloor, nextSlots, positionAfter } from "./history.ts";
import type { Poller } from "./poller.ts";
import type { ResourceLog } from "./resource-log.ts";
import { revisionAt } from "./slot.ts";
import { CompactedError, SlowReaderError, type WatchItem, type WatchQuery } from "./store.ts";

export async function* watchLog(log: ResourceLog, poller: Poller, query: WatchQuery): AsyncGenerator<WatchItem> {
  const { prefix, after, signal } = query;
  const { clock } = log.parts.patience;
  const bell = new Bell();
  const detach = poller.attach(() => bell.ring());
  const onAbort = () => bell.ring();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let position = positionAfter(after);
    let progressAt = clock.now().getTime();
    /** The cache in which this reader has once been at the head. */
    let live: LogCache | undefined;
    const first = await log.fresh(log.arrive());
    if (after < revisionAt(log.parts.birth, 0)) throw new CompactedError(after, revisionAt(log.parts.birth, 0));
    await checkFloor(log, first, after);
    while (!signal.aborted) {
      const cache = await log.opened();
      const step = await nextSlots(log, cache, position);
      if (!step.current && live === cache) throw new SlowReaderError(`the reader of ${log.parts.keys.slots} is too slow`);
      if (step.current) live = cache;
      const { revision } = cache.head;
      position = step.position;
      for (const slot of step.slots) {
        for (const change of slot.changes) {
          if (change.object.revision <= after || !change.object.key.startsWith(prefix)) continue;
          yield { type: "change", change };
          if (signal.aborted) return;
        }
      }
      if (!step.current || position.slot <= cache.head.slot) continue;
      if (cache.head.closed) throw new CompactedError(after, cache.head.revision);
      const now = clock.now().getTime();
      if (now - progressAt >= log.parts.settings.progressMs && revision >= after) {
        progressAt = now;
        // Nothing else would show that the cluster of a log without a slot is gone.
        if (cache.head.slot === log.parts.birth) await log.fresh(log.arrive());
        yield { type: "progress", revision };
        continue;
      }
      await bell.rung();
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    detach();
  }
}

/** Remembers one ring until somebody listens. */
class Bell {
  #rung = false;
  #listener: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#listener?.();
  }

  async rung(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#listener = resolve;
      });
    }
    this.#listener = undefined;
    this.#rung = false;
  }
}
