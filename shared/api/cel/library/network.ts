/** URLs, addresses and networks. */

import { checkRequestUri, type GoUrl, parseQuery, parseUrl, splitHost, UrlError } from "../../urls.ts";
import { type Address, type Network, parseAddress, parseNetwork } from "../../validation/addresses.ts";
import { quote } from "../../validation/problems.ts";
import { type Declaration, fn, method } from "../functions.ts";
import { ArrayList, CelObject, EntryMap, EvalError } from "../values.ts";

class UrlValue extends CelObject {
  readonly typeName = "kubernetes.URL";
  readonly text: string;
  readonly url: GoUrl;

  constructor(text: string, url: GoUrl) {
    super();
    this.text = text;
    this.url = url;
  }

  equals(other: CelObject): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
}

function url(text: string): UrlValue | EvalError {
  try {
    checkRequestUri(text);
    return new UrlValue(text, parseUrl(text));
  } catch (error) {
    if (error instanceof UrlError) return new EvalError(`URL parse error during conversion from string: ${error.message}`);
    throw error;
  }
}

const queryOf = ({ url: { rawQuery } }: UrlValue): unknown =>
  EntryMap.of([...parseQuery(rawQuery)].map(([key, values]) => [key, new ArrayList(values)] as const));

const urls: readonly Declaration[] = [
  fn("url", "string_to_url", "(string) kubernetes.URL", url),
  fn("isURL", "is_url_string", "(string) bool", (text: string) => url(text) instanceof UrlValue),
  method("getScheme", "url_get_scheme", "(kubernetes.URL) string", (value: UrlValue) => value.url.scheme),
  method("getHost", "url_get_host", "(kubernetes.URL) string", (value: UrlValue) => value.url.host),
  method("getHostname", "url_get_hostname", "(kubernetes.URL) string", (value: UrlValue) => splitHost(value.url.host).hostname),
  method("getPort", "url_get_port", "(kubernetes.URL) string", (value: UrlValue) => splitHost(value.url.host).port),
  method("getEscapedPath", "url_get_escaped_path", "(kubernetes.URL) string", (value: UrlValue) => value.url.escapedPath),
  method("getQuery", "url_get_query", "(kubernetes.URL) map<string, list<string>>", queryOf),
];

class IpValue extends CelObject {
  readonly typeName = "net.IP";
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  equals(other: CelObject): boolean {
    return other instanceof IpValue && other.address.canonical === this.address.canonical;
  }
}

