/** CronJobs. */

import { since } from "../durations.ts";
import type { CronJob } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { cronJobs } from "../kinds.ts";
import { isTimeZone, scheduleProblem } from "../validation/cron.ts";
import { invalid, notSupported, required } from "../validation/problems.ts";
import { nonNegative, oneOf } from "../validation/values.ts";
import { behaviour, specGeneration, statusBehaviour } from "./behaviour.ts";
import { age, containerColumns, count, formatSelector, printBoolean, selectorColumn, text } from "./cells.ts";
import { defaultJobTemplate, jobSpecWarnings, validateJobSpec } from "./jobs.ts";
import { hostnameWarnings } from "./pod-warnings.ts";

/** Jobs are named after their CronJob, with eleven more characters. */
const longestName = 52;

function validateTimeZone(zone: string | undefined, field: string): Problem[] {
  if (zone === undefined) return [];
  if (zone === "") return [invalid(field, zone, "timeZone must be nil or non-empty string")];
  const isName = zone
    .split("/")
    .every((part) => /^[A-Za-z.\-_0-9+]{1,14}$/.test(part) && part !== "." && part !== ".." && !part.startsWith("-"));
  if (!isName) return [invalid(field, zone, `unknown time zone ${zone}`)];
  if (zone.toLowerCase() === "local") {
    return [invalid(field, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")];
  }
  return isTimeZone(zone) ? [] : [invalid(field, zone, `unknown time zone ${zone}`)];
}

/** @param previous undefined for a new CronJob */
function validateSpec({ spec }: CronJob, previous: CronJob | undefined): Problem[] {
  const { schedule, timeZone, jobTemplate } = spec;
  const problems: Problem[] = [];
  if (!schedule) problems.push(required("spec.schedule"));
  else {
    const wrong = scheduleProblem(schedule);
    if (wrong) problems.push(invalid("spec.schedule", schedule, wrong));
    if (schedule.includes("TZ")) {
      // Schedules that said so before keep it.
      const mayHaveZone = previous?.spec.schedule?.includes("TZ") ?? false;
      if (!mayHaveZone) {
        problems.push(invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
      } else if (timeZone !== undefined) {
        problems.push(invalid("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
      }
    }
  }
  problems.push(...nonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds"));
  if (timeZone !== previous?.spec.timeZone) problems.push(...validateTimeZone(timeZone, "spec.timeZone"));
  problems.push(...oneOf(spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"], "spec.concurrencyPolicy", true));
  const job = jobTemplate?.spec;
  if (job) {
    problems.push(...validateJobSpec(job, "spec.jobTemplate.spec"));
    if (job.selector) problems.push(invalid("spec.jobTemplate.spec.selector", job.selector, "`selector` will be auto-generated"));
    if (job.manualSelector) problems.push(notSupported("spec.jobTemplate.spec.manualSelector", true, ["nil", "false"]));
  }
  return [
    ...problems,
    ...nonNegative(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
    ...nonNegative(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
  ];
}

export const cronJobBehaviour = behaviour(cronJobs, {
  ...statusBehaviour,
  defaults: (cronJob) => {
    const { spec } = cronJob;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const template = (spec.jobTemplate ??= {});
    template.metadata ??= {} as NonNullable<typeof template.metadata>;
    defaultJobTemplate((template.spec ??= { template: {} }));
    cronJob.status ??= {};
  },
  validateCreate: (cronJob) => [
    ...validateSpec(cronJob, undefined),
    ...((cronJob.metadata.name ?? "").length > longestName
      ? [invalid("metadata.name", cronJob.metadata.name, `must be no more than ${longestName} characters`)]
      : []),
  ],
  validateUpdate: validateSpec,
  warnings: ({ metadata, spec }, previous) => {
    const path = "spec.jobTemplate.spec";
    if (!previous) {
      return [
        ...hostnameWarnings(metadata.name, "Pod names and hostnames"),
        ...(spec.jobTemplate.spec ? jobSpecWarnings(spec.jobTemplate.spec, undefined, path) : []),
      ];
    }
    const advice =
      "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details";
    return [
      ...(spec.jobTemplate.spec ? jobSpecWarnings(spec.jobTemplate.spec, previous.spec.jobTemplate.spec, path) : []),
      ...(spec.schedule?.includes("TZ") ? [advice] : []),
    ];
  },
  generationFields: specGeneration,
  ownAge: true,
  columns: [
    text("Schedule", ({ spec }) => spec.schedule),
    text("Timezone", ({ spec }) => spec.timeZone ?? "<none>"),
    { name: "Suspend", type: "boolean", value: ({ spec }) => printBoolean(spec.suspend) },
    count("Active", ({ status }) => status?.active?.length),
    text("Last Schedule", ({ status }, now) => (status?.lastScheduleTime ? since(status.lastScheduleTime, now) : "<none>")),
    age,
    ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate?.spec?.template.spec?.containers),
    selectorColumn(({ spec }) => formatSelector(spec.jobTemplate?.spec?.selector)),
  ],
});
