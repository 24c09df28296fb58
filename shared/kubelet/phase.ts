/** The phase of a Pod, from the states of its containers. @see k8s.io/kubernetes/pkg/kubelet, getPhase */
import type { ContainerStatus, Pod } from "../api/generated/types.ts";
import { isSidecar } from "../scheduler/requests.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export const isFinal = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";

/** Whether a container that ended with this code would be started again. */
export function wouldRestart(pod: Pod, exitCode: number): boolean {
  switch (pod.spec.restartPolicy ?? "Always") {
    case "Never":
      return false;
    case "OnFailure":
      return exitCode !== 0;
    default:
      return true;
  }
}

/** How a container ended last, unless it runs again. */
const ended = ({ state, lastState }: ContainerStatus) => state?.terminated ?? (state?.waiting ? lastState?.terminated : undefined);

/**
 * @param init statuses of init containers, in order
 * @param ending nothing is started again, whatever the restart policy says: the Pod is being deleted
 */
export function podPhase(pod: Pod, init: readonly ContainerStatus[], main: readonly ContainerStatus[], ending: boolean): Phase {
  const restartable = (exitCode: number) => !ending && wouldRestart(pod, exitCode);
  let pending = false;
  const wasInitialized = pod.status?.conditions?.some(({ type, status }) => type === "Initialized" && status === "True") ?? false;
  let running = 0;
  for (const [index, container] of (pod.spec.initContainers ?? []).entries()) {
    const status = init[index];
    if (!status) {
      pending = true;
    } else if (isSidecar(container)) {
      if (status.state?.running) running++;
      const starting = status.state?.running ? !status.started : !ended(status);
      if (starting && !wasInitialized) pending = true;
    } else {
      const end = ended(status);
      if (end && end.exitCode !== 0 && !restartable(end.exitCode)) return "Failed";
      if (status.state?.running || !end || end.exitCode !== 0) pending = true;
    }
  }

  let waiting = false;
  const codes: number[] = [];
  for (const status of main) {
    if (status.state?.running) {
      running++;
      continue;
    }
    const end = ended(status);
    if (end) codes.push(end.exitCode);
    else waiting = true;
  }
  // A Pod that ends before its containers ran has nothing to show for it.
  if (ending && running === 0) return !pending && !waiting && codes.every((code) => code === 0) ? "Succeeded" : "Failed";
  if (pending || waiting) return "Pending";
  if (running > 0 || codes.some(restartable)) return "Running";
  return codes.every((code) => code === 0) ? "Succeeded" : "Failed";
}
