/**
 * Rebuilds `test/controllers/cronjob/schedules.jsonl`: when the Go package behind Kubernetes' CronJobs says that schedules are due, with an
 * eye to changes of daylight saving time, short months and days that match in one of two ways. Needs Go and its module proxy.
 *
 * Usage: node scripts/cron-vectors/main.ts
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const schedules = [
  "* * * * *",
  "*/5 * * * *",
  "7/20 * * * *",
  "0 * * * *",
  "30 1 * * *",
  "30 2 * * *",
  "0 0 * * *",
  "15 23 * * *",
  "30 6-16/4 * * 1-5",
  "0 12 13 * 5",
  "0 12 */2 * 1",
  "0 12 ? * sun",
  "0 0 31 * *",
  "0 0 29 2 *",
  "59 23 31 12 *",
  "0 3 1,15 jan,jul *",
  "5,10-12 4 * mar-MAY sat",
  "59 23 31 2 *",
  "@yearly",
  "@monthly",
  "@weekly",
  "@daily",
  "@hourly",
  "@every 90m",
  "@every 1h30m10s",
  "@every 500ms",
];
/** Zones with changes at midnight, of half an hour, in the southern half, and without any. */
const zones = [
  "UTC",
  "Europe/Berlin",
  "Europe/London",
  "America/New_York",
  "America/Sao_Paulo",
  "Africa/Cairo",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
];
const moments = [
  "2026-01-01T00:00:00Z",
  "2026-03-08T06:15:30Z",
  "2026-03-29T00:30:00Z",
  "2026-04-04T14:20:00Z",
  "2026-04-23T21:59:59Z",
  "2026-10-04T15:00:00Z",
  "2026-10-25T00:10:00Z",
  "2026-11-01T05:45:00Z",
  "2018-11-04T02:30:00Z",
  "2027-12-31T23:59:59Z",
];

const questions = schedules.flatMap((schedule) => zones.flatMap((zone) => moments.map((after) => ({ schedule, zone, after }))));
const folder = import.meta.dirname;
const answers = execFileSync("go", ["run", "."], {
  cwd: folder,
  encoding: "utf8",
  input: questions.map((each) => JSON.stringify(each)).join("\n"),
  maxBuffer: 64 * 1024 * 1024,
})
  .trimEnd()
  .split("\n");
const header = JSON.stringify({ generated: "by scripts/cron-vectors/main.ts with github.com/robfig/cron/v3 v3.0.1; do not edit" });
const lines = questions.map((each, index) => `${JSON.stringify(each).slice(0, -1)},"next":${answers[index]}}`);
writeFileSync(join(folder, "../../test/controllers/cronjob/schedules.jsonl"), `${[header, ...lines].join("\n")}\n`);
console.log(`${questions.length} schedules`);
