/** Numbers, percentages, amounts and other small values that many kinds hold. */

import { wholeNumber } from "../json.ts";
import type { Problem } from "../kind.ts";
import { percentProblems, portNameProblems, portNumberProblems, qualifiedNameProblems } from "../names.ts";
import { canonicalQuantity, compare, parseQuantity, toMilli, toNumber } from "../quantity.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "./problems.ts";

const negativeMessage = "must be greater than or equal to 0";

/** Absent counts as zero. */
export const nonNegative = (value: number | undefined, field: string): Problem[] =>
  value !== undefined && wholeNumber(value) < 0 ? [invalid(field, value, negativeMessage)] : [];

/** Absent counts as zero. */
export const positive = (value: number | undefined, field: string): Problem[] =>
  (value ?? 0) > 0 ? [] : [invalid(field, value ?? 0, "must be greater than zero")];

/** One of a closed list. Absent or empty is a missing value when `isRequired`, and fine otherwise. */
export function oneOf(value: string | undefined, supported: readonly string[], field: string, isRequired = false): Problem[] {
  if (!value) return isRequired ? [required(field)] : [];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** The same of a field that must be there: empty, it says something that is not in the list. */
export const oneOfGiven = (value: string | undefined, supported: readonly string[], field: string): Problem[] =>
  value === "" ? [notSupported(field, value, supported)] : oneOf(value, supported, field, true);

export type IntOrPercent = number | string;

const isPercent = (value: IntOrPercent | undefined): value is string => typeof value === "string" && /^[0-9]+%$/.test(value);

/** A whole number that is not negative, or a percentage. */
export function validateIntOrPercent(value: IntOrPercent, field: string): Problem[] {
  return typeof value === "string" ? invalidEach(field, value, percentProblems(value)) : nonNegative(value, field);
}

export const notMoreThanAll = (value: IntOrPercent | undefined, field: string): Problem[] =>
  isPercent(value) && Number(value.slice(0, -1)) > 100 ? [invalid(field, value, "must not be greater than 100%")] : [];

/** The number, or the percentage as a number; 0 for any other text. */
export const intOrPercentNumber = (value: IntOrPercent | undefined): number => {
  if (typeof value === "number") return value;
  return isPercent(value) ? Number(value.slice(0, -1)) : 0;
};

/** A port by number or by name. */
export function validatePortNumberOrName(port: number | string | undefined, field: string): Problem[] {
  return typeof port === "string" && port !== ""
    ? invalidEach(field, port, portNameProblems(port))
    : invalidEach(field, Number(port ?? 0), portNumberProblems(Number(port ?? 0)));
}

const standardResources = new Set([
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "storage",
  "requests.storage",
  "services.nodeports",
  "services.loadbalancers",
]);
const countedResources = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

export const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
/** As quotas call what is requested of them. */
export const isRequestedHugePages = (name: string): boolean => name.startsWith("requests.hugepages-");
export const isStandardResource = (name: string): boolean => standardResources.has(name) || isHugePages(name) || isRequestedHugePages(name);
/** Names without a domain, and those of kubernetes.io. */
export const isNativeResource = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");
/** Resources of devices and the like: `nvidia.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith("requests.")) return false;
  return qualifiedNameProblems(`requests.${name}`).length === 0;
}
/** Amounts of these are whole numbers. */
const isCounted = (name: string): boolean => countedResources.has(name) || isExtendedResource(name);

/** A resource may be requested in smaller amounts than its limit. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

export function validateResourceName(name: string, field: string): Problem[] {
  const problems = invalidEach(field, name, qualifiedNameProblems(name));
  if (problems.length > 0 || name.includes("/") || isStandardResource(name)) return problems;
  return [invalid(field, name, "must be a standard resource type or fully qualified")];
}

export const validateNonNegativeAmount = (amount: string, field: string): Problem[] =>
  compare(parseQuantity(amount), parseQuantity("0")) < 0 ? [invalid(field, canonicalQuantity(amount), negativeMessage)] : [];

/** How much there is of a volume. */
export const validateStoredAmount = (amount: string, field: string): Problem[] =>
  compare(parseQuantity(amount), parseQuantity("0")) < 0 ? [invalid(field, toNumber(amount), "must be a valid resource quantity")] : [];

export const validatePositiveAmount = (amount: string, field: string): Problem[] =>
  compare(parseQuantity(amount), parseQuantity("0")) <= 0 ? [invalid(field, canonicalQuantity(amount), "must be greater than zero")] : [];

/** An amount of a resource: not negative, and whole where the resource is counted. */
export function validateAmount(resource: string, amount: string, field: string): Problem[] {
  const problems = validateNonNegativeAmount(amount, field);
  if (isCounted(resource) && toMilli(amount) % 1000n !== 0n) problems.push(invalid(field, canonicalQuantity(amount), "must be an integer"));
  return problems;
}

/** A counter in a status never goes back. */
export const notDecremented = (next: number | undefined, previous: number | undefined, field: string): Problem[] =>
  (next ?? 0) < (previous ?? 0) || (next === undefined && previous !== undefined)
    ? [invalid(field, next ?? 0, "cannot be decremented")]
    : [];

export const immutableWhenSet = (field: string): Problem => forbidden(field, "field is immutable when `immutable` is set");
