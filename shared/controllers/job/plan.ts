/**
 * Decides what a Job needs: Pods to make and delete, which finished Pods to count, and when it is over. Pure.
 *
 * Each finished Pod counts exactly once, even if it is deleted soon: it carries a finalizer until its uid has stood in
 * `status.uncountedTerminatedPods`, and its uid moves from there into a counter only when the finalizer is gone.
 */
import type { Job, JobCondition, JobStatus, Pod } from "../../api/generated/types.ts";
import { wholeNumber } from "../../api/json.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { conditionOf, timestamp, withoutCondition } from "../common/conditions.ts";
import { childNames, childPrefix } from "../common/names.ts";
import { type Claims, claim } from "../common/owners.ts";
import { isActive, isReady, isTerminating } from "../common/pods.ts";
import { inDeletionOrder } from "../replicaset/deletion-order.ts";
import { hasFailed, judgeFailure, nextPodAt, restartsExceed, waitsForTheEnd } from "./failures.ts";
import { formatIndexes, indexOf, parseIndexes } from "./indexes.ts";

export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
/** At most this many Pods are made or deleted in one go, as upstream does. */
const burst = 500;
const ownManager = "kubernetes.io/job-controller";

export interface JobState {
  readonly job: Job;
  /** Pods whose controller it is. */
  readonly owned: readonly Pod[];
  /** Pods of the namespace without a controller. */
  readonly orphans: readonly Pod[];
  /** Revision of the list of Pods. */
  readonly revision: number;
  readonly taken: (name: string) => boolean;
  readonly now: Date;
}

export interface NewPod {
  readonly name: string;
  /** `generateName`. */
  readonly prefix: string;
  /** Of an Indexed Job. */
  readonly index?: number;
}

export interface JobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface JobPlan {
  readonly adopt: readonly Pod[];
  readonly release: readonly Pod[];
  readonly create: readonly NewPod[];
  /** Pods to end; they count as failed. */
  readonly delete: readonly Pod[];
  /** Pods to take back (the Job was suspended, or wants fewer): they do not count. */
  readonly discard: readonly Pod[];
  /** To be written after Pods were made and deleted, and before finalizers are removed. Undefined: as it is. */
  readonly status?: JobStatus;
  /** Pods that need not be kept for counting any more. */
  readonly unpin: readonly Pod[];
  /** The Job has been over for long enough. */
  readonly expire: boolean;
  readonly events: readonly JobEvent[];
  readonly again?: Date;
}

const nothing: JobPlan = { adopt: [], release: [], create: [], delete: [], discard: [], unpin: [], expire: false, events: [] };

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) ?? false;

export const finishedCondition = ({ status }: Job): JobCondition | undefined =>
  status?.conditions?.find(({ type, status: value }) => (type === "Complete" || type === "Failed") && value === "True");

export function planJob(state: JobState): JobPlan {
  const { job, now } = state;
  if ((job.spec.managedBy ?? ownManager) !== ownManager) return nothing;
  const over = finishedCondition(job);
  if (over) return { ...nothing, unpin: state.owned.filter(isTracked), ...expiry(job, over, now) };

  const { held, toAdopt, toRelease } = claimed(state);
  if (toAdopt.length + toRelease.length > 0) return { ...nothing, adopt: toAdopt, release: toRelease };

  const count = countFinished(job, held);
  const active = held.filter(isActive);
  const terminating = held.filter(isTerminating).length;
  const base: Base = { state, held, count, active, terminating };
  const verdict = judge(base);
  const plan = verdict ? finish(base, verdict) : proceed(base);
  return { ...plan, unpin: held.filter((pod) => isTracked(pod) && count.uncounted.has(pod.metadata.uid)) };
}

/** The server fills in the selector. Should it be missing, ownership alone counts: or Pods would be made without end. */
function claimed({ job, owned, orphans }: JobState): Claims<Pod> {
  if (!job.spec.selector) return { held: owned, toAdopt: [], toRelease: [] };
  return claim(job, labelMatcher(job.spec.selector), owned, orphans);
}

