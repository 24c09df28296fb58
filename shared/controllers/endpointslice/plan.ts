/** Decides which EndpointSlices a Service needs, with as few changes to the existing ones as possible. Pure. */
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import { services as serviceKind } from "../../api/kinds.ts";
import type { Draft } from "../../api/objects.ts";
import { childNames, childPrefix } from "../common/names.ts";
import { controllerReference } from "../common/owners.ts";
import { isReady } from "../common/pods.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { addressesOf, endpointPods, headlessLabel, hostnameOf, isHeadless, targetPort } from "../common/service-pods.ts";

const maxEndpoints = 100;
export const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const manager = "endpointslice-controller.k8s.io";
const reservedLabels: ReadonlySet<string> = new Set([serviceNameLabel, managedByLabel, headlessLabel]);

export interface EndpointSliceState {
  readonly service: Service;
  /** Pods of the namespace. */
  readonly pods: readonly Pod[];
  /** Slices whose controller the Service is. */
  readonly slices: readonly EndpointSlice[];
  readonly zoneOf: (nodeName: string) => string | undefined;
  /** Revision of the list of slices. */
  readonly revision: number;
  readonly taken: (name: string) => boolean;
}

export interface EndpointSlicePlan {
  readonly create: readonly Draft<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

type AddressType = "IPv4" | "IPv6";

/** A slice in the making: an existing one or a new one. */
interface Wanted {
  readonly existing: EndpointSlice | undefined;
  readonly addressType: AddressType;
  ports: readonly DiscoveryEndpointPort[];
  endpoints: readonly Endpoint[];
}

export function planEndpointSlices(state: EndpointSliceState): EndpointSlicePlan {
  const { service, slices, revision, taken } = state;
  const families = addressTypes(service);
  const wanted = families.flatMap((addressType) => wantedSlices(state, addressType));
  const used = new Set(wanted.map(({ existing }) => existing));

  const fresh = wanted.filter(({ existing }) => !existing);
  const names = childNames(childPrefix(service.metadata.name), service.metadata.uid, revision, fresh.length, taken);
  // A Service on its way out gets nothing new, or the garbage collector would not come to an end.
  const create = service.metadata.deletionTimestamp ? [] : fresh.map((slice, index) => draftOf(service, slice, names[index] ?? ""));
  return {
    create,
    update: wanted.flatMap((slice) => updateOf(service, slice)),
    delete: slices.filter((slice) => !used.has(slice)),
  };
}

function addressTypes({ spec }: Service): AddressType[] {
  if (spec.ipFamilies && spec.ipFamilies.length > 0) return spec.ipFamilies as AddressType[];
  return spec.clusterIP?.includes(":") ? ["IPv6"] : ["IPv4"];
}

/** The slices of one address family: one group for each set of ports, since a named port may differ from Pod to Pod. */
function wantedSlices(state: EndpointSliceState, addressType: AddressType): Wanted[] {
  const { service, pods } = state;
  const existing = state.slices.filter((slice) => slice.addressType === addressType);
  const groups = new Map<string, { ports: DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of endpointPods(service, pods).toSorted(byName)) {
    const endpoint = endpointOf(state, pod, addressType);
    if (endpoint.addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpoint);
    groups.set(key, group);
  }
  const wanted = [...groups].flatMap(([key, { ports, endpoints }]) =>
    fill(
      addressType,
      ports,
      endpoints,
      existing.filter((slice) => portsKey(slice.ports ?? []) === key),
    ),
  );
  // Readers tell "no endpoints" from "not looked at yet" by an empty slice.
  if (wanted.length === 0) return [{ existing: existing[0], addressType, ports: [], endpoints: [] }];
  return reuse(wanted, existing);
}

/** Every endpoint stays in its slice; new ones go into the fullest that has room, then into new slices. */
function fill(
  addressType: AddressType,
  ports: readonly DiscoveryEndpointPort[],
  endpoints: readonly Endpoint[],
  existing: readonly EndpointSlice[],
): Wanted[] {
  const left = new Map(endpoints.map((endpoint) => [identity(endpoint), endpoint]));
  const kept = existing.map((slice): Wanted & { endpoints: Endpoint[] } => {
    const stay: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const current = left.get(identity(endpoint));
      if (!current) continue;
      left.delete(identity(endpoint));
      stay.push(current);
    }
    return { existing: slice, addressType, ports, endpoints: stay };
  });
  const remaining = [...left.values()];
  for (const slice of kept.toSorted((one, other) => other.endpoints.length - one.endpoints.length)) {
    slice.endpoints.push(...remaining.splice(0, maxEndpoints - slice.endpoints.length));
  }
  const fresh: Wanted[] = [];
  while (remaining.length > 0) fresh.push({ existing: undefined, addressType, ports, endpoints: remaining.splice(0, maxEndpoints) });
  return [...kept.filter(({ endpoints }) => endpoints.length > 0), ...fresh];
}

