/** Semantic versions (2.0.0) as Kubernetes' library reads them. */
import { quote } from "../../validation/problems.ts";

/** The text is no version; the message is Kubernetes'. */
export class VersionError extends Error {
  override readonly name = "VersionError";
}

export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Numbers come before words. */
  readonly prerelease: readonly (bigint | string)[];
}

function fail(message: string): never {
  throw new VersionError(message);
}

/** @param normalize `v1.2` is `1.2.0` @throws {VersionError} */
export function parseVersion(given: string, normalize: boolean): Version {
  const text = normalize ? normalized(given) : given;
  if (text === "") fail("Version string empty");
  const [major, minor, ...rest] = text.split(".");
  if (major === undefined || minor === undefined || rest.length === 0) return fail("No Major.Minor.Patch elements found");
  const tail = rest.join(".");
  const plus = tail.indexOf("+");
  const build = plus < 0 ? [] : tail.slice(plus + 1).split(".");
  const numbered = plus < 0 ? tail : tail.slice(0, plus);
  const dash = numbered.indexOf("-");
  const prerelease = dash < 0 ? [] : numbered.slice(dash + 1).split(".");
  const version = {
    major: number("major", major),
    minor: number("minor", minor),
    patch: number("patch", dash < 0 ? numbered : numbered.slice(0, dash)),
    prerelease: prerelease.map(identifier),
  };
  for (const part of build) {
    if (part === "") fail("Build meta data is empty");
    if (!/^[0-9A-Za-z-]+$/.test(part)) fail(`Invalid character(s) found in build meta data ${quote(part)}`);
  }
  return version;
}

function number(name: string, text: string): bigint {
  if (!/^[0-9]*$/.test(text)) fail(`Invalid character(s) found in ${name} number ${quote(text)}`);
  if (text.length > 1 && text.startsWith("0")) {
    fail(`${name.charAt(0).toUpperCase()}${name.slice(1)} number must not contain leading zeroes ${quote(text)}`);
  }
  if (text === "") fail(`strconv.ParseUint: parsing "": invalid syntax`);
  const value = BigInt(text);
  return value < 2n ** 64n ? value : fail(`strconv.ParseUint: parsing ${quote(text)}: value out of range`);
}

function identifier(text: string): bigint | string {
  if (text === "") fail("Prerelease is empty");
  if (/^[0-9]+$/.test(text)) {
    if (text.length > 1 && text.startsWith("0")) fail(`Numeric PreRelease version must not contain leading zeroes ${quote(text)}`);
    return BigInt(text);
  }
  return /^[0-9A-Za-z-]+$/.test(text) ? text : fail(`Invalid character(s) found in prerelease ${quote(text)}`);
}

function normalized(given: string): string {
  const [first = "", second, ...rest] = given.replace(/^v/, "").split(".");
  const parts = [first, ...(second === undefined ? [] : [second]), ...(rest.length === 0 ? [] : [rest.join(".")])].map((part) => {
    if (part.length <= 1) return part;
    const trimmed = part.replace(/^0+/, "");
    return /^[0-9]/.test(trimmed) ? trimmed : `0${trimmed}`;
  });
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? "")) fail("short version cannot contain PreRelease/Build meta data");
  while (parts.length < 3) parts.push("0");
  return parts.join(".");
}

/** -1, 0 or 1. Build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const part of ["major", "minor", "patch"] as const) if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  // A release comes after its candidates.
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return Math.sign(b.prerelease.length - a.prerelease.length);
  for (const [index, left] of a.prerelease.entries()) {
    const right = b.prerelease[index];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

function compareIdentifiers(a: bigint | string, b: bigint | string): number {
  if (typeof a !== typeof b) return typeof a === "bigint" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
