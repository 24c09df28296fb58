/**
 * A Node's Lease in `kube-node-lease`, where `kubectl describe node` and operators look for a sign of life.
 *
 * A kubelet renews it every ten seconds. Here Amazon ECS knows whether a machine's agent is connected and says so when that changes, so a
 * Lease is renewed when somebody looks at the machines anyway: as a Node is registered, as it is ready again, at each hourly sweep, and at
 * most twice an hour besides. Nothing is woken for it. `renewTime` is the last time at which the agent was seen connected, and `leaseDurationSeconds` the time for which that may be believed.
 * Nobody here decides anything by it: health is what the Node's conditions say. Pure.
 */
import type { Lease, Node } from "../api/generated/types.ts";
import type { Draft, ObjectKey } from "../api/objects.ts";
import { formatMicroTime } from "../api/time.ts";

export const leaseNamespace = "kube-node-lease";

/** Two sweeps, so that one of them may be lost. */
const durationSeconds = 2 * 60 * 60;
/** Processes that have just begun look at everything, too: more often than this is no news. */
export const renewEveryMs = 30 * 60_000;

export const leaseKey = (node: Node): ObjectKey => ({ namespace: leaseNamespace, name: node.metadata.name });

const ownerOf = ({ metadata }: Node) => ({ apiVersion: "v1", kind: "Node", name: metadata.name, uid: metadata.uid });

const specOf = (node: Node, now: Date) => ({
  holderIdentity: node.metadata.name,
  leaseDurationSeconds: durationSeconds,
  renewTime: formatMicroTime({ seconds: Math.floor(now.getTime() / 1_000), nanos: (now.getTime() % 1_000) * 1_000_000 }),
});

/** It goes with its Node: the Node owns it. */
export function newLease(node: Node, now: Date): Draft<Lease> {
  return { metadata: { ...leaseKey(node), ownerReferences: [ownerOf(node)] }, spec: specOf(node, now) };
}

/**
 * The Lease, renewed; the same object when it was renewed lately. A Node that was made anew takes the Lease over from the one before it.
 * @param isNews the Node has just been registered, or is ready again
 */
export function renewedLease(lease: Lease, node: Node, now: Date, isNews: boolean): Lease {
  const [owner] = lease.metadata.ownerReferences ?? [];
  const isLate = !(now.getTime() - Date.parse(lease.spec.renewTime ?? "") < renewEveryMs);
  if (!isNews && !isLate && owner?.uid === node.metadata.uid) return lease;
  return {
    ...lease,
    metadata: { ...lease.metadata, ownerReferences: [ownerOf(node)] },
    spec: { ...lease.spec, ...specOf(node, now) },
  };
}
