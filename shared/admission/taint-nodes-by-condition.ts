/**
 * TaintNodesByCondition: a new Node takes no Pods before somebody has seen it ready.
 * @see k8s.io/kubernetes/plugin/pkg/admission/nodetaint
 */
import type { Node } from "../api/generated/types.ts";
import { systemUser } from "../auth/auth.ts";
import type { AdmissionPlugin } from "./plugin.ts";

const notReady = "node.kubernetes.io/not-ready";

/** Makes Nodes of machines whose state it knows: it taints those that are not ready by itself. */
const capacity = systemUser("capacity").username;

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  handles: (kind, operation, subresource) => kind.storage === "nodes" && operation === "CREATE" && subresource === "",
  admit: ({ object, user }) => {
    if (user.username === capacity) return;
    const node = object as unknown as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady && effect === "NoSchedule")) return;
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: "NoSchedule" }] };
  },
};
