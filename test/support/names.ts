/** Builders for tests of name resolution: EndpointSlices, and a directory of what a test says there is. */
import type { Directory } from "../../local/dns/cluster-names.ts";
import type { EndpointSlice, Service } from "../../shared/api/generated/types.ts";
import { meta } from "./workloads.ts";

type Rest = Partial<Pick<EndpointSlice, "addressType" | "ports">> & { readonly name?: string; readonly namespace?: string };

/** A slice of a Service in the namespace `shop`. */
export const aSlice = (
  service: string,
  endpoints: EndpointSlice["endpoints"],
  { name, namespace = "shop", ...rest }: Rest = {},
): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: meta(name ?? `${service}-1`, { namespace, labels: { "kubernetes.io/service-name": service } }),
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints,
  ...rest,
});

export const directoryOf = (services: readonly Service[], slices: readonly EndpointSlice[]): Directory => ({
  service: (namespace, name) => services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (namespace, service) =>
    slices.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === service),
  hasNamespace: (namespace) => services.some(({ metadata }) => metadata.namespace === namespace),
  slicesWith: (address) => slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(address))),
});
