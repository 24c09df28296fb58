/** A clock whose time passes by itself: as fast as the machine allows, in the order in which sleepers are due. */
import type { Clock } from "../../shared/runtime/clock.ts";

export interface RunningClock extends Clock {
  /** Jumps ahead, as time does for a process that was frozen. Sleepers wake afterwards. */
  jump(ms: number): void;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export function runningClock(start = "2026-06-01T00:00:00Z"): RunningClock {
  let now = Date.parse(start);
  let running = false;
  const sleepers = new Set<Sleeper>();

  /** Wakes one sleeper a turn, so that everything which is ready runs before the next one is due. */
  const turn = () => {
    const next = [...sleepers].sort((one, other) => one.at - other.at)[0];
    running = next !== undefined;
    if (!next) return;
    sleepers.delete(next);
    now = Math.max(now, next.at);
    next.wake();
    setImmediate(turn);
  };

  return {
    now: () => new Date(now),
    jump(ms) {
      now += ms;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const stop = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const wake = () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        };
        const sleeper: Sleeper = { at: now + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", stop, { once: true });
        if (!running) {
          running = true;
          setImmediate(turn);
        }
      }),
  };
}
