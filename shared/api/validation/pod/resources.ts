/** Requests and limits of containers and of whole Pods. */
import type { PodSpec, ResourceClaim, ResourceRequirements } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems } from "../../names.ts";
import { compare, formatQuantity, parseQuantity, toMilli } from "../../quantity.ts";
import type { Given } from "../given.ts";
import { duplicate, forbidden, invalid, invalidEach, notFoundValue, notSupported, required } from "../problems.ts";
import { isExtendedResource, isHugePages, isNativeResource, isOvercommitAllowed, validateAmount, validateResourceName } from "../values.ts";
import { aggregateAmounts } from "./aggregate.ts";

const containerResources = ["cpu", "memory", "ephemeral-storage"];

export function validateContainerResourceName(name: string, field: string): Problem[] {
  const problems = validateResourceName(name, field);
  if (!name.includes("/")) {
    const fits = containerResources.includes(name) || isHugePages(name);
    return fits ? problems : [...problems, invalid(field, name, "must be a standard resource for containers")];
  }
  const fits = isNativeResource(name) || isExtendedResource(name);
  return fits ? problems : [...problems, invalid(field, name, "doesn't follow extended resource name standard")];
}

function validatePodResourceName(name: string, field: string): Problem[] {
  const problems = validateResourceName(name, field);
  if (problems.length > 0) return problems;
  return name === "cpu" || name === "memory" || isHugePages(name) ? [] : [notSupported(field, name, ["cpu", "hugepages-", "memory"])];
}

/** `hugepages-2Mi`: amounts are whole pages. */
function validatePages(name: string, amount: string, field: string): Problem[] {
  if (!isHugePages(name)) return [];
  const page = name.slice("hugepages-".length);
  const size = /^[0-9.]+[a-zA-Z]*$/.test(page) ? toMilli(page) : 0n;
  if (size > 0n && toMilli(amount) % size === 0n) return [];
  return [invalid(field, amount, `${amount} is not positive integer multiple of ${name}`)];
}

type NameCheck = (name: string, field: string) => Problem[];

/** @param claims names of the Pod's resource claims */
export function validateRequirements(
  requirements: ResourceRequirements | undefined,
  checkName: NameCheck,
  claims: ReadonlySet<string>,
  path: string,
): Problem[] {
  const { limits = {}, requests = {} } = requirements ?? {};
  const problems: Problem[] = [];
  for (const [name, amount] of Object.entries(limits)) {
    const field = `${path}.limits[${name}]`;
    problems.push(...checkName(name, field), ...validateAmount(name, amount, field), ...validatePages(name, amount, field));
  }
  for (const [name, amount] of Object.entries(requests)) {
    const field = `${path}.requests[${name}]`;
    problems.push(...checkName(name, field), ...validateAmount(name, amount, field));
    const limit = limits[name];
    if (limit !== undefined) {
      const order = compare(parseQuantity(amount), parseQuantity(limit));
      if (order !== 0 && !isOvercommitAllowed(name)) {
        problems.push(invalid(`${path}.requests`, amount, `must be equal to ${name} limit of ${limit}`));
      } else if (order > 0) {
        problems.push(invalid(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`));
      }
    } else if (!isOvercommitAllowed(name)) {
      problems.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
    }
    problems.push(...validatePages(name, amount, field));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    problems.push(forbidden(path, "HugePages require cpu or memory"));
  }
  return [...problems, ...validateClaimNames(requirements?.claims, claims, `${path}.claims`)];
}

export const validateContainerResources = (
  requirements: ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  path: string,
): Problem[] => validateRequirements(requirements, validateContainerResourceName, claims, path);

function validateClaimNames(claims: ResourceRequirements["claims"], known: ReadonlySet<string>, path: string): Problem[] {
  const seen = new Set<string>();
  return (claims ?? []).flatMap(({ name = "", request = "" }: Given<ResourceClaim>, index) => {
    const field = `${path}[${index}]`;
    if (name === "") return [required(field)];
    const problems: Problem[] = [];
    const key = request === "" ? name : `${name}/${request}`;
    if (seen.has(name)) problems.push(duplicate(field, name));
    else {
      if (request !== "") problems.push(...invalidEach(`${field}.request`, request, dnsLabelProblems(request)));
      if (seen.has(key)) problems.push(duplicate(field, key));
      else if (request === "") {
        for (const other of seen) if (other.startsWith(`${name}/`)) problems.push(duplicate(field, name));
      }
      seen.add(key);
    }
    if (!known.has(name)) {
      const choice = known.size === 0 ? " which is empty" : `: ${[...known].toSorted().join(", ")}`;
      const { message, ...problem } = notFoundValue(field, name);
      problems.push({ ...problem, message: `${message}: must be one of the names in pod.spec.resourceClaims${choice}` });
    }
    return problems;
  });
}

/** Pod-level resources: enough for all containers, and never less than one of them may use. */
export function validatePodResources(spec: PodSpec, claims: ReadonlySet<string>, path: string): Problem[] {
  const own = spec.resources;
  if (!own) return [];
  const at = `${path}.resources`;
  if (spec.os?.name === "windows") return [forbidden(at, "may not be set for a windows pod")];
  const problems: Problem[] = [];
  if (own.claims) problems.push(forbidden(`${at}.claims`, "claims may not be set for Resources at pod-level"));
  problems.push(...validateRequirements(own, validatePodResourceName, claims, at));
  for (const [name, amount] of Object.entries(aggregateAmounts(spec, (container) => container.resources?.requests))) {
    const request = own.requests?.[name];
    if (request !== undefined && isMore(amount, request)) {
      problems.push(
        invalid(`${at}.requests[${name}]`, request, `must be greater than or equal to aggregate container requests of ${shown(amount)}`),
      );
    }
  }
  for (const [name, amount] of Object.entries(aggregateAmounts(spec, (container) => container.resources?.limits))) {
    const limit = own.limits?.[name];
    if (isHugePages(name) && limit !== undefined && isMore(amount, limit)) {
      problems.push(
        invalid(`${at}.limits[${name}]`, limit, `must be greater than or equal to aggregate container limits of ${shown(amount)}`),
      );
    }
  }
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, amount] of Object.entries(container.resources?.limits ?? {})) {
      const limit = own.limits?.[name];
      if (limit !== undefined && isMore(amount, limit)) {
        problems.push(
          invalid(`${at}.containers[${index}][${name}].limits`, amount, `must be less than or equal to pod limits of ${limit}`),
        );
      }
    }
  }
  return problems;
}

const isMore = (left: string, right: string): boolean => compare(parseQuantity(left), parseQuantity(right)) > 0;
const shown = (amount: string): string => formatQuantity(parseQuantity(amount));

/** What a Pod's overhead may name: what a container may ask for. */
export const validateOverhead = (overhead: Readonly<Record<string, string>> | undefined, path: string): Problem[] =>
  validateRequirements(overhead && { limits: overhead }, validateContainerResourceName, new Set(), path);
