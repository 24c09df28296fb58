/**
 * The planning core: a snapshot of Pods and Nodes in, decisions out. Pure. Filter, score and pack, Pods of higher priority first.
 *
 * Inter-pod affinity, topology spread and preemption will enter here: the first two as filters whose answer depends on what was placed
 * (beside host ports), preemption after the packing of a priority.
 */
import { isDeepStrictEqual } from "node:util";
import type { Node, Pod } from "../api/generated/types.ts";
import { controllerOf } from "../api/objects.ts";
import { type Amounts, sum } from "./amounts.ts";
import { explain, type OccupiedNode } from "./explain.ts";
import { emptyNode, fixedObstacle, volumeObstacle } from "./filters.ts";
import { preference } from "./node-affinity.ts";
import { type PackClass, pack } from "./pack.ts";
import { bookedFor, collide, hostPorts } from "./requests.ts";
import { untolerated } from "./taints.ts";
import { claimNamesOf, type PodVolumes, type Preparation } from "./volumes/pod-volumes.ts";

export interface Snapshot {
  readonly nodes: Iterable<Node>;
  readonly pods: Iterable<Pod>;
  /** What the claims of a Pod mean for its place; undefined for a Pod without any. */
  readonly volumes?: (pod: Pod) => PodVolumes | undefined;
}

export interface Plan {
  readonly bindings: readonly { readonly pod: Pod; readonly node: string }[];
  /** Places that are chosen, and what has to be written before the Pods can be bound. */
  readonly preparing: readonly { readonly pod: Pod; readonly node: string; readonly preparations: readonly Preparation[] }[];
  /** Pods that fit nowhere, with the message for condition and event. */
  readonly unschedulable: readonly { readonly pod: Pod; readonly message: string }[];
  /** Pods that wait for their scheduling gates to be removed. */
  readonly gated: readonly Pod[];
}

export const schedulerName = "default-scheduler";

/** A Pod that no longer uses anything of its Node. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** A Pod that waits for this scheduler. */
export const isPending = (pod: Pod): boolean =>
  !pod.spec.nodeName &&
  pod.metadata.deletionTimestamp === undefined &&
  (pod.spec.schedulerName ?? schedulerName) === schedulerName &&
  !isTerminal(pod);

export function planScheduling(snapshot: Snapshot): Plan {
  const nodes = [...snapshot.nodes].toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  const pods = [...snapshot.pods];
  const pending = pods.filter(isPending);
  const gated = pending.filter((pod) => (pod.spec.schedulingGates ?? []).length > 0);
  const volumes = new Map(pending.map((pod) => [pod, snapshot.volumes?.(pod)]));
  const occupied = occupy(nodes, pods);
  const left: Pod[] = [];
  const queue: Pod[] = [];
  for (const pod of pending.filter((pod) => (pod.spec.schedulingGates ?? []).length === 0)) {
    const its = volumes.get(pod);
    if (its?.type === "blocked") left.push(pod);
    // It keeps its place while its volumes are made there.
    else if (its?.type === "awaited") reserve(occupied, its.node, pod);
    else queue.push(pod);
  }

  const bindings: { pod: Pod; node: string }[] = [];
  const preparing: { pod: Pod; node: string; preparations: readonly Preparation[] }[] = [];
  for (const group of byPriority(queue.toSorted(inQueueOrder(volumes)))) {
    for (const { pod, node } of packGroup(group, occupied, volumes)) {
      if (node === undefined) {
        left.push(pod);
        continue;
      }
      add(node, pod);
      const its = volumes.get(pod);
      const preparations = its?.type === "open" ? its.preparations(node.node) : [];
      const place = { pod, node: node.node.metadata.name };
      if (preparations.length > 0) preparing.push({ ...place, preparations });
      else bindings.push(place);
    }
  }
  return { bindings, preparing, gated, unschedulable: left.map((pod) => ({ pod, message: explain(pod, occupied, volumes.get(pod)) })) };
}

type VolumesByPod = ReadonlyMap<Pod, PodVolumes | undefined>;

/** A Node being filled. */
interface Filling extends OccupiedNode {
  booked: Amounts;
  readonly ports: ReturnType<typeof hostPorts>;
  readonly priorities: number[];
  /** Something stands on it that is not on every Node anyway. */
  inUse: boolean;
}

function add(node: Filling, pod: Pod): void {
  node.booked = sum(node.booked, bookedFor(pod));
  node.ports.push(...hostPorts(pod));
  node.priorities.push(pod.spec.priority ?? 0);
  if (controllerOf(pod)?.kind !== "DaemonSet") node.inUse = true;
}

function reserve(nodes: readonly Filling[], name: string, pod: Pod): void {
  const node = nodes.find(({ node }) => node.metadata.name === name);
  if (node) add(node, pod);
}

