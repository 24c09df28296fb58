/**
 * What an object counts against ResourceQuotas, and which quotas count it. Pure.
 * @see k8s.io/kubernetes/pkg/quota/v1/evaluator/core
 */
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from "../api/generated/types.ts";
import { wholeNumber } from "../api/json.ts";
import { qosClass } from "../api/kinds/pod-resources.ts";
import type { KubeObject } from "../api/objects.ts";
import { formatQuantity, parseQuantity, toNumber } from "../api/quantity.ts";
import { classOfClaim } from "../api/storage-classes.ts";
import { aggregateAmounts, sumAmounts } from "../api/validation/pod/aggregate.ts";
import { type Amounts, keep } from "./amounts.ts";

/** The kinds of object that are told apart; storage of a kind as its registry knows it. */
export interface Counted {
  /** `pods`, `deployments.apps` */
  readonly storage: string;
  readonly object: KubeObject;
}

/** These are counted under their bare name too: quotas knew them before there was `count/`. */
const oldNames: ReadonlySet<string> = new Set(["configmaps", "secrets", "replicationcontrollers", "resourcequotas"]);
/** Never counted: too short-lived to be anybody's debt. */
const uncounted: ReadonlySet<string> = new Set(["events"]);

const bothSides = ["cpu", "memory", "ephemeral-storage"];
const podNames: ReadonlySet<string> = new Set(["pods", ...bothSides.flatMap((name) => [name, `requests.${name}`, `limits.${name}`])]);
const serviceNames: ReadonlySet<string> = new Set(["services", "services.nodeports", "services.loadbalancers"]);
const claimNames = ["persistentvolumeclaims", "requests.storage"];
const classSuffix = ".storageclass.storage.k8s.io/";

const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
/** `requests.example.com/gpu`: resources that Kubernetes does not know, which cannot be overcommitted. */
const isExtended = (name: string): boolean => {
  const inner = name.startsWith("requests.") ? name.slice("requests.".length) : "";
  return (
    inner.includes("/") && (!inner.split("/")[0]?.endsWith("kubernetes.io") || inner.startsWith("deviceclass.resource.kubernetes.io/"))
  );
};

export const isCounted = (storage: string): boolean => !uncounted.has(storage);

/** Whether objects of this kind count under this name of a quota's `hard`. */
export function countsUnder(storage: string, name: string): boolean {
  if (name === `count/${storage}`) return true;
  switch (storage) {
    case "pods":
      return podNames.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-") || isExtended(name);
    case "services":
      return serviceNames.has(name);
    case "persistentvolumeclaims":
      return claimNames.includes(name) || claimNames.some((suffix) => name.endsWith(`${classSuffix}${suffix}`));
    default:
      return oldNames.has(storage) && name === storage;
  }
}

/** What the object uses of everything that can be counted. */
export function usageOf({ storage, object }: Counted, now: Date): Amounts {
  const itself = { [`count/${storage}`]: "1" };
  switch (storage) {
    case "pods":
      return { ...itself, ...podUsage(object as Pod, now) };
    case "services":
      return { ...itself, ...serviceUsage(object as Service) };
    case "persistentvolumeclaims":
      return { ...itself, ...claimUsage(object as PersistentVolumeClaim) };
    default:
      return oldNames.has(storage) ? { ...itself, [storage]: "1" } : itself;
  }
}

function podUsage(pod: Pod, now: Date): Amounts {
  if (!isAlive(pod, now)) return {};
  const { spec } = pod;
  const requests = sumAmounts([
    { ...aggregateAmounts(spec, ({ resources }) => resources?.requests), ...spec.resources?.requests },
    spec.overhead ?? {},
  ]);
  const limits: Record<string, string> = {
    ...aggregateAmounts(spec, ({ resources }) => resources?.limits),
    ...spec.resources?.limits,
  };
  // Overhead only adds to limits that there are.
  for (const [name, amount] of Object.entries(spec.overhead ?? {})) {
    const limit = limits[name];
    if (limit !== undefined) limits[name] = sumAmounts([{ [name]: limit }, { [name]: amount }])[name] ?? limit;
  }
  return computeUsage(requests, limits);
}

/** Pods that have ended count no more, nor do those that should have ended long ago on a Node that nobody hears of. */
function isAlive({ metadata, status }: Pod, now: Date): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now.getTime() <= Date.parse(deletionTimestamp) + wholeNumber(deletionGracePeriodSeconds) * 1000;
}

function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Record<string, string> = { pods: "1" };
  for (const name of bothSides) {
    const request = requests[name];
    const limit = limits[name];
    if (request !== undefined) usage[name] = usage[`requests.${name}`] = request;
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  for (const [name, amount] of Object.entries(requests)) {
    if (isHugePages(name)) usage[name] = usage[`requests.${name}`] = amount;
    else if (isExtended(`requests.${name}`)) usage[`requests.${name}`] = amount;
  }
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec?.ports ?? [];
  const own = ports.filter(({ nodePort }) => nodePort).length;
  const isBalanced = spec?.type === "LoadBalancer";
  const nodePorts =
    spec?.type === "NodePort" ? ports.length : isBalanced ? (spec?.allocateLoadBalancerNodePorts === false ? own : ports.length) : 0;
  return { services: "1", "services.loadbalancers": isBalanced ? "1" : "0", "services.nodeports": String(nodePorts) };
}

