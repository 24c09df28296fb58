/** References from environment variables and files to fields of the Pod and resources of its containers. */
import type { Problem } from "../../kind.ts";
import { qualifiedNameProblems } from "../../names.ts";
import { canonicalQuantity, toMilli } from "../../quantity.ts";
import { invalid, invalidEach, notSupported, required } from "../problems.ts";

/** Fields which an environment variable may hold. */
export const environmentFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** Fields which a file may hold. */
export const fileFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

const knownFields = new Set([...environmentFields, ...fileFields, "spec.restartPolicy", "spec.schedulerName", "status.phase"]);

export function validateFieldRef(
  reference: { readonly apiVersion?: string | undefined; readonly fieldPath?: string | undefined },
  supported: readonly string[],
  path: string,
): Problem[] {
  const { apiVersion, fieldPath } = reference;
  if (!apiVersion) return [required(`${path}.apiVersion`)];
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const at = `${path}.fieldPath`;
  const refuse = (why: string) => [invalid(at, fieldPath, `error converting fieldPath: ${why}`)];
  if (apiVersion !== "v1") return refuse(`unsupported pod version: ${apiVersion}`);
  const subscripted = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  if (subscripted) {
    const [, field = "", key = ""] = subscripted;
    if (field === "metadata.annotations") return invalidEach(path, key.toLowerCase(), qualifiedNameProblems(key.toLowerCase()));
    if (field === "metadata.labels") return invalidEach(path, key, qualifiedNameProblems(key));
    return refuse(`field label does not support subscript: ${fieldPath}`);
  }
  // The name that the field had before v1.
  const field = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath;
  if (!knownFields.has(field)) return refuse(`field label not supported: ${fieldPath}`);
  return supported.includes(field) ? [] : [notSupported(at, field, supported)];
}

const containerResources = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

export interface ResourceRef {
  readonly containerName?: string | undefined;
  readonly resource?: string | undefined;
  readonly divisor?: string | undefined;
}

/** @param needsContainer a file must say whose resource it means */
export function validateResourceRef(reference: ResourceRef, needsContainer: boolean, path: string): Problem[] {
  const { containerName, resource = "", divisor = "0" } = reference;
  const isPages = /^(requests|limits)\.hugepages-/.test(resource);
  const problems: Problem[] = [];
  if (needsContainer && !containerName) problems.push(required(`${path}.containerName`));
  else if (resource === "") problems.push(required(`${path}.resource`));
  else if (!containerResources.includes(resource) && !isPages)
    problems.push(notSupported(`${path}.resource`, resource, containerResources));
  return [...problems, ...validateDivisor(resource, divisor, `${path}.divisor`)];
}

function validateDivisor(resource: string, divisor: string, field: string): Problem[] {
  if (toMilli(divisor) === 0n) return [];
  const value = canonicalQuantity(divisor);
  const refuse = (allowed: string, what: string) => [
    invalid(field, resource, `only divisor's values ${allowed} are supported with the ${what} resource`),
  ];
  if (resource.endsWith(".cpu")) return value === "1m" || value === "1" ? [] : refuse("1m and 1", "cpu");
  if (byteDivisors.includes(value)) return [];
  const allowed = byteDivisors.join(", ");
  if (resource.endsWith(".memory")) return refuse(allowed, "memory");
  if (resource.endsWith(".ephemeral-storage")) return refuse(allowed, "local ephemeral storage");
  return /\.hugepages-/.test(resource) ? refuse(allowed, "hugepages") : [];
}
