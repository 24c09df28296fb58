/** What a Pod's failure means for its Job: whether it counts, ends the Job, and how long the next Pod has to wait. */
import type { ContainerStatus, Job, Pod, PodFailurePolicyRule } from "../../api/generated/types.ts";

const firstBackoffMs = 10_000;
const maxBackoffMs = 600_000;

/**
 * Failed, or being deleted without having succeeded: unless the Job asks to wait for the end of such Pods, they are replaced at once
 * and therefore count.
 */
export const hasFailed = (job: Job, pod: Pod): boolean =>
  pod.status?.phase === "Failed" ||
  (pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded" && !waitsForTheEnd(job));

/** Pods are replaced only when they have failed, not while they terminate. */
export const waitsForTheEnd = ({ spec }: Job): boolean => spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;

export type Judgement =
  /** As `backoffLimit` has it. */
  { readonly action: "Count" } | { readonly action: "Ignore" } | { readonly action: "FailJob"; readonly message: string };

/** The first rule of `podFailurePolicy` that matches decides. */
export function judgeFailure({ spec }: Job, pod: Pod): Judgement {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchOf(rule, pod);
    if (match === undefined) continue;
    if (rule.action === "Ignore") return { action: "Ignore" };
    if (rule.action === "FailJob") return { action: "FailJob", message: `${match} matching FailJob rule at index ${index}` };
    if (rule.action === "Count") return { action: "Count" };
  }
  return { action: "Count" };
}

/** @returns what matched, in words */
function matchOf({ onExitCodes, onPodConditions }: PodFailurePolicyRule, { status, metadata }: Pod): string | undefined {
  const pod = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes) {
    const matches = ({ name, state }: ContainerStatus): boolean => {
      const code = state?.terminated?.exitCode ?? 0;
      if (code === 0 || (onExitCodes.containerName !== undefined && onExitCodes.containerName !== name)) return false;
      return onExitCodes.values.includes(code) === (onExitCodes.operator === "In");
    };
    const container = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(matches);
    return container && `Container ${container.name} for pod ${pod} failed with exit code ${container.state?.terminated?.exitCode}`;
  }
  const condition = status?.conditions?.find(({ type, status: value }) =>
    onPodConditions?.some((pattern) => pattern.type === type && (pattern.status ?? "True") === value),
  );
  return condition && `Pod ${pod} has condition ${condition.type}`;
}

/** With `restartPolicy: OnFailure` the restarts of the containers count against the limit, before any Pod has failed. */
export function restartsExceed({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const running = pods.filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending");
  const restarts = running
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** When the next Pod may be made: later with every failure since the last success. Undefined: at once. */
export function nextPodAt(job: Job, pods: readonly Pod[], now: Date): Date | undefined {
  const finished = pods
    .filter((pod) => pod.status?.phase === "Succeeded" || hasFailed(job, pod))
    .map((pod) => ({ failed: pod.status?.phase !== "Succeeded", at: finishedAt(pod, now) }))
    .toSorted((one, other) => other.at - one.at);
  const firstSuccess = finished.findIndex(({ failed }) => !failed);
  const failures = firstSuccess === -1 ? finished.length : firstSuccess;
  const latest = finished[0];
  if (failures === 0 || !latest) return undefined;
  const at = latest.at + Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 20));
  return at > now.getTime() ? new Date(at) : undefined;
}

function finishedAt({ status, metadata }: Pod, now: Date): number {
  const times = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""));
  const known = [...times, Date.parse(metadata.deletionTimestamp ?? "")].filter((time) => !Number.isNaN(time));
  if (known.length > 0) return Math.min(Math.max(...known), now.getTime());
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  return Date.parse(ready ?? metadata.creationTimestamp);
}
