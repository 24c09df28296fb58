/** What Amazon ECS sends to EventBridge when a task or a container instance changes. */
import { randomUUID } from "node:crypto";
import type { EventBridgeEvent } from "aws-lambda";
import type { InstanceResource } from "../../shared/kubelet/task-engine.ts";
import type { Account } from "../account.ts";
import type { ContainerInstance, EcsTask } from "./model.ts";

export type Event = EventBridgeEvent<string, Readonly<Record<string, unknown>>>;

/** Takes events for delivery; never fails. */
export interface EventSink {
  publish(event: Event): void;
}

const envelope = (account: Account, detailType: string, resource: string, now: Date, detail: Event["detail"]): Event => ({
  version: "0",
  id: randomUUID(),
  "detail-type": detailType,
  source: "aws.ecs",
  account: account.accountId,
  time: `${now.toISOString().slice(0, 19)}Z`,
  region: account.region,
  resources: [resource],
  detail,
});

const timeMembers = [
  "createdAt",
  "connectivityAt",
  "pullStartedAt",
  "pullStoppedAt",
  "startedAt",
  "executionStoppedAt",
  "stoppingAt",
  "stoppedAt",
] as const;

/** The detail carries no health status and no tags; times are ISO strings; a network interface's attachment has the type `eni`. */
export function taskStateChange(account: Account, task: EcsTask, now: Date): Event {
  const { healthStatus: _, tags: __, containers, attachments, ...rest } = task;
  const times = Object.fromEntries(
    timeMembers.flatMap((member) => {
      const seconds = task[member];
      return seconds === undefined ? [] : [[member, iso(seconds)]];
    }),
  );
  return envelope(account, "ECS Task State Change", task.taskArn, now, {
    ...rest,
    ...times,
    containers: containers.map(({ healthStatus: ___, ...container }) => container),
    attachments: attachments.map((attachment) => ({ ...attachment, type: "eni" })),
    updatedAt: now.toISOString(),
  });
}

export function instanceStateChange(
  account: Account,
  clusterArn: string,
  instance: ContainerInstance,
  remainingResources: readonly InstanceResource[],
  now: Date,
): Event {
  return envelope(account, "ECS Container Instance State Change", instance.containerInstanceArn, now, {
    ...instance,
    clusterArn,
    remainingResources,
    registeredAt: iso(instance.registeredAt),
    updatedAt: now.toISOString(),
  });
}

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString();
