import { describe, expect, it } from "vitest";
import type { CronJob, Job } from "../../../shared/api/generated/types.ts";
import { type CronJobPlan, planCronJob, started } from "../../../shared/controllers/cronjob/plan.ts";
import { aCronJob, activeReference, aJobAt, jobNameAt } from "../../support/cron-jobs.ts";

interface Given {
  readonly at?: string;
  readonly jobs?: readonly Job[];
  readonly strangers?: readonly Job[];
  readonly gone?: readonly string[];
  readonly notBefore?: string;
}

/** At seven minutes past midnight, so that 00:05 is due. */
const plan = (
  cronJob: CronJob,
  { at = "2026-01-01T00:07:00Z", jobs = [], strangers = [], gone = [], notBefore }: Given = {},
): CronJobPlan =>
  planCronJob({
    cronJob,
    jobs,
    gone: new Set(gone),
    job: (name) => [...jobs, ...strangers].find(({ metadata }) => metadata.name === name),
    notBefore: notBefore === undefined ? undefined : new Date(notBefore),
    now: new Date(at),
  });
const made = ({ create }: CronJobPlan) => create?.draft.metadata.name;
const said = ({ events }: CronJobPlan) => events.map(({ reason, message }) => `${reason}: ${message}`);
const deleted = (result: CronJobPlan) => result.delete.map(({ metadata }) => metadata.name);
const five = "2026-01-01T00:05:00Z";
const ten = "2026-01-01T00:10:00Z";

describe("a CronJob", () => {
  it("makes the Job of the time that has passed, under the name of that time", () => {
    const result = plan(aCronJob());
    expect(result.create?.draft).toMatchObject({
      metadata: {
        name: jobNameAt(five),
        labels: { app: "tidy" },
        annotations: { note: "kept", "batch.kubernetes.io/cronjob-scheduled-timestamp": five },
        ownerReferences: [{ kind: "CronJob", name: "tidy", controller: true }],
      },
      spec: { template: { spec: { restartPolicy: "Never" } } },
    });
    expect(result.again).toEqual(new Date("2026-01-01T00:10:00.100Z"));
  });

  it("waits until a time has passed", () => {
    const result = plan(aCronJob(), { at: "2026-01-01T00:04:59Z" });
    expect([made(result), result.again]).toEqual([undefined, new Date("2026-01-01T00:05:00.100Z")]);
  });

  it("notes what it made", () => {
    const job = aJobAt(aCronJob(), five);
    expect(started({}, job, new Date(five))).toMatchObject({ active: [{ kind: "Job", name: job.metadata.name }], lastScheduleTime: five });
  });

  it("makes no second Job for a time", () => {
    const job = aJobAt(aCronJob(), five);
    expect(made(plan(aCronJob({ status: { lastScheduleTime: five } })))).toBeUndefined();
    expect(made(plan(aCronJob({ status: { active: [activeReference(job)] } }), { jobs: [job] }))).toBeUndefined();
  });

  it("takes up a Job that was made before its name could be noted", () => {
    const cronJob = aCronJob();
    const job = aJobAt(cronJob, five);
    const result = plan(cronJob, { jobs: [job] });
    expect(result).toMatchObject({ status: { active: [{ name: job.metadata.name }], lastScheduleTime: five }, events: [] });
    expect(made(result)).toBeUndefined();
  });

  it("leaves somebody else's Job of that name alone", () => {
    const stranger = aJobAt({ ...aCronJob(), metadata: { ...aCronJob().metadata, uid: "another" } }, five);
    const result = plan(aCronJob(), { strangers: [stranger] });
    expect([made(result), result.status]).toEqual([undefined, {}]);
  });

  it("does nothing while it is suspended, or being deleted", () => {
    expect(plan(aCronJob({ spec: { suspend: true } }))).toEqual({ delete: [], events: [], status: {} });
    expect(made(plan(aCronJob({ metadata: { deletionTimestamp: five } })))).toBeUndefined();
  });

  it("goes by its time zone", () => {
    const berlin = aCronJob({ spec: { schedule: "30 9 * * *", timeZone: "Europe/Berlin" } });
    const result = plan(berlin, { at: "2026-01-01T08:31:00Z" });
    expect(result.create?.draft.metadata.annotations).toMatchObject({
      "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T09:30:00+01:00",
    });
    expect(result.again).toEqual(new Date("2026-01-02T08:30:00.100Z"));
  });
});

describe("times that were missed", () => {
  it("the last one is caught up with, the others are not", () => {
    const result = plan(aCronJob(), { at: "2026-01-01T00:32:00Z" });
    expect(made(result)).toBe(jobNameAt("2026-01-01T00:30:00Z"));
    expect(said(result)).toEqual([]);
  });

  it("a great many are worth a warning", () => {
    const result = plan(aCronJob(), { at: "2026-01-02T00:01:00Z" });
    expect(made(result)).toBe(jobNameAt("2026-01-02T00:00:00Z"));
    expect(said(result)).toEqual([
      "TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
    ]);
  });

  it("are counted without walking through all of them", () => {
    const old = aCronJob({ metadata: { creationTimestamp: "2006-01-01T00:00:00Z" }, spec: { schedule: "* * * * *" } });
    expect(made(plan(old))).toBe(jobNameAt("2026-01-01T00:07:00Z"));
  });

  it("are let go after startingDeadlineSeconds", () => {
    expect(made(plan(aCronJob({ spec: { startingDeadlineSeconds: 121 } })))).toBe(jobNameAt(five));
    const late = plan(aCronJob({ spec: { startingDeadlineSeconds: 60 } }));
    expect([made(late), late.again]).toEqual([undefined, new Date("2026-01-01T00:10:00.100Z")]);
  });

  it("are not those of a schedule that was another then", () => {
    expect(made(plan(aCronJob(), { notBefore: "2026-01-01T00:06:00Z" }))).toBeUndefined();
    expect(made(plan(aCronJob(), { notBefore: "2026-01-01T00:06:00Z", at: "2026-01-01T00:11:00Z" }))).toBe(jobNameAt(ten));
  });
});

