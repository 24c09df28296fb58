/** Kubernetes' own functions: regular expressions, quantities, semantic versions, named formats. */

import { add, compare as compareQuantities, parseQuantity, type Quantity, QuantityError, subtract } from "../../quantity.ts";
import { findAllPattern, findPattern, PatternError } from "../../re2.ts";
import { type Declaration, fn, method } from "../functions.ts";
import { ArrayList, CelObject, EvalError, none, Optional } from "../values.ts";
import { formatNames, formatProblems } from "./formats.ts";
import { compareVersions, parseVersion, type Version, VersionError } from "./semver.ts";

/** Runs what may meet a pattern that is none. */
function withPattern(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof PatternError) return new EvalError(`Illegal regex: ${error.message}`);
    throw error;
  }
}

const findAll = (text: string, pattern: string, most = -1n): unknown =>
  withPattern(() => new ArrayList(findAllPattern(pattern, text, Number(most))));

const regex: readonly Declaration[] = [
  method("find", "string_find_string", "(string, string) string", (text: string, pattern: string) =>
    withPattern(() => findPattern(pattern, text) ?? ""),
  ),
  method("findAll", "string_find_all_string", "(string, string) list<string>", (text: string, pattern: string) => findAll(text, pattern)),
  method("findAll", "string_find_all_string_int", "(string, string, int) list<string>", findAll),
];

class QuantityValue extends CelObject {
  readonly typeName = "kubernetes.Quantity";
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: CelObject): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }
}

function quantity(text: string): QuantityValue | EvalError {
  try {
    return new QuantityValue(parseQuantity(text));
  } catch (error) {
    if (error instanceof QuantityError) return new EvalError(error.message);
    throw error;
  }
}

/** Undefined where the quantity is no int. */
function wholeOf({ quantity: { unscaled, exponent } }: QuantityValue): bigint | undefined {
  const divisor = 10n ** BigInt(Math.max(-exponent, 0));
  if (unscaled % divisor !== 0n) return undefined;
  const whole = exponent >= 0 ? unscaled * 10n ** BigInt(exponent) : unscaled / divisor;
  return whole > 2n ** 63n - 1n || whole < -(2n ** 63n) ? undefined : whole;
}

const ofInt = (value: bigint): Quantity => ({ unscaled: value, exponent: 0, format: "DecimalExponent" });
const order = (a: QuantityValue, b: QuantityValue): number => compareQuantities(a.quantity, b.quantity);
const sign = (value: bigint): bigint => (value > 0n ? 1n : value < 0n ? -1n : 0n);

const quantities: readonly Declaration[] = [
  fn("quantity", "string_to_quantity", "(string) kubernetes.Quantity", quantity),
  fn("isQuantity", "is_quantity_string", "(string) bool", (text: string) => quantity(text) instanceof QuantityValue),
  fn("sign", "quantity_sign", "(kubernetes.Quantity) int", (value: QuantityValue) => sign(value.quantity.unscaled)),
  method(
    "isGreaterThan",
    "quantity_is_greater_than",
    "(kubernetes.Quantity, kubernetes.Quantity) bool",
    (a: QuantityValue, b: QuantityValue) => order(a, b) > 0,
  ),
  method(
    "isLessThan",
    "quantity_is_less_than",
    "(kubernetes.Quantity, kubernetes.Quantity) bool",
    (a: QuantityValue, b: QuantityValue) => order(a, b) < 0,
  ),
  method("compareTo", "quantity_compare_to", "(kubernetes.Quantity, kubernetes.Quantity) int", (a: QuantityValue, b: QuantityValue) =>
    BigInt(Math.sign(order(a, b))),
  ),
  method(
    "asApproximateFloat",
    "quantity_get_float",
    "(kubernetes.Quantity) double",
    ({ quantity: { unscaled, exponent } }: QuantityValue) => Number(`${unscaled}e${exponent}`),
  ),
  method(
    "asInteger",
    "quantity_get_int",
    "(kubernetes.Quantity) int",
    (value: QuantityValue) => wholeOf(value) ?? new EvalError("cannot convert value to integer"),
  ),
  method("isInteger", "quantity_is_integer", "(kubernetes.Quantity) bool", (value: QuantityValue) => wholeOf(value) !== undefined),
  method(
    "add",
    "quantity_add",
    "(kubernetes.Quantity, kubernetes.Quantity) kubernetes.Quantity",
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(add(a.quantity, b.quantity)),
  ),
  method(
    "add",
    "quantity_add_int",
    "(kubernetes.Quantity, int) kubernetes.Quantity",
    (a: QuantityValue, b: bigint) => new QuantityValue(add(a.quantity, ofInt(b))),
  ),
  method(
    "sub",
    "quantity_sub",
    "(kubernetes.Quantity, kubernetes.Quantity) kubernetes.Quantity",
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtract(a.quantity, b.quantity)),
  ),
  method(
    "sub",
    "quantity_sub_int",
    "(kubernetes.Quantity, int) kubernetes.Quantity",
    (a: QuantityValue, b: bigint) => new QuantityValue(subtract(a.quantity, ofInt(b))),
  ),
];

