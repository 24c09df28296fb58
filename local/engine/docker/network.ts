/**
 * The network that Pods stand in: a bridge with a subnet that nothing else on this machine uses. ECS gives tasks addresses of its
 * pretended VPC (16 bits of them are the host's); the same 16 bits name the Pod here, whichever subnet is free.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { ApiError, type EngineApi, isNotFound } from "./api.ts";
import type { Flavour } from "./flavour.ts";
import { labelled, networkName, ownerLabel } from "./names.ts";

export interface PodNetwork {
  readonly name: string;
  /** Such as `10.200.0.0/16`. */
  readonly cidr: string;
  /** This machine's address on the bridge. */
  readonly gateway: string;
  /** Set aside for a resolver, as the second address of a VPC is. ECS gives it to no task. */
  readonly resolver: string;
  /** @param address of the task's network interface */
  readonly addressOf: (address: string) => string;
  readonly contains: (address: string) => boolean;
  /** Removes it if nothing stands in it. */
  removeIfEmpty(): Promise<void>;
}

interface Network {
  readonly Name: string;
  readonly IPAM: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
}

/** Subnets to try: the pretended VPC's own first; neither Docker nor home routers use these by default. */
const prefixes = [
  ...Array.from({ length: 55 }, (_, index) => `10.${200 + index}`),
  ...Array.from({ length: 12 }, (_, index) => `172.${20 + index}`),
  "198.18",
  "198.19",
];

/** Finds the network of an earlier process, or makes one. @throws {ApiError} or an Error when no subnet is free */
export async function podNetwork(options: {
  readonly api: EngineApi;
  readonly flavour: Flavour;
  readonly owner: string;
  /** Subnets that are in use on this machine, such as `192.168.1.0/24`. */
  readonly taken: readonly string[];
}): Promise<PodNetwork> {
  const { api, flavour, owner, taken } = options;
  const name = networkName(owner);
  const known = await find(api, owner);
  if (known) return network(api, known.name, known.prefix);
  let last: unknown;
  for (const prefix of prefixes) {
    if (taken.some((cidr) => overlaps(cidr, prefix))) continue;
    try {
      await flavour.createNetwork(name, `${prefix}.0.0/16`, `${prefix}.0.1`, { [ownerLabel]: owner });
      return network(api, name, prefix);
    } catch (error) {
      // Docker says that pools overlap, podman that the subnet is used; both mean that another one may do.
      if (!(error instanceof ApiError) || !/overlap|already used/u.test(error.message)) throw error;
      last = error;
    }
  }
  throw new Error("there is no free subnet for Pods on this machine", { cause: last });
}

async function find(api: EngineApi, owner: string): Promise<{ readonly name: string; readonly prefix: string } | undefined> {
  const networks = await api.call<readonly Network[]>("GET", "/networks", { query: { filters: labelled(ownerLabel, owner) } });
  for (const { Name, IPAM } of networks) {
    const prefix = /^(\d+\.\d+)\.0\.0\/16$/u.exec(IPAM.Config?.[0]?.Subnet ?? "")?.[1];
    if (prefix !== undefined) return { name: Name, prefix };
  }
  return undefined;
}

const network = (api: EngineApi, name: string, prefix: string): PodNetwork => ({
  name,
  cidr: `${prefix}.0.0/16`,
  gateway: `${prefix}.0.1`,
  resolver: `${prefix}.0.2`,
  addressOf: (address) => [prefix, ...address.split(".").slice(2)].join("."),
  contains: (address) => address.startsWith(`${prefix}.`),
  async removeIfEmpty() {
    try {
      await api.call("DELETE", `/networks/${name}`);
    } catch (error) {
      // Whatever still stands in it needs it.
      if (!isNotFound(error) && !(error instanceof ApiError && error.status !== undefined)) throw error;
    }
  },
});

/** What this machine is connected to: its interfaces' subnets and the routes that lead elsewhere. */
export function subnetsInUse(): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap(
    (all) => all?.flatMap(({ cidr, family }) => (family === "IPv4" && cidr ? cidr : [])) ?? [],
  );
  return [...interfaces, ...routes(readRoutes())];
}

const readRoutes = (): string => {
  try {
    return readFileSync("/proc/net/route", "utf8");
  } catch {
    // Not a Linux: then the interfaces have to do.
    return "";
  }
};

/** @param table as in `/proc/net/route`: destinations and masks in hexadecimal, bytes reversed */
export function routes(table: string): readonly string[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split("\t");
      if (!destination || !mask || mask === "00000000") return [];
      const bytes = Buffer.from(destination, "hex").toReversed();
      const bits = Number.parseInt(mask, 16).toString(2).replaceAll("0", "").length;
      return [`${bytes.join(".")}/${bits}`];
    });
}

/** Whether a subnet and the 16 bits of a prefix have addresses in common. */
export function overlaps(cidr: string, prefix: string): boolean {
  const [address = "", bits = "32"] = cidr.split("/");
  const number = (text: string) => text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const size = 2 ** (32 - Math.min(Number(bits), 16));
  return Math.floor(number(address) / size) === Math.floor(number(`${prefix}.0.0`) / size);
}
