/** Binds pending Pods to Nodes: all that are pending in one plan, whose bindings share a commit. */
import { isDeepStrictEqual } from "node:util";
import type { Binding, Node, Pod } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf, type ObjectKey } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import type { Controller, ControllerContext, Observed } from "../runtime/controller.ts";
import { withCondition } from "./conditions.ts";
import { isPending, isTerminal, planScheduling } from "./plan.ts";
import { unevaluatedFields } from "./unevaluated.ts";
import { volumesOf } from "./volumes/pod-volumes.ts";
import { claimMatters, prepare, storageState, volumeMatters } from "./volumes/storage.ts";

export interface SchedulerOptions {
  /** What a user can do while there is no Node at all; added to the message of Pods that wait. */
  readonly adviceWithoutNodes?: string;
}

/** The one key: every look plans everything that is pending. */
const everything: ObjectKey = { namespace: "", name: "pending-pods" };

export function schedulerController(options: SchedulerOptions = {}): Controller {
  return {
    name: "default-scheduler",
    watches: [
      { kind: kinds.pods, keys: (change: Observed<Pod>) => (matters(change) ? [everything] : []) },
      { kind: kinds.nodes, keys: (change: Observed<Node>) => (nodeMatters(change) ? [everything] : []) },
      { kind: kinds.persistentVolumeClaims, keys: (change) => (claimMatters(change) ? [everything] : []) },
      { kind: kinds.persistentVolumes, keys: (change) => (volumeMatters(change) ? [everything] : []) },
      { kind: kinds.storageClasses, keys: () => [everything] },
    ],
    reconcile: (_key, context) => schedule(context, options),
  };
}

/** A Pod wants a place, or one left its place. */
function matters({ previous, next }: Observed<Pod>): boolean {
  if (next && isPending(next)) return !previous || !isPending(previous) || !isDeepStrictEqual(previous.spec, next.spec);
  const stood = previous && previous.spec.nodeName !== undefined && !isTerminal(previous);
  return stood === true && (next === undefined || isTerminal(next));
}

const placingFacts = (node: Node) => [node.spec, node.metadata.labels, node.status?.allocatable];

/** Heartbeats and conditions do not change where Pods can stand. */
function nodeMatters({ previous, next }: Observed<Node>): boolean {
  if (!previous || !next) return true;
  return !isDeepStrictEqual(placingFacts(previous), placingFacts(next));
}

async function schedule(context: ControllerContext, options: SchedulerOptions): Promise<void> {
  const nodes = [...context.lister(kinds.nodes).all()];
  const pods = [...context.lister(kinds.pods).all()];
  const storage = storageState(context, pods);
  const plan = planScheduling({ nodes, pods, volumes: (pod) => volumesOf(pod, storage) });
  const advice = nodes.length === 0 && options.adviceWithoutNodes ? `; ${options.adviceWithoutNodes}` : "";
  const outcomes = await Promise.allSettled([
    ...plan.bindings.map(({ pod, node }) => bind(pod, node, context)),
    ...plan.preparing.flatMap(({ preparations }) => preparations.map((preparation) => prepare(preparation, context))),
    ...plan.unschedulable.map(({ pod, message }) => wait(pod, "Unschedulable", message + advice, context)),
    ...plan.gated.map((pod) => wait(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", context)),
  ]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function bind(pod: Pod, node: string, context: ControllerContext): Promise<void> {
  const { name, namespace = "", uid } = pod.metadata;
  const binding = {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { apiVersion: "v1", kind: "Node", name: node },
  } satisfies Omit<Binding, "metadata"> & { metadata: Partial<Binding["metadata"]> };
  try {
    await context.client.createSubresource(kinds.pods, keyOf(pod), "binding", binding);
  } catch (error) {
    // Deleted meanwhile: nobody waits for a place any more.
    if (error instanceof StatusError && error.reason === "NotFound") return;
    throw error;
  }
  context.event(pod, "Normal", "Scheduled", `Successfully assigned ${namespace}/${name} to ${node}`);
  const fields = unevaluatedFields(pod);
  if (fields.length > 0) {
    context.event(
      pod,
      "Warning",
      "NotEvaluated",
      `placed without regard to fields that the scheduler does not evaluate yet: ${fields.join(", ")}`,
    );
  }
}

/** Says why a Pod waits, once per reason. */
async function wait(pod: Pod, reason: string, message: string, context: ControllerContext): Promise<void> {
  const condition = { type: "PodScheduled", status: "False", reason, message };
  const change = (current: Pod): Pod =>
    current.metadata.uid === pod.metadata.uid && isPending(current) ? withCondition(current, condition, context.clock.now()) : current;
  if (change(pod) === pod) return;
  await context.client.modify(kinds.pods, keyOf(pod), change, { subresource: "status" });
  if (reason === "Unschedulable") context.event(pod, "Warning", "FailedScheduling", message);
}
