/**
 * EventBridge on a laptop, as far as it can hurt: delivery is at least once and in no promised order. A share of the events, drawn at
 * random, comes again or comes late, so that nobody gets used to better.
 */
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Event, EventSink } from "../ecs/events.ts";

export interface Disorder {
  /** Share of events that are delivered a second time, 0 to 1. */
  readonly duplicates: number;
  /** Share of events that later ones may overtake, 0 to 1. */
  readonly late: number;
  /** Longest that a late event or a duplicate is held back, in milliseconds. */
  readonly longestDelayMs: number;
}

export const usualDisorder: Disorder = { duplicates: 0.02, late: 0.05, longestDelayMs: 40 };

export interface Bus extends EventSink {
  stop(): void;
}

/** @param random between 0 and 1 */
export function createBus(options: {
  readonly deliver: (event: Event) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly disorder: Disorder;
}): Bus {
  const { deliver, clock, random, disorder } = options;
  const stopped = new AbortController();
  const later = (event: Event) =>
    clock.sleep(1 + random() * (disorder.longestDelayMs - 1), stopped.signal).then(
      () => deliver(event),
      () => undefined,
    );
  return {
    publish(event) {
      if (stopped.signal.aborted) return;
      if (random() < disorder.late) void later(event);
      // Not within the call that caused it: on AWS nobody waits for the delivery of an event either.
      else setImmediate(() => stopped.signal.aborted || deliver(event));
      if (random() < disorder.duplicates) void later(event);
    },
    stop: () => stopped.abort(),
  };
}
