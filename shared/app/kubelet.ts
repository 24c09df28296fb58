/** Wires the function that turns bound Pods into tasks. */
import { apiVariables } from "../kubelet/api-variables.ts";
import { ecsLimiter, kubeletController } from "../kubelet/controller.ts";
import { bareEcs, helpedEngine } from "../kubelet/engine-features.ts";
import { createInbox } from "../kubelet/inbox.ts";
import type { TaskEngine } from "../kubelet/task-engine.ts";
import type { ConsumerRunner } from "../runtime/run-consumer.ts";
import { type ConsumerParts, createConsumer } from "./consumer.ts";
import { firstCluster } from "./core.ts";

export function createKubelet({ tasks, ...parts }: ConsumerParts & { readonly tasks: TaskEngine }): ConsumerRunner {
  const { config, table, clock, log } = parts.core.platform;
  const inbox = createInbox(table);
  // Amazon ECS counts calls for the whole account, so all clusters of a deployment share one limiter.
  const limiter = ecsLimiter(clock);
  const features = config.podFeatures === "helped" ? helpedEngine : bareEcs;
  // Clients in containers know a host and a port, no path: so they can only mean the cluster that is served at `/`.
  const ofApi = config.podApiAddress === undefined ? {} : apiVariables(config.podApiAddress);
  return createConsumer("kubelet", parts, ({ cluster }) => {
    const variables = () => (cluster === firstCluster ? ofApi : {});
    return [kubeletController({ tasks, inbox, config: { ...config, cluster }, clock, log, features, limiter, variables })];
  });
}
