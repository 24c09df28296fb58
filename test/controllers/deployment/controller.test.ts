import { describe, expect, it } from "vitest";
import type { Deployment } from "../../../shared/api/generated/types.ts";
import { deployments, events, pods, replicaSets } from "../../../shared/api/kinds.ts";
import { controllerOf } from "../../../shared/api/objects.ts";
import { deploymentController } from "../../../shared/controllers/deployment/controller.ts";
import { replicaSetController } from "../../../shared/controllers/replicaset/controller.ts";
import { StatusError } from "../../../shared/errors/status-error.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aDeployment, aReplicaSet, webTemplate } from "../../support/workloads.ts";

const key = { namespace: "default", name: "web" };
const workloads = () => [deploymentController(), replicaSetController()];

async function deployed(replicas: number, spec: Partial<Deployment["spec"]> = {}): Promise<ReconciledCluster> {
  const cluster = reconciledCluster(workloads());
  await cluster.api.client.create(deployments, aDeployment(replicas, { spec }));
  return cluster;
}

const change = ({ api }: ReconciledCluster, spec: Partial<Deployment["spec"]>) =>
  api.client.modify(deployments, key, (web) => ({ ...web, spec: { ...web.spec, ...spec } }));
const web = ({ api }: ReconciledCluster) => api.get(deployments, "web");
const images = ({ api }: ReconciledCluster) => api.all(pods).map(({ spec }) => spec?.containers[0]?.image);
const progressing = (cluster: ReconciledCluster) => web(cluster)?.status?.conditions?.find(({ type }) => type === "Progressing");

describe("a Deployment", () => {
  it("comes up", async () => {
    const cluster = await deployed(3);
    await cluster.settle();
    expect(web(cluster)?.status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
    const [set] = cluster.api.all(replicaSets);
    expect(progressing(cluster)).toMatchObject({
      reason: "NewReplicaSetAvailable",
      message: `ReplicaSet "${set?.metadata.name}" has successfully progressed.`,
    });
    expect(web(cluster)?.metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "1" });
    for (const { metadata } of cluster.api.all(pods)) {
      expect(metadata).toMatchObject({
        generateName: `${set?.metadata.name}-`,
        labels: { app: "web", "pod-template-hash": expect.any(String) },
      });
    }
  });

  it("takes two rounds to make its Pods", async () => {
    const cluster = await deployed(3);
    await expect(cluster.reconcile()).resolves.toMatchObject({ quiescent: true, rounds: 4 });
    expect(cluster.api.writes.filter((write) => !write.includes("events"))).toEqual([
      "create deployments default/web",
      expect.stringMatching(/^create replicasets default\/web-/),
      "update/status deployments default/web",
      ...Array.from({ length: 3 }, () => expect.stringMatching(/^create pods default\/web-/)),
      expect.stringMatching(/^update\/status replicasets/),
      "update/status deployments default/web",
    ]);
  });

  it("rests once it is up: another look writes nothing", async () => {
    const cluster = await deployed(3);
    await cluster.settle();
    const before = cluster.api.writes.length;
    await cluster.reconcile({ sweep: true });
    expect(cluster.api.writes.length).toBe(before);
  });

  it("rolls out and rolls back", async () => {
    const cluster = await deployed(4);
    await cluster.settle();
    await change(cluster, { template: webTemplate("web:2") });
    await cluster.settle();
    expect(images(cluster)).toEqual(["web:2", "web:2", "web:2", "web:2"]);
    expect(web(cluster)?.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "2" });

    await change(cluster, { template: webTemplate("web:1") });
    await cluster.settle();
    expect(images(cluster)).toEqual(["web:1", "web:1", "web:1", "web:1"]);
    expect(web(cluster)?.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "3" });
    expect(cluster.api.all(replicaSets)).toHaveLength(2);
  });

  it("never has more Pods than replicas and surge, nor fewer available than it may", async () => {
    const cluster = await deployed(10, { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } } });
    await cluster.settle();
    await change(cluster, { template: webTemplate("web:2") });
    for (let step = 0; step < 60; step++) {
      await cluster.reconcile();
      const all = cluster.api.all(pods).filter(({ metadata }) => !metadata.deletionTimestamp);
      const ready = all.filter(({ status }) => status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True"));
      expect(all.length).toBeLessThanOrEqual(12);
      expect(ready.length).toBeGreaterThanOrEqual(9);
      let budget = 1;
      // New Pods become ready one at a time.
      await cluster.kubelet((pod) => (pod.status?.phase === "Running" || budget-- > 0 ? "ready" : "pending"));
    }
    expect(new Set(images(cluster))).toEqual(new Set(["web:2"]));
  });

  it("recreates: no Pod of two templates at a time", async () => {
    const cluster = await deployed(2, { strategy: { type: "Recreate" } });
    await cluster.settle();
    await change(cluster, { template: webTemplate("web:2") });
    await cluster.reconcile();
    expect(new Set(images(cluster))).toEqual(new Set(["web:1"]));
    await cluster.kubelet();
    await cluster.reconcile();
    expect(images(cluster)).toEqual(["web:2", "web:2"]);
  });

  it("gives up when Pods do not come up within the deadline", async () => {
    const cluster = await deployed(1, { progressDeadlineSeconds: 30 });
    const { again } = await cluster.reconcile();
    expect(again).toBeUndefined();
    expect(progressing(cluster)).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
  });

  it("asks to be looked at again when its deadline is far", async () => {
    const cluster = await deployed(1);
    const { again } = await cluster.reconcile();
    expect(again).toEqual(new Date("2026-01-01T00:10:01Z"));
  });

  it("says why no Pod can be made, and tries again", async () => {
    const cluster = await deployed(1);
    let forbidden = true;
    cluster.api.intercept(({ verb, kind }) => {
      if (forbidden && verb === "create" && kind.plural === "pods") throw new StatusError("Forbidden", "exceeded quota: small");
    });
    const running = cluster.reconcile();
    await cluster.clock.advance(2_000);
    expect(web(cluster)?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota: small" }),
    );
    forbidden = false;
    await running;
    await cluster.settle();
    expect(web(cluster)?.status?.conditions?.map(({ type }) => type)).toEqual(["Available", "Progressing"].toSorted());
    expect(cluster.api.all(events)).toContainEqual(
      expect.objectContaining({ reason: "FailedCreate", message: "Error creating: exceeded quota: small" }),
    );
  });

  it("adopts ReplicaSets that it selects and releases those that it does not", async () => {
    const cluster = await deployed(1);
    await cluster.api.client.create(replicaSets, aReplicaSet(1, { metadata: { name: "orphan" } }));
    await cluster.reconcile();
    expect(controllerOf(cluster.api.get(replicaSets, "orphan") as never)?.name).toBe("web");
    await cluster.api.client.modify(replicaSets, { ...key, name: "orphan" }, (set) => ({
      ...set,
      metadata: { ...set.metadata, labels: { app: "other" } },
    }));
    await cluster.reconcile();
    expect(controllerOf(cluster.api.get(replicaSets, "orphan") as never)).toBeUndefined();
  });

  it("shows its scaling in events", async () => {
    const cluster = await deployed(2);
    await cluster.settle();
    const name = cluster.api.all(replicaSets)[0]?.metadata.name;
    expect(cluster.api.all(events).filter(({ involvedObject }) => involvedObject.kind === "Deployment")).toMatchObject([
      {
        type: "Normal",
        reason: "ScalingReplicaSet",
        message: `Scaled up replica set ${name} from 0 to 2`,
        source: { component: "deployment-controller" },
        count: 1,
      },
    ]);
  });
});

