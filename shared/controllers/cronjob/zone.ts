/** Civil time in a time zone, with the rules of Go's `time` package where a time occurs twice or not at all. */

/** Months count from 1, days of the week from Sunday = 0. */
export interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  return format;
}

/** How far a zone is ahead of UTC at a moment. @param ms since the Unix epoch @returns milliseconds @throws {RangeError} for an unknown zone */
export function offsetAt(ms: number, zone: string): number {
  if (zone === "UTC") return 0;
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1_000) * 1_000;
}

/** @param ms since the Unix epoch */
export function civilAt(ms: number, zone: string): Civil {
  const local = new Date(ms + offsetAt(ms, zone));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    weekday: local.getUTCDay(),
  };
}

/**
 * The moment of a civil time; fields may be out of their ranges (day 32, month 13). Of two moments, and instead of none, one that is right
 * on either side of the change.
 * @returns milliseconds since the Unix epoch
 * @see https://pkg.go.dev/time#Date
 */
export function momentOf(zone: string, year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const guess = offsetAt(local, zone);
  if (guess === 0) return local;
  const found = offsetAt(local - guess, zone);
  return local - found;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** RFC 3339 with the zone's offset: `2026-03-01T02:30:00+01:00`, or with `Z` where that is none. */
export function zonedTimestamp(ms: number, zone: string): string {
  const offset = offsetAt(ms, zone);
  const text = new Date(ms + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${text}Z`;
  const minutes = Math.abs(Math.trunc(offset / 60_000));
  return `${text}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
