/** How `kubectl get pods` sums up a Pod: READY, STATUS and RESTARTS. */
import { type Moment, since } from "../durations.ts";
import type { ContainerStatus, Pod } from "../generated/types.ts";
import type { Column } from "../kind.ts";
import { age, text, wide } from "./cells.ts";

interface Summary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  /** When the last container ended that was started again; RFC 3339. */
  readonly lastRestart: string | undefined;
}

/** Containers that were started again: how often, and when the last one had ended. */
class Restarts {
  count = 0;
  last: string | undefined;

  add(status: ContainerStatus): void {
    this.count += status.restartCount ?? 0;
    const ended = status.lastState?.terminated?.finishedAt;
    if (ended && (this.last === undefined || Date.parse(ended) > Date.parse(this.last))) this.last = ended;
  }
}

const endReason = ({ reason, signal, exitCode }: { reason?: string | undefined; signal?: number | undefined; exitCode: number }): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`);

const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

/** @see k8s.io/kubernetes/pkg/printers/internalversion, printPod */
export function summarize(pod: Pod): Summary {
  const status = pod.status ?? {};
  const sidecars = new Set(
    (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map((container) => container.name),
  );
  const init = initialization(pod, sidecars);
  let readyCount = init.readySidecars;
  let reason = init.reason ?? gateReason(pod) ?? (status.reason || status.phase || "");
  let restarts = init.restarts;

  if (init.reason === undefined || hasCondition(pod, "Initialized")) {
    restarts = init.sidecarRestarts;
    let running = false;
    let errorReason = "";
    for (const container of (status.containerStatuses ?? []).toReversed()) {
      restarts.add(container);
      const { waiting, terminated, running: started } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) {
        reason = endReason(terminated);
        if (terminated.exitCode) errorReason = reason;
      } else if (container.ready && started) {
        running = true;
        readyCount++;
      }
    }
    // One container has completed, but another one still runs, or failed.
    if (reason === "Completed") {
      if (running && hasCondition(pod, "Ready")) reason = "Running";
      else if (errorReason) reason = errorReason;
      else if (running) reason = "NotReady";
    }
  }

  if (pod.metadata.deletionTimestamp) {
    if (status.reason === "NodeLost") reason = "Unknown";
    else if (status.phase !== "Succeeded" && status.phase !== "Failed") reason = "Terminating";
  }
  const total = (pod.spec.containers ?? []).length + sidecars.size;
  return { ready: `${readyCount}/${total}`, status: reason, restarts: restarts.count, lastRestart: restarts.last };
}

const gateReason = (pod: Pod): string | undefined =>
  pod.status?.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated")
    ? "SchedulingGated"
    : undefined;

/** How far the init containers have come; `reason` while they are not done. */
function initialization(pod: Pod, sidecars: ReadonlySet<string>) {
  const restarts = new Restarts();
  const sidecarRestarts = new Restarts();
  let readySidecars = 0;
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(container.name);
    restarts.add(container);
    if (isSidecar) sidecarRestarts.add(container);
    const { waiting, terminated } = container.state ?? {};
    if (terminated && !terminated.exitCode) continue;
    if (isSidecar && container.started) {
      if (container.ready) readySidecars++;
      continue;
    }
    let reason = `Init:${index}/${(pod.spec.initContainers ?? []).length}`;
    if (terminated) reason = `Init:${endReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") reason = `Init:${waiting.reason}`;
    return { reason, restarts, sidecarRestarts, readySidecars };
  }
  return { reason: undefined, restarts, sidecarRestarts, readySidecars };
}

function restartsCell(pod: Pod, now: Moment): string {
  const { restarts, lastRestart } = summarize(pod);
  return restarts > 0 && lastRestart !== undefined ? `${restarts} (${since(lastRestart, now)} ago)` : String(restarts);
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const open = gates.filter(({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status === "True");
  return `${open.length}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  text("Ready", (pod) => summarize(pod).ready),
  text("Status", (pod) => summarize(pod).status),
  text("Restarts", restartsCell),
  age,
  wide(text("IP", (pod) => pod.status?.podIPs?.[0]?.ip || "<none>")),
  wide(text("Node", (pod) => pod.spec.nodeName || "<none>")),
  wide(text("Nominated Node", (pod) => pod.status?.nominatedNodeName || "<none>")),
  wide(text("Readiness Gates", readinessGates)),
];
