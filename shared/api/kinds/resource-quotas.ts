/** ResourceQuotas. */
import type { ResourceQuota } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { resourceQuotas } from "../kinds.ts";
import { compare, parseQuantity } from "../quantity.ts";
import { invalid, required } from "../validation/problems.ts";
import { isHugePages, isRequestedHugePages, validateAmount, validateResourceName } from "../validation/values.ts";
import { behaviour, noGeneration, statusBehaviour } from "./behaviour.ts";
import { age, text } from "./cells.ts";

const compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const quotaResources = new Set([
  ...compute,
  "ephemeral-storage",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "persistentvolumeclaims",
  "configmaps",
  "services.nodeports",
  "services.loadbalancers",
]);
const isQuotaResource = (name: string): boolean => quotaResources.has(name) || isHugePages(name) || isRequestedHugePages(name);

/** What each scope can count. */
const scopeResources: Readonly<Record<string, readonly string[]>> = {
  Terminating: ["pods", ...compute],
  NotTerminating: ["pods", ...compute],
  NotBestEffort: ["pods", ...compute],
  PriorityClass: ["pods", ...compute],
  CrossNamespacePodAffinity: ["pods", ...compute],
  BestEffort: ["pods"],
  VolumeAttributesClass: ["persistentvolumeclaims", "requests.storage"],
};

type Amounts = Readonly<Record<string, string>> | undefined;

function validateAmounts(amounts: Amounts, path: string): Problem[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const field = `${path}[${name}]`;
    const isKnown = name.includes("/") || isQuotaResource(name);
    return [
      ...validateResourceName(name, field),
      ...(isKnown ? [] : [invalid(field, name, "must be a standard resource for quota")]),
      ...validateAmount(name, amount, field),
    ];
  });
}

const fits = (scope: string, resource: string): boolean => scopeResources[scope]?.includes(resource) ?? true;

/** Resources that this scope does not count. */
const misfits = (hard: Amounts, scope: string): string[] =>
  Object.keys(hard ?? {}).filter((name) => isQuotaResource(name) && !fits(scope, name));

const conflicts = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];
const hasConflict = (scopes: readonly string[]): boolean => conflicts.some((pair) => pair.every((scope) => scopes.includes(scope)));

function validateScopes({ hard, scopes = [] }: NonNullable<ResourceQuota["spec"]>): Problem[] {
  const field = "spec.scopes";
  return [
    ...scopes.flatMap((scope) => [
      ...(scope in scopeResources ? [] : [invalid(field, scopes, "unsupported scope")]),
      ...misfits(hard, scope).map(() => invalid(field, scopes, "unsupported scope applied to resource")),
    ]),
    ...(hasConflict(scopes) ? [invalid(field, scopes, "conflicting scopes")] : []),
  ];
}

const plainScopes = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];

function validateScopeSelector({ hard, scopeSelector, scopes }: NonNullable<ResourceQuota["spec"]>): Problem[] {
  const path = "spec.scopeSelector.matchExpressions";
  const expressions = scopeSelector?.matchExpressions ?? [];
  const problems = expressions.flatMap(({ scopeName, operator, values = [] }) => {
    const found: Problem[] = [];
    if (!(scopeName in scopeResources)) found.push(invalid(`${path}.scopeName`, scopeName, "unsupported scope"));
    found.push(...misfits(hard, scopeName).map(() => invalid(path, scopeSelector, "unsupported scope applied to resource")));
    if (plainScopes.includes(scopeName) && operator !== "Exists") {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      found.push(invalid(`${path}.operator`, operator, detail));
    }
    if (operator === "In" || operator === "NotIn") {
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (values.length === 0) found.push(required(`${path}.values`, detail));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (values.length > 0) found.push(invalid(`${path}.values`, values, detail));
    } else found.push(invalid(`${path}.operator`, operator ?? "", "not a valid selector operator"));
    return found;
  });
  return hasConflict(expressions.map(({ scopeName }) => scopeName))
    ? [...problems, invalid(path, scopes ?? null, "conflicting scopes")]
    : problems;
}

const validateStatus = ({ status }: ResourceQuota): Problem[] => [
  ...validateAmounts(status?.hard, "status.hard"),
  ...validateAmounts(status?.used, "status.used"),
];

/** @param isLimit which of the two columns */
const usageCell = ({ status }: ResourceQuota, isLimit: boolean): string =>
  Object.keys(status?.hard ?? {})
    .toSorted()
    .filter((name) => name.startsWith("limits.") === isLimit)
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
    .join(", ");

/** Requests that may be more than limits: then the limits are what counts. */
function oddLimits({ spec }: ResourceQuota): string[] {
  const hard = spec?.hard ?? {};
  return ["cpu", "memory", "ephemeral-storage"].flatMap((name) => {
    const requestName = hard[`requests.${name}`] === undefined && name !== "ephemeral-storage" ? name : `requests.${name}`;
    const [request, limit] = [hard[requestName], hard[`limits.${name}`]];
    if (request === undefined || limit === undefined || compare(parseQuantity(request), parseQuantity(limit)) <= 0) return [];
    return [`ResourceQuota ${requestName} (${request}) should be less than limits.${name} (${limit})`];
  });
}

export const resourceQuotaBehaviour = behaviour(resourceQuotas, {
  ...statusBehaviour,
  defaults: (quota) => {
    quota.spec ??= {};
    quota.status ??= {};
  },
  validate: ({ spec }) => [...validateAmounts(spec.hard, "spec.hard"), ...validateScopes(spec), ...validateScopeSelector(spec)],
  validateUpdate: ({ spec: next }, { spec: previous }) => {
    const [after, before] = [next, previous].map((spec) => new Set(spec?.scopes));
    return after?.symmetricDifference(before ?? new Set()).size === 0
      ? []
      : [invalid("spec.scopes", next?.scopes ?? null, "field is immutable")];
  },
  validateStatusUpdate: validateStatus,
  warnings: (quota, previous) => (previous ? [] : oddLimits(quota)),
  generationFields: noGeneration,
  ownAge: true,
  columns: [text("Request", (quota) => usageCell(quota, false)), text("Limit", (quota) => usageCell(quota, true)), age],
});
