/**
 * LimitRanger: what a namespace's LimitRanges say about the resources of containers, Pods and claims; defaults first, then the limits.
 * @see k8s.io/kubernetes/plugin/pkg/admission/limitranger
 */
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from "../api/generated/types.ts";
import { limitRanges } from "../api/kinds.ts";
import { formatQuantity, parseQuantity, toMilli } from "../api/quantity.ts";
import { type Amounts, aggregateAmounts } from "../api/validation/pod/aggregate.ts";
import { type AdmissionPlugin, type AdmissionReader, type AdmissionRequest, refusal } from "./plugin.ts";
import { podOf } from "./pods.ts";

/** Says on the Pod what was filled in. */
const annotation = "kubernetes.io/limit-ranger";

interface Resources {
  readonly requests: Readonly<Amounts>;
  readonly limits: Readonly<Amounts>;
}

export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  handles: (kind, operation, subresource) => {
    if (kind.storage === "pods") return subresource === "" ? operation === "CREATE" : subresource === "resize" && operation === "UPDATE";
    return kind.storage === "persistentvolumeclaims" && subresource === "" && operation !== "DELETE";
  },

  admit: async (request, reader) => {
    if (request.kind.storage !== "pods") return;
    for (const range of await rangesFor(request, reader)) setDefaults(podOf(request), range);
  },

  validate: async (request, reader) => {
    for (const { spec } of await rangesFor(request, reader)) {
      const limits = spec?.limits ?? [];
      const problems =
        request.kind.storage === "pods"
          ? limits.flatMap((limit) => podProblems(limit, podOf(request)))
          : limits.flatMap((limit) => claimProblems(limit, request.object as unknown as PersistentVolumeClaim));
      if (problems.length > 0) throw outOfRange(request, problems);
    }
  },
};

/** None for what is being deleted already. */
async function rangesFor({ key, previous }: AdmissionRequest, reader: AdmissionReader): Promise<readonly LimitRange[]> {
  return previous?.metadata.deletionTimestamp === undefined ? reader.list(limitRanges, key.namespace) : [];
}

function outOfRange(request: AdmissionRequest, problems: readonly string[]) {
  const all = [...new Set(problems)];
  return refusal(request, all.length === 1 ? (all[0] ?? "") : `[${all.join(", ")}]`);
}

function setDefaults(pod: Pod, { spec }: LimitRange): void {
  const ofContainers = (spec?.limits ?? []).filter(({ type }) => type === "Container");
  const requests = Object.assign({}, ...ofContainers.map(({ defaultRequest }) => defaultRequest)) as Amounts;
  const limits = Object.assign({}, ...ofContainers.map((item) => item.default)) as Amounts;
  const said: string[] = [];
  const complete = (container: Container, what: string): void => {
    const resources = (container.resources ??= {});
    const fill = (field: "requests" | "limits", defaults: Amounts): string[] => {
      const missing = Object.keys(defaults).filter((name) => resources[field]?.[name] === undefined);
      if (missing.length > 0)
        resources[field] = { ...resources[field], ...Object.fromEntries(missing.map((name) => [name, defaults[name] ?? ""])) };
      return missing.toSorted();
    };
    const setLimits = fill("limits", limits);
    const setRequests = fill("requests", requests);
    if (setRequests.length > 0) said.push(`${setRequests.join(", ")} request for ${what} ${container.name}`);
    if (setLimits.length > 0) said.push(`${setLimits.join(", ")} limit for ${what} ${container.name}`);
  };
  // Not checked yet: there may be none.
  for (const container of pod.spec.containers ?? []) complete(container, "container");
  for (const container of pod.spec.initContainers ?? []) complete(container, "init container");
  if (said.length > 0) (pod.metadata.annotations ??= {})[annotation] = `LimitRanger plugin set: ${said.join("; ")}`;
}

function podProblems(limit: LimitRangeItem, { spec }: Pod): string[] {
  switch (limit.type) {
    case "Container":
      return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
        problemsOf(limit, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }),
      );
    case "Pod":
      return problemsOf(limit, {
        requests: { ...aggregateAmounts(spec, ({ resources }) => resources?.requests), ...podLevel(spec.resources?.requests) },
        limits: { ...aggregateAmounts(spec, ({ resources }) => resources?.limits), ...podLevel(spec.resources?.limits) },
      });
    default:
      return [];
  }
}

/** What a Pod may ask for as a whole. */
const podLevel = (amounts: Amounts = {}): Amounts =>
  Object.fromEntries(Object.entries(amounts).filter(([name]) => name === "cpu" || name === "memory"));

function problemsOf(limit: LimitRangeItem, given: Resources): string[] {
  const each = (enforced: Amounts | undefined, check: typeof minimum): string[] =>
    Object.entries(enforced ?? {}).flatMap(([name, amount]) => check(limit.type, name, amount, given) ?? []);
  return [...each(limit.min, minimum), ...each(limit.max, maximum), ...each(limit.maxLimitRequestRatio, ratio)];
}

function claimProblems(limit: LimitRangeItem, { spec }: PersistentVolumeClaim): string[] {
  if (limit.type !== "PersistentVolumeClaim") return [];
  const given: Resources = { requests: spec.resources?.requests ?? {}, limits: {} };
  const most = Object.entries(limit.max ?? {}).flatMap(([name, enforced]) => {
    const request = given.requests[name];
    const bound = `maximum ${name} usage per ${limit.type} is ${shown(enforced)}`;
    if (request === undefined) return [`${bound}.  No request is specified`];
    return isMore(request, enforced) ? [`${bound}, but request is ${shown(request)}`] : [];
  });
  return [...Object.entries(limit.min ?? {}).flatMap(([name, amount]) => minimum(limit.type, name, amount, given) ?? []), ...most];
}

const shown = (amount: string): string => formatQuantity(parseQuantity(amount));
const isMore = (one: string, other: string): boolean => toMilli(one) > toMilli(other);

function minimum(type: string, name: string, enforced: string, { requests, limits }: Resources): string | undefined {
  const bound = `minimum ${name} usage per ${type} is ${shown(enforced)}`;
  const request = requests[name];
  const limit = limits[name];
  if (request === undefined) return `${bound}.  No request is specified`;
  if (isMore(enforced, request)) return `${bound}, but request is ${shown(request)}`;
  return limit !== undefined && isMore(enforced, limit) ? `${bound}, but limit is ${shown(limit)}` : undefined;
}

function maximum(type: string, name: string, enforced: string, { requests, limits }: Resources): string | undefined {
  const bound = `maximum ${name} usage per ${type} is ${shown(enforced)}`;
  const request = requests[name];
  const limit = limits[name];
  if (limit === undefined) return `${bound}.  No limit is specified`;
  if (isMore(limit, enforced)) return `${bound}, but limit is ${shown(limit)}`;
  return request !== undefined && isMore(request, enforced) ? `${bound}, but request is ${shown(request)}` : undefined;
}

/** How much more a container may use than what is kept for it. */
function ratio(type: string, name: string, enforced: string, { requests, limits }: Resources): string | undefined {
  const bound = `${name} max limit to request ratio per ${type} is ${shown(enforced)}`;
  const request = toMilli(requests[name] ?? "0");
  const limit = toMilli(limits[name] ?? "0");
  if (request === 0n) return `${bound}, but no request is specified or request is 0`;
  if (limit === 0n) return `${bound}, but no limit is specified or limit is 0`;
  const given = Number(limit) / Number(request);
  return given * 1000 > Number(toMilli(enforced)) ? `${bound}, but provided ratio is ${given.toFixed(6)}` : undefined;
}
