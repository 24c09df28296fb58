/**
 * The status of a Pod, from its task and the verdicts of its probes. Pure. The kubelet owns exactly what is computed here: conditions
 * and fields of others stay as they are, and a phase that is final is never undone.
 */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../api/generated/types.ts";
import { timeText } from "../scheduler/conditions.ts";
import { isSidecar } from "../scheduler/requests.ts";
import { containerStatus } from "./container-status.ts";
import { isFinal, type Phase, podPhase } from "./phase.ts";
import type { ProbeReport } from "./probes.ts";
import { qosClass } from "./qos.ts";
import { recordCondition, type TaskRecord } from "./record.ts";
import type { Task } from "./task-engine.ts";

export interface StatusInput {
  readonly pod: Pod;
  readonly record: TaskRecord;
  /** The current task; undefined before there is one, and when it was lost. */
  readonly task: Task | undefined;
  readonly report: ProbeReport | undefined;
  readonly hostIp: string | undefined;
  /** No container will be started again. */
  readonly ending: boolean;
  /** Ends the Pod, whatever its containers did. */
  readonly verdict?: { readonly phase: "Failed"; readonly reason: string; readonly message: string };
  /** Replaces the waiting reason of containers that have not started, or of the one that is named. */
  readonly waiting?: { readonly container?: string; readonly reason: string; readonly message: string };
  readonly now: Date;
}

/** The whole status, to be written instead of the current one. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, task, record, now } = input;
  const current = pod.status ?? {};
  const { init, main } = statuses(input);
  const phase: Phase = isFinal(current.phase)
    ? (current.phase as Phase)
    : (input.verdict?.phase ?? podPhase(pod, init, main, input.ending));
  const addresses = task ? taskAddresses(task) : [];
  const initialized = isInitialized(pod, init);
  const generation = pod.metadata.generation;

  const conditions = merge(
    current.conditions ?? [],
    [
      condition("PodReadyToStartContainers", hasNetwork(task) && !isFinal(phase)),
      initializedCondition(pod, init, initialized, phase),
      ...readyConditions(pod, [...init, ...main], phase, current.conditions ?? []),
      condition("PodScheduled", true),
      recordCondition(record),
    ],
    generation,
    now,
  );
  return {
    ...current,
    phase,
    ...(!isFinal(current.phase) && input.verdict && { reason: input.verdict.reason, message: input.verdict.message }),
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions,
    startTime: current.startTime ?? timeText(now),
    ...(input.hostIp && { hostIP: input.hostIp, hostIPs: [{ ip: input.hostIp }] }),
    ...(addresses[0] && { podIP: addresses[0], podIPs: addresses.map((ip) => ({ ip })) }),
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: main,
    qosClass: current.qosClass ?? qosClass(pod),
  };
}

const known = (list: readonly ContainerStatus[] | undefined, name: string) => list?.find((status) => status.name === name);

function statuses(input: StatusInput): { readonly init: ContainerStatus[]; readonly main: ContainerStatus[] } {
  const { pod, task, report, now } = input;
  const verdicts = report && task && report.taskArn === task.taskArn ? report.containers : [];
  const status = (container: Pod["spec"]["containers"][number], previous: ContainerStatus | undefined, waiting: string) =>
    explain(
      containerStatus({ container, task, previous, report: verdicts.find(({ name }) => name === container.name), waiting, now }),
      input.waiting,
    );

  const containers = pod.spec.initContainers ?? [];
  const waiting = containers.length > 0 ? "PodInitializing" : "ContainerCreating";
  const init = containers.map((container) => {
    const found = status(container, known(pod.status?.initContainerStatuses, container.name), "PodInitializing");
    // An init container is ready when it has done its work; a sidecar is ready like any container.
    return isSidecar(container) ? found : { ...found, ready: found.state?.terminated?.exitCode === 0 };
  });
  const main = pod.spec.containers.map((container) => status(container, known(pod.status?.containerStatuses, container.name), waiting));
  return { init, main };
}

/** Says why a container waits, where that is known better. */
function explain(status: ContainerStatus, waiting: StatusInput["waiting"]): ContainerStatus {
  if (!waiting || (waiting.container !== undefined && waiting.container !== status.name)) return status;
  const { state } = status;
  if (state?.running) return status;
  if (state?.terminated && state.terminated.exitCode === 0 && waiting.container === undefined) return status;
  const reason = { waiting: { reason: waiting.reason, message: waiting.message } };
  return { ...status, state: reason, ...(state?.terminated && { lastState: { terminated: state.terminated } }) };
}

