/**
 * HorizontalPodAutoscalers are stored as autoscaling/v2. Version 1 knows one metric, CPU utilisation: everything else travels through
 * it in annotations, so that reading and writing back in version 1 loses nothing.
 */
import type { JsonObject } from "../../api/objects.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
const metricsAnnotation = `${prefix}metrics`;
const currentMetricsAnnotation = `${prefix}current-metrics`;
const conditionsAnnotation = `${prefix}conditions`;
const behaviorAnnotation = `${prefix}behavior`;
const annotationNames: ReadonlySet<string> = new Set([
  metricsAnnotation,
  currentMetricsAnnotation,
  conditionsAnnotation,
  behaviorAnnotation,
]);

/** What upstream scales by when nothing is said: percent of the requested CPU. */
const defaultCpuUtilization = 80;

/** Where a field of a version 1 metric stands in version 2, by the metric's part: in the order in which upstream writes them. */
type Moves = Readonly<Record<string, readonly (readonly [v1: string, v2: string])[]>>;

const specMoves: Moves = {
  resource: [
    ["name", "name"],
    ["targetAverageUtilization", "target.averageUtilization"],
    ["targetAverageValue", "target.averageValue"],
  ],
  containerResource: [
    ["name", "name"],
    ["targetAverageUtilization", "target.averageUtilization"],
    ["targetAverageValue", "target.averageValue"],
    ["container", "container"],
  ],
  pods: [
    ["metricName", "metric.name"],
    ["targetAverageValue", "target.averageValue"],
    ["selector", "metric.selector"],
  ],
  object: [
    ["target", "describedObject"],
    ["metricName", "metric.name"],
    ["targetValue", "target.value"],
    ["selector", "metric.selector"],
    ["averageValue", "target.averageValue"],
  ],
  external: [
    ["metricName", "metric.name"],
    ["metricSelector", "metric.selector"],
    ["targetValue", "target.value"],
    ["targetAverageValue", "target.averageValue"],
  ],
};

const statusMoves: Moves = {
  resource: [
    ["name", "name"],
    ["currentAverageUtilization", "current.averageUtilization"],
    ["currentAverageValue", "current.averageValue"],
  ],
  containerResource: [
    ["name", "name"],
    ["currentAverageUtilization", "current.averageUtilization"],
    ["currentAverageValue", "current.averageValue"],
    ["container", "container"],
  ],
  pods: [
    ["metricName", "metric.name"],
    ["currentAverageValue", "current.averageValue"],
    ["selector", "metric.selector"],
  ],
  object: [
    ["target", "describedObject"],
    ["metricName", "metric.name"],
    ["currentValue", "current.value"],
    ["selector", "metric.selector"],
    ["averageValue", "current.averageValue"],
  ],
  external: [
    ["metricName", "metric.name"],
    ["metricSelector", "metric.selector"],
    ["currentValue", "current.value"],
    ["currentAverageValue", "current.averageValue"],
  ],
};

const part = (object: unknown, name: string): JsonObject => ((object as JsonObject | undefined)?.[name] ?? {}) as JsonObject;
const list = (object: JsonObject, name: string): JsonObject[] => (object[name] ?? []) as JsonObject[];

function read(object: JsonObject, path: string): unknown {
  let value: unknown = object;
  for (const name of path.split(".")) value = (value as JsonObject | undefined)?.[name];
  return value;
}

function write(object: JsonObject, path: string, value: unknown): void {
  const [first = "", second] = path.split(".");
  if (second === undefined) object[first] = value;
  else object[first] = { ...part(object, first), [second]: value };
}

function moved(metric: JsonObject, moves: Moves, to: "v1" | "v2"): JsonObject {
  const result: JsonObject = { type: metric.type };
  for (const [name, fields] of Object.entries(moves)) {
    if (metric[name] === undefined) continue;
    const source = metric[name] as JsonObject;
    const target: JsonObject = {};
    for (const [v1, v2] of fields) {
      const value = read(source, to === "v1" ? v2 : v1);
      if (value !== undefined) write(target, to === "v1" ? v1 : v2, value);
    }
    if (to === "v2" && moves === specMoves) write(target, "target.type", targetType(part(target, "target")));
    result[name] = target;
  }
  return result;
}

function targetType({ averageUtilization, averageValue }: JsonObject): string {
  if (averageUtilization !== undefined) return "Utilization";
  return averageValue !== undefined ? "AverageValue" : "Value";
}

const isCpu = (metric: JsonObject): boolean => metric.type === "Resource" && part(metric, "resource").name === "cpu";

const cpuUtilization = (metric: JsonObject, where: "target" | "current"): unknown =>
  isCpu(metric) ? read(part(metric, "resource"), `${where}.averageUtilization`) : undefined;

