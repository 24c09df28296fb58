/** Jobs, and the job specs that CronJobs hold. */

import { humanDuration, type Moment } from "../durations.ts";
import type { Job, JobSpec, PodFailurePolicyOnPodConditionsPattern, PodTemplateSpec } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { jobs } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems, patternMessage, qualifiedNameProblems } from "../names.ts";
import type { ObjectMeta } from "../objects.ts";
import type { Given } from "../validation/given.ts";
import { inOrder, selectorInOrder, validateLabelSelector } from "../validation/labels.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { validatePodTemplate } from "../validation/pod/pod-template.ts";
import {
  duplicate,
  eachItem,
  invalid,
  invalidEach,
  invalidWhole,
  notSupported,
  quote,
  required,
  tooLong,
  tooMany,
} from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { nonNegative } from "../validation/values.ts";
import { behaviour, specGeneration, statusBehaviour } from "./behaviour.ts";
import { age, containerColumns, formatSelector, selectorColumn, text } from "./cells.ts";
import { validateIndexes, validateJobStatus } from "./job-status.ts";
import { defaultPodTemplate } from "./pod-spec-defaults.ts";
import { hostnameWarnings, templateWarnings } from "./pod-warnings.ts";
import { validateSelectorMatches } from "./workloads.ts";

export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  spec.manualSelector ??= false;
  defaultJobTemplate(spec);
}

/** What is also filled in while the spec is still a CronJob's template. */
export function defaultJobTemplate(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  defaultPodTemplate((spec.template ??= {}));
}

const nameLabels = ["job-name", "batch.kubernetes.io/job-name"];
const uidLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"];
const selectedLabel = "batch.kubernetes.io/controller-uid";

/** A Job finds its Pods by its own uid, unless its maker wants to choose them. */
function generateSelector({ metadata, spec }: Job): void {
  if (spec.manualSelector) return;
  const template = (spec.template.metadata ??= {} as ObjectMeta);
  const labels = (template.labels ??= {});
  for (const label of nameLabels) labels[label] ??= metadata.name;
  for (const label of uidLabels) labels[label] ??= metadata.uid;
  const selector = (spec.selector ??= {});
  const matchLabels = (selector.matchLabels ??= {});
  matchLabels[selectedLabel] ??= metadata.uid;
}

/** The same object on purpose: what the template is labelled with later on, the Job is labelled with too. */
function labelLikeTemplate({ metadata, spec }: Job): void {
  const labels = spec.template.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = labels;
}

function validateGeneratedSelector({ metadata, spec }: Job): Problem[] {
  if (spec.manualSelector || !spec.selector) return [];
  const path = "spec.template.metadata.labels";
  const labels = spec.template.metadata?.labels;
  const expected = (label: string) => (nameLabels.includes(label) ? metadata.name : metadata.uid);
  const problems = [uidLabels[0], nameLabels[0], uidLabels[1], nameLabels[1]].flatMap((label = "") => {
    const wanted = `must be '${expected(label)}'`;
    if (labels?.[label] === undefined) return [required(`${path}[${label}]`, wanted)];
    return labels[label] === expected(label) ? [] : [invalid(`${path}[${label}]`, inOrder(labels), wanted)];
  });
  const own = Object.fromEntries([...nameLabels, ...uidLabels].map((label) => [label, expected(label)]));
  const selects = validateSelectorMatches({ metadata: { labels: own } as unknown as ObjectMeta }, spec.selector, "").length === 0;
  return selects ? problems : [...problems, invalid("spec.selector", selectorInOrder(spec.selector), "`selector` not auto-generated")];
}

const mostParallel = 100_000;
const manyCompletions = 100_000;
const mostForManyCompletions = 10_000;
const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

/** `acme.io/foo` */
function validateDomainPath(value: string, field: string): Problem[] {
  const [host, ...rest] = value.split("/");
  const path = rest.join("/");
  if (!host || !path) return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return [
    ...invalidEach(field, host, dnsSubdomainProblems(host)),
    ...(new RegExp(`^${pathPattern}$`).test(path) ? [] : [invalid(field, path, patternMessage("Invalid path", pathPattern))]),
  ];
}

