/** Decides what the Endpoints of a Service say: the older form of EndpointSlices, which many clients still read. Pure. */
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service } from "../../api/generated/types.ts";
import type { Draft } from "../../api/objects.ts";
import { isReady } from "../common/pods.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { addressesOf, endpointPods, headlessLabel, hostnameOf, isHeadless, targetPort } from "../common/service-pods.ts";

/** Beyond this an object would grow too large; EndpointSlices have all of them. */
const maxAddresses = 1_000;
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
export const managedByLabel = "endpoints.kubernetes.io/managed-by";
export const manager = "endpoint-controller";

export type EndpointsAction =
  | { readonly type: "create"; readonly draft: Draft<Endpoints> }
  | { readonly type: "update"; readonly next: Endpoints };

export function planEndpoints(service: Service, pods: readonly Pod[], current: Endpoints | undefined): EndpointsAction | undefined {
  const { subsets, truncated } = truncate(subsetsOf(service, pods));
  const { [overCapacityAnnotation]: _old, ...others } = current?.metadata.annotations ?? {};
  const annotations = { ...others, ...(truncated && { [overCapacityAnnotation]: "truncated" }) };
  const { [headlessLabel]: _headless, ...own } = service.metadata.labels ?? {};
  const labels = { ...own, ...(isHeadless(service) && { [headlessLabel]: "" }), [managedByLabel]: manager };
  if (!current) {
    const { name, namespace } = service.metadata;
    return { type: "create", draft: { metadata: { name, ...(namespace !== undefined && { namespace }), labels, annotations }, subsets } };
  }
  const same =
    semanticEqual(subsets, current.subsets) &&
    semanticEqual(labels, current.metadata.labels) &&
    semanticEqual(annotations, current.metadata.annotations);
  return same ? undefined : { type: "update", next: { ...current, metadata: { ...current.metadata, labels, annotations }, subsets } };
}

interface Candidate {
  readonly address: EndpointAddress;
  readonly ready: boolean;
}

/** Ports that lead to the same addresses share a subset. */
function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const byPort = new Map<string, { readonly port: EndpointPort | undefined; readonly candidates: Map<string, Candidate> }>();
  for (const pod of endpointPods(service, pods)) {
    const address = addressOf(service, pod);
    const published = service.spec.publishNotReadyAddresses === true;
    // Unlike a slice, this form cannot say that somebody is on the way out.
    if (!address || (pod.metadata.deletionTimestamp && !published)) continue;
    for (const port of portsOf(service, pod)) {
      const key = JSON.stringify(port ?? null);
      const entry = byPort.get(key) ?? { port, candidates: new Map<string, Candidate>() };
      entry.candidates.set(`${address.ip} ${pod.metadata.uid}`, { address, ready: published || isReady(pod) });
      byPort.set(key, entry);
    }
  }
  const byAddresses = new Map<string, { readonly ports: EndpointPort[]; readonly candidates: readonly Candidate[] }>();
  for (const { port, candidates } of byPort.values()) {
    const sorted = [...candidates].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const key = JSON.stringify(sorted.map(([name, { ready }]) => [name, ready]));
    const entry = byAddresses.get(key) ?? { ports: [], candidates: sorted.map(([, candidate]) => candidate) };
    if (port) entry.ports.push(port);
    byAddresses.set(key, entry);
  }
  return [...byAddresses]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { ports, candidates }]) => {
      const addresses = candidates.filter(({ ready }) => ready).map(({ address }) => address);
      const notReadyAddresses = candidates.filter(({ ready }) => !ready).map(({ address }) => address);
      const sorted = ports.toSorted((one, other) => ((one.name ?? "") < (other.name ?? "") ? -1 : 1));
      return {
        ...(addresses.length > 0 && { addresses }),
        ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
        ...(sorted.length > 0 && { ports: sorted }),
      };
    });
}

/** This form has room for one family: the Service's first. */
function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const isIpv6 = (service.spec.ipFamilies?.[0] ?? (service.spec.clusterIP?.includes(":") ? "IPv6" : "IPv4")) === "IPv6";
  const ip = addressesOf(pod).find((address) => address.includes(":") === isIpv6);
  if (ip === undefined) return undefined;
  const hostname = hostnameOf(service, pod);
  return {
    ip,
    ...(hostname && { hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  };
}

/** A headless Service needs no ports: then there is one entry without any. */
function portsOf(service: Service, pod: Pod): (EndpointPort | undefined)[] {
  const { ports = [], clusterIP } = service.spec;
  if (ports.length === 0) return clusterIP === "None" ? [undefined] : [];
  return ports.flatMap((servicePort) => {
    const port = targetPort(pod, servicePort);
    if (port === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = servicePort;
    return [{ ...(name && { name }), port, protocol, ...(appProtocol && { appProtocol }) }];
  });
}

/** Ready addresses are kept first. */
function truncate(subsets: readonly EndpointSubset[]): { readonly subsets: EndpointSubset[]; readonly truncated: boolean } {
  const count = subsets.reduce((sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length, 0);
  if (count <= maxAddresses) return { subsets: [...subsets], truncated: false };
  let room = maxAddresses;
  const take = (addresses: readonly EndpointAddress[] = []): EndpointAddress[] => {
    const taken = addresses.slice(0, room);
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const notReady = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses));
  const cut = subsets.map(({ ports }, index): EndpointSubset => {
    const [addresses = [], notReadyAddresses = []] = [ready[index], notReady[index]];
    return {
      ...(addresses.length > 0 && { addresses }),
      ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
      ...(ports && { ports }),
    };
  });
  return { subsets: cut.filter(({ addresses, notReadyAddresses }) => addresses ?? notReadyAddresses), truncated: true };
}
