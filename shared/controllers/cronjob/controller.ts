/** Makes Jobs at the times of a schedule. */
import type { CronJob, Job } from "../../api/generated/types.ts";
import { cronJobs, jobs } from "../../api/kinds.ts";
import { type KubeObject, keyOf } from "../../api/objects.ts";
import { StatusError } from "../../errors/status-error.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { keyText } from "../../runtime/keys.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { ownerKeys } from "../common/owners.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { isNamespaceTerminating, messageOf, unlessGone } from "../common/settle.ts";
import { finishedCondition } from "../job/plan.ts";
import { type CronJobPlan, planCronJob, started } from "./plan.ts";

/** What schedule a CronJob had when it was last looked at, and since when it has another one. */
interface Remembered {
  readonly uid: string;
  readonly schedule: string;
  readonly changedAt: Date | undefined;
}

export function cronJobController(): Controller {
  /** By namespace and name. Kept in memory only: a new process takes every schedule for an old one. */
  const remembered = new Map<string, Remembered>();

  /** Times before a schedule was changed are not caught up with. */
  function changedAt({ metadata, spec }: CronJob, now: Date): Date | undefined {
    const schedule = `${spec.schedule} ${spec.timeZone ?? ""}`;
    const key = keyText(keyOf({ metadata }));
    const known = remembered.get(key);
    const before = known?.uid === metadata.uid ? known : undefined;
    if (before?.schedule === schedule) return before.changedAt;
    const next = { uid: metadata.uid, schedule, changedAt: before && now };
    remembered.set(key, next);
    return next.changedAt;
  }

  return {
    name: "cronjob-controller",
    watches: [
      {
        kind: cronJobs,
        keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)],
      } satisfies Watched<CronJob>,
      { kind: jobs, keys: (change: Observed<Job>) => ownerKeys(cronJobs, change) } satisfies Watched<Job>,
    ],

    async reconcile(key, context) {
      const { lister, clock, client } = context;
      let cronJob = lister(cronJobs).get(key);
      if (!cronJob) {
        remembered.delete(keyText(key));
        return {};
      }
      const list = lister(jobs);
      const owned = list.ownedBy(cronJob.metadata.uid);
      const listed = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid));
      if (owned.some((job) => !finishedCondition(job) && !listed.has(job.metadata.uid))) {
        // The list may be older than the Jobs.
        const newest = await client.get(cronJobs, key);
        if (newest?.metadata.uid === cronJob.metadata.uid) cronJob = newest;
      }
      const now = clock.now();
      const plan = planCronJob({
        cronJob,
        jobs: owned,
        gone: await goneJobs(cronJob, context),
        job: (name) => list.get({ namespace: key.namespace, name }),
        notBefore: changedAt(cronJob, now),
        now,
      });
      await carryOut(cronJob, plan, context);
      return plan.again ? { again: plan.again } : {};
    },
  };
}

/** Active Jobs that are not there, by a look that began after the list was read. */
async function goneJobs(cronJob: CronJob, { lister, client }: ControllerContext): Promise<ReadonlySet<string>> {
  const namespace = cronJob.metadata.namespace ?? "";
  const missing = (cronJob.status?.active ?? []).filter(
    ({ name = "", uid }) => lister(jobs).get({ namespace, name })?.metadata.uid !== uid,
  );
  const newest = await Promise.all(missing.map(({ name = "" }) => client.get(jobs, { namespace, name })));
  return new Set(missing.filter(({ uid }, index) => newest[index]?.metadata.uid !== uid).map(({ uid = "" }) => uid));
}

async function carryOut(cronJob: CronJob, plan: CronJobPlan, context: ControllerContext): Promise<void> {
  const { client, event } = context;
  for (const { type, reason, message } of plan.events) event(cronJob, type, reason, message);
  for (const { metadata } of plan.delete) {
    try {
      await client.delete(jobs, keyOf({ metadata }), { uid: metadata.uid, propagationPolicy: "Background" }).catch(unlessGone);
    } catch (error) {
      if (!isLostRace(error)) event(cronJob, "Warning", "FailedDelete", `Deleted job: ${messageOf(error)}`);
      throw error;
    }
    event(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${metadata.name}`);
  }

  let { status } = plan;
  let failure: unknown;
  if (plan.create) {
    try {
      const job = await client.create(jobs, plan.create.draft);
      event(cronJob, "Normal", "SuccessfulCreate", `Created job ${job.metadata.name}`);
      status = started(status, job, plan.create.scheduled);
    } catch (error) {
      failure = error;
      const isThere = error instanceof StatusError && error.reason === "AlreadyExists";
      if (!isThere && !isNamespaceTerminating(error)) event(cronJob, "Warning", "FailedCreate", `Error creating job: ${messageOf(error)}`);
    }
  }
  if (!semanticEqual(status, cronJob.status)) await client.updateStatus(cronJobs, { ...cronJob, status });
  if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
}
