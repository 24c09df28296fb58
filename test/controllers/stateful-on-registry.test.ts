import { describe, expect, it } from "vitest";
import type { KindRef } from "../../shared/api/client.ts";
import type { StatefulSet } from "../../shared/api/generated/types.ts";
import {
  controllerRevisions,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  statefulSets,
  storageClasses,
} from "../../shared/api/kinds.ts";
import { controllers } from "../../shared/controllers/index.ts";
import { schedulerController } from "../../shared/scheduler/controller.ts";
import { aNode } from "../support/nodes.ts";
import { type RegistryCluster, registryCluster } from "../support/registry-cluster.ts";

const key = { namespace: "default", name: "db" };
const provisioner = { any: true, folder: "/volumes" };

async function cluster(): Promise<RegistryCluster> {
  const here = await registryCluster(({ resources }) => [...controllers({ resources, provisioner }), schedulerController()]);
  for (const name of ["node-1", "node-2"]) {
    const { metadata, status } = aNode({ name });
    const node = await here.client.create(nodes, { metadata: { name, labels: metadata.labels }, spec: {} });
    await here.client.updateStatus(nodes, { ...node, status });
  }
  return here;
}

const create = ({ client }: RegistryCluster, spec: Partial<StatefulSet["spec"]> = {}, storageClassName?: string) =>
  client.create(statefulSets, {
    metadata: key,
    spec: {
      replicas: 2,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } } as never, spec: { containers: [{ name: "db", image: "db:1" }] } },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
            ...(storageClassName && { storageClassName }),
          },
        } as never,
      ],
      ...spec,
    },
  });

const bound = async ({ client }: RegistryCluster) => (await client.list(persistentVolumeClaims)).items.map(({ status }) => status?.phase);

describe("on the real registry", () => {
  it.each([
    { name: "the default class, which binds late", storageClass: undefined },
    { name: "a class that nobody knows, under --provision-any", storageClass: "fast" },
  ])("a StatefulSet comes up with its claims: $name", async ({ storageClass }) => {
    const here = await cluster();
    await create(here, {}, storageClass);
    await here.settle();
    await expect(here.client.get(statefulSets, key)).resolves.toMatchObject({ status: { readyReplicas: 2, updatedReplicas: 2 } });
    expect(await bound(here)).toEqual(["Bound", "Bound"]);
    const volumes = (await here.client.list(persistentVolumes)).items;
    for (const pod of (await here.client.list(pods)).items) {
      const volume = volumes.find(({ spec }) => spec.claimRef?.name === `data-${pod.metadata.name}`);
      const [term] = volume?.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
      expect(term?.matchExpressions?.[0]?.values).toEqual([pod.spec.nodeName]);
    }
  });

  it("is updated and rolled back, and its history can be told", async () => {
    const here = await cluster();
    await create(here);
    await here.settle();
    const image = (next: string) =>
      here.client.modify(statefulSets, key, (set) => ({
        ...set,
        spec: { ...set.spec, template: { ...set.spec.template, spec: { containers: [{ name: "db", image: next }] } } },
      }));
    for (const next of ["db:2", "db:1"]) {
      await image(next);
      await here.settle();
      expect((await here.client.list(pods)).items.map(({ spec }) => spec.containers[0]?.image)).toEqual([next, next]);
    }
    expect((await here.client.list(controllerRevisions)).items.map(({ revision }) => revision)).toEqual(expect.arrayContaining([2, 3]));
  });

  it("goes, and its claims with it, when the policy says so", async () => {
    const here = await cluster();
    await create(here, { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" } });
    await here.settle();
    await here.client.modify(statefulSets, key, (set) => ({ ...set, spec: { ...set.spec, replicas: 1 } }));
    await here.settle();
    await here.settle();
    expect((await here.client.list(persistentVolumeClaims)).items.map(({ metadata }) => metadata.name)).toEqual(["data-db-0"]);
    await here.client.delete(statefulSets, key);
    await here.settle();
    await here.settle();
    expect((await here.client.list(pods)).items).toEqual([]);
    expect((await here.client.list(persistentVolumeClaims)).items).toEqual([]);
    expect((await here.client.list(persistentVolumes)).items).toEqual([]);
  });

  it("rests: a sweep of a quiet cluster writes nothing", async () => {
    const here = await cluster();
    await create(here);
    await here.settle();
    const revisions = () =>
      Promise.all(
        ([statefulSets, pods, persistentVolumeClaims, persistentVolumes] as readonly KindRef[]).map(
          async (kind) => (await here.client.list(kind)).revision,
        ),
      );
    const before = await revisions();
    await expect(here.reconcile({ sweep: true })).resolves.toMatchObject({ quiescent: true, rounds: 1 });
    expect(await revisions()).toEqual(before);
  });

  it("a cluster has a class for volumes from the start", async () => {
    const here = await cluster();
    await expect(here.client.get(storageClasses, { namespace: "", name: "local" })).resolves.toMatchObject({
      metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "binnacle.dev/local",
      volumeBindingMode: "WaitForFirstConsumer",
    });
  });
});
