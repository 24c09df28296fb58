/** Wires the function that turns bound Pods into tasks. */
import { ecsLimiter, kubeletController } from "../kubelet/controller.ts";
import { bareEcs, helpedEngine } from "../kubelet/engine-features.ts";
import { createInbox } from "../kubelet/inbox.ts";
import type { TaskEngine } from "../kubelet/task-engine.ts";
import type { ConsumerRunner } from "../runtime/run-consumer.ts";
import { type ConsumerParts, createConsumer } from "./consumer.ts";

export function createKubelet({ tasks, ...parts }: ConsumerParts & { readonly tasks: TaskEngine }): ConsumerRunner {
  const { config, table, clock, log } = parts.core.platform;
  const inbox = createInbox(table);
  // Amazon ECS counts calls for the whole account, so all clusters of a deployment share one limiter.
  const limiter = ecsLimiter(clock);
  const features = config.podFeatures === "helped" ? helpedEngine : bareEcs;
  return createConsumer("kubelet", parts, ({ cluster }) => [
    kubeletController({ tasks, inbox, config: { ...config, cluster }, clock, log, features, limiter }),
  ]);
}
