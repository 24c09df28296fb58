/** Controllers on the real registry and store, over a table in memory: what a fake API may have got wrong shows here. */
import type { Client } from "../../shared/api/client.ts";
import type { Pod } from "../../shared/api/generated/types.ts";
import { pods } from "../../shared/api/kinds.ts";
import { keyOf } from "../../shared/api/objects.ts";
import type { Resources } from "../../shared/controllers/common/resources.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { changeFeed } from "../../shared/registry/feed.ts";
import type { Registry } from "../../shared/registry/registry.ts";
import type { Controller } from "../../shared/runtime/controller.ts";
import { createEventRecorder } from "../../shared/runtime/event-recorder.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createManager, type RunResult } from "../../shared/runtime/manager.ts";
import type { Table } from "../../shared/store/table.ts";
import { type FakeClock, settled } from "./fake-clock.ts";
import { aRegistry, type TestRegistry } from "./registry.ts";

export interface RegistryCluster {
  readonly registry: Registry;
  readonly client: Client;
  readonly clock: FakeClock;
  reconcile(options?: { readonly sweep?: boolean }): Promise<RunResult>;
  /** Binds and starts Pods, and ends those that are being deleted. */
  kubelet(): Promise<void>;
  /** Both until nothing changes. */
  settle(): Promise<void>;
  /** Another process with a store, a cache and controllers of its own, over the same table. */
  another(): Promise<RegistryCluster>;
}

/** @param controllers made anew for each process */
export async function registryCluster(
  controllers: (parts: { readonly resources: Resources }) => readonly Controller[],
  given: { readonly table?: Table; readonly clock?: FakeClock } = {},
): Promise<RegistryCluster> {
  const base: TestRegistry = await aRegistry(given);
  const { registry, clock, table } = base;
  const client = inProcessClient(registry, { cluster: "test", part: "controllers" });
  const running = <T>(work: Promise<T>) => awaited(work, clock);
  await running(bootstrap(client));

  const resources: Resources = async () =>
    (await registry.catalog("test", { fresh: true })).all().filter(({ verbs }) => verbs.includes("list") && verbs.includes("delete"));
  const manager = createManager({
    controllers: controllers({ resources }),
    feed: changeFeed(base.cluster, registry),
    client,
    clock,
    log: silentLog,
    events: createEventRecorder({ client, clock, log: silentLog }),
    random: () => 0.5,
  });

  const cluster: RegistryCluster = {
    registry,
    client,
    clock,
    reconcile: ({ sweep = false } = {}) =>
      running(manager.run({ sweep, deadline: new Date(clock.now().getTime() + 90_000), signal: new AbortController().signal })),
    async kubelet() {
      const { items } = await running(client.list(pods));
      await running(Promise.all(items.map((pod) => advance(client, pod, clock))));
    },
    async settle() {
      for (let step = 0; step < 50; step++) {
        const before = await versions(client);
        await cluster.reconcile();
        await cluster.kubelet();
        if ((await versions(client)) === before) return;
      }
      throw new Error("the cluster does not come to rest");
    },
    another: () => registryCluster(controllers, { table, clock }),
  };
  return cluster;
}

const versions = async (client: Client): Promise<number> => (await client.list(pods)).revision;

let addresses = 0;

async function advance(client: Client, pod: Pod, clock: FakeClock): Promise<void> {
  if (pod.metadata.deletionTimestamp) return client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0, uid: pod.metadata.uid });
  if (pod.status?.phase === "Running") return;
  if (!pod.spec?.nodeName) {
    await client.createSubresource(pods, keyOf(pod), "binding", {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace },
      target: { apiVersion: "v1", kind: "Node", name: "node-1" },
    });
  }
  const podIP = `10.0.0.${++addresses}`;
  const lastTransitionTime = `${clock.now().toISOString().slice(0, 19)}Z`;
  await client.modify(
    pods,
    keyOf(pod),
    (current) => ({
      ...current,
      status: {
        ...current.status,
        phase: "Running",
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [{ type: "Ready", status: "True", lastTransitionTime }],
      },
    }),
    { subresource: "status" },
  );
}

/** Time goes on while somebody works: back-offs of the store need it. */
async function awaited<T>(work: Promise<T>, clock: FakeClock): Promise<T> {
  const state = { done: false };
  const finish = () => {
    state.done = true;
  };
  work.then(finish, finish);
  for (await settled(); !state.done; await settled()) await clock.advance(100);
  return work;
}
