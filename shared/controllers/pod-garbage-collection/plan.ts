/** What is written about a Pod before it is removed with its Node. */
import type { Pod } from "../../api/generated/types.ts";
import { timestamp, withoutCondition } from "../common/conditions.ts";

const type = "DisruptionTarget";

/** Failed, unless it had ended before, so that whoever counts its failures can tell this one apart. */
export function failedByLoss(pod: Pod, now: Date): Pod {
  const { phase } = pod.status ?? {};
  if (phase === "Failed" || phase === "Succeeded") return pod;
  const condition = {
    type,
    status: "True",
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
    lastTransitionTime: timestamp(now),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  };
  return {
    ...pod,
    status: { ...pod.status, phase: "Failed", conditions: [...withoutCondition(pod.status?.conditions ?? [], type), condition] },
  };
}
