import { describe, expect, it } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../shared/api/generated/types.ts";
import { bareEcs } from "../../../shared/kubelet/engine-features.ts";
import { aWorkPod } from "../../support/nodes.ts";
import { taskOf, translate } from "../../support/translation.ts";
import { aBoundClaim, aVolumeOf } from "../../support/volumes.ts";

const claim = aBoundClaim("data", "pv-1");
const pod = (given: { readonly readOnly?: boolean } = {}) =>
  aWorkPod({
    spec: {
      containers: [{ name: "app", image: "example/app:1", volumeMounts: [{ name: "storage", mountPath: "/data" }] }],
      volumes: [{ name: "storage", persistentVolumeClaim: { claimName: "data", ...given } }],
    },
  });
const bound = (volume: PersistentVolume = aVolumeOf(claim), of: PersistentVolumeClaim = claim) => ({
  claims: { data: [of, volume] as const },
});

describe("a claim of a Pod", () => {
  it("is the folder of its volume on the Node", () => {
    const { definition } = taskOf(pod(), bound(aVolumeOf(claim, { hostPath: { path: "/volumes/pv-1", type: "DirectoryOrCreate" } })));
    expect(definition.volumes).toEqual([{ name: "storage", host: { sourcePath: "/volumes/pv-1" } }]);
    expect(definition.containerDefinitions[0]?.mountPoints).toEqual([{ sourceVolume: "storage", containerPath: "/data" }]);
  });

  it("may be a local volume that somebody made", () => {
    const volume = aVolumeOf(claim, { hostPath: undefined, local: { path: "/mnt/disk" } });
    expect(taskOf(pod(), bound(volume)).definition.volumes).toEqual([{ name: "storage", host: { sourcePath: "/mnt/disk" } }]);
  });

  it("is written to by nobody when the Pod says so", () => {
    const { definition } = taskOf(pod({ readOnly: true }), bound());
    expect(definition.containerDefinitions[0]?.mountPoints).toEqual([{ sourceVolume: "storage", containerPath: "/data", readOnly: true }]);
  });

  it("gives each Pod a task definition of its own", () => {
    const families = ["/volumes/a", "/volumes/b"].map(
      (path) => taskOf(pod(), bound(aVolumeOf(claim, { hostPath: { path } }))).definition.family,
    );
    expect(new Set(families).size).toBe(2);
  });

  it.each([
    { name: "that is missing", claims: {}, message: 'persistentvolumeclaim "data" not found' },
    {
      name: "that is not bound",
      ...bound(aVolumeOf(claim), { ...claim, spec: { ...claim.spec, volumeName: undefined } }),
      message: 'persistentvolumeclaim "data" is not bound',
    },
    {
      name: "whose volume is bound to another",
      ...bound(aVolumeOf({ ...claim, metadata: { ...claim.metadata, uid: "another" } })),
      message: 'persistentvolumeclaim "data" is bound to "pv-1", which is not bound to it',
    },
    {
      name: "whose volume is elsewhere",
      ...bound(aVolumeOf(claim, {}, "node-2")),
      message: 'MountVolume.NodeAffinity check failed for volume "pv-1" : no matching NodeSelectorTerms',
    },
  ])("$name is waited for", ({ claims, message }) => {
    expect(translate(pod(), { claims })).toMatchObject({ type: "notReady", container: "app", message });
  });
});

describe("trap 29: what cannot be honoured is refused by field name", () => {
  it.each([
    { name: "a volume of another type", volume: aVolumeOf(claim, { hostPath: undefined, nfs: { server: "s", path: "/" } }) },
    { name: "a device", volume: aVolumeOf(claim, { hostPath: { path: "/dev/sda", type: "BlockDevice" } }) },
  ])("$name", ({ volume }) => {
    expect(translate(pod(), bound(volume))).toMatchObject({
      type: "refused",
      problems: [{ field: "spec.volumes[0].persistentVolumeClaim" }],
    });
  });

  it("any claim, where machines do not last", () => {
    expect(translate(pod(), { ...bound(), features: bareEcs })).toMatchObject({
      type: "refused",
      problems: [{ field: "spec.volumes[0].persistentVolumeClaim" }],
    });
    const ephemeral = aWorkPod({ spec: { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: claim.spec } } }] } });
    expect(translate(ephemeral, { features: bareEcs })).toMatchObject({
      type: "refused",
      problems: [{ field: "spec.volumes[0].ephemeral" }],
    });
  });
});
