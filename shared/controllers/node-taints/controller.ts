/** Keeps the taints of Nodes in step with their conditions, and with being cordoned. */
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/kinds.ts";
import { keyOf } from "../../api/objects.ts";
import type { Controller, Watched } from "../../runtime/controller.ts";
import { timestamp } from "../common/conditions.ts";
import { withTaints } from "./plan.ts";

/** What a plan looks at: heartbeats change none of it. */
const shown = ({ spec, status }: Node): string =>
  JSON.stringify([spec?.taints, spec?.unschedulable, status?.conditions?.map(({ type, status: value }) => [type, value])]);

export function nodeTaintsController(): Controller {
  return {
    name: "node-lifecycle-controller",
    watches: [
      {
        kind: nodes,
        keys: ({ previous, next }) => (next && !(previous && shown(previous) === shown(next)) ? [keyOf(next)] : []),
      } satisfies Watched<Node>,
    ],
    async reconcile(key, { client, clock, lister }) {
      const time = timestamp(clock.now());
      const node = lister(nodes).get(key);
      if (!node || withTaints(node, time) === node) return;
      await client.modify(nodes, key, (current) => (current.metadata.uid === node.metadata.uid ? withTaints(current, time) : current));
    },
  };
}
