/** IP families of a Service: one, or two where the cluster has both and the Service wants them. */
import type { Service } from "../../api/generated/types.ts";
import type { Problem } from "../../api/kind.ts";
import { parseAddress } from "../../api/validation/addresses.ts";
import { invalid } from "../../api/validation/problems.ts";
import { same } from "../values.ts";

export type Family = "IPv4" | "IPv6";

const other = (family: string): Family => (family === "IPv4" ? "IPv6" : "IPv4");
const single = "SingleStack";

export const isHeadless = ({ spec }: Service): boolean => spec?.clusterIPs?.[0] === "None" || spec?.clusterIP === "None";

const isSelectorless = ({ spec }: Service): boolean => Object.keys(spec?.selector ?? {}).length === 0;

/**
 * Decides policy and families, in place.
 * @param available families that the cluster has addresses of, its own first
 * @returns why the Service cannot have what it asks for
 */
export function decideFamilies(next: Service, previous: Service | undefined, available: readonly Family[]): Problem[] {
  const spec = (next.spec ??= {});
  const before = previous?.spec;
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (isHeadless(next) && isSelectorless(next) ? "RequireDualStack" : single);
  if (before && spec.ipFamilyPolicy === single) releaseSecond(spec, before);
  const problems = [...policyProblems(spec), ...inferFamilies(spec, available)];
  if (problems.length > 0) return problems;

  const families = (spec.ipFamilies ??= [available[0] ?? "IPv4"]);
  if (families.length === 0) families.push(available[0] ?? "IPv4");
  const [first = "IPv4"] = families;
  // Nothing has to be allocated for it, so it may name what the cluster does not have.
  if (isHeadless(next) && isSelectorless(next)) {
    if (families.length === 1 && spec.ipFamilyPolicy !== single) families.push(other(first));
    return [];
  }
  if (spec.ipFamilyPolicy === "RequireDualStack" && available.length < 2) {
    problems.push(invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services"));
  }
  for (const [index, family] of families.entries()) {
    if (!available.includes(family as Family))
      problems.push(invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster"));
  }
  if (problems.length === 0 && families.length === 1 && spec.ipFamilyPolicy !== single && available.length === 2)
    families.push(other(first));
  return problems;
}

type Spec = NonNullable<Service["spec"]>;

/** Asking for one family gives the second one back, where the rest stayed as it was. */
function releaseSecond(spec: Spec, before: Spec): void {
  if (same(spec.clusterIPs, before.clusterIPs) && spec.clusterIPs) spec.clusterIPs = spec.clusterIPs.slice(0, 1);
  if (same(spec.ipFamilies, before.ipFamilies) && spec.ipFamilies) spec.ipFamilies = spec.ipFamilies.slice(0, 1);
}

function policyProblems({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: Spec): Problem[] {
  if (ipFamilyPolicy !== single) return [];
  const problem = (what: string) =>
    invalid("spec.ipFamilyPolicy", ipFamilyPolicy, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [...(clusterIPs.length === 2 ? [problem("cluster IPs")] : []), ...(ipFamilies.length === 2 ? [problem("IP families")] : [])];
}

/** An address that was asked for says which family it is of. */
function inferFamilies(spec: Spec, available: readonly Family[]): Problem[] {
  const addresses = spec.clusterIPs ?? [];
  if (addresses[0] === "None") return [];
  const problems: Problem[] = [];
  for (const [index, address] of addresses.entries()) {
    const family: Family = parseAddress(address)?.family === 6 ? "IPv6" : "IPv4";
    if (spec.ipFamilies?.[index] !== undefined) continue;
    if (available.includes(family)) (spec.ipFamilies ??= []).push(family);
    else problems.push(invalid(`spec.clusterIPs[${index}]`, addresses, `${family} is not configured on this cluster`));
  }
  return problems;
}
