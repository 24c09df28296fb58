import { describe, expect, it } from "vitest";
import type { Job, JobSpec, Pod } from "../../../shared/api/generated/types.ts";
import { events, jobs, pods } from "../../../shared/api/kinds.ts";
import { jobController } from "../../../shared/controllers/job/controller.ts";
import { formatIndexes, indexOf, parseIndexes } from "../../../shared/controllers/job/indexes.ts";
import { planJob } from "../../../shared/controllers/job/plan.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aPod, meta, webTemplate } from "../../support/workloads.ts";

const key = { namespace: "default", name: "sum" };
const finalizer = "batch.kubernetes.io/job-tracking";

const aJob = (spec: Partial<JobSpec> = {}): Job => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: meta("sum"),
  spec: {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    selector: { matchLabels: { job: "sum" } },
    template: { ...webTemplate("sum:1", { job: "sum" }), spec: { containers: [{ name: "sum", image: "sum:1" }], restartPolicy: "Never" } },
    ...spec,
  },
});

async function started(spec: Partial<JobSpec> = {}): Promise<ReconciledCluster> {
  const cluster = reconciledCluster([jobController()]);
  await cluster.api.client.create(jobs, aJob(spec));
  return cluster;
}

const sum = ({ api }: ReconciledCluster) => api.get(jobs, "sum");
const status = (cluster: ReconciledCluster) => sum(cluster)?.status;
const condition = (cluster: ReconciledCluster, type: string) => status(cluster)?.conditions?.find((one) => one.type === type);
const running = ({ api }: ReconciledCluster) => api.all(pods).filter((pod) => !["Succeeded", "Failed"].includes(pod.status?.phase ?? ""));
const change = ({ api }: ReconciledCluster, spec: Partial<JobSpec>) =>
  api.client.modify(jobs, key, (job) => ({ ...job, spec: { ...job.spec, ...spec } }));

