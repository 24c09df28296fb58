/** What Amazon ECS says about tasks and containers that did not run as they should. @see the ECS developer guide, "Stopped tasks error codes" */
import type { Task, TaskContainer } from "./task-engine.ts";

export type Trouble =
  /** The image could not be pulled. */
  | { readonly type: "pull"; readonly message: string }
  /** The container could not be made. */
  | { readonly type: "create"; readonly message: string }
  /** Its program could not be started. */
  | { readonly type: "start"; readonly message: string }
  | { readonly type: "memory" };

/** Why a container stands still, if ECS blames itself or the container's making. */
export function containerTrouble({ reason }: Pick<TaskContainer, "reason">): Trouble | undefined {
  if (!reason) return undefined;
  const message = reason.replace(/^\w+Error:\s*/, "");
  if (/^(CannotPull\w*Error|ImagePullError)/.test(reason)) return { type: "pull", message };
  if (/^(CannotCreateContainerError|CannotCreateVolumeError|ResourceInitializationError|InternalError)/.test(reason)) {
    return { type: "create", message };
  }
  if (/^(CannotStartContainerError|DockerTimeoutError)/.test(reason)) return { type: "start", message };
  return reason.startsWith("OutOfMemory") ? { type: "memory" } : undefined;
}

/** The task ended because its machine did. */
export const lostItsMachine = (task: Pick<Task, "stopCode" | "stoppedReason">): boolean =>
  task.stopCode === "SpotInterruption" ||
  task.stopCode === "TerminationNotice" ||
  /^Host EC2 |instance .*(terminated|stopped|deregistered)/i.test(task.stoppedReason ?? "");

/** The container's program ran. */
export const hasRun = ({ lastStatus, exitCode, runtimeId, reason }: TaskContainer): boolean =>
  lastStatus === "RUNNING" ||
  exitCode !== undefined ||
  (lastStatus === "STOPPED" && runtimeId !== undefined && !containerTrouble({ ...(reason && { reason }) }));
