/** How a task's record changes with what the engine reports of it. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { ContainerChange, TaskChange } from "../engine/engine.ts";
import type { Attachment, Container, EcsTask, TaskRecord } from "./model.ts";

/**
 * @param nowMs milliseconds since the epoch
 * @returns the changed record with a greater version, or the same one when nothing in it is new
 */
export function withChange(record: TaskRecord, change: TaskChange, nowMs: number): TaskRecord {
  if (record.task.lastStatus === "STOPPED") return record;
  const now = nowMs / 1_000;
  const containerStartedAt = { ...record.containerStartedAt };
  let task: EcsTask = record.task;

  if (change.stop && task.desiredStatus !== "STOPPED") task = { ...task, desiredStatus: "STOPPED", stoppingAt: now, ...change.stop };
  if (change.pullStarted) task = { ...task, pullStartedAt: task.pullStartedAt ?? now };
  if (change.pullStopped) task = { ...task, pullStoppedAt: now };
  if (change.privateIpv4Address !== undefined) task = withAddress(task, change.privateIpv4Address);
  for (const one of change.containers ?? []) {
    task = {
      ...task,
      containers: task.containers.map((container) => (container.name === one.name ? changedContainer(container, one) : container)),
    };
    if (one.startedAt !== undefined) containerStartedAt[one.name] = one.startedAt;
  }
  if (change.containers?.some(({ healthStatus }) => healthStatus)) task = { ...task, healthStatus: overallHealth(task.containers) };
  if (change.lastStatus && change.lastStatus !== task.lastStatus) task = withStatus(task, change.lastStatus, now);

  if (isDeepStrictEqual(comparable(task), comparable(record.task))) return { ...record, task, containerStartedAt };
  return { ...record, task: { ...task, version: task.version + 1 }, containerStartedAt };
}

/** The times of pulls alone are not a change that anybody is told of. */
const comparable = (task: EcsTask) => ({ ...task, pullStartedAt: 0, pullStoppedAt: 0 });

function withStatus(task: EcsTask, lastStatus: EcsTask["lastStatus"], now: number): EcsTask {
  const attachments = (status: Attachment["status"]) => task.attachments.map((attachment) => ({ ...attachment, status }));
  switch (lastStatus) {
    case "PENDING":
      return { ...task, lastStatus, attachments: attachments("ATTACHED"), connectivity: "CONNECTED", connectivityAt: now };
    case "RUNNING":
      return { ...task, lastStatus, startedAt: now };
    case "DEPROVISIONING":
      return { ...task, lastStatus, executionStoppedAt: now };
    case "STOPPED":
      return { ...task, lastStatus, desiredStatus: "STOPPED", stoppedAt: now, attachments: attachments("DELETED") };
    default:
      return { ...task, lastStatus };
  }
}

function changedContainer(container: Container, change: ContainerChange): Container {
  const { startedAt: _, ...changed } = change;
  const { reason: before, ...rest } = container;
  // What held a container back is over once it runs.
  const reason = change.reason ?? (change.lastStatus === "RUNNING" ? undefined : before);
  // A reason may be at most 255 characters long.
  return { ...rest, ...changed, ...(reason !== undefined && { reason: reason.slice(0, 255) }) };
}

const withAddress = (task: EcsTask, address: string): EcsTask => ({
  ...task,
  attachments: task.attachments.map((attachment) => ({
    ...attachment,
    details: attachment.details.map((detail) => (detail.name === "privateIPv4Address" ? { ...detail, value: address } : detail)),
  })),
  containers: task.containers.map((container) => ({
    ...container,
    networkInterfaces: container.networkInterfaces?.map((one) => ({ ...one, privateIpv4Address: address })) ?? [],
  })),
});

function overallHealth(containers: readonly Container[]): EcsTask["healthStatus"] {
  const checked = containers.flatMap(({ healthStatus }) => healthStatus ?? []);
  if (checked.includes("UNHEALTHY")) return "UNHEALTHY";
  return checked.length > 0 && checked.every((status) => status === "HEALTHY") ? "HEALTHY" : "UNKNOWN";
}
