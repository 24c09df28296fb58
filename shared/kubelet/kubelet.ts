/** What all parts of the kubelet share: the engine, what is known of tasks, and how statuses are written. */
import { isDeepStrictEqual } from "node:util";
import type { Node, Pod, PodStatus } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf } from "../api/objects.ts";
import { containerInstanceAnnotation } from "../capacity/attributes.ts";
import type { ControllerContext } from "../runtime/controller.ts";
import type { Definitions } from "./definitions.ts";
import type { EngineFeatures } from "./engine-features.ts";
import type { Limiter } from "./limiter.ts";
import type { TaskObserver } from "./observer.ts";
import { statusEvents } from "./pod-events.ts";
import type { TaskEngine } from "./task-engine.ts";

export interface KubeletConfig {
  readonly deployment: string;
  /** Name of the Binnacle cluster. */
  readonly cluster: string;
  readonly region: string;
  readonly podLogGroup: string;
  readonly executionRoleArn: string | undefined;
  readonly podRoleArn: string | undefined;
  readonly podSubnetsByZone: Readonly<Record<string, readonly string[]>>;
  readonly podSecurityGroups: readonly string[];
}

export interface Kubelet {
  /** Keeps to the budgets; take a token of `limiter` before starting or stopping. */
  readonly engine: TaskEngine;
  readonly limiter: Limiter;
  /** Name of the ECS cluster. */
  readonly ecsCluster: string;
  readonly config: KubeletConfig;
  readonly features: EngineFeatures;
  readonly observer: TaskObserver;
  readonly definitions: Definitions;
  /** Variables that every container of a Pod gets unless it sets them. */
  readonly variables: (pod: Pod) => Readonly<Record<string, string>>;
}

/** A Node that stands for one of our container instances. */
export interface OurNode {
  readonly node: Node;
  readonly containerInstance: string;
  readonly internalIp: string | undefined;
  readonly zone: string | undefined;
}

export function ourNode(node: Node | undefined): OurNode | undefined {
  const containerInstance = node?.metadata.annotations?.[containerInstanceAnnotation];
  if (!node || !containerInstance) return undefined;
  return {
    node,
    containerInstance,
    internalIp: node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
    zone: node.metadata.labels?.["topology.kubernetes.io/zone"],
  };
}

/**
 * Writes a Pod's status as computed from its newest state, and the events that follow from the change.
 * @param compute pure; the current status again means that there is nothing to write
 * @returns the Pod as it is now; undefined when this Pod is gone
 */
export async function writeStatus(
  context: ControllerContext,
  pod: Pod,
  compute: (current: Pod) => PodStatus | undefined,
): Promise<Pod | undefined> {
  // Nothing to write as far as is known: spares a read. Whatever is not known yet will wake us.
  if (isDeepStrictEqual(compute(pod), pod.status)) return pod;
  let before: Pod | undefined;
  let next: PodStatus | undefined;
  const written = await context.client.modify(
    kinds.pods,
    keyOf(pod),
    (current) => {
      before = undefined;
      if (current.metadata.uid !== pod.metadata.uid) return current;
      next = compute(current);
      if (!next || isDeepStrictEqual(next, current.status)) return current;
      before = current;
      return { ...current, status: next };
    },
    { subresource: "status" },
  );
  if (!written || written.metadata.uid !== pod.metadata.uid) return undefined;
  if (before && next) {
    for (const { type, reason, message } of statusEvents(pod, before.status, next)) context.event(pod, type, reason, message);
  }
  return written;
}
