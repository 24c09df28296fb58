/** EndpointSlices: where a Service's traffic goes. */
import type { EndpointSlice } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { endpointSlices } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems, qualifiedNameProblems } from "../names.ts";
import { addressWarnings, parseAddress, validateIp } from "../validation/addresses.ts";
import { validateEndpointIp } from "../validation/endpoint-address.ts";
import type { Given } from "../validation/given.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { protocols } from "../validation/pod/containers.ts";
import { duplicate, eachItem, invalid, invalidEach, required, tooMany } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { oneOf, oneOfGiven } from "../validation/values.ts";
import { behaviour } from "./behaviour.ts";
import { listWithMore, text } from "./cells.ts";

const mostEndpoints = 1000;
const mostAddresses = 100;
const mostPorts = 20_000;
const mostHints = 8;

type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];

function validateAddress(address: string, type: string, path: string, field: string): Problem[] {
  if (type === "FQDN") return validateDomain(address, field);
  // Unknown types are reported for themselves.
  if (type !== "IPv4" && type !== "IPv6") return [];
  const problems = validateIp(address, field, { canonical: type === "IPv6" });
  if (problems.length > 0) return problems;
  const isOfType = parseAddress(address)?.family === (type === "IPv4" ? 4 : 6);
  return [...(isOfType ? [] : [invalid(path, address, `must be an ${type} address`)]), ...validateEndpointIp(address, field)];
}

function validateDomain(name: string, field: string): Problem[] {
  if (name === "") return [required(field)];
  const plain = name.replace(/\.$/, "");
  const problems = dnsSubdomainProblems(plain);
  if (problems.length > 0) return invalidEach(field, plain, problems);
  if (!plain.includes(".")) return [invalid(field, name, "should be a domain with at least two segments separated by dots")];
  return plain.split(".").flatMap((label) => invalidEach(field, label, dnsLabelProblems(label)));
}

function validateEndpoint({ addresses = [], nodeName, hostname, hints }: Given<Endpoint>, type: string, at: string): Problem[] {
  const path = `${at}.addresses`;
  return [
    ...(addresses.length === 0 ? [required(path, "must contain at least 1 address")] : []),
    ...(addresses.length > mostAddresses ? [tooMany(path, addresses.length, mostAddresses)] : []),
    ...eachItem(path, addresses, (address, field) => validateAddress(address, type, path, field)),
    ...(nodeName === undefined ? [] : invalidEach(`${at}.nodeName`, nodeName, dnsSubdomainProblems(nodeName))),
    ...(hostname === undefined ? [] : invalidEach(`${at}.hostname`, hostname, dnsLabelProblems(hostname))),
    ...validateHints(hints?.forZones, labelValueProblems, `${at}.hints.forZones`),
    ...validateHints(hints?.forNodes, dnsSubdomainProblems, `${at}.hints.forNodes`),
  ];
}

function validateHints(
  hints: readonly { readonly name: string }[] | undefined,
  problemsOf: (name: string) => string[],
  path: string,
): Problem[] {
  if (hints === undefined) return [];
  if (hints.length > mostHints) return [tooMany(path, hints.length, mostHints)];
  const seen = new Set<string>();
  return eachItem(path, hints, ({ name }, at) => {
    const twin = seen.has(name);
    seen.add(name);
    return [...(twin ? [duplicate(`${at}.name`, name)] : []), ...invalidEach(`${at}.name`, name, problemsOf(name))];
  });
}

function validatePorts({ ports }: EndpointSlice): Problem[] {
  if ((ports ?? []).length > mostPorts) return [tooMany("ports", (ports ?? []).length, mostPorts)];
  const names = new Set<string>();
  return eachItem("ports", ports, ({ name = "", protocol, appProtocol }, at) => {
    const twin = names.has(name);
    names.add(name);
    return [
      ...(name ? invalidEach(`${at}.name`, name, dnsLabelProblems(name)) : []),
      ...(twin ? [duplicate(`${at}.name`, name)] : []),
      ...oneOfGiven(protocol, protocols, `${at}.protocol`),
      ...(appProtocol === undefined ? [] : invalidEach(`${at}.appProtocol`, appProtocol, qualifiedNameProblems(appProtocol))),
    ];
  });
}

function validateEndpoints({ endpoints = [], addressType }: EndpointSlice): Problem[] {
  if (endpoints.length > mostEndpoints) return [tooMany("endpoints", endpoints.length, mostEndpoints)];
  return eachItem("endpoints", endpoints, (endpoint, at) => validateEndpoint(endpoint, addressType, at));
}

/** Topology is a matter of an older version; what is new or changed does not bring it any more. */
function dropTopology(next: EndpointSlice, previous?: EndpointSlice): void {
  if (previous && semanticallyEqual(next.endpoints, previous.endpoints)) return;
  for (const endpoint of next.endpoints ?? []) delete endpoint.deprecatedTopology;
}

const managerLabel = "endpointslice.kubernetes.io/managed-by";
const managers = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

export const endpointSliceBehaviour = behaviour(endpointSlices, {
  defaults: ({ endpoints, ports }) => {
    for (const endpoint of endpoints ?? []) endpoint.conditions ??= {};
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  prepareForCreate: (slice) => dropTopology(slice),
  prepareForUpdate: dropTopology,
  validate: (slice) => [...oneOf(slice.addressType, ["FQDN", "IPv4", "IPv6"], "addressType", true), ...validatePorts(slice)],
  validateCreate: validateEndpoints,
  validateUpdate: (next, previous) => [
    // What was allowed before may stay as it is.
    ...(semanticallyEqual(next.endpoints, previous.endpoints) ? [] : validateEndpoints(next)),
    ...validateImmutable(next.addressType, previous.addressType, "addressType"),
  ],
  warnings: ({ metadata, addressType, endpoints }, previous) => {
    const isManaged = managers.includes(metadata.labels?.[managerLabel] ?? "");
    const listed = isManaged ? [] : (endpoints ?? []);
    return [
      ...(addressType === "FQDN" && !previous ? ["spec.addressType: FQDN endpoints are deprecated"] : []),
      ...listed.flatMap(({ addresses }, index) =>
        (addresses ?? []).flatMap((address, position) => addressWarnings(address, `endpoints[${index}].addresses[${position}]`)),
      ),
    ];
  },
  // Labels say which Service the slice belongs to.
  generationFields: ({ metadata, endpoints, ports, addressType }) => ({ labels: metadata.labels, endpoints, ports, addressType }),
  columns: [
    text("AddressType", ({ addressType }) => addressType),
    text(
      "Ports",
      ({ ports }) =>
        listWithMore(
          (ports ?? []).map(({ name, port }) => String(port ?? name ?? "*")),
          3,
        ) || "<unset>",
    ),
    text(
      "Endpoints",
      ({ endpoints }) =>
        listWithMore(
          (endpoints ?? []).flatMap(({ addresses }) => addresses),
          3,
        ) || "<unset>",
    ),
  ],
});
