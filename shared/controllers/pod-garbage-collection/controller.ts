/**
 * Removes Pods whose Node does not exist: no kubelet will ever end them, so without this they would stay for ever, and whoever deletes one
 * would wait for ever.
 */
import type { Node, Pod } from "../../api/generated/types.ts";
import { nodes, pods } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import { StatusError } from "../../errors/status-error.ts";
import type { Controller, ControllerContext, Result, Watched } from "../../runtime/controller.ts";
import { failedByLoss } from "./plan.ts";

/** A Node may come later than its Pods, or come back: upstream waits as long. */
const quarantineMs = 40_000;

const nodeKey = (name: string): ObjectKey => ({ namespace: "", name });

export function podGarbageCollector(): Controller {
  /** Since when a Node that Pods name is missing, in milliseconds, by name. */
  const missing = new Map<string, number>();

  const ofPods: Watched<Pod> = {
    kind: pods,
    keys: ({ previous, next }, { lister }) => {
      const name = next?.spec.nodeName;
      const isNews = previous?.spec.nodeName !== name || previous?.metadata.uid !== next?.metadata.uid;
      return next && name && isNews && !lister(nodes).get(nodeKey(name)) ? [keyOf(next)] : [];
    },
  };
  const ofNodes: Watched<Node> = {
    kind: nodes,
    keys: ({ previous, next }, { lister }) => {
      if (next || !previous) return [];
      return [...lister(pods).all()].filter(({ spec }) => spec.nodeName === previous.metadata.name).map(keyOf);
    },
  };

  async function isGone(name: string, { client, lister }: ControllerContext): Promise<boolean> {
    if (lister(nodes).get(nodeKey(name)) || (await client.get(nodes, nodeKey(name)))) {
      missing.delete(name);
      return false;
    }
    return true;
  }

  return {
    name: "pod-garbage-collector",
    watches: [ofPods, ofNodes],

    async reconcile(key, context): Promise<Result | void> {
      const { client, clock, lister } = context;
      const pod = lister(pods).get(key);
      const name = pod?.spec.nodeName;
      if (!pod || !name || !(await isGone(name, context))) return;
      const now = clock.now();
      const since = missing.get(name) ?? now.getTime();
      missing.set(name, since);
      if (now.getTime() < since + quarantineMs) return { again: new Date(since + quarantineMs) };

      await client.modify(pods, key, (current) => (current.metadata.uid === pod.metadata.uid ? failedByLoss(current, now) : current), {
        subresource: "status",
      });
      try {
        await client.delete(pods, key, { uid: pod.metadata.uid, gracePeriodSeconds: 0 });
      } catch (error) {
        if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
      }
    },
  };
}
