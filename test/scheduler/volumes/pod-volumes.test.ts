import { describe, expect, it } from "vitest";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../../shared/api/generated/types.ts";
import { planScheduling } from "../../../shared/scheduler/plan.ts";
import { type StorageState, volumesOf } from "../../../shared/scheduler/volumes/pod-volumes.ts";
import { aNode, aWorkPod, type WorkGiven } from "../../support/nodes.ts";
import { aBoundClaim, aClass, aVolume, aVolumeClaim, aVolumeOf, late, onHost } from "../../support/volumes.ts";
import { ownedBy } from "../../support/workloads.ts";

interface Given {
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly classes?: readonly StorageClass[];
  /** Names of claims that other Pods use. */
  readonly used?: readonly string[];
}

const storage = ({ claims = [], volumes = [], classes = [aClass("local", late)], used = [] }: Given): StorageState => ({
  claim: (_namespace, name) => claims.find(({ metadata }) => metadata.name === name),
  volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
  storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
  freeVolumes: () => volumes.filter(({ spec }) => !spec.claimRef?.uid),
  isUsed: (_namespace, name) => used.includes(name),
});

const using = (claims: readonly string[], given: WorkGiven = {}): Pod =>
  aWorkPod({
    ...given,
    spec: { volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })), ...given.spec },
  });

const plan = (nodes: readonly Node[], pods: readonly Pod[], given: Given) =>
  planScheduling({ nodes, pods, volumes: (pod) => volumesOf(pod, storage(given)) });

const two = [aNode({ name: "node-1" }), aNode({ name: "node-2" })];
const reasonFor = (given: Given, pod = using(["data"])) => plan(two, [pod], given).unschedulable[0]?.message;
const selected = (node: string) => aVolumeClaim("data", { metadata: { annotations: { "volume.kubernetes.io/selected-node": node } } });

