import { describe, expect, it } from "vitest";
import type { PersistentVolume } from "../../../shared/api/generated/types.ts";
import { planVolume } from "../../../shared/controllers/persistent-volumes/volume-plan.ts";
import { aBoundClaim, aVolume, aVolumeClaim, aVolumeOf } from "../../support/volumes.ts";

const claim = aBoundClaim("data", "pv-1");
const annotated = (volume: PersistentVolume, annotations: Record<string, string>): PersistentVolume => ({
  ...volume,
  metadata: { ...volume.metadata, annotations },
});
const local = (volume: PersistentVolume) => annotated(volume, { "pv.kubernetes.io/provisioned-by": "binnacle.dev/local" });
const policy = (persistentVolumeReclaimPolicy: string) => aVolumeOf(claim, { persistentVolumeReclaimPolicy });

describe("a volume", () => {
  it.each([
    { name: "without a claim is available", volume: aVolume(), of: undefined, phase: "Available" },
    {
      name: "reserved by a user is available",
      volume: aVolume("pv-1", { spec: { claimRef: { namespace: "default", name: "data" } } }),
      of: aVolumeClaim(),
      phase: "Available",
    },
    { name: "of its claim is bound", volume: aVolumeOf(claim), of: claim, phase: "Bound" },
    { name: "whose claim is still to take it is as it was", volume: aVolumeOf(claim), of: aVolumeClaim(), phase: undefined },
  ])("$name", ({ volume, of, phase }) => {
    expect(planVolume(volume, of)).toMatchObject({ delete: false, events: [] });
    expect(planVolume(volume, of).phase).toBe(phase);
  });

  it("that differs from its claim in mode says so on both sides", () => {
    const block = aVolumeClaim("data", { spec: { volumeMode: "Block" } });
    const { events, claimEvents } = planVolume(aVolumeOf(claim), block);
    expect(events[0]?.message).toBe(
      'Cannot bind PersistentVolume to requested PersistentVolumeClaim "data" due to incompatible volumeMode.',
    );
    expect(claimEvents[0]?.message).toBe(
      'Cannot bind PersistentVolume "pv-1" to requested PersistentVolumeClaim due to incompatible volumeMode.',
    );
  });
});

describe("a volume whose claim is gone", () => {
  const another = { ...claim, metadata: { ...claim.metadata, uid: "a younger one" } };

  it("is kept when it is to be retained", () => {
    for (const of of [undefined, another]) expect(planVolume(policy("Retain"), of)).toMatchObject({ phase: "Released", delete: false });
  });

  it("goes, when it is ours and to be deleted", () => {
    expect(planVolume(local(policy("Delete")), undefined)).toMatchObject({ phase: "Released", delete: true });
    const leaving = local(policy("Delete"));
    leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    expect(planVolume(leaving, undefined).delete).toBe(false);
  });

  it("is left to whoever made it", () => {
    const theirs = annotated(policy("Delete"), { "pv.kubernetes.io/provisioned-by": "example.com/disk" });
    expect(planVolume(theirs, undefined)).toMatchObject({ phase: "Released", delete: false, events: [] });
    const csi = aVolumeOf(claim, { persistentVolumeReclaimPolicy: "Delete", hostPath: undefined, csi: { driver: "d", volumeHandle: "h" } });
    expect(planVolume(csi, undefined)).toMatchObject({ phase: "Released", delete: false });
  });

  it.each([
    {
      name: "deleted by nobody",
      volume: policy("Delete"),
      says: 'VolumeFailedDelete: error getting deleter volume plugin for volume "pv-1": no deletable volume plugin matched',
    },
    { name: "recycled", volume: policy("Recycle"), says: "VolumeFailedRecycle: No recycler plugin found for the volume!" },
  ])("cannot be $name: it has failed, which is said once", ({ volume, says }) => {
    const { phase, events } = planVolume(volume, undefined);
    expect(phase).toBe("Failed");
    expect(events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([says]);
    const failed = planVolume({ ...volume, status: { phase: "Failed" } }, undefined);
    expect([failed.phase, failed.events]).toEqual([undefined, []]);
  });
});

describe("a volume whose claim went elsewhere", () => {
  const elsewhere = aBoundClaim("data", "pv-2");

  it("goes, when it was made for the claim", () => {
    expect(planVolume(local(policy("Delete")), elsewhere).delete).toBe(true);
  });

  it("is free again, when a controller had chosen it", () => {
    const chosen = annotated(policy("Retain"), { "pv.kubernetes.io/bound-by-controller": "yes", other: "kept" });
    const { update, phase } = planVolume(chosen, elsewhere);
    expect(phase).toBe("Available");
    expect(update?.spec.claimRef).toBeUndefined();
    expect(update?.metadata.annotations).toEqual({ other: "kept" });
  });

  it("stays reserved, when a user had", () => {
    expect(planVolume(policy("Retain"), elsewhere).update?.spec.claimRef).toEqual({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace: "default",
      name: "data",
    });
  });
});
