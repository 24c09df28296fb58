/** A clock that tests move: sleepers wake when it has passed their time, never before. */
import type { Clock } from "../../shared/runtime/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on, waking who is due in order, and lets everything that follows from it settle. */
  advance(ms: number): Promise<void>;
  /** How many sleep now. */
  readonly sleeping: number;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export function fakeClock(start = "2026-01-01T00:00:00Z"): FakeClock {
  let now = Date.parse(start);
  let sleepers: Sleeper[] = [];
  return {
    now: () => new Date(now),
    get sleeping() {
      return sleepers.length;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper: Sleeper = { at: now + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener(
          "abort",
          () => {
            sleepers = sleepers.filter((other) => other !== sleeper);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
    async advance(ms) {
      const end = now + ms;
      await settled();
      while (true) {
        const next = sleepers.filter(({ at }) => at <= end).toSorted((one, other) => one.at - other.at)[0];
        if (!next) break;
        now = Math.max(now, next.at);
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        next.wake();
        await settled();
      }
      now = end;
      await settled();
    },
  };
}

/** Lets promises that are ready run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
