/** Cron schedules: five fields or a descriptor, as CronJobs take them. */
import { quote } from "./problems.ts";

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Minute, hour, day of month, month, day of week. */
const fields: readonly Bounds[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: days },
];

const descriptors = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);
const duration = /^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/;

/** Why a schedule cannot be read; undefined when it can. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule === "") return "empty spec string";
  const zoned = /^(?:CRON_)?TZ=(\S*)\s(.*)$/s.exec(schedule);
  if (zoned && !isTimeZone(zoned[1] ?? "")) return `provided bad location ${zoned[1]}: unknown time zone ${zoned[1]}`;
  if (/^(?:CRON_)?TZ=\S*$/.test(schedule)) return "invalid schedule format: runtime error: slice bounds out of range [:-1]";
  const text = zoned ? (zoned[2] ?? "").trim() : schedule;
  if (text.startsWith("@")) return descriptorProblem(text);
  const parts = text.trim().split(/\s+/).filter(Boolean);
  if (parts.length !== fields.length) return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(" ")}]`;
  for (const [index, bounds] of fields.entries()) {
    for (const range of (parts[index] ?? "").split(",").filter(Boolean)) {
      const problem = rangeProblem(range, bounds);
      if (problem) return problem;
    }
  }
  return undefined;
}

function descriptorProblem(text: string): string | undefined {
  if (descriptors.has(text)) return undefined;
  if (!text.startsWith("@every ")) return `unrecognized descriptor: ${text}`;
  const span = text.slice("@every ".length);
  return duration.test(span) || span === "0" ? undefined : `failed to parse duration ${text}: time: invalid duration ${quote(span)}`;
}

/** @throws {string} why the text is no number */
function number(text: string, names: readonly string[]): number {
  const index = names.indexOf(text.toLowerCase());
  if (index >= 0) return names === months ? index + 1 : index;
  if (!/^[+-]?[0-9]+$/.test(text))
    throw new SyntaxError(`failed to parse int from ${text}: strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw new SyntaxError(`negative number (${value}) not allowed: ${text}`);
  return value;
}

function rangeProblem(range: string, { least, most, names }: Bounds): string | undefined {
  const [span = "", ...steps] = range.split("/");
  const ends = span.split("-");
  try {
    let [start, end] = [least, most];
    if (ends[0] !== "*" && ends[0] !== "?") {
      start = number(ends[0] ?? "", names);
      if (ends.length > 2) return `too many hyphens: ${range}`;
      end = ends.length === 1 ? start : number(ends[1] ?? "", names);
    }
    let step = 1;
    if (steps.length > 1) return `too many slashes: ${range}`;
    if (steps.length === 1) {
      step = number(steps[0] ?? "", []);
      if (ends.length === 1) end = most;
    }
    if (start < least) return `beginning of range (${start}) below minimum (${least}): ${range}`;
    if (end > most) return `end of range (${end}) above maximum (${most}): ${range}`;
    if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
    return step === 0 ? `step of range should be a positive number: ${range}` : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** A name of the IANA time zone database. */
export function isTimeZone(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return timeZone !== "" && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
