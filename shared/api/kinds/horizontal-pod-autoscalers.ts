/** HorizontalPodAutoscalers, in both of their versions. */
import type {
  AutoscalingV1HorizontalPodAutoscaler,
  AutoscalingV2HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../generated/types.ts";
import type { Column, Problem } from "../kind.ts";
import { horizontalPodAutoscalers, oldHorizontalPodAutoscalers } from "../kinds.ts";
import { dnsLabelProblems, pathSegmentProblems } from "../names.ts";
import { compare, parseQuantity } from "../quantity.ts";
import type { Given } from "../validation/given.ts";
import { validateContainerResourceName } from "../validation/pod/resources.ts";
import { eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { nonNegative, positive, validateNonNegativeAmount } from "../validation/values.ts";
import { behaviour, noGeneration, statusBehaviour } from "./behaviour.ts";
import { age, countAsText, text } from "./cells.ts";

type Autoscaler = AutoscalingV2HorizontalPodAutoscaler;
type Reference = Autoscaler["spec"]["scaleTargetRef"];

const defaultUtilization = 80;

const cpuMetric = (percent: number): MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percent } },
});

function setDefaults({ spec }: Autoscaler): void {
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) spec.metrics = [cpuMetric(defaultUtilization)];
  if (!spec.behavior) return;
  const { scaleUp, scaleDown } = spec.behavior;
  const percent = { type: "Percent", value: 100, periodSeconds: 15 };
  spec.behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, percent],
    ...scaleUp,
  };
  spec.behavior.scaleDown = { selectPolicy: "Max", policies: [percent], ...scaleDown };
}

interface ReferenceRules {
  readonly mayBeCore: boolean;
  /** The version is not looked at: it was there before. */
  readonly isSettled: boolean;
}

function versionProblem(apiVersion = "", { mayBeCore, isSettled }: ReferenceRules): string | undefined {
  if (isSettled) return undefined;
  const parts = apiVersion.split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  return mayBeCore || (parts.length === 2 && parts[0] !== "") ? undefined : "apiVersion must specify API group";
}

function validateReference({ apiVersion, kind, name }: Partial<Reference> = {}, path: string, rules: ReferenceRules): Problem[] {
  const wrong = versionProblem(apiVersion, rules);
  return [
    ...(kind ? invalidEach(`${path}.kind`, kind, pathSegmentProblems(kind)) : [required(`${path}.kind`)]),
    ...(name ? invalidEach(`${path}.name`, name, pathSegmentProblems(name)) : [required(`${path}.name`)]),
    ...(wrong === undefined ? [] : [invalid(`${path}.apiVersion`, apiVersion ?? "", wrong)]),
  ];
}

const isPositive = (amount: string): boolean => compare(parseQuantity(amount), parseQuantity("0")) > 0;

