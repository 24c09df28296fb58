/**
 * By which names and labels the engine's objects are found again: those that ECS' agent and the kubelet give theirs, and one that says
 * which control plane they belong to.
 */
import { createHash } from "node:crypto";
import { podOfTask } from "../../../shared/kubelet/pod-tags.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";

/** Of everything: which control plane made it. */
export const ownerLabel = "binnacle.dev/owner";
/** Of containers: `sandbox` or `container`. */
export const roleLabel = "binnacle.dev/role";
export const taskLabel = "com.amazonaws.ecs.task-arn";
export const containerLabel = "com.amazonaws.ecs.container-name";
const clusterLabel = "com.amazonaws.ecs.cluster";
const familyLabel = "com.amazonaws.ecs.task-definition-family";

/** Two control planes on one engine do not touch each other's containers; one whose data was deleted still finds its own. */
export const ownerOf = (dataFolder: string): string => createHash("sha256").update(dataFolder).digest("hex").slice(0, 12);

/** 32 hexadecimal digits. */
export const idOf = ({ taskArn }: Pick<EngineTask, "taskArn">): string => taskArn.split("/").at(-1) ?? taskArn;

export const sandboxName = (task: EngineTask): string => `binnacle-${idOf(task)}`;
export const containerName = (task: EngineTask, { name }: Pick<EngineContainer, "name">): string => `binnacle-${idOf(task)}-${name}`;
export const volumeName = (task: EngineTask, volume: string): string => `binnacle-${idOf(task)}-${volume}`;
export const networkName = (owner: string): string => `binnacle-${owner}`;

/** Of everything that a task has. */
export function labels(owner: string, task: EngineTask): Record<string, string> {
  const pod = podOfTask(task);
  return {
    [ownerLabel]: owner,
    [taskLabel]: task.taskArn,
    [clusterLabel]: task.clusterArn,
    [familyLabel]: task.family,
    ...(pod && {
      "io.kubernetes.pod.namespace": pod.namespace,
      "io.kubernetes.pod.name": pod.name,
      "io.kubernetes.pod.uid": pod.uid,
    }),
  };
}

/** The engine's filter for objects with a label of this value. */
export const labelled = (label: string, value: string): { readonly label: readonly string[] } => ({ label: [`${label}=${value}`] });
