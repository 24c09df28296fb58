import { describe, expect, it } from "vitest";
import type { Client } from "../../shared/api/client.ts";
import * as kinds from "../../shared/api/kinds.ts";
import { conflict, notFound } from "../../shared/errors/status-error.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createManager } from "../../shared/runtime/manager.ts";
import { schedulerController } from "../../shared/scheduler/controller.ts";
import { fakeApi } from "../support/fake-api.ts";
import { fakeClock, settled } from "../support/fake-clock.ts";
import { aNode, aWorkPod, type NodeGiven, type WorkGiven } from "../support/nodes.ts";

function world(options: Parameters<typeof schedulerController>[0] = {}) {
  const clock = fakeClock();
  const api = fakeApi(clock);
  const said: string[] = [];
  const bound: { pod: string; body: unknown }[] = [];
  let before: ((name: string) => void) | undefined;
  const client: Client = {
    ...api.client,
    createSubresource: async (_kind, key, subresource, body) => {
      before?.(key.name);
      bound.push({ pod: `${subresource} ${key.name}`, body });
      const { target } = body as { target: { name: string } };
      await api.client.modify(kinds.pods, key, (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: target.name } }));
      return {};
    },
  };
  const manager = createManager({
    controllers: [schedulerController(options)],
    feed: api.feed,
    client,
    clock,
    log: silentLog,
    random: () => 1,
    events: {
      record: (component, _about, type, reason, message) => void said.push(`${component} ${type} ${reason}: ${message}`),
      flush: async () => {},
    },
  });
  return {
    api,
    said,
    bound,
    beforeBinding: (hook: (name: string) => void) => {
      before = hook;
    },
    run: async () => {
      const stop = new AbortController();
      const running = manager.run({ sweep: false, deadline: new Date(clock.now().getTime() + 3_600_000), signal: stop.signal });
      await settled();
      stop.abort(new Error("enough"));
      await running;
    },
    node: async (given: NodeGiven = {}) => {
      const { metadata, spec, status } = aNode(given);
      await api.client.create(kinds.nodes, { metadata, ...(spec && { spec }), ...(status && { status }) });
    },
    pod: async (given: WorkGiven = {}) => {
      const { metadata, spec, status } = aWorkPod(given);
      await api.client.create(kinds.pods, { metadata, spec, ...(status && { status }) });
    },
    placeOf: (name = "pod-1") => api.get(kinds.pods, name)?.spec.nodeName,
    condition: (name = "pod-1") => api.get(kinds.pods, name)?.status?.conditions?.find(({ type }) => type === "PodScheduled"),
  };
}

describe("the scheduler", () => {
  it("binds a pending Pod and says so", async () => {
    const { node, pod, run, bound, said, api } = world();
    await node();
    await pod();
    await run();
    const uid = api.get(kinds.pods, "pod-1")?.metadata.uid;
    expect(bound).toEqual([
      {
        pod: "binding pod-1",
        body: {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { name: "pod-1", namespace: "default", uid },
          target: { apiVersion: "v1", kind: "Node", name: "node-1" },
        },
      },
    ]);
    expect(said).toEqual(["default-scheduler Normal Scheduled: Successfully assigned default/pod-1 to node-1"]);
  });

  it("says once why a Pod waits, in its condition and in an event", async () => {
    const { node, pod, run, said, condition, api } = world();
    await node();
    await pod({ requests: { cpu: "3" } });
    await run();
    const message =
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    expect(condition()).toMatchObject({ status: "False", reason: "Unschedulable", message });
    expect(said).toEqual([`default-scheduler Warning FailedScheduling: ${message}`]);
    const writes = api.writes.length;
    await pod({ name: "other" });
    await run();
    expect(said.filter((line) => line.includes("FailedScheduling"))).toHaveLength(1);
    expect(api.writes.slice(writes).filter((write) => write.includes("pod-1"))).toEqual([]);
  });

  it("tries again when a Node joins, and when a Pod leaves", async () => {
    const { node, pod, run, placeOf, api } = world();
    await node();
    await pod({ name: "first", requests: { cpu: "2" } });
    await run();
    await pod({ name: "second", requests: { cpu: "2" } });
    await pod({ name: "third", requests: { cpu: "2" } });
    await run();
    expect([placeOf("second"), placeOf("third")]).toEqual([undefined, undefined]);
    await node({ name: "node-2" });
    await run();
    expect([placeOf("second"), placeOf("third")]).toEqual(["node-2", undefined]);
    await api.client.modify(
      kinds.pods,
      { namespace: "default", name: "first" },
      (current) => ({ ...current, status: { ...current.status, phase: "Succeeded" } }),
      { subresource: "status" },
    );
    await run();
    expect(placeOf("third")).toBe("node-1");
  });

  it("does not look when only a Node's heartbeat changes", async () => {
    const { node, pod, run, bound, api } = world();
    await node();
    await pod({ requests: { cpu: "3" } });
    await run();
    const writes = api.writes.length;
    await api.client.modify(
      kinds.nodes,
      { namespace: "", name: "node-1" },
      (current) => ({
        ...current,
        status: { ...current.status, conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: "2026-01-01T00:01:00Z" }] },
      }),
      { subresource: "status" },
    );
    await run();
    expect(bound).toEqual([]);
    expect(api.writes.length).toBe(writes + 1);
  });

  it("says that a Pod is held by its gates, and binds it when they are gone", async () => {
    const { node, pod, run, condition, placeOf, api } = world();
    await node();
    await pod({ spec: { schedulingGates: [{ name: "example.com/wait" }] } });
    await run();
    expect(condition()).toMatchObject({ status: "False", reason: "SchedulingGated" });
    await api.client.modify(kinds.pods, { namespace: "default", name: "pod-1" }, (current) => ({
      ...current,
      spec: { ...current.spec, schedulingGates: [] },
    }));
    await run();
    expect(placeOf()).toBe("node-1");
  });

  it("looks again when somebody else was faster", async () => {
    const { node, pod, run, beforeBinding, placeOf } = world();
    await node();
    await pod();
    let once = true;
    beforeBinding(() => {
      if (!once) return;
      once = false;
      throw conflict(kinds.pods, "pod-1", "the object has been modified");
    });
    await run();
    expect(placeOf()).toBe("node-1");
  });

  it("does not mind a Pod that is deleted meanwhile", async () => {
    const { node, pod, run, beforeBinding, said, placeOf } = world();
    await node();
    await pod({ name: "gone" });
    await pod({ name: "stays" });
    beforeBinding((name) => {
      if (name === "gone") throw notFound(kinds.pods, name);
    });
    await run();
    expect(placeOf("stays")).toBe("node-1");
    expect(said).toHaveLength(1);
  });

  it.each([
    {
      field: "spec.topologySpreadConstraints",
      spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }] },
    },
    {
      field: "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
      spec: {
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname" }] } },
      },
    },
  ])("names $field, which it does not evaluate yet", async ({ field, spec }) => {
    const { node, pod, run, said } = world();
    await node();
    await pod({ spec });
    await run();
    expect(said).toContainEqual(
      `default-scheduler Warning NotEvaluated: placed without regard to fields that the scheduler does not evaluate yet: ${field}`,
    );
  });

  it("tells what to do while there is no Node at all", async () => {
    const { pod, run, condition } = world({ adviceWithoutNodes: "add one" });
    await pod();
    await run();
    expect(condition()?.message).toBe("no nodes available to schedule pods; add one");
  });
});
