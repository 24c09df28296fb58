/**
 * Deletes Pods from Nodes whose `NoExecute` taints they do not tolerate, at once or after their toleration.
 * @see k8s.io/kubernetes/pkg/controller/tainteviction
 */
import { isDeepStrictEqual } from "node:util";
import type { Node, Pod, Taint } from "../api/generated/types.ts";
import { wholeNumber } from "../api/json.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf, type ObjectKey } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import type { Controller, ControllerContext, Observed, Result } from "../runtime/controller.ts";
import { withCondition } from "../scheduler/conditions.ts";
import { isTerminal } from "../scheduler/plan.ts";
import { tolerates } from "../scheduler/taints.ts";

/**
 * When a Pod must leave a Node with these taints, in milliseconds since the epoch.
 * @returns undefined when it may stay
 */
export function evictionTime(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  let earliest: number | undefined;
  for (const taint of taints.filter(({ effect }) => effect === "NoExecute")) {
    const tolerations = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    const since = taint.timeAdded ? Date.parse(taint.timeAdded) : now;
    const seconds = tolerations.flatMap(({ tolerationSeconds }) =>
      tolerationSeconds === undefined ? [] : [Math.max(0, wholeNumber(tolerationSeconds))],
    );
    if (tolerations.length > 0 && seconds.length === 0) continue;
    const at = tolerations.length === 0 ? now : since + Math.min(...seconds) * 1_000;
    earliest = Math.min(earliest ?? at, at);
  }
  return earliest;
}

const nodeKey = (name: string): ObjectKey => ({ namespace: "", name });
const noExecute = (node: Node | undefined) => (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");

export function taintEvictionController(): Controller {
  return {
    name: "taint-eviction-controller",
    watches: [
      {
        kind: kinds.nodes,
        keys: ({ previous, next }: Observed<Node>) =>
          next && !isDeepStrictEqual(noExecute(previous), noExecute(next)) ? [nodeKey(next.metadata.name)] : [],
      },
      {
        kind: kinds.pods,
        keys: ({ previous, next }: Observed<Pod>, context) => {
          const name = next?.spec.nodeName;
          if (!name || (previous && isDeepStrictEqual(facts(previous), facts(next)))) return [];
          return noExecute(context.lister(kinds.nodes).get(nodeKey(name))).length > 0 ? [nodeKey(name)] : [];
        },
      },
    ],
    reconcile: evict,
  };
}

const facts = (pod: Pod) => [pod.spec.nodeName, pod.spec.tolerations];

async function evict(key: ObjectKey, context: ControllerContext): Promise<Result | void> {
  const taints = noExecute(context.lister(kinds.nodes).get(key));
  if (taints.length === 0) return;
  const now = context.clock.now().getTime();
  const due: Pod[] = [];
  let next = Number.POSITIVE_INFINITY;
  for (const pod of context.lister(kinds.pods).all()) {
    if (pod.spec.nodeName !== key.name || pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) continue;
    const at = evictionTime(pod, taints, now);
    if (at === undefined) continue;
    if (at <= now) due.push(pod);
    else next = Math.min(next, at);
  }
  await Promise.all(due.map((pod) => remove(pod, context)));
  return Number.isFinite(next) ? { again: new Date(next) } : undefined;
}

async function remove(pod: Pod, context: ControllerContext): Promise<void> {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
  };
  context.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`);
  await context.client.modify(
    kinds.pods,
    keyOf(pod),
    (current) => (current.metadata.uid === pod.metadata.uid ? withCondition(current, condition, context.clock.now()) : current),
    { subresource: "status" },
  );
  try {
    await context.client.delete(kinds.pods, keyOf(pod), { uid: pod.metadata.uid });
  } catch (error) {
    if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
  }
}
