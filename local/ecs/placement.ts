/** Whether a task fits on a container instance, and which instance RunTask takes. */
import type { Failure, InstanceRecord, Reservation } from "./model.ts";

/** @returns the reason as Amazon ECS reports it in `failures[]`, or undefined when the task can be placed */
export function whyNot(record: InstanceRecord, left: Reservation, wanted: Reservation): Failure | undefined {
  const { containerInstanceArn: arn, status, agentConnected } = record.instance;
  if (status !== "ACTIVE") return { arn, reason: "INACTIVE", detail: `The container instance is ${status}.` };
  if (!agentConnected) return { arn, reason: "AGENT" };
  if (wanted.cpu > left.cpu) return { arn, reason: "RESOURCE:CPU" };
  if (wanted.memory > left.memory) return { arn, reason: "RESOURCE:MEMORY" };
  if (wanted.gpu > left.gpu) return { arn, reason: "RESOURCE:GPU" };
  if (wanted.eni > left.eni) return { arn, reason: "RESOURCE:ENI" };
  if (wanted.ports.some((port) => left.ports.includes(port)) || wanted.udpPorts.some((port) => left.udpPorts.includes(port))) {
    return { arn, reason: "RESOURCE:PORTS" };
  }
  return undefined;
}

/**
 * The instance with the most memory left among those that fit (so tasks spread), or why each does not.
 * @param tried failures, one per instance
 */
export function choose(
  candidates: readonly { readonly record: InstanceRecord; readonly left: Reservation }[],
  wanted: Reservation,
): { readonly record: InstanceRecord } | { readonly tried: readonly Failure[] } {
  const tried: Failure[] = [];
  let best: (typeof candidates)[number] | undefined;
  for (const candidate of candidates) {
    const failure = whyNot(candidate.record, candidate.left, wanted);
    if (failure) tried.push(failure);
    else if (!best || candidate.left.memory > best.left.memory) best = candidate;
  }
  return best ? { record: best.record } : { tried };
}
