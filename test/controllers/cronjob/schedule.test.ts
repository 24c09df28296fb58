import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseSchedule, ScheduleError } from "../../../shared/controllers/cronjob/schedule.ts";
import { zonedTimestamp } from "../../../shared/controllers/cronjob/zone.ts";

interface Vector {
  readonly schedule: string;
  readonly zone: string;
  readonly after: string;
  readonly next: readonly string[];
}

const [, ...lines] = readFileSync(join(import.meta.dirname, "schedules.jsonl"), "utf8")
  .trimEnd()
  .split("\n");
const vectors = Map.groupBy(
  lines.map((line): Vector => JSON.parse(line)),
  ({ schedule }) => schedule,
);

/** The next times, as the vectors write them. */
function times(schedule: string, zone: string, after: string, count: number): string[] {
  const parsed = parseSchedule(schedule, zone);
  const found: string[] = [];
  let at: Date | undefined = new Date(after);
  while (found.length < count && at) {
    at = parsed.next(at);
    if (at) found.push(`${at.toISOString().slice(0, 19)}Z`);
  }
  return found;
}

describe("a schedule is due when Kubernetes says", () => {
  it.each([...vectors])("%s", (schedule, all) => {
    for (const { zone, after, next } of all) {
      const count = Math.max(next.length, 1);
      expect({ zone, after, next: times(schedule, zone, after, count) }).toEqual({ zone, after, next });
    }
  });
});

describe("a schedule", () => {
  it("may name its zone itself", () => {
    for (const prefix of ["TZ", "CRON_TZ"]) {
      const schedule = parseSchedule(`${prefix}=Asia/Kathmandu 0 0 * * *`);
      expect(schedule.next(new Date("2026-01-01T00:00:00Z"))).toEqual(new Date("2026-01-01T18:15:00Z"));
    }
  });

  it.each([
    { text: "* * * *", why: "expected exactly 5 fields, found 4: [* * * *]" },
    { text: "@sometimes", why: "unrecognized descriptor: @sometimes" },
    { text: "@every soon", why: 'failed to parse duration @every soon: time: invalid duration "soon"' },
    { text: "60 * * * *", why: "range out of bounds: 60" },
    { text: "* * * * mon-sun", why: "range out of bounds: mon-sun" },
    { text: "x * * * *", why: "failed to parse int from x" },
    { text: "TZ=Nowhere/Land * * * * *", why: "provided bad location Nowhere/Land: unknown time zone Nowhere/Land" },
  ])("$text cannot be read", ({ text, why }) => {
    expect(() => parseSchedule(text)).toThrow(new ScheduleError(why));
  });
});

describe("a time with its zone", () => {
  it.each([
    { zone: "UTC", text: "2026-07-01T12:00:00Z" },
    { zone: "Europe/Berlin", text: "2026-07-01T14:00:00+02:00" },
    { zone: "America/New_York", text: "2026-07-01T08:00:00-04:00" },
    { zone: "Asia/Kathmandu", text: "2026-07-01T17:45:00+05:45" },
  ])("$zone", ({ zone, text }) => {
    expect(zonedTimestamp(Date.parse("2026-07-01T12:00:00Z"), zone)).toBe(text);
  });
});
