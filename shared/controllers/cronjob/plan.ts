/**
 * Decides what a CronJob needs: whether a Job is due, which ones are history, and what its status says. Pure.
 * @see k8s.io/kubernetes/pkg/controller/cronjob
 */
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/generated/types.ts";
import { wholeNumber } from "../../api/json.ts";
import { cronJobs } from "../../api/kinds.ts";
import type { Draft } from "../../api/objects.ts";
import { copyOf } from "../../api/patch/values.ts";
import { timestamp } from "../common/conditions.ts";
import { controllerReference } from "../common/owners.ts";
import { finishedCondition } from "../job/plan.ts";
import { type Due, dueTime, NeverDueError, nextLook } from "./missed.ts";
import { parseSchedule, type Schedule, ScheduleError } from "./schedule.ts";
import { offsetAt, zonedTimestamp } from "./zone.ts";

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
const zonesAdvice = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/";

export interface CronJobState {
  readonly cronJob: CronJob;
  /** Those it owns. */
  readonly jobs: readonly Job[];
  /** Jobs in its list of active ones that are certainly gone, by uid. */
  readonly gone: ReadonlySet<string>;
  /** A Job of that name, whoever owns it. */
  readonly job: (name: string) => Job | undefined;
  /** Times up to this one belong to an earlier schedule, and are not caught up with. */
  readonly notBefore: Date | undefined;
  readonly now: Date;
}

export interface CronJobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface CronJobPlan {
  /** Finished Jobs beyond the limits, and those that make room for the next. To be done first. */
  readonly delete: readonly Job[];
  /** The Job that is due. Its reference is added to the list of active ones when it is there. */
  readonly create?: { readonly draft: Draft<Job> & { readonly metadata: { readonly name: string } }; readonly scheduled: Date };
  readonly events: readonly CronJobEvent[];
  /** To be written after all of the above. */
  readonly status: CronJobStatus;
  readonly again?: Date;
}

const normal = (reason: string, message: string): CronJobEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): CronJobEvent => ({ type: "Warning", reason, message });

export function planCronJob(state: CronJobState): CronJobPlan {
  const { cronJob, now } = state;
  const history = beyondHistory(state);
  const { status, events } = observe(state);
  const base: CronJobPlan = { delete: history, events, status };
  if (cronJob.metadata.deletionTimestamp) return base;

  const says = (...more: readonly CronJobEvent[]): CronJobPlan => ({ ...base, events: [...events, ...more] });
  const zone = cronJob.spec.timeZone ?? "UTC";
  if (!isZone(zone)) return says(warning("UnknownTimeZone", `invalid timeZone: "${zone}": unknown time zone ${zone}`));
  if (cronJob.spec.suspend) return base;

  const { schedule: text } = cronJob.spec;
  const advice = text.includes("TZ")
    ? [
        warning(
          "UnsupportedSchedule",
          `CRON_TZ or TZ used in schedule "${text}" is not officially supported, see ${zonesAdvice} for more details`,
        ),
      ]
    : [];
  let schedule: Schedule;
  let due: Due;
  try {
    schedule = parseSchedule(text, zone);
    due = dueTime({ ...cronJob, status }, schedule, now, true);
  } catch (error) {
    if (error instanceof ScheduleError)
      return says(...advice, warning("UnparseableSchedule", `unparseable schedule: "${text}" : ${error.message}`));
    if (error instanceof NeverDueError) return says(...advice, warning("InvalidSchedule", `invalid schedule: ${text} : ${error.message}`));
    throw error;
  }
  const look = nextLook({ ...cronJob, status }, schedule, now);
  const waiting = { ...says(...advice), ...(look && { again: look }) };
  return due.latest === undefined || (state.notBefore && due.latest <= state.notBefore)
    ? waiting
    : start(state, waiting, due.latest, due.missed);
}

/** A time has passed: a Job is made, unless it is too late, was done, or another is in the way. */
function start(state: CronJobState, waiting: CronJobPlan, scheduled: Date, missed: Due["missed"]): CronJobPlan {
  const { cronJob, jobs, now } = state;
  const { startingDeadlineSeconds, concurrencyPolicy = "Allow" } = cronJob.spec;
  const tooMany = missed === "many" ? [warning("TooManyMissedTimes", tooManyMissed)] : [];
  const plan = { ...waiting, events: [...waiting.events, ...tooMany] };
  const says = (event: CronJobEvent): CronJobPlan => ({ ...plan, events: [...plan.events, event] });
  if (startingDeadlineSeconds !== undefined && scheduled.getTime() + wholeNumber(startingDeadlineSeconds) * 1_000 < now.getTime()) {
    return says(warning("MissSchedule", `Missed scheduled time to start a job: ${longDate(scheduled)}`));
  }
  const name = jobName(cronJob, scheduled);
  const active = plan.status.active ?? [];
  const isDone = active.some((reference) => reference.name === name) || plan.status.lastScheduleTime === timestamp(scheduled);
  if (isDone) return plan;
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    return says(normal("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid"));
  }

  const there = state.job(name);
  if (there) return takeUp(cronJob, there, scheduled, plan);
  const replaced = concurrencyPolicy === "Replace" ? jobs.filter(({ metadata }) => active.some(({ uid }) => uid === metadata.uid)) : [];
  const remaining = active.filter(({ uid }) => !replaced.some(({ metadata }) => metadata.uid === uid));
  return {
    ...plan,
    delete: [...plan.delete, ...replaced],
    status: withActive(plan.status, remaining),
    create: { draft: jobOf(cronJob, name, scheduled), scheduled },
  };
}

