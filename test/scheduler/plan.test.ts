import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Node, Pod } from "../../shared/api/generated/types.ts";
import { amountsOf, sum } from "../../shared/scheduler/amounts.ts";
import { nodeBound } from "../../shared/scheduler/bound.ts";
import { type Plan, planScheduling } from "../../shared/scheduler/plan.ts";
import { bookedFor } from "../../shared/scheduler/requests.ts";
import { aNode, aWorkPod } from "../support/nodes.ts";

const nodesOf = (plan: Plan) => Object.fromEntries(plan.bindings.map(({ pod, node }) => [pod.metadata.name, node]));
const messageOf = (plan: Plan) => plan.unschedulable[0]?.message;
const plan = (nodes: Node[], ...pods: Pod[]) => planScheduling({ nodes, pods });

const affinity = (key: string, operator: string, values?: string[]) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values && { values }) }] }],
    },
  },
});

const withHostPort = (hostIP?: string) => ({
  containers: [{ name: "app", image: "x", ports: [{ containerPort: 80, hostPort: 80, protocol: "TCP", ...(hostIP && { hostIP }) }] }],
});

const applied = (pods: readonly Pod[], { bindings }: Plan): Pod[] =>
  pods.map((pod) => {
    const node = bindings.find((binding) => binding.pod === pod)?.node;
    return node ? { ...pod, spec: { ...pod.spec, nodeName: node } } : pod;
  });

const equalPods = (count: number, requests: Record<string, string>) =>
  Array.from({ length: count }, (_, index) => aWorkPod({ name: `pod-${index}`, requests }));

describe("a pending Pod", () => {
  it.each([
    { name: "goes where its node selector says", spec: { nodeSelector: { disk: "fast" } } },
    { name: "goes where its required affinity says", spec: { affinity: affinity("disk", "In", ["fast", "faster"]) } },
    { name: "stays away where its affinity forbids", spec: { affinity: affinity("disk", "Exists") } },
    { name: "compares numbers", spec: { affinity: affinity("cores", "Gt", ["9"]) } },
  ])("$name", ({ spec }) => {
    const nodes = [aNode({ name: "a", labels: { cores: "2" } }), aNode({ name: "b", labels: { disk: "fast", cores: "10" } })];
    expect(nodesOf(plan(nodes, aWorkPod({ spec })))).toEqual({ "pod-1": "b" });
  });

  it("prefers what it likes to what is full", () => {
    const term = { weight: 10, preference: { matchExpressions: [{ key: "disk", operator: "In", values: ["fast"] }] } };
    const spec = { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term] } } };
    const nodes = [aNode({ name: "a" }), aNode({ name: "b", labels: { disk: "fast" } })];
    const neighbour = aWorkPod({ name: "other", nodeName: "a", requests: { cpu: "1" } });
    expect(nodesOf(plan(nodes, aWorkPod({ spec }), neighbour))).toEqual({ "pod-1": "b" });
  });

  it("needs a toleration for a taint", () => {
    const nodes = [aNode({ taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] })];
    const tolerant = aWorkPod({ spec: { tolerations: [{ key: "gpu", operator: "Equal", value: "yes", effect: "NoSchedule" }] } });
    expect(nodesOf(plan(nodes, tolerant, aWorkPod({ name: "plain" })))).toEqual({ "pod-1": "node-1" });
  });

  it("waits for its scheduling gates", () => {
    const gated = aWorkPod({ spec: { schedulingGates: [{ name: "quota" }] } });
    const result = plan([aNode()], gated);
    expect(result.bindings).toEqual([]);
    expect(result.gated).toEqual([gated]);
  });

  it.each([
    { name: "another scheduler's", pod: aWorkPod({ spec: { schedulerName: "mine" } }) },
    { name: "already bound", pod: aWorkPod({ nodeName: "node-9" }) },
    { name: "being deleted", pod: aWorkPod({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }) },
    { name: "over", pod: aWorkPod({ status: { phase: "Failed" } }) },
  ])("is left alone when it is $name", ({ pod }) => {
    expect(plan([aNode()], pod)).toEqual({ bindings: [], preparing: [], unschedulable: [], gated: [] });
  });

  it("does not share a host port, not even within one batch", () => {
    const result = plan([aNode()], aWorkPod({ name: "a", spec: withHostPort() }), aWorkPod({ name: "b", spec: withHostPort("10.0.0.1") }));
    expect(nodesOf(result)).toEqual({ a: "node-1" });
    expect(messageOf(result)).toContain("1 node(s) didn't have free ports for the requested pod ports");
  });

  it("comes before Pods of lower priority", () => {
    const low = aWorkPod({ name: "low", requests: { cpu: "2" }, spec: { priority: 1 } });
    const high = aWorkPod({
      name: "high",
      requests: { cpu: "2" },
      spec: { priority: 1_000 },
      metadata: { creationTimestamp: "2026-01-02T00:00:00Z" },
    });
    expect(nodesOf(plan([aNode()], low, high))).toEqual({ high: "node-1" });
  });
});

