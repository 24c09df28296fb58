/** The arithmetic of rollouts: how the Pods of a Deployment are shared out among its ReplicaSets. */
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { desiredReplicas, isRollingUpdate, maxReplicas, maxUnavailable } from "./numbers.ts";
import { type Annotations, desiredReplicasAnnotation, maxReplicasAnnotation } from "./revisions.ts";

/** A ReplicaSet while a plan is being made: as it stands, and what is to become of it. */
export interface Member {
  /** Undefined: it is about to be created. */
  readonly replicaSet: ReplicaSet | undefined;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** `spec.replicas` as it stands. */
  readonly from: number;
  /** Pods that have been available for long enough. */
  readonly available: number;
  replicas: number;
  annotations: Annotations;
  minReadySeconds: number;
}

const sum = (members: readonly Member[], of: (member: Member) => number): number =>
  members.reduce((total, member) => total + of(member), 0);
const replicasOf = (members: readonly Member[]): number => sum(members, ({ replicas }) => replicas);
const active = (members: readonly Member[]): Member[] => members.filter(({ replicas }) => replicas > 0);

export const present = (olds: readonly Member[], newest: Member | undefined): Member[] => (newest ? [...olds, newest] : [...olds]);

/** Sets the size, and with it what the size was derived from: a later plan tells by that whether the Deployment was scaled since. */
export function scaleTo(deployment: Deployment, member: Member, replicas: number): void {
  member.replicas = replicas;
  member.annotations = {
    ...member.annotations,
    [desiredReplicasAnnotation]: String(desiredReplicas(deployment)),
    [maxReplicasAnnotation]: String(maxReplicas(deployment)),
  };
}

/** Tells whether a step has changed anything: a size, or what it was derived from, on which the next step may hang. */
export const sizesOf = (members: readonly Member[]): string =>
  JSON.stringify(
    members.map(({ replicas, annotations }) => [replicas, annotations[desiredReplicasAnnotation], annotations[maxReplicasAnnotation]]),
  );

/** Whether `spec.replicas` changed since the ReplicaSets were last given their sizes. */
export const isScalingEvent = (deployment: Deployment, members: readonly Member[]): boolean =>
  active(members).some(({ annotations }) => {
    const desired = annotationNumber(annotations, desiredReplicasAnnotation);
    return desired !== undefined && desired !== desiredReplicas(deployment);
  });

/**
 * Scales without rolling out. In the midst of a rollout (or of a paused one) every ReplicaSet grows or shrinks in proportion, so that
 * a bad template does not get a larger share by it.
 */
export function scaleAll(deployment: Deployment, olds: readonly Member[], newest: Member | undefined): void {
  const members = present(olds, newest);
  // A share that would fall below nothing is made up for by the others in the next step, at most until one is left.
  for (let step = 0; step <= members.length; step++) {
    const before = sizesOf(members);
    scaleStep(deployment, olds, newest);
    if (sizesOf(members) === before) return;
  }
}

function scaleStep(deployment: Deployment, olds: readonly Member[], newest: Member | undefined): void {
  const desired = desiredReplicas(deployment);
  const running = active(present(olds, newest));
  if (running.length <= 1) {
    const only = running[0] ?? newest ?? olds.toSorted((one, other) => other.created - one.created)[0];
    if (only) scaleTo(deployment, only, desired);
    return;
  }
  if (newest && isSaturated(deployment, newest)) {
    for (const old of active(olds)) scaleTo(deployment, old, 0);
    return;
  }
  if (!isRollingUpdate(deployment)) return;

  const allowed = desired > 0 ? maxReplicas(deployment) : 0;
  const toAdd = allowed - replicasOf(running);
  const newerFirst = toAdd > 0;
  const ordered = running.toSorted(
    (one, other) => other.replicas - one.replicas || (newerFirst ? other.created - one.created : one.created - other.created),
  );
  let added = 0;
  const sizes = ordered.map((member) => {
    const share = proportion(deployment, member, toAdd, added);
    added += share;
    return member.replicas + share;
  });
  ordered.forEach((member, index) => {
    const rest = index === 0 ? toAdd - added : 0;
    scaleTo(deployment, member, Math.max(0, (sizes[index] ?? 0) + rest));
  });
}

