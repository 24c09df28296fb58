/** Why a Pod stays pending, as kube-scheduler words it. @see k8s.io/kubernetes/pkg/scheduler/framework, FitError */
import type { Pod } from "../api/generated/types.ts";
import { type Occupancy, obstacles } from "./filters.ts";
import type { PodVolumes } from "./volumes/pod-volumes.ts";

/** Reasons with the number of Nodes each holds for: `1 Insufficient cpu, 2 node(s) were unschedulable`. */
function histogram(nodes: number, reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const lines = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted((one, other) => (one < other ? -1 : 1));
  return `0/${nodes} nodes are available: ${lines.join(", ")}.`;
}

/** A Node and the priorities of the Pods on it. */
export interface OccupiedNode extends Occupancy {
  readonly priorities: readonly number[];
}

/** What the plugin for resource claims has to say about every Pod that it cannot help. */
const noClaims = "no new claims to deallocate";
const notHelpful = "Preemption is not helpful for scheduling";

/** The whole message of `FailedScheduling` and of the condition. @param volumes of the Pod, where it has claims */
export function explain(pod: Pod, nodes: readonly OccupiedNode[], volumes?: PodVolumes): string {
  if (nodes.length === 0) return "no nodes available to schedule pods";
  if (volumes?.type === "blocked") {
    const preemption = histogram(
      nodes.length,
      nodes.map(() => notHelpful),
    );
    return `0/${nodes.length} nodes are available: ${volumes.message}. ${noClaims}, preemption: ${preemption}`;
  }
  const found = nodes.map((node) => ({ node, obstacles: obstacles(pod, node, volumes) }));
  const why = histogram(
    nodes.length,
    found.flatMap(({ obstacles }) => obstacles.map(({ reason }) => reason)),
  );
  if (pod.spec.preemptionPolicy === "Never") return `${why} ${noClaims}, preemption: not eligible due to preemptionPolicy=Never.`;

  const priority = pod.spec.priority ?? 0;
  const preemption = found.map(({ node, obstacles }) => {
    if (obstacles.some(({ resolvable }) => !resolvable)) return notHelpful;
    const victims = node.priorities.some((other) => other < priority);
    // Pods of lower priority are there: moving them out of the way is not part of the plan yet, and the message says so.
    return victims ? "Preemption of pods with lower priority is not supported yet" : "No preemption victims found for incoming pod";
  });
  return `${why} ${noClaims}, preemption: ${histogram(nodes.length, preemption)}`;
}
