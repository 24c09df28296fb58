/** How Services find their Pods, and what of a Pod shows in their endpoints. */
import type { Pod, Service, ServicePort } from "../../api/generated/types.ts";
import { services } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import type { Observed, Watched } from "../../runtime/controller.ts";
import { isReady, isTerminal } from "./pods.ts";
import { semanticEqual } from "./semantic-equal.ts";

export const headlessLabel = "service.kubernetes.io/headless";

/** Whether its endpoints are ours to keep: it selects Pods, and is more than a name for something elsewhere. */
export const hasEndpoints = ({ spec }: Service): boolean => spec.type !== "ExternalName" && Object.keys(spec.selector ?? {}).length > 0;

export const isHeadless = ({ spec }: Service): boolean => !spec.clusterIP || spec.clusterIP === "None";

const selects = ({ spec }: Service, labels: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(spec.selector ?? {}).every(([name, value]) => labels[name] === value);

/** Pods with an address that have not finished. */
export const endpointPods = (service: Service, pods: readonly Pod[]): Pod[] =>
  pods.filter((pod) => selects(service, pod.metadata.labels) && !isTerminal(pod) && addressesOf(pod).length > 0);

export const addressesOf = ({ status }: Pod): string[] =>
  (status?.podIPs ?? (status?.podIP ? [{ ip: status.podIP }] : [])).map(({ ip }) => ip).filter(Boolean);

/** The name under which a headless Service's DNS shows the Pod by itself. */
export const hostnameOf = (service: Service, { spec, metadata }: Pod): string | undefined =>
  spec?.subdomain === service.metadata.name && metadata.namespace === service.metadata.namespace ? spec.hostname || undefined : undefined;

/** The number of a Service's port on this Pod; undefined when the Pod does not declare the name. */
export function targetPort(pod: Pod, { targetPort, port, protocol = "TCP" }: ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === "") return port;
  if (typeof targetPort === "number") return targetPort;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) => ports);
  return ports.find(({ name, protocol: its = "TCP" }) => name === targetPort && its === protocol)?.containerPort;
}

/** Wakes the Services that select a Pod, before or after a change that shows in endpoints. */
export const watchedPods = (kind: Watched<Pod>["kind"]): Watched<Pod> => ({
  kind,
  keys({ previous, next }: Observed<Pod>, { lister }): ObjectKey[] {
    if (previous && next && semanticEqual(shown(previous), shown(next))) return [];
    return lister(services)
      .inNamespace((next ?? previous)?.metadata.namespace ?? "")
      .filter((service) => hasEndpoints(service))
      .filter((service) => [previous, next].some((pod) => pod && selects(service, pod.metadata.labels)))
      .map(keyOf);
  },
});

const shown = (pod: Pod) => ({
  labels: pod.metadata.labels,
  uid: pod.metadata.uid,
  terminating: pod.metadata.deletionTimestamp !== undefined,
  terminal: isTerminal(pod),
  ready: isReady(pod),
  addresses: addressesOf(pod),
  nodeName: pod.spec?.nodeName,
  hostname: pod.spec?.hostname,
  subdomain: pod.spec?.subdomain,
});
