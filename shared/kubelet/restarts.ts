/** What follows when a task has ended: the Pod is done, or there will be another task, and when. Pure. */
import type { ContainerStatus, Pod, PodStatus } from "../api/generated/types.ts";
import { isSidecar } from "../scheduler/requests.ts";
import { wouldRestart } from "./phase.ts";
import type { TaskRecord } from "./record.ts";
import { lostItsMachine } from "./stop-reasons.ts";
import type { Task } from "./task-engine.ts";

/** @see k8s.io/kubernetes/pkg/kubelet: 10 s, doubled each time up to 5 min, forgotten after 10 min of running */
const firstBackOffSeconds = 10;
const maxBackOffSeconds = 300;
const forgottenAfterMs = 600_000;

export type Decision =
  | { readonly type: "done" }
  /** The Pod cannot go on here. */
  | { readonly type: "failed"; readonly reason: string; readonly message: string }
  | {
      readonly type: "again";
      readonly at: Date;
      readonly backOffSeconds: number;
      readonly cause: "crash" | "pull" | "create";
      /** Containers that this concerns. */
      readonly containers: readonly string[];
    };

/**
 * @param status as computed from the stopped task
 * @param endedAt when the task stopped
 */
export function afterStop(pod: Pod, status: PodStatus, record: TaskRecord, task: Task | undefined, endedAt: Date): Decision {
  if (task && lostItsMachine(task)) {
    return { type: "failed", reason: "Terminated", message: "Pod was terminated in response to imminent node shutdown." };
  }
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const waitingFor = (reason: string) => all.filter(({ state }) => state?.waiting?.reason === reason).map(({ name }) => name);
  const retry = (cause: "crash" | "pull" | "create", containers: readonly string[], backOffSeconds: number): Decision => ({
    type: "again",
    at: new Date(endedAt.getTime() + backOffSeconds * 1_000),
    backOffSeconds,
    cause,
    containers,
  });

  const unpulled = waitingFor("ErrImagePull");
  if (unpulled.length > 0) return retry("pull", unpulled, longer(record.backOffSeconds));
  const unmade = waitingFor("CreateContainerError");
  const ended = decidingEnds(pod, status);
  if (unmade.length > 0 || ended.length === 0) return retry("create", unmade, longer(record.backOffSeconds));

  const restarting = ended.filter(({ exitCode }) => wouldRestart(pod, exitCode));
  if (restarting.length === 0) return { type: "done" };
  const longest = Math.max(...ended.map(({ ranMs }) => ranMs));
  // The first crash is forgiven at once.
  const backOffSeconds =
    longest >= forgottenAfterMs || (record.attempt <= 1 && record.backOffSeconds === 0) ? 0 : longer(record.backOffSeconds);
  return retry(
    "crash",
    restarting.map(({ name }) => name),
    backOffSeconds,
  );
}

/** The next back-off. */
export const longer = (seconds: number): number => (seconds === 0 ? firstBackOffSeconds : Math.min(maxBackOffSeconds, seconds * 2));

/** Containers that decide: those that ended, without init containers that did their work and sidecars. */
function decidingEnds(pod: Pod, status: PodStatus): { readonly name: string; readonly exitCode: number; readonly ranMs: number }[] {
  const init = pod.spec.initContainers ?? [];
  const deciding = (container: ContainerStatus): boolean => {
    const of = init.find(({ name }) => name === container.name);
    return !of || (!isSidecar(of) && container.state?.terminated?.exitCode !== 0);
  };
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].filter(deciding).flatMap(({ name, state }) => {
    const end = state?.terminated;
    if (!end) return [];
    const ranMs = Date.parse(end.finishedAt ?? "") - Date.parse(end.startedAt ?? "");
    return [{ name, exitCode: end.exitCode, ranMs: Number.isNaN(ranMs) ? 0 : ranMs }];
  });
}

/** `name_namespace(uid)`, as the kubelet writes a Pod into messages. */
export const podText = ({ metadata: { name, namespace, uid } }: Pod): string => `${name}_${namespace}(${uid})`;

/** A duration as Go prints it: `10s`, `1m20s`, `5m0s`. */
export function durationText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

/** Why containers wait, while the next attempt is put off. */
export function backOffWaiting(pod: Pod, status: ContainerStatus, seconds: number): { readonly reason: string; readonly message: string } {
  const pull = status.state?.waiting?.reason;
  if (pull === "ErrImagePull" || pull === "ImagePullBackOff") {
    const image = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === status.name)?.image ?? "";
    const cause = pull === "ErrImagePull" ? `: ErrImagePull: ${status.state?.waiting?.message ?? ""}` : "";
    return {
      reason: "ImagePullBackOff",
      message: pull === "ErrImagePull" ? `Back-off pulling image "${image}"${cause}` : (status.state?.waiting?.message ?? ""),
    };
  }
  return {
    reason: "CrashLoopBackOff",
    message: `back-off ${durationText(seconds)} restarting failed container=${status.name} pod=${podText(pod)}`,
  };
}
