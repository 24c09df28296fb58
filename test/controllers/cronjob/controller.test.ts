import { describe, expect, it } from "vitest";
import { cronJobs, events, jobs } from "../../../shared/api/kinds.ts";
import { cronJobController } from "../../../shared/controllers/cronjob/controller.ts";
import { aCronJob, type CronJobGiven, jobNameAt } from "../../support/cron-jobs.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";

const key = { namespace: "default", name: "tidy" };

async function cluster(given: CronJobGiven = {}): Promise<ReconciledCluster> {
  const world = reconciledCluster([cronJobController()]);
  await world.api.client.create(cronJobs, aCronJob(given));
  await world.reconcile();
  return world;
}

const tidy = ({ api }: ReconciledCluster) => api.get(cronJobs, "tidy");
const names = ({ api }: ReconciledCluster) => api.all(jobs).map(({ metadata }) => metadata.name);
const said = ({ api }: ReconciledCluster) => api.all(events).map(({ reason }) => reason);
const minutes = async (world: ReconciledCluster, count: number) => {
  for (let minute = 0; minute < count; minute++) {
    await world.clock.advance(60_000);
    await world.reconcile();
  }
};
const end = async ({ api }: ReconciledCluster, name: string, type: "Complete" | "Failed") => {
  const job = api.get(jobs, name);
  if (job) await api.client.updateStatus(jobs, { ...job, status: { conditions: [{ type, status: "True" }] } });
};

describe("a CronJob at work", () => {
  it("makes a Job at each of its times, and says when it will look again", async () => {
    const world = await cluster();
    await minutes(world, 11);
    expect(names(world)).toEqual([jobNameAt("2026-01-01T00:05:00Z"), jobNameAt("2026-01-01T00:10:00Z")]);
    expect(tidy(world)?.status).toMatchObject({ active: [{}, {}], lastScheduleTime: "2026-01-01T00:10:00Z" });
    expect(said(world)).toEqual(["SuccessfulCreate", "SuccessfulCreate"]);
    await expect(world.reconcile()).resolves.toMatchObject({ again: new Date("2026-01-01T00:15:00.100Z") });
  });

  it("follows its Jobs to their end, and keeps only so many", async () => {
    const world = await cluster({ spec: { successfulJobsHistoryLimit: 1 } });
    for (let round = 0; round < 3; round++) {
      await minutes(world, 6);
      for (const name of names(world)) await end(world, name, "Complete");
      await world.reconcile();
    }
    expect(names(world)).toHaveLength(1);
    expect(tidy(world)?.status?.active).toBeUndefined();
    expect(said(world)).toEqual(expect.arrayContaining(["SawCompletedJob", "SuccessfulDelete"]));
  });

  it("a Job is made once, even if the function ends before that is noted", async () => {
    const world = await cluster();
    let once = true;
    world.api.intercept(({ verb, kind }) => {
      if (verb !== "update/status" || kind.plural !== "cronjobs" || !once) return;
      once = false;
      throw new Error("the function was ended");
    });
    await minutes(world, 6);
    expect(names(world)).toEqual([jobNameAt("2026-01-01T00:05:00Z")]);
    expect(tidy(world)?.status).toMatchObject({
      active: [{ name: jobNameAt("2026-01-01T00:05:00Z") }],
      lastScheduleTime: "2026-01-01T00:05:00Z",
    });
  });

  it("an active Job that somebody deleted is listed no longer", async () => {
    const world = await cluster();
    await minutes(world, 6);
    await world.api.client.delete(jobs, { namespace: "default", name: names(world)[0] ?? "" });
    await world.reconcile();
    expect(tidy(world)?.status?.active).toBeUndefined();
    expect(said(world)).toContain("MissingJob");
  });

  it("a changed schedule begins with its next time, not with one that has passed", async () => {
    const world = await cluster({ spec: { schedule: "0 12 * * *" } });
    await minutes(world, 7);
    await world.api.client.modify(cronJobs, key, (current) => ({ ...current, spec: { ...current.spec, schedule: "*/5 * * * *" } }));
    await world.reconcile();
    expect(names(world)).toEqual([]);
    await minutes(world, 4);
    expect(names(world)).toEqual([jobNameAt("2026-01-01T00:10:00Z")]);
  });

  it("one that was suspended begins again at once", async () => {
    const world = await cluster({ spec: { suspend: true } });
    await minutes(world, 7);
    expect(names(world)).toEqual([]);
    await world.api.client.modify(cronJobs, key, (current) => ({ ...current, spec: { ...current.spec, suspend: false } }));
    await world.reconcile();
    expect(names(world)).toEqual([jobNameAt("2026-01-01T00:05:00Z")]);
  });

  it("says when a Job cannot be made, and tries again", async () => {
    const world = await cluster();
    let fails = true;
    world.api.intercept(({ verb, kind }) => {
      if (verb === "create" && kind.plural === "jobs" && fails) throw new Error("exceeded quota");
    });
    await minutes(world, 5);
    expect(said(world)).toEqual(["FailedCreate"]);
    fails = false;
    await minutes(world, 1);
    expect(names(world)).toEqual([jobNameAt("2026-01-01T00:05:00Z")]);
  });
});
