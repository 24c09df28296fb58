/**
 * What a kubelet checks before it takes a Pod: a Pod may have been bound by anybody.
 * @see k8s.io/kubernetes/pkg/kubelet/lifecycle, predicateAdmitHandler
 */
import type { Node, Pod } from "../api/generated/types.ts";
import { type Amounts, amountsOf, sum } from "../scheduler/amounts.ts";
import { shortages } from "../scheduler/filters.ts";
import { matchesNode } from "../scheduler/node-affinity.ts";
import { bookedFor, collide, hostPorts } from "../scheduler/requests.ts";
import { untolerated } from "../scheduler/taints.ts";

export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

const predicate = (name: string, why: string): Rejection => ({ reason: name, message: `Predicate ${name} failed: ${why}` });

/** @param others Pods that this Node has already taken, and those that come first */
export function admit(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  if (pod.spec.os?.name && pod.spec.os.name !== (node.metadata.labels?.["kubernetes.io/os"] ?? "linux")) {
    return { reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  const allocatable = amountsOf(node.status?.allocatable);
  const booked: Amounts = sum(...others.map(bookedFor));
  const [short] = shortages(bookedFor(pod), { allocatable, booked });
  if (short) {
    const { resource, requested, used, capacity } = short;
    return {
      reason: `OutOf${resource}`,
      message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
    };
  }
  if (!matchesNode(pod, node)) return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  const taken = others.flatMap(hostPorts);
  if (hostPorts(pod).some((port) => taken.some((other) => collide(port, other)))) {
    return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  if (untolerated(node.spec?.taints, pod.spec.tolerations, ["NoExecute"]).length > 0) {
    return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

/** Everything that weighs when a Pod is admitted: bound Pods by Node, in the order in which they came. */
export function podsByNode(pods: Iterable<Pod>): ReadonlyMap<string, readonly Pod[]> {
  const found = new Map<string, Pod[]>();
  for (const pod of pods) {
    const { nodeName } = pod.spec;
    if (!nodeName) continue;
    const list = found.get(nodeName);
    if (list) list.push(pod);
    else found.set(nodeName, [pod]);
  }
  return found;
}
