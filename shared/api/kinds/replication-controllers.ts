/** ReplicationControllers: the ReplicaSets of old, whose selector is a plain set of labels. */
import type { ReplicationController } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { replicationControllers } from "../kinds.ts";
import { required } from "../validation/problems.ts";
import { nonNegative } from "../validation/values.ts";
import { behaviour, keepStatus, specGeneration } from "./behaviour.ts";
import { age, containerColumns, count, formatLabels, selectorColumn, selectorText } from "./cells.ts";
import { defaultPodTemplate } from "./pod-spec-defaults.ts";
import { hostnameWarnings, templateWarnings } from "./pod-warnings.ts";
import { validateCounts, validateWorkloadTemplate } from "./workloads.ts";

const isEmpty = (labels: object | undefined): boolean => Object.keys(labels ?? {}).length === 0;

function setDefaults(controller: ReplicationController): void {
  const spec = (controller.spec ??= {});
  spec.replicas ??= 1;
  controller.status = { replicas: 0, ...controller.status };
  const labels = spec.template?.metadata?.labels;
  if (labels) {
    if (isEmpty(spec.selector)) spec.selector = { ...labels };
    if (isEmpty(controller.metadata.labels)) controller.metadata.labels = { ...labels };
  }
  defaultPodTemplate(spec.template);
}

function validate({ spec }: ReplicationController): Problem[] {
  return [
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...(isEmpty(spec.selector) ? [required("spec.selector")] : []),
    ...nonNegative(spec.replicas, "spec.replicas"),
    ...validateWorkloadTemplate(spec.template, { matchLabels: spec.selector }, "spec.template", "ReplicationController"),
  ];
}

const counters = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];

export const replicationControllerBehaviour = behaviour(replicationControllers, {
  defaults: setDefaults,
  prepareForCreate: (controller) => {
    controller.status = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  validate,
  validateStatusUpdate: ({ status = { replicas: 0 } }) =>
    validateCounts(status, counters, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]),
  warnings: ({ metadata, spec }, previous) => [
    ...(previous ? [] : hostnameWarnings(metadata.name, "Pod names and hostnames")),
    ...templateWarnings(spec?.template, previous?.spec?.template),
  ],
  generationFields: specGeneration,
  // Old clients expect the Pods to outlive their controller.
  defaultPropagation: "Orphan",
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  scale: {
    specReplicas: ({ spec }) => spec?.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorText({ matchLabels: spec?.selector }),
    withReplicas: (controller, replicas) => ({ ...controller, spec: { ...controller.spec, replicas } }),
  },
  ownAge: true,
  columns: [
    count("Desired", ({ spec }) => spec?.replicas),
    count("Current", ({ status }) => status?.replicas),
    count("Ready", ({ status }) => status?.readyReplicas),
    age,
    ...containerColumns<ReplicationController>(({ spec }) => spec?.template?.spec?.containers),
    selectorColumn(({ spec }) => formatLabels(spec?.selector)),
  ],
});
