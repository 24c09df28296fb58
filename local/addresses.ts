/** The addresses of this machine: where the API listens, and which of them others may be told. */
import { isIP } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { claimPort } from "./ports.ts";

export const loopback = "127.0.0.1";

export interface Addresses {
  /** To listen on. */
  readonly addresses: readonly string[];
  /** What the certificate has to name. */
  readonly names: readonly string[];
}

/** @param hosts addresses besides the loopback one, and names */
export function addressesOf(hosts: readonly string[]): Addresses {
  const asked = hosts.filter((host) => isIP(host) !== 0);
  const wildcard = asked.find(isWildcard);
  const everywhere = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address.replace(/%.*$/u, "")) ?? []);
  return {
    // A wildcard covers the loopback address; listening on both would be a clash.
    addresses: wildcard === undefined ? [...new Set([loopback, ...asked])] : [wildcard],
    names: [
      ...new Set([
        "localhost",
        loopback,
        "::1",
        ...hosts.filter((host) => !isWildcard(host)),
        ...(wildcard === undefined ? [] : everywhere),
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
      ]),
    ],
  };
}

export const isWildcard = (host: string): boolean => host === "0.0.0.0" || host === "::";
export const isLoopback = (host: string): boolean => host.startsWith("127.") || host === "::1";
/** IPv6 addresses stand in brackets there. */
export const inUrl = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/** One of the addresses that is listened on, and that endpoints may name. */
export const servedAddress = (addresses: readonly string[]): string | undefined =>
  addresses.some(isWildcard) ? ownAddress() : addresses.find((address) => !isLoopback(address));

/** An address of this machine for endpoints to name, if there is one and the port is free there. */
export async function spareAddress(port: number): Promise<string | undefined> {
  const address = ownAddress();
  try {
    if (address !== undefined) await claimPort(address, port);
    return address;
  } catch {
    // Endpoints can do without: a placeholder stands there then.
    return undefined;
  }
}

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The first IPv4 address that is neither loopback nor link-local; undefined on a machine without a network. */
export function ownAddress(interfaces: Interfaces = networkInterfaces()): string | undefined {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal, address }) => family === "IPv4" && !internal && !address.startsWith("169.254."))?.address;
}