describe("trap 24: order of commits", () => {
  it("observedGeneration follows the children, and does not when they could not be written", async () => {
    const cluster = await deployed(1);
    await cluster.settle();
    await change(cluster, { template: webTemplate("web:2") });
    let down = true;
    cluster.api.intercept(({ kind }) => {
      if (down && kind.plural === "replicasets") throw new StatusError("ServiceUnavailable", "down");
    });
    const running = cluster.reconcile();
    await cluster.clock.advance(10_000);
    expect(web(cluster)?.status?.observedGeneration).toBe(1);
    down = false;
    await running;
    await cluster.settle();
    expect(web(cluster)?.status?.observedGeneration).toBe(2);
  });

  it("a status that somebody else wrote wakes the controller, which puts its own fields right and leaves the others", async () => {
    const cluster = await deployed(1);
    await cluster.settle();
    const foreign = { type: "StatusUpdate", status: "True", reason: "E2E", message: "set from outside" };
    await cluster.api.client.modify(
      deployments,
      key,
      (current) => ({
        ...current,
        status: { ...current.status, readyReplicas: 99, conditions: [...(current.status?.conditions ?? []), foreign] },
      }),
      { subresource: "status" },
    );
    await cluster.reconcile();
    expect(web(cluster)?.status).toMatchObject({ readyReplicas: 1 });
    expect(web(cluster)?.status?.conditions).toContainEqual(foreign);
  });
});

describe("F4: reconciler chains over three logs", () => {
  it("two managers at once never make more Pods than replicas and surge", async () => {
    const first = await deployed(5);
    const second = reconciledCluster(workloads(), first);
    for (let step = 0; step < 20; step++) {
      if (step === 6) await change(first, { template: webTemplate("web:2") });
      if (step === 12) await change(first, { replicas: 3 });
      const limit = (web(first)?.spec.replicas ?? 0) + 2 + (step >= 12 ? 4 : 0);
      await Promise.all([first.reconcile(), second.reconcile()]);
      expect(first.api.all(pods).filter(({ metadata }) => !metadata.deletionTimestamp).length).toBeLessThanOrEqual(limit);
      await first.kubelet();
    }
    expect(images(first)).toEqual(["web:2", "web:2", "web:2"]);
    expect(first.api.all(replicaSets).filter(({ spec }) => spec.replicas !== 0)).toHaveLength(1);
  });

  it("a crash between any two writes heals", async () => {
    for (let crash = 1; crash < 40; crash++) {
      const cluster = await deployed(3);
      await cluster.settle();
      await change(cluster, { template: webTemplate("web:2") });
      let writes = 0;
      cluster.api.intercept(() => {
        if (++writes >= crash) throw new Error("the process is gone");
      });
      await cluster.reconcile();
      cluster.api.intercept(() => {});
      const successor = reconciledCluster(workloads(), cluster);
      await successor.settle();
      expect(images(cluster)).toEqual(["web:2", "web:2", "web:2"]);
      expect(web(cluster)?.status).toMatchObject({ observedGeneration: 2, availableReplicas: 3 });
      if (writes < crash) return;
    }
    throw new Error("the rollout never ended without a crash");
  });
});
