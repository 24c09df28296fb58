/** What a Pod asks for as a whole: its quality-of-service class and the defaults of its pod-level resources. */
import type { Pod } from "../generated/types.ts";
import { compare, parseQuantity } from "../quantity.ts";
import { type Amounts, aggregateAmounts, sumAmounts } from "../validation/pod/aggregate.ts";
import { isHugePages } from "../validation/values.ts";

const qualityResources = ["cpu", "memory"];

function positive(amounts: Amounts | undefined): Amounts {
  const kept: Amounts = {};
  if (amounts === undefined) return kept;
  for (const name of Object.keys(amounts)) {
    const amount = amounts[name];
    if (amount !== undefined && qualityResources.includes(name) && parseQuantity(amount).unscaled > 0n) kept[name] = amount;
  }
  return kept;
}

const same = (left: string, right: string): boolean => compare(parseQuantity(left), parseQuantity(right)) === 0;

/** `Guaranteed`, `Burstable` or `BestEffort`. @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClass({ spec }: Pod): string {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const scopes = spec.resources ? [spec.resources] : containers.map(({ resources }) => resources);
  const requests = sumAmounts(scopes.map((scope) => positive(scope?.requests)));
  const limitsByScope = scopes.map((scope) => positive(scope?.limits));
  const limits = sumAmounts(limitsByScope);
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  const isLimited = limitsByScope.every((own) => qualityResources.every((name) => Object.hasOwn(own, name)));
  const isEqual = Object.entries(requests).every(([name, amount]) => limits[name] !== undefined && same(limits[name], amount));
  return isLimited && isEqual && Object.keys(requests).length === Object.keys(limits).length ? "Guaranteed" : "Burstable";
}

/** Requests follow limits where only those are given, for each container and for the Pod as a whole. */
export function defaultRequests({ spec }: Pod): void {
  for (const { resources } of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests };
  }
  const own = spec.resources;
  if (!own) return;
  const given = { ...own.limits, ...own.requests };
  if (Object.keys(given).length > 0) {
    for (const [name, amount] of Object.entries(aggregateAmounts(spec, ({ resources }) => resources?.limits))) {
      if (isHugePages(name) && given[name] === undefined) (own.limits ??= {})[name] = amount;
    }
  }
  if (Object.keys(own.limits ?? {}).length === 0) return;
  const requests: Amounts = { ...own.requests };
  for (const [name, amount] of Object.entries(aggregateAmounts(spec, ({ resources }) => resources?.requests))) {
    if (qualityResources.includes(name)) requests[name] ??= amount;
  }
  for (const [name, amount] of Object.entries(own.limits ?? {})) {
    if (qualityResources.includes(name) || isHugePages(name)) requests[name] ??= amount;
  }
  if (Object.keys(requests).length > 0) own.requests = requests;
}
