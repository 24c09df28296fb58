/**
 * What a Service is given when it is made: families, cluster addresses and node ports. They are unique because one log has all
 * Services (`log-rules.md` 24), and each attempt at a slot picks from what is free in front of that very slot.
 */
import type { Service } from "../../api/generated/types.ts";
import type { AnyObject, Problem } from "../../api/kind.ts";
import { invalid } from "../../api/validation/problems.ts";
import { invalid as invalidObject, StatusError } from "../../errors/status-error.ts";
import type { AllocationContext, Lifecycle } from "../lifecycle.ts";
import { decideFamilies, type Family, isHeadless } from "./families.ts";
import { allocateNodePorts, portsOf } from "./node-ports.ts";
import { contains, defaultServiceRange, firstAddress, parseRange, pickAddress, type Range, serviceCidrs } from "./ranges.ts";

const asService = (object: AnyObject): Service => object as unknown as Service;

export const serviceLifecycle: Lifecycle = {
  allocate: async (object, before, context) => {
    const next = asService(object);
    const previous = before && asService(before);
    const others = (await context.peers()).map(asService);
    const problems: Problem[] = [];
    // Nothing inside the cluster goes through it, whatever it was before.
    if (next.spec?.type === "ExternalName") delete next.spec.internalTrafficPolicy;
    else {
      const ranges = await rangesOf(context);
      const available = [...new Set(ranges.map(({ family }) => family))];
      problems.push(...decideFamilies(next, previous, available));
      if (problems.length === 0 && !isHeadless(next)) problems.push(...allocateAddresses(next, previous, others, ranges, context.random));
    }
    problems.push(...allocateNodePorts(next, previous, new Set(others.flatMap(portsOf)), context.random));
    if (problems.length > 0) throw invalidObject({ group: "", kind: "Service" }, next.metadata.name, problems);
  },
};

/** The cluster's ranges; those that are being taken away give no new addresses. */
async function rangesOf({ reader }: AllocationContext): Promise<readonly Range[]> {
  const known = (await reader.list(serviceCidrs)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const texts = known.flatMap(({ spec }) => spec?.cidrs ?? []);
  return (texts.length > 0 ? texts : [defaultServiceRange]).map(parseRange).filter((range) => range !== undefined);
}

function allocateAddresses(
  next: Service,
  previous: Service | undefined,
  others: readonly Service[],
  ranges: readonly Range[],
  random: () => number,
): Problem[] {
  const spec = (next.spec ??= {});
  const own = new Set(previous?.spec?.clusterIPs);
  const taken = new Set(others.flatMap((service) => service.spec?.clusterIPs ?? []));
  const reserved = new Set(ranges.map(firstAddress));
  const isApi = next.metadata.namespace === "default" && next.metadata.name === "kubernetes";
  const addresses = [...(spec.clusterIPs ?? [])];
  const problems: Problem[] = [];
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const wanted = addresses[index];
    // An address instead of the one it has is not looked for: validation refuses it, whether it is free or not.
    if (wanted !== undefined && (own.has(wanted) || previous?.spec?.clusterIPs?.[index] !== undefined)) continue;
    const ofFamily = ranges.filter((range) => range.family === family);
    const asked = wanted ?? (isApi ? ofFamily.map(firstAddress).find((address) => !taken.has(address)) : undefined);
    if (asked === undefined) {
      addresses[index] = anyAddress(ofFamily, family as Family, (address) => taken.has(address) || reserved.has(address), random);
      continue;
    }
    addresses[index] = asked;
    const why = refusal(asked, taken, ofFamily);
    if (why !== undefined) problems.push(invalid("spec.clusterIPs", addresses, `failed to allocate IP ${asked}: ${why}`));
  }
  spec.clusterIPs = addresses;
  if (addresses[0] !== undefined) spec.clusterIP = addresses[0];
  return problems;
}

function refusal(address: string, taken: ReadonlySet<string>, ranges: readonly Range[]): string | undefined {
  if (!ranges.some((range) => contains(range, address))) {
    return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${ranges.map(({ text }) => text).join(",")}`;
  }
  return taken.has(address) ? "provided IP is already allocated" : undefined;
}

function anyAddress(ranges: readonly Range[], family: Family, isTaken: (address: string) => boolean, random: () => number): string {
  for (const range of ranges) {
    const address = pickAddress(range, isTaken, random);
    if (address !== undefined) return address;
  }
  throw new StatusError("InternalError", `Internal error occurred: failed to allocate a serviceIP: range is full (${family})`);
}
