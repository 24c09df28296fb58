/**
 * Resource quantities (`500m`, `1.5Gi`, `12e6`), exact: a value is an integer times a power of ten.
 *
 * @see k8s.io/apimachinery/pkg/api/resource for the rules of parsing and of the canonical form, kept here to the letter
 */

import { remembering } from "./memo.ts";

export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** `unscaled × 10^exponent`. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The text it was parsed from, where that is kept instead of the canonical form. */
  readonly text?: string;
}

/** The text is no quantity; the message is what a Kubernetes API server answers. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const maxInt64 = 2n ** 63n - 1n;
const zero: Quantity = { unscaled: 0n, exponent: 0, format: "DecimalSI" };

const pow10 = (exponent: number): bigint => 10n ** BigInt(exponent);

/** Read again and again for every object of a kind, and there are few different ones. */
const maxRemembered = 4096;
const longestRemembered = 64;
const parsed = remembering(parse, maxRemembered, longestRemembered);
const canonicalText = remembering((text) => formatQuantity(parseQuantity(text)), maxRemembered, longestRemembered);

/** @throws {QuantityError} */
export function parseQuantity(input: string | number): Quantity {
  const source = String(input);
  return source === "0" ? zero : parsed(source);
}

function parse(source: string): Quantity {
  const match = /^([+-]?)(0*)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(source);
  if (!match || source === "") throw new QuantityError(formatWrong);
  const [, sign = "", zeros = "", integer = "", fraction = "", suffix = ""] = match;
  const { base, power, format } = interpretSuffix(suffix);
  const digits = (integer === "" ? "0" : integer) + fraction;
  let unscaled = BigInt(digits);
  let exponent = -fraction.length;
  if (base === 2) unscaled *= 2n ** BigInt(power);
  else exponent += power;
  const keepText = isKeptAsWritten(digits, fraction, integer, base, power, exponent, unscaled);

  let result = format;
  if (!fitsInt64Path(base, power, integer, fraction, exponent, unscaled)) {
    if (zeros + integer + fraction === "") throw new QuantityError("unable to parse numeric part of quantity");
    ({ unscaled, exponent } = roundUpToNano(unscaled, exponent));
    if (format === "BinarySI") {
      if (compareParts(unscaled, exponent, maxInt64, 0) > 0) [unscaled, exponent] = [maxInt64, 0];
      if (unscaled > 0n && compareParts(unscaled, exponent, 1n, 0) < 0) result = "DecimalSI";
    }
  }
  return { unscaled: sign === "-" ? -unscaled : unscaled, exponent, format: result, ...(keepText && { text: source }) };
}

function interpretSuffix(suffix: string): { base: 2 | 10; power: number; format: QuantityFormat } {
  const decimal = decimalExponents[suffix];
  if (decimal !== undefined) return { base: 10, power: decimal, format: "DecimalSI" };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { base: 2, power: binary * 10, format: "BinarySI" };
  if (/^[eE][-+]?\d+$/.test(suffix)) {
    const power = Number(suffix.slice(1));
    // More digits than any quantity has; unbounded, it would be a cheap way to make the server compute for hours.
    if (Math.abs(power) <= 1000) return { base: 10, power, format: "DecimalExponent" };
  }
  throw new QuantityError("unable to parse quantity's suffix");
}

/** Whether Go holds the value as an int64 with a scale; larger or finer ones take the big-decimal path with its rounding. */
function fitsInt64Path(base: 2 | 10, power: number, integer: string, fraction: string, exponent: number, unscaled: bigint): boolean {
  const length = Math.max(integer.length, 1);
  const precision = base === 10 ? 18 - (length + fraction.length) : fraction === "" ? 15 - length - Math.trunc((power * 3) / 10) - 1 : -1;
  return precision >= 0 && exponent >= -9 && unscaled <= maxInt64;
}

/** Go reuses the text of some values although their canonical form differs (`1.500`). */
function isKeptAsWritten(
  digits: string,
  fraction: string,
  integer: string,
  base: 2 | 10,
  power: number,
  exponent: number,
  unscaled: bigint,
): boolean {
  if (!fitsInt64Path(base, power, integer, fraction, exponent, unscaled)) return false;
  if (base === 2) return BigInt(digits) % 8n !== 0n;
  return exponent % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

/** Whoever asks for some resource gets some: what is finer than a nano rounds away from zero. */
function roundUpToNano(unscaled: bigint, exponent: number): { unscaled: bigint; exponent: number } {
  if (exponent >= -9 || unscaled === 0n) return { unscaled, exponent };
  const divisor = pow10(-9 - exponent);
  return { unscaled: unscaled / divisor + (unscaled % divisor === 0n ? 0n : 1n), exponent: -9 };
}

function align(a: Quantity, b: Quantity): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.unscaled * pow10(a.exponent - exponent), b.unscaled * pow10(b.exponent - exponent), exponent];
}