function validateTarget({ type, value, averageValue, averageUtilization }: MetricTarget, path: string): Problem[] {
  const problems: Problem[] = [];
  if (!type) problems.push(required(`${path}.type`, "must specify a metric target type"));
  if (type !== "Utilization" && type !== "Value" && type !== "AverageValue") {
    problems.push(invalid(`${path}.type`, type ?? "", "must be either Utilization, Value, or AverageValue"));
  }
  if (value !== undefined && !isPositive(value)) problems.push(invalid(`${path}.value`, value, "must be positive"));
  if (averageValue !== undefined && !isPositive(averageValue)) {
    problems.push(invalid(`${path}.averageValue`, averageValue, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    problems.push(invalid(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
  }
  return problems;
}

const noTarget: MetricTarget = { type: "" };

function validateMetricName(name: string | undefined, path: string): Problem[] {
  const field = `${path}.metric.name`;
  return name ? invalidEach(field, name, pathSegmentProblems(name)) : [required(field, "must specify a metric name")];
}

/** A target in an amount or in percent, but not in both. */
function validateUsageTarget(target: MetricTarget, path: string): Problem[] {
  const problems = validateTarget(target, path);
  const [hasPercent, hasAmount] = [target.averageUtilization !== undefined, target.averageValue !== undefined];
  if (!hasPercent && !hasAmount) {
    problems.push(required(`${path}.averageUtilization`, "must set either a target raw value or a target utilization"));
  }
  if (hasPercent && hasAmount) {
    problems.push(forbidden(`${path}.averageValue`, "may not set both a target raw value and a target utilization"));
  }
  return problems;
}

/** By the field of a metric; in the order in which the first given one is checked. */
const sources: Readonly<Record<string, (metric: MetricSpec, path: string, isSettled: boolean) => Problem[]>> = {
  object: ({ object }, path, isSettled) => {
    const { describedObject, metric, target = noTarget } = object ?? {};
    return [
      ...validateReference(describedObject, `${path}.describedObject`, { mayBeCore: true, isSettled }),
      ...validateMetricName(metric?.name, path),
      ...validateTarget(target, `${path}.target`),
      ...(target.value === undefined && target.averageValue === undefined
        ? [required(`${path}.target.averageValue`, "must set either a target value or averageValue")]
        : []),
    ];
  },
  external: ({ external }, path) => {
    const { metric, target = noTarget } = external ?? {};
    const [hasValue, hasAverage] = [target.value !== undefined, target.averageValue !== undefined];
    return [
      ...validateMetricName(metric?.name, path),
      ...validateTarget(target, `${path}.target`),
      ...(hasValue || hasAverage
        ? []
        : [required(`${path}.target.averageValue`, "must set either a target value for metric or a per-pod target")]),
      ...(hasValue && hasAverage
        ? [forbidden(`${path}.target.value`, "may not set both a target value for metric and a per-pod target")]
        : []),
    ];
  },
  pods: ({ pods }, path) => {
    const { metric, target = noTarget } = pods ?? {};
    return [
      ...validateMetricName(metric?.name, path),
      ...validateTarget(target, `${path}.target`),
      ...(target.averageValue === undefined
        ? [required(`${path}.target.averageValue`, "must specify a positive target averageValue")]
        : []),
    ];
  },
  resource: ({ resource }, path) => [
    ...(resource?.name ? [] : [required(`${path}.name`, "must specify a resource name")]),
    ...validateUsageTarget(resource?.target ?? noTarget, `${path}.target`),
  ],
  containerResource: ({ containerResource }, path) => {
    const { name, container, target = noTarget } = containerResource ?? {};
    return [
      ...(name ? validateContainerResourceName(name, `${path}.name`) : [required(`${path}.name`, "must specify a resource name")]),
      ...(container
        ? invalidEach(`${path}.container`, container, dnsLabelProblems(container))
        : [required(`${path}.container`, "must specify a container")]),
      ...validateUsageTarget(target, `${path}.target`),
    ];
  },
};

const fieldOfType: Readonly<Record<string, string>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};

function validateMetric(metric: MetricSpec, path: string, isSettled: boolean): Problem[] {
  const problems: Problem[] = [];
  const { type = "" } = metric as Given<MetricSpec>;
  const expected = fieldOfType[type];
  if (!type) problems.push(required(`${path}.type`, "must specify a metric source type"));
  if (!expected) problems.push(notSupported(`${path}.type`, type, Object.keys(fieldOfType)));
  const given = Object.keys(sources).filter((field) => metric[field as keyof MetricSpec] !== undefined);
  const [first] = given;
  if (first) problems.push(...(sources[first]?.(metric, `${path}.${first}`, isSettled) ?? []));
  if (expected && !given.includes(expected)) {
    problems.push(required(`${path}.${expected}`, "must populate information for the given metric source"));
  }
  if (given.length !== 1) {
    const others = given.filter((field) => field !== expected);
    problems.push(...others.map((field) => forbidden(`${path}.${field}`, "must populate the given metric source only")));
  }
  return problems;
}

const longestWindow = 3600;
const longestPeriod = 1800;

function validateRules(rules: HPAScalingRules | undefined, path: string): Problem[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies, tolerance } = rules;
  const problems: Problem[] = [];
  const field = `${path}.stabilizationWindowSeconds`;
  if (seconds !== undefined && seconds < 0) problems.push(invalid(field, seconds, "must be greater than or equal to zero"));
  if (seconds !== undefined && seconds > longestWindow) {
    problems.push(invalid(field, seconds, `must be less than or equal to ${longestWindow}`));
  }
  const selections = ["Disabled", "Max", "Min"];
  if (selectPolicy !== undefined && !selections.includes(selectPolicy)) {
    problems.push(notSupported(`${path}.selectPolicy`, selectPolicy, selections));
  }
  if ((policies ?? []).length === 0) problems.push(required(`${path}.policies`, "must specify at least one Policy"));
  return [
    ...problems,
    ...eachItem(`${path}.policies`, policies, ({ type, value, periodSeconds }, at) => [
      ...(type === "Pods" || type === "Percent" ? [] : [notSupported(`${at}.type`, type ?? "", ["Percent", "Pods"])]),
      ...positive(value, `${at}.value`),
      ...positive(periodSeconds, `${at}.periodSeconds`),
      ...(periodSeconds > longestPeriod
        ? [invalid(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${longestPeriod}`)]
        : []),
    ]),
    ...(tolerance === undefined ? [] : validateNonNegativeAmount(tolerance, `${path}.tolerance`)),
  ];
}

/** @param previous undefined for a new autoscaler; what it referred to before is not questioned again */
function validateSpec({ spec }: Autoscaler, previous?: Autoscaler): Problem[] {
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior } = spec as Given<Autoscaler["spec"]>;
  const fewest = previous?.spec.minReplicas === 0 ? 0 : 1;
  const problems: Problem[] = [];
  if (minReplicas !== undefined && minReplicas < fewest) {
    problems.push(invalid("spec.minReplicas", minReplicas, `must be greater than or equal to ${fewest}`));
  }
  if (maxReplicas === 0) problems.push(required("spec.maxReplicas", "must be set and greater than 0"));
  else if (maxReplicas < 0) problems.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to 1"));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    problems.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  const before = previous?.spec.scaleTargetRef;
  const settledObjects = (previous?.spec.metrics ?? []).some(
    ({ type, object }) =>
      type === "Object" &&
      object &&
      versionProblem(object.describedObject?.apiVersion, { mayBeCore: true, isSettled: false }) !== undefined,
  );
  problems.push(
    ...validateReference(scaleTargetRef, "spec.scaleTargetRef", {
      mayBeCore: scaleTargetRef?.kind === "ReplicationController",
      isSettled: before !== undefined && before.apiVersion === scaleTargetRef?.apiVersion && before.kind === scaleTargetRef?.kind,
    }),
    ...eachItem("spec.metrics", metrics, (metric, at) => validateMetric(metric, at, settledObjects)),
  );
  if (minReplicas === 0 && !metrics.some(({ type }) => type === "Object" || type === "External")) {
    const detail = "must specify at least one Object or External metric to support scaling to zero replicas";
    problems.push(forbidden("spec.metrics", detail));
  }
  return [
    ...problems,
    ...validateRules(behavior?.scaleUp, "spec.behavior.scaleUp"),
    ...validateRules(behavior?.scaleDown, "spec.behavior.scaleDown"),
  ];
}

const validateStatus = ({ status }: Autoscaler): Problem[] => [
  ...nonNegative(status?.currentReplicas, "status.currentReplicas"),
  ...nonNegative(status?.desiredReplicas, "status.desiredReplicas"),
];

const unknown = "<unknown>";

const usageCell = (name: string, target: MetricTarget, current: MetricTarget | undefined): string => {
  if (target.averageValue !== undefined) return `${name}: ${current ? (current.averageValue ?? "0") : unknown}/${target.averageValue}`;
  const wanted = target.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`;
  return `${name}: ${current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`}/${wanted}`;
};

const valueCell = (target: MetricTarget, current: MetricTarget | undefined): string =>
  target.averageValue === undefined
    ? `${current ? (current.value ?? "0") : unknown}/${target.value ?? "0"}`
    : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;

function metricCell(spec: MetricSpec, status: MetricStatus | undefined): string {
  const current = (field: "external" | "object" | "pods" | "resource" | "containerResource") =>
    status?.[field]?.current as MetricTarget | undefined;
  switch (spec.type) {
    case "External":
      return valueCell(spec.external?.target ?? noTarget, current("external"));
    case "Object":
      return valueCell(spec.object?.target ?? noTarget, current("object"));
    case "Pods": {
      const found = current("pods");
      return `${found ? (found.averageValue ?? "0") : unknown}/${spec.pods?.target?.averageValue ?? "0"}`;
    }
    case "Resource":
      return usageCell(spec.resource?.name ?? "", spec.resource?.target ?? noTarget, current("resource"));
    case "ContainerResource":
      return usageCell(spec.containerResource?.name ?? "", spec.containerResource?.target ?? noTarget, current("containerResource"));
    default:
      return "<unknown type>";
  }
}

const shownMetrics = 2;

function targetsCell({ spec, status }: Autoscaler): string {
  const cells = (spec.metrics ?? []).map((metric, index) => metricCell(metric, status?.currentMetrics?.[index]));
  if (cells.length === 0) return "<none>";
  const shown = cells.slice(0, shownMetrics).join(", ");
  return cells.length > shownMetrics ? `${shown} + ${cells.length - shownMetrics} more...` : shown;
}

/** @param of the autoscaler as version 2 says it */
const columnsOf = <T>(of: (object: T) => Autoscaler): Column<T>[] => [
  text("Reference", (object) => `${of(object).spec.scaleTargetRef?.kind ?? ""}/${of(object).spec.scaleTargetRef?.name ?? ""}`),
  text("Targets", (object) => targetsCell(of(object))),
  text("MinPods", (object) => String(of(object).spec.minReplicas ?? "<unset>")),
  countAsText("MaxPods", (object) => of(object).spec.maxReplicas),
  countAsText("Replicas", (object) => of(object).status?.currentReplicas),
  age,
];

export const horizontalPodAutoscalerBehaviour = behaviour(horizontalPodAutoscalers, {
  ...statusBehaviour,
  defaults: (autoscaler) => {
    setDefaults(autoscaler);
    autoscaler.status = { desiredReplicas: 0, ...autoscaler.status };
  },
  prepareForCreate: (autoscaler) => {
    autoscaler.status = { desiredReplicas: 0 };
  },
  validateCreate: (autoscaler) => validateSpec(autoscaler),
  validateUpdate: validateSpec,
  validateStatusUpdate: validateStatus,
  generationFields: noGeneration,
  ownAge: true,
  columns: columnsOf((autoscaler) => autoscaler),
});

/** What version 1 says, in the words of version 2. */
function inVersion2({ spec, status, ...object }: AutoscalingV1HorizontalPodAutoscaler): Autoscaler {
  const { targetCPUUtilizationPercentage: target, ...rest } = spec;
  const { currentCPUUtilizationPercentage: current, ...counts } = status ?? { desiredReplicas: 0, currentReplicas: 0 };
  return {
    ...object,
    spec: { ...rest, ...(target !== undefined && { metrics: [cpuMetric(target)] }) },
    status: {
      ...counts,
      ...(current !== undefined && {
        currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: current } } }],
      }),
    },
  };
}

const metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";

export const oldHorizontalPodAutoscalerBehaviour = behaviour(oldHorizontalPodAutoscalers, {
  ...statusBehaviour,
  defaults: (autoscaler) => {
    const { metadata, spec } = autoscaler;
    spec.minReplicas ??= 1;
    // Metrics that this version has no fields for stand in an annotation.
    if (metadata.annotations?.[metricsAnnotation] === undefined) spec.targetCPUUtilizationPercentage ??= defaultUtilization;
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0, ...autoscaler.status };
  },
  prepareForCreate: (autoscaler) => {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  validateCreate: (autoscaler) => validateSpec(inVersion2(autoscaler)),
  validateUpdate: (next, previous) => validateSpec(inVersion2(next), inVersion2(previous)),
  validateStatusUpdate: (next) => validateStatus(inVersion2(next)),
  generationFields: noGeneration,
  ownAge: true,
  columns: columnsOf(inVersion2),
});
