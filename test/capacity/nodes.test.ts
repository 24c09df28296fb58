import { describe, expect, it } from "vitest";
import * as kinds from "../../shared/api/kinds.ts";
import { nodeController } from "../../shared/capacity/controller.ts";
import { podReadinessController } from "../../shared/capacity/pod-readiness.ts";
import { podSlots } from "../../shared/capacity/pod-slots.ts";
import { evictionTime, taintEvictionController } from "../../shared/capacity/taint-eviction.ts";
import type { ContainerInstance } from "../../shared/kubelet/task-engine.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createManager } from "../../shared/runtime/manager.ts";
import { fakeApi } from "../support/fake-api.ts";
import { fakeClock, settled } from "../support/fake-clock.ts";
import { aContainerInstance, FakeTaskEngine } from "../support/fake-task-engine.ts";
import { aWorkPod } from "../support/nodes.ts";

function world() {
  const clock = fakeClock();
  const api = fakeApi(clock);
  const engine = new FakeTaskEngine(clock);
  const manager = createManager({
    controllers: [
      nodeController({ tasks: engine, clock, ecsCluster: "binnacle-default", version: "v1.36.2" }),
      taintEvictionController(),
      podReadinessController(),
    ],
    feed: api.feed,
    client: api.client,
    clock,
    log: silentLog,
    random: () => 1,
  });
  const run = async ({ sweep = false } = {}) => {
    // Looks closer together than that are answered together.
    await clock.advance(2_000);
    const stop = new AbortController();
    const running = manager.run({ sweep, deadline: new Date(clock.now().getTime() + 3_600_000), signal: stop.signal });
    await settled();
    stop.abort(new Error("enough"));
    await running;
  };
  return {
    api,
    engine,
    run,
    set: (...instances: ContainerInstance[]) => {
      engine.instances.clear();
      for (const instance of instances) engine.instances.set(instance.containerInstanceArn, instance);
    },
    after: async (ms: number) => {
      await clock.advance(ms);
      await run();
    },
    node: (name = "i-1") => api.get(kinds.nodes, name),
    ready: (name = "i-1") => api.get(kinds.nodes, name)?.status?.conditions?.find(({ type }) => type === "Ready")?.status,
    taints: (name = "i-1") => (api.get(kinds.nodes, name)?.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`),
    lease: (name = "i-1") => api.get(kinds.leases, name, "kube-node-lease"),
    pod: async (
      name: string,
      nodeName: string,
      tolerations: { key: string; operator: string; effect: string; tolerationSeconds?: number }[] = [],
    ) => {
      const { metadata, spec, status } = aWorkPod({ name, nodeName, spec: { tolerations } });
      const { uid: _uid, resourceVersion: _version, ...rest } = metadata;
      await api.client.create(kinds.pods, { metadata: rest, spec, ...(status && { status }) });
    },
    /** What a Pod's conditions are, as its kubelet says. */
    says: (name: string, conditions: { type: string; status: string }[]) =>
      api.client.modify(kinds.pods, { namespace: "default", name }, (pod) => ({ ...pod, status: { ...pod.status, conditions } }), {
        subresource: "status",
      }),
    podReady: (name: string) => api.get(kinds.pods, name)?.status?.conditions?.find(({ type }) => type === "Ready"),
    pods: () =>
      api
        .all(kinds.pods)
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ metadata }) => metadata.name),
  };
}

describe("a container instance", () => {
  it("becomes a Node", async () => {
    const { set, run, node } = world();
    set(aContainerInstance());
    await run();
    expect(node()).toMatchObject({
      metadata: {
        labels: {
          "kubernetes.io/hostname": "i-1",
          "kubernetes.io/arch": "arm64",
          "kubernetes.io/os": "linux",
          "topology.kubernetes.io/zone": "eu-west-1a",
          "topology.kubernetes.io/region": "eu-west-1",
          "node.kubernetes.io/instance-type": "m7g.large",
        },
        annotations: { "binnacle.dev/container-instance": expect.stringContaining("container-instance/binnacle-default/i-1") },
      },
      spec: { providerID: "aws:///eu-west-1a/i-1" },
      status: {
        capacity: { cpu: "2", memory: "7680Mi", pods: "2", "ephemeral-storage": "30Gi" },
        allocatable: { cpu: "2", pods: "2" },
        nodeInfo: { architecture: "arm64", kubeletVersion: "v1.36.2", operatingSystem: "linux" },
      },
    });
    expect(node()?.status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "MemoryPressure False",
      "DiskPressure False",
      "PIDPressure False",
      "Ready True",
    ]);
  });

  it("is named by its address, and says what its user data says", async () => {
    const { set, run, node } = world();
    set(
      aContainerInstance({
        attributes: [
          { name: "ecs.instance-type", value: "m7g.large" },
          { name: "ecs.awsvpc-trunk-id", value: "eni-1" },
          { name: "binnacle.dev/internal-ip", value: "10.0.0.11" },
          { name: "binnacle.dev/label/pool", value: "web" },
          { name: "binnacle.dev/taint/dedicated", value: "web:NoSchedule" },
        ],
      }),
    );
    await run();
    expect(node("ip-10-0-0-11")).toMatchObject({
      metadata: { labels: { pool: "web" } },
      spec: { taints: [{ key: "dedicated", value: "web", effect: "NoSchedule" }] },
      status: {
        addresses: [
          { type: "InternalIP", address: "10.0.0.11" },
          { type: "Hostname", address: "ip-10-0-0-11" },
        ],
        capacity: { pods: "10" },
      },
    });
  });

  it("is not ready while it registers", async () => {
    const { set, run, ready, taints } = world();
    set(aContainerInstance({ status: "REGISTERING" }));
    await run();
    expect(ready()).toBe("False");
    expect(taints()).toEqual(["node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"]);
    set(aContainerInstance());
    await run();
    expect(ready()).toBe("True");
    expect(taints()).toEqual([]);
  });

  it("that drains takes no new Pods", async () => {
    const { set, run, ready, taints } = world();
    set(aContainerInstance({ status: "DRAINING" }));
    await run();
    expect(ready()).toBe("True");
    expect(taints()).toEqual(["binnacle.dev/draining:NoSchedule"]);
  });

  it("is not asked for more often than every two seconds, however often it rings", async () => {
    const { set, run, engine } = world();
    set(aContainerInstance());
    await run();
    const calls = engine.calls.length;
    await run();
    expect(engine.calls.length - calls).toBe(2);
  });

  it("costs no write when only its load changes", async () => {
    const { set, run, api } = world();
    set(aContainerInstance());
    await run();
    const writes = api.writes.length;
    set(aContainerInstance({ runningTasksCount: 3, version: 9 }));
    await run();
    expect(api.writes).toHaveLength(writes);
  });
});

describe("the Lease of a Node", () => {
  it("is there as soon as the Node is, and goes with it", async () => {
    const { set, run, node, lease } = world();
    set(aContainerInstance());
    await run();
    expect(lease()).toMatchObject({
      metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "i-1", uid: node()?.metadata.uid }] },
      spec: { holderIdentity: "i-1", leaseDurationSeconds: 7_200, renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z$/u) },
    });
  });

  it("is renewed when somebody looks at the machines anyway, at most twice an hour", async () => {
    const { set, run, after, lease } = world();
    set(aContainerInstance());
    await run();
    const first = lease()?.spec.renewTime ?? "";
    await after(20 * 60_000);
    await run({ sweep: true });
    expect(lease()?.spec.renewTime).toBe(first);
    await after(40 * 60_000);
    await run({ sweep: true });
    expect(Date.parse(lease()?.spec.renewTime ?? "") - Date.parse(first)).toBeGreaterThanOrEqual(60 * 60_000);
  });

  it("says when the agent was last seen, not when somebody looked", async () => {
    const { set, run, after, lease, ready } = world();
    set(aContainerInstance());
    await run();
    const first = lease()?.spec.renewTime ?? "";
    set(aContainerInstance({ agentConnected: false }));
    await run();
    await after(60 * 60_000);
    await run({ sweep: true });
    expect(ready()).toBe("Unknown");
    expect(lease()?.spec.renewTime).toBe(first);
    set(aContainerInstance());
    await run();
    expect(Date.parse(lease()?.spec.renewTime ?? "")).toBeGreaterThan(Date.parse(first));
  });

  it("comes back when somebody took it away, and belongs to the Node that is there now", async () => {
    const { set, run, after, api, node, lease } = world();
    set(aContainerInstance());
    await run();
    const first = node()?.metadata.uid;
    await api.client.delete(kinds.leases, { namespace: "kube-node-lease", name: "i-1" });
    await after(60 * 60_000);
    await run({ sweep: true });
    expect(lease()?.metadata.ownerReferences?.[0]?.uid).toBe(first);
    await api.client.delete(kinds.nodes, { namespace: "", name: "i-1" });
    await run();
    expect(node()?.metadata.uid).not.toBe(first);
    expect(lease()?.metadata.ownerReferences).toMatchObject([{ uid: node()?.metadata.uid }]);
  });
});

describe("an agent that is away", () => {
  it("is given a minute, because agents reconnect several times an hour", async () => {
    const { set, run, after, ready, taints } = world();
    set(aContainerInstance());
    await run();
    set(aContainerInstance({ agentConnected: false }));
    await run();
    expect(ready()).toBe("True");
    await after(60_000);
    expect(ready()).toBe("Unknown");
    expect(taints()).toEqual(["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]);
    set(aContainerInstance());
    await run();
    expect(ready()).toBe("True");
    expect(taints()).toEqual([]);
  });

  it("loses its Pods after what they tolerate", async () => {
    const { set, run, after, pod, pods } = world();
    set(aContainerInstance());
    await run();
    const key = "node.kubernetes.io/unreachable";
    await pod("patient", "i-1", [{ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }]);
    await pod("stubborn", "i-1", [{ key, operator: "Exists", effect: "NoExecute" }]);
    await pod("nervous", "i-1");
    set(aContainerInstance({ agentConnected: false }));
    await run();
    await after(60_000);
    expect(pods()).toEqual(["patient", "stubborn"]);
    await after(290_000);
    expect(pods()).toEqual(["patient", "stubborn"]);
    await after(10_000);
    expect(pods()).toEqual(["stubborn"]);
  });
});

describe("Pods of an agent that is away", () => {
  const stays = [{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" }];
  const ready = [
    { type: "ContainersReady", status: "True" },
    { type: "Ready", status: "True" },
  ];

  it("are not ready until it is back", async () => {
    const { set, run, after, pod, says, podReady } = world();
    set(aContainerInstance());
    await run();
    await pod("web", "i-1", stays);
    await says("web", ready);
    set(aContainerInstance({ agentConnected: false }));
    await run();
    expect(podReady("web")).toMatchObject({ status: "True" });
    await after(60_000);
    expect(podReady("web")).toMatchObject({ status: "False", reason: "NodeNotReady" });
    set(aContainerInstance());
    await run();
    expect(podReady("web")).toMatchObject({ status: "True" });
    expect(podReady("web")).not.toHaveProperty("reason");
  });

  it("are not made ready when they were not", async () => {
    const { set, run, after, pod, says, podReady } = world();
    set(aContainerInstance());
    await run();
    await pod("web", "i-1", stays);
    await says("web", ready);
    set(aContainerInstance({ agentConnected: false }));
    await run();
    await after(60_000);
    await says("web", [
      { type: "ContainersReady", status: "False" },
      { type: "Ready", status: "False" },
    ]);
    set(aContainerInstance());
    await run();
    expect(podReady("web")).toMatchObject({ status: "False" });
  });
});

describe("a machine that is gone for good", () => {
  it("is first unreachable, then removed with its Pods", async () => {
    const { set, run, after, ready, node, pod, api } = world();
    set(aContainerInstance());
    await run();
    await pod("left", "i-1", [{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" }]);
    set();
    await run();
    expect(ready()).toBe("Unknown");
    expect(api.all(kinds.pods)).toHaveLength(1);
    await after(60_000);
    expect(node()).toBeUndefined();
    expect(api.all(kinds.pods)).toEqual([]);
  });

  it("has no Pods any more as soon as Amazon ECS says so", async () => {
    const { set, run, after, ready, node, pod, api } = world();
    set(aContainerInstance());
    await run();
    await pod("left", "i-1", [{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" }]);
    set(aContainerInstance({ status: "INACTIVE", agentConnected: false }));
    await run();
    expect(ready()).toBe("Unknown");
    expect(api.all(kinds.pods)).toEqual([]);
    await after(60_000);
    expect(node()).toBeUndefined();
  });

  it("takes its place again when it comes back in time", async () => {
    const { set, run, after, ready } = world();
    set(aContainerInstance());
    await run();
    set();
    await run();
    set(aContainerInstance());
    await after(30_000);
    expect(ready()).toBe("True");
  });
});

describe("trap 31: Nodes have several writers", () => {
  it("keeps labels, taints, conditions and capacity of others", async () => {
    const { set, run, after, node, api } = world();
    set(aContainerInstance());
    await run();
    const key = { namespace: "", name: "i-1" };
    const theirs = { type: "NetworkUnavailable", status: "False" };
    await api.client.modify(kinds.nodes, key, (current) => ({
      ...current,
      metadata: { ...current.metadata, labels: { ...current.metadata.labels, team: "a" } },
      spec: { ...current.spec, unschedulable: true, taints: [{ key: "mine", effect: "NoSchedule" }] },
    }));
    await api.client.modify(
      kinds.nodes,
      key,
      (current) => ({
        ...current,
        status: {
          ...current.status,
          capacity: { ...current.status?.capacity, "example.com/fpga": "2" },
          conditions: [...(current.status?.conditions ?? []), theirs],
        },
      }),
      { subresource: "status" },
    );
    set(aContainerInstance({ agentConnected: false }));
    await run();
    await after(60_000);
    set(aContainerInstance());
    await run();
    expect(node()).toMatchObject({
      metadata: { labels: { team: "a" } },
      spec: { unschedulable: true, taints: [{ key: "mine" }] },
      status: { capacity: { "example.com/fpga": "2", cpu: "2" } },
    });
    expect(node()?.status?.conditions).toContainEqual(theirs);
  });

  it("leaves Nodes alone that others made, even under a name of ours", async () => {
    const { set, run, after, node, api } = world();
    await api.client.create(kinds.nodes, { metadata: { name: "kwok-1" }, spec: {} });
    await api.client.create(kinds.nodes, { metadata: { name: "i-1" }, spec: {} });
    const before = [node("kwok-1"), node()];
    set(aContainerInstance());
    await run();
    await after(600_000);
    expect([node("kwok-1"), node()]).toEqual(before);
  });
});

describe("places for tasks with addresses of their own", () => {
  it.each([
    ["m7g.large", false, 2],
    ["m7g.large", true, 10],
    ["m7g.16xlarge", true, 120],
    ["t3.medium", true, 2],
    ["m6i.2xlarge", false, 3],
    ["x9.unheard", true, 1],
    [undefined, false, 1],
  ])("%s, trunk %s: %i", (type, trunked, slots) => {
    expect(podSlots(type, trunked)).toBe(slots);
  });
});

const tolerating = (...seconds: (number | undefined)[]) =>
  aWorkPod({
    spec: {
      tolerations: seconds.map((tolerationSeconds) => ({
        key: "k",
        operator: "Exists",
        ...(tolerationSeconds !== undefined && { tolerationSeconds }),
      })),
    },
  });

describe("the time of an eviction", () => {
  const taint = { key: "k", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z" };
  const start = Date.parse(taint.timeAdded);
  it.each([
    { name: "is now for a Pod that tolerates nothing", pod: aWorkPod(), at: start + 5_000 },
    { name: "never comes for a Pod that tolerates it for ever", pod: tolerating(undefined), at: undefined },
    { name: "is the end of the shortest toleration", pod: tolerating(300, 60), at: start + 60_000 },
    { name: "ignores a toleration without end beside one that has one", pod: tolerating(undefined, 60), at: start + 60_000 },
  ])("$name", ({ pod, at }) => {
    expect(evictionTime(pod, [taint], start + 5_000)).toBe(at);
  });

  it("never comes for other effects", () => {
    expect(evictionTime(aWorkPod(), [{ key: "k", effect: "NoSchedule" }], start)).toBeUndefined();
  });
});
