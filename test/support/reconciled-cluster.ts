/** A small cluster for tests of controllers: the fake API, their manager, and a kubelet that makes Pods run. */
import type { KindRef } from "../../shared/api/client.ts";
import type { Pod } from "../../shared/api/generated/types.ts";
import * as kinds from "../../shared/api/kinds.ts";
import { keyOf } from "../../shared/api/objects.ts";
import type { Controller } from "../../shared/runtime/controller.ts";
import { createEventRecorder } from "../../shared/runtime/event-recorder.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createManager, type RunResult } from "../../shared/runtime/manager.ts";
import { type FakeApi, fakeApi } from "./fake-api.ts";
import { type FakeClock, fakeClock, settled } from "./fake-clock.ts";

export interface ReconciledCluster {
  readonly clock: FakeClock;
  readonly api: FakeApi;
  /** Runs the controllers until they come to rest, waiting for near times as they go. */
  reconcile(options?: { readonly sweep?: boolean }): Promise<RunResult>;
  /** What the scheduler and a kubelet would do: binds, starts, and ends what is being deleted. */
  kubelet(decide?: (pod: Pod) => "ready" | "running" | "succeeded" | "failed" | "pending"): Promise<void>;
  /** Both in turn until nothing changes. */
  settle(decide?: Parameters<ReconciledCluster["kubelet"]>[0]): Promise<void>;
}

export const everyKind: readonly KindRef[] = Object.values(kinds);

export function reconciledCluster(
  controllers: readonly Controller[],
  given: { readonly api?: FakeApi; readonly clock?: FakeClock } = {},
): ReconciledCluster {
  const clock = given.clock ?? fakeClock();
  const api = given.api ?? fakeApi(clock);
  const events = createEventRecorder({ client: api.client, clock, log: silentLog });
  const manager = createManager({ controllers, feed: api.feed, client: api.client, clock, log: silentLog, events, random: () => 0.5 });
  let addresses = 0;

  const cluster: ReconciledCluster = {
    clock,
    api,
    async reconcile({ sweep = false } = {}) {
      const running = manager.run({ sweep, deadline: new Date(clock.now().getTime() + 90_000), signal: new AbortController().signal });
      const state = { done: false };
      const finish = () => {
        state.done = true;
      };
      running.then(finish, finish);
      for (await settled(); !state.done; await settled()) await clock.advance(1_000);
      return running;
    },

    async kubelet(decide = () => "ready") {
      for (const pod of api.all(kinds.pods)) {
        if (pod.metadata.deletionTimestamp) {
          if ((pod.metadata.deletionGracePeriodSeconds ?? 0) > 0) {
            await api.client.delete(kinds.pods, keyOf(pod), { gracePeriodSeconds: 0, uid: pod.metadata.uid });
          }
          continue;
        }
        if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue;
        const state = decide(pod);
        if (state === "pending") continue;
        const bound = pod.spec?.nodeName
          ? pod
          : await api.client.update(kinds.pods, {
              ...pod,
              spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: "node-1" },
            });
        const ready = state === "ready" ? "True" : "False";
        const phase = { ready: "Running", running: "Running", succeeded: "Succeeded", failed: "Failed" }[state];
        const known = bound.status?.conditions?.find(({ type }) => type === "Ready");
        if (bound.status?.phase === phase && known?.status === ready) continue;
        const podIP = bound.status?.podIP ?? `10.0.0.${++addresses}`;
        const lastTransitionTime = `${clock.now().toISOString().slice(0, 19)}Z`;
        await api.client.updateStatus(kinds.pods, {
          ...bound,
          status: { phase, podIP, podIPs: [{ ip: podIP }], conditions: [{ type: "Ready", status: ready, lastTransitionTime }] },
        });
      }
    },

    async settle(decide) {
      for (let step = 0; step < 100; step++) {
        const before = api.writes.length;
        await cluster.reconcile();
        await cluster.kubelet(decide);
        if (api.writes.length === before) return;
      }
      throw new Error("the cluster does not come to rest");
    },
  };
  return cluster;
}
