/** String formats that a schema may ask for (`format: date-time`). @see k8s.io/kube-openapi/pkg/validation/strfmt */
import { isIPv4, isIPv6 } from "node:net";
import { parseMoment, TimeError } from "./time.ts";
import { checkRequestUri, UrlError } from "./urls.ts";

const hexadecimal = (pattern: string): RegExp => new RegExp(`^${pattern}$`, "i");
const uuid = hexadecimal("[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}");
const uuid3 = hexadecimal("[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}");
const randomUuid = (version: number) => hexadecimal(`[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}`);
const uuid4 = randomUuid(4);
const uuid5 = randomUuid(5);
const clock = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})$/;
const card =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$/;
const rgb =
  /^rgb\(\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$/;
const mac =
  /^(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){2}|(?::[0-9a-f]{2}){14})?|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}(?:(?:-[0-9a-f]{2}){2}|(?:-[0-9a-f]{2}){14})?|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}(?:\.[0-9a-f]{4}|(?:\.[0-9a-f]{4}){7})?)$/i;

function isDate(text: string): boolean {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  if (!match) return false;
  const [, year = 0, month = 0, day = 0] = match.map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isDateTime(text: string): boolean {
  const [date = "", time = ""] = text.toLowerCase().split("t");
  const match = clock.exec(time);
  return isDate(date) && match !== null && (match[1] ?? "") <= "23" && (match[2] ?? "") <= "59" && (match[3] ?? "") <= "59";
}

const goPart = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h)/y;
const wordUnits: readonly (readonly [nanos: bigint, names: readonly string[]])[] = [
  [1n, ["ns", "nano"]],
  [1000n, ["us", "µs", "micro"]],
  [1_000_000n, ["ms", "milli"]],
  [1_000_000_000n, ["s", "sec"]],
  [60_000_000_000n, ["m", "min"]],
  [3_600_000_000_000n, ["h", "hr", "hour"]],
  [86_400_000_000_000n, ["d", "day"]],
  [604_800_000_000_000n, ["w", "wk", "week"]],
];

function isGoDuration(text: string): boolean {
  const rest = text.replace(/^[+-]/, "");
  if (rest === "0") return true;
  goPart.lastIndex = 0;
  while (goPart.lastIndex < rest.length) if (!goPart.test(rest)) return false;
  return rest !== "";
}

/** Nanoseconds of a duration in words (`2 hours`, `3 days 4 min`); undefined where there is none. */
export function wordDuration(text: string): bigint | undefined {
  let total: bigint | undefined;
  for (const [, count = "0", word = ""] of text.matchAll(/([0-9]+)\s*([A-Za-zµ]+)/g)) {
    const unit = word.toLowerCase();
    for (const [nanos, names] of wordUnits) {
      // The last name of a unit may go on: `hours`, `seconds`.
      const hits = names.filter((name, index) => name === unit || (index === names.length - 1 && unit.startsWith(name))).length;
      if (hits > 0) total = (total ?? 0n) + BigInt(count) * nanos * BigInt(hits);
    }
  }
  return total;
}

const hostPattern =
  /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u;
const isHostname = (text: string): boolean =>
  Buffer.byteLength(text) <= 255 && hostPattern.test(text) && text.split(".").every((label) => Buffer.byteLength(label) <= 63);

/** Go's sloppy reading of addresses lets numbers begin with zeros. */
const withoutZeros = (text: string): string => text.replaceAll(/(^|[.:])0+(?=[0-9]+(?:\.|$))/g, "$1");
const isAddress4 = (text: string): boolean => isIPv4(withoutZeros(text)) || (text.includes(".") && isIPv6(withoutZeros(text)));

function isCidr(text: string): boolean {
  const [, address = "", bits = ""] = /^(.+)\/([0-9]{1,3})$/.exec(text) ?? [];
  if (address === "") return false;
  if (isIPv4(withoutZeros(address))) return Number(bits) <= 32;
  return isIPv6(withoutZeros(address)) && !address.includes("%") && Number(bits) <= 128;
}

function isUri(text: string): boolean {
  try {
    checkRequestUri(text);
    return true;
  } catch (error) {
    if (error instanceof UrlError) return false;
    throw error;
  }
}

/** The sum of digits, each weighed by its place, has to be divisible. */
function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  return Array.from(digits).reduce((sum, digit, index) => sum + (digit === "X" ? 10 : Number(digit)) * (index + 1), 0) % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  return Array.from(digits).reduce((sum, digit, index) => sum + Number(digit) * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

/** Luhn's check. */
function isCard(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]+/g, "");
  if (!card.test(digits)) return false;
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\u{10ffff}-]+";
const address = `(?:${atom}(?:\\.${atom})*|"(?:[^"\\\\]|\\\\.)*")@(?:${atom}(?:\\.${atom})*|\\[[^\\[\\]]*\\])`;
const bareEmail = new RegExp(`^\\s*${address}\\s*$`, "u");
const namedEmail = new RegExp(`^[^<>]*<\\s*${address}\\s*>\\s*$`, "u");

const segment = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const shortName = new RegExp(`^${segment}$`);
const longName = new RegExp(`^${segment}(?:\\.${segment})*$`);
const anything = (): boolean => true;

const checks: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text),
  cidr: isCidr,
  creditcard: isCard,
  date: isDate,
  datetime: isDateTime,
  duration: (text) => isGoDuration(text) || wordDuration(text) !== undefined,
  email: (text) => bareEmail.test(text) || namedEmail.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  hostname: isHostname,
  ipv4: isAddress4,
  ipv6: (text) => isIPv6(text) && !text.includes("%"),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  k8slongname: (text) => text.length <= 253 && longName.test(text),
  k8sshortname: (text) => text.length <= 63 && shortName.test(text),
  mac: (text) => mac.test(text),
  password: anything,
  rgbcolor: (text) => rgb.test(text),
  ssn: (text) => /^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$/.test(text),
  uri: isUri,
  uuid: (text) => uuid.test(text),
  uuid3: (text) => uuid3.test(text),
  uuid4: (text) => uuid4.test(text),
  uuid5: (text) => uuid5.test(text),
};

/** Dashes do not count: `date-time` is `datetime`. */
const checkOf = (format: string) => checks[format.replaceAll("-", "")];

/** Whether a schema's format says anything of values of its type. @param type undefined where it is none, or one of several */
export function isRecognizedFormat(format: string, type: string | undefined): boolean {
  if (type === "integer") return format === "int32" || format === "int64";
  if (type === "number") return format === "float" || format === "double";
  return (type === undefined || type === "" || type === "string") && checkOf(format) !== undefined;
}

/** Unknown formats say nothing. */
export const hasFormat = (text: string, format: string): boolean => checkOf(format)?.(text) ?? true;

/**
 * Nanoseconds since the epoch of a text in the format `date-time`; a time without zone is in UTC.
 * @throws {TimeError}
 */
export function dateTimeNanos(text: string): bigint {
  const read = (what: string): bigint => {
    const { seconds, nanos } = parseMoment(what);
    return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
  };
  if (text === "") return 0n;
  try {
    return read(text);
  } catch (error) {
    if (error instanceof TimeError && /T[0-9:.]+$/.test(text)) return read(`${text}Z`);
    throw error;
  }
}
