/** The downward API: facts about a Pod and its containers as text. @see k8s.io/kubernetes/pkg/fieldpath */

import type { Container, Pod, ResourceFieldSelector } from "../../api/generated/types.ts";
import { toMilli } from "../../api/quantity.ts";
import { NotReadyError } from "./problems.ts";

/** A map as the downward API writes it: one `key="value"` a line, sorted. */
const formatMap = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");

const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/**
 * A field of the Pod itself, as it is known before it runs.
 * @throws {NotReadyError} for a path that is none of the downward API's
 */
export function podField(pod: Pod, path: string, hostIp: string | undefined): string {
  const found = subscript.exec(path);
  if (found) return pod.metadata[found[1] as "labels" | "annotations"]?.[found[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid;
    case "metadata.labels":
      return formatMap(pod.metadata.labels);
    case "metadata.annotations":
      return formatMap(pod.metadata.annotations);
    case "spec.nodeName":
      return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "";
    case "status.hostIP":
    case "status.hostIPs":
      return hostIp ?? "";
    default:
      throw new NotReadyError(`unsupported fieldPath: ${path}`);
  }
}

/** Fields that are known only when the task has its address. */
export const isAddressField = (path: string): boolean => path === "status.podIP" || path === "status.podIPs";

/** True when all Pods of a template have the same value. */
export const isTemplateField = (path: string): boolean => path === "spec.serviceAccountName";

/**
 * `limits.cpu`, `requests.memory`, … divided by the divisor and rounded up. A limit that is not set is what the Node has.
 * @param allocatable of the Node
 */
export function containerResource(
  pod: Pod,
  container: Container,
  selector: Pick<ResourceFieldSelector, "resource" | "divisor" | "containerName">,
  allocatable: Readonly<Record<string, string>>,
): string {
  const about = selector.containerName
    ? ([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === selector.containerName) ?? container)
    : container;
  const [kind, ...rest] = selector.resource.split(".");
  const resource = rest.join(".");
  if (kind !== "limits" && kind !== "requests") throw new NotReadyError(`unsupported container resource : ${selector.resource}`);
  const quantity = about.resources?.[kind]?.[resource] ?? (kind === "limits" ? allocatable[resource] : undefined) ?? "0";
  const divisor = toMilli(selector.divisor ?? "1") || 1_000n;
  const amount = toMilli(quantity);
  return String((amount + divisor - 1n) / divisor);
}

/** True when the answer depends on the Node. */
export const needsNode = (container: Container, { resource }: Pick<ResourceFieldSelector, "resource">): boolean =>
  resource.startsWith("limits.") && container.resources?.limits?.[resource.slice("limits.".length)] === undefined;
