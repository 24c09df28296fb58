/** Which Pods go first when there are too many. */
import type { Pod } from "../../api/generated/types.ts";
import { isActive, isReady, readySince } from "../common/pods.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The Pods, those to be deleted first in front: not bound before bound, pending before running, not ready before ready, cheaper before
 * dearer, on a crowded node before alone, ready for a short time before a long time, restarted often before seldom, young before old.
 * Ages are compared by magnitude only, so that among Pods of about one age the uid decides, which is as good as chance.
 * @param related Pods of the same workload, which make a node crowded
 * @see k8s.io/kubernetes/pkg/controller, ActivePodsWithRanks
 */
export function inDeletionOrder(pods: readonly Pod[], related: readonly Pod[], now: Date): Pod[] {
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName;
    if (node && isActive(pod)) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const crowd = (pod: Pod) => onNode.get(pod.spec?.nodeName ?? "") ?? 0;
  return pods.toSorted((one, other) => compare(one, other, crowd, now));
}

const bound = (pod: Pod): number => (pod.spec?.nodeName ? 1 : 0);
const phase = (pod: Pod): number => phaseOrder[pod.status?.phase ?? "Pending"] ?? 0;
const ready = (pod: Pod): number => (isReady(pod) ? 1 : 0);

function compare(one: Pod, other: Pod, crowd: (pod: Pod) => number, now: Date): number {
  if (bound(one) !== bound(other)) return bound(one) - bound(other);

  if (phase(one) !== phase(other)) return phase(one) - phase(other);

  if (ready(one) !== ready(other)) return ready(one) - ready(other);

  if (cost(one) !== cost(other)) return cost(one) - cost(other);
  if (crowd(one) !== crowd(other)) return crowd(other) - crowd(one);

  const [readyOne, readyOther] = [readySince(one), readySince(other)];
  if (ready(one) === 1 && readyOne !== readyOther) return byAge(one, other, readyOne, readyOther, now);

  const restarts = mostRestarts(other, false) - mostRestarts(one, false) || mostRestarts(other, true) - mostRestarts(one, true);
  if (restarts !== 0) return restarts;

  const [createdOne, createdOther] = [Date.parse(one.metadata.creationTimestamp), Date.parse(other.metadata.creationTimestamp)];
  if (createdOne !== createdOther) return byAge(one, other, createdOne, createdOther, now);
  return byUid(one, other);
}

function byAge(one: Pod, other: Pod, since: number | undefined, otherSince: number | undefined, now: Date): number {
  if (since === undefined || otherSince === undefined) return since === undefined ? -1 : 1;
  return magnitude(now.getTime() - since) - magnitude(now.getTime() - otherSince) || byUid(one, other);
}

/** Of an age in milliseconds, in nanoseconds as upstream counts. */
const magnitude = (ageMs: number): number => (ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1);

const byUid = (one: Pod, other: Pod): number =>
  one.metadata.uid < other.metadata.uid ? -1 : one.metadata.uid > other.metadata.uid ? 1 : 0;

function cost(pod: Pod): number {
  const text = pod.metadata.annotations?.[costAnnotation] ?? "0";
  return /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function mostRestarts(pod: Pod, sidecars: boolean): number {
  if (!sidecars) return Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
  const names = new Set((pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name));
  const statuses = (pod.status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name));
  return Math.max(0, ...statuses.map(({ restartCount }) => restartCount));
}
