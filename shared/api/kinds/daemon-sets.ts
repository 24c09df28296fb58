/** DaemonSets. */
import type { DaemonSet } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { daemonSets } from "../kinds.ts";
import { copyOf } from "../patch/values.ts";
import { isEmptySelector, validateLabelSelector } from "../validation/labels.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { invalid, notSupported, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { intOrPercentNumber, nonNegative, notDecremented, notMoreThanAll, validateIntOrPercent } from "../validation/values.ts";
import { behaviour, keepStatus, specGeneration } from "./behaviour.ts";
import { age, containerColumns, count, formatLabels, formatSelector, selectorColumn, text } from "./cells.ts";
import { defaultPodTemplate } from "./pod-spec-defaults.ts";
import { templateWarnings } from "./pod-warnings.ts";
import { validateWorkloadTemplate } from "./workloads.ts";

const noPods = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };

function setDefaults(set: DaemonSet): void {
  const { spec } = set;
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  set.status = { ...noPods, ...set.status };
  defaultPodTemplate((spec.template ??= {}));
}

/** How often the template changed: older clients read it here. */
const templateGeneration = "deprecated.daemonset.template.generation";

const generationOf = ({ metadata }: DaemonSet): number => Number(metadata.annotations?.[templateGeneration] ?? 0) || 0;

function setTemplateGeneration(set: DaemonSet, generation: number): void {
  set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: String(generation) };
}

function validateStrategy({ updateStrategy: strategy = {} }: DaemonSet["spec"]): Problem[] {
  const path = "spec.updateStrategy";
  if (strategy.type === "OnDelete") return [];
  if (strategy.type !== "RollingUpdate") {
    const shown = { Type: strategy.type ?? "", RollingUpdate: strategy.rollingUpdate ?? null };
    return [notSupported(path, shown, ["RollingUpdate", "OnDelete"])];
  }
  if (!strategy.rollingUpdate) return [required(`${path}.rollingUpdate`)];
  const { maxUnavailable = 0, maxSurge = 0 } = strategy.rollingUpdate;
  const [unavailable, surge] = [`${path}.rollingUpdate.maxUnavailable`, `${path}.rollingUpdate.maxSurge`];
  const problems = [
    ...validateIntOrPercent(maxUnavailable, unavailable),
    ...validateIntOrPercent(maxSurge, surge),
    ...notMoreThanAll(maxUnavailable, unavailable),
    ...notMoreThanAll(maxSurge, surge),
  ];
  const [hasUnavailable, hasSurge] = [intOrPercentNumber(maxUnavailable) !== 0, intOrPercentNumber(maxSurge) !== 0];
  if (hasUnavailable && hasSurge) problems.push(invalid(surge, maxSurge, "may not be set when maxUnavailable is non-zero"));
  if (!hasUnavailable && !hasSurge) problems.push(required(unavailable, "cannot be 0 when maxSurge is 0"));
  return problems;
}

const counters = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
] as const;

export const daemonSetBehaviour = behaviour(daemonSets, {
  defaults: setDefaults,
  prepareForCreate: (set) => {
    set.status = { ...noPods };
    setTemplateGeneration(set, Math.max(generationOf(set), 1));
  },
  prepareForUpdate: (next, previous) => {
    keepStatus(next, previous);
    const isChanged = !semanticallyEqual(next.spec.template, previous.spec.template);
    setTemplateGeneration(next, generationOf(previous) + (isChanged ? 1 : 0));
  },
  // The template's generation is counted by updates of the spec alone.
  prepareForStatusUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec);
    setTemplateGeneration(next, generationOf(previous));
  },
  validate: ({ spec }) => [
    ...validateLabelSelector(spec.selector, "spec.selector"),
    ...(spec.selector && isEmptySelector(spec.selector)
      ? [invalid("spec.selector", spec.selector, "empty selector is invalid for daemonset")]
      : []),
    ...validateWorkloadTemplate(spec.template, spec.selector, "spec.template", "DaemonSet"),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...validateStrategy(spec),
    ...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
  ],
  validateUpdate: (next, previous) => validateImmutable(next.spec.selector, previous.spec.selector, "spec.selector"),
  validateStatusUpdate: ({ status }, previous) => [
    ...counters.flatMap((field) => nonNegative(status?.[field], `status.${field}`)),
    ...notDecremented(status?.collisionCount, previous.status?.collisionCount, "status.collisionCount"),
  ],
  warnings: ({ spec }, previous) => templateWarnings(spec.template, previous?.spec.template),
  generationFields: specGeneration,
  ownAge: true,
  columns: [
    count("Desired", ({ status }) => status?.desiredNumberScheduled),
    count("Current", ({ status }) => status?.currentNumberScheduled),
    count("Ready", ({ status }) => status?.numberReady),
    count("Up-to-date", ({ status }) => status?.updatedNumberScheduled),
    count("Available", ({ status }) => status?.numberAvailable),
    text("Node Selector", ({ spec }) => formatLabels(spec.template?.spec?.nodeSelector)),
    age,
    ...containerColumns<DaemonSet>(({ spec }) => spec.template?.spec?.containers),
    selectorColumn(({ spec }) => formatSelector(spec.selector)),
  ],
});