function claimUsage(claim: PersistentVolumeClaim): Amounts {
  const asked = claim.spec.resources?.requests?.storage;
  const allocated = claim.status?.allocatedResources?.storage;
  const sizes = [asked, allocated].filter((size) => size !== undefined).map(wholeBytes);
  const size = sizes.toSorted((one, other) => toNumber(other) - toNumber(one))[0];
  const usage: Amounts = { persistentvolumeclaims: "1", ...(asked !== undefined && size !== undefined && { "requests.storage": size }) };
  const name = classOfClaim(claim);
  if (name === "") return usage;
  return { ...usage, ...Object.fromEntries(Object.entries(usage).map(([what, amount]) => [`${name}${classSuffix}${what}`, amount])) };
}

/** Fractions of a byte count as a byte. */
function wholeBytes(amount: string): string {
  const quantity = parseQuantity(amount);
  if (quantity.exponent >= 0) return formatQuantity(quantity);
  return formatQuantity({ unscaled: BigInt(toNumber(quantity)), exponent: 0, format: quantity.format });
}

type Selector = NonNullable<NonNullable<NonNullable<ResourceQuota["spec"]>["scopeSelector"]>["matchExpressions"]>[number];

const scopesOf = ({ spec }: ResourceQuota): readonly Selector[] => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
];

/** Whether a quota counts an object at all: one of its resources does, and all of its scopes hold. */
export function covers(quota: ResourceQuota, counted: Counted, hard: Amounts): boolean {
  return (
    Object.keys(hard).some((name) => countsUnder(counted.storage, name)) && scopesOf(quota).every((scope) => isInScope(scope, counted))
  );
}

function isInScope(scope: Selector, { storage, object }: Counted): boolean {
  if (storage === "persistentvolumeclaims" && scope.scopeName === "VolumeAttributesClass") {
    const { spec, status } = object as PersistentVolumeClaim;
    const names = [
      spec.volumeAttributesClassName,
      status?.currentVolumeAttributesClassName,
      status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
    ].filter((name) => name !== undefined && name !== "");
    return names.length === 0 ? selects(scope, undefined) : names.some((name) => selects(scope, name));
  }
  if (storage !== "pods") return false;
  const pod = object as Pod;
  switch (scope.scopeName) {
    case "Terminating":
      return isTerminating(pod);
    case "NotTerminating":
      return !isTerminating(pod);
    case "BestEffort":
      return qosClass(pod) === "BestEffort";
    case "NotBestEffort":
      return qosClass(pod) !== "BestEffort";
    case "PriorityClass":
      return selects(scope, pod.spec.priorityClassName || undefined);
    case "CrossNamespacePodAffinity":
      return looksElsewhere(pod);
    default:
      return false;
  }
}

function selects({ operator, values = [] }: Selector, value: string | undefined): boolean {
  switch (operator) {
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "In":
      return value !== undefined && values.includes(value);
    default:
      return value === undefined || !values.includes(value);
  }
}

/** Ends by itself at the latest after its deadline. */
export const isTerminating = ({ spec }: Pod): boolean => wholeNumber(spec.activeDeadlineSeconds ?? -1) >= 0;

function looksElsewhere({ spec: { affinity } }: Pod): boolean {
  const sides = [affinity?.podAffinity, affinity?.podAntiAffinity];
  const terms = sides.flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some(({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined);
}

/** Quotas on these want every container to say what it needs. */
const mustBeSaid = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];

/** What keeps a Pod from being counted: `must specify limits.cpu for: web`. */
export function constraintProblem({ storage, object }: Counted, hard: Amounts): string | undefined {
  if (storage !== "pods") return undefined;
  const { spec } = object as Pod;
  const own = spec.resources;
  if (Object.keys({ ...own?.requests, ...own?.limits }).some((name) => name === "cpu" || name === "memory" || isHugePages(name)))
    return undefined;
  const required = mustBeSaid.filter((name) => hard[name] !== undefined);
  const containers = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name, resources }) => ({
    name,
    said: computeUsage(resources?.requests ?? {}, resources?.limits ?? {}),
  }));
  const missing = required.flatMap((name) => {
    const silent = containers.filter(({ said }) => said[name] === undefined).map((container) => container.name);
    return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].toSorted().join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}

/** What an object uses of what a quota limits. */
export const usageUnder = (counted: Counted, hard: Amounts, now: Date): Amounts => keep(usageOf(counted, now), Object.keys(hard));
