/** What a Deployment's status says, with the reasons and messages that kubectl and others wait for. */
import type { Deployment, DeploymentCondition, DeploymentStatus } from "../../api/generated/types.ts";
import { conditionOf, timestamp, withoutCondition } from "../common/conditions.ts";
import { desiredReplicas, maxUnavailable } from "./numbers.ts";
import { type Member, present } from "./rollout.ts";

/** The value that means "never". */
const never = 2 ** 31 - 1;

export type ProgressReason =
  | "NewReplicaSetCreated"
  | "FoundNewReplicaSet"
  | "ReplicaSetUpdated"
  | "NewReplicaSetAvailable"
  | "ProgressDeadlineExceeded"
  | "ReplicaSetCreateError"
  | "DeploymentPaused"
  | "DeploymentResumed";

const hasDeadline = ({ spec }: Deployment): boolean => spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== never;

const progressOf = (status: DeploymentStatus): DeploymentCondition | undefined => conditionOf(status.conditions, "Progressing");

/** Nothing changes when status and reason are the same; the transition time stays when the status is. */
function withCondition(
  status: DeploymentStatus,
  type: string,
  value: "True" | "False" | "Unknown",
  reason: string,
  message: string,
  now: Date,
): DeploymentStatus {
  const current = conditionOf(status.conditions, type);
  if (current?.status === value && current.reason === reason) return status;
  const time = timestamp(now);
  const lastTransitionTime = current?.status === value ? current.lastTransitionTime : time;
  const condition = { type, status: value, lastUpdateTime: time, lastTransitionTime, reason, message };
  return { ...status, conditions: [...withoutCondition(status.conditions ?? [], type), condition] };
}

const withoutConditionOf = (status: DeploymentStatus, type: string): DeploymentStatus => ({
  ...status,
  conditions: withoutCondition(status.conditions ?? [], type),
});

/** Notes pausing and resuming, so that the time in between does not count against the deadline. */
export function withPausedCondition(deployment: Deployment, now: Date): DeploymentStatus {
  const status = deployment.status ?? {};
  const reason = progressOf(status)?.reason;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return status;
  if (deployment.spec.paused) return withCondition(status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now);
  if (reason !== "DeploymentPaused") return status;
  return withCondition(status, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now);
}

/** Says that a rollout began. */
export const withNewReplicaSet = (deployment: Deployment, status: DeploymentStatus, name: string, now: Date): DeploymentStatus =>
  hasDeadline(deployment)
    ? withCondition(status, "Progressing", "True", "NewReplicaSetCreated", `Created new replica set "${name}"`, now)
    : status;

/** For a Deployment that finds its ReplicaSet in place and never said anything about progress. */
export const withFoundReplicaSet = (deployment: Deployment, status: DeploymentStatus, name: string, now: Date): DeploymentStatus =>
  hasDeadline(deployment) && !progressOf(status)
    ? withCondition(status, "Progressing", "True", "FoundNewReplicaSet", `Found new replica set "${name}"`, now)
    : status;

/** The ReplicaSet could not be made. */
export function withCreateError(deployment: Deployment, name: string, message: string, now: Date): DeploymentStatus {
  const status = deployment.status ?? {};
  if (!hasDeadline(deployment)) return status;
  const text = `Failed to create new replica set "${name}": ${message}`;
  return withCondition(status, "Progressing", "False", "ReplicaSetCreateError", text, now);
}

