/** An asynchronous sequence with a regular tick between its items. */
import type { Clock } from "../runtime/clock.ts";

export interface Ticks {
  readonly clock: Clock;
  /** Undefined: no ticks. */
  readonly everyMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Items in order, each taken only when the one before was consumed; `"tick"` when that much time has passed since the last one. */
export async function* interleave<T>(
  items: AsyncIterable<T>,
  { clock, everyMs, signal }: Ticks,
): AsyncGenerator<T | "tick", void, undefined> {
  if (everyMs === undefined) {
    yield* items;
    return;
  }
  const iterator = items[Symbol.asyncIterator]();
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  let due = false;
  let wake: (() => void) | undefined;
  const tick = async () => {
    try {
      await clock.sleep(everyMs, stopped);
    } catch {
      return; // Nobody listens any more.
    }
    due = true;
    wake?.();
  };
  void tick();
  try {
    let settled: { readonly done: boolean } | undefined;
    let pending = iterator.next();
    const arm = () => {
      settled = undefined;
      const settle = () => {
        settled = { done: true };
        wake?.();
      };
      pending.then(settle, settle);
    };
    arm();
    for (;;) {
      if (settled !== undefined) {
        const result = await pending;
        if (result.done) return;
        yield result.value;
        pending = iterator.next();
        arm();
      } else if (due) {
        due = false;
        void tick();
        yield "tick";
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    stop.abort();
    // Not awaited: it would wait for an item that may never come. The caller's signal ends the sequence.
    iterator.return?.().catch(() => {});
  }
}
