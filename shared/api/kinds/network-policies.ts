/** NetworkPolicies. */
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { networkPolicies } from "../kinds.ts";
import { portNameProblems, portNumberProblems } from "../names.ts";
import { networkWarnings, parseNetwork, validateCidr } from "../validation/addresses.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { behaviour, specGeneration } from "./behaviour.ts";
import { formatSelector, text } from "./cells.ts";

const protocols = ["TCP", "UDP", "SCTP"];

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, at: string): Problem[] {
  const problems: Problem[] = [];
  const field = `${at}.endPort`;
  if (protocol !== undefined && !protocols.includes(protocol)) problems.push(notSupported(`${at}.protocol`, protocol, protocols));
  if (port === undefined) {
    if (endPort !== undefined) problems.push(invalid(field, endPort, "may not be specified when `port` is not specified"));
  } else if (typeof port === "number") {
    problems.push(...invalidEach(`${at}.port`, port, portNumberProblems(port)));
    if (endPort === undefined) return problems;
    if (endPort < port) problems.push(invalid(field, port, "must be greater than or equal to `port`"));
    problems.push(...invalidEach(field, endPort, portNumberProblems(endPort)));
  } else {
    if (endPort !== undefined) problems.push(invalid(field, endPort, "may not be specified when `port` is non-numeric"));
    problems.push(...invalidEach(`${at}.port`, port, portNameProblems(port)));
  }
  return problems;
}

/** Whether every address of `inner` is in `outer`, which has more. */
function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseNetwork(inner), parseNetwork(outer)];
  if (!a || !b || a.family !== b.family || b.prefix >= a.prefix) return false;
  return b.address.bytes.every((byte, index) => {
    const mask = 0xff & (0xff << Math.min(Math.max(8 - (b.prefix - index * 8), 0), 8));
    return (byte & mask) === ((a.address.bytes[index] ?? 0) & mask);
  });
}

function validateBlock({ cidr, except }: NonNullable<NetworkPolicyPeer["ipBlock"]>, at: string, tolerated: readonly string[]): Problem[] {
  if (!cidr) return [required(`${at}.cidr`)];
  const problems = validateCidr(cidr, `${at}.cidr`, { tolerated });
  if (!parseNetwork(cidr)) return problems;
  return [
    ...problems,
    ...eachItem(`${at}.except`, except, (network, field) => [
      ...validateCidr(network, field, { tolerated }),
      ...(parseNetwork(network) && !isWithin(network, cidr) ? [invalid(field, network, "must be a strict subset of `cidr`")] : []),
    ]),
  ];
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, at: string, tolerated: readonly string[]): Problem[] {
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  return [
    ...validateLabelSelector(podSelector, `${at}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
    ...(ipBlock ? validateBlock(ipBlock, `${at}.ipBlock`, tolerated) : []),
    ...(hasSelector || ipBlock ? [] : [required(at, "must specify a peer")]),
    ...(hasSelector && ipBlock ? [forbidden(at, "may not specify both ipBlock and another peer")] : []),
  ];
}

/** The rules of both directions, with their paths, ports and peers. */
const rulesOf = ({ spec }: NetworkPolicy) => [
  ...(spec?.ingress ?? []).map(({ ports, from }, index) => ({
    path: `spec.ingress[${index}]`,
    ports,
    peers: from,
    peersPath: `spec.ingress[${index}].from`,
  })),
  ...(spec?.egress ?? []).map(({ ports, to }, index) => ({
    path: `spec.egress[${index}]`,
    ports,
    peers: to,
    peersPath: `spec.egress[${index}].to`,
  })),
];

const networksOf = (policy: NetworkPolicy | undefined): string[] =>
  policy
    ? rulesOf(policy).flatMap(({ peers }) =>
        (peers ?? []).flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : [])),
      )
    : [];

const types = ["Ingress", "Egress"];

/** @param previous undefined for a new policy; its networks may stay as they are */
function validateSpec(policy: NetworkPolicy, previous?: NetworkPolicy): Problem[] {
  const { podSelector, policyTypes = [] } = policy.spec ?? {};
  const tolerated = networksOf(previous);
  const problems = [
    ...validateLabelSelector(podSelector, "spec.podSelector"),
    ...rulesOf(policy).flatMap(({ path, ports, peers, peersPath }) => [
      ...eachItem(`${path}.ports`, ports, validatePort),
      ...eachItem(peersPath, peers, (peer, at) => validatePeer(peer, at, tolerated)),
    ]),
  ];
  if (policyTypes.length > types.length) {
    return [...problems, invalid("spec.policyTypes", policyTypes, "may not specify more than two policyTypes")];
  }
  return [
    ...problems,
    ...eachItem("spec.policyTypes", policyTypes, (type, at) => (types.includes(type) ? [] : [notSupported(at, type, types)])),
  ];
}

export const networkPolicyBehaviour = behaviour(networkPolicies, {
  defaults: (policy) => {
    const spec = (policy.spec ??= {});
    spec.podSelector ??= {};
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of ports ?? []) port.protocol ??= "TCP";
    if ((spec.policyTypes ?? []).length > 0) return;
    spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validateCreate: (policy) => validateSpec(policy),
  validateUpdate: validateSpec,
  warnings: (policy) =>
    rulesOf(policy).flatMap(({ peers, peersPath }) =>
      (peers ?? []).flatMap(({ ipBlock }, index) =>
        ipBlock
          ? [
              ...networkWarnings(ipBlock.cidr, `${peersPath}[${index}].ipBlock.cidr`),
              ...(ipBlock.except ?? []).flatMap((network, position) =>
                networkWarnings(network, `${peersPath}[${index}].ipBlock.except[${position}]`),
              ),
            ]
          : [],
      ),
    ),
  generationFields: specGeneration,
  columns: [text("Pod-Selector", ({ spec }) => formatSelector(spec?.podSelector))],
});
