import { describe, expect, it } from "vitest";
import { controllerRevisions, daemonSets, events, nodes, pods } from "../../../shared/api/kinds.ts";
import { controllerOf } from "../../../shared/api/objects.ts";
import { daemonSetController } from "../../../shared/controllers/daemonset/controller.ts";
import { aDaemonSet, type DaemonSetGiven } from "../../support/daemons.ts";
import { aNode } from "../../support/nodes.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aPod, webTemplate } from "../../support/workloads.ts";

const key = { namespace: "default", name: "agent" };

async function cluster(given: DaemonSetGiven = {}): Promise<ReconciledCluster> {
  const world = reconciledCluster([daemonSetController()]);
  for (const name of ["node-1", "node-2"]) await world.api.client.create(nodes, aNode({ name }));
  await world.api.client.create(daemonSets, aDaemonSet(given));
  return world;
}

const agent = ({ api }: ReconciledCluster) => api.get(daemonSets, "agent");
const images = ({ api }: ReconciledCluster) => api.all(pods).map(({ spec }) => spec.containers[0]?.image);
const said = ({ api }: ReconciledCluster) => api.all(events).map(({ reason }) => reason);

/** The stand-in for scheduler and kubelet binds every Pod to `node-1`; here each goes where it is tied to. */
async function settle(world: ReconciledCluster): Promise<void> {
  for (let step = 0; step < 20; step++) {
    const before = world.api.writes.length;
    await world.reconcile();
    for (const pod of world.api.all(pods)) {
      const target =
        pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]
          ?.values?.[0];
      if (!pod.spec.nodeName && target) await world.api.client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: target } });
    }
    await world.kubelet();
    if (world.api.writes.length === before) return;
  }
  throw new Error("the cluster does not come to rest");
}

describe("a DaemonSet at work", () => {
  it("puts a Pod on each Node, ties it there, and says so", async () => {
    const world = await cluster();
    await settle(world);
    expect(world.api.all(pods).map(({ spec }) => spec.nodeName)).toEqual(["node-1", "node-2"]);
    expect(world.api.all(pods)[0]).toMatchObject({
      metadata: { generateName: "agent-", labels: { "controller-revision-hash": expect.any(String) as string } },
      spec: {
        tolerations: expect.arrayContaining([{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" }]) as never,
      },
    });
    expect(agent(world)?.status).toMatchObject({ desiredNumberScheduled: 2, numberReady: 2, numberAvailable: 2, observedGeneration: 1 });
    expect(said(world)).toEqual(["SuccessfulCreate", "SuccessfulCreate"]);
  });

  it("follows Nodes that come, change and go", async () => {
    const world = await cluster({ spec: { template: { ...webTemplate(), spec: { containers: [{ name: "web", image: "web:1" }] } } } });
    await settle(world);
    await world.api.client.create(nodes, aNode({ name: "node-3" }));
    await settle(world);
    expect(world.api.all(pods)).toHaveLength(3);
    await world.api.client.modify(nodes, { namespace: "", name: "node-3" }, (node) => ({
      ...node,
      spec: { ...node.spec, taints: [{ key: "mine", effect: "NoExecute" }] },
    }));
    await settle(world);
    expect(world.api.all(pods).map(({ spec }) => spec.nodeName)).toEqual(["node-1", "node-2"]);
  });

  it("rolls out, is rolled back, and keeps the history that kubectl shows", async () => {
    const world = await cluster();
    await settle(world);
    for (const [image, revisions] of [
      ["web:2", [1, 2]],
      ["web:1", [3, 2]],
    ] as const) {
      await world.api.client.modify(daemonSets, key, (set) => ({ ...set, spec: { ...set.spec, template: webTemplate(image) } }));
      await settle(world);
      expect(images(world)).toEqual([image, image]);
      expect(agent(world)?.status).toMatchObject({ updatedNumberScheduled: 2, numberAvailable: 2 });
      expect(world.api.all(controllerRevisions).map(({ revision }) => revision)).toEqual(revisions);
    }
  });

  it("adopts what it selects", async () => {
    const world = await cluster();
    await world.api.client.create(pods, aPod({ metadata: { name: "orphan" }, nodeName: "node-1" }));
    await world.reconcile();
    expect(controllerOf(world.api.get(pods, "orphan") as never)?.name).toBe("agent");
  });

  it("leaves failing Pods alone for longer and longer", async () => {
    const world = await cluster();
    await world.reconcile();
    const failing = async () => {
      for (const pod of world.api.all(pods)) {
        if (!pod.metadata.deletionTimestamp) await world.api.client.updateStatus(pods, { ...pod, status: { phase: "Failed" } });
      }
    };
    const times: number[] = [];
    for (let round = 0; round < 4; round++) {
      const before = world.clock.now().getTime();
      await failing();
      await world.reconcile();
      times.push(world.clock.now().getTime() - before);
    }
    expect(times[3]).toBeGreaterThan(times[1] ?? 0);
    expect(said(world)).toContain("FailedDaemonPod");
  });

  it("comes to rest: a sweep writes nothing", async () => {
    const world = await cluster();
    await settle(world);
    const before = world.api.writes.length;
    await world.reconcile({ sweep: true });
    expect(world.api.writes).toHaveLength(before);
  });
});

describe("trap 28: heartbeats wake nothing", () => {
  it("a Node whose labels and taints stay as they are concerns nobody", async () => {
    const world = await cluster();
    await settle(world);
    const node = world.api.get(nodes, "node-1");
    if (node) await world.api.client.updateStatus(nodes, { ...node, status: { ...node.status, conditions: [] } });
    await expect(world.reconcile()).resolves.toMatchObject({ rounds: 0 });
  });
});
