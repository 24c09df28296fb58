/** ServiceCIDRs and IPAddresses: the networks of Services, and who holds which address of them. */
import type { IPAddress, ServiceCIDR } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { ipAddresses, serviceCidrs } from "../kinds.ts";
import { dnsSubdomainProblems, pathSegmentProblems } from "../names.ts";
import { parseNetwork, validateCidr, validateIp } from "../validation/addresses.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { eachItem, invalid, invalidEach, required } from "../validation/problems.ts";
import { behaviour, noGeneration, statusAlone, statusBehaviour } from "./behaviour.ts";
import { text } from "./cells.ts";

const field = "spec.cidrs";
const immutable = "field is immutable";

function validateNetworks({ spec }: ServiceCIDR): Problem[] {
  const networks = spec?.cidrs ?? [];
  if (networks.length === 0) return [required(field, "at least one CIDR required")];
  if (networks.length > 2) return [invalid(field, spec, "may only hold up to 2 values")];
  const problems = eachItem(field, networks, (network, at) => validateCidr(network, at, { canonical: true }));
  const families = networks.map((network) => parseNetwork(network)?.family);
  if (networks.length === 1 || families[0] === undefined || families[0] !== families[1]) return problems;
  const detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
  return [...problems, invalid(field, networks, detail)];
}

/** Nothing changes, but for a second network that joins the first. */
function validateChange(next: ServiceCIDR, previous: ServiceCIDR): Problem[] {
  const [after, before] = [next.spec?.cidrs ?? [], previous.spec?.cidrs ?? []];
  const gainsOne = before.length === 1 && after.length === 2;
  if (after.length !== before.length && !gainsOne) return [invalid(field, after, immutable)];
  const kept = before.flatMap((network, index) =>
    network === after[index] ? [] : [invalid(`${field}[${index}]`, after[index], immutable)],
  );
  return gainsOne ? [...kept, ...validateNetworks(next)] : kept;
}

export const serviceCidrBehaviour = behaviour(serviceCidrs, {
  ...statusBehaviour,
  defaults: (network) => {
    network.spec ??= {};
    network.status ??= {};
  },
  ...statusAlone,
  validateCreate: validateNetworks,
  validateUpdate: validateChange,
  generationFields: noGeneration,
  columns: [text("CIDRs", ({ spec }) => (spec?.cidrs ?? []).join(","))],
});

function validateParent({ spec }: IPAddress): Problem[] {
  const path = "spec.parentRef";
  const parent = spec?.parentRef;
  if (!parent) return [required(path)];
  const { group, resource, name, namespace } = parent;
  return [
    ...(group ? invalidEach(`${path}.group`, group, dnsSubdomainProblems(group)) : []),
    ...(resource ? invalidEach(`${path}.resource`, resource, pathSegmentProblems(resource)) : [required(`${path}.resource`)]),
    ...(name ? invalidEach(`${path}.name`, name, pathSegmentProblems(name)) : [required(`${path}.name`)]),
    ...(namespace ? invalidEach(`${path}.namespace`, namespace, pathSegmentProblems(namespace)) : []),
  ];
}

function parentCell({ spec }: IPAddress): string {
  if (!spec?.parentRef) return "<none>";
  const { group, resource, name, namespace } = spec.parentRef;
  const kind = `${resource}${group ? `.${group}` : ""}`.toLowerCase();
  return [kind, ...(namespace ? [namespace] : []), name].join("/");
}

export const ipAddressBehaviour = behaviour(ipAddresses, {
  nameRule: "pathSegment",
  // Its name is the address.
  validateCreate: ({ metadata }) => (metadata.name ? validateIp(metadata.name, "metadata.name", { canonical: true }) : []),
  validate: validateParent,
  validateUpdate: (next, previous) => validateImmutable(next.spec?.parentRef, previous.spec?.parentRef, "spec.parentRef"),
  generationFields: noGeneration,
  ownAge: true,
  columns: [text("ParentRef", parentCell)],
});