function occupy(nodes: readonly Node[], pods: readonly Pod[]): Filling[] {
  const occupied = nodes.map((node): Filling => ({ ...emptyNode(node), ports: [], priorities: [], inUse: false }));
  const byName = new Map(occupied.map((node) => [node.node.metadata.name, node]));
  for (const pod of pods) {
    const node = pod.spec.nodeName ? byName.get(pod.spec.nodeName) : undefined;
    if (node && !isTerminal(pod)) add(node, pod);
  }
  return occupied;
}

const priorityOf = (pod: Pod) => pod.spec.priority ?? 0;
const nameOf = (pod: Pod) => `${pod.metadata.namespace}/${pod.metadata.name}`;

/** Priority, then whose place was chosen before (its volumes are there), then age, then name. */
const inQueueOrder =
  (volumes: VolumesByPod) =>
  (one: Pod, other: Pod): number =>
    priorityOf(other) - priorityOf(one) ||
    Number(isCommitted(volumes.get(other))) - Number(isCommitted(volumes.get(one))) ||
    compare(one.metadata.creationTimestamp, other.metadata.creationTimestamp) ||
    compare(nameOf(one), nameOf(other));

const isCommitted = (volumes: PodVolumes | undefined): boolean => volumes?.type === "open" && volumes.committed;

const compare = (one: string, other: string) => (one === other ? 0 : one < other ? -1 : 1);

function byPriority(queue: readonly Pod[]): Pod[][] {
  const groups: Pod[][] = [];
  for (const pod of queue) {
    const group = groups.at(-1);
    if (group?.[0] && priorityOf(group[0]) === priorityOf(pod)) group.push(pod);
    else groups.push([pod]);
  }
  return groups;
}

/** Everything the filters and scores read of a Pod: Pods of which it is equal share one class. */
const classFacts = (pod: Pod) => ({
  requests: bookedFor(pod),
  ports: hostPorts(pod),
  selector: pod.spec.nodeSelector ?? {},
  affinity: pod.spec.affinity?.nodeAffinity ?? {},
  tolerations: pod.spec.tolerations ?? [],
  claims: claimNamesOf(pod).map((name) => `${pod.metadata.namespace ?? ""}/${name}`),
});
type ClassFacts = ReturnType<typeof classFacts>;

function packGroup(
  pods: readonly Pod[],
  nodes: readonly Filling[],
  volumes: VolumesByPod,
): { readonly pod: Pod; readonly node: Filling | undefined }[] {
  const classes: { readonly facts: ClassFacts; readonly example: Pod }[] = [];
  const byText = new Map<string, number>();
  const classOf = pods.map((pod) => {
    const facts = classFacts(pod);
    const text = JSON.stringify(facts);
    let index = byText.get(text);
    if (index === undefined) {
      index = classes.findIndex((other) => isDeepStrictEqual(other.facts, facts));
      if (index < 0) index = classes.push({ facts, example: pod }) - 1;
      byText.set(text, index);
    }
    return index;
  });

  const dimensions = [...new Set(["cpu", "memory", "pods", ...classes.flatMap(({ facts }) => Object.keys(facts.requests))])];
  const vector = (amounts: Amounts) => Float64Array.from(dimensions, (dimension) => amounts[dimension] ?? 0);
  const portsOf = (index: number) => classes[index]?.facts.ports ?? [];
  const packClasses = classes.map(({ facts, example }): PackClass => {
    const candidates = nodes.flatMap(({ node }, index) =>
      fixedObstacle(example, node) || volumeObstacle(volumes.get(example), node)
        ? []
        : [{ node: index, preference: preference(example, node) - disliked(example, node) }],
    );
    const base = { requests: vector(facts.requests), candidates };
    if (facts.ports.length === 0) return base;
    const collides = (others: ClassFacts["ports"]) => facts.ports.some((wanted) => others.some((taken) => collide(wanted, taken)));
    return {
      ...base,
      fitsPorts: (node, placed) => !collides(nodes[node]?.ports ?? []) && !placed.some((other) => collides(portsOf(other))),
    };
  });

  const placement = pack({
    pods: classOf,
    classes: packClasses,
    capacity: nodes.map(({ allocatable }) => vector(allocatable)),
    free: nodes.map(({ allocatable, booked }) => vector(subtract(allocatable, booked))),
    inUse: nodes.map(({ inUse }) => inUse),
  });
  return pods.map((pod, index) => ({ pod, node: nodes[placement[index] ?? -1] }));
}

function subtract(from: Amounts, amounts: Amounts): Amounts {
  const left: Record<string, number> = {};
  for (const resource of Object.keys(from)) left[resource] = (from[resource] ?? 0) - (amounts[resource] ?? 0);
  return left;
}

/** Each `PreferNoSchedule` taint that is not tolerated weighs as much as the strongest preference. */
const disliked = (pod: Pod, node: Node): number => 100 * untolerated(node.spec?.taints, pod.spec.tolerations, ["PreferNoSchedule"]).length;