/** Stricter than Kubernetes' older fields: no leading zeros, no zones, no IPv4 in IPv6's clothes. */
function ip(text: string): IpValue | EvalError {
  if (text.includes("%") && parseAddress(text.split("%")[0] ?? "")?.family === 6) {
    return new EvalError(`IP address ${quote(text)} with zone value is not allowed`);
  }
  const address = parseAddress(text);
  if (address === undefined || address.hasLeadingZeros) {
    return new EvalError(
      `IP Address ${quote(text)} parse error during conversion from string: ParseAddr(${quote(text)}): unable to parse IP`,
    );
  }
  if (address.isMapped) return new EvalError(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`);
  return new IpValue(address);
}

function isCanonical(text: string): unknown {
  const parsed = ip(text);
  return parsed instanceof EvalError ? parsed : parsed.address.canonical === text;
}

const byte = ({ bytes }: Address, index: number): number => bytes[index] ?? 0;
const isUnspecified = ({ bytes }: Address): boolean => bytes.every((one) => one === 0);
const isLoopback = (address: Address): boolean =>
  address.family === 4 ? byte(address, 0) === 127 : address.bytes.slice(0, 15).every((one) => one === 0) && byte(address, 15) === 1;
const isLinkLocalMulticast = (address: Address): boolean =>
  address.family === 4
    ? byte(address, 0) === 224 && byte(address, 1) === 0 && byte(address, 2) === 0
    : byte(address, 0) === 0xff && (byte(address, 1) & 0x0f) === 2;
const isLinkLocalUnicast = (address: Address): boolean =>
  address.family === 4
    ? byte(address, 0) === 169 && byte(address, 1) === 254
    : byte(address, 0) === 0xfe && (byte(address, 1) & 0xc0) === 0x80;
const isMulticast = (address: Address): boolean => (address.family === 4 ? (byte(address, 0) & 0xf0) === 0xe0 : byte(address, 0) === 0xff);
const isBroadcast = ({ bytes, family }: Address): boolean => family === 4 && bytes.every((one) => one === 255);
const isGlobalUnicast = (address: Address): boolean =>
  !isBroadcast(address) && !isUnspecified(address) && !isLoopback(address) && !isMulticast(address) && !isLinkLocalUnicast(address);

const question = (name: string, id: string, holds: (address: Address) => boolean): Declaration =>
  method(name, id, "(net.IP) bool", ({ address }: IpValue) => holds(address));

const addresses: readonly Declaration[] = [
  fn("ip", "string_to_ip", "(string) net.IP", ip),
  fn("isIP", "is_ip", "(string) bool", (text: string) => ip(text) instanceof IpValue),
  fn("ip.isCanonical", "ip_is_canonical", "(string) bool", isCanonical),
  fn("string", "ip_to_string", "(net.IP) string", ({ address }: IpValue) => address.canonical),
  method("family", "ip_family", "(net.IP) int", ({ address }: IpValue) => BigInt(address.family)),
  question("isUnspecified", "ip_is_unspecified", isUnspecified),
  question("isLoopback", "ip_is_loopback", isLoopback),
  question("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast),
  question("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocalUnicast),
  question("isGlobalUnicast", "ip_is_global_unicast", isGlobalUnicast),
];

class CidrValue extends CelObject {
  readonly typeName = "net.CIDR";
  readonly network: Network;

  constructor(network: Network) {
    super();
    this.network = network;
  }

  get text(): string {
    return `${this.network.address.canonical}/${this.network.prefix}`;
  }

  equals(other: CelObject): boolean {
    return other instanceof CidrValue && other.text === this.text;
  }
}

function cidr(text: string): CidrValue | EvalError {
  const network = parseNetwork(text);
  if (network === undefined || network.hasLeadingZeros) {
    return new EvalError(`network address parse error during conversion from string: netip.ParsePrefix(${quote(text)}): unable to parse`);
  }
  if (network.address.isMapped) return new EvalError(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`);
  return new CidrValue(network);
}

function covers({ family, prefix, address }: Network, other: Address): boolean {
  if (family !== other.family) return false;
  return address.bytes.every((one, index) => {
    const bits = Math.min(Math.max(prefix - index * 8, 0), 8);
    const mask = (0xff << (8 - bits)) & 0xff;
    return (one & mask) === (byte(other, index) & mask);
  });
}

const containsIp = ({ network }: CidrValue, other: IpValue): boolean => covers(network, other.address);
const containsCidr = ({ network }: CidrValue, { network: other }: CidrValue): boolean =>
  other.prefix >= network.prefix && covers(network, other.address);

/** The same with the other side as text. */
const withText =
  <T extends CelObject>(parse: (text: string) => T | EvalError, holds: (network: CidrValue, other: T) => boolean) =>
  (network: CidrValue, text: string): unknown => {
    const other = parse(text);
    return other instanceof EvalError ? other : holds(network, other);
  };

function masked({ network }: CidrValue): unknown {
  return cidr(network.canonical);
}

const networks: readonly Declaration[] = [
  fn("cidr", "string_to_cidr", "(string) net.CIDR", cidr),
  fn("isCIDR", "is_cidr", "(string) bool", (text: string) => cidr(text) instanceof CidrValue),
  fn("string", "cidr_to_string", "(net.CIDR) string", ({ text }: CidrValue) => text),
  method("containsIP", "cidr_contains_ip_string", "(net.CIDR, string) bool", withText(ip, containsIp)),
  method("containsIP", "cidr_contains_ip_ip", "(net.CIDR, net.IP) bool", containsIp),
  method("containsCIDR", "cidr_contains_cidr_string", "(net.CIDR, string) bool", withText(cidr, containsCidr)),
  method("containsCIDR", "cidr_contains_cidr", "(net.CIDR, net.CIDR) bool", containsCidr),
  method("ip", "cidr_ip", "(net.CIDR) net.IP", ({ network }: CidrValue) => new IpValue(network.address)),
  method("prefixLength", "cidr_prefix_length", "(net.CIDR) int", ({ network }: CidrValue) => BigInt(network.prefix)),
  method("masked", "cidr_masked", "(net.CIDR) net.CIDR", masked),
];

export const network: readonly Declaration[] = [...urls, ...addresses, ...networks];
