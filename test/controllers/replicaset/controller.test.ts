import { describe, expect, it } from "vitest";
import { events, pods, replicaSets } from "../../../shared/api/kinds.ts";
import { controllerOf } from "../../../shared/api/objects.ts";
import { replicaSetController } from "../../../shared/controllers/replicaset/controller.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aPod, aReplicaSet, ownedBy } from "../../support/workloads.ts";

const key = { namespace: "default", name: "web" };

async function replicated(replicas: number): Promise<ReconciledCluster> {
  const cluster = reconciledCluster([replicaSetController()]);
  await cluster.api.client.create(replicaSets, aReplicaSet(replicas));
  return cluster;
}

const scale = ({ api }: ReconciledCluster, replicas: number) =>
  api.client.modify(replicaSets, key, (set) => ({ ...set, spec: { ...set.spec, replicas } }));
const web = ({ api }: ReconciledCluster) => api.get(replicaSets, "web");

describe("a ReplicaSet at work", () => {
  it("makes its Pods in one go and says so", async () => {
    const cluster = await replicated(3);
    await cluster.settle();
    expect(web(cluster)?.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      fullyLabeledReplicas: 3,
      observedGeneration: 1,
    });
    expect(cluster.api.all(events).map(({ reason, message }) => `${reason} ${message}`)).toEqual(
      cluster.api.all(pods).map(({ metadata }) => `SuccessfulCreate Created pod: ${metadata.name}`),
    );
  });

  it("replaces a Pod that is deleted, under another name", async () => {
    const cluster = await replicated(1);
    await cluster.settle();
    const [before] = cluster.api.all(pods);
    await cluster.api.client.delete(pods, { namespace: "default", name: before?.metadata.name ?? "" });
    await cluster.settle();
    const [after] = cluster.api.all(pods);
    expect(cluster.api.all(pods)).toHaveLength(1);
    expect(after?.metadata.name).not.toBe(before?.metadata.name);
  });

  it("adopts what it selects, and releases what it no longer does", async () => {
    const cluster = await replicated(1);
    await cluster.api.client.create(pods, aPod({ metadata: { name: "orphan" } }));
    await cluster.settle();
    expect(cluster.api.all(pods).map(({ metadata }) => metadata.name)).toEqual(["orphan"]);
    await cluster.api.client.modify(pods, { namespace: "default", name: "orphan" }, (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, labels: { app: "debug" } },
    }));
    await cluster.settle();
    expect(cluster.api.all(pods)).toHaveLength(2);
    expect(controllerOf(cluster.api.get(pods, "orphan") as never)).toBeUndefined();
  });

  it("adopts nothing once it is being deleted, whatever the cache says", async () => {
    const cluster = await replicated(1);
    await cluster.settle();
    await cluster.api.client.create(pods, aPod({ metadata: { name: "orphan" } }));
    await cluster.api.client.modify(replicaSets, key, (set) => ({
      ...set,
      metadata: { ...set.metadata, finalizers: ["example.com/hold"] },
    }));
    await cluster.api.client.delete(replicaSets, key);
    const { feed } = cluster.api;
    const before = await feed.read(replicaSets, undefined, { consistent: true });
    const alive = "all" in before ? before.all.map((set) => ({ ...set, metadata: { ...set.metadata, deletionTimestamp: undefined } })) : [];
    const behind = reconciledCluster([replicaSetController()], {
      clock: cluster.clock,
      api: {
        ...cluster.api,
        feed: {
          read: (kind, ...rest) =>
            kind.plural === "replicasets" ? Promise.resolve({ all: alive as never, revision: 1 }) : feed.read(kind, ...rest),
        },
      },
    });
    await behind.reconcile();
    expect(controllerOf(cluster.api.get(pods, "orphan") as never)).toBeUndefined();
  });

  it("counts Pods as available after minReadySeconds, without being told", async () => {
    const cluster = await replicated(1);
    await cluster.api.client.modify(replicaSets, key, (set) => ({ ...set, spec: { ...set.spec, minReadySeconds: 45 } }));
    await cluster.reconcile();
    await cluster.kubelet();
    const readyAt = cluster.clock.now().getTime();
    await cluster.reconcile();
    expect(web(cluster)?.status).toMatchObject({ readyReplicas: 1, availableReplicas: 1 });
    expect(cluster.clock.now().getTime()).toBe(readyAt + 45_000);
  });
});

describe("trap 30: who ends a Pod", () => {
  it("a ReplicaSet only asks for it: the Pod goes when the kubelet has ended it", async () => {
    const cluster = await replicated(2);
    await cluster.settle();
    await scale(cluster, 1);
    await cluster.reconcile();
    expect(new Set(cluster.api.all(pods).map(({ metadata }) => metadata.deletionGracePeriodSeconds))).toEqual(new Set([30, undefined]));
    expect(web(cluster)?.status).toMatchObject({ replicas: 1, terminatingReplicas: 1 });
    await cluster.settle();
    expect(cluster.api.all(pods)).toHaveLength(1);
    expect(web(cluster)?.status).toMatchObject({ terminatingReplicas: 0 });
  });
});

const count = ({ api }: ReconciledCluster, verb: string) => api.writes.filter((write) => write.startsWith(`${verb} pods`)).length;

describe("rule 23: a batch carries what its plan has read", () => {
  it("a Pod that appeared meanwhile voids the plan: it is made again, over the newer state", async () => {
    const cluster = await replicated(2);
    let once = true;
    cluster.api.intercept(async ({ verb, kind }) => {
      if (verb !== "create" || kind.plural !== "pods" || !once) return;
      once = false;
      const owner = web(cluster);
      if (owner) await cluster.api.client.create(pods, aPod({ metadata: { name: "meanwhile", ownerReferences: [ownedBy(owner)] } }));
    });
    await cluster.settle();
    expect(cluster.api.all(pods)).toHaveLength(2);
    expect(count(cluster, "delete")).toBe(0);
  });

  it("so does one that went: nothing more is deleted than is too much", async () => {
    const cluster = await replicated(3);
    await cluster.settle();
    await scale(cluster, 2);
    let once = true;
    cluster.api.intercept(async ({ verb, key: { name }, kind }) => {
      if (verb !== "delete" || kind.plural !== "pods" || !once) return;
      once = false;
      const other = cluster.api.all(pods).find(({ metadata }) => metadata.name !== name);
      await cluster.api.client.delete(pods, { namespace: "default", name: other?.metadata.name ?? "" });
    });
    await cluster.reconcile();
    expect(cluster.api.all(pods).filter(({ metadata }) => !metadata.deletionTimestamp)).toHaveLength(2);
    expect(count(cluster, "create")).toBe(3);
  });
});
