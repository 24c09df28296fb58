import { describe, expect, it } from "vitest";
import { events, nodes, persistentVolumeClaims, persistentVolumes, pods, storageClasses } from "../../../shared/api/kinds.ts";
import { persistentVolumeController } from "../../../shared/controllers/persistent-volumes/controller.ts";
import { volumeProtectionController } from "../../../shared/controllers/volume-protection/controller.ts";
import { aNode, aWorkPod } from "../../support/nodes.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aClass, aVolume, aVolumeClaim, late } from "../../support/volumes.ts";

const key = { namespace: "default", name: "data" };
const cluster = (any = false): ReconciledCluster =>
  reconciledCluster([persistentVolumeController({ any, folder: "/volumes" }), volumeProtectionController()]);

const data = ({ api }: ReconciledCluster) => api.get(persistentVolumeClaims, "data");
const volumes = ({ api }: ReconciledCluster) => api.all(persistentVolumes);
const said = ({ api }: ReconciledCluster) => api.all(events).map(({ reason }) => reason);

async function provisioned(reclaimPolicy = "Delete"): Promise<ReconciledCluster> {
  const world = cluster();
  await world.api.client.create(nodes, aNode());
  await world.api.client.create(storageClasses, aClass("local", { reclaimPolicy }));
  await world.api.client.create(persistentVolumeClaims, aVolumeClaim());
  await world.reconcile();
  return world;
}

