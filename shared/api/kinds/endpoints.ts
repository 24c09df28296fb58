/** Endpoints: where a Service's traffic goes, in the older form. */
import type { EndpointPort, Endpoints } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { endpoints } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems, portNumberProblems, qualifiedNameProblems } from "../names.ts";
import { addressWarnings, validateIp } from "../validation/addresses.ts";
import { validateEndpointIp } from "../validation/endpoint-address.ts";
import type { Given } from "../validation/given.ts";
import { protocols } from "../validation/pod/containers.ts";
import { eachItem, invalidEach, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { oneOf } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { listWithMore, text } from "./cells.ts";

type Subset = NonNullable<Endpoints["subsets"]>[number];

const validateAddress = ({ ip, hostname, nodeName }: NonNullable<Subset["addresses"]>[number], at: string): Problem[] => [
  ...validateIp(ip ?? "", `${at}.ip`),
  ...(hostname ? invalidEach(`${at}.hostname`, hostname, dnsLabelProblems(hostname)) : []),
  ...(nodeName === undefined ? [] : invalidEach(`${at}.nodeName`, nodeName, dnsSubdomainProblems(nodeName))),
  ...validateEndpointIp(ip ?? "", `${at}.ip`),
];

const validateSubset = ({ addresses, notReadyAddresses, ports }: Subset, at: string): Problem[] => [
  ...((addresses ?? []).length === 0 && (notReadyAddresses ?? []).length === 0
    ? [required(at, "must specify `addresses` or `notReadyAddresses`")]
    : []),
  ...eachItem(`${at}.addresses`, addresses, validateAddress),
  ...eachItem(`${at}.notReadyAddresses`, notReadyAddresses, validateAddress),
  ...eachItem(`${at}.ports`, ports, ({ name, port = 0, protocol, appProtocol }: Given<EndpointPort>, path) => {
    const needsName = (ports ?? []).length > 1;
    return [
      ...(name ? invalidEach(`${path}.name`, name, dnsLabelProblems(name)) : needsName ? [required(`${path}.name`)] : []),
      ...invalidEach(`${path}.port`, port, portNumberProblems(port)),
      ...oneOf(protocol, protocols, `${path}.protocol`, true),
      ...(appProtocol === undefined ? [] : invalidEach(`${path}.appProtocol`, appProtocol, qualifiedNameProblems(appProtocol))),
    ];
  }),
];

const validateSubsets = ({ subsets }: Endpoints): Problem[] => eachItem("subsets", subsets, validateSubset);

/** `10.0.0.1:80`, `[fd00::1]:80` */
const withPort = (ip: string | undefined, port: number): string => (ip?.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

const addressList = ({ subsets }: Endpoints): string[] =>
  (subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => withPort(ip, port)));
  });

export const endpointsBehaviour = behaviour(endpoints, {
  defaults: ({ subsets }) => {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
  },
  validateCreate: validateSubsets,
  // What was allowed before may stay as it is.
  validateUpdate: (next, previous) => (semanticallyEqual(next.subsets, previous.subsets) ? [] : validateSubsets(next)),
  warnings: ({ subsets }) =>
    (subsets ?? []).flatMap(({ addresses, notReadyAddresses }, index) =>
      (
        [
          ["addresses", addresses],
          ["notReadyAddresses", notReadyAddresses],
        ] as const
      ).flatMap(([list, values]) =>
        (values ?? []).flatMap(({ ip }, position) => addressWarnings(ip, `subsets[${index}].${list}[${position}].ip`)),
      ),
    ),
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  columns: [text("Endpoints", (object) => ((object.subsets ?? []).length === 0 ? "<none>" : listWithMore(addressList(object), 3)))],
});
