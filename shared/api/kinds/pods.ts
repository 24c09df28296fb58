/** Pods: defaults, what the server sets on create, columns and graceful deletion. */
import type { LabelSelector, Pod, PodAffinityTerm } from "../generated/types.ts";
import { wholeNumber } from "../json.ts";
import type { RowCondition } from "../kind.ts";
import { pods } from "../kinds.ts";
import { copyOf } from "../patch/values.ts";
import { validateNewPod, validatePod, validatePodChange, validatePodStatusChange } from "../validation/pod/pods.ts";
import { behaviour } from "./behaviour.ts";
import { podColumns } from "./pod-columns.ts";
import { defaultRequests, qosClass } from "./pod-resources.ts";
import { defaultPodSpec, dropDisabledFields } from "./pod-spec-defaults.ts";
import { hostnameWarnings, podSpecWarnings } from "./pod-warnings.ts";

function setDefaults(pod: Pod): void {
  pod.spec ??= { containers: [] };
  defaultPodSpec(pod.spec);
  defaultRequests(pod);
  pod.spec.enableServiceLinks ??= true;
  if (pod.spec.hostNetwork) {
    for (const container of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
      for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
    }
  }
  // Neither the one value that clients know of old nor the list that replaced it is ever alone.
  const status = (pod.status ??= {});
  if (status.podIP && status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  else if (status.podIPs?.[0]) status.podIP = status.podIPs[0].ip;
  for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    container.state ??= {};
    container.lastState ??= {};
  }
  if (wholeNumber(pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
  dropDisabledFields(pod.spec);
}

function prepareForCreate(pod: Pod): void {
  pod.status = { phase: "Pending", qosClass: qosClass(pod) };
  if ((pod.spec.schedulingGates ?? []).length > 0) {
    pod.status.conditions = [
      {
        type: "PodScheduled",
        status: "False",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
        lastTransitionTime: pod.metadata.creationTimestamp,
      },
    ];
  }
  mergeLabelKeys(pod);
}

/** `matchLabelKeys` become requirements on the values which the Pod itself has. */
function mergeLabelKeys(pod: Pod): void {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(podAffinityTerm, pod);
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(term, pod);
  }
  for (const { labelSelector, matchLabelKeys } of pod.spec.topologySpreadConstraints ?? []) {
    if (labelSelector) requireLabels(labelSelector, matchLabelKeys, "In", pod);
  }
}

function mergeTerm(term: PodAffinityTerm | undefined, pod: Pod): void {
  if (!term?.labelSelector) return;
  const { labelSelector, matchLabelKeys, mismatchLabelKeys } = term;
  requireLabels(labelSelector, matchLabelKeys, "In", pod);
  requireLabels(labelSelector, mismatchLabelKeys, "NotIn", pod);
}

function requireLabels(selector: LabelSelector, keys: readonly string[] | undefined, operator: "In" | "NotIn", pod: Pod): void {
  for (const key of keys ?? []) {
    const value = pod.metadata.labels?.[key];
    if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] });
  }
}

/** The status endpoint changes the status and a few fields of metadata; what it must not lose is put back. */
function prepareForStatusUpdate(next: Pod, previous: Pod): void {
  next.spec = copyOf(previous.spec);
  if (previous.metadata.deletionTimestamp) next.metadata.deletionTimestamp = previous.metadata.deletionTimestamp;
  else delete next.metadata.deletionTimestamp;
  if (previous.metadata.ownerReferences) next.metadata.ownerReferences = copyOf(previous.metadata.ownerReferences);
  else delete next.metadata.ownerReferences;
  const status = (next.status ??= {});
  if (previous.status?.qosClass) status.qosClass ||= previous.status.qosClass;
  if (previous.status?.observedGeneration) status.observedGeneration ||= previous.status.observedGeneration;
  // Several conditions of one type are legal: each keeps the generation of the one at its place among them.
  const known = new Map<string, (number | undefined)[]>();
  for (const { type, observedGeneration } of previous.status?.conditions ?? []) {
    known.set(type, [...(known.get(type) ?? []), observedGeneration]);
  }
  for (const condition of status.conditions ?? []) {
    const generation = known.get(condition.type)?.shift();
    if (generation) condition.observedGeneration ||= generation;
  }
}

const completed = (reason: string, message: string): readonly RowCondition[] => [{ type: "Completed", status: "True", reason, message }];
const succeeded = completed("Succeeded", "The pod has completed successfully.");
const failed = completed("Failed", "The pod failed.");

export const podBehaviour = behaviour(pods, {
  defaults: setDefaults,
  prepareForCreate,
  prepareForUpdate: (next, previous) => {
    next.status = copyOf(previous.status ?? {});
  },
  prepareForStatusUpdate,
  statusIgnores: [["metadata", "ownerReferences"]],
  validate: validatePod,
  validateCreate: validateNewPod,
  validateUpdate: validatePodChange,
  validateStatusUpdate: validatePodStatusChange,
  // People rarely change Pods themselves; controllers do so often.
  warnings: ({ metadata, spec }, previous) =>
    previous ? [] : [...hostnameWarnings(metadata.name, "the Pod's hostname"), ...podSpecWarnings(spec, metadata.annotations, "")],
  generationFields: ({ spec }) => spec,
  columns: podColumns,
  rowConditions: ({ status }) => (status?.phase === "Succeeded" ? succeeded : status?.phase === "Failed" ? failed : []),
  ownAge: true,
  selectableFields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.host": ({ spec }) => spec.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec.serviceAccountName ?? "",
    "spec.hostNetwork": ({ spec }) => String(spec.hostNetwork ?? false),
    "status.phase": ({ status }) => status?.phase ?? "",
    "status.podIP": ({ status }) => status?.podIPs?.[0]?.ip ?? "",
    "status.podIPs": () => "",
    "status.nominatedNodeName": ({ status }) => status?.nominatedNodeName ?? "",
  },
  gracePeriodSeconds: (pod, requested) => {
    const isOver = pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
    if (!pod.spec.nodeName || isOver) return 0;
    const seconds = wholeNumber(requested ?? pod.spec.terminationGracePeriodSeconds ?? 0);
    return seconds < 0 ? 1 : seconds;
  },
});
