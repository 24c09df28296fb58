/** Builders of CronJobs and their Jobs. */
import type { CronJob, Job } from "../../shared/api/generated/types.ts";
import type { ObjectMeta } from "../../shared/api/objects.ts";
import { meta, ownedBy } from "./workloads.ts";

export interface CronJobGiven {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<CronJob["spec"]>;
  readonly status?: CronJob["status"];
}

/** Due every five minutes, made at midnight; as the server defaults it. */
export const aCronJob = (given: CronJobGiven = {}): CronJob => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: meta("tidy", given.metadata),
  spec: {
    schedule: "*/5 * * * *",
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
    jobTemplate: {
      metadata: { labels: { app: "tidy" }, annotations: { note: "kept" } } as unknown as ObjectMeta,
      spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "tidy", image: "tidy:1" }] } } },
    },
    ...given.spec,
  },
  ...(given.status && { status: given.status }),
});

/** Name of the Job of a time. */
export const jobNameAt = (time: string): string => `tidy-${Date.parse(time) / 60_000}`;

export interface JobGiven {
  readonly name?: string;
  /** How it ended; it runs when absent. */
  readonly ended?: "Complete" | "Failed";
  readonly startTime?: string;
  readonly completionTime?: string;
}

/** The Job of a time. */
export const aJobAt = (owner: CronJob, time: string, given: JobGiven = {}): Job => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: meta(given.name ?? jobNameAt(time), { ownerReferences: [ownedBy(owner)] }),
  spec: { template: {} },
  status: {
    startTime: given.startTime ?? time,
    ...(given.completionTime && { completionTime: given.completionTime }),
    ...(given.ended && { conditions: [{ type: given.ended, status: "True" }] }),
  },
});

/** How a CronJob lists a running Job. */
export const activeReference = ({ metadata }: Job) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  name: metadata.name,
  namespace: metadata.namespace,
  uid: metadata.uid,
});
