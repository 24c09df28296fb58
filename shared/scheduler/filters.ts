/**
 * Why a Pod cannot stand on a Node, in kube-scheduler's words and order: a Node that fails one filter is not asked the next.
 * @see k8s.io/kubernetes/pkg/scheduler/framework/plugins
 */
import type { Node, Pod } from "../api/generated/types.ts";
import { type Amounts, amountsOf } from "./amounts.ts";
import { matchesNode } from "./node-affinity.ts";
import { bookedFor, collide, type HostPort, hostPorts } from "./requests.ts";
import { tolerates, unschedulableTaint, untolerated } from "./taints.ts";
import type { PodVolumes } from "./volumes/pod-volumes.ts";

/** What stands on a Node. */
export interface Occupancy {
  readonly node: Node;
  readonly allocatable: Amounts;
  readonly booked: Amounts;
  readonly ports: readonly HostPort[];
}

export interface Obstacle {
  readonly reason: string;
  /** False when no other Pod's leaving could help. */
  readonly resolvable: boolean;
}

const never = (reason: string): Obstacle => ({ reason, resolvable: false });

/** Filters that no other Pod influences: the answer is the same for all Pods of a class. */
export function fixedObstacle(pod: Pod, node: Node): Obstacle | undefined {
  const tolerations = pod.spec.tolerations ?? [];
  if (node.spec?.unschedulable && !tolerations.some((toleration) => tolerates(toleration, unschedulableTaint))) {
    return never("node(s) were unschedulable");
  }
  if (pod.spec.nodeName && pod.spec.nodeName !== node.metadata.name) return never("node(s) didn't match the requested node name");
  if (untolerated(node.spec?.taints, tolerations, ["NoSchedule", "NoExecute"]).length > 0) return never("node(s) had untolerated taint(s)");
  if (!matchesNode(pod, node)) return never("node(s) didn't match Pod's node affinity/selector");
  return undefined;
}

/** One resource that a Node has too little of. Units as in {@link Amounts}. */
export interface Shortage {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** Every resource of which too little is left. */
export function shortages(requests: Amounts, { allocatable, booked }: Pick<Occupancy, "allocatable" | "booked">): Shortage[] {
  const found: Shortage[] = [];
  for (const resource of Object.keys(requests).toSorted(inUpstreamOrder)) {
    const requested = requests[resource] ?? 0;
    const used = booked[resource] ?? 0;
    const capacity = allocatable[resource] ?? 0;
    if (requested > 0 && used + requested > capacity) found.push({ resource, requested, used, capacity });
  }
  return found;
}

const first = ["pods", "cpu", "memory", "ephemeral-storage"];
const rank = (resource: string) => (first.includes(resource) ? first.indexOf(resource) : first.length);
const inUpstreamOrder = (one: string, other: string) => rank(one) - rank(other) || (one < other ? -1 : 1);

const shortageReason = ({ resource }: Shortage): string => (resource === "pods" ? "Too many pods" : `Insufficient ${resource}`);

/** Everything that keeps a Pod off a Node; empty when it fits. @param volumes of the Pod, where it has claims */
export function obstacles(pod: Pod, occupancy: Occupancy, volumes?: PodVolumes): Obstacle[] {
  const fixed = fixedObstacle(pod, occupancy.node);
  if (fixed) return [fixed];
  if (hostPorts(pod).some((wanted) => occupancy.ports.some((taken) => collide(wanted, taken)))) {
    return [{ reason: "node(s) didn't have free ports for the requested pod ports", resolvable: true }];
  }
  const found = shortages(bookedFor(pod), occupancy);
  const resolvable = found.every(({ resource, requested, capacity }) => resource === "pods" || requested <= capacity);
  if (found.length > 0) return found.map((shortage) => ({ reason: shortageReason(shortage), resolvable }));
  const unreachable = volumeObstacle(volumes, occupancy.node);
  return unreachable ? [unreachable] : [];
}

/** What keeps a Pod off a Node because of its claims. */
export const volumeObstacle = (volumes: PodVolumes | undefined, node: Node): Obstacle | undefined =>
  volumes?.type === "open" ? volumes.obstacle(node) : undefined;

/** A Node without Pods. A Node that does not say how many Pods it takes takes none, as upstream. */
export const emptyNode = (node: Node): Occupancy => ({
  node,
  allocatable: amountsOf(node.status?.allocatable),
  booked: {},
  ports: [],
});
