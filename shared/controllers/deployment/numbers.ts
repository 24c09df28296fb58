/** How many Pods a rollout may have too many or too few. */
import type { Deployment } from "../../api/generated/types.ts";

/** An absolute number, or a percentage of `total`. @param round in favour of whom a fraction is decided */
export function scaledValue(value: number | string | undefined, total: number, round: "up" | "down"): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  if (percent === undefined) throw new Error(`invalid value for IntOrString: ${value}`);
  return round === "up" ? Math.ceil((Number(percent) * total) / 100) : Math.floor((Number(percent) * total) / 100);
}

export const desiredReplicas = ({ spec }: Deployment): number => spec.replicas ?? 1;

export const isRollingUpdate = ({ spec }: Deployment): boolean => (spec.strategy?.type ?? "RollingUpdate") === "RollingUpdate";

/** Surge is rounded up and unavailability down. When both come to nothing a rollout could not move: then one may be unavailable. */
function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const total = desiredReplicas(deployment);
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? { maxSurge: "25%", maxUnavailable: "25%" };
  const surge = scaledValue(maxSurge, total, "up");
  const unavailable = scaledValue(maxUnavailable, total, "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const maxSurge = (deployment: Deployment): number => (isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0);

export function maxUnavailable(deployment: Deployment): number {
  const total = desiredReplicas(deployment);
  return isRollingUpdate(deployment) && total > 0 ? Math.min(fenceposts(deployment).unavailable, total) : 0;
}

/** Pods that may exist at a time. */
export const maxReplicas = (deployment: Deployment): number => desiredReplicas(deployment) + maxSurge(deployment);
