/**
 * Pods of a machine that cannot be reached count as not ready, so that Services leave them out long before they are evicted. Only Nodes of
 * ours: whoever runs another one speaks for its Pods.
 * @see k8s.io/kubernetes/pkg/controller/nodelifecycle
 */
import type { Node, Pod } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf, type ObjectKey } from "../api/objects.ts";
import type { Controller, Observed } from "../runtime/controller.ts";
import { withCondition } from "../scheduler/conditions.ts";
import { containerInstanceAnnotation } from "./attributes.ts";

/** Reason of a `Ready` condition that was taken away here, and may be given back here. */
const reason = "NodeNotReady";

const statusOf = (conditions: readonly { readonly type: string; readonly status: string }[] | undefined, wanted: string) =>
  conditions?.find(({ type }) => type === wanted)?.status;

/** The Pod as it should be while its Node is like this; the same object when it is. */
export function readinessOn(node: Node | undefined, pod: Pod, now: Date): Pod {
  if (!node?.metadata.annotations?.[containerInstanceAnnotation]) return pod;
  const conditions = pod.status?.conditions;
  const ready = conditions?.find(({ type }) => type === "Ready");
  const nodeReady = statusOf(node.status?.conditions, "Ready");
  if (nodeReady === "Unknown" && ready?.status === "True") {
    return withCondition(pod, { type: "Ready", status: "False", reason, message: "the Pod's node cannot be reached" }, now);
  }
  if (nodeReady !== "True" || ready?.reason !== reason) return pod;
  const gates = (pod.spec.readinessGates ?? []).map(({ conditionType }) => conditionType);
  const open = ["ContainersReady", ...gates].every((type) => statusOf(conditions, type) === "True");
  return open ? withCondition(pod, { type: "Ready", status: "True" }, now) : pod;
}

const nodeKey = (name: string): ObjectKey => ({ namespace: "", name });

export function podReadinessController(): Controller {
  return {
    name: "node-lifecycle-controller",
    watches: [
      {
        kind: kinds.nodes,
        keys: ({ previous, next }: Observed<Node>) =>
          next && statusOf(previous?.status?.conditions, "Ready") !== statusOf(next.status?.conditions, "Ready")
            ? [nodeKey(next.metadata.name)]
            : [],
      },
      {
        kind: kinds.pods,
        keys: ({ next }: Observed<Pod>, { lister }) => {
          const key = next?.spec.nodeName ? nodeKey(next.spec.nodeName) : undefined;
          return key && next && readinessOn(lister(kinds.nodes).get(key), next, new Date(0)) !== next ? [key] : [];
        },
      },
    ],
    async reconcile(key, context) {
      const node = context.lister(kinds.nodes).get(key);
      const now = context.clock.now();
      const pods = [...context.lister(kinds.pods).all()].filter(
        (pod) => pod.spec.nodeName === key.name && readinessOn(node, pod, now) !== pod,
      );
      await Promise.all(
        pods.map(async (pod) => {
          const change = (current: Pod) => (current.metadata.uid === pod.metadata.uid ? readinessOn(node, current, now) : current);
          await context.client.modify(kinds.pods, keyOf(pod), change, { subresource: "status" });
          if (statusOf(pod.status?.conditions, "Ready") === "True") context.event(pod, "Warning", reason, "Node is not ready");
        }),
      );
    },
  };
}