interface Base {
  readonly state: JobState;
  readonly held: readonly Pod[];
  readonly count: Count;
  readonly active: readonly Pod[];
  readonly terminating: number;
}

interface Count {
  /** All Pods that ever succeeded or failed; for an Indexed Job the indexes that succeeded. */
  readonly succeeded: number;
  readonly failed: number;
  readonly indexes: ReadonlySet<number>;
  /** Counters as they stand in the status, and the uids that are on their way into them. */
  readonly counted: { readonly succeeded: number; readonly failed: number };
  readonly pending: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  readonly uncounted: ReadonlySet<string>;
}

const uidOf = ({ metadata }: Pod): string => metadata.uid;

function countFinished(job: Job, pods: readonly Pod[]): Count {
  const status = job.status ?? {};
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid));
  const before = { succeeded: status.uncountedTerminatedPods?.succeeded ?? [], failed: status.uncountedTerminatedPods?.failed ?? [] };
  const known = new Set([...before.succeeded, ...before.failed]);
  const fresh = pods.filter((pod) => isTracked(pod) && !known.has(pod.metadata.uid));
  const succeeded = fresh.filter(({ status: its }) => its?.phase === "Succeeded");
  const failed = fresh.filter((pod) => hasFailed(job, pod));

  const indexed = job.spec.completionMode === "Indexed";
  const indexes = parseIndexes(status.completedIndexes);
  const completions = job.spec.completions ?? 0;
  if (indexed) {
    for (const pod of pods) {
      const index = indexOf(pod);
      if (index !== undefined && index < completions && pod.status?.phase === "Succeeded" && isTracked(pod)) indexes.add(index);
    }
  }
  const stillTracked = (uid: string) => tracked.has(uid);
  const counts = failed.filter((pod) => judgeFailure(job, pod).action !== "Ignore");
  const pending = {
    succeeded: [...before.succeeded.filter(stillTracked), ...succeeded.map(uidOf)],
    failed: [...before.failed.filter(stillTracked), ...counts.map(uidOf)],
  };
  const settled = (uids: readonly string[]) => uids.filter((uid) => !stillTracked(uid)).length;
  const counted = {
    succeeded: (status.succeeded ?? 0) + settled(before.succeeded),
    failed: (status.failed ?? 0) + settled(before.failed),
  };
  return {
    succeeded: indexed ? indexes.size : counted.succeeded + pending.succeeded.length,
    failed: counted.failed + pending.failed.length,
    indexes,
    counted: indexed ? { ...counted, succeeded: indexes.size } : counted,
    pending,
    // What does not count either way need not be kept.
    uncounted: new Set([...pending.succeeded, ...pending.failed, ...failed.map(uidOf)]),
  };
}

interface Verdict {
  readonly type: "Complete" | "Failed";
  readonly reason: string;
  readonly message: string;
}

