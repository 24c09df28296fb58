/** Events of a Pod's containers, from two of its statuses: what changed is what happened. Pure. */
import type { ContainerStatus, Pod, PodStatus } from "../api/generated/types.ts";
import type { ProbeReport } from "./probes.ts";
import { podText } from "./restarts.ts";

export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

const normal = (reason: string, message: string): PodEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): PodEvent => ({ type: "Warning", reason, message });

export function statusEvents(pod: Pod, previous: PodStatus | undefined, next: PodStatus): PodEvent[] {
  const before = [...(previous?.initContainerStatuses ?? []), ...(previous?.containerStatuses ?? [])];
  const after = [...(next.initContainerStatuses ?? []), ...(next.containerStatuses ?? [])];
  return after.flatMap((status) =>
    containerEvents(
      pod,
      before.find(({ name }) => name === status.name),
      status,
    ),
  );
}

function containerEvents(pod: Pod, before: ContainerStatus | undefined, after: ContainerStatus): PodEvent[] {
  const found: PodEvent[] = [];
  const ran = after.state?.running ?? after.state?.terminated;
  if (ran && after.containerID && after.containerID !== before?.containerID) {
    found.push(normal("Pulled", `Successfully pulled image "${after.image}"`), normal("Created", "Container created"));
    if (after.state?.terminated?.reason !== "StartError") found.push(normal("Started", "Container started"));
  }
  const { reason, message = "" } = after.state?.waiting ?? {};
  if (reason === undefined || reason === before?.state?.waiting?.reason) return found;
  switch (reason) {
    case "ErrImagePull":
      found.push(warning("Failed", `Failed to pull image "${after.image}": ${message}`), warning("Failed", "Error: ErrImagePull"));
      break;
    case "ImagePullBackOff":
      found.push(normal("BackOff", `Back-off pulling image "${after.image}"`), warning("Failed", "Error: ImagePullBackOff"));
      break;
    case "CrashLoopBackOff":
      found.push(warning("BackOff", `Back-off restarting failed container ${after.name} in pod ${podText(pod)}`));
      break;
    case "CreateContainerError":
    case "CreateContainerConfigError":
      found.push(warning("Failed", `Error: ${message}`));
      break;
    case "InvalidImageName":
      found.push(warning("InspectFailed", message), warning("Failed", "Error: InvalidImageName"));
      break;
    default:
      break;
  }
  return found;
}

/** What probes found, as far as it is news. */
export function probeEvents(previous: ProbeReport | undefined, next: ProbeReport): PodEvent[] {
  return next.containers.flatMap(({ name, failing, message }) => {
    const before = previous?.containers.find((container) => container.name === name);
    if (!failing || (before?.failing === failing && before.message === message)) return [];
    return [warning("Unhealthy", `${failing} probe failed: ${message ?? ""}`)];
  });
}
