/** Moves one Pod towards what it should be: the next step from where its record says it stands. */
import type { Pod } from "../api/generated/types.ts";
import { wholeNumber } from "../api/json.ts";
import * as kinds from "../api/kinds.ts";
import type { ControllerContext, Lister, Result } from "../runtime/controller.ts";
import { isTerminal } from "../scheduler/plan.ts";
import { admit, podsByNode } from "./admission.ts";
import { type Kubelet, type OurNode, ourNode, writeStatus } from "./kubelet.ts";
import { readRecord, type TaskRecord } from "./record.ts";
import { afterStop, backOffWaiting, type Decision } from "./restarts.ts";
import { adopt, begin, settle, tasksOf, transitionMs } from "./start.ts";
import { podStatus } from "./status.ts";
import { finish, stopTask } from "./stop.ts";
import type { Task } from "./task-engine.ts";

/** A task that Amazon ECS does not know (any more) is believed to be gone after this. */
const lostAfterMs = 300_000;
const lostRetryMs = 30_000;
/** A state this old is asked for again when the Pod is looked at. */
const maxAgeMs = 300_000;
/** How long a container that ended is shown as ended before it is shown as waiting for its restart. */
const endedShownMs = 1_000;

/** @param known a task of this Pod that an event has told of */
export async function syncPod(kubelet: Kubelet, context: ControllerContext, pod: Pod, known?: Task): Promise<Result | void> {
  const record = readRecord(pod);
  const node = ourNode(context.lister(kinds.nodes).get({ namespace: "", name: pod.spec.nodeName ?? "" }));
  // Somebody else's Node: its Pods are theirs to run, to delete and to report.
  if (!node && !record) return;

  if (record?.state === "Requested") {
    const task = known && belongsTo(known, pod, record) ? known : undefined;
    if (task && node) return adopt(kubelet, context, pod, node, record, task);
    if (node) return settle(kubelet, context, pod, node, record);
  }
  if (pod.metadata.deletionTimestamp !== undefined) return end(kubelet, context, pod, record);
  if (record?.taskArn && (record.state === "Started" || record.state === "Ended")) return watch(kubelet, context, pod, node, record);
  if (isTerminal(pod) || !node) return;

  switch (record?.state) {
    case "BackOff":
      return backOff(kubelet, context, pod, node, record);
    case "NotStarted":
      return begin(kubelet, context, pod, node, { attempt: record.attempt + 1, backOffSeconds: record.backOffSeconds });
    case undefined:
      return takeOn(kubelet, context, pod, node);
    default:
      return;
  }
}

/** The task may be the one that was asked for under this claim. */
const belongsTo = (task: Task, pod: Pod, claim: TaskRecord): boolean =>
  task.startedBy === pod.metadata.uid && (task.createdAt?.getTime() ?? 0) >= claim.since.getTime() - 5_000;

async function end(kubelet: Kubelet, context: ControllerContext, pod: Pod, record: TaskRecord | undefined): Promise<Result | void> {
  if (!record?.taskArn) return finish(context, pod, record, undefined);
  if (record.state === "BackOff") return finish(context, pod, record, kubelet.observer.peek(record.taskArn));
  const task = await kubelet.observer.look(record.taskArn, { maxAgeMs: transitionMs });
  if (!task) {
    const goneAt = record.since.getTime() + lostAfterMs;
    if (context.clock.now().getTime() < goneAt) return { again: soon(context, lostRetryMs) };
    return finish(context, pod, record, lostTask(pod, record));
  }
  if (task.lastStatus === "STOPPED") {
    await finish(context, pod, record, task);
    kubelet.observer.forget(task.taskArn);
    return;
  }
  const result = await stopTask(kubelet, context, pod, task, "the Pod is deleted");
  await report(kubelet, context, pod, task);
  return result;
}

const soon = (context: ControllerContext, ms: number) => new Date(context.clock.now().getTime() + ms);

/** A Pod that is new here. */
async function takeOn(kubelet: Kubelet, context: ControllerContext, pod: Pod, node: OurNode): Promise<Result | void> {
  if (pod.status?.startTime !== undefined) {
    // It was taken on before: somebody removed the record.
    const [task] = await tasksOf(kubelet, pod.metadata.uid);
    if (task) return recover(kubelet, context, pod, node, task);
  }
  const rejection = admit(pod, node.node, rivals(context, pod));
  if (!rejection) return begin(kubelet, context, pod, node, { attempt: 1, backOffSeconds: 0 });
  const now = context.clock.now();
  await context.client.updateStatus(kinds.pods, {
    ...pod,
    status: {
      ...pod.status,
      phase: "Failed",
      reason: rejection.reason,
      message: `Pod was rejected: ${rejection.message}`,
      startTime: pod.status?.startTime ?? `${now.toISOString().slice(0, 19)}Z`,
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    },
  });
  context.event(pod, "Warning", rejection.reason, rejection.message);
}

