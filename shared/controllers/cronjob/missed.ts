/**
 * Which time of a schedule is to be caught up with. Pure.
 * @see k8s.io/kubernetes/pkg/controller/cronjob, mostRecentScheduleTime
 */
import type { CronJob } from "../../api/generated/types.ts";
import { wholeNumber } from "../../api/json.ts";
import type { Schedule } from "./schedule.ts";

/** More than so many missed times are worth a warning. */
const many = 100;

export interface Due {
  /** From when on times were looked for. */
  readonly earliest: Date;
  /** The last time that has passed; undefined when none has. */
  readonly latest: Date | undefined;
  readonly missed: "none" | "few" | "many";
}

/** The schedule is due never, or without end. */
export class NeverDueError extends Error {
  override readonly name = "NeverDueError";
}

/**
 * @param withDeadline times before `startingDeadlineSeconds` are passed over
 * @throws {NeverDueError}
 */
export function dueTime({ metadata, spec, status }: CronJob, schedule: Schedule, now: Date, withDeadline: boolean): Due {
  let earliest = new Date(status?.lastScheduleTime ?? metadata.creationTimestamp);
  if (withDeadline && spec.startingDeadlineSeconds !== undefined) {
    const deadline = new Date(now.getTime() - wholeNumber(spec.startingDeadlineSeconds) * 1_000);
    if (deadline > earliest) earliest = deadline;
  }
  const first = schedule.next(earliest);
  const second = first && schedule.next(first);
  if (first && now < first) return { earliest, latest: undefined, missed: "none" };
  if (first && second && now < second) return { earliest, latest: first, missed: "none" };
  const spanSeconds = first && second ? Math.round((second.getTime() - first.getTime()) / 1_000) : 0;
  if (!first || spanSeconds < 1) throw new NeverDueError("time difference between two schedules is less than 1 second");

  // Counting one by one could take for ever; the last steps are taken one by one, as schedules need not be regular.
  const elapsedSeconds = Math.trunc((now.getTime() - first.getTime()) / 1_000);
  const count = Math.trunc(elapsedSeconds / spanSeconds) + 1;
  let latest: Date | undefined;
  let at = schedule.next(new Date(first.getTime() + (count - 2) * spanSeconds * 1_000));
  while (at && at <= now) {
    latest = at;
    at = schedule.next(at);
  }
  return { earliest, latest, missed: count > many ? "many" : "few" };
}

/** Clocks differ: looking a little later finds the time passed. */
const paddingMs = 100;

/** When to look again. Undefined when the schedule is never due again. */
export function nextLook(cronJob: CronJob, schedule: Schedule, now: Date): Date | undefined {
  let from = now;
  try {
    const { earliest, latest, missed } = dueTime(cronJob, schedule, now, false);
    from = latest ?? (missed === "none" ? earliest : now);
  } catch (error) {
    if (!(error instanceof NeverDueError)) throw error;
  }
  const next = schedule.next(from);
  return next && new Date(next.getTime() + paddingMs);
}
