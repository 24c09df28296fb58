/** `text.format([values])`: the clauses %s, %d, %f, %e, %b, %x, %X and %o. */
import { quote } from "../../validation/problems.ts";
import { CelList, CelMap, Duration, EvalError, Timestamp, TypeValue, typeName, Uint } from "../values.ts";
import { goFloat } from "./floats.ts";
import { formatDuration, formatTimestamp } from "./time.ts";

const defaultPrecision = 6;
/** No double has more digits that say something to a reader; JavaScript shows no more. */
const maxPrecision = 100;

/** A format cannot be read, or a clause cannot show a value; the message is CEL's. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** What each clause shows, by the names of types; and what is said where it cannot. */
const clauses: Readonly<Record<string, readonly [types: readonly string[], problem: string]>> = {
  s: [
    [
      "string",
      "bool",
      "bytes",
      "int",
      "uint",
      "double",
      "map",
      "list",
      "type",
      "google.protobuf.Duration",
      "google.protobuf.Timestamp",
      "null_type",
    ],
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  ],
  d: [["int", "uint"], "decimal clause can only be used on integers"],
  f: [["double", "string"], "fixed-point clause can only be used on doubles"],
  e: [["double", "string"], "scientific clause can only be used on doubles"],
  b: [["int", "uint", "bool"], "only integers and bools can be formatted as binary"],
  x: [["int", "uint", "string", "bytes"], "only integers, byte buffers, and strings can be formatted as hex"],
  X: [["int", "uint", "string", "bytes"], "only integers, byte buffers, and strings can be formatted as hex"],
  o: [["int", "uint"], "octal clause can only be used on integers"],
};

/** What is wrong with showing a type by a clause; undefined: nothing. */
export function clauseProblem(verb: string, type: string): string | undefined {
  const [allowed, problem] = clauses[verb] ?? [];
  if (allowed === undefined) return `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`;
  return allowed.includes(type) ? undefined : `error during formatting: ${problem}, was given ${type}`;
}

const refuse = (verb: string, value: unknown): never => {
  throw new FormatError(`error during formatting: ${clauses[verb]?.[1]}, was given ${typeName(value)}`);
};

/** The clauses of a format in order; @throws {FormatError} */
export function clausesOf(text: string): readonly string[] {
  const verbs: string[] = [];
  eachClause(text, (verb) => {
    verbs.push(verb);
    return "";
  });
  return verbs;
}

export function format(text: string, values: CelList): unknown {
  try {
    return filled(text, values);
  } catch (error) {
    if (error instanceof FormatError) return new EvalError(error.message);
    throw error;
  }
}

function filled(text: string, values: CelList): string {
  let next = 0;
  return eachClause(text, (verb, precision) => {
    if (next >= values.size) throw new FormatError(`index ${next} out of range`);
    return show(verb, precision, values.at(next++));
  });
}

/** The text with every clause replaced. @throws {FormatError} */
function eachClause(text: string, replace: (verb: string, precision: number | undefined) => string): string {
  return text.replaceAll(/%(?:%|(?:\.([0-9]*))?(.?))/gsu, (clause, digits: string | undefined, verb: string | undefined) => {
    if (clause === "%%") return "%";
    if (!verb) throw new FormatError("unexpected end of string");
    if (clauses[verb] === undefined) {
      throw new FormatError(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`);
    }
    if (Number(digits) > maxPrecision)
      throw new FormatError(`could not parse formatting clause: precision ${digits} is more than ${maxPrecision}`);
    return replace(verb, digits === undefined ? undefined : Number(digits));
  });
}

function show(verb: string, precision: number | undefined, value: unknown): string {
  switch (verb) {
    case "s":
      return showText(value);
    case "d":
      return isInteger(value) ? String(integer(value)) : refuse(verb, value);
    case "f":
      return fixed(value, precision ?? defaultPrecision);
    case "e":
      return scientific(value, precision ?? defaultPrecision);
    case "b":
      if (typeof value === "boolean") return value ? "1" : "0";
      return isInteger(value) ? integer(value).toString(2) : refuse(verb, value);
    case "x":
    case "X":
      return hexadecimal(value, verb === "X");
    case "o":
      return isInteger(value) ? integer(value).toString(8) : refuse(verb, value);
    default:
      throw new FormatError(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`);
  }
}

const isInteger = (value: unknown): value is bigint | Uint => typeof value === "bigint" || value instanceof Uint;
const integer = (value: bigint | Uint): bigint => (value instanceof Uint ? value.value : value);

const words: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity };

/** A double; three words stand for doubles that cannot be written. */
function double(value: unknown, verb: string): number {
  const number = typeof value === "string" ? words[value] : value;
  return typeof number === "number" ? number : refuse(verb, value);
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** As the English locale writes powers of ten: `3.14×10⁰⁰`. */
function scientific(value: unknown, precision: number): string {
  const number = double(value, "e");
  if (!Number.isFinite(number)) return infinite(number);
  const [mantissa = "", exponent = "0"] = number.toExponential(precision).split("e");
  const power = Number(exponent);
  const digits = String(Math.abs(power)).padStart(2, "0");
  return `${mantissa}×10${power < 0 ? "⁻" : ""}${Array.from(digits)
    .map((digit) => superscripts[Number(digit)])
    .join("")}`;
}

const infinite = (value: number): string => (Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞");

function fixed(given: unknown, precision: number): string {
  const value = double(given, "f");
  if (!Number.isFinite(value)) return infinite(value);
  const [whole = "", fraction] = decimal(value, precision).split(".");
  // Groups of three, as the English locale writes them.
  const grouped = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** All digits, however large: JavaScript's own changes to an exponent at 1e21, where there is no fraction any more. */
function decimal(value: number, precision: number): string {
  if (Math.abs(value) < 1e21) return value.toFixed(precision);
  return precision === 0 ? String(BigInt(value)) : `${BigInt(value)}.${"0".repeat(precision)}`;
}

function hexadecimal(value: unknown, upper: boolean): string {
  const text = isInteger(value)
    ? integer(value).toString(16)
    : typeof value === "string" || value instanceof Uint8Array
      ? Buffer.from(value as string).toString("hex")
      : refuse("x", value);
  return upper ? text.toUpperCase() : text;
}

/** `%s` of any value. */
function showText(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === "number") return goFloat(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof CelList) return `[${[...value].map(element).join(", ")}]`;
  if (value instanceof CelMap) return showMap(value);
  if (typeof value === "boolean" || isInteger(value)) return String(typeof value === "boolean" ? value : integer(value));
  if (value instanceof TypeValue) return value.name;
  return refuse("s", value);
}

/** Inside of lists and maps values look as in CEL's own source. */
function element(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value instanceof Uint8Array) return `b${quote(Buffer.from(value).toString())}`;
  if (typeof value === "number") return Number.isFinite(value) ? decimal(value, defaultPrecision) : quote(goFloat(value));
  if (value instanceof Timestamp) return `timestamp(${quote(formatTimestamp(value))})`;
  if (value instanceof Duration) return `duration(${quote(formatDuration(value))})`;
  return showText(value);
}

function showMap(map: CelMap): string {
  const entries = [...map.keys()].map((key) => [element(key), element(map.get(key))] as const);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}:${value}`)
    .join(", ")}}`;
}
