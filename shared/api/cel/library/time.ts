/** Durations and timestamps: how they are written, and what can be asked of them. */

import { parseMoment, TimeError } from "../../time.ts";
import { type Declaration, method } from "../functions.ts";
import { Duration, EvalError, Timestamp } from "../values.ts";
import { goFloatPlain } from "./floats.ts";

const second = 1_000_000_000n;
const maxNanos = 2n ** 63n - 1n;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds. */
const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;

export const checkedDuration = (nanos: bigint): Duration | EvalError =>
  nanos > maxNanos || nanos < -maxNanos - 1n ? new EvalError("duration overflow") : new Duration(nanos);

export function checkedTimestamp(nanos: bigint, offsetSeconds = 0): Timestamp | EvalError {
  const seconds = nanos / second;
  return seconds < firstSecond || seconds > lastSecond ? new EvalError("timestamp overflow") : new Timestamp(nanos, offsetSeconds);
}

/** The zone in which a time in RFC 3339 is written, in seconds ahead of UTC. */
export function writtenOffset(text: string): number {
  const [, sign, hours = "0", minutes = "0"] = /([+-])([0-9]{2}):([0-9]{2})$/.exec(text) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * 60 * (sign === "-" ? -1 : 1);
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
};

const part = /(\d+)?(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** `1h30m`, `-1.5s`, `0`; undefined where it is none. */
export function parseDuration(text: string): Duration | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const rest = text.slice(sign.length);
  if (rest === "0") return new Duration(0n);
  if (rest === "") return undefined;
  let nanos = 0n;
  part.lastIndex = 0;
  while (part.lastIndex < rest.length) {
    const [, whole = "", fraction = "", unit = ""] = part.exec(rest) ?? [];
    const size = units[unit];
    if (size === undefined || (whole === "" && fraction === "")) return undefined;
    nanos +=
      BigInt(whole || "0") * size +
      (fraction === "" ? 0n : (BigInt(fraction.slice(0, 18)) * size) / 10n ** BigInt(Math.min(fraction.length, 18)));
  }
  const signed = sign === "-" ? -nanos : nanos;
  return signed > maxNanos || signed < -maxNanos - 1n ? undefined : new Duration(signed);
}

/** RFC 3339; undefined where it is none. */
export function parseTimestamp(text: string): Timestamp | EvalError | undefined {
  try {
    const { seconds, nanos } = parseMoment(text);
    return checkedTimestamp(BigInt(seconds) * second + BigInt(nanos), writtenOffset(text));
  } catch (error) {
    if (error instanceof TimeError) return undefined;
    throw error;
  }
}

/** Seconds, as Go counts them in a double. */
export const formatDuration = ({ nanos }: Duration): string => `${goFloatPlain(Number(nanos / second) + Number(nanos % second) / 1e9)}s`;

/** Whole seconds, and the nanoseconds from there. */
function split(nanos: bigint): [seconds: bigint, rest: bigint] {
  const rest = ((nanos % second) + second) % second;
  return [(nanos - rest) / second, rest];
}

/** RFC 3339 in the zone that it was written in, with as many digits of a fraction as it takes. */
export function formatTimestamp({ nanos, offsetSeconds }: Timestamp): string {
  const [seconds, rest] = split(nanos);
  const date = new Date((Number(seconds) + offsetSeconds) * 1000).toISOString().slice(0, -5);
  const fraction = rest === 0n ? "" : `.${String(rest).padStart(9, "0").replace(/0+$/, "")}`;
  if (offsetSeconds === 0) return `${date}${fraction}Z`;
  const minutes = Math.abs(offsetSeconds) / 60;
  const zone = [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return `${date}${fraction}${offsetSeconds < 0 ? "-" : "+"}${zone}`;
}

interface Local {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** The parts of a moment as a clock on the wall shows them. */
function local({ nanos }: Timestamp, zone: string): Local | EvalError {
  const offset = offsetMs(nanos, zone);
  if (offset instanceof EvalError) return offset;
  const [seconds, rest] = split(nanos);
  const date = new Date(Number(seconds) * 1000 + offset);
  const newYear = Date.UTC(2000, 0, 1);
  const start = new Date(newYear);
  start.setUTCFullYear(date.getUTCFullYear());
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    dayOfYear: Math.floor((date.getTime() - start.getTime()) / 86_400_000),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: Number(rest / 1_000_000n),
  };
}

/** How far a zone's clocks are ahead of UTC at a moment. @param zone `UTC`, `Europe/Berlin`, `-08:30` */
function offsetMs(nanos: bigint, zone: string): number | EvalError {
  if (zone === "" || zone === "UTC") return 0;
  const fixed = /^([+-]?)(\d{1,2}):(\d{1,2})$/.exec(zone);
  if (fixed) return (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000 * (fixed[1] === "-" ? -1 : 1);
  const whole = Number(split(nanos)[0]) * 1000;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    const parts = new Map(format.formatToParts(whole).map(({ type, value }) => [type, value]));
    const at = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name));
    const shown = new Date(0);
    shown.setUTCFullYear(parts.get("era") === "BC" ? 1 - at("year") : at("year"), at("month") - 1, at("day"));
    shown.setUTCHours(at("hour"), at("minute"), at("second"));
    return shown.getTime() - whole;
  } catch {
    return new EvalError(`unknown time zone ${zone}`);
  }
}

const clockParts: readonly (readonly [name: string, id: string, read: (parts: Local) => number])[] = [
  ["getFullYear", "timestamp_to_year", ({ year }) => year],
  ["getMonth", "timestamp_to_month", ({ month }) => month],
  ["getDayOfYear", "timestamp_to_day_of_year", ({ dayOfYear }) => dayOfYear],
  ["getDayOfMonth", "timestamp_to_day_of_month", ({ day }) => day - 1],
  ["getDate", "timestamp_to_day_of_month_1_based", ({ day }) => day],
  ["getDayOfWeek", "timestamp_to_day_of_week", ({ weekday }) => weekday],
  ["getHours", "timestamp_to_hours", ({ hour }) => hour],
  ["getMinutes", "timestamp_to_minutes", ({ minute }) => minute],
  ["getSeconds", "timestamp_to_seconds", ({ second: seconds }) => seconds],
  ["getMilliseconds", "timestamp_to_milliseconds", ({ millisecond }) => millisecond],
];

const lengths: readonly (readonly [name: string, id: string, unit: bigint])[] = [
  ["getHours", "duration_to_hours", 3600n * second],
  ["getMinutes", "duration_to_minutes", 60n * second],
  ["getSeconds", "duration_to_seconds", second],
  ["getMilliseconds", "duration_to_milliseconds", 1_000_000n],
];

export const time: readonly Declaration[] = [
  ...clockParts.flatMap(([name, id, read]) => {
    const at = (moment: Timestamp, zone = "UTC"): unknown => {
      const parts = local(moment, zone);
      return parts instanceof EvalError ? parts : BigInt(read(parts));
    };
    return [method(name, id, "(timestamp) int", at), method(name, `${id}_with_tz`, "(timestamp, string) int", at)];
  }),
  ...lengths.map(([name, id, unit]) => method(name, id, "(duration) int", ({ nanos }: Duration) => nanos / unit)),
];