function validateIndexedLimits(spec: JobSpec, path: string): Problem[] {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const problems: Problem[] = [];
  if (completions === undefined) problems.push(required(`${path}.completions`, "when completion mode is Indexed"));
  if (parallelism > mostParallel) {
    const detail = `must be less than or equal to ${mostParallel} when completion mode is Indexed`;
    problems.push(invalid(`${path}.parallelism`, parallelism, detail));
  }
  const field = `${path}.maxFailedIndexes`;
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    problems.push(invalid(field, maxFailedIndexes, "must be less than or equal to completions"));
  }
  if (maxFailedIndexes !== undefined && maxFailedIndexes > mostParallel) {
    problems.push(invalid(field, maxFailedIndexes, `must be less than or equal to ${mostParallel}`));
  }
  if (completions === undefined || completions <= manyCompletions || backoffLimitPerIndex === undefined) return problems;
  const limit = `must be less than or equal to ${mostForManyCompletions} when completions are above ${manyCompletions} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) problems.push(required(field, `must be specified when completions is above ${manyCompletions}`));
  if (parallelism > mostForManyCompletions) problems.push(invalid(`${path}.parallelism`, parallelism, limit));
  if ((maxFailedIndexes ?? 0) > mostForManyCompletions) problems.push(invalid(field, maxFailedIndexes, limit));
  return problems;
}

const failureActions = ["Count", "FailIndex", "FailJob", "Ignore"];
const validValues = (values: readonly string[]) => `valid values: [${values.map(quote).join(" ")}]`;

type FailureRule = NonNullable<JobSpec["podFailurePolicy"]>["rules"][number];

function validateFailurePolicy(spec: JobSpec, path: string): Problem[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const { containers = [], initContainers = [] } = spec.template.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  return [
    ...(rules.length > 20 ? [tooMany(`${path}.rules`, rules.length, 20)] : []),
    ...eachItem(`${path}.rules`, rules, (rule, at) => validateFailureRule(rule, spec, names, at)),
  ];
}

function validateFailureRule(rule: FailureRule, spec: JobSpec, names: ReadonlySet<string>, at: string): Problem[] {
  const { action, onExitCodes: codes, onPodConditions: conditions = [] } = rule;
  const problems: Problem[] = [];
  if (!action) problems.push(required(`${at}.action`, validValues(failureActions)));
  else if (action === "FailIndex") {
    if (spec.backoffLimitPerIndex === undefined) {
      problems.push(invalid(`${at}.action`, action, "requires the backoffLimitPerIndex to be set"));
    }
  } else if (!failureActions.includes(action)) problems.push(notSupported(`${at}.action`, action, failureActions));
  if (codes) problems.push(...validateExitCodes(codes, names, `${at}.onExitCodes`));
  if (conditions.length > 20) problems.push(tooMany(`${at}.onPodConditions`, conditions.length, 20));
  problems.push(
    ...eachItem(`${at}.onPodConditions`, conditions, ({ type = "", status }: Given<PodFailurePolicyOnPodConditionsPattern>, path) => [
      ...invalidEach(`${path}.type`, type, qualifiedNameProblems(type)),
      ...(!status || ["False", "True", "Unknown"].includes(status)
        ? []
        : [notSupported(`${path}.status`, status, ["False", "True", "Unknown"])]),
    ]),
  );
  if (codes && conditions.length > 0) {
    problems.push(invalidWhole(at, "specifying both OnExitCodes and OnPodConditions is not supported"));
  }
  if (!codes && conditions.length === 0) {
    problems.push(invalidWhole(at, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  return problems;
}

function validateExitCodes(codes: NonNullable<FailureRule["onExitCodes"]>, names: ReadonlySet<string>, at: string): Problem[] {
  const { operator, containerName, values = [] } = codes as Given<typeof codes>;
  const problems: Problem[] = [];
  if (!operator) problems.push(required(`${at}.operator`, validValues(["In", "NotIn"])));
  else if (operator !== "In" && operator !== "NotIn") problems.push(notSupported(`${at}.operator`, operator, ["In", "NotIn"]));
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    problems.push(invalid(`${at}.containerName`, containerName, detail));
  }
  if (values.length === 0) problems.push(invalid(`${at}.values`, codes.values, "at least one value is required"));
  else if (values.length > 255) problems.push(tooMany(`${at}.values`, values.length, 255));
  problems.push(
    ...eachItem(`${at}.values`, values, (value, path, index) => [
      ...(operator === "In" && value === 0 ? [invalid(path, value, "must not be 0 for the In operator")] : []),
      ...(values.indexOf(value) < index ? [duplicate(path, value)] : []),
    ]),
  );
  const isOrdered = values.every((value, index) => index === 0 || (values[index - 1] ?? 0) <= value);
  return isOrdered ? problems : [...problems, invalid(`${at}.values`, values, "must be ordered")];
}

function validateSuccessPolicy(spec: JobSpec, path: string): Problem[] {
  const rules = spec.successPolicy?.rules ?? [];
  const completions = spec.completions ?? 0;
  const problems: Problem[] = [];
  if (rules.length === 0) {
    problems.push(required(`${path}.rules`, "at least one rules must be specified when the successPolicy is specified"));
  }
  if (rules.length > 20) problems.push(tooMany(`${path}.rules`, rules.length, 20));
  return [
    ...problems,
    ...eachItem(`${path}.rules`, rules, ({ succeededCount: count, succeededIndexes: indexes }, at) => {
      const own: Problem[] = [];
      if (count === undefined && indexes === undefined) {
        own.push(required(at, "at least one of succeededCount or succeededIndexes must be specified"));
      }
      let total = 0;
      if (indexes !== undefined) {
        const field = `${at}.succeededIndexes`;
        if (indexes.length > 65_536) own.push(tooLong(field, 65_536));
        const checked = validateIndexes(indexes, completions);
        total = checked.total;
        if (checked.problem) own.push(invalid(field, indexes, `error parsing succeededIndexes: ${checked.problem}`));
      }
      if (count === undefined) return own;
      const field = `${at}.succeededCount`;
      own.push(...nonNegative(count, field));
      if (count > completions) {
        own.push(invalid(field, count, `must be less than or equal to ${completions} (the number of specified completions)`));
      }
      if (indexes !== undefined && count > total) {
        const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
        own.push(invalid(field, count, detail));
      }
      return own;
    }),
  ];
}

function validateReplacement({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, field: string): Problem[] {
  if (!policy) return [];
  if (podFailurePolicy) return policy === "Failed" ? [] : [notSupported(field, policy, ["Failed"])];
  const supported = ["Failed", "TerminatingOrFailed"];
  return supported.includes(policy) ? [] : [notSupported(field, policy, supported)];
}

/** A job spec without its selector, which does not exist yet in a template. */
export function validateJobSpec(spec: JobSpec, path: string): Problem[] {
  const counters = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const;
  const isIndexed = spec.completionMode === "Indexed";
  const problems = counters.flatMap((field) => nonNegative(spec[field], `${path}.${field}`));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    problems.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  }
  if (spec.managedBy !== undefined) {
    problems.push(...(spec.managedBy ? validateDomainPath(spec.managedBy, `${path}.managedBy`) : [required(`${path}.managedBy`)]));
    if (spec.managedBy.length > 63) problems.push(tooLong(`${path}.managedBy`, 63));
  }
  if (spec.completionMode && !isIndexed && spec.completionMode !== "NonIndexed") {
    problems.push(notSupported(`${path}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]));
  }
  if (isIndexed) problems.push(...validateIndexedLimits(spec, path));
  if (!spec.completionMode || spec.completionMode === "NonIndexed") {
    for (const field of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) {
      if (spec[field] !== undefined) problems.push(invalid(`${path}.${field}`, spec[field], "requires indexed completion mode"));
    }
  }
  if (spec.podFailurePolicy) problems.push(...validateFailurePolicy(spec, `${path}.podFailurePolicy`));
  if (spec.successPolicy) {
    const at = `${path}.successPolicy`;
    problems.push(
      ...(isIndexed
        ? validateSuccessPolicy(spec, at)
        : [invalid(at, shownSuccessPolicy(spec.successPolicy), "requires indexed completion mode")]),
    );
  }
  return [
    ...problems,
    ...validateReplacement(spec, `${path}.podReplacementPolicy`),
    ...validatePodTemplate(spec.template, `${path}.template`),
    ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ];
}

