/**
 * The names of a cluster and what they stand for. Pure: Services and EndpointSlices in, records out. A Service without a load balancer
 * has no address of its own here, as on AWS: its name stands for its ready Pods, as that of a headless Service does.
 * @see https://github.com/kubernetes/dns/blob/master/docs/specification.md
 */
import { isIP } from "node:net";
import type { Record as DnsRecord } from "dns-packet";
import type { EndpointSlice, Service } from "../../shared/api/generated/types.ts";

export const clusterDomain = "cluster.local";
/** Short: it is how long a Pod that is gone may still be asked. In seconds. */
export const ttl = 5;
const specificationVersion = "1.1.0";

/** What is known of a cluster. */
export interface Directory {
  service(namespace: string, name: string): Service | undefined;
  /** Of one Service. */
  slices(namespace: string, service: string): readonly EndpointSlice[];
  hasNamespace(namespace: string): boolean;
  /** Slices in which an address stands. */
  slicesWith(address: string): readonly EndpointSlice[];
}

export type Answer =
  /** There is such a name. Without answers it has no records of this type. */
  | { readonly type: "found"; readonly answers: readonly DnsRecord[]; readonly additionals?: readonly DnsRecord[] }
  | { readonly type: "alias"; readonly record: DnsRecord; readonly target: string }
  | { readonly type: "unknown" }
  /** Not a name of the cluster. */
  | { readonly type: "elsewhere" };

const unknown: Answer = { type: "unknown" };
const empty: Answer = { type: "found", answers: [] };

/** One address behind a Service. */
interface Endpoint {
  readonly address: string;
  readonly hostname: string;
  readonly ports: EndpointSlice["ports"];
}

/** @param name as it was asked, without a dot at its end; @param type such as `A` */
export function lookUp(directory: Directory, name: string, type: string): Answer {
  const lower = name.toLowerCase();
  const reverse = addressOfReverseName(lower);
  if (reverse !== undefined) return lookUpAddress(directory, reverse, name, type);
  const labels =
    lower === clusterDomain ? [] : lower.endsWith(`.${clusterDomain}`) ? lower.slice(0, -clusterDomain.length - 1).split(".") : undefined;
  if (!labels) return { type: "elsewhere" };
  if (labels.length === 0) return empty;
  const kind = labels.at(-1);
  if (kind === "svc") return lookUpService(directory, labels.slice(0, -1), name, type);
  if (kind === "pod") return lookUpPod(directory, labels.slice(0, -1), name, type);
  if (kind === "dns-version" && labels.length === 1) {
    return wants(type, "TXT") ? { type: "found", answers: [{ type: "TXT", name, ttl, data: specificationVersion }] } : empty;
  }
  return unknown;
}

const wants = (asked: string, type: string): boolean => asked === type || asked === "ANY";

function lookUpService(directory: Directory, labels: readonly string[], name: string, type: string): Answer {
  const namespace = labels.at(-1);
  if (namespace === undefined) return empty;
  if (labels.length === 1) return directory.hasNamespace(namespace) ? empty : unknown;
  const serviceName = labels.at(-2) ?? "";
  const service = directory.service(namespace, serviceName);
  if (!service || labels.length > 4) return unknown;
  const domain = `${serviceName}.${namespace}.svc.${clusterDomain}`;

  if (service.spec.type === "ExternalName") {
    const target = service.spec.externalName;
    if (labels.length > 2 || !target) return unknown;
    return { type: "alias", record: { type: "CNAME", name, ttl, data: target }, target };
  }
  const endpoints = endpointsOf(directory.slices(namespace, serviceName));
  if (labels.length === 4) return servicePorts(labels, endpoints, domain, name, type);
  if (labels.length === 3) {
    const named = endpoints.filter(({ hostname }) => hostname === labels[0]);
    return named.length > 0 ? addresses(named, name, type) : unknown;
  }
  // A headless Service that nobody is ready behind has no name; others are there all the same.
  if (endpoints.length === 0) return service.spec.clusterIP === "None" ? unknown : empty;
  return addresses(endpoints, name, type);
}

