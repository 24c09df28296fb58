/** The API as Pods find it: the Service `default/kubernetes` and where it leads. Pure. */
import { isIP } from "node:net";
import type { EndpointSlice, Endpoints, Service } from "../../api/generated/types.ts";
import type { Draft } from "../../api/objects.ts";

export const serviceName = "kubernetes";
export const serviceNamespace = "default";
const portName = "https";
const labels = { component: "apiserver", provider: "kubernetes" };

/**
 * What stands in endpoints where the API has no address that they may name: behind a host name, or on a loopback address. From the
 * block for documentation (RFC 5737), so that it leads nowhere rather than astray; Pods are given the API's URL in other ways.
 */
export const placeholderAddress = "192.0.2.1";

/** Where the API can be reached, as endpoints can say it. */
export interface ApiAddress {
  readonly ip: string;
  readonly port: number;
}

/** @param endpointUrl `https://HOST[:PORT][/PATH]` */
export function apiAddress(endpointUrl: string): ApiAddress {
  const url = new URL(endpointUrl);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isUsable = isIP(host) !== 0 && !host.startsWith("127.") && host !== "::1";
  return { ip: isUsable ? host : placeholderAddress, port: Number(url.port || 443) };
}

const isIpv6 = ({ ip }: ApiAddress): boolean => isIP(ip) === 6;

/** Made once; what users change about it is theirs. */
export const kubernetesService = ({ port }: ApiAddress): Draft<Service> => ({
  metadata: { name: serviceName, namespace: serviceNamespace, labels },
  spec: { type: "ClusterIP", ports: [{ name: portName, port: 443, protocol: "TCP", targetPort: port }], sessionAffinity: "None" },
});

/** A slice cannot change its address type: then it has to be made anew. */
export const kubernetesSlice = (address: ApiAddress): Draft<EndpointSlice> => ({
  metadata: { name: serviceName, namespace: serviceNamespace, labels: { "kubernetes.io/service-name": serviceName } },
  addressType: isIpv6(address) ? "IPv6" : "IPv4",
  ports: [{ name: portName, port: address.port, protocol: "TCP" }],
  endpoints: [{ addresses: [address.ip], conditions: { ready: true } }],
});

/** The same in the older form. Its mirror is there already. */
export const kubernetesEndpoints = ({ ip, port }: ApiAddress): Draft<Endpoints> => ({
  metadata: { name: serviceName, namespace: serviceNamespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
  subsets: [{ addresses: [{ ip }], ports: [{ name: portName, port, protocol: "TCP" }] }],
});
