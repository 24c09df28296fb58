/** ReplicaSets. */
import type { ReplicaSet } from "../generated/types.ts";
import { replicaSets } from "../kinds.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { nonNegative } from "../validation/values.ts";
import { behaviour, specGeneration, statusBehaviour } from "./behaviour.ts";
import { age, containerColumns, count, formatSelector, selectorColumn } from "./cells.ts";
import { defaultPodTemplate } from "./pod-spec-defaults.ts";
import { hostnameWarnings, templateWarnings } from "./pod-warnings.ts";
import { isReadableSelector, scaleMapping, validateCounts, validateWorkloadSelector, validateWorkloadTemplate } from "./workloads.ts";

const counters = [
  "replicas",
  "fullyLabeledReplicas",
  "readyReplicas",
  "availableReplicas",
  "observedGeneration",
  "terminatingReplicas",
] as const;

export const replicaSetBehaviour = behaviour(replicaSets, {
  ...statusBehaviour,
  defaults: (set) => {
    const { spec } = set;
    spec.replicas ??= 1;
    set.status = { replicas: 0, ...set.status };
    defaultPodTemplate((spec.template ??= {}));
  },
  prepareForCreate: (set) => {
    set.status = { replicas: 0 };
  },
  validate: ({ spec }) => [
    ...nonNegative(spec.replicas, "spec.replicas"),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...validateWorkloadSelector(spec.selector, "spec.selector", "deployment"),
    ...(isReadableSelector(spec.selector) ? validateWorkloadTemplate(spec.template, spec.selector, "spec.template", "ReplicaSet") : []),
  ],
  validateUpdate: (next, previous) => validateImmutable(next.spec.selector, previous.spec.selector, "spec.selector"),
  validateStatusUpdate: ({ status = { replicas: 0 } }) =>
    validateCounts(status, counters, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]),
  warnings: ({ metadata, spec }, previous) => [
    ...(previous ? [] : hostnameWarnings(metadata.name, "Pod names and hostnames")),
    ...templateWarnings(spec.template, previous?.spec.template),
  ],
  generationFields: specGeneration,
  scale: scaleMapping<ReplicaSet>(),
  ownAge: true,
  columns: [
    count("Desired", ({ spec }) => spec.replicas),
    count("Current", ({ status }) => status?.replicas),
    count("Ready", ({ status }) => status?.readyReplicas),
    age,
    ...containerColumns<ReplicaSet>(({ spec }) => spec.template?.spec?.containers),
    selectorColumn(({ spec }) => formatSelector(spec.selector)),
  ],
});