const shownSuccessPolicy = ({ rules }: NonNullable<JobSpec["successPolicy"]>) => ({
  Rules: (rules ?? []).map(({ succeededIndexes, succeededCount }) => ({
    SucceededIndexes: succeededIndexes ?? null,
    SucceededCount: succeededCount ?? null,
  })),
});

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, field: string): Problem[] {
  const policy = template.spec?.restartPolicy;
  if (!policy || policy === "Always") return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(field, policy, ["OnFailure", "Never"])];
  return podFailurePolicy && policy !== "Never"
    ? [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

function validate(job: Job): Problem[] {
  const { metadata, spec } = job;
  const problems = [...validateGeneratedSelector(job), ...validateJobSpec(spec, "spec")];
  if (!spec.selector) problems.push(required("spec.selector"));
  problems.push(...validateLabelSelector(spec.selector, "spec.selector"));
  problems.push(...validateSelectorMatches(spec.template, spec.selector, "spec.template"));
  const last = `${metadata.name}-${(spec.completions ?? 0) - 1}`;
  if (spec.completionMode === "Indexed" && (spec.completions ?? 0) > 0 && dnsLabelProblems(last).length > 0) {
    problems.push(invalid("metadata.name", metadata.name ?? "", `will not able to create pod with invalid DNS label: ${last}`));
  }
  return problems;
}

const settled = ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;

function validateChange({ spec: next }: Job, { spec: previous, status }: Job): Problem[] {
  const problems: Problem[] = [];
  if (next.completionMode !== "Indexed") problems.push(...validateImmutable(next.completions, previous.completions, "spec.completions"));
  else if (next.completions !== undefined && next.completions !== previous.completions && next.completions !== next.parallelism) {
    problems.push(invalid("spec.completions", next.completions, "can only be modified in tandem with spec.parallelism"));
  }
  return [
    ...problems,
    ...settled.flatMap((field) => validateImmutable(next[field], previous[field], `spec.${field}`)),
    ...validateTemplateChange(next, previous, status),
  ];
}

/** What of a template never changes. */
const settledPart = ({ metadata, spec }: PodTemplateSpec) => {
  const {
    nodeSelector: _,
    tolerations: __,
    schedulingGates: ___,
    affinity,
    containers,
    initContainers,
    ...rest
  } = spec ?? { containers: [] };
  const { labels: _labels, annotations: _annotations, ...otherMetadata } = metadata ?? ({} as ObjectMeta);
  const withoutResources = (list: typeof containers | undefined) => list?.map(({ resources: _resources, ...container }) => container);
  return [otherMetadata, rest, { ...affinity, nodeAffinity: undefined }, withoutResources(containers), withoutResources(initContainers)];
};

/** While a Job is suspended and has no Pods, where they will run and what they get may still be changed. */
function validateTemplateChange(next: JobSpec, previous: JobSpec, status: Job["status"]): Problem[] {
  const field = "spec.template";
  const isSuspended = status?.conditions?.some(({ type, status: value }) => type === "Suspended" && value === "True") ?? false;
  const isOpen = previous.suspend === true && (status?.startTime === undefined || isSuspended) && (status?.active ?? 0) === 0;
  if (!isOpen) return validateImmutable(next.template, previous.template, field);
  return semanticallyEqual(settledPart(next.template), settledPart(previous.template))
    ? []
    : [invalid(`${field}.spec`, next.template.spec, "field is immutable")];
}

const has = (job: Job, type: string): boolean => job.status?.conditions?.find((condition) => condition.type === type)?.status === "True";

/** The first of these conditions that holds names the state. */
const states = ["Complete", "Failed", "Terminating", "Suspended", "FailureTarget", "SuccessCriteriaMet"];

const statusCell = (job: Job): string =>
  states.find((state) => (state === "Terminating" ? job.metadata.deletionTimestamp !== undefined : has(job, state))) ?? "Running";

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: Job, now: Moment): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : now.getTime();
  return humanDuration(end - Date.parse(status.startTime));
}

