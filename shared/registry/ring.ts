/** Whom a change concerns: the consumers that its slot rings. */
import type { Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import type { Consumer } from "../runtime/consumer.ts";
import { same, without } from "./values.ts";

/** Changes of these wake nobody: there are many of them and nothing follows (`kubernetes-traps.md` 28). */
const silent: ReadonlySet<string> = new Set(["events", "leases.coordination.k8s.io"]);

const nobody: readonly Consumer[] = [];
const reconciler: readonly Consumer[] = ["reconciler"];

/**
 * @param next the object after the change; for a deletion its last state
 * @param previous undefined for a creation
 */
export function ringFor(kind: Pick<Kind, "storage">, next: JsonObject, previous: JsonObject | undefined): readonly Consumer[] {
  if (silent.has(kind.storage)) return nobody;
  if (kind.storage === "nodes") return isHeartbeat(next, previous) ? nobody : ["reconciler", "capacity"];
  if (kind.storage === "pods") return podRings(next, previous);
  return reconciler;
}

interface PodParts {
  readonly metadata: { readonly deletionTimestamp?: string; readonly deletionGracePeriodSeconds?: number };
  readonly spec?: { readonly nodeName?: string };
}

/** The kubelet looks at Pods that are on a node, when somebody changed what it has to do: never at its own status writes. */
function podRings(next: JsonObject, previous: JsonObject | undefined): readonly Consumer[] {
  const pod = next as unknown as PodParts;
  const before = previous as PodParts | undefined;
  const bound = Boolean(pod.spec?.nodeName);
  const told =
    before === undefined ||
    before.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    before.metadata.deletionGracePeriodSeconds !== pod.metadata.deletionGracePeriodSeconds ||
    !same(before.spec, pod.spec);
  return bound && told ? ["reconciler", "kubelet"] : reconciler;
}

interface NodeParts {
  readonly metadata: JsonObject;
  readonly status?: { readonly conditions?: readonly JsonObject[] };
}

/** Whether nothing but the time of the last heartbeat changed. */
function isHeartbeat(next: JsonObject, previous: JsonObject | undefined): boolean {
  return previous !== undefined && same(withoutHeartbeat(next), withoutHeartbeat(previous));
}

function withoutHeartbeat(node: JsonObject): JsonObject {
  const { metadata, status } = node as unknown as NodeParts;
  const conditions = status?.conditions?.map((condition) => without(condition, "lastHeartbeatTime"));
  return { ...node, metadata: without(metadata, "managedFields"), ...(status && { status: { ...status, conditions } }) };
}
