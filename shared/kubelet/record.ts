/**
 * What the kubelet knows of a Pod's task, kept in a condition of the Pod itself: after a crash everything else follows from it and from
 * Amazon ECS. It is written *before* a task is asked for (StartTask has no client token), so that nobody asks twice.
 */
import type { Pod, PodCondition } from "../api/generated/types.ts";

export const taskCondition = "binnacle.dev/Task";

export interface TaskRecord {
  readonly state: /** A task is being asked for; whether it exists is not known until the next record. */
    | "Requested"
    /** `taskArn` runs, or did until now. */
    | "Started"
    /** The last task ended; the next attempt follows after `backOffSeconds`. */
    | "BackOff"
    /** No task can be asked for as things are. */
    | "NotStarted"
    /** There will be no more tasks. */
    | "Ended";
  /** Number of the current or last attempt, from 1; 0 before the first. */
  readonly attempt: number;
  /** How long the current or next attempt was put off. */
  readonly backOffSeconds: number;
  readonly taskArn?: string;
  /** Since when it stands so. */
  readonly since: Date;
}

const statusOf = { Requested: "Unknown", Started: "True", BackOff: "False", NotStarted: "False", Ended: "False" } as const;
const message = /^attempt (\d+), back-off (\d+)s(?:, (\S+))?$/;

export function readRecord(pod: Pick<Pod, "status">): TaskRecord | undefined {
  const condition = pod.status?.conditions?.find(({ type }) => type === taskCondition);
  const found = message.exec(condition?.message ?? "");
  if (!condition || !found || !Object.hasOwn(statusOf, condition.reason ?? "")) return undefined;
  return {
    state: condition.reason as TaskRecord["state"],
    attempt: Number(found[1]),
    backOffSeconds: Number(found[2]),
    ...(found[3] && { taskArn: found[3] }),
    since: new Date(condition.lastTransitionTime ?? 0),
  };
}

export const recordCondition = (record: TaskRecord): PodCondition => ({
  type: taskCondition,
  status: statusOf[record.state],
  reason: record.state,
  message: `attempt ${record.attempt}, back-off ${record.backOffSeconds}s${record.taskArn ? `, ${record.taskArn}` : ""}`,
  lastTransitionTime: `${record.since.toISOString().slice(0, 19)}Z`,
});

/** `ecs://<task id>/<container>`: names a container of a task for ever. */
export const containerId = (taskArn: string, container: string): string => `ecs://${taskId(taskArn)}/${container}`;

export const taskId = (taskArn: string): string => taskArn.slice(taskArn.lastIndexOf("/") + 1);

/** The task that a container id names; undefined for ids of others. */
export const taskIdOf = (id: string | undefined): string | undefined => /^ecs:\/\/([^/]+)\//.exec(id ?? "")?.[1];
