/** Setting one condition of a Pod and leaving everything else as it is. */
import type { Pod, PodCondition } from "../api/generated/types.ts";

/** The time as Kubernetes writes it: whole seconds. */
export const timeText = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/**
 * The Pod with this condition; the same object when it already says so. `lastTransitionTime` moves only with the status.
 * `observedGeneration` follows the Pod's generation.
 */
export function withCondition(pod: Pod, wanted: PodCondition, now: Date): Pod {
  const conditions = pod.status?.conditions ?? [];
  const current = conditions.find(({ type }) => type === wanted.type);
  if (current && current.status === wanted.status && current.reason === wanted.reason && current.message === wanted.message) return pod;
  const lastTransitionTime = current?.status === wanted.status ? current.lastTransitionTime : timeText(now);
  const generation = pod.metadata.generation;
  const next: PodCondition = {
    ...wanted,
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  return {
    ...pod,
    status: { ...pod.status, conditions: current ? conditions.map((other) => (other === current ? next : other)) : [...conditions, next] },
  };
}
