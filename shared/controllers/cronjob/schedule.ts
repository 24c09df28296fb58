/**
 * When a cron schedule is due next. No library: CronJobs mean what the Go package behind Kubernetes means, changes of daylight saving
 * time and days that match in one of two ways included; `schedules.jsonl` beside the tests holds its answers.
 * @see https://pkg.go.dev/github.com/robfig/cron/v3
 */
import { type Civil, civilAt, momentOf, offsetAt } from "./zone.ts";

export interface Schedule {
  /** The first time after this one; undefined when there is none within five years. */
  next(after: Date): Date | undefined;
}

/** The schedule cannot be read; the message says why, in upstream's words where users see them. */
export class ScheduleError extends Error {
  override readonly name = "ScheduleError";
}

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minuteBounds: Bounds = { least: 0, most: 59, names: [] };
const hourBounds: Bounds = { least: 0, most: 23, names: [] };
const dayBounds: Bounds = { least: 1, most: 31, names: [] };
const monthBounds: Bounds = { least: 1, most: 12, names: months };
const weekdayBounds: Bounds = { least: 0, most: 6, names: days };

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Values that match. `any`: the field says nothing, so that days are decided by the other one. */
interface Field {
  readonly values: ReadonlySet<number>;
  readonly any: boolean;
}

/**
 * @param text five fields, a descriptor (`@daily`, `@every 90m`), either after `TZ=ZONE` or `CRON_TZ=ZONE`
 * @param zone IANA name, where the text names none
 * @throws {ScheduleError}
 */
export function parseSchedule(text: string, zone = "UTC"): Schedule {
  const zoned = /^(?:CRON_)?TZ=(\S*)\s+(.*)$/s.exec(text);
  const rest = (zoned ? (zoned[2] ?? "") : text).trim();
  const where = zoned ? (zoned[1] ?? "") : zone;
  try {
    offsetAt(0, where);
  } catch {
    throw new ScheduleError(`provided bad location ${where}: unknown time zone ${where}`);
  }
  if (rest.startsWith("@every ")) return every(rest.slice("@every ".length));
  const fields = (descriptors[rest] ?? rest).split(/\s+/).filter(Boolean);
  if (rest.startsWith("@") && descriptors[rest] === undefined) throw new ScheduleError(`unrecognized descriptor: ${rest}`);
  if (fields.length !== 5) throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  return new Cron(where, {
    minute: parseField(minute, minuteBounds),
    hour: parseField(hour, hourBounds),
    day: parseField(day, dayBounds),
    month: parseField(month, monthBounds),
    weekday: parseField(weekday, weekdayBounds),
  });
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let any = false;
  for (const range of text.split(",").filter(Boolean)) {
    const [span = "", step, ...more] = range.split("/");
    const [from = "", to, ...others] = span.split("-");
    if (more.length + others.length > 0) throw new ScheduleError(`too many slashes or hyphens: ${range}`);
    const isAll = from === "*" || from === "?";
    const start = isAll ? bounds.least : numberOf(from, bounds.names);
    // A single value with a step goes on to the end.
    const end = isAll ? bounds.most : to === undefined ? (step === undefined ? start : bounds.most) : numberOf(to, bounds.names);
    const by = step === undefined ? 1 : numberOf(step, []);
    if (start < bounds.least || end > bounds.most || start > end || by < 1) throw new ScheduleError(`range out of bounds: ${range}`);
    if (isAll && by === 1) any = true;
    for (let value = start; value <= end; value += by) values.add(value);
  }
  return { values, any };
}

function numberOf(text: string, names: readonly string[]): number {
  const index = names.indexOf(text.toLowerCase());
  if (index >= 0) return names === months ? index + 1 : index;
  if (!/^\+?\d+$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}`);
  return Number(text);
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** At equal distances, of whole seconds and at least one. */
function every(text: string): Schedule {
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  const isDuration = text === "0" || (parts.length > 0 && parts.map(([part]) => part).join("") === text.replace(/^[+-]/, ""));
  if (!isDuration) throw new ScheduleError(`failed to parse duration @every ${text}: time: invalid duration ${JSON.stringify(text)}`);
  const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ""] ?? 0), 0);
  const delayMs = Math.max(1_000, Math.floor((text.startsWith("-") ? -total : total) / 1_000) * 1_000);
  return { next: (after) => new Date(Math.floor(after.getTime() / 1_000) * 1_000 + delayMs) };
}

interface Fields {
  readonly minute: Field;
  readonly hour: Field;
  readonly day: Field;
  readonly month: Field;
  readonly weekday: Field;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const yearsAhead = 5;

class Cron implements Schedule {
  readonly #zone: string;
  readonly #fields: Fields;

  constructor(zone: string, fields: Fields) {
    this.#zone = zone;
    this.#fields = fields;
  }

  /**
   * Moves forward field by field, largest first, and begins again with the months whenever one wraps around. What was moved at all
   * begins at the start of its unit.
   */
  next(after: Date): Date | undefined {
    const { minute, hour, month } = this.#fields;
    const zone = this.#zone;
    let ms = Math.floor(after.getTime() / 1_000) * 1_000 + 1_000;
    let known: { readonly ms: number; readonly civil: Civil } | undefined;
    const at = (): Civil => (known?.ms === ms ? known : (known = { ms, civil: civilAt(ms, zone) })).civil;
    const lastYear = at().year + yearsAhead;
    let moved = false;
    const begin = (start: () => number): void => {
      if (!moved) ms = start();
      moved = true;
    };

    search: while (at().year <= lastYear) {
      while (!month.values.has(at().month)) {
        begin(() => momentOf(zone, at().year, at().month, 1));
        ms = addDays(ms, zone, 1, 0);
        if (at().month === 1) continue search;
      }
      while (!this.#isDay(at())) {
        begin(() => momentOf(zone, at().year, at().month, at().day));
        ms = addDays(ms, zone, 0, 1);
        // A day that begins with a change of the clocks does not begin at midnight.
        const { hour: first } = at();
        if (first !== 0) ms += (first > 12 ? 24 - first : -first) * hourMs;
        if (at().day === 1) continue search;
      }
      while (!hour.values.has(at().hour)) {
        begin(() => momentOf(zone, at().year, at().month, at().day, at().hour));
        ms += hourMs;
        if (at().hour === 0) continue search;
      }
      while (!minute.values.has(at().minute)) {
        begin(() => Math.floor(ms / minuteMs) * minuteMs);
        ms += minuteMs;
        if (at().minute === 0) continue search;
      }
      if (at().second === 0) return new Date(ms);
      begin(() => ms);
      // To the next full minute, which may be one too far for the fields above.
      ms = Math.floor(ms / minuteMs) * minuteMs + minuteMs;
    }
    return undefined;
  }

  /** When both kinds of day are restricted, either will do. */
  #isDay({ day, weekday }: Civil): boolean {
    const inMonth = this.#fields.day.values.has(day);
    const inWeek = this.#fields.weekday.values.has(weekday);
    return this.#fields.day.any || this.#fields.weekday.any ? inMonth && inWeek : inMonth || inWeek;
  }
}

/** The same time of the day, so many months and days later. */
function addDays(ms: number, zone: string, months: number, days: number): number {
  const { year, month, day, hour, minute, second } = civilAt(ms, zone);
  return momentOf(zone, year, month + months, day + days, hour, minute, second);
}