async function recover(kubelet: Kubelet, context: ControllerContext, pod: Pod, node: OurNode, task: Task): Promise<Result> {
  const now = context.clock.now();
  const record: TaskRecord = { state: "Started", attempt: 1, backOffSeconds: 0, taskArn: task.taskArn, since: task.createdAt ?? now };
  const seen = kubelet.observer.see(task, "answer");
  await writeStatus(context, pod, (current) =>
    podStatus({ pod: current, record, task: seen, report: undefined, hostIp: node.internalIp, ending: false, now }),
  );
  return { again: soon(context, transitionMs) };
}

const indexes = new WeakMap<Lister<Pod>, { readonly revision: number; readonly byNode: ReadonlyMap<string, readonly Pod[]> }>();

const order = (one: Pod) => `${one.metadata.creationTimestamp} ${one.metadata.namespace}/${one.metadata.name}`;

/** Pods of the same Node that were taken before this one, or would be. */
function rivals(context: ControllerContext, pod: Pod): readonly Pod[] {
  const lister = context.lister(kinds.pods);
  let index = indexes.get(lister);
  if (!index || index.revision !== lister.revision) {
    index = { revision: lister.revision, byNode: podsByNode(lister.all()) };
    indexes.set(lister, index);
  }
  return (index.byNode.get(pod.spec.nodeName ?? "") ?? []).filter(
    (other) =>
      other.metadata.uid !== pod.metadata.uid && !isTerminal(other) && (readRecord(other) !== undefined || order(other) < order(pod)),
  );
}

/** A Pod that has a task: its status follows the task's. */
async function watch(
  kubelet: Kubelet,
  context: ControllerContext,
  pod: Pod,
  node: OurNode | undefined,
  record: TaskRecord,
): Promise<Result | void> {
  const { taskArn = "" } = record;
  let task = record.state === "Ended" ? kubelet.observer.peek(taskArn) : await kubelet.observer.look(taskArn, { maxAgeMs });
  if (!task) {
    if (record.state === "Ended") return;
    if (context.clock.now().getTime() < record.since.getTime() + lostAfterMs) return { again: soon(context, lostRetryMs) };
    task = lostTask(pod, record);
  }
  const running = task.lastStatus !== "STOPPED";
  if (running && isTerminal(pod)) {
    const result = await stopTask(kubelet, context, pod, task, "the Pod has ended");
    await report(kubelet, context, pod, task);
    return result;
  }
  const deadline = deadlineOf(pod);
  if (running && deadline !== undefined && context.clock.now().getTime() >= deadline) return exceed(kubelet, context, pod, task);

  const { written, decision } = await report(kubelet, context, pod, task);
  if (decision?.type === "failed") context.event(pod, "Warning", decision.reason, decision.message);
  if (decision?.type === "again" && written && node) {
    // A stopped task has nothing more to say.
    if (decision.at <= context.clock.now()) {
      return begin(kubelet, context, written, node, { attempt: record.attempt + 1, backOffSeconds: decision.backOffSeconds });
    }
    return { again: soon(context, endedShownMs) };
  }
  if (!running) return;
  const never = Number.POSITIVE_INFINITY;
  const moving = task.lastStatus !== "RUNNING" || task.desiredStatus !== "RUNNING";
  const next = Math.min(deadline ?? never, moving ? context.clock.now().getTime() + transitionMs : never);
  return next === never ? undefined : { again: new Date(next) };
}

/** When the Pod has run long enough, in milliseconds. */
function deadlineOf(pod: Pod): number | undefined {
  const { activeDeadlineSeconds } = pod.spec;
  const start = pod.status?.startTime;
  return activeDeadlineSeconds === undefined || start === undefined
    ? undefined
    : Date.parse(start) + wholeNumber(activeDeadlineSeconds) * 1_000;
}

async function exceed(kubelet: Kubelet, context: ControllerContext, pod: Pod, task: Task): Promise<Result> {
  const message = "Pod was active on the node longer than the specified deadline";
  const now = context.clock.now();
  const result = await stopTask(kubelet, context, pod, task, message);
  await writeStatus(context, pod, (current) => {
    const record = readRecord(current);
    if (!record || isTerminal(current)) return current.status;
    return podStatus({
      pod: current,
      record: { ...record, state: "Ended", since: now },
      task,
      report: kubelet.observer.report(task.taskArn),
      hostIp: current.status?.hostIP,
      ending: true,
      verdict: { phase: "Failed", reason: "DeadlineExceeded", message },
      now,
    });
  });
  context.event(pod, "Normal", "DeadlineExceeded", message);
  return result;
}

