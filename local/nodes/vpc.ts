/** The pretended VPC: one subnet per zone, and the private addresses in them. */
import { type Account, stableId, zones } from "../account.ts";

export interface Subnet {
  readonly subnetId: string;
  readonly zone: string;
  /** Such as `10.200.64.0/18`. */
  readonly cidr: string;
}

export interface Vpc {
  readonly vpcId: string;
  readonly subnets: readonly Subnet[];
  readonly securityGroupId: string;
  /** Takes a free address of the subnet; undefined when there is none. Addresses come back last, so that a new Pod does not get a dead one's. */
  allocate(subnetId: string): string | undefined;
  /** Marks an address as taken: by somebody that an earlier process knew. */
  reserve(address: string): void;
  release(address: string): void;
}

/** A range of RFC 1918 that neither Docker nor home routers use by default. */
const network = [10, 200] as const;
/** Addresses in a subnet of 18 bits; AWS keeps the first four and the last for itself. */
const subnetSize = 2 ** 14;
const firstHost = 4;

export function createVpc(account: Account): Vpc {
  const subnets = zones(account).map((zone, index) => ({
    subnetId: stableId("subnet", zone),
    zone,
    cidr: `${network.join(".")}.${index * 64}.0/18`,
  }));
  const taken = new Set<number>();
  const next = new Map<string, number>();
  return {
    vpcId: stableId("vpc", account.region),
    subnets,
    securityGroupId: stableId("sg", account.region, "pods"),
    allocate(subnetId) {
      const base = subnets.findIndex((subnet) => subnet.subnetId === subnetId) * subnetSize;
      if (base < 0) return undefined;
      const size = subnetSize - firstHost - 1;
      const start = next.get(subnetId) ?? 0;
      for (let step = 0; step < size; step += 1) {
        const offset = (start + step) % size;
        const host = base + firstHost + offset;
        if (taken.has(host)) continue;
        taken.add(host);
        next.set(subnetId, offset + 1);
        return format(host);
      }
      return undefined;
    },
    reserve: (address) => void taken.add(parse(address)),
    release: (address) => void taken.delete(parse(address)),
  };
}

const format = (host: number): string => [...network, host >> 8, host & 255].join(".");

const parse = (address: string): number => {
  const [, , high = 0, low = 0] = address.split(".").map(Number);
  return high * 256 + low;
};
