/** StatefulSets. */
import type { PersistentVolumeClaim, PodTemplateSpec, StatefulSet, StatefulSetSpec, Volume } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { statefulSets } from "../kinds.ts";
import { dnsLabelProblems } from "../names.ts";
import { validateClaimSpec } from "../validation/claim-spec.ts";
import { eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { intOrPercentNumber, nonNegative, notDecremented, notMoreThanAll, validateIntOrPercent } from "../validation/values.ts";
import { behaviour, specGeneration, statusBehaviour } from "./behaviour.ts";
import { age, containerColumns, text } from "./cells.ts";
import { defaultClaimSpec, defaultPodTemplate } from "./pod-spec-defaults.ts";
import { claimWarnings, templateWarnings } from "./pod-warnings.ts";
import {
  isReadableSelector,
  scaleMapping,
  validateCounts,
  validateRunsForEver,
  validateWorkloadSelector,
  validateWorkloadTemplate,
} from "./workloads.ts";

const noPods = { replicas: 0, availableReplicas: 0 };

function setDefaults(set: StatefulSet): void {
  const { spec } = set;
  set.status = { ...noPods, ...set.status };
  spec.podManagementPolicy ||= "OrderedReady";
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate) {
    strategy.rollingUpdate.partition ??= 0;
    // The feature is off by default in Kubernetes 1.36.
    delete strategy.rollingUpdate.maxUnavailable;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= "Retain";
  retention.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate((spec.template ??= {}));
  for (const claim of spec.volumeClaimTemplates ?? []) defaultClaimTemplate(claim);
}

function defaultClaimTemplate(claim: PersistentVolumeClaim): void {
  claim.apiVersion = "v1";
  claim.kind = "PersistentVolumeClaim";
  defaultClaimSpec((claim.spec ??= {}));
  claim.status ??= {};
  claim.status.phase ||= "Pending";
}

function validateStrategy(strategy: NonNullable<StatefulSetSpec["updateStrategy"]>): Problem[] {
  const { type, rollingUpdate } = strategy;
  const path = "spec.updateStrategy";
  if (!type) return [required(path)];
  if (type === "OnDelete") {
    const shown = rollingUpdate && { Partition: rollingUpdate.partition ?? 0, MaxUnavailable: rollingUpdate.maxUnavailable ?? null };
    return rollingUpdate ? [invalid(`${path}.rollingUpdate`, shown, "only allowed for updateStrategy 'RollingUpdate'")] : [];
  }
  if (type !== "RollingUpdate") {
    return [invalid(path, { Type: type, RollingUpdate: rollingUpdate ?? null }, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  const most = rollingUpdate?.maxUnavailable;
  const field = `${path}.rollingUpdate.maxUnavailable`;
  const problems = nonNegative(rollingUpdate?.partition, `${path}.rollingUpdate.partition`);
  if (most === undefined) return problems;
  return [
    ...problems,
    ...validateIntOrPercent(most, field),
    ...(intOrPercentNumber(most) === 0 ? [invalid(field, most, "cannot be 0")] : []),
    ...notMoreThanAll(most, field),
  ];
}

const retentions = ["Retain", "Delete"];

function validateTemplate(spec: StatefulSetSpec): Problem[] {
  const template = templateAsUsed(spec);
  return template && !isReadableSelector(spec.selector)
    ? validateRunsForEver(template, "spec.template", "StatefulSet")
    : validateWorkloadTemplate(template, spec.selector, "spec.template", "StatefulSet");
}

/** What the controller sets itself is not looked at: host names, and the volumes made from claim templates. */
function templateAsUsed({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec | undefined {
  if (!template?.spec) return template;
  const { subdomain: _, hostname: __, ...spec } = template.spec;
  const claimed = new Map(
    volumeClaimTemplates.map(({ metadata }): [string, Volume] => {
      const name = metadata?.name ?? "";
      return [name, { name, persistentVolumeClaim: { claimName: name } }];
    }),
  );
  const volumes = [...claimed.values(), ...(spec.volumes ?? []).filter(({ name }) => !claimed.has(name))];
  return { ...template, spec: claimed.size === 0 ? spec : { ...spec, volumes } };
}

function validate({ spec }: StatefulSet): Problem[] {
  const { podManagementPolicy: policy, persistentVolumeClaimRetentionPolicy: retention } = spec;
  const problems: Problem[] = [];
  if (!policy) problems.push(required("spec.podManagementPolicy"));
  else if (policy !== "OrderedReady" && policy !== "Parallel") {
    problems.push(invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  problems.push(...validateStrategy(spec.updateStrategy ?? {}));
  for (const field of ["whenDeleted", "whenScaled"] as const) {
    const value = retention?.[field] ?? "";
    if (!retentions.includes(value)) {
      problems.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, value, retentions));
    }
  }
  return [
    ...problems,
    ...nonNegative(spec.replicas, "spec.replicas"),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...nonNegative(spec.ordinals?.start, "spec.ordinals.start"),
    ...validateWorkloadSelector(spec.selector, "spec.selector", "statefulset", ""),
    ...validateTemplate(spec),
  ];
}

/** What a StatefulSet keeps for life is checked when it is new. */
const validateNew = ({ spec }: StatefulSet): Problem[] => [
  ...eachItem("spec.volumeClaimTemplates", spec.volumeClaimTemplates, (claim, at) => validateClaimSpec(claim.spec ?? {}, `${at}.spec`)),
  ...(spec.serviceName ? invalidEach("spec.serviceName", spec.serviceName, dnsLabelProblems(spec.serviceName)) : []),
];

const changeable = [
  "replicas",
  "template",
  "updateStrategy",
  "minReadySeconds",
  "ordinals",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
] as const;

function validateChange({ spec: next }: StatefulSet, { spec: previous }: StatefulSet): Problem[] {
  const settled = { ...next, ...Object.fromEntries(changeable.map((field) => [field, previous[field]])) };
  if (semanticallyEqual(settled, previous)) return [];
  const detail =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  return [forbidden("spec", detail)];
}

const counters = [
  "replicas",
  "readyReplicas",
  "currentReplicas",
  "updatedReplicas",
  "availableReplicas",
  "observedGeneration",
  "collisionCount",
];

export const statefulSetBehaviour = behaviour(statefulSets, {
  ...statusBehaviour,
  nameRule: "dnsLabel",
  defaults: setDefaults,
  prepareForCreate: (set) => {
    set.status = { ...noPods };
  },
  validate,
  validateCreate: validateNew,
  validateUpdate: validateChange,
  validateStatusUpdate: ({ status = { replicas: 0 } }, previous) => [
    ...validateCounts(
      status,
      counters,
      ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
      "status.readyReplicas",
    ),
    ...notDecremented(status.collisionCount, previous.status?.collisionCount, "status.collisionCount"),
  ],
  warnings: ({ spec }, previous) => {
    const suffix = previous ? ".Spec" : "";
    const isNegative = (spec.revisionHistoryLimit ?? 0) < 0;
    return [
      ...templateWarnings(spec.template, previous?.spec.template),
      ...(spec.volumeClaimTemplates ?? []).flatMap((claim, index) =>
        claimWarnings(claim.spec?.resources, `spec.volumeClaimTemplates[${index}]${suffix}`),
      ),
      ...(isNegative ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"] : []),
    ];
  },
  generationFields: specGeneration,
  scale: scaleMapping<StatefulSet>(),
  ownAge: true,
  columns: [
    text("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    age,
    ...containerColumns<StatefulSet>(({ spec }) => spec.template?.spec?.containers),
  ],
});
