import { describe, expect, it } from "vitest";
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../../shared/api/generated/types.ts";
import { defaultClass } from "../../../shared/api/storage-classes.ts";
import {
  boundClaim,
  boundStatus,
  type ClaimPlan,
  planClaim,
  unboundStatus,
} from "../../../shared/controllers/persistent-volumes/claim-plan.ts";
import { aNode } from "../../support/nodes.ts";
import { aBoundClaim, aClass, aVolume, aVolumeClaim, aVolumeOf, late, onHost } from "../../support/volumes.ts";

interface Given {
  readonly volumes?: readonly PersistentVolume[];
  readonly classes?: readonly StorageClass[];
  readonly nodes?: readonly Node[];
  readonly waiting?: readonly string[];
  readonly any?: boolean;
}

const plan = (claim: PersistentVolumeClaim, given: Given = {}): ClaimPlan => {
  const { volumes = [], classes = [aClass()], nodes = [aNode()], waiting = [], any = false } = given;
  return planClaim({
    claim,
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumes: () => volumes,
    storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
    defaultClass: () => defaultClass(classes),
    nodes: () => nodes,
    waiting: () => waiting,
    provisioner: { any, folder: "/volumes" },
  });
};
const said = ({ events }: ClaimPlan) => events.map(({ reason, message }) => `${reason}: ${message}`);
const boundTo = ({ step }: ClaimPlan) => (step.type === "bind" ? step.volume.metadata.name : undefined);
const made = ({ step }: ClaimPlan) => (step.type === "provision" ? step.volume : undefined);
const foreign = (name = "fast") => aClass(name, { provisioner: "example.com/disk" });
const ofClass = (storageClassName: string | undefined, given = {}) => aVolumeClaim("data", { spec: { storageClassName, ...given } });

describe("a claim looks for a volume that is there", () => {
  it("the smallest that is large enough, with no more access modes than it takes", () => {
    const volumes = [
      aVolume("shared", { spec: { accessModes: ["ReadWriteOnce", "ReadWriteMany"] } }),
      aVolume("large", { spec: { capacity: { storage: "10Gi" } } }),
      aVolume("fitting", { spec: { capacity: { storage: "2Gi" } } }),
      aVolume("small", { spec: { capacity: { storage: "512Mi" } } }),
    ];
    expect(boundTo(plan(aVolumeClaim(), { volumes }))).toBe("fitting");
  });

  it.each([
    { name: "of another class", volume: { spec: { storageClassName: "other" } } },
    { name: "that is not available", volume: { phase: "Released" } },
    { name: "that is being deleted", volume: { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } } },
    { name: "of another mode", volume: { spec: { volumeMode: "Block" } } },
    { name: "without the access it needs", volume: { spec: { accessModes: ["ReadOnlyMany"] } } },
    { name: "that is another's", volume: { spec: { claimRef: { namespace: "default", name: "other" } } } },
  ])("none $name", ({ volume }) => {
    expect(boundTo(plan(aVolumeClaim(), { volumes: [aVolume("pv", volume)] }))).toBeUndefined();
  });

  it("with the labels it asks for", () => {
    const volumes = [aVolume("grey"), aVolume("green", { metadata: { labels: { colour: "green" } } })];
    expect(boundTo(plan(ofClass("local", { selector: { matchLabels: { colour: "green" } } }), { volumes }))).toBe("green");
  });

  it("the one that is reserved for it first, even if its class binds late", () => {
    const reserved = aVolume("reserved", { spec: { capacity: { storage: "9Gi" }, claimRef: { namespace: "default", name: "data" } } });
    expect(boundTo(plan(aVolumeClaim(), { volumes: [aVolume("free"), reserved] }))).toBe("reserved");
    expect(boundTo(plan(aVolumeClaim(), { volumes: [aVolume("free"), reserved], classes: [aClass("local", late)] }))).toBe("reserved");
  });

  it("of none of the classes, when it names the empty one", () => {
    const plain = aVolume("plain", { spec: { storageClassName: undefined } });
    expect(boundTo(plan(ofClass(""), { volumes: [aVolume(), plain] }))).toBe("plain");
    expect(said(plan(ofClass("")))).toEqual(["FailedBinding: no persistent volumes available for this claim and no storage class is set"]);
  });

  it("that it names, and only that", () => {
    const named = ofClass("local", { volumeName: "mine" });
    expect(boundTo(plan(named, { volumes: [aVolume("other"), aVolume("mine")] }))).toBe("mine");
    expect(plan(named, { volumes: [aVolume("other")] })).toEqual({ step: { type: "nothing" }, phase: "Pending", events: [] });
    const small = aVolume("mine", { spec: { capacity: { storage: "1Mi" } } });
    expect(said(plan(named, { volumes: [small] }))).toEqual([
      'VolumeMismatch: Cannot bind to requested volume "mine": requested PV is too small',
    ]);
    const taken = aVolume("mine", { spec: { claimRef: { namespace: "default", name: "other", uid: "other" } } });
    expect(said(plan(named, { volumes: [taken] }))).toEqual(['FailedBinding: volume "mine" already bound to a different claim.']);
  });
});