describe("while a Job runs", () => {
  const with5 = (concurrencyPolicy: string) => {
    const cronJob = aCronJob({ spec: { concurrencyPolicy } });
    const job = aJobAt(cronJob, five);
    return { job, cronJob: { ...cronJob, status: { active: [activeReference(job)], lastScheduleTime: five } } };
  };
  const at = "2026-01-01T00:11:00Z";

  it("Allow: the next one begins beside it", () => {
    const { cronJob, job } = with5("Allow");
    const result = plan(cronJob, { at, jobs: [job] });
    expect([made(result), deleted(result), result.status.active?.length]).toEqual([jobNameAt(ten), [], 1]);
  });

  it("Forbid: the next one does not begin, which is said", () => {
    const { cronJob, job } = with5("Forbid");
    const result = plan(cronJob, { at, jobs: [job] });
    expect(made(result)).toBeUndefined();
    expect(said(result)).toEqual([
      "JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid",
    ]);
    const ended = plan(cronJob, { at, jobs: [aJobAt(cronJob, five, { ended: "Complete" })] });
    expect(made(ended)).toBe(jobNameAt(ten));
  });

  it("Replace: it makes room for the next one", () => {
    const { cronJob, job } = with5("Replace");
    const result = plan(cronJob, { at, jobs: [job] });
    expect([made(result), deleted(result), result.status.active]).toEqual([jobNameAt(ten), [job.metadata.name], undefined]);
  });
});

describe("what became of Jobs", () => {
  const cronJob = aCronJob();
  const jobs = [
    aJobAt(cronJob, five, { ended: "Complete", completionTime: "2026-01-01T00:06:00Z" }),
    aJobAt(cronJob, ten, { ended: "Failed" }),
  ];
  const listed = { ...cronJob, status: { active: jobs.map(activeReference), lastScheduleTime: ten } };
  const at = "2026-01-01T00:11:00Z";

  it("is said when they end, and when one last succeeded is kept", () => {
    const result = plan(listed, { at, jobs });
    expect(said(result)).toEqual([
      `SawCompletedJob: Saw completed job: ${jobNameAt(five)}, condition: Complete`,
      `SawCompletedJob: Saw completed job: ${jobNameAt(ten)}, condition: Failed`,
    ]);
    expect(result.status).toEqual({ lastScheduleTime: ten, lastSuccessfulTime: "2026-01-01T00:06:00Z" });
    const later = { ...cronJob, status: { lastScheduleTime: ten, lastSuccessfulTime: "2026-01-01T00:09:00Z" } };
    expect(plan(later, { at, jobs }).status.lastSuccessfulTime).toBe("2026-01-01T00:09:00Z");
  });

  it("Jobs that are gone are listed no longer", () => {
    const result = plan(listed, { at, gone: [`uid-of-${jobNameAt(five)}`] });
    expect(result.status.active?.map(({ name }) => name)).toEqual([jobNameAt(ten)]);
    expect(said(result)).toEqual([`MissingJob: Active job went missing: ${jobNameAt(five)}`]);
  });

  it("Jobs that somebody else put there are named", () => {
    const result = plan({ ...cronJob, status: { lastScheduleTime: ten } }, { at, jobs: [aJobAt(cronJob, five, { name: "by-hand" })] });
    expect(said(result)).toEqual(["UnexpectedJob: Saw a job that the controller did not create or forgot: by-hand"]);
  });

  it("only so many are kept of each kind, the youngest", () => {
    const limited = aCronJob({ spec: { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }, status: { lastScheduleTime: ten } });
    const ended = (["Complete", "Complete", "Failed"] as const).map((how, index) => {
      const time = `2026-01-01T00:0${index}:00Z`;
      return aJobAt(limited, time, { name: `job-${index}`, ended: how });
    });
    expect(deleted(plan(limited, { at, jobs: ended }))).toEqual(["job-0", "job-2"]);
  });
});

describe("what cannot be read is said, and nothing begins", () => {
  it.each([
    {
      name: "the zone",
      spec: { timeZone: "Nowhere/Land" },
      says: ['UnknownTimeZone: invalid timeZone: "Nowhere/Land": unknown time zone Nowhere/Land'],
    },
    {
      name: "the schedule",
      spec: { schedule: "every day" },
      says: ['UnparseableSchedule: unparseable schedule: "every day" : expected exactly 5 fields, found 2: [every day]'],
    },
    {
      name: "a day that never comes",
      spec: { schedule: "59 23 31 2 *" },
      says: ["InvalidSchedule: invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second"],
    },
  ])("$name", ({ spec, says }) => {
    const result = plan(aCronJob({ spec }));
    expect([made(result), said(result), result.again]).toEqual([undefined, says, undefined]);
  });

  it("a zone in the schedule itself works, and is frowned upon", () => {
    const result = plan(aCronJob({ spec: { schedule: "TZ=Europe/Berlin 5 1 * * *" } }));
    expect(made(result)).toBe(jobNameAt(five));
    expect(said(result)).toEqual([
      'UnsupportedSchedule: CRON_TZ or TZ used in schedule "TZ=Europe/Berlin 5 1 * * *" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
    ]);
  });
});