/** Warnings about a job spec. @param path of the spec */
export function jobSpecWarnings(next: JobSpec, previous: JobSpec | undefined, path: string): string[] {
  const warnings: string[] = [];
  const isMany = next.completionMode === "Indexed" && (next.completions ?? 0) > manyCompletions;
  if (isMany && (next.parallelism ?? 0) > mostForManyCompletions) {
    warnings.push(
      `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
    );
  }
  return [...warnings, ...templateWarnings(next.template, previous?.template, `${path}.template`)];
}

export const jobBehaviour = behaviour(jobs, {
  ...statusBehaviour,
  defaults: (job) => {
    job.status ??= {};
    defaultJobSpec(job.spec);
    labelLikeTemplate(job);
  },
  prepareForCreate: (job) => {
    generateSelector(job);
    // A name that is no label is reported for itself.
    if (labelValueProblems(job.metadata.name ?? "").length === 0) labelLikeTemplate(job);
    job.status = {};
  },
  validate,
  validateUpdate: validateChange,
  validateStatusUpdate: validateJobStatus,
  warnings: ({ metadata, spec }, previous) => [
    ...(previous ? [] : hostnameWarnings(metadata.name, "Pod names and hostnames")),
    ...jobSpecWarnings(spec, previous?.spec, "spec"),
  ],
  generationFields: specGeneration,
  // Old clients expect a Job's Pods to outlive it.
  defaultPropagation: "Orphan",
  unsaidPropagationWarning:
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  ownAge: true,
  columns: [
    text("Status", statusCell),
    text("Completions", completionsCell),
    text("Duration", durationCell),
    age,
    ...containerColumns<Job>(({ spec }) => spec.template?.spec?.containers),
    selectorColumn(({ spec }) => formatSelector(spec.selector)),
  ],
});