describe("a Job", () => {
  it("runs to completion, as many Pods at a time as it may", async () => {
    const cluster = await started({ completions: 5, parallelism: 2 });
    await cluster.reconcile();
    expect(running(cluster)).toHaveLength(2);
    expect(status(cluster)).toMatchObject({ active: 2, ready: 0, startTime: "2026-01-01T00:00:00Z" });
    await cluster.kubelet(() => "succeeded");
    await cluster.reconcile();
    expect(running(cluster)).toHaveLength(2);
    await cluster.settle(() => "succeeded");
    expect(status(cluster)).toMatchObject({ succeeded: 5, ready: 0, completionTime: expect.any(String), uncountedTerminatedPods: {} });
    expect(status(cluster)).not.toHaveProperty("active");
    expect(status(cluster)?.conditions).toMatchObject([
      { type: "SuccessCriteriaMet", status: "True", reason: "CompletionsReached" },
      { type: "Complete", status: "True", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" },
    ]);
    expect(cluster.api.all(events)).toContainEqual(
      expect.objectContaining({ type: "Normal", reason: "Completed", message: "Job completed" }),
    );
    expect(cluster.api.all(pods).some(({ metadata }) => metadata.finalizers?.includes(finalizer))).toBe(false);
  });

  it("rests when it is over", async () => {
    const cluster = await started();
    await cluster.settle(() => "succeeded");
    const before = cluster.api.writes.length;
    await cluster.reconcile({ sweep: true });
    expect(cluster.api.writes.length).toBe(before);
  });

  it("without completions is done when one Pod succeeded and the others have ended", async () => {
    const cluster = await started({ completions: undefined, parallelism: 3 });
    await cluster.reconcile();
    const [first] = cluster.api.all(pods);
    await cluster.kubelet((pod) => (pod.metadata.name === first?.metadata.name ? "succeeded" : "running"));
    await cluster.reconcile();
    expect(running(cluster)).toHaveLength(2);
    expect(condition(cluster, "Complete")).toBeUndefined();
    await cluster.settle(() => "succeeded");
    expect(status(cluster)).toMatchObject({ succeeded: 3 });
    expect(condition(cluster, "Complete")?.status).toBe("True");
  });

  it("waits longer after every failure, and gives up after backoffLimit", async () => {
    const cluster = await started({ backoffLimit: 2 });
    const times: string[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      await cluster.reconcile();
      times.push(cluster.clock.now().toISOString().slice(14, 19));
      await cluster.kubelet(() => "failed");
    }
    await cluster.settle(() => "failed");
    // Ten seconds after the first failure, twenty after the second.
    expect(times).toEqual(["00:00", "00:10", "00:30"]);
    expect(cluster.api.all(pods)).toHaveLength(3);
    expect(status(cluster)).toMatchObject({ failed: 3 });
    expect(condition(cluster, "Failed")).toMatchObject({
      status: "True",
      reason: "BackoffLimitExceeded",
      message: "Job has reached the specified backoff limit",
    });
    expect(condition(cluster, "FailureTarget")).toMatchObject({ status: "True", reason: "BackoffLimitExceeded" });
  });

  it("ends its Pods when its time is up", async () => {
    const cluster = await started({ activeDeadlineSeconds: 40, parallelism: 2, completions: 2 });
    await cluster.settle(() => "running");
    expect(cluster.clock.now().getTime()).toBeGreaterThanOrEqual(Date.parse("2026-01-01T00:00:40Z"));
    expect(condition(cluster, "Failed")).toMatchObject({
      reason: "DeadlineExceeded",
      message: "Job was active longer than specified deadline",
    });
    expect(running(cluster)).toEqual([]);
  });

  it("can be suspended and resumed; Pods that were taken back do not count as failed", async () => {
    const cluster = await started({ parallelism: 2, completions: 2 });
    await cluster.settle(() => "running");
    await change(cluster, { suspend: true });
    await cluster.settle(() => "running");
    expect(running(cluster)).toEqual([]);
    expect(condition(cluster, "Suspended")).toMatchObject({ status: "True", reason: "JobSuspended", message: "Job suspended" });
    expect(status(cluster)).not.toHaveProperty("startTime");

    await cluster.clock.advance(60_000);
    await change(cluster, { suspend: false });
    await cluster.settle(() => "running");
    expect(condition(cluster, "Suspended")).toMatchObject({ status: "False", reason: "JobResumed" });
    expect(status(cluster)).toMatchObject({ active: 2, startTime: "2026-01-01T00:01:00Z" });
    await cluster.settle(() => "succeeded");
    expect(status(cluster)).toMatchObject({ succeeded: 2 });
    expect(status(cluster)).not.toHaveProperty("failed");
  });

  it("takes Pods back when it is to run fewer", async () => {
    const cluster = await started({ parallelism: 4, completions: 4 });
    await cluster.settle(() => "running");
    await change(cluster, { parallelism: 1 });
    await cluster.settle(() => "running");
    expect(running(cluster)).toHaveLength(1);
    expect(status(cluster)).not.toHaveProperty("failed");
  });

  it("counts Pods that were deleted as soon as they had finished", async () => {
    const cluster = await started({ parallelism: 3, completions: 3 });
    await cluster.reconcile();
    await cluster.kubelet(() => "succeeded");
    for (const pod of cluster.api.all(pods))
      await cluster.api.client.delete(pods, { namespace: "default", name: pod.metadata.name }, { gracePeriodSeconds: 0 });
    await cluster.settle(() => "succeeded");
    expect(status(cluster)).toMatchObject({ succeeded: 3 });
    expect(cluster.api.all(pods)).toEqual([]);
  });

  it("is deleted some time after it is over", async () => {
    const cluster = await started({ ttlSecondsAfterFinished: 30 });
    await cluster.reconcile();
    await cluster.kubelet(() => "succeeded");
    await cluster.reconcile();
    expect(sum(cluster)?.metadata.finalizers).toEqual(["foregroundDeletion"]);
    expect(cluster.clock.now().getTime()).toBe(Date.parse("2026-01-01T00:00:30Z"));
  });

  it("lets its Pods go when it is gone", async () => {
    const cluster = await started();
    await cluster.reconcile();
    await cluster.api.client.delete(jobs, key);
    await cluster.reconcile();
    expect(cluster.api.all(pods).map(({ metadata }) => metadata.finalizers)).toEqual([[]]);
  });

  it("is left to whoever manages it", async () => {
    const cluster = await started({ managedBy: "example.com/queue" });
    await cluster.reconcile();
    expect(cluster.api.all(pods)).toEqual([]);
  });

  it("says which of its fields have no effect yet", async () => {
    const cluster = await started({ successPolicy: { rules: [] } });
    await cluster.reconcile();
    expect(cluster.api.all(events)).toContainEqual(
      expect.objectContaining({ reason: "FieldsIgnored", message: "Binnacle does not act on spec.successPolicy yet" }),
    );
  });
});

describe("podFailurePolicy", () => {
  const failing = (exitCode: number): Pod => {
    const pod = aPod({ owner: aJob(), phase: "Failed", metadata: { name: "sum-1", labels: { job: "sum" }, finalizers: [finalizer] } });
    const state = { terminated: { exitCode, finishedAt: "2026-01-01T00:00:00Z" } };
    return {
      ...pod,
      status: { ...pod.status, containerStatuses: [{ name: "sum", image: "sum:1", imageID: "", ready: false, restartCount: 0, state }] },
    };
  };
  const job = aJob({
    podFailurePolicy: {
      rules: [
        { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
        { action: "Ignore", onExitCodes: { operator: "In", values: [143] } },
      ],
    },
  });
  const plan = (pod: Pod) =>
    planJob({ job, owned: [pod], orphans: [], revision: 1, taken: () => false, now: new Date("2026-01-01T01:00:00Z") });

  it("can fail the Job at once", () => {
    expect(plan(failing(42)).status?.conditions).toMatchObject([
      {
        type: "FailureTarget",
        reason: "PodFailurePolicy",
        message: "Container sum for pod default/sum-1 failed with exit code 42 matching FailJob rule at index 0",
      },
    ]);
  });

  it("can leave a failure uncounted", () => {
    const { status: next, unpin } = plan(failing(143));
    expect(next?.uncountedTerminatedPods).toEqual({});
    expect(unpin).toHaveLength(1);
  });

  it("otherwise counts", () => {
    expect(plan(failing(1)).status?.uncountedTerminatedPods).toEqual({ failed: ["uid-of-sum-1"] });
  });
});

describe("an Indexed Job", () => {
  it("runs every index once, and again where it failed", async () => {
    const cluster = await started({ completionMode: "Indexed", completions: 4, parallelism: 2 });
    await cluster.reconcile();
    expect(cluster.api.all(pods).map(indexOf)).toEqual([0, 1]);
    expect(cluster.api.all(pods)[1]).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^sum-1-.{5}$/),
        generateName: "sum-1-",
        labels: { "batch.kubernetes.io/job-completion-index": "1" },
        annotations: { "batch.kubernetes.io/job-completion-index": "1" },
      },
      spec: { hostname: "sum-1", containers: [{ env: [{ name: "JOB_COMPLETION_INDEX" }] }] },
    });
    let failures = 1;
    await cluster.settle((pod) => (indexOf(pod) === 1 && failures-- > 0 ? "failed" : "succeeded"));
    expect(status(cluster)).toMatchObject({ succeeded: 4, failed: 1, completedIndexes: "0-3" });
    expect(condition(cluster, "Complete")?.status).toBe("True");
  });

  it.each([
    ["", []],
    ["0", [0]],
    ["0,1", [0, 1]],
    ["0-2,5,7,8", [0, 1, 2, 5, 7, 8]],
  ])("writes indexes as %j", (text, indexes) => {
    expect(formatIndexes(new Set(indexes))).toBe(text);
    expect([...parseIndexes(text)]).toEqual(indexes);
  });
});

describe("F4: a crash between any two writes", () => {
  it("neither loses nor repeats a completion", async () => {
    for (let crash = 1; crash < 60; crash++) {
      const cluster = await started({ completions: 3, parallelism: 2 });
      let writes = 0;
      for (let step = 0; step < 6; step++) {
        cluster.api.intercept(() => {
          if (++writes >= crash) throw new Error("the process is gone");
        });
        await cluster.reconcile();
        cluster.api.intercept(() => {});
        await cluster.kubelet(() => "succeeded");
      }
      const successor = reconciledCluster([jobController()], cluster);
      await successor.settle(() => "succeeded");
      expect(status(cluster)).toMatchObject({ succeeded: 3 });
      expect(cluster.api.all(pods).filter((pod) => pod.status?.phase === "Succeeded")).toHaveLength(3);
      if (writes < crash) return;
    }
    throw new Error("the Job never ended without a crash");
  });
});
