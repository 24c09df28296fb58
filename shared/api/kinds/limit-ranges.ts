/** LimitRanges. */
import type { LimitRangeItem as Limit, LimitRange } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { limitRanges } from "../kinds.ts";
import { qualifiedNameProblems } from "../names.ts";
import { compare, parseQuantity, toMilli } from "../quantity.ts";
import type { Given } from "../validation/given.ts";
import { validateContainerResourceName } from "../validation/pod/resources.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, required } from "../validation/problems.ts";
import { isOvercommitAllowed, validateResourceName } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { createdAt } from "./cells.ts";

/** Containers: the limit falls back to the maximum, the request to the limit, and to the minimum last. */
function setDefaults({ spec }: LimitRange): void {
  for (const limit of spec?.limits ?? []) {
    if (limit.type !== "Container") continue;
    const usual = { ...limit.max, ...limit.default };
    const request = { ...limit.min, ...usual, ...limit.defaultRequest };
    if (Object.keys(usual).length > 0) limit.default = usual;
    if (Object.keys(request).length > 0) limit.defaultRequest = request;
  }
}

function validateType(type: string, field: string): Problem[] {
  const problems = invalidEach(field, type, qualifiedNameProblems(type));
  if (problems.length > 0 || type.includes("/") || ["Pod", "Container", "PersistentVolumeClaim"].includes(type)) return problems;
  return [invalid(field, type, "must be a standard limit type or fully qualified")];
}

const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

const isMore = (left: string, right: string): boolean => compare(parseQuantity(left), parseQuantity(right)) > 0;

/** The amounts of one resource: they must agree with one another. */
function validateAmounts(limit: Limit, resource: string, at: string): Problem[] {
  const isPod = limit.type === "Pod";
  const [min, max, ratio] = [limit.min?.[resource], limit.max?.[resource], limit.maxLimitRequestRatio?.[resource]];
  const usual = isPod ? undefined : limit.default?.[resource];
  const request = isPod ? undefined : limit.defaultRequest?.[resource];
  const problems: Problem[] = [];
  const check = (
    list: string,
    value: string,
    low: string | undefined,
    high: string | undefined,
    names: readonly [string, string],
  ): void => {
    if (low === undefined || high === undefined || !isMore(low, high)) return;
    problems.push(invalid(`${at}.${list}[${resource}]`, value, `${names[0]} value ${low} is greater than ${names[1]} value ${high}`));
  };
  check("min", min ?? "", min, max, ["min", "max"]);
  check("defaultRequest", request ?? "", min, request, ["min", "default request"]);
  check("defaultRequest", request ?? "", request, max, ["default request", "max"]);
  check("defaultRequest", request ?? "", request, usual, ["default request", "default limit"]);
  check("default", min ?? "", min, usual, ["min", "default"]);
  check("default", max ?? "", usual, max, ["default", "max"]);
  if (ratio !== undefined) {
    const field = `${at}.maxLimitRequestRatio[${resource}]`;
    if (isMore("1", ratio)) problems.push(invalid(field, ratio, `ratio ${ratio} is less than 1`));
    if (min !== undefined && max !== undefined) {
      const most = Number(toMilli(max)) / Number(toMilli(min));
      if (Number(toMilli(ratio)) / 1000 > most) {
        problems.push(invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`));
      }
    }
  }
  const differ = usual !== undefined && request !== undefined && compare(parseQuantity(usual), parseQuantity(request)) !== 0;
  if (differ && !isOvercommitAllowed(resource)) {
    const detail = `default value ${usual} must equal to defaultRequest value ${request} in ${resource}`;
    problems.push(invalid(`${at}.defaultRequest[${resource}]`, request, detail));
  }
  return problems;
}

function validate({ spec }: LimitRange): Problem[] {
  const types = new Set<string>();
  return eachItem("spec.limits", spec?.limits, (limit, at) => {
    const { type = "" } = limit as Given<Limit>;
    const isPod = type === "Pod";
    const checkName = isPod || type === "Container" ? validateContainerResourceName : validateResourceName;
    const problems = validateType(type, `${at}.type`);
    if (types.has(type)) problems.push(duplicate(`${at}.type`, type));
    types.add(type);
    const resources = new Set<string>();
    for (const list of lists) {
      const given = Object.keys(limit[list] ?? {});
      if (isPod && (list === "default" || list === "defaultRequest")) {
        if (given.length > 0) problems.push(forbidden(`${at}.${list}`, "may not be specified when `type` is 'Pod'"));
        continue;
      }
      for (const resource of given) {
        problems.push(...checkName(resource, `${at}.${list}[${resource}]`));
        resources.add(resource);
      }
    }
    if (type === "PersistentVolumeClaim" && limit.min?.storage === undefined && limit.max?.storage === undefined) {
      problems.push(required(`${at}.limits`, "either minimum or maximum storage value is required, but neither was provided"));
    }
    return [...problems, ...[...resources].flatMap((resource) => validateAmounts(limit, resource, at))];
  });
}

export const limitRangeBehaviour = behaviour(limitRanges, {
  defaults: setDefaults,
  validate,
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  ownAge: true,
  columns: [createdAt],
});