/** Counts and availability. Fields and conditions of others stay as they are. */
export function observedStatus(
  deployment: Deployment,
  status: DeploymentStatus,
  olds: readonly Member[],
  newest: Member | undefined,
  now: Date,
): DeploymentStatus {
  const members = present(olds, newest);
  const count = (of: (member: Member) => number | undefined) => members.reduce((total, member) => total + (of(member) ?? 0), 0);
  const available = count((member) => member.replicaSet?.status?.availableReplicas);
  const next: DeploymentStatus = {
    ...status,
    observedGeneration: deployment.metadata.generation,
    replicas: count((member) => member.replicaSet?.status?.replicas) || undefined,
    updatedReplicas: newest?.replicaSet?.status?.replicas || undefined,
    readyReplicas: count((member) => member.replicaSet?.status?.readyReplicas) || undefined,
    availableReplicas: available || undefined,
    unavailableReplicas: Math.max(0, count(({ replicas }) => replicas) - available) || undefined,
    terminatingReplicas: count((member) => member.replicaSet?.status?.terminatingReplicas),
  };
  return available >= desiredReplicas(deployment) - maxUnavailable(deployment)
    ? withCondition(next, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    : withCondition(next, "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now);
}

/** The same, and how the rollout gets on. */
export function rolloutStatus(
  deployment: Deployment,
  status: DeploymentStatus,
  olds: readonly Member[],
  newest: Member | undefined,
  now: Date,
): DeploymentStatus {
  const observed = observedStatus(deployment, status, olds, newest, now);
  const judged = hasDeadline(deployment)
    ? judgeProgress(deployment, status, observed, newest?.name, now)
    : withoutConditionOf(observed, "Progressing");
  return withReplicaFailure(judged, olds, newest, now);
}

function judgeProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  next: DeploymentStatus,
  newest: string | undefined,
  now: Date,
): DeploymentStatus {
  const current = progressOf(status);
  // A rollout that was completed stays so, whatever becomes of its Pods later.
  if ((next.replicas ?? 0) === (next.updatedReplicas ?? 0) && current?.reason === "NewReplicaSetAvailable") return next;
  const who = newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest}"`;

  if (isComplete(deployment, next)) {
    return withCondition(next, "Progressing", "True", "NewReplicaSetAvailable", `${who} has successfully progressed.`, now);
  }
  if (madeProgress(deployment.status ?? {}, next)) {
    // Here alone the same reason counts as news: every sign of progress starts the deadline again.
    const updated = withCondition(
      withoutConditionOf(next, "Progressing"),
      "Progressing",
      "True",
      "ReplicaSetUpdated",
      `${who} is progressing.`,
      now,
    );
    if (current?.status !== "True") return updated;
    const conditions = updated.conditions?.map((condition) =>
      condition.type === "Progressing" ? { ...condition, lastTransitionTime: current.lastTransitionTime } : condition,
    );
    return { ...updated, conditions };
  }
  if (isTimedOut(deployment, next, now)) {
    return withCondition(next, "Progressing", "False", "ProgressDeadlineExceeded", `${who} has timed out progressing.`, now);
  }
  return next;
}

/** All Pods are updated and available, and no old ones are left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = desiredReplicas(deployment);
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

const oldReplicas = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);

function madeProgress(before: DeploymentStatus, after: DeploymentStatus): boolean {
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldReplicas(after) < oldReplicas(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, now: Date): boolean {
  const progress = progressOf(status);
  if (!progress || progress.reason === "NewReplicaSetAvailable") return false;
  if (progress.reason === "ProgressDeadlineExceeded") return true;
  const deadline = deadlineOf(deployment, progress);
  return deadline !== undefined && deadline < now.getTime();
}

function deadlineOf(deployment: Deployment, progress: DeploymentCondition): number | undefined {
  const from = Date.parse(progress.lastUpdateTime ?? "");
  return Number.isNaN(from) ? undefined : from + (deployment.spec.progressDeadlineSeconds ?? 0) * 1_000;
}

/** When a rollout that shows no progress is judged to have failed. */
export function nextProgressCheck(deployment: Deployment, status: DeploymentStatus): Date | undefined {
  const progress = progressOf(status);
  if (!hasDeadline(deployment) || !progress || isComplete(deployment, status)) return undefined;
  if (progress.reason === "ProgressDeadlineExceeded" || progress.reason === "NewReplicaSetAvailable") return undefined;
  const deadline = deadlineOf(deployment, progress);
  // Conditions are written in whole seconds.
  return deadline === undefined ? undefined : new Date(deadline + 1_000);
}

/** Passes on that Pods cannot be made; the newest ReplicaSet's trouble matters most. */
function withReplicaFailure(status: DeploymentStatus, olds: readonly Member[], newest: Member | undefined, now: Date): DeploymentStatus {
  const failures = [...(newest ? [newest] : []), ...olds].map((member) =>
    conditionOf(member.replicaSet?.status?.conditions, "ReplicaFailure"),
  );
  const failure = failures.find((condition) => condition !== undefined);
  if (!failure) return withoutConditionOf(status, "ReplicaFailure");
  return withCondition(status, "ReplicaFailure", failure.status as "True", failure.reason ?? "", failure.message ?? "", now);
}
