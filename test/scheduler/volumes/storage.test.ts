import { describe, expect, it } from "vitest";
import * as kinds from "../../../shared/api/kinds.ts";
import { schedulerController } from "../../../shared/scheduler/controller.ts";
import { storageState } from "../../../shared/scheduler/volumes/storage.ts";
import { aNode, aWorkPod } from "../../support/nodes.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aClass, aVolume, aVolumeClaim, late } from "../../support/volumes.ts";

async function cluster(): Promise<ReconciledCluster> {
  const world = reconciledCluster([schedulerController()]);
  await world.api.client.create(kinds.nodes, aNode());
  await world.api.client.create(kinds.storageClasses, aClass("local", late));
  await world.api.client.create(kinds.persistentVolumeClaims, aVolumeClaim());
  return world;
}

const user = aWorkPod({ spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] } });
const bindings = ({ api }: ReconciledCluster) => api.writes.filter((write) => write.startsWith("create/binding"));

describe("the scheduler at work on claims", () => {
  it("writes the chosen Node on the claim, and binds the Pod when the claim is bound", async () => {
    const world = await cluster();
    await world.api.client.create(kinds.pods, user);
    await world.reconcile();
    const claim = world.api.get(kinds.persistentVolumeClaims, "data");
    expect(claim?.metadata.annotations).toEqual({ "volume.kubernetes.io/selected-node": "node-1" });
    expect(bindings(world)).toEqual([]);

    await world.api.client.create(kinds.persistentVolumes, aVolume("pv-1"));
    await world.api.client.modify(kinds.persistentVolumeClaims, { namespace: "default", name: "data" }, (current) => ({
      ...current,
      metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, "pv.kubernetes.io/bind-completed": "yes" } },
      spec: { ...current.spec, volumeName: "pv-1" },
    }));
    await world.reconcile();
    expect(bindings(world)).toHaveLength(1);
  });

  it("reserves a volume that is there for the claim", async () => {
    const world = await cluster();
    await world.api.client.create(kinds.persistentVolumes, aVolume("pv-1"));
    const created = world.api.get(kinds.persistentVolumes, "pv-1");
    if (created) await world.api.client.updateStatus(kinds.persistentVolumes, { ...created, status: { phase: "Available" } });
    await world.api.client.create(kinds.pods, user);
    await world.reconcile();
    expect(world.api.get(kinds.persistentVolumes, "pv-1")).toMatchObject({
      metadata: { annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } },
      spec: { claimRef: { name: "data", namespace: "default", uid: world.api.get(kinds.persistentVolumeClaims, "data")?.metadata.uid } },
    });
  });

  it("trap 28: claims that nobody waits for wake nothing", async () => {
    const world = await cluster();
    await world.reconcile();
    const claim = world.api.get(kinds.persistentVolumeClaims, "data");
    if (claim) await world.api.client.updateStatus(kinds.persistentVolumeClaims, { ...claim, status: { phase: "Pending" } });
    await expect(world.reconcile()).resolves.toMatchObject({ rounds: 0 });
  });
});

describe("who uses a claim", () => {
  const state = (...pods: (typeof user)[]) =>
    storageState({ lister: () => ({ get: () => undefined, all: () => [] }) as never }, pods).isUsed("default", "data", user);

  it.each([
    { name: "nobody but itself", others: [], used: false },
    { name: "a Pod that stands somewhere", others: [aWorkPod({ name: "other", nodeName: "node-1", spec: user.spec })], used: true },
    {
      name: "a Pod that has ended",
      others: [aWorkPod({ name: "other", nodeName: "node-1", spec: user.spec, status: { phase: "Succeeded" } })],
      used: false,
    },
    {
      name: "a Pod that waits and is older",
      others: [aWorkPod({ name: "other", spec: user.spec, metadata: { creationTimestamp: "2025-01-01T00:00:00Z" } })],
      used: true,
    },
    {
      name: "a Pod that waits and is younger",
      others: [aWorkPod({ name: "other", spec: user.spec, metadata: { creationTimestamp: "2027-01-01T00:00:00Z" } })],
      used: false,
    },
  ])("$name", ({ others, used }) => {
    expect(state(user, ...others)).toBe(used);
  });
});
