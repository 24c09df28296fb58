/** Builders of tasks as the machine's agent gets them. */
import { randomUUID } from "node:crypto";
import type { EngineContainer, EngineTask } from "../../local/engine/engine.ts";
import { namespaceTag, nameTag } from "../../shared/kubelet/pod-tags.ts";

export const anEngineContainer = (overrides: Partial<EngineContainer> = {}): EngineContainer => ({
  name: "main",
  image: "registry.example/app:1",
  essential: true,
  ...overrides,
});

/** A task of the Pod `shop/web`, in a machine of its own. */
export const anEngineTask = (
  overrides: Partial<EngineTask> = {},
  pod: { readonly namespace?: string; readonly name?: string } = {},
): EngineTask => ({
  taskArn: `arn:aws:ecs:us-east-1:000000000000:task/binnacle-default/${randomUUID().replaceAll("-", "")}`,
  clusterArn: "arn:aws:ecs:us-east-1:000000000000:cluster/binnacle-default",
  family: "binnacle-web",
  networkMode: "awsvpc",
  privateIpv4Address: "10.200.64.7",
  containers: [anEngineContainer()],
  volumes: [],
  startedBy: "0a1b2c3d-0000-4000-8000-000000000001",
  tags: [
    { key: namespaceTag, value: pod.namespace ?? "shop" },
    { key: nameTag, value: pod.name ?? "web" },
  ],
  ...overrides,
});
