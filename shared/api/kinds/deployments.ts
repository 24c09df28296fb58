/** Deployments. */
import type { Deployment } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { deployments } from "../kinds.ts";
import { copyOf } from "../patch/values.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { forbidden, invalid, notSupported, required } from "../validation/problems.ts";
import { intOrPercentNumber, nonNegative, notDecremented, notMoreThanAll, validateIntOrPercent } from "../validation/values.ts";
import { behaviour, statusBehaviour } from "./behaviour.ts";
import { age, containerColumns, countAsText, selectorColumn, selectorText, text } from "./cells.ts";
import { defaultPodTemplate } from "./pod-spec-defaults.ts";
import { hostnameWarnings, templateWarnings } from "./pod-warnings.ts";
import { isReadableSelector, scaleMapping, validateCounts, validateWorkloadSelector, validateWorkloadTemplate } from "./workloads.ts";

function setDefaults({ spec }: Deployment): void {
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= "25%";
    strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate((spec.template ??= {}));
}

function validateStrategy(strategy: NonNullable<Deployment["spec"]["strategy"]>, path: string): Problem[] {
  const { type, rollingUpdate } = strategy;
  if (type === "Recreate") {
    return rollingUpdate ? [forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")] : [];
  }
  if (type !== "RollingUpdate") return [notSupported(path, strategy, ["Recreate", "RollingUpdate"])];
  if (!rollingUpdate) return [required(`${path}.rollingUpdate`, "this should be defaulted and never be nil")];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const at = `${path}.rollingUpdate.maxUnavailable`;
  return [
    ...validateIntOrPercent(maxUnavailable, at),
    ...validateIntOrPercent(maxSurge, `${path}.rollingUpdate.maxSurge`),
    ...(intOrPercentNumber(maxUnavailable) === 0 && intOrPercentNumber(maxSurge) === 0
      ? [invalid(at, maxUnavailable, "may not be 0 when `maxSurge` is 0")]
      : []),
    ...notMoreThanAll(maxUnavailable, at),
  ];
}

function validate({ spec }: Deployment): Problem[] {
  const problems = [
    ...nonNegative(spec.replicas, "spec.replicas"),
    ...validateWorkloadSelector(spec.selector, "spec.selector", "deployment"),
    ...(isReadableSelector(spec.selector) ? validateWorkloadTemplate(spec.template, spec.selector, "spec.template", "ReplicaSet") : []),
    ...validateStrategy(spec.strategy ?? {}, "spec.strategy"),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
    ...nonNegative(spec.progressDeadlineSeconds, "spec.progressDeadlineSeconds"),
  ];
  if (spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) {
    problems.push(invalid("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds, "must be greater than minReadySeconds"));
  }
  return problems;
}

const counters = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
] as const;

export const deploymentBehaviour = behaviour(deployments, {
  ...statusBehaviour,
  defaults: setDefaults,
  statusIgnores: [["metadata", "labels"]],
  prepareForStatusUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec);
    if (previous.metadata.labels) next.metadata.labels = { ...previous.metadata.labels };
    else delete next.metadata.labels;
  },
  validate,
  validateUpdate: (next, previous) => validateImmutable(next.spec.selector, previous.spec.selector, "spec.selector"),
  validateStatusUpdate: ({ status = {} }, previous) => [
    ...validateCounts(status, counters, ["updatedReplicas", "readyReplicas", "availableReplicas"]),
    ...notDecremented(status.collisionCount, previous.status?.collisionCount, "status.collisionCount"),
  ],
  warnings: ({ metadata, spec }, previous) => [
    ...(previous ? [] : hostnameWarnings(metadata.name, "Pod names and hostnames")),
    ...templateWarnings(spec.template, previous?.spec.template),
  ],
  // Annotations reach the ReplicaSets, so they count as well.
  generationFields: ({ spec, metadata: { annotations = {} } }) => ({ spec, annotations }),
  scale: scaleMapping<Deployment>(),
  ownAge: true,
  columns: [
    text("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    countAsText("Up-to-date", ({ status }) => status?.updatedReplicas),
    countAsText("Available", ({ status }) => status?.availableReplicas),
    age,
    ...containerColumns<Deployment>(({ spec }) => spec.template?.spec?.containers),
    selectorColumn(({ spec }) => selectorText(spec.selector)),
  ],
});
