/** URLs as Go's `net/url` reads them, which is what Kubernetes means by a URL. */
import { isIPv6 } from "node:net";
import { quote } from "./validation/problems.ts";

/** The text is no URL; the message is Go's. */
export class UrlError extends Error {
  override readonly name = "UrlError";
}

export interface GoUrl {
  readonly scheme: string;
  /** With port; IPv6 addresses in brackets. */
  readonly host: string;
  readonly escapedPath: string;
  readonly rawQuery: string;
}

/** An absolute URI or an absolute path, without a fragment. @throws {UrlError} */
export const checkRequestUri = (text: string): void => void named(text, () => read(text, true));

/** A URL that may carry a fragment. @throws {UrlError} */
export const parseUrl = (text: string): GoUrl => named(text, () => read(text.split("#")[0] ?? "", false));

function named<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    throw new UrlError(`parse ${quote(text)}: ${error.message}`, { cause: error });
  }
}

function fail(message: string): never {
  throw new UrlError(message);
}

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text.replaceAll(/[\u0080-\u009f]/g, ""));

function read(text: string, isRequest: boolean): GoUrl {
  if (hasControl(text)) fail("net/url: invalid control character in URL");
  if (text === "" && isRequest) fail("empty url");
  const empty: GoUrl = { scheme: "", host: "", escapedPath: "", rawQuery: "" };
  if (text === "*") return { ...empty, escapedPath: "*" };
  if (text.startsWith(":")) fail("missing protocol scheme");
  const [, given = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text) ?? [];
  const scheme = given.toLowerCase();
  const [hierarchy = "", ...query] = text.slice(given === "" ? 0 : given.length + 1).split("?");
  const rawQuery = query.join("?");
  if (!hierarchy.startsWith("/")) {
    if (scheme !== "") return { ...empty, scheme, rawQuery };
    if (isRequest) fail("invalid URI for request");
    if (hierarchy.split("/")[0]?.includes(":")) fail("first path segment in URL cannot contain colon");
  }
  const hasAuthority = (scheme !== "" || (!isRequest && !hierarchy.startsWith("///"))) && hierarchy.startsWith("//");
  if (!hasAuthority) return { scheme, host: "", escapedPath: escapePath(hierarchy), rawQuery };
  const slash = hierarchy.indexOf("/", 2);
  const authority = slash < 0 ? hierarchy.slice(2) : hierarchy.slice(2, slash);
  const path = slash < 0 ? "" : hierarchy.slice(slash);
  return { scheme, host: hostOf(scheme, authority), escapedPath: escapePath(path), rawQuery };
}

function hostOf(scheme: string, authority: string): string {
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) fail("net/url: invalid userinfo");
  unescape(user, "user");
  const host = authority.slice(at + 1);
  const bracket = host.lastIndexOf("[");
  if (bracket > 0) fail("invalid IP-literal");
  if (bracket === 0) return literalOf(host);
  const colon = host.indexOf(":");
  const last = host.lastIndexOf(":");
  // A second colon is only let through where no web server would see it.
  const portAt = colon !== last && scheme !== "http" && scheme !== "https" ? last : colon;
  if (portAt >= 0) checkPort(host.slice(portAt));
  return unescape(host, "host");
}

function literalOf(host: string): string {
  const close = host.lastIndexOf("]");
  if (close < 0) fail("missing ']' in host");
  checkPort(host.slice(close + 1));
  const address = unescape(host.slice(1, close).replace("%25", "%2525"), "zone").replace("%25", "%");
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) fail(`invalid host: ParseAddr(${quote(address)}): unable to parse IP`);
  return `[${address}]${host.slice(close + 1)}`;
}

function checkPort(text: string): void {
  if (!/^(?::[0-9]*)?$/.test(text)) fail(`invalid port ${quote(text)} after host`);
}

type Part = "path" | "host" | "zone" | "user" | "query";

/** @throws {UrlError} */
function unescape(text: string, part: Part): string {
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text);
  if (wrong) fail(`invalid URL escape ${quote(wrong[0])}`);
  if (part === "host") {
    const ascii = /%(?!25)[0-7][0-9A-Fa-f]/.exec(text);
    if (ascii) fail(`invalid URL escape ${quote(ascii[0])}`);
    const odd = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u.exec(text);
    if (odd) fail(`invalid character ${quote(odd[0])} in host name`);
  }
  const plain = part === "query" ? text.replaceAll("+", " ") : text;
  if (!plain.includes("%")) return plain;
  return plain.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString());
}

/** What is written well stays as it is written. */
function escapePath(path: string): string {
  const plain = unescape(path, "path");
  if (/^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/]|%[0-9A-Fa-f]{2})*$/.test(path)) return path;
  return plain.replaceAll(/[^A-Za-z0-9\-_.~$&+,/:;=@]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

/** Host name and port of a host; brackets are taken off. */
export function splitHost(host: string): { readonly hostname: string; readonly port: string } {
  const colon = host.lastIndexOf(":");
  const hasPort = colon >= 0 && /^:[0-9]*$/.test(host.slice(colon));
  const name = hasPort ? host.slice(0, colon) : host;
  const hostname = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  return { hostname, port: hasPort ? host.slice(colon + 1) : "" };
}

/** Values by key, in the order of the query; what cannot be read is left out. */
export function parseQuery(query: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    try {
      const key = unescape(equals < 0 ? pair : pair.slice(0, equals), "query");
      const value = unescape(equals < 0 ? "" : pair.slice(equals + 1), "query");
      values.set(key, [...(values.get(key) ?? []), value]);
    } catch (error) {
      if (!(error instanceof UrlError)) throw error;
    }
  }
  return values;
}
