/** Decides what a ReplicaSet needs: Pods to adopt, release, create or delete, and what its status says. Pure. */
import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "../../api/generated/types.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { conditionOf, timestamp, withoutCondition } from "../common/conditions.ts";
import { childNames, childPrefix } from "../common/names.ts";
import { claim } from "../common/owners.ts";
import { isActive, isAvailable, isReady, isTerminating, nextAvailability } from "../common/pods.ts";
import { inDeletionOrder } from "./deletion-order.ts";

/** At most this many Pods are made or deleted in one go, as upstream does: a typo in `replicas` should not fill a cluster at once. */
const burst = 500;

export type Action =
  | { readonly type: "adoptPod"; readonly pod: Pod }
  | { readonly type: "releasePod"; readonly pod: Pod }
  | { readonly type: "createPod"; readonly name: string }
  | { readonly type: "deletePod"; readonly pod: Pod };

export interface ReplicaSetState {
  readonly replicaSet: ReplicaSet;
  /** Pods whose controller it is. */
  readonly owned: readonly Pod[];
  /** Pods of the namespace without a controller. */
  readonly orphans: readonly Pod[];
  /** Pods of all ReplicaSets with the same controller: they make nodes crowded. */
  readonly related: readonly Pod[];
  /** Revision at which all this is true. */
  readonly revision: number;
  /** Whether a Pod of that name exists in the namespace. */
  readonly taken: (name: string) => boolean;
  readonly now: Date;
}

/** First ownership, and only when that is settled numbers: both in one plan would count Pods that may turn out not to be ours. */
export function planReplicaSet({ replicaSet, owned, orphans, related, revision, taken, now }: ReplicaSetState): Action[] {
  const { held, toAdopt, toRelease } = claim(
    replicaSet,
    labelMatcher(replicaSet.spec.selector),
    owned.filter(isActive),
    orphans.filter(isActive),
  );
  if (toAdopt.length + toRelease.length > 0) {
    return [
      ...toRelease.map((pod) => ({ type: "releasePod", pod }) as const),
      ...toAdopt.map((pod) => ({ type: "adoptPod", pod }) as const),
    ];
  }
  if (replicaSet.metadata.deletionTimestamp) return [];

  const surplus = held.length - (replicaSet.spec.replicas ?? 1);
  if (surplus < 0) {
    const { name, uid } = replicaSet.metadata;
    const names = childNames(childPrefix(name), uid, revision, Math.min(-surplus, burst), taken);
    return names.map((name) => ({ type: "createPod", name }));
  }
  return inDeletionOrder(held, related, now)
    .slice(0, Math.min(surplus, burst))
    .map((pod) => ({ type: "deletePod", pod }));
}

export interface Failure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

/**
 * The status after a plan was carried out. Fields and conditions of others stay as they are.
 * @param owned Pods whose controller it is, as they are now
 */
export function replicaSetStatus(replicaSet: ReplicaSet, owned: readonly Pod[], failure: Failure | undefined, now: Date): ReplicaSetStatus {
  const selector = labelMatcher(replicaSet.spec.selector);
  const templateLabels = labelMatcher({ matchLabels: replicaSet.spec.template?.metadata?.labels ?? {} });
  const held = owned.filter(({ metadata }) => selector.matches(metadata.labels));
  const active = held.filter(isActive);
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const conditions = replicaSet.status?.conditions ?? [];
  return {
    ...replicaSet.status,
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) => templateLabels.matches(metadata.labels)).length || undefined,
    readyReplicas: active.filter(isReady).length || undefined,
    availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length || undefined,
    terminatingReplicas: held.filter(isTerminating).length,
    observedGeneration: replicaSet.metadata.generation,
    conditions: withFailure(conditions, failure, now),
  };
}

function withFailure(
  conditions: readonly ReplicaSetCondition[],
  failure: Failure | undefined,
  now: Date,
): ReplicaSetCondition[] | undefined {
  const others = withoutCondition(conditions, "ReplicaFailure");
  if (!failure) return others.length > 0 ? others : undefined;
  // The first failure's time and words stay, so that a failure that repeats does not write a status each time.
  if (conditionOf(conditions, "ReplicaFailure")) return [...conditions];
  return [...others, { type: "ReplicaFailure", status: "True", lastTransitionTime: timestamp(now), ...failure }];
}

/** When the status changes by the mere passing of time. */
export const nextReplicaSetCheck = (replicaSet: ReplicaSet, owned: readonly Pod[], now: Date): Date | undefined =>
  nextAvailability(owned.filter(isActive), replicaSet.spec.minReadySeconds ?? 0, now);
