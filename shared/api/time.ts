/** Timestamps of the API: `Time` in whole seconds, `MicroTime` with six digits, both RFC 3339 and written in UTC. */

/** The text is no timestamp; the message is what a Kubernetes API server answers. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

/** Go's zero time, which stands for "not set" and is never written. */
export const zeroTimeSeconds = -62_135_596_800;
/** 9999-12-31T23:59:59Z */
export const lastTimeSeconds = 253_402_300_799;

/** A moment as protobuf has it. */
export interface Moment {
  /** since the Unix epoch; may be negative */
  readonly seconds: number;
  /** 0 to 999,999,999 */
  readonly nanos: number;
}

const canonical = /^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$/;

/**
 * @returns `2026-11-20T10:00:00Z`; undefined for Go's zero time
 * @throws {TimeError}
 */
export function canonicalTime(text: string): string | undefined {
  if (canonical.test(text) && !text.startsWith("0001-01-01T00:00:00")) return text;
  const { seconds, nanos } = parseTime(text, secondsLayout);
  return seconds === zeroTimeSeconds && nanos === 0 ? undefined : formatTime(seconds);
}

/**
 * @returns `2026-11-20T10:00:00.000001Z`; undefined for Go's zero time
 * @throws {TimeError} also when there are not exactly six digits of a fraction
 */
export function canonicalMicroTime(text: string): string | undefined {
  const moment = parseTime(text, microLayout);
  return moment.seconds === zeroTimeSeconds && moment.nanos === 0 ? undefined : formatMicroTime(moment);
}

/** Either kind of timestamp as a moment. @throws {TimeError} */
export function parseMoment(text: string): Moment {
  return parseTime(text, secondsLayout);
}

export function formatTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}Z`;
}

export function formatMicroTime({ seconds, nanos }: Moment): string {
  const micros = Math.floor(nanos / 1000);
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${String(micros).padStart(6, "0")}Z`;
}

const secondsLayout = "2006-01-02T15:04:05Z07:00";
const microLayout = "2006-01-02T15:04:05.000000Z07:00";

/** Parts of the layouts as Go names them, with what may stand there. */
const beforeZone: readonly (readonly [name: string, pattern: RegExp, range?: readonly [what: string, low: number, high: number]])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/, ["month", 1, 12]],
  ["-", /^-/],
  ["02", /^\d\d/, ["day", 1, 31]],
  ["T", /^T/],
  ["15", /^\d\d?/, ["hour", 0, 23]],
  [":", /^:/],
  ["04", /^\d\d/, ["minute", 0, 59]],
  [":", /^:/],
  ["05", /^\d\d/, ["second", 0, 59]],
];

function parseTime(text: string, layout: string): Moment {
  const fail = (why: string): never => {
    throw new TimeError(`parsing time ${JSON.stringify(text)}${why}`);
  };
  const values: number[] = [];
  let rest = text;
  for (const [name, pattern, range] of beforeZone) {
    const [found] = pattern.exec(rest) ?? [];
    if (found === undefined) return fail(` as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(name)}`);
    const value = Number(found);
    if (range && (value < range[1] || value > range[2])) return fail(`: ${range[0]} out of range`);
    if (!Number.isNaN(value)) values.push(value);
    rest = rest.slice(found.length);
  }
  let nanos = 0;
  if (layout === microLayout) {
    const [found] = /^[.,]\d{6}(?!\d)/.exec(rest) ?? [];
    if (!found) return fail(` as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ".000000"`);
    nanos = Number(found.slice(1)) * 1000;
    rest = rest.slice(found.length);
  } else {
    const [found] = /^[.,]\d+/.exec(rest) ?? [];
    if (found) {
      nanos = Number(found.slice(1, 10).padEnd(9, "0"));
      rest = rest.slice(found.length);
    }
  }
  const zone = /^(?:Z|([-+])(\d\d):(\d\d))/.exec(rest);
  if (!zone) return fail(` as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as "Z07:00"`);
  const [whole, sign, hours = "0", minutes = "0"] = zone;
  rest = rest.slice(whole.length);
  if (rest !== "") return fail(`: extra text: ${JSON.stringify(rest)}`);
  if (Number(hours) > 24) return fail(": time zone offset hour out of range");
  if (Number(minutes) > 60) return fail(": time zone offset minute out of range");

  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = values;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1) return fail(": day out of range");
  date.setUTCHours(hour, minute, second);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === "-" ? -1 : 1);
  return { seconds: date.getTime() / 1000 - offset, nanos };
}
