/** EventBridge Scheduler on a laptop: one-shot and repeating schedules, kept in the records, that start functions. */
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";
import type { Records } from "../state/records.ts";

export interface Schedule {
  readonly group: string;
  readonly name: string;
  /** Such as `at(2026-11-20T10:00:00)`, in UTC. */
  readonly expression: string;
  /** When it is due (first), in milliseconds since the epoch. */
  readonly dueAt: number;
  /** Function ARN or name. */
  readonly target: string;
  /** JSON text that the function gets. */
  readonly input: string;
  readonly deleteAfterCompletion: boolean;
  readonly createdAt: number;
}

export interface Schedules {
  get(group: string, name: string): Schedule | undefined;
  all(): readonly Schedule[];
  /** @returns false when there is one of this name already */
  create(schedule: Schedule): boolean;
  delete(group: string, name: string): boolean;
  /** Runs something every so often, first after one interval. Not kept: whoever starts the process says it again. */
  every(intervalMs: number, run: () => void): void;
  stop(): void;
}

/** Timers of Node cannot wait longer than 24.8 days; an hour also bounds what a suspended laptop does to them. */
const longestSleepMs = 60 * 60_000;

const idOf = (group: string, name: string) => `${group}/${name}`;

export function createSchedules(options: {
  readonly records: Records;
  readonly clock: Clock;
  readonly log: Log;
  readonly start: (target: string, event: unknown) => void;
}): Schedules {
  const { records, clock, log, start } = options;
  const known = records.all<Schedule>("scheduler.schedule");
  const repeating: { readonly intervalMs: number; dueAt: number; readonly run: () => void }[] = [];
  const stopped = new AbortController();
  let changed = new AbortController();

  const remove = (id: string): boolean => {
    records.delete("scheduler.schedule", id);
    return known.delete(id);
  };
  const fire = (now: number) => {
    for (const [id, schedule] of known) {
      if (schedule.dueAt > now || done.has(id)) continue;
      if (schedule.deleteAfterCompletion) remove(id);
      else done.add(id);
      start(schedule.target, JSON.parse(schedule.input));
    }
    for (const one of repeating) {
      if (one.dueAt > now) continue;
      one.dueAt = now + one.intervalMs;
      one.run();
    }
  };
  /** Schedules that ran and stay listed. */
  const done = new Set<string>();
  const loop = async () => {
    while (!stopped.signal.aborted) {
      const now = clock.now().getTime();
      fire(now);
      const dues = [...known].filter(([id]) => !done.has(id)).map(([, { dueAt }]) => dueAt);
      const next = Math.min(...dues, ...repeating.map(({ dueAt }) => dueAt), now + longestSleepMs);
      await clock.sleep(Math.max(0, next - now), AbortSignal.any([stopped.signal, changed.signal])).catch(() => undefined);
      if (changed.signal.aborted) changed = new AbortController();
    }
  };
  loop().catch((error: unknown) => log.error("scheduler stopped", { error }));

  return {
    get: (group, name) => known.get(idOf(group, name)),
    all: () => [...known.values()],
    create(schedule) {
      const id = idOf(schedule.group, schedule.name);
      if (known.has(id)) return false;
      records.put("scheduler.schedule", id, schedule);
      known.set(id, schedule);
      changed.abort();
      return true;
    },
    delete: (group, name) => remove(idOf(group, name)),
    every(intervalMs, run) {
      repeating.push({ intervalMs, dueAt: clock.now().getTime() + intervalMs, run });
      changed.abort();
    },
    stop: () => stopped.abort(),
  };
}