/** Addresses of the task, IPv4 first. */
export function taskAddresses(task: Task): string[] {
  const details = (task.attachments ?? []).flatMap(({ details }) => details);
  const detail = (name: string) => details.find((one) => one.name === name)?.value;
  const interfaces = task.containers.flatMap(({ networkInterfaces }) => networkInterfaces ?? []);
  const found = [
    detail("privateIPv4Address") ?? interfaces.find(({ privateIpv4Address }) => privateIpv4Address)?.privateIpv4Address,
    detail("iPv6Address") ?? interfaces.find(({ ipv6Address }) => ipv6Address)?.ipv6Address,
  ];
  return found.filter((address): address is string => Boolean(address));
}

/** The task has its address and has not given it back. */
const hasNetwork = (task: Task | undefined): boolean =>
  task !== undefined &&
  ["PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING"].includes(task.lastStatus) &&
  taskAddresses(task).length > 0;

function isInitialized(pod: Pod, init: readonly ContainerStatus[]): boolean {
  return (pod.spec.initContainers ?? []).every((container, index) => {
    const status = init[index];
    if (isSidecar(container)) return status?.started === true;
    return (status?.state?.terminated ?? status?.lastState?.terminated)?.exitCode === 0;
  });
}

function initializedCondition(pod: Pod, init: readonly ContainerStatus[], initialized: boolean, phase: Phase): PodCondition {
  if (phase === "Succeeded") return condition("Initialized", true, "PodCompleted");
  if (initialized) return condition("Initialized", true);
  const missing = (pod.spec.initContainers ?? []).flatMap((container, index) => {
    const status = init[index];
    const done = isSidecar(container) ? status?.started : status?.state?.terminated?.exitCode === 0;
    return done ? [] : [container.name];
  });
  return condition("Initialized", false, "ContainersNotInitialized", `containers with incomplete status: [${missing.join(" ")}]`);
}

/** `ContainersReady` and `Ready`. */
function readyConditions(pod: Pod, all: readonly ContainerStatus[], phase: Phase, existing: readonly PodCondition[]): PodCondition[] {
  if (phase === "Succeeded") return [condition("ContainersReady", false, "PodCompleted"), condition("Ready", false, "PodCompleted")];
  if (phase === "Failed") return [condition("ContainersReady", false, "PodFailed"), condition("Ready", false, "PodFailed")];
  const counted = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const unready = counted.filter(({ name }) => !all.find((status) => status.name === name)?.ready).map(({ name }) => name);
  if (unready.length > 0) {
    const message = `containers with unready status: [${unready.join(" ")}]`;
    return [condition("ContainersReady", false, "ContainersNotReady", message), condition("Ready", false, "ContainersNotReady", message)];
  }
  const gates = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = existing.find(({ type }) => type === conditionType);
    if (!gate) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return gate.status === "True" ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`];
  });
  const message = gates.length > 1 ? `[${gates.join(", ")}]` : gates[0];
  return [
    condition("ContainersReady", true),
    gates.length > 0 ? condition("Ready", false, "ReadinessGatesNotReady", message) : condition("Ready", true),
  ];
}

const condition = (type: string, status: boolean, reason?: string, message?: string): PodCondition => ({
  type,
  status: status ? "True" : "False",
  ...(reason && { reason }),
  ...(message && { message }),
});

/** Ours replace what is there; the time of a change is kept while the status stays; everything else stays in its place. */
function merge(
  existing: readonly PodCondition[],
  ours: readonly PodCondition[],
  generation: number | undefined,
  now: Date,
): PodCondition[] {
  const merged = [...existing];
  for (const next of ours) {
    const index = merged.findIndex(({ type }) => type === next.type);
    const before = merged[index];
    const complete: PodCondition = {
      ...next,
      ...(generation !== undefined && { observedGeneration: generation }),
      lastTransitionTime:
        next.lastTransitionTime ?? (before?.status === next.status ? before.lastTransitionTime : undefined) ?? timeText(now),
    };
    if (index < 0) merged.push(complete);
    else merged[index] = complete;
  }
  return merged;
}