describe("a claim without a class", () => {
  it("gets the default one", () => {
    const classes = [
      aClass("slow"),
      aClass("usual", { metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } } }),
    ];
    expect(plan(ofClass(undefined), { classes }).step).toMatchObject({ type: "update", claim: { spec: { storageClassName: "usual" } } });
  });

  it("waits where there is none", () => {
    expect(plan(ofClass(undefined))).toMatchObject({ step: { type: "nothing" }, phase: "Pending" });
  });
});

describe("a claim that binds late", () => {
  const classes = [aClass("local", late)];

  it("waits for a Pod, and then for the scheduler", () => {
    expect(said(plan(aVolumeClaim(), { classes }))).toEqual([
      "WaitForFirstConsumer: waiting for first consumer to be created before binding",
    ]);
    expect(said(plan(aVolumeClaim(), { classes, waiting: ["a"] }))).toEqual(["WaitForPodScheduled: waiting for pod a to be scheduled"]);
    expect(said(plan(aVolumeClaim(), { classes, waiting: ["a", "b"] }))).toEqual([
      "WaitForPodScheduled: waiting for pods a,b to be scheduled",
    ]);
  });

  it("gets its volume on the Node that the scheduler chose", () => {
    const claim = aVolumeClaim("data", { metadata: { annotations: { "volume.kubernetes.io/selected-node": "node-2" } } });
    const draft = made(plan(claim, { classes, nodes: [aNode(), aNode({ name: "node-2" })] }));
    expect(draft?.spec.nodeAffinity).toEqual(onHost("node-2"));
  });

  it("asks the scheduler again when that Node is gone", () => {
    const claim = aVolumeClaim("data", { metadata: { annotations: { "volume.kubernetes.io/selected-node": "gone", other: "kept" } } });
    const result = plan(claim, { classes });
    expect(result.step).toMatchObject({ type: "update", claim: { metadata: { annotations: { other: "kept" } } } });
    expect(said(result)).toEqual(['ProvisioningFailed: Failed to get target node: node "gone" not found']);
  });
});

describe("trap 35: the local provisioner", () => {
  it("makes a folder on a Node, for this claim and no other", () => {
    expect(made(plan(aVolumeClaim()))).toEqual({
      metadata: {
        name: "pvc-uid-of-data",
        annotations: { "pv.kubernetes.io/provisioned-by": "binnacle.dev/local", "pv.kubernetes.io/bound-by-controller": "yes" },
      },
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        claimRef: {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          name: "data",
          namespace: "default",
          uid: "uid-of-data",
          resourceVersion: "1000",
        },
        persistentVolumeReclaimPolicy: "Delete",
        storageClassName: "local",
        volumeMode: "Filesystem",
        hostPath: { path: "/volumes/pvc-uid-of-data", type: "DirectoryOrCreate" },
        nodeAffinity: onHost("node-1"),
      },
    });
  });

  it("spreads volumes that no Pod has asked for yet, over Nodes that take Pods", () => {
    const nodes = [
      aNode({ name: "node-1" }),
      aNode({ name: "node-2" }),
      aNode({ name: "cordoned", unschedulable: true }),
      aNode({ name: "tainted", taints: [{ key: "k", effect: "NoSchedule" }] }),
    ];
    const marked = aVolumeOf(aBoundClaim("other", "pvc-other"), {}, "node-1");
    const ours = { ...marked, metadata: { ...marked.metadata, annotations: { "pv.kubernetes.io/provisioned-by": "binnacle.dev/local" } } };
    expect(made(plan(aVolumeClaim(), { nodes }))?.spec.nodeAffinity).toEqual(onHost("node-1"));
    expect(made(plan(aVolumeClaim(), { nodes, volumes: [ours] }))?.spec.nodeAffinity).toEqual(onHost("node-2"));
  });

  it("keeps to the topologies of the class", () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: "kubernetes.io/hostname", values: ["node-2"] }] }];
    const nodes = [aNode({ name: "node-1" }), aNode({ name: "node-2" })];
    expect(made(plan(aVolumeClaim(), { nodes, classes: [aClass("local", { allowedTopologies })] }))?.spec.nodeAffinity).toEqual(
      onHost("node-2"),
    );
  });

  it("leaves classes of others to them, and calls them by name", () => {
    const result = plan(ofClass("fast"), { classes: [foreign()] });
    expect(result.step).toMatchObject({
      type: "update",
      claim: { metadata: { annotations: { "volume.kubernetes.io/storage-provisioner": "example.com/disk" } } },
    });
    expect(said(result)).toEqual([
      "ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/disk' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    ]);
    const again = result.step.type === "update" ? plan(result.step.claim, { classes: [foreign()] }) : undefined;
    expect(again?.step.type).toBe("nothing");
  });

  it("serves any class under --provision-any, even one that does not exist", () => {
    expect(made(plan(ofClass("fast"), { classes: [foreign()], any: true }))?.spec.storageClassName).toBe("fast");
    expect(made(plan(ofClass("unheard-of"), { classes: [], any: true }))?.spec.storageClassName).toBe("unheard-of");
    const annotated = aVolumeClaim("data", {
      metadata: { annotations: { "volume.beta.kubernetes.io/storage-class": "fast" } },
      spec: { storageClassName: undefined },
    });
    expect(made(plan(annotated, { classes: [foreign()], any: true }))?.spec.storageClassName).toBe("fast");
  });

  it("but never one whose volumes are made by hand, and never a claim that wants no class", () => {
    const manual = aClass("manual", { provisioner: "kubernetes.io/no-provisioner" });
    const result = plan(ofClass("manual"), { classes: [manual], any: true });
    expect(said(result)).toEqual(["ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner"]);
    expect(made(plan(ofClass(""), { any: true }))).toBeUndefined();
  });

  it("makes nothing that is there already", () => {
    const made = aVolume("pvc-uid-of-data", { spec: { capacity: { storage: "1Mi" } } });
    expect(plan(aVolumeClaim(), { volumes: [made] }).step.type).toBe("nothing");
  });

  it.each([
    { name: "a class that does not exist", claim: ofClass("gone"), why: 'storageclass.storage.k8s.io "gone" not found' },
    {
      name: "nowhere to go",
      claim: aVolumeClaim(),
      nodes: [],
      why: 'Failed to provision volume with StorageClass "local": there is no node to keep the volume on',
    },
    {
      name: "a selector",
      claim: ofClass("local", { selector: { matchLabels: { a: "b" } } }),
      why: 'Failed to provision volume with StorageClass "local": claim.Spec.Selector is not supported',
    },
    {
      name: "a device",
      claim: ofClass("local", { volumeMode: "Block" }),
      why: 'Failed to provision volume with StorageClass "local": binnacle.dev/local makes no block volumes',
    },
    {
      name: "a source",
      claim: ofClass("local", { dataSource: { kind: "PersistentVolumeClaim", name: "other" } }),
      why: 'plugin "binnacle.dev/local" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource',
    },
    {
      name: "mount options",
      claim: aVolumeClaim(),
      classes: [aClass("local", { mountOptions: ["ro", "sync"] })],
      why: 'Mount options are not supported by the provisioner but StorageClass "local" has mount options [ro sync]',
    },
  ])("says why not: $name", ({ claim, why, ...given }) => {
    expect(said(plan(claim, given))).toEqual([`ProvisioningFailed: ${why}`]);
  });
});