/** Slices that nobody needs any more serve for new ones: an update is one event to a reader instead of two. */
function reuse(wanted: readonly Wanted[], existing: readonly EndpointSlice[]): Wanted[] {
  const used = new Set(wanted.map((slice) => slice.existing));
  const spare = existing.filter((slice) => !used.has(slice));
  return wanted.map((slice) => (slice.existing ? slice : { ...slice, existing: spare.shift() }));
}

const byName = (one: Pod, other: Pod): number => (one.metadata.name < other.metadata.name ? -1 : 1);

const identity = ({ targetRef, addresses }: Endpoint): string => targetRef?.uid ?? addresses.join();

function endpointOf({ service, zoneOf }: EndpointSliceState, pod: Pod, addressType: AddressType): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const nodeName = pod.spec?.nodeName;
  const zone = nodeName ? zoneOf(nodeName) : undefined;
  const hostname = hostnameOf(service, pod);
  return {
    addresses: addressesOf(pod).filter((address) => address.includes(":") === (addressType === "IPv6")),
    conditions: { ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  };
}

const portsOf = (service: Service, pod: Pod): DiscoveryEndpointPort[] =>
  (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(pod, servicePort);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol && { appProtocol }) }];
  });

const portsKey = (ports: readonly DiscoveryEndpointPort[]): string =>
  ports
    .map(({ name = "", port, protocol = "TCP", appProtocol = "" }) => [name, port, protocol, appProtocol].join("/"))
    .toSorted()
    .join(" ");

function labelsOf(service: Service): Record<string, string> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([name]) => !reservedLabels.has(name));
  return {
    ...Object.fromEntries(own),
    ...(isHeadless(service) && { [headlessLabel]: "" }),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: manager,
  };
}

const draftOf = (service: Service, { addressType, ports, endpoints }: Wanted, name: string): Draft<EndpointSlice> => ({
  metadata: {
    name,
    generateName: childPrefix(service.metadata.name),
    ...(service.metadata.namespace !== undefined && { namespace: service.metadata.namespace }),
    labels: labelsOf(service),
    ownerReferences: [controllerReference(serviceKind, service)],
  },
  addressType,
  ports: [...ports],
  endpoints: [...endpoints],
});

function updateOf(service: Service, { existing, ports, endpoints }: Wanted): EndpointSlice[] {
  if (!existing) return [];
  const labels = labelsOf(service);
  const same =
    semanticEqual(labels, existing.metadata.labels) &&
    portsKey(ports) === portsKey(existing.ports ?? []) &&
    semanticEqual(endpoints.map(comparable), (existing.endpoints ?? []).map(comparable));
  return same ? [] : [{ ...existing, metadata: { ...existing.metadata, labels }, ports: [...ports], endpoints: [...endpoints] }];
}

/** Hints are somebody else's business, and no reason for an update. */
const comparable = ({ hints: _hints, ...endpoint }: Endpoint): Endpoint => endpoint;
