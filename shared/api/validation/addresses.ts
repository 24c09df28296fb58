/** IP addresses and networks as Kubernetes reads and refuses them. */
import { isIPv4, isIPv6 } from "node:net";
import type { Problem } from "../kind.ts";
import { invalid, quote } from "./problems.ts";

export interface Address {
  readonly family: 4 | 6;
  /** As it should be written (RFC 5952). */
  readonly canonical: string;
  readonly bytes: readonly number[];
  /** Written with leading zeros: which number that is depends on who reads it. */
  readonly hasLeadingZeros: boolean;
  /** `::ffff:10.0.0.1` */
  readonly isMapped: boolean;
}

/** Undefined when the text is no address at all. */
export function parseAddress(text: string): Address | undefined {
  const plain = /^[0-9]+(\.[0-9]+){3}$/.test(text) ? withoutLeadingZeros(text) : text;
  if (isIPv4(plain)) {
    return { family: 4, canonical: plain, bytes: plain.split(".").map(Number), hasLeadingZeros: plain !== text, isMapped: false };
  }
  const embedded = /^(.*:)([0-9]+(?:\.[0-9]+){3})$/.exec(text);
  const six = embedded ? `${embedded[1]}${withoutLeadingZeros(embedded[2] ?? "")}` : text;
  if (!isIPv6(six) || six.includes("%")) return undefined;
  const bytes = sixBytes(six);
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  const canonical = isMapped ? bytes.slice(12).join(".") : new URL(`http://[${six}]`).hostname.slice(1, -1);
  return { family: isMapped ? 4 : 6, canonical, bytes: isMapped ? bytes.slice(12) : bytes, hasLeadingZeros: six !== text, isMapped };
}

const withoutLeadingZeros = (text: string): string =>
  text
    .split(".")
    .map((part) => part.replace(/^0+(?=[0-9])/, ""))
    .join(".");

const groups = (part: string) => (part === "" ? [] : part.split(":"));

function sixBytes(text: string): number[] {
  const full = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = "", tail] = full.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

export interface Network {
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly address: Address;
  /** The network's own address and prefix, as it should be written. */
  readonly canonical: string;
  readonly hasHostBits: boolean;
  readonly hasLeadingZeros: boolean;
}

export function parseNetwork(text: string | undefined = ""): Network | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^[0-9]+$/.test(digits)) return undefined;
  const width = text.slice(0, slash).includes(":") ? 128 : 32;
  const written = Number(digits);
  if (written > width) return undefined;
  const prefix = address.isMapped ? Math.max(written - 96, 0) : written;
  const network = maskBytes(address.bytes, prefix);
  return {
    family: address.family,
    prefix,
    address,
    canonical: `${formatBytes(network)}/${prefix}`,
    hasHostBits: network.some((byte, index) => byte !== address.bytes[index]),
    hasLeadingZeros: address.hasLeadingZeros || /^0[0-9]/.test(digits),
  };
}

const maskBytes = (bytes: readonly number[], prefix: number): number[] =>
  bytes.map((byte, index) => byte & (0xff << Math.min(Math.max(8 - (prefix - index * 8), 0), 8)) & 0xff);

function formatBytes(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/**
 * @param canonical the address must also be written the one right way (newer fields)
 * @param tolerated values that were there before and may stay, however odd
 */
export function validateIp(
  value: string,
  field: string,
  options: { readonly canonical?: boolean; readonly tolerated?: readonly string[] } = {},
): Problem[] {
  if (options.tolerated?.includes(value)) return [];
  const address = parseAddress(value);
  if (!address) return [invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
  if (address.hasLeadingZeros) return [invalid(field, value, "must not have leading 0s")];
  if (address.isMapped) return [invalid(field, value, "must not be an IPv4-mapped IPv6 address")];
  return options.canonical && value !== address.canonical
    ? [invalid(field, value, `must be in canonical form (${quote(address.canonical)})`)]
    : [];
}

export function validateCidr(
  value: string,
  field: string,
  options: { readonly canonical?: boolean; readonly tolerated?: readonly string[] } = {},
): Problem[] {
  if (options.tolerated?.includes(value)) return [];
  const network = parseNetwork(value);
  if (!network) return [invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
  if (network.hasLeadingZeros) return [invalid(field, value, "must not have leading 0s in IP or prefix length")];
  if (network.address.isMapped) return [invalid(field, value, "must not have an IPv4-mapped IPv6 address")];
  if (network.hasHostBits) return [invalid(field, value, "must not have bits set beyond the prefix length")];
  return options.canonical && value !== network.canonical
    ? [invalid(field, value, `must be in canonical form (${quote(network.canonical)})`)]
    : [];
}

/** Warnings about an address that is accepted but should be written differently. */
export function addressWarnings(value: string, field: string): string[] {
  const address = parseAddress(value);
  if (!address) return [];
  if (address.hasLeadingZeros || address.isMapped) {
    return [`${field}: non-standard IP address ${quote(value)} is invalid: use ${quote(address.canonical)}`];
  }
  return address.family === 6 && address.canonical !== value
    ? [`${field}: IPv6 address ${quote(value)} should be in RFC 5952 canonical format (${quote(address.canonical)})`]
    : [];
}

/** Warnings about a network that is accepted but should be written differently. */
export function networkWarnings(value: string, field: string): string[] {
  const network = parseNetwork(value);
  if (!network) return [];
  const { address, canonical, family } = network;
  const warnings: string[] = [];
  if (network.hasHostBits) {
    const single = `${address.canonical}/${family === 4 ? 32 : 128}`;
    warnings.push(`${field}: CIDR value ${quote(value)} is ambiguous in this context (should be ${quote(canonical)} or ${quote(single)}?)`);
  }
  if (network.hasLeadingZeros || address.isMapped) {
    warnings.push(`${field}: non-standard CIDR value ${quote(value)} is invalid: use ${quote(canonical)}`);
  }
  if (warnings.length === 0 && family === 6 && canonical !== value) {
    warnings.push(`${field}: IPv6 CIDR value ${quote(value)} should be in RFC 5952 canonical format (${quote(canonical)})`);
  }
  return warnings;
}

/** At most one address of each family. */
export const isDualStackPair = (addresses: readonly string[]): boolean =>
  addresses.length === 2 && parseAddress(addresses[0] ?? "")?.family !== parseAddress(addresses[1] ?? "")?.family;