describe("a claim that was bound", () => {
  const claim = aBoundClaim("data", "pv-1");

  it("stays so", () => {
    expect(boundTo(plan(claim, { volumes: [aVolumeOf(claim)] }))).toBe("pv-1");
  });

  it.each([
    {
      name: "its volume is gone",
      volumes: [],
      says: ["ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!"],
    },
    {
      name: "its volume is another's",
      volumes: [aVolumeOf({ ...claim, metadata: { ...claim.metadata, uid: "other" } })],
      says: ["ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly"],
    },
  ])("is lost when $name", ({ volumes, says }) => {
    const result = plan(claim, { volumes });
    expect(result.phase).toBe("Lost");
    expect(said(result)).toEqual(says);
    expect(plan({ ...claim, status: { phase: "Lost" } }, { volumes }).events).toEqual([]);
  });

  it("one that is being deleted and never was is left alone", () => {
    const leaving = aVolumeClaim("data", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
    expect(plan(leaving, { volumes: [aVolume()] })).toEqual({ step: { type: "nothing" }, events: [] });
  });
});

describe("the marks of a binding", () => {
  const volume = aVolume("pv-1", { spec: { capacity: { storage: "2Gi" }, accessModes: ["ReadWriteOnce", "ReadWriteMany"] } });

  it("say who bound it, and that it is complete", () => {
    expect(boundClaim(aVolumeClaim(), volume).metadata.annotations).toEqual({
      "pv.kubernetes.io/bound-by-controller": "yes",
      "pv.kubernetes.io/bind-completed": "yes",
    });
    const named = ofClass("local", { volumeName: "pv-1" });
    expect(boundClaim(named, volume).metadata.annotations).toEqual({ "pv.kubernetes.io/bind-completed": "yes" });
    const done = aBoundClaim("data", "pv-1");
    expect(boundClaim(done, volume)).toBe(done);
  });

  it("show in the status, the capacity as it was at first", () => {
    expect(boundStatus(aVolumeClaim(), volume)).toEqual({
      phase: "Bound",
      accessModes: ["ReadWriteOnce", "ReadWriteMany"],
      capacity: { storage: "2Gi" },
    });
    const grown = { ...aBoundClaim("data", "pv-1"), status: { phase: "Bound", capacity: { storage: "1Gi" } } };
    expect(boundStatus(grown, volume).capacity).toEqual({ storage: "1Gi" });
    expect(unboundStatus(grown, "Lost")).toEqual({ phase: "Lost" });
  });
});