/** Writes a Pod's status as its task stands, and decides what follows when the task has stopped. */
async function report(
  kubelet: Kubelet,
  context: ControllerContext,
  pod: Pod,
  task: Task,
): Promise<{ readonly written: Pod | undefined; readonly decision: Decision | undefined }> {
  const now = context.clock.now();
  let decision: Decision | undefined;
  const written = await writeStatus(context, pod, (current) => {
    decision = undefined;
    const record = readRecord(current);
    if (record?.taskArn !== task.taskArn || (record.state !== "Started" && record.state !== "Ended")) return current.status;
    const base = {
      pod: current,
      record,
      task,
      report: kubelet.observer.report(task.taskArn),
      hostIp: current.status?.hostIP,
      ending: record.state === "Ended",
      now,
    };
    const status = podStatus(base);
    if (task.lastStatus !== "STOPPED" || record.state === "Ended" || current.metadata.deletionTimestamp !== undefined) return status;
    if (isTerminal(current)) return podStatus({ ...base, ending: true, record: { ...record, state: "Ended", since: now } });

    const endedAt = task.stoppedAt ?? now;
    decision = afterStop(current, status, record, task, endedAt);
    switch (decision.type) {
      case "done":
        return podStatus({ ...base, ending: true, record: { ...record, state: "Ended", since: now } });
      case "failed": {
        const { reason, message } = decision;
        return podStatus({
          ...base,
          ending: true,
          record: { ...record, state: "Ended", since: now },
          verdict: { phase: "Failed", reason, message },
        });
      }
      default:
        return podStatus({ ...base, record: { ...record, state: "BackOff", backOffSeconds: decision.backOffSeconds, since: endedAt } });
    }
  });
  return { written, decision };
}

/** Between two attempts. */
async function backOff(kubelet: Kubelet, context: ControllerContext, pod: Pod, node: OurNode, record: TaskRecord): Promise<Result | void> {
  const now = context.clock.now();
  const at = new Date(record.since.getTime() + record.backOffSeconds * 1_000);
  if (at <= now) return begin(kubelet, context, pod, node, { attempt: record.attempt + 1, backOffSeconds: record.backOffSeconds });
  const shownUntil = new Date(record.since.getTime() + endedShownMs);
  if (now < shownUntil) return { again: shownUntil };
  await writeStatus(context, pod, (current) => {
    if (readRecord(current)?.state !== "BackOff" || !current.status) return current.status;
    const wait = (status: NonNullable<typeof current.status.containerStatuses>[number]) => {
      const { state } = status;
      const of = current.spec.initContainers?.find(({ name }) => name === status.name);
      const doneAsInit = of && of.restartPolicy !== "Always" && state?.terminated?.exitCode === 0;
      const pulling = state?.waiting?.reason === "ErrImagePull";
      if ((!state?.terminated || doneAsInit) && !pulling) return status;
      return {
        ...status,
        ready: false,
        started: false,
        state: { waiting: backOffWaiting(current, status, record.backOffSeconds) },
        ...(state?.terminated && { lastState: { terminated: state.terminated } }),
      };
    };
    const { initContainerStatuses, containerStatuses } = current.status;
    return {
      ...current.status,
      ...(initContainerStatuses && { initContainerStatuses: initContainerStatuses.map(wait) }),
      ...(containerStatuses && { containerStatuses: containerStatuses.map(wait) }),
    };
  });
  return { again: at };
}

/** A task that nobody can find: as if everything in it had been killed. */
function lostTask(pod: Pod, record: TaskRecord): Task {
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return {
    taskArn: record.taskArn ?? "",
    clusterArn: "",
    taskDefinitionArn: "",
    lastStatus: "STOPPED",
    desiredStatus: "STOPPED",
    version: Number.MAX_SAFE_INTEGER,
    stoppedReason: "the task is not known to Amazon ECS any more",
    containers: all.map(({ name, image, containerID, state }) => ({
      containerArn: "",
      name,
      image,
      lastStatus: "STOPPED",
      ...(containerID && state?.terminated === undefined && { runtimeId: containerID }),
      ...(state?.terminated && { exitCode: state.terminated.exitCode }),
    })),
  };
}
