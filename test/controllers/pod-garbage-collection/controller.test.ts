import { describe, expect, it } from "vitest";
import { nodes, pods } from "../../../shared/api/kinds.ts";
import { podGarbageCollector } from "../../../shared/controllers/pod-garbage-collection/controller.ts";
import { failedByLoss } from "../../../shared/controllers/pod-garbage-collection/plan.ts";
import { aNode, aWorkPod } from "../../support/nodes.ts";
import { reconciledCluster } from "../../support/reconciled-cluster.ts";

const names = (cluster: ReturnType<typeof reconciledCluster>) => cluster.api.all(pods).map(({ metadata }) => metadata.name);

async function clusterWith(...present: string[]) {
  const cluster = reconciledCluster([podGarbageCollector()]);
  for (const name of present) await cluster.api.client.create(nodes, aNode({ name }));
  return cluster;
}

describe("a Pod whose Node does not exist", () => {
  it("is removed after 40 seconds, failed; others stay", async () => {
    const cluster = await clusterWith("node-1");
    const { api, clock } = cluster;
    await api.client.create(pods, aWorkPod({ name: "here", nodeName: "node-1" }));
    await api.client.create(pods, aWorkPod({ name: "nowhere", nodeName: "node-9" }));
    await api.client.create(pods, aWorkPod({ name: "waiting" }));
    const began = clock.now().getTime();
    await cluster.reconcile();
    if (names(cluster).includes("nowhere")) {
      await clock.advance(began + 40_000 - clock.now().getTime());
      await cluster.reconcile();
    }
    expect(clock.now().getTime() - began).toBeGreaterThanOrEqual(40_000);
    expect(names(cluster)).toEqual(["here", "waiting"]);
    expect(api.writes.filter((write) => write.endsWith("default/nowhere"))).toEqual(
      ["create", "update/status", "delete"].map((verb) => `${verb} pods default/nowhere`),
    );
  });

  it("is spared when the Node comes in time", async () => {
    const cluster = await clusterWith();
    const { api, clock } = cluster;
    await api.client.create(pods, aWorkPod({ name: "early", nodeName: "node-1" }));
    await api.client.create(nodes, aNode({ name: "node-1" }));
    await cluster.reconcile();
    await clock.advance(60_000);
    await cluster.reconcile({ sweep: true });
    expect(names(cluster)).toEqual(["early"]);
  });

  it("goes with a Node that is deleted, also when it is being deleted itself", async () => {
    const cluster = await clusterWith("node-1");
    const { api, clock } = cluster;
    await api.client.create(pods, aWorkPod({ name: "running", nodeName: "node-1" }));
    await api.client.create(pods, aWorkPod({ name: "leaving", nodeName: "node-1" }));
    await cluster.reconcile();
    await api.client.delete(nodes, { namespace: "", name: "node-1" });
    await api.client.delete(pods, { namespace: "default", name: "leaving" });
    await cluster.reconcile();
    await clock.advance(60_000);
    await cluster.reconcile();
    expect(names(cluster)).toEqual([]);
  });
});

describe("what is written before", () => {
  const now = new Date("2026-01-01T00:00:00Z");

  it("says that the Pod failed, and why", () => {
    const failed = failedByLoss(aWorkPod({ status: { phase: "Running" } }), now);
    expect(failed.status).toMatchObject({
      phase: "Failed",
      conditions: [{ type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC", lastTransitionTime: "2026-01-01T00:00:00Z" }],
    });
    expect(failedByLoss(failed, now)).toBe(failed);
  });

  it("is nothing when it had ended", () => {
    const done = aWorkPod({ status: { phase: "Succeeded" } });
    expect(failedByLoss(done, now)).toBe(done);
  });
});