describe("a Pod that fits nowhere is told why in kube-scheduler's words", () => {
  const big = aWorkPod({ requests: { cpu: "3", memory: "16Gi" } });
  it.each([
    { name: "without nodes", nodes: [], pod: big, message: "no nodes available to schedule pods" },
    {
      name: "every shortage of a node, by how many nodes",
      nodes: [aNode(), aNode({ name: "node-2", allocatable: { memory: "32Gi" } })],
      pod: big,
      message:
        "0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    },
    {
      name: "only the first filter that a node fails",
      nodes: [
        aNode({ unschedulable: true, taints: [{ key: "a", effect: "NoSchedule" }] }),
        aNode({ name: "node-2", taints: [{ key: "a", effect: "NoExecute" }] }),
        aNode({ name: "node-3" }),
      ],
      pod: aWorkPod({ spec: { nodeSelector: { x: "y" } } }),
      message:
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    },
    {
      name: "resources that no node has",
      nodes: [aNode()],
      pod: aWorkPod({ requests: { "example.com/fpga": "1" } }),
      message:
        "0/1 nodes are available: 1 Insufficient example.com/fpga. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    },
  ])("$name", ({ nodes, pod, message }) => {
    expect(messageOf(plan(nodes, pod))).toBe(message);
  });

  it("names full nodes, and that nobody there could make room", () => {
    const neighbour = aWorkPod({ name: "other", nodeName: "node-1", requests: { cpu: "1500m" } });
    const message = messageOf(plan([aNode({ allocatable: { pods: "1" } })], aWorkPod({ requests: { cpu: "1" } }), neighbour));
    expect(message).toBe(
      "0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    );
  });

  it("says when the Pod may not preempt", () => {
    const pod = aWorkPod({ requests: { cpu: "3" }, spec: { preemptionPolicy: "Never" } });
    expect(messageOf(plan([aNode()], pod))).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
    );
  });

  it("says that preemption is not tried yet where it might help", () => {
    const neighbour = aWorkPod({ name: "other", nodeName: "node-1", requests: { cpu: "2" } });
    const message = messageOf(plan([aNode()], aWorkPod({ requests: { cpu: "1" }, spec: { priority: 9 } }), neighbour));
    expect(message).toContain("1 Preemption of pods with lower priority is not supported yet.");
  });
});

describe("packing", () => {
  it("fills a node before it takes another", () => {
    const pods = Array.from({ length: 8 }, (_, index) => aWorkPod({ name: `pod-${index}`, requests: { cpu: "500m", memory: "1Gi" } }));
    const nodes = ["a", "b", "c"].map((name) => aNode({ name }));
    expect(new Set(Object.values(nodesOf(plan(nodes, ...pods)))).size).toBe(2);
  });

  it("finds the better of several orders when CPU and memory are both scarce", () => {
    const cpu = { cpu: "1500m", memory: "1Gi" };
    const memory = { cpu: "500m", memory: "6Gi" };
    const pods = [cpu, cpu, memory, memory].map((requests, index) => aWorkPod({ name: `pod-${index}`, requests }));
    const nodes = ["a", "b"].map((name) => aNode({ name }));
    expect(plan(nodes, ...pods).unschedulable).toEqual([]);
  });

  it("does not count DaemonSet Pods as a reason to use a node", () => {
    const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "logs", uid: "ds", controller: true };
    const daemons = ["a", "b"].map((node) =>
      aWorkPod({
        name: `logs-${node}`,
        nodeName: node,
        requests: { cpu: node === "a" ? "1" : "100m" },
        metadata: { ownerReferences: [owner] },
      }),
    );
    const used = aWorkPod({ name: "used", nodeName: "b", requests: { cpu: "100m" } });
    expect(nodesOf(plan([aNode({ name: "a" }), aNode({ name: "b" })], aWorkPod(), used, ...daemons))).toEqual({ "pod-1": "b" });
  });

  const requests = fc.record({ cpu: fc.integer({ min: 0, max: 2_500 }), memoryMi: fc.integer({ min: 0, max: 9_000 }) });
  const arbitraryPods = fc.array(
    fc.record({ requests, priority: fc.integer({ min: 0, max: 2 }), zone: fc.option(fc.constantFrom("a", "b"), { nil: undefined }) }),
    { maxLength: 30 },
  );
  const snapshot = fc.record({ pods: arbitraryPods, nodes: fc.integer({ min: 0, max: 6 }) }).map(({ pods, nodes }) => ({
    nodes: Array.from({ length: nodes }, (_, index) =>
      aNode({ name: `node-${index}`, labels: { zone: index % 2 ? "a" : "b" }, allocatable: { pods: "5" } }),
    ),
    pods: pods.map(({ requests, priority, zone }, index) =>
      aWorkPod({
        name: `pod-${index}`,
        requests: { cpu: `${requests.cpu}m`, memory: `${requests.memoryMi}Mi` },
        spec: { priority, ...(zone && { nodeSelector: { zone } }) },
      }),
    ),
  }));

  it("never books more on a node than it has", () => {
    fc.assert(
      fc.property(snapshot, ({ nodes, pods }) => {
        const after = applied(pods, planScheduling({ nodes, pods }));
        for (const node of nodes) {
          const booked = sum(...after.filter(({ spec }) => spec.nodeName === node.metadata.name).map(bookedFor));
          const allocatable = amountsOf(node.status?.allocatable);
          for (const [resource, amount] of Object.entries(booked)) expect(amount).toBeLessThanOrEqual(allocatable[resource] ?? 0);
        }
      }),
    );
  });

  it("leaves nothing to do: after applying a plan, planning again binds nothing", () => {
    fc.assert(
      fc.property(snapshot, ({ nodes, pods }) => {
        const first = planScheduling({ nodes, pods });
        const second = planScheduling({ nodes, pods: applied(pods, first) });
        expect(second.bindings).toEqual([]);
        expect(second.unschedulable.length).toBe(first.unschedulable.length);
      }),
    );
  });

  it("does not depend on the order in which objects are listed", () => {
    fc.assert(
      fc.property(snapshot, ({ nodes, pods }) => {
        const forward = nodesOf(planScheduling({ nodes, pods }));
        expect(nodesOf(planScheduling({ nodes: nodes.toReversed(), pods: pods.toReversed() }))).toEqual(forward);
      }),
    );
  });

  it("never uses fewer equal nodes than the bound says", () => {
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 20 }), (all) => {
        const shape = { cpu: "3", memory: "10Gi", pods: "6" };
        const pods = all.map(({ cpu, memoryMi }, index) =>
          aWorkPod({ name: `pod-${index}`, requests: { cpu: `${cpu}m`, memory: `${memoryMi}Mi` } }),
        );
        const nodes = Array.from({ length: 20 }, (_, index) => aNode({ name: `node-${index}`, allocatable: shape }));
        const result = planScheduling({ nodes, pods });
        expect(result.unschedulable).toEqual([]);
        expect(new Set(result.bindings.map(({ node }) => node)).size).toBeGreaterThanOrEqual(nodeBound(pods, shape));
      }),
    );
  });
});

describe("the bound", () => {
  it.each([
    { name: "is 0 without Pods", pods: [], bound: 0 },
    { name: "follows the scarcest resource", pods: equalPods(8, { cpu: "500m", memory: "1Gi" }), bound: 2 },
    { name: "knows that Pods above half a node cannot share one", pods: equalPods(5, { cpu: "1100m" }), bound: 5 },
    { name: "counts places", pods: equalPods(21, {}), bound: 3 },
    { name: "is infinite when a Pod fits on no node", pods: equalPods(1, { cpu: "3" }), bound: Number.POSITIVE_INFINITY },
  ])("$name", ({ pods, bound }) => {
    expect(nodeBound(pods, { cpu: "2", memory: "8Gi", pods: "10" })).toBe(bound);
  });
});