export function fromAutoscalerV2(object: JsonObject): JsonObject {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const metrics = list(spec, "metrics");
  const currentMetrics = list(status, "currentMetrics");
  const others = metrics.filter((metric) => cpuUtilization(metric, "target") === undefined);
  const target = metrics.map((metric) => cpuUtilization(metric, "target")).find((value) => value !== undefined);
  const current = currentMetrics.map((metric) => cpuUtilization(metric, "current")).find((value) => value !== undefined);

  const annotations: JsonObject = {};
  if (others.length > 0) annotations[metricsAnnotation] = JSON.stringify(others.map((metric) => moved(metric, specMoves, "v1")));
  if (currentMetrics.length > 0) {
    annotations[currentMetricsAnnotation] = JSON.stringify(currentMetrics.map((metric) => moved(metric, statusMoves, "v1")));
  }
  if (spec.behavior !== undefined) annotations[behaviorAnnotation] = JSON.stringify(internalBehavior(spec.behavior));
  if (list(status, "conditions").length > 0) {
    annotations[conditionsAnnotation] = JSON.stringify(list(status, "conditions").map(ordered));
  }

  const { metrics: _, behavior: __, ...plainSpec } = spec;
  const { currentMetrics: ___, conditions: ____, ...plainStatus } = status;
  return {
    ...object,
    metadata: annotated(object, annotations),
    spec: { ...plainSpec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    ...(object.status !== undefined && {
      status: { currentReplicas: 0, ...plainStatus, ...(current !== undefined && { currentCPUUtilizationPercentage: current }) },
    }),
  };
}

export function toAutoscalerV2(object: JsonObject): JsonObject {
  const annotations = part(part(object, "metadata"), "annotations");
  const { targetCPUUtilizationPercentage: target, ...spec } = part(object, "spec");
  const { currentCPUUtilizationPercentage: current, currentReplicas, ...status } = part(object, "status");

  const others = (parsed(annotations[metricsAnnotation]) ?? []) as JsonObject[];
  const metrics = others.map((metric) => moved(metric, specMoves, "v2"));
  const utilization = target ?? (metrics.length === 0 ? defaultCpuUtilization : undefined);
  if (utilization !== undefined) {
    metrics.push({ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: utilization } } });
  }
  const behavior = parsed(annotations[behaviorAnnotation]);
  const known = parsed(annotations[currentMetricsAnnotation]) as JsonObject[] | undefined;
  const currentMetrics =
    known?.map((metric) => moved(metric, statusMoves, "v2")) ??
    (current === undefined ? undefined : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: current } } }]);
  const conditions = parsed(annotations[conditionsAnnotation]);

  return {
    ...object,
    metadata: annotated(object, {}),
    spec: { ...spec, metrics, ...(behavior !== undefined && { behavior: lowerCased(behavior) }) },
    ...(object.status !== undefined && {
      // Version 1 always says how many there are.
      status: {
        ...status,
        ...(currentReplicas !== 0 && { currentReplicas }),
        ...(currentMetrics && { currentMetrics }),
        ...(conditions !== undefined && { conditions }),
      },
    }),
  };
}

const conditionFields = ["type", "status", "lastTransitionTime", "reason", "message"];

/** A condition in upstream's order of fields. */
const ordered = (condition: JsonObject): JsonObject =>
  Object.fromEntries(conditionFields.flatMap((field) => (condition[field] === undefined ? [] : [[field, condition[field]]])));

/** Metadata with these annotations of ours and no others of ours. */
function annotated(object: JsonObject, ours: JsonObject): JsonObject {
  const metadata = part(object, "metadata");
  const theirs = Object.entries(part(metadata, "annotations")).filter(([name]) => !annotationNames.has(name));
  const annotations = { ...Object.fromEntries(theirs), ...ours };
  const { annotations: _, ...rest } = metadata;
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
}

/** What an annotation holds; undefined when it is absent or no JSON, which upstream ignores too. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Fields of upstream's internal type, in its order: what is not set is null. */
const rulesFields = ["stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"];
const policyFields = ["type", "value", "periodSeconds"];

const upperCased = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

const internal = (object: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(fields.map((field) => [upperCased(field), object[field] ?? null]));

/** The behaviour as upstream writes it into the annotation: with the field names of its internal type, `ScaleUp`. */
function internalBehavior(behavior: unknown): JsonObject {
  const rules = (name: string) => {
    const of = (behavior as JsonObject)[name] as JsonObject | undefined;
    return of ? internal({ ...of, policies: list(of, "policies").map((policy) => internal(policy, policyFields)) }, rulesFields) : null;
  };
  return { ScaleUp: rules("scaleUp"), ScaleDown: rules("scaleDown") };
}

/** And back; nulls are nothing. */
function lowerCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([name, inner]) => [name.charAt(0).toLowerCase() + name.slice(1), lowerCased(inner)]),
  );
}