/** Whether the Job is over, but for the Pods that still run. */
function judge({ state: { job, now }, held, count, active }: Base): Verdict | undefined {
  const conditions = job.status?.conditions;
  const success = conditionOf(conditions, "SuccessCriteriaMet");
  if (success?.status === "True") return { type: "Complete", reason: success.reason ?? "", message: success.message ?? "" };
  const failure = conditionOf(conditions, "FailureTarget");
  if (failure?.status === "True") return { type: "Failed", reason: failure.reason ?? "", message: failure.message ?? "" };

  for (const pod of held.filter((pod) => pod.status?.phase === "Failed")) {
    const judgement = judgeFailure(job, pod);
    if (judgement.action === "FailJob") return { type: "Failed", reason: "PodFailurePolicy", message: judgement.message };
  }
  if (count.failed > (job.spec.backoffLimit ?? 6) || restartsExceed(job, held)) {
    return { type: "Failed", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  }
  const deadline = deadlineOf(job);
  if (deadline && deadline.getTime() <= now.getTime()) {
    return { type: "Failed", reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
  }
  const { completions } = job.spec;
  const enough = completions === undefined ? count.succeeded > 0 : count.succeeded >= completions;
  if (!enough || active.length > 0) return undefined;
  return { type: "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
}

const isSuspended = ({ spec }: Job): boolean => spec.suspend === true;

/** The last instant that a Date can name. */
const endOfTime = 8.64e15;

function deadlineOf(job: Job): Date | undefined {
  const { activeDeadlineSeconds } = job.spec;
  const { startTime } = job.status ?? {};
  if (activeDeadlineSeconds === undefined || startTime === undefined || isSuspended(job)) return undefined;
  return new Date(Math.min(Date.parse(startTime) + wholeNumber(activeDeadlineSeconds) * 1_000, endOfTime));
}

/** Ends what still runs; the last word is said when nothing does, and every Pod has been counted. */
function finish(base: Base, verdict: Verdict): Omit<JobPlan, "unpin"> {
  const { state, active, terminating, count } = base;
  const { job, now } = state;
  const interim = verdict.type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
  let conditions = withCondition(job.status?.conditions ?? [], { type: interim, status: "True", ...pick(verdict) }, now);
  const isOver = active.length === 0 && terminating === 0 && count.uncounted.size === 0;
  if (isOver) conditions = withCondition(conditions, { type: verdict.type, status: "True", ...pick(verdict) }, now);
  const status = statusOf(base, [], terminating + active.length, conditions);
  const event: JobEvent =
    verdict.type === "Complete"
      ? { type: "Normal", reason: "Completed", message: "Job completed" }
      : { type: "Warning", reason: verdict.reason, message: verdict.message };
  return {
    ...nothing,
    delete: active,
    status: { ...status, ...(isOver && verdict.type === "Complete" && { completionTime: timestamp(now) }) },
    events: isOver ? [event] : [],
  };
}

const pick = ({ reason, message }: Verdict) => ({ reason, message });

/** Makes and deletes Pods until as many run as should. */
function proceed(base: Base): Omit<JobPlan, "unpin"> {
  const { state, active, terminating } = base;
  const { job, now } = state;
  const before = job.status?.conditions ?? [];
  const suspended = conditionOf(before, "Suspended")?.status === "True";
  const deadline = deadlineOf(job);

  if (isSuspended(job)) {
    const conditions = withCondition(before, { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" }, now);
    const { startTime: _start, ...status } = statusOf(base, [], terminating + active.length, conditions);
    const events: JobEvent[] = suspended ? [] : [{ type: "Normal", reason: "Suspended", message: "Job suspended" }];
    return { ...nothing, discard: active, status, events };
  }
  const conditions = suspended
    ? withCondition(before, { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" }, now)
    : before;
  const events: JobEvent[] = suspended ? [{ type: "Normal", reason: "Resumed", message: "Job resumed" }] : [];
  const startTime = suspended ? timestamp(now) : (job.status?.startTime ?? timestamp(now));

  const { create, remove, waitUntil } = job.metadata.deletionTimestamp ? { create: [], remove: [], waitUntil: undefined } : changes(base);
  const left = active.filter((pod) => !remove.includes(pod));
  const status = { ...statusOf(base, left, terminating + remove.length, conditions, create.length), startTime };
  const times = [waitUntil, deadline ?? deadlineOf({ ...job, status })].filter((time) => time !== undefined).map((time) => time.getTime());
  return { ...nothing, create, discard: remove, status, events, ...(times.length > 0 && { again: new Date(Math.min(...times)) }) };
}

interface Changes {
  readonly create: readonly NewPod[];
  readonly remove: readonly Pod[];
  readonly waitUntil: Date | undefined;
}

function changes({ state, held, count, active, terminating }: Base): Changes {
  const { job, now } = state;
  const { completions, parallelism = 1 } = job.spec;
  const unbounded = count.succeeded > 0 ? active.length : parallelism;
  const wanted = completions === undefined ? unbounded : Math.max(0, Math.min(parallelism, completions - count.succeeded));
  const superfluous = superfluousPods(job, active, count);
  const rest = inDeletionOrder(
    active.filter((pod) => !superfluous.includes(pod)),
    active,
    now,
  );
  const remove = [...superfluous, ...rest.slice(0, Math.max(0, rest.length - wanted))].slice(0, burst);
  if (remove.length > 0) return { create: [], remove, waitUntil: undefined };

  const missing = wanted - active.length - (waitsForTheEnd(job) ? terminating : 0);
  if (missing <= 0) return { create: [], remove, waitUntil: undefined };
  const waitUntil = nextPodAt(job, held, now);
  return { create: waitUntil ? [] : newPods(state, active, count, Math.min(missing, burst)), remove, waitUntil };
}

/** Of an Indexed Job: Pods whose index has another, is done, or does not exist. */
function superfluousPods(job: Job, active: readonly Pod[], { indexes }: Count): Pod[] {
  if (job.spec.completionMode !== "Indexed") return [];
  const seen = new Set<number>();
  return active.filter((pod) => {
    const index = indexOf(pod);
    if (index === undefined || index >= (job.spec.completions ?? 0) || indexes.has(index) || seen.has(index)) return true;
    seen.add(index);
    return false;
  });
}

function newPods({ job, revision, taken }: JobState, active: readonly Pod[], { indexes }: Count, count: number): NewPod[] {
  const { name, uid } = job.metadata;
  if (job.spec.completionMode !== "Indexed") {
    const prefix = childPrefix(name);
    return childNames(prefix, uid, revision, count, taken).map((pod) => ({ name: pod, prefix }));
  }
  const running = new Set(active.map(indexOf));
  const pending: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && pending.length < count; index++) {
    if (!indexes.has(index) && !running.has(index)) pending.push(index);
  }
  return pending.flatMap((index) => {
    const prefix = childPrefix(`${name}-${index}`);
    return childNames(prefix, uid, revision, 1, taken).map((pod) => ({ name: pod, prefix, index }));
  });
}

/** Fields and conditions of others stay as they are. */
function statusOf(
  { state: { job }, count }: Base,
  active: readonly Pod[],
  terminating: number,
  conditions: readonly JobCondition[],
  created = 0,
): JobStatus {
  const { succeeded, failed } = count.pending;
  return {
    ...job.status,
    active: active.length + created || undefined,
    ready: active.filter(isReady).length,
    terminating,
    succeeded: count.counted.succeeded || undefined,
    failed: count.counted.failed || undefined,
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 && { succeeded: [...succeeded] }),
      ...(failed.length > 0 && { failed: [...failed] }),
    },
    ...(job.spec.completionMode === "Indexed" && { completedIndexes: formatIndexes(count.indexes) || undefined }),
    conditions: conditions.length > 0 ? [...conditions] : undefined,
  };
}

/** The condition stays as it is while status and reason do. */
function withCondition(conditions: readonly JobCondition[], next: JobCondition, now: Date): JobCondition[] {
  const current = conditionOf(conditions, next.type);
  if (current?.status === next.status && current.reason === next.reason) return [...conditions];
  const time = timestamp(now);
  return [...withoutCondition(conditions, next.type), { ...next, lastProbeTime: time, lastTransitionTime: time }];
}

function expiry({ spec, metadata }: Job, { lastTransitionTime }: JobCondition, now: Date): Pick<JobPlan, "expire" | "again"> {
  if (spec.ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp) return { expire: false };
  const at = new Date(Date.parse(lastTransitionTime ?? metadata.creationTimestamp) + spec.ttlSecondsAfterFinished * 1_000);
  return at.getTime() <= now.getTime() ? { expire: true } : { expire: false, again: at };
}