describe("claims and volumes at work", () => {
  it("a volume is made and bound, with everything that others look at", async () => {
    const world = await provisioned();
    const [volume] = volumes(world);
    expect(data(world)).toMatchObject({
      metadata: {
        annotations: {
          "pv.kubernetes.io/bind-completed": "yes",
          "pv.kubernetes.io/bound-by-controller": "yes",
          "volume.kubernetes.io/storage-provisioner": "binnacle.dev/local",
        },
        finalizers: ["kubernetes.io/pvc-protection"],
      },
      spec: { volumeName: volume?.metadata.name },
      status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] },
    });
    expect(volume).toMatchObject({ status: { phase: "Bound" }, metadata: { finalizers: ["kubernetes.io/pv-protection"] } });
    expect(said(world)).toEqual(["ProvisioningSucceeded"]);
  });

  it("everything rests then: a sweep writes nothing", async () => {
    const world = await provisioned();
    const before = world.api.writes.length;
    await world.reconcile({ sweep: true });
    expect(world.api.writes).toHaveLength(before);
  });

  it("both go together", async () => {
    const world = await provisioned();
    await world.api.client.delete(persistentVolumeClaims, key);
    await world.reconcile();
    expect([data(world), volumes(world)]).toEqual([undefined, []]);
  });

  it("or the volume is kept, for somebody to look at", async () => {
    const world = await provisioned("Retain");
    await world.api.client.delete(persistentVolumeClaims, key);
    await world.reconcile();
    expect(volumes(world).map(({ status }) => status?.phase)).toEqual(["Released"]);
    await world.api.client.create(persistentVolumeClaims, aVolumeClaim("other"));
    await world.reconcile();
    expect(volumes(world)).toHaveLength(2);
  });

  it("a claim that a Pod uses stays until the Pod is gone", async () => {
    const world = await provisioned();
    const spec = { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] };
    await world.api.client.create(pods, aWorkPod({ nodeName: "node-1", spec }));
    await world.reconcile();
    await world.api.client.delete(persistentVolumeClaims, key);
    await world.reconcile();
    expect(data(world)?.metadata.deletionTimestamp).toBeDefined();
    await world.api.client.delete(pods, { namespace: "default", name: "pod-1" }, { gracePeriodSeconds: 0 });
    await world.reconcile();
    expect([data(world), volumes(world)]).toEqual([undefined, []]);
  });

  it("a volume that a claim uses stays until the claim is gone", async () => {
    const world = await provisioned();
    const name = volumes(world)[0]?.metadata.name ?? "";
    await world.api.client.delete(persistentVolumes, { namespace: "", name });
    await world.reconcile();
    expect(volumes(world)).toHaveLength(1);
    await world.api.client.delete(persistentVolumeClaims, key);
    await world.reconcile();
    expect(volumes(world)).toEqual([]);
  });

  it("a waiting claim takes a volume as soon as there is one", async () => {
    const world = cluster();
    await world.api.client.create(persistentVolumeClaims, aVolumeClaim("data", { spec: { storageClassName: "" } }));
    await world.reconcile();
    expect(said(world)).toEqual(["FailedBinding"]);
    await world.api.client.create(persistentVolumes, aVolume("pv-1", { spec: { storageClassName: undefined } }));
    await world.reconcile();
    expect(data(world)).toMatchObject({ spec: { volumeName: "pv-1" }, status: { phase: "Bound" } });
  });

  it("and is served as soon as its class, or a Node, is there", async () => {
    const world = cluster();
    await world.api.client.create(persistentVolumeClaims, aVolumeClaim());
    await world.reconcile();
    await world.api.client.create(storageClasses, aClass());
    await world.reconcile();
    expect(volumes(world)).toEqual([]);
    await world.api.client.create(nodes, aNode());
    await world.reconcile();
    expect(data(world)?.status?.phase).toBe("Bound");
  });

  it("two claims never get one volume", async () => {
    const world = cluster();
    await world.api.client.create(persistentVolumes, aVolume("pv-1", { spec: { storageClassName: undefined } }));
    await world.reconcile();
    for (const name of ["a", "b"])
      await world.api.client.create(persistentVolumeClaims, aVolumeClaim(name, { spec: { storageClassName: "" } }));
    await world.reconcile();
    const claims = world.api.all(persistentVolumeClaims);
    expect(claims.filter(({ status }) => status?.phase === "Bound")).toHaveLength(1);
    expect(volumes(world)[0]?.spec.claimRef?.name).toBe(claims.find(({ status }) => status?.phase === "Bound")?.metadata.name);
  });

  it("a binding that was interrupted is finished", async () => {
    const world = cluster();
    const free = aVolume("pv-1", { spec: { storageClassName: undefined } });
    await world.api.client.create(persistentVolumes, free);
    await world.reconcile();
    let once = true;
    world.api.intercept(({ verb, kind }) => {
      if (verb !== "update" || kind.plural !== "persistentvolumeclaims" || !once) return;
      once = false;
      throw new Error("the function was ended");
    });
    await world.api.client.create(persistentVolumeClaims, aVolumeClaim("data", { spec: { storageClassName: "" } }));
    await world.reconcile();
    expect(data(world)).toMatchObject({ spec: { volumeName: "pv-1" }, status: { phase: "Bound" } });
  });

  it("a claim whose class binds late says whom it waits for", async () => {
    const world = cluster();
    await world.api.client.create(nodes, aNode());
    await world.api.client.create(storageClasses, aClass("local", late));
    await world.api.client.create(persistentVolumeClaims, aVolumeClaim());
    await world.reconcile();
    const spec = { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] };
    await world.api.client.create(pods, aWorkPod({ spec }));
    await world.reconcile();
    expect(said(world)).toEqual(["WaitForFirstConsumer", "WaitForPodScheduled"]);
    expect(volumes(world)).toEqual([]);
  });
});

describe("rule 24: nothing is released before a look that began after it was seen", () => {
  it("a volume that is younger than what is known of claims keeps its claim", async () => {
    const world = await provisioned();
    const { feed, client } = world.api;
    const behind = reconciledCluster([persistentVolumeController({ any: false, folder: "/volumes" })], {
      clock: world.clock,
      api: {
        ...world.api,
        feed: {
          read: (kind, ...rest) =>
            kind.plural === "persistentvolumeclaims" ? Promise.resolve({ all: [], revision: 1 }) : feed.read(kind, ...rest),
        },
      },
    });
    await behind.reconcile();
    expect(volumes(world).map(({ status }) => status?.phase)).toEqual(["Bound"]);
    await expect(client.get(persistentVolumeClaims, key)).resolves.toMatchObject({ status: { phase: "Bound" } });
  });
});
