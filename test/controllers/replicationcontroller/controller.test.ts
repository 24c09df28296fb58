import { describe, expect, it } from "vitest";
import type { ReplicationController } from "../../../shared/api/generated/types.ts";
import { events, pods, replicationControllers } from "../../../shared/api/kinds.ts";
import { controllerOf, type Draft } from "../../../shared/api/objects.ts";
import { replicaSetController } from "../../../shared/controllers/replicaset/controller.ts";
import { replicationControllerController } from "../../../shared/controllers/replicationcontroller/controller.ts";
import { type RegistryCluster, registryCluster } from "../../support/registry-cluster.ts";

const key = { namespace: "default", name: "web" };
const labels = { app: "web" };
const containers = [{ name: "web", image: "nginx:1" }];
const aController = (replicas: number) =>
  ({
    metadata: key,
    spec: { replicas, template: { metadata: { labels }, spec: { containers } } },
  }) as unknown as Draft<ReplicationController>;

/** Beside the controller that keeps ReplicaSets: neither may take the other's Pods. */
async function replicated(replicas: number): Promise<RegistryCluster> {
  const cluster = await registryCluster(() => [replicaSetController(), replicationControllerController()]);
  await cluster.client.create(replicationControllers, aController(replicas));
  await cluster.settle();
  return cluster;
}
const web = ({ client }: RegistryCluster) => client.get(replicationControllers, key);
const podsOf = async ({ client }: RegistryCluster) => (await client.list(pods)).items;

describe("a ReplicationController at work", () => {
  it("makes its Pods, counts them, and says so", async () => {
    const cluster = await replicated(2);
    const controller = await web(cluster);
    expect(controller?.status).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      observedGeneration: 1,
    });
    for (const pod of await podsOf(cluster)) {
      expect(controllerOf(pod)).toMatchObject({ apiVersion: "v1", kind: "ReplicationController", uid: controller?.metadata.uid });
      expect(pod.metadata.labels).toEqual(labels);
    }
    const { items } = await cluster.client.list(events);
    expect(items.map(({ reason, involvedObject }) => `${reason} ${involvedObject.kind}`)).toEqual(
      Array.from({ length: 2 }, () => "SuccessfulCreate ReplicationController"),
    );
  });

  it("follows its scale, and comes to rest", async () => {
    const cluster = await replicated(1);
    await cluster.client.modify(replicationControllers, key, (found) => ({ ...found, spec: { ...found.spec, replicas: 3 } }));
    await cluster.settle();
    expect(await podsOf(cluster)).toHaveLength(3);
    await cluster.client.modify(replicationControllers, key, (found) => ({ ...found, spec: { ...found.spec, replicas: 0 } }));
    await cluster.settle();
    expect(await podsOf(cluster)).toEqual([]);
    const { metadata, status } = (await web(cluster)) ?? {};
    expect(status).toEqual({ replicas: 0, observedGeneration: 3 });
    await cluster.reconcile({ sweep: true });
    expect((await web(cluster))?.metadata.resourceVersion).toBe(metadata?.resourceVersion);
  });

  it("adopts what it selects, and releases what it no longer does", async () => {
    const cluster = await registryCluster(() => [replicaSetController(), replicationControllerController()]);
    await cluster.client.create(pods, { metadata: { name: "orphan", namespace: "default", labels }, spec: { containers } });
    await cluster.client.create(replicationControllers, aController(1));
    await cluster.settle();
    expect((await podsOf(cluster)).map(({ metadata }) => metadata.name)).toEqual(["orphan"]);
    const orphan = { namespace: "default", name: "orphan" };
    await cluster.client.modify(pods, orphan, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { app: "debug" } } }));
    await cluster.settle();
    const [left, ...made] = await podsOf(cluster);
    expect([left, ...made]).toHaveLength(2);
    expect(controllerOf((await cluster.client.get(pods, orphan)) as never)).toBeUndefined();
  });
});
