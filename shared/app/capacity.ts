/** Wires the function that keeps Nodes in step with container instances. */
import { nodeController } from "../capacity/controller.ts";
import { ecsClusterName } from "../kubelet/controller.ts";
import type { TaskEngine } from "../kubelet/task-engine.ts";
import type { ConsumerRunner } from "../runtime/run-consumer.ts";
import { kubernetesVersion } from "../server/version.ts";
import { type ConsumerParts, createConsumer } from "./consumer.ts";

/** `v1.36.2` */
const gitVersion = `v${kubernetesVersion.major}.${kubernetesVersion.minor}.${kubernetesVersion.patch}`;

export function createCapacity({ tasks, ...parts }: ConsumerParts & { readonly tasks: TaskEngine }): ConsumerRunner {
  const { config, clock } = parts.core.platform;
  return createConsumer("capacity", parts, ({ cluster }) => [
    nodeController({ tasks, clock, ecsCluster: ecsClusterName({ deployment: config.deployment, cluster }), version: gitVersion }),
  ]);
}