const tooManyMissed = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";

/** The Job was made before, and the function that made it ended before it could write that down; or somebody else made it. */
function takeUp(cronJob: CronJob, job: Job, scheduled: Date, plan: CronJobPlan): CronJobPlan {
  const isOurs = job.metadata.ownerReferences?.some(({ uid, controller }) => uid === cronJob.metadata.uid && controller === true);
  return isOurs ? { ...plan, status: started(plan.status, job, scheduled) } : plan;
}

/** The status once a Job is there. */
export function started(status: CronJobStatus, job: Job, scheduled: Date): CronJobStatus {
  const active = finishedCondition(job) ? (status.active ?? []) : [...(status.active ?? []), referenceTo(job)];
  return { ...withActive(status, active), lastScheduleTime: timestamp(scheduled) };
}

const referenceTo = ({ metadata: { name, namespace, uid, resourceVersion } }: Job): ObjectReference => ({
  apiVersion: "batch/v1",
  kind: "Job",
  name,
  namespace,
  uid,
  resourceVersion,
});

function withActive(status: CronJobStatus, active: ObjectReference[]): CronJobStatus {
  const { active: _active, ...rest } = status;
  return active.length > 0 ? { ...rest, active } : rest;
}

/** Which Jobs run, and when one last succeeded. */
function observe({ cronJob, jobs, gone }: CronJobState): { readonly status: CronJobStatus; readonly events: CronJobEvent[] } {
  const events: CronJobEvent[] = [];
  const before = cronJob.status ?? {};
  const listed = new Set((before.active ?? []).map(({ uid }) => uid));
  let lastSuccessful = before.lastSuccessfulTime;
  const finished = new Set<string | undefined>();
  for (const job of jobs) {
    const over = finishedCondition(job);
    const isListed = listed.has(job.metadata.uid);
    if (!over) {
      if (!isListed && !isScheduledNow(cronJob, job)) {
        events.push(warning("UnexpectedJob", `Saw a job that the controller did not create or forgot: ${job.metadata.name}`));
      }
      continue;
    }
    finished.add(job.metadata.uid);
    if (isListed) events.push(normal("SawCompletedJob", `Saw completed job: ${job.metadata.name}, condition: ${over.type}`));
    const { completionTime } = job.status ?? {};
    if (over.type === "Complete" && completionTime && (!lastSuccessful || completionTime > lastSuccessful)) lastSuccessful = completionTime;
  }
  for (const { uid = "", name } of before.active ?? []) {
    if (gone.has(uid)) events.push(normal("MissingJob", `Active job went missing: ${name}`));
  }
  const active = (before.active ?? []).filter(({ uid = "" }) => !finished.has(uid) && !gone.has(uid));
  return { status: { ...withActive(before, active), ...(lastSuccessful && { lastSuccessfulTime: lastSuccessful }) }, events };
}

/** Made by us a moment ago: its place in the list is about to be written. */
const isScheduledNow = ({ metadata, status }: CronJob, job: Job): boolean => {
  const minutes = Number(job.metadata.name.slice(`${metadata.name}-`.length));
  return minutes * 60_000 > Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp) - 60_000;
};

/** Finished Jobs, the oldest first, that are more than the limits allow. */
function beyondHistory({ cronJob: { spec }, jobs }: CronJobState): Job[] {
  const surplus = (type: string, limit: number | undefined): Job[] => {
    const finished = jobs.filter((job) => finishedCondition(job)?.type === type && !job.metadata.deletionTimestamp);
    return limit === undefined ? [] : finished.toSorted(byStart).slice(0, Math.max(0, finished.length - limit));
  };
  return [...surplus("Complete", spec.successfulJobsHistoryLimit), ...surplus("Failed", spec.failedJobsHistoryLimit)];
}

/** Jobs that never began come last. */
function byStart(one: Job, other: Job): number {
  const [first, second] = [one.status?.startTime ?? "~", other.status?.startTime ?? "~"];
  if (first !== second) return first < second ? -1 : 1;
  return one.metadata.name < other.metadata.name ? -1 : 1;
}

/** The same for the same time, so that no time has two Jobs. */
const jobName = ({ metadata }: CronJob, scheduled: Date): string => `${metadata.name}-${Math.floor(scheduled.getTime() / 60_000)}`;

function jobOf(cronJob: CronJob, name: string, scheduled: Date): Draft<Job> & { readonly metadata: { readonly name: string } } {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    metadata: {
      name,
      namespace: cronJob.metadata.namespace ?? "",
      labels: { ...metadata?.labels },
      annotations: { ...metadata?.annotations, [scheduledAnnotation]: zonedTimestamp(scheduled.getTime(), cronJob.spec.timeZone ?? "UTC") },
      ownerReferences: [controllerReference(cronJobs, cronJob)],
    },
    spec: copyOf(spec ?? { template: {} }),
  };
}

function isZone(zone: string): boolean {
  try {
    offsetAt(0, zone);
    return true;
  } catch {
    return false;
  }
}

/** `Thu, 01 Jan 2026 00:05:00 +0000` */
const longDate = (time: Date): string => time.toUTCString().replace("GMT", "+0000");
