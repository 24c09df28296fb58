/** Decides what a PodDisruptionBudget's status says: how many Pods should be healthy, how many are, and how many may go. Pure. */
import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { controllerOf, type OwnerReference } from "../../api/objects.ts";
import { conditionOf, timestamp, withoutCondition } from "../common/conditions.ts";
import { isReady } from "../common/pods.ts";
import { scaledValue } from "../deployment/numbers.ts";

/** How long an eviction that was granted may take until its Pod is seen being deleted; then it is taken for failed. */
const deletionTimeoutMs = 2 * 60_000;

const allowed = "DisruptionAllowed";

/** Who decides how many there are of some Pods, and how many these are. */
export interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

export interface BudgetState {
  readonly budget: PodDisruptionBudget;
  /** Those that the budget selects. */
  readonly pods: readonly Pod[];
  /** Undefined for owners without a number of Pods. */
  readonly scaleOf: (owner: OwnerReference) => Scale | undefined;
  readonly now: Date;
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** When the status changes by the mere passing of time. */
  readonly again?: Date;
  /** Why the budget cannot be worked out: nothing may be evicted then. */
  readonly failure?: string;
  /** Pods that count, but that nobody would replace. */
  readonly unmanaged: readonly Pod[];
}

export function planBudget({ budget, pods, scaleOf, now }: BudgetState): BudgetPlan {
  const before = budget.status ?? {};
  const expected = expectedPods(budget, pods, scaleOf);
  if ("failure" in expected) {
    const condition = { status: "False", reason: "SyncFailed", message: expected.failure, observedGeneration: before.observedGeneration };
    const conditions = withAllowed(before.conditions, condition, now);
    return { status: { ...before, disruptionsAllowed: 0, conditions }, failure: expected.failure, unmanaged: [] };
  }

  const { expectedPods: count, desiredHealthy, unmanaged } = expected;
  const { disruptedPods, again } = stillDisrupted(before, pods, now);
  const currentHealthy = pods
    .filter(({ metadata }) => !metadata.deletionTimestamp && !Object.hasOwn(disruptedPods, metadata.name))
    .filter(isReady).length;
  // A budget that covers no Pod yet allows nothing: its first ones may come before it is looked at again.
  const disruptionsAllowed = count > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const observedGeneration = budget.metadata.generation;
  const isAllowed = disruptionsAllowed > 0;
  return {
    status: {
      ...before,
      currentHealthy,
      desiredHealthy,
      expectedPods: count,
      disruptionsAllowed,
      disruptedPods: Object.keys(disruptedPods).length > 0 ? disruptedPods : undefined,
      observedGeneration,
      conditions: withAllowed(
        before.conditions,
        {
          status: isAllowed ? "True" : "False",
          reason: isAllowed ? "SufficientPods" : "InsufficientPods",
          message: "",
          observedGeneration,
        },
        now,
      ),
    },
    ...(again && { again }),
    unmanaged,
  };
}

type Expected = { readonly expectedPods: number; readonly desiredHealthy: number; readonly unmanaged: readonly Pod[] };

/** A whole number of Pods that must be there needs no look at who made them; a share of them, or a number that may be missing, does. */
function expectedPods(
  { spec }: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleOf: BudgetState["scaleOf"],
): Expected | { readonly failure: string } {
  const { maxUnavailable, minAvailable } = spec;
  if (typeof minAvailable === "number" && maxUnavailable === undefined)
    return { expectedPods: pods.length, desiredHealthy: minAvailable, unmanaged: [] };
  if (maxUnavailable === undefined && minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0, unmanaged: [] };

  const scales = new Map<string, number>();
  const unmanaged: Pod[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) {
      unmanaged.push(pod);
      continue;
    }
    const scale = scaleOf(owner);
    if (!scale) return { failure: `found no controllers for pod ${JSON.stringify(pod.metadata.name)}` };
    scales.set(scale.uid, scale.replicas);
  }
  const total = scales.values().reduce((sum, replicas) => sum + replicas, 0);
  const desired = maxUnavailable === undefined ? scaledValue(minAvailable, total, "up") : total - scaledValue(maxUnavailable, total, "up");
  return { expectedPods: total, desiredHealthy: Math.max(0, desired), unmanaged };
}

/** Evictions that were granted and whose Pods are not yet seen being deleted. */
function stillDisrupted(
  { disruptedPods = {} }: PodDisruptionBudgetStatus,
  pods: readonly Pod[],
  now: Date,
): { readonly disruptedPods: Record<string, string>; readonly again?: Date } {
  const ends = pods.flatMap(({ metadata: { name, deletionTimestamp } }) => {
    const since = disruptedPods[name];
    if (since === undefined || deletionTimestamp) return [];
    const until = Date.parse(since) + deletionTimeoutMs;
    return until > now.getTime() ? [{ name, since, until }] : [];
  });
  return {
    disruptedPods: Object.fromEntries(ends.map(({ name, since }) => [name, since])),
    ...(ends.length > 0 && { again: new Date(Math.min(...ends.map(({ until }) => until))) }),
  };
}

/** The time is that of the last change of the status, not of its reason. */
function withAllowed(conditions: readonly Condition[] = [], given: Omit<Condition, "type" | "lastTransitionTime">, now: Date): Condition[] {
  const before = conditionOf(conditions, allowed);
  const lastTransitionTime = before?.status === given.status ? before.lastTransitionTime : timestamp(now);
  return [...withoutCondition(conditions, allowed), { ...given, type: allowed, lastTransitionTime }];
}