/** `_port._protocol.service.namespace` */
function servicePorts(labels: readonly string[], endpoints: readonly Endpoint[], domain: string, name: string, type: string): Answer {
  const [port = "", protocol = ""] = labels;
  if (!port.startsWith("_") || !protocol.startsWith("_")) return unknown;
  const matches = endpoints.flatMap((endpoint) =>
    (endpoint.ports ?? [])
      .filter((one) => one.name === port.slice(1) && (one.protocol ?? "TCP").toLowerCase() === protocol.slice(1))
      .flatMap((one) => (one.port === undefined ? [] : { endpoint, port: one.port })),
  );
  if (matches.length === 0) return unknown;
  if (!wants(type, "SRV")) return empty;
  const weight = Math.max(1, Math.floor(100 / matches.length));
  const target = ({ hostname }: Endpoint) => `${hostname}.${domain}`;
  return {
    type: "found",
    answers: matches.map(({ endpoint, port }) => ({
      type: "SRV",
      name,
      ttl,
      data: { priority: 0, weight, port, target: target(endpoint) },
    })),
    additionals: matches.map(({ endpoint }) => addressRecord(target(endpoint), endpoint.address)),
  };
}

/** `10-200-0-7.namespace.pod`: made of the address it stands for. */
function lookUpPod(directory: Directory, labels: readonly string[], name: string, type: string): Answer {
  const [dashed = "", namespace = "", ...others] = labels;
  const address = dashed.replaceAll("-", ".");
  if (others.length > 0 || isIP(address) !== 4 || !directory.hasNamespace(namespace)) return unknown;
  return wants(type, "A") ? { type: "found", answers: [addressRecord(name, address)] } : empty;
}

/** Which name an address has: that of its Pod behind a Service. */
function lookUpAddress(directory: Directory, address: string, name: string, type: string): Answer {
  const answers = directory.slicesWith(address).flatMap((slice): DnsRecord[] => {
    const service = slice.metadata.labels?.["kubernetes.io/service-name"];
    if (service === undefined) return [];
    return endpointsOf([slice])
      .filter((endpoint) => endpoint.address === address)
      .map(({ hostname }) => ({
        type: "PTR",
        name,
        ttl,
        data: `${hostname}.${service}.${slice.metadata.namespace}.svc.${clusterDomain}`,
      }));
  });
  if (answers.length === 0) return { type: "elsewhere" };
  return wants(type, "PTR") ? { type: "found", answers } : empty;
}

/** Those that are ready. A Service may publish others, too: then its slices call them ready. */
const endpointsOf = (slices: readonly EndpointSlice[]): readonly Endpoint[] => {
  const found = new Map<string, Endpoint>();
  for (const { addressType, endpoints, ports } of slices) {
    if (addressType === "FQDN") continue;
    for (const { addresses: [address] = [], conditions, hostname } of endpoints ?? []) {
      if (address === undefined || conditions?.ready === false) continue;
      const before = found.get(address);
      // A Service with ports of different names may have an address in several slices.
      found.set(address, { address, hostname: hostname ?? dashedAddress(address), ports: [...(before?.ports ?? []), ...(ports ?? [])] });
    }
  }
  return [...found.values()];
};

const dashedAddress = (address: string): string => address.replaceAll(/[.:]/gu, "-");

function addresses(endpoints: readonly Endpoint[], name: string, type: string): Answer {
  const records = endpoints.map(({ address }) => addressRecord(name, address));
  return { type: "found", answers: records.filter((record) => wants(type, record.type)) };
}

const addressRecord = (name: string, address: string): DnsRecord => ({
  type: isIP(address) === 6 ? "AAAA" : "A",
  name,
  ttl,
  data: address,
});

/** The address in `7.0.200.10.in-addr.arpa`. */
function addressOfReverseName(name: string): string | undefined {
  const [, digits] = /^((?:\d{1,3}\.){4})in-addr\.arpa$/u.exec(name) ?? [];
  const address = digits?.split(".").filter(Boolean).toReversed().join(".");
  return address !== undefined && isIP(address) === 4 ? address : undefined;
}
