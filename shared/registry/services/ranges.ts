/** Ranges that Services' addresses come from, and how one is picked. */
import type { KindRef } from "../../api/client.ts";
import type { ServiceCIDR } from "../../api/generated/types.ts";
import { parseAddress, parseNetwork } from "../../api/validation/addresses.ts";
import type { Family } from "./families.ts";

/** Where a cluster's addresses come from unless it says otherwise: kubeadm's default. */
export const defaultServiceRange = "10.96.0.0/12";

export const serviceCidrs: KindRef<ServiceCIDR> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  namespaced: false,
};

export interface Range {
  readonly text: string;
  readonly family: Family;
  /** The network's own address. */
  readonly start: bigint;
  readonly size: bigint;
}

/** Undefined for what is no network. */
export function parseRange(text: string): Range | undefined {
  const network = parseNetwork(text);
  if (network === undefined) return undefined;
  const width = network.family === 4 ? 32 : 128;
  const size = 1n << BigInt(width - network.prefix);
  const start = toNumber(network.address.bytes);
  return { text, family: network.family === 4 ? "IPv4" : "IPv6", start: start - (start % size), size };
}

const toNumber = (bytes: readonly number[]): bigint => bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

/** An address at an offset into a range, as it is written. */
export function addressAt({ start, family }: Range, offset: bigint): string {
  const value = start + offset;
  if (family === "IPv4") return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  return parseAddress(groups.join(":"))?.canonical ?? groups.join(":");
}

/** Whether an address lies in a range, its first and last ones excepted: those are no host's. */
export function contains(range: Range, address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined || `IPv${parsed.family}` !== range.family) return false;
  const offset = toNumber(parsed.bytes) - range.start;
  return offset > 0n && offset < range.size - (range.family === "IPv4" ? 1n : 0n);
}

/** The API's own Service has the first address of a range. */
export const firstAddress = (range: Range): string => addressAt(range, 1n);

/**
 * A free address. The lower part of a range is left to those who ask for an address, while the upper one lasts.
 * @param random in [0, 1)
 */
export function pickAddress(range: Range, isTaken: (address: string) => boolean, random: () => number): string | undefined {
  const { size, family } = range;
  const end = size - (family === "IPv4" ? 1n : 0n);
  const sixteenth = size / 16n;
  const smallest = sixteenth < 16n ? 16n : sixteenth;
  const reserved = smallest > 256n ? 256n : smallest;
  const split = reserved + 1n < end ? reserved : 2n;
  return pickBetween(range, split, end, isTaken, random) ?? pickBetween(range, 2n, split, isTaken, random);
}

/** How far a search goes in ranges that are too large to look through. */
const longestSearch = 1n << 20n;

function pickBetween(
  range: Range,
  from: bigint,
  to: bigint,
  isTaken: (address: string) => boolean,
  random: () => number,
): string | undefined {
  const count = to - from;
  if (count <= 0n) return undefined;
  const start = BigInt(Math.floor(random() * Number(count < longestSearch ? count : longestSearch)));
  for (let step = 0n; step < count && step < longestSearch; step += 1n) {
    const address = addressAt(range, from + ((start + step) % count));
    if (!isTaken(address)) return address;
  }
  return undefined;
}
