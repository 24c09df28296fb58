import { describe, expect, it } from "vitest";
import type { Node } from "../../../shared/api/generated/types.ts";
import { nodes } from "../../../shared/api/kinds.ts";
import { nodeTaintsController } from "../../../shared/controllers/node-taints/controller.ts";
import { withTaints } from "../../../shared/controllers/node-taints/plan.ts";
import { registryCluster } from "../../support/registry-cluster.ts";

const now = "2026-01-01T00:00:00Z";
const aNode = (conditions: Readonly<Record<string, string>>, spec: object = {}, annotations: Record<string, string> = {}) =>
  ({
    metadata: { name: "n", annotations },
    spec,
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
  }) as unknown as Node;

const taints = (node: Node) =>
  withTaints(node, now).spec?.taints?.map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`) ?? [];

describe("taints that follow from a Node's state", () => {
  it.each([
    [{ Ready: "True" }, []],
    [{ Ready: "False" }, ["not-ready:NoSchedule", "not-ready:NoExecute"]],
    [{ Ready: "Unknown" }, ["unreachable:NoSchedule", "unreachable:NoExecute"]],
    [{ Ready: "True", MemoryPressure: "True", DiskPressure: "False" }, ["memory-pressure:NoSchedule"]],
    [{ PIDPressure: "True", NetworkUnavailable: "True" }, ["pid-pressure:NoSchedule", "network-unavailable:NoSchedule"]],
  ])("%o calls for %o", (conditions, expected) => {
    expect(taints(aNode(conditions))).toEqual(expected);
  });

  it("cordoning is one", () => {
    expect(taints(aNode({ Ready: "True" }, { unschedulable: true }))).toEqual(["unschedulable:NoSchedule"]);
  });

  it("go with the state, while others stay", () => {
    const other = { key: "dedicated", effect: "NoSchedule" };
    const node = aNode({ Ready: "True" }, { taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }, other] });
    expect(withTaints(node, now).spec?.taints).toEqual([other]);
  });

  it("readiness of our own machines is left to who watches them", () => {
    const registering = [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }];
    const node = aNode({ Ready: "Unknown" }, { taints: registering }, { "binnacle.dev/container-instance": "arn" });
    expect(withTaints(node, now)).toBe(node);
  });

  it("a Node that is as it should be is not written", () => {
    const node = withTaints(aNode({ Ready: "False" }, { unschedulable: true }), now);
    expect(withTaints(node, "2026-01-02T00:00:00Z")).toBe(node);
  });
});

describe("the controller", () => {
  it("lets Pods onto a foreign Node when it says that it is ready", async () => {
    const here = await registryCluster(() => [nodeTaintsController()]);
    const key = { namespace: "", name: "n" };
    await here.client.create(nodes, {
      metadata: { name: "n" },
      spec: { taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }] },
    });
    const made = await here.client.get(nodes, key);
    if (!made) throw new Error("no Node");
    const heartbeat = { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now };
    await here.client.updateStatus(nodes, { ...made, status: { ...made.status, conditions: [heartbeat] } });
    await here.reconcile();
    expect((await here.client.get(nodes, key))?.spec?.taints).toBeUndefined();
    await here.client.modify(nodes, key, (node) => ({ ...node, spec: { ...node.spec, unschedulable: true } }));
    await here.reconcile();
    expect((await here.client.get(nodes, key))?.spec?.taints).toEqual([
      { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule", timeAdded: expect.any(String) },
    ]);
  });
});