class SemverValue extends CelObject {
  readonly typeName = "kubernetes.Semver";
  readonly version: Version;

  constructor(version: Version) {
    super();
    this.version = version;
  }

  equals(other: CelObject): boolean {
    return other instanceof SemverValue && compareVersions(this.version, other.version) === 0;
  }
}

function semver(text: string, normalize = false): SemverValue | EvalError {
  try {
    return new SemverValue(parseVersion(text, normalize));
  } catch (error) {
    if (error instanceof VersionError) return new EvalError(error.message);
    throw error;
  }
}

const isSemver = (text: string, normalize = false): boolean => semver(text, normalize) instanceof SemverValue;
const versionOrder = (a: SemverValue, b: SemverValue): number => compareVersions(a.version, b.version);

const versions: readonly Declaration[] = [
  fn("semver", "string_to_semver", "(string) kubernetes.Semver", (text: string) => semver(text)),
  fn("semver", "string_bool_to_semver", "(string, bool) kubernetes.Semver", semver),
  fn("isSemver", "is_semver_string", "(string) bool", (text: string) => isSemver(text)),
  fn("isSemver", "is_semver_string_bool", "(string, bool) bool", isSemver),
  method(
    "isGreaterThan",
    "semver_is_greater_than",
    "(kubernetes.Semver, kubernetes.Semver) bool",
    (a: SemverValue, b: SemverValue) => versionOrder(a, b) > 0,
  ),
  method(
    "isLessThan",
    "semver_is_less_than",
    "(kubernetes.Semver, kubernetes.Semver) bool",
    (a: SemverValue, b: SemverValue) => versionOrder(a, b) < 0,
  ),
  method("compareTo", "semver_compare_to", "(kubernetes.Semver, kubernetes.Semver) int", (a: SemverValue, b: SemverValue) =>
    BigInt(versionOrder(a, b)),
  ),
  ...(["major", "minor", "patch"] as const).map((part) =>
    method(part, `semver_${part}`, "(kubernetes.Semver) int", ({ version }: SemverValue) => version[part]),
  ),
];

export class FormatValue extends CelObject {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  equals(other: CelObject): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const formats: readonly Declaration[] = [
  ...formatNames.map((name) => fn(`format.${name}`, `format.${name}`, "() kubernetes.NamedFormat", () => new FormatValue(name))),
  fn("format.named", "format-named", "(string) optional<kubernetes.NamedFormat>", (name: string) =>
    formatNames.includes(name) ? new Optional(new FormatValue(name)) : none,
  ),
  method(
    "validate",
    "format-validate",
    "(kubernetes.NamedFormat, string) optional<list<string>>",
    ({ name }: FormatValue, text: string) => {
      const problems = formatProblems(name, text);
      return problems.length === 0 ? none : new Optional(new ArrayList(problems));
    },
  ),
];

export const kubernetes: readonly Declaration[] = [...regex, ...quantities, ...versions, ...formats];
