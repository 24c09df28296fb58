/** The status of one container of a Pod, from its task. */
import type { Container, ContainerState, ContainerStatus } from "../api/generated/types.ts";
import { timeText } from "../scheduler/conditions.ts";
import type { ProbeReport } from "./probes.ts";
import { containerId, taskId, taskIdOf } from "./record.ts";
import { containerTrouble, hasRun } from "./stop-reasons.ts";
import type { Task, TaskContainer } from "./task-engine.ts";

type Terminated = NonNullable<ContainerState["terminated"]>;

/** Exit code of a program that could not be started, as container runtimes report it. */
const startErrorCode = 128;
/** Exit code where none is known: as if killed. */
const unknownCode = 137;

export interface ContainerInput {
  readonly container: Container;
  readonly task: Task | undefined;
  readonly previous: ContainerStatus | undefined;
  /** The newest verdict of the probes on this very task. */
  readonly report: ProbeReport["containers"][number] | undefined;
  /** Reason while it has not started: `ContainerCreating` or `PodInitializing`. */
  readonly waiting: string;
  readonly now: Date;
}

/** State, ids and counts; what depends on the Pod's other containers is not judged here. */
export function containerStatus({ container, task, previous, report, waiting, now }: ContainerInput): ContainerStatus {
  const found = task?.containers.find(({ name }) => name === container.name);
  const current = task && found && hasRun(found) ? { task, found } : undefined;
  const isNew = current !== undefined && taskIdOf(previous?.containerID) !== taskId(current.task.taskArn);
  const before = previous?.state?.terminated;
  // What ended in an earlier task is history as soon as there is something newer to say.
  const lastState = before && (isNew || !current) ? { terminated: before } : (previous?.lastState ?? {});
  const state = current
    ? ranState(current.task, current.found, isNew ? undefined : previous, now)
    : notRunState(container, found, waiting, task, now);
  const id = current ? containerId(current.task.taskArn, container.name) : previous?.containerID;
  const digest = found?.imageDigest;
  const running = state.running !== undefined;
  const started = running && (container.startupProbe ? (report?.started ?? (!isNew && previous?.started === true)) : true);
  const ready = started && (container.readinessProbe ? (report?.ready ?? (!isNew && previous?.ready === true)) : true);
  return {
    name: container.name,
    image: found?.image ?? previous?.image ?? container.image ?? "",
    imageID: digest ? `${repository(found.image)}@${digest}` : (previous?.imageID ?? ""),
    ready,
    started,
    restartCount: (previous?.restartCount ?? 0) + (isNew && previous?.containerID ? 1 : 0),
    state,
    lastState,
    ...(id && { containerID: id }),
  };
}

/** `registry/name` of `registry/name:tag@digest`. */
const repository = (image: string): string => image.replace(/@.*$/, "").replace(/:[^/:]+$/, "");

function ranState(task: Task, found: TaskContainer, previous: ContainerStatus | undefined, now: Date): ContainerState {
  // Amazon ECS keeps no times of single containers: the first sight of each change is the best there is.
  const startedAt = previous?.state?.running?.startedAt ?? timeText(task.startedAt ?? now);
  if (found.lastStatus !== "STOPPED") return { running: { startedAt } };
  const id = containerId(task.taskArn, found.name);
  const known = [previous?.state?.terminated, previous?.lastState?.terminated].find((end) => end?.containerID === id);
  if (known) return { terminated: known };
  return { terminated: terminated(task, found, startedAt, now) };
}

function terminated(task: Task, found: TaskContainer, startedAt: string, now: Date): Terminated {
  const trouble = containerTrouble(found);
  const exitCode = found.exitCode ?? unknownCode;
  const known = found.exitCode !== undefined;
  return {
    exitCode,
    reason: trouble?.type === "memory" ? "OOMKilled" : !known ? "ContainerStatusUnknown" : exitCode === 0 ? "Completed" : "Error",
    ...(!known && { message: "The container could not be located when the pod was terminated" }),
    startedAt,
    finishedAt: timeText(task.stoppedAt ?? now),
    containerID: containerId(task.taskArn, found.name),
  };
}

function notRunState(
  container: Container,
  found: TaskContainer | undefined,
  waiting: string,
  task: Task | undefined,
  now: Date,
): ContainerState {
  const trouble = found && found.lastStatus === "STOPPED" ? containerTrouble(found) : undefined;
  switch (trouble?.type) {
    case "pull":
      return { waiting: { reason: "ErrImagePull", message: trouble.message } };
    case "create":
      return { waiting: { reason: "CreateContainerError", message: trouble.message } };
    case "start": {
      const at = timeText(task?.stoppedAt ?? now);
      const id = task ? { containerID: containerId(task.taskArn, container.name) } : {};
      return {
        terminated: { exitCode: startErrorCode, reason: "StartError", message: trouble.message, startedAt: at, finishedAt: at, ...id },
      };
    }
    default:
      return { waiting: { reason: waiting } };
  }
}