const compareParts = (a: bigint, aExponent: number, b: bigint, bExponent: number): number => {
  const exponent = Math.min(aExponent, bExponent);
  const left = a * pow10(aExponent - exponent);
  const right = b * pow10(bExponent - exponent);
  return left < right ? -1 : left > right ? 1 : 0;
};

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export const compare = (a: Quantity, b: Quantity): number => compareParts(a.unscaled, a.exponent, b.unscaled, b.exponent);

/** The sum, in the format of `a` unless that is zero. */
export function add(a: Quantity, b: Quantity): Quantity {
  const [left, right, exponent] = align(a, b);
  return { unscaled: left + right, exponent, format: a.unscaled === 0n ? b.format : a.format };
}

/** The difference, in the format of `a` unless that is zero. */
export function subtract(a: Quantity, b: Quantity): Quantity {
  const [left, right, exponent] = align(a, b);
  return { unscaled: left - right, exponent, format: a.unscaled === 0n ? b.format : a.format };
}

/** The text a Kubernetes API server writes. */
export function formatQuantity(quantity: Quantity): string {
  const { unscaled, exponent, format, text } = quantity;
  if (text !== undefined) return text;
  if (unscaled === 0n) return "0";
  const isBinary =
    format === "BinarySI" && !(compareParts(unscaled, exponent, -1024n, 0) > 0 && compareParts(unscaled, exponent, 1024n, 0) < 0);
  if (isBinary) {
    const whole = exponent >= 0 ? unscaled * pow10(exponent) : unscaled % pow10(-exponent) === 0n ? unscaled / pow10(-exponent) : undefined;
    // Rather decimal than rounded.
    if (whole !== undefined) return formatBinary(whole);
  }
  return formatDecimal(unscaled, exponent, format === "DecimalExponent" ? "DecimalExponent" : "DecimalSI");
}

function formatBinary(value: bigint): string {
  let power = 0;
  let rest = value;
  while (rest % 1024n === 0n && power < binarySuffixes.length - 1) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${binarySuffixes[power]}`;
}

function formatDecimal(unscaled: bigint, exponent: number, format: "DecimalSI" | "DecimalExponent"): string {
  let value = unscaled;
  let power = exponent;
  while (value % 10n === 0n) {
    value /= 10n;
    power++;
  }
  // The suffixes know multiples of three only.
  while (power % 3 !== 0) {
    value *= 10n;
    power--;
  }
  if (format === "DecimalExponent") return power === 0 ? String(value) : `${value}e${power}`;
  // Beyond the last suffix Go drops the exponent, and with it the value; this form parses back to what was meant.
  return `${value}${decimalSuffixes.get(power) ?? `e${power}`}`;
}

/**
 * The text a Kubernetes API server stores for this quantity: `0.5` → `500m`, `1024Mi` → `1Gi`.
 * @throws {QuantityError}
 */
export const canonicalQuantity = (input: string | number): string => canonicalText(String(input).trim());

/** Thousandths, rounded up. */
export function toMilli(input: string | number | Quantity): bigint {
  const { unscaled, exponent } = typeof input === "object" ? input : parseQuantity(input);
  return roundUp(unscaled, exponent + 3);
}

/** The integer value, rounded up. Exact up to 2^53. */
export function toNumber(input: string | number | Quantity): number {
  const { unscaled, exponent } = typeof input === "object" ? input : parseQuantity(input);
  return Number(roundUp(unscaled, exponent));
}

/** Away from zero, as Go's `Value()` and `MilliValue()` do. */
function roundUp(unscaled: bigint, exponent: number): bigint {
  if (exponent >= 0) return unscaled * pow10(exponent);
  const divisor = pow10(-exponent);
  const whole = unscaled / divisor;
  if (unscaled % divisor === 0n) return whole;
  return unscaled < 0n ? whole - 1n : whole + 1n;
}
