import { describe, expect, it } from "vitest";
import type { Deployment, PodDisruptionBudget } from "../../../shared/api/generated/types.ts";
import { deployments, podDisruptionBudgets, pods } from "../../../shared/api/kinds.ts";
import { type Draft, keyOf } from "../../../shared/api/objects.ts";
import { deploymentController } from "../../../shared/controllers/deployment/controller.ts";
import { disruptionController } from "../../../shared/controllers/disruption/controller.ts";
import { replicaSetController } from "../../../shared/controllers/replicaset/controller.ts";
import { type RegistryCluster, registryCluster } from "../../support/registry-cluster.ts";

const labels = { app: "web" };
const key = { namespace: "default", name: "web" };

async function withBudget(replicas: number, spec: PodDisruptionBudget["spec"]): Promise<RegistryCluster> {
  const cluster = await registryCluster(() => [deploymentController(), replicaSetController(), disruptionController()]);
  await cluster.client.create(podDisruptionBudgets, { metadata: key, spec: { selector: { matchLabels: labels }, ...spec } });
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1" }] } };
  const workload = { replicas, selector: { matchLabels: labels }, template };
  await cluster.client.create(deployments, { metadata: key, spec: workload } as unknown as Draft<Deployment>);
  await cluster.settle();
  return cluster;
}

const statusOf = async ({ client }: RegistryCluster) => (await client.get(podDisruptionBudgets, key))?.status;
const evict = async ({ client }: RegistryCluster, at = 0) => {
  const pod = (await client.list(pods)).items[at];
  if (!pod) throw new Error("no Pod to evict");
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod.metadata.name, namespace: "default" } };
  return client.createSubresource(pods, keyOf(pod), "eviction", body);
};

describe("a PodDisruptionBudget at work", () => {
  it("knows how many may go as soon as the Pods are well", async () => {
    const cluster = await withBudget(3, { maxUnavailable: 1 });
    expect(await statusOf(cluster)).toMatchObject({
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      disruptionsAllowed: 1,
      observedGeneration: 1,
      conditions: [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods" }],
    });
  });

  it("lets one Pod go, and the next one when that one is replaced", async () => {
    const cluster = await withBudget(3, { maxUnavailable: 1 });
    await evict(cluster);
    await expect(evict(cluster, 1)).rejects.toMatchObject({ reason: "TooManyRequests" });
    await cluster.settle();
    expect(await statusOf(cluster)).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 });
    expect(await statusOf(cluster)).not.toHaveProperty("disruptedPods");
    await evict(cluster);
  });

  it("follows the Deployment's number, not that of its ReplicaSets, and its own spec", async () => {
    const cluster = await withBudget(2, { minAvailable: "50%" });
    expect(await statusOf(cluster)).toMatchObject({ expectedPods: 2, desiredHealthy: 1, disruptionsAllowed: 1 });
    await cluster.client.modify(deployments, key, (found) => ({ ...found, spec: { ...found.spec, replicas: 4 } }));
    await cluster.settle();
    expect(await statusOf(cluster)).toMatchObject({ expectedPods: 4, desiredHealthy: 2, disruptionsAllowed: 2 });
    await cluster.client.modify(podDisruptionBudgets, key, (found) => ({ ...found, spec: { ...found.spec, minAvailable: "100%" } }));
    await cluster.settle();
    expect(await statusOf(cluster)).toMatchObject({ disruptionsAllowed: 0, observedGeneration: 2 });
    await expect(evict(cluster)).rejects.toMatchObject({ reason: "TooManyRequests" });
  });

  it("comes to rest", async () => {
    const cluster = await withBudget(2, { maxUnavailable: 1 });
    const before = (await cluster.client.get(podDisruptionBudgets, key))?.metadata.resourceVersion;
    await cluster.reconcile({ sweep: true });
    expect((await cluster.client.get(podDisruptionBudgets, key))?.metadata.resourceVersion).toBe(before);
  });
});