describe("a Pod with claims", () => {
  it.each([
    { name: "that is missing", given: {}, why: 'persistentvolumeclaim "data" not found' },
    {
      name: "that is to be bound at once and is not",
      given: { claims: [aVolumeClaim()], classes: [aClass()] },
      why: "pod has unbound immediate PersistentVolumeClaims",
    },
    {
      name: "of a class that nobody knows",
      given: { claims: [aVolumeClaim()], classes: [] },
      why: "pod has unbound immediate PersistentVolumeClaims",
    },
    {
      name: "that wants one volume and has not got it",
      given: { claims: [aVolumeClaim("data", { spec: { volumeName: "pv-1" } })] },
      why: "pod has unbound immediate PersistentVolumeClaims",
    },
    {
      name: "that lost its volume",
      given: { claims: [aBoundClaim("data", "pv-1", { phase: "Lost" })] },
      why: 'persistentvolumeclaim "data" bound to non-existent persistentvolume "pv-1"',
    },
    {
      name: "that is being deleted",
      given: { claims: [aBoundClaim("data", "pv-1", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })] },
      why: 'persistentvolumeclaim "data" is being deleted',
    },
  ])("$name waits, whatever the Nodes are like", ({ given, why }) => {
    expect(reasonFor(given)).toBe(
      `0/2 nodes are available: ${why}. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`,
    );
  });

  it("stands where its volume is", () => {
    const claim = aBoundClaim("data", "pv-1");
    const { bindings } = plan(two, [using(["data"])], { claims: [claim], volumes: [aVolumeOf(claim, {}, "node-2")] });
    expect(bindings.map(({ node }) => node)).toEqual(["node-2"]);
  });

  it("waits while that Node has no room, or is gone", () => {
    const claim = aBoundClaim("data", "pv-1");
    const full = using(["data"], { requests: { cpu: "3" } });
    expect(reasonFor({ claims: [claim], volumes: [aVolumeOf(claim)] }, full)).toMatch(/^0\/2 nodes are available: 2 Insufficient cpu\./);
    expect(reasonFor({ claims: [claim], volumes: [aVolumeOf(claim, {}, "node-3")] })).toBe(
      "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    );
    expect(reasonFor({ claims: [claim] })).toContain("2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
  });

  it("has the Node written down on which its volume is to be made, and is bound when that is done", () => {
    const pod = using(["data"]);
    const first = plan(two, [pod], { claims: [aVolumeClaim()] });
    expect(first.bindings).toEqual([]);
    expect(first.preparing.map(({ node, preparations }) => [node, preparations.map((one) => "node" in one && one.node)])).toEqual([
      ["node-1", ["node-1"]],
    ]);
    const waiting = plan(two, [pod], { claims: [selected("node-1")] });
    expect(waiting).toEqual({ bindings: [], preparing: [], gated: [], unschedulable: [] });
    const claim = aBoundClaim("data", "pv-1", { metadata: selected("node-1").metadata });
    expect(plan(two, [pod], { claims: [claim], volumes: [aVolumeOf(claim)] }).bindings.map(({ node }) => node)).toEqual(["node-1"]);
  });

  it("keeps its place while its volume is made", () => {
    const large = { requests: { cpu: "2" } };
    const pod = using(["data"], large);
    const { bindings, unschedulable } = plan([two[0] as Node], [pod, aWorkPod({ name: "other", ...large })], {
      claims: [selected("node-1")],
    });
    expect(bindings).toEqual([]);
    expect(unschedulable.map(({ pod }) => pod.metadata.name)).toEqual(["other"]);
  });

  it("comes before older Pods where its volume is already", () => {
    const large = { requests: { cpu: "2" } };
    const claim = aBoundClaim("data", "pv-1", { metadata: selected("node-1").metadata });
    const older = aWorkPod({ name: "older", metadata: { creationTimestamp: "2025-01-01T00:00:00Z" }, ...large });
    const { bindings } = plan([two[0] as Node], [older, using(["data"], large)], { claims: [claim], volumes: [aVolumeOf(claim)] });
    expect(bindings.map(({ pod }) => pod.metadata.name)).toEqual(["pod-1"]);
  });

  it("takes a volume that is there before one is made, the smallest that is large enough", () => {
    const volumes = [
      aVolume("large", { spec: { capacity: { storage: "5Gi" }, nodeAffinity: onHost("node-2") } }),
      aVolume("fitting", { spec: { capacity: { storage: "2Gi" }, nodeAffinity: onHost("node-2") } }),
      aVolume("small", { spec: { capacity: { storage: "1Mi" } } }),
    ];
    const classes = [aClass("local", { ...late, provisioner: "kubernetes.io/no-provisioner" })];
    const { preparing } = plan(two, [using(["data"])], { claims: [aVolumeClaim()], volumes, classes });
    expect(
      preparing.map(({ node, preparations }) => [node, preparations.map((one) => "volume" in one && one.volume.metadata.name)]),
    ).toEqual([["node-2", ["fitting"]]]);
  });

  it("waits for a volume that somebody makes, where nobody makes them", () => {
    const classes = [aClass("local", { ...late, provisioner: "kubernetes.io/no-provisioner" })];
    expect(reasonFor({ claims: [aVolumeClaim()], classes })).toContain("2 node(s) didn't find available persistent volumes to bind");
  });

  it("stands only where volumes of the class may be", () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: "kubernetes.io/hostname", values: ["node-2"] }] }];
    const classes = [aClass("local", { ...late, allowedTopologies })];
    expect(plan(two, [using(["data"])], { claims: [aVolumeClaim()], classes }).preparing.map(({ node }) => node)).toEqual(["node-2"]);
  });

  it("finds a volume for each of its claims", () => {
    const claims = [aVolumeClaim("data"), aVolumeClaim("log", { spec: { resources: { requests: { storage: "3Gi" } } } })];
    const volumes = [aVolume("pv-large", { spec: { capacity: { storage: "4Gi" } } }), aVolume("pv-small")];
    const [place] = plan(two, [using(["data", "log"])], { claims, volumes }).preparing;
    expect(place?.preparations.map((one) => [one.claim.metadata.name, "volume" in one && one.volume.metadata.name])).toEqual([
      ["data", "pv-small"],
      ["log", "pv-large"],
    ]);
  });

  it("does not share a claim that is one Pod's alone", () => {
    const claim = aBoundClaim("data", "pv-1", { spec: { accessModes: ["ReadWriteOncePod"] } });
    const given = { claims: [claim], volumes: [aVolumeOf(claim)] };
    expect(plan(two, [using(["data"])], given).bindings).toHaveLength(1);
    expect(reasonFor({ ...given, used: ["data"] })).toContain(
      "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
    );
  });
});

describe("a Pod with an ephemeral volume", () => {
  const pod = aWorkPod({ spec: { volumes: [{ name: "scratch", ephemeral: {} }] } });

  it("waits for its claim to be made", () => {
    expect(reasonFor({}, pod)).toContain('waiting for ephemeral volume controller to create the persistentvolumeclaim "pod-1-scratch"');
  });

  it("takes nobody else's claim for its own", () => {
    const claim = aVolumeClaim("pod-1-scratch");
    expect(reasonFor({ claims: [claim] }, pod)).toContain("was not created for pod default/pod-1 (pod is not owner)");
    const own = { ...claim, metadata: { ...claim.metadata, ownerReferences: [ownedBy(pod)] } };
    expect(plan(two, [pod], { claims: [own] }).preparing).toHaveLength(1);
  });
});