function isSaturated(deployment: Deployment, newest: Member): boolean {
  const desired = desiredReplicas(deployment);
  return (
    newest.replicas === desired &&
    newest.available === desired &&
    annotationNumber(newest.annotations, desiredReplicasAnnotation) === desired
  );
}

/** A member's share of what is to be added or removed, never more than what is left of it. */
function proportion(deployment: Deployment, member: Member, toAdd: number, added: number): number {
  if (toAdd === 0 || toAdd === added) return 0;
  const share = fraction(deployment, member);
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
}

function fraction(deployment: Deployment, { replicas, annotations }: Member): number {
  if (desiredReplicas(deployment) === 0) return -replicas;
  const before = annotationNumber(annotations, maxReplicasAnnotation) || (deployment.status?.replicas ?? 0);
  // Somebody removed the annotation, and there is no Pod to go by.
  if (before === 0) return 0;
  return Math.round((replicas * maxReplicas(deployment)) / before) - replicas;
}

/** One rollout step after the other, as far as the state allows. @param emptied whether the old ReplicaSets have no Pods any more */
export function rollOut(deployment: Deployment, olds: readonly Member[], newest: Member | undefined, emptied: boolean): void {
  if (!isRollingUpdate(deployment)) {
    for (const old of active(olds)) scaleTo(deployment, old, 0);
    if (newest && emptied && newest.replicas !== desiredReplicas(deployment)) scaleTo(deployment, newest, desiredReplicas(deployment));
    return;
  }
  // What is scaled down makes room for what is scaled up. Availability is counted as it was observed, so this comes to an end.
  if (newest) while (growNewest(deployment, olds, newest) || shrinkOlds(deployment, olds, newest));
}

/** Size of the newest ReplicaSet as far as surge allows. */
export function newestSize(deployment: Deployment, others: number, size: number): number {
  const desired = desiredReplicas(deployment);
  if (size >= desired) return desired;
  const room = maxReplicas(deployment) - others - size;
  return room > 0 ? size + Math.min(room, desired - size) : size;
}

function growNewest(deployment: Deployment, olds: readonly Member[], newest: Member): boolean {
  const size = newestSize(deployment, replicasOf(olds), newest.replicas);
  if (size === newest.replicas) return false;
  scaleTo(deployment, newest, size);
  return true;
}

function shrinkOlds(deployment: Deployment, olds: readonly Member[], newest: Member): boolean {
  const members = present(olds, newest);
  const minAvailable = desiredReplicas(deployment) - maxUnavailable(deployment);
  const unavailableNewest = newest.replicas - newest.available;
  // Pods of the newest that are not available yet must not lead to fewer old ones: that would make still more unavailable.
  const removable = replicasOf(members) - minAvailable - unavailableNewest;
  if (replicasOf(olds) === 0 || removable <= 0) return false;

  const oldestFirst = olds.toSorted((one, other) => one.created - other.created);
  // Pods that do not work anyway go first, or they would hold up the rollout until its deadline.
  let removed = 0;
  for (const old of oldestFirst) {
    const unhealthy = Math.min(old.replicas - old.available, removable - removed);
    if (old.replicas === 0 || unhealthy <= 0) continue;
    scaleTo(deployment, old, old.replicas - unhealthy);
    removed += unhealthy;
  }
  let spare = sum(members, ({ available }) => available) - minAvailable;
  for (const old of oldestFirst) {
    const count = Math.min(old.replicas, spare);
    if (count <= 0) continue;
    scaleTo(deployment, old, old.replicas - count);
    spare -= count;
    removed += count;
  }
  return removed > 0;
}

function annotationNumber(annotations: Annotations, name: string): number | undefined {
  const text = annotations[name];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
