/** Quality-of-service class. @see k8s.io/kubernetes/pkg/apis/core/v1/helper/qos */
import type { Pod } from "../api/generated/types.ts";
import { amountsOf, sum } from "../scheduler/amounts.ts";

const counted = ["cpu", "memory"] as const;

export function qosClass(pod: Pod): "Guaranteed" | "Burstable" | "BestEffort" {
  const all = pod.spec.resources ? [{ resources: pod.spec.resources }] : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const requests = sum(...all.map(({ resources }) => amountsOf(resources?.requests)));
  const limits = sum(...all.map(({ resources }) => amountsOf(resources?.limits)));
  if (counted.every((resource) => !requests[resource] && !limits[resource])) return "BestEffort";
  const limited = all.every(({ resources }) => counted.every((resource) => amountsOf(resources?.limits)[resource]));
  const equal = counted.every((resource) => requests[resource] === undefined || requests[resource] === limits[resource]);
  return limited && equal ? "Guaranteed" : "Burstable";
}
