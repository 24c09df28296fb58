/**
 * On which Nodes the Pods of a DaemonSet belong, and what ties each to its own. Pure.
 * @see k8s.io/kubernetes/pkg/controller/daemon/util
 */
import type { Affinity, DaemonSet, Node, NodeSelector, Pod, PodSpec, Toleration } from "../../api/generated/types.ts";
import { matchesNode } from "../../scheduler/node-affinity.ts";
import { untolerated } from "../../scheduler/taints.ts";

const nodeName = "metadata.name";

/** Trouble of a Node that is no reason to leave it: what a DaemonSet does there is wanted just then. */
const troubles: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const networkTrouble: Toleration = { key: "node.kubernetes.io/network-unavailable", operator: "Exists", effect: "NoSchedule" };

const isSame = (one: Toleration, other: Toleration): boolean =>
  one.key === other.key && one.effect === other.effect && one.operator === other.operator && (one.value ?? "") === (other.value ?? "");

/** The template's own tolerations, and those that every Pod of a DaemonSet has. */
export function tolerationsOf(spec: Pick<PodSpec, "tolerations" | "hostNetwork"> | undefined): Toleration[] {
  const wanted = [...troubles, ...(spec?.hostNetwork ? [networkTrouble] : [])];
  const own = (spec?.tolerations ?? []).map((toleration) => wanted.find((other) => isSame(other, toleration)) ?? toleration);
  return [...own, ...wanted.filter((toleration) => !own.includes(toleration))];
}

export interface Eligibility {
  /** A Pod is to be made there. */
  readonly runs: boolean;
  /** One that is there may stay. */
  readonly stays: boolean;
}

const never: Eligibility = { runs: false, stays: false };

/** By labels and taints; whether there is room is the scheduler's to say. */
export function eligibility({ spec: { template } }: DaemonSet, node: Node): Eligibility {
  const spec: PodSpec = template.spec ?? { containers: [] };
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return never;
  if (!matchesNode({ spec } as Pod, node)) return never;
  const tolerations = tolerationsOf(spec);
  if (untolerated(node.spec?.taints, tolerations, ["NoSchedule", "NoExecute"]).length === 0) return { runs: true, stays: true };
  return { runs: false, stays: untolerated(node.spec?.taints, tolerations, ["NoExecute"]).length === 0 };
}

/** The affinity with its requirements about Nodes replaced: the Pod can stand on this one only. */
export function tiedTo(name: string, affinity: Affinity | undefined): Affinity {
  const required: NodeSelector = { nodeSelectorTerms: [{ matchFields: [{ key: nodeName, operator: "In", values: [name] }] }] };
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } };
}

/** The Node that a Pod stands on, or is tied to. Undefined when it says nothing of the kind. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const field = terms.flatMap(({ matchFields = [] }) => matchFields).find(({ key, operator }) => key === nodeName && operator === "In");
  return field?.values?.length === 1 ? field.values[0] : undefined;
}
