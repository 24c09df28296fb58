import { describe, expect, it } from "vitest";
import type { DaemonSet, Node, PodSpec } from "../../../shared/api/generated/types.ts";
import { eligibility, targetNode, tiedTo, tolerationsOf } from "../../../shared/controllers/daemonset/placement.ts";
import { aDaemonSet } from "../../support/daemons.ts";
import { aNode, aWorkPod } from "../../support/nodes.ts";

const withSpec = (spec: Partial<PodSpec>): DaemonSet => aDaemonSet({ spec: { template: { spec: { containers: [], ...spec } } } });
const tainted = (key: string, effect: string): Node => aNode({ taints: [{ key, effect }] });

describe("a Node", () => {
  const plain = withSpec({});
  it.each([
    { name: "wants a Pod", set: plain, node: aNode(), runs: true, stays: true },
    { name: "that was cordoned wants one all the same", set: plain, node: aNode({ unschedulable: true }), runs: true, stays: true },
    { name: "in trouble, too", set: plain, node: tainted("node.kubernetes.io/not-ready", "NoExecute"), runs: true, stays: true },
    { name: "with a taint gets none", set: plain, node: tainted("mine", "NoSchedule"), runs: false, stays: true },
    { name: "that drives Pods away keeps none", set: plain, node: tainted("mine", "NoExecute"), runs: false, stays: false },
    {
      name: "with a taint that is tolerated gets one",
      set: withSpec({ tolerations: [{ key: "mine", operator: "Exists" }] }),
      node: tainted("mine", "NoExecute"),
      runs: true,
      stays: true,
    },
    { name: "without the labels gets none", set: withSpec({ nodeSelector: { disk: "ssd" } }), node: aNode(), runs: false, stays: false },
    {
      name: "with the labels gets one",
      set: withSpec({ nodeSelector: { disk: "ssd" } }),
      node: aNode({ labels: { disk: "ssd" } }),
      runs: true,
      stays: true,
    },
    { name: "other than the one that is named gets none", set: withSpec({ nodeName: "node-2" }), node: aNode(), runs: false, stays: false },
  ])("$name", ({ set, node, runs, stays }) => {
    expect(eligibility(set, node)).toEqual({ runs, stays });
  });
});

describe("the Pod of a Node", () => {
  it("is tied to it, whatever else it asked of Nodes; the rest stays", () => {
    const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [] };
    const affinity = {
      podAntiAffinity,
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [] }] } },
    };
    const tied = tiedTo("node-1", affinity);
    expect(tied).toEqual({
      podAntiAffinity,
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["node-1"] }] }],
        },
      },
    });
    expect(targetNode(aWorkPod({ spec: { affinity: tied } }))).toBe("node-1");
    expect(targetNode(aWorkPod({ nodeName: "node-2", spec: { affinity: tied } }))).toBe("node-2");
    expect(targetNode(aWorkPod())).toBeUndefined();
  });

  it("bears with its Node's troubles, each toleration once", () => {
    const own = [
      { key: "mine", operator: "Exists" },
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 },
    ];
    const all = tolerationsOf({ tolerations: own, hostNetwork: true });
    expect(all.map(({ key }) => key)).toEqual([
      "mine",
      "node.kubernetes.io/not-ready",
      "node.kubernetes.io/unreachable",
      "node.kubernetes.io/disk-pressure",
      "node.kubernetes.io/memory-pressure",
      "node.kubernetes.io/pid-pressure",
      "node.kubernetes.io/unschedulable",
      "node.kubernetes.io/network-unavailable",
    ]);
    expect(all[1]).not.toHaveProperty("tolerationSeconds");
    expect(tolerationsOf({}).map(({ key }) => key)).not.toContain("node.kubernetes.io/network-unavailable");
  });
});
