import { describe, expect, it } from "vitest";
import type { KindRef } from "../../shared/api/client.ts";
import type { Deployment, Pod } from "../../shared/api/generated/types.ts";
import {
  configMaps,
  customResourceDefinitions,
  deployments,
  endpointSlices,
  endpoints,
  events,
  jobs,
  namespaces,
  nodes,
  pods,
  replicaSets,
  secrets,
  serviceAccounts,
  services,
} from "../../shared/api/kinds.ts";
import { controllers } from "../../shared/controllers/index.ts";
import { type RegistryCluster, registryCluster } from "../support/registry-cluster.ts";

const cluster = async () => {
  const here = await registryCluster(({ resources }) =>
    controllers({ resources, clusterCa: "PEM", endpointUrl: "https://192.168.1.5:6443" }),
  );
  await here.client.create(nodes, { metadata: { name: "node-1" }, spec: {} });
  return here;
};
const web = { namespace: "default", name: "web" };

const deploy = ({ client }: RegistryCluster, spec: Partial<Deployment["spec"]> = {}) =>
  client.create(deployments, {
    metadata: { ...web, labels: { app: "web" } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } } as never,
        spec: { containers: [{ name: "web", image: "web:1", ports: [{ name: "http", containerPort: 8080 }] }] },
      },
      ...spec,
    },
  });

const all = async <T extends Pod>(here: RegistryCluster, kind: KindRef<T>): Promise<readonly T[]> =>
  (await here.client.list(kind, { namespace: "default" })).items;

describe("on the real registry", () => {
  it("a new cluster gets what every cluster has", async () => {
    const here = await cluster();
    await here.reconcile();
    for (const namespace of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
      await expect(here.client.get(serviceAccounts, { namespace, name: "default" })).resolves.toBeDefined();
      await expect(here.client.get(configMaps, { namespace, name: "kube-root-ca.crt" })).resolves.toMatchObject({
        data: { "ca.crt": "PEM" },
      });
    }
    await expect(here.client.get(services, { namespace: "default", name: "kubernetes" })).resolves.toBeDefined();
    await expect(here.client.get(endpoints, { namespace: "default", name: "kubernetes" })).resolves.toMatchObject({
      subsets: [{ addresses: [{ ip: "192.168.1.5" }] }],
    });
  });

  it("a Deployment comes up, is exposed, rolled, rolled back and scaled", async () => {
    const here = await cluster();
    await deploy(here);
    await here.client.create(services, { metadata: web, spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] } });
    await here.settle();
    await expect(here.client.get(deployments, web)).resolves.toMatchObject({
      metadata: { annotations: { "deployment.kubernetes.io/revision": "1" } },
      status: { observedGeneration: 1, replicas: 3, availableReplicas: 3 },
    });
    const slice = (await all(here, endpointSlices as never)).find(({ metadata }) => metadata.generateName === "web-") as never as {
      endpoints: unknown[];
      ports: unknown[];
    };
    expect(slice.endpoints).toHaveLength(3);
    expect(slice.ports).toMatchObject([{ port: 8080 }]);

    const image = (next: string) =>
      here.client.modify(deployments, web, (current) => ({
        ...current,
        spec: {
          ...current.spec,
          template: {
            ...current.spec.template,
            spec: { containers: [{ name: "web", image: next, ports: [{ name: "http", containerPort: 8080 }] }] },
          },
        },
      }));
    for (const next of ["web:2", "web:1"]) {
      await image(next);
      await here.settle();
      expect((await all(here, pods)).map(({ spec }) => spec?.containers[0]?.image)).toEqual([next, next, next]);
    }
    expect((await here.client.list(replicaSets)).items).toHaveLength(2);

    await here.client.modify(deployments, web, (current) => ({ ...current, spec: { ...current.spec, replicas: 1 } }));
    await here.settle();
    expect(await all(here, pods)).toHaveLength(1);
    const descriptions = (await here.client.list(events)).items.filter(({ involvedObject }) => involvedObject.kind === "Deployment");
    expect(descriptions.map(({ reason }) => reason)).toContain("ScalingReplicaSet");
  });

  it("rests: a sweep of a quiet cluster writes nothing", async () => {
    const here = await cluster();
    await deploy(here);
    await here.client.create(services, { metadata: web, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } });
    await here.settle();
    const before = await revisions(here);
    await expect(here.reconcile({ sweep: true })).resolves.toMatchObject({ quiescent: true, rounds: 1 });
    expect(await revisions(here)).toEqual(before);
  });

  it("a Job runs", async () => {
    const here = await cluster();
    await here.client.create(jobs, {
      metadata: { namespace: "default", name: "sum" },
      spec: { completions: 2, template: { spec: { restartPolicy: "Never", containers: [{ name: "sum", image: "sum" }] } } },
    });
    for (let step = 0; step < 4; step++) {
      await here.reconcile();
      for (const pod of await all(here, pods)) {
        await here.client.modify(
          pods,
          { namespace: "default", name: pod.metadata.name },
          (one) => ({ ...one, status: { ...one.status, phase: "Succeeded" } }),
          { subresource: "status" },
        );
      }
    }
    await expect(here.client.get(jobs, { namespace: "default", name: "sum" })).resolves.toMatchObject({
      status: { succeeded: 2, conditions: [{ type: "SuccessCriteriaMet" }, { type: "Complete", status: "True" }] },
    });
  });

  it("deleting a Deployment takes everything along, in the background and in the foreground", async () => {
    for (const propagationPolicy of ["Background", "Foreground"] as const) {
      const here = await cluster();
      await deploy(here);
      await here.settle();
      await here.client.delete(deployments, web, { propagationPolicy });
      await here.settle();
      expect(await all(here, pods)).toEqual([]);
      expect((await here.client.list(replicaSets)).items).toEqual([]);
      await expect(here.client.get(deployments, web)).resolves.toBeUndefined();
    }
  });

  it("or leaves it behind, when asked to, to be adopted again", async () => {
    const here = await cluster();
    await deploy(here);
    await here.settle();
    const before = (await all(here, pods)).map(({ metadata }) => metadata.uid);
    await here.client.delete(deployments, web, { propagationPolicy: "Orphan" });
    await here.settle();
    await expect(here.client.get(deployments, web)).resolves.toBeUndefined();
    expect((await all(here, pods)).map(({ metadata }) => metadata.uid)).toEqual(before);
    await deploy(here);
    await here.settle();
    expect((await all(here, pods)).map(({ metadata }) => metadata.uid)).toEqual(before);
  });

  it("a namespace goes with everything in it, custom resources included", async () => {
    const here = await cluster();
    await here.client.create(customResourceDefinitions, {
      metadata: { name: "widgets.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "widgets", singular: "widget", kind: "Widget" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    });
    const widgets: KindRef = { group: "example.com", version: "v1", kind: "Widget", plural: "widgets", namespaced: true };
    await here.client.create(namespaces, { metadata: { name: "team" } } as never);
    await here.reconcile();
    await here.client.create(secrets, { metadata: { name: "s", namespace: "team" } });
    await here.client.create(widgets, { metadata: { name: "w", namespace: "team" } });
    await here.client.create(pods, { metadata: { name: "p", namespace: "team" }, spec: { containers: [{ name: "c", image: "i" }] } });
    await here.settle();
    await here.client.delete(namespaces, { namespace: "", name: "team" });
    await here.settle();
    await expect(here.client.get(namespaces, { namespace: "", name: "team" })).resolves.toBeUndefined();
    for (const kind of [secrets, widgets, pods]) expect((await here.client.list(kind, { namespace: "team" })).items).toEqual([]);
  });

  it("a definition goes when its objects are gone", async () => {
    const here = await cluster();
    const name = "gadgets.example.com";
    await here.client.create(customResourceDefinitions, {
      metadata: { name },
      spec: {
        group: "example.com",
        scope: "Cluster",
        names: { plural: "gadgets", singular: "gadget", kind: "Gadget" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    });
    const gadgets: KindRef = { group: "example.com", version: "v1", kind: "Gadget", plural: "gadgets", namespaced: false };
    await here.client.create(gadgets, { metadata: { name: "free" } });
    await here.client.create(gadgets, { metadata: { name: "held", finalizers: ["example.com/hold"] } });
    await here.reconcile();
    await here.client.delete(customResourceDefinitions, { namespace: "", name });
    await here.reconcile();
    expect((await here.client.list(gadgets)).items.map(({ metadata }) => metadata.name)).toEqual(["held"]);
    await here.client.modify(gadgets, { namespace: "", name: "held" }, (gadget) => ({
      ...gadget,
      metadata: { ...gadget.metadata, finalizers: [] },
    }));
    await here.reconcile();
    await expect(here.client.get(customResourceDefinitions, { namespace: "", name })).resolves.toBeUndefined();
  });

  it("trap 28: Leases and Events of others wake nothing", async () => {
    const here = await cluster();
    await here.settle();
    const leases: KindRef = { group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases", namespaced: true };
    const metadata = { name: "operator", namespace: "default" };
    await here.client.create(leases, { metadata, spec: { holderIdentity: "operator-1" } } as never);
    await here.client.create(events, { metadata, involvedObject: { kind: "Pod", namespace: "default", name: "p" }, reason: "Any" });
    for (let renewal = 1; renewal <= 3; renewal++) {
      await here.client.modify(
        leases,
        metadata,
        (lease) => ({ ...lease, spec: { holderIdentity: "operator-1", leaseTransitions: renewal } }) as never,
      );
      await expect(here.reconcile()).resolves.toEqual({ quiescent: true, rounds: 0 });
    }
  });

  it("F4: two processes at once never make more Pods than replicas and surge", async () => {
    const first = await cluster();
    const second = await first.another();
    await deploy(first, { replicas: 6 });
    for (let step = 0; step < 8; step++) {
      if (step === 3) {
        await first.client.modify(deployments, web, (current) => ({
          ...current,
          spec: { ...current.spec, template: { ...current.spec.template, spec: { containers: [{ name: "web", image: "web:2" }] } } },
        }));
      }
      await Promise.all([first.reconcile(), second.reconcile()]);
      const alive = (await all(first, pods)).filter(({ metadata }) => !metadata.deletionTimestamp);
      expect(alive.length).toBeLessThanOrEqual(8);
      await first.kubelet();
    }
    await first.settle();
    expect((await all(first, pods)).map(({ spec }) => spec?.containers[0]?.image)).toEqual(Array.from({ length: 6 }, () => "web:2"));
  });
});

async function revisions({ client, registry }: RegistryCluster): Promise<Record<string, number>> {
  const kinds = (await registry.catalog("test")).all().filter(({ verbs }) => verbs.includes("list"));
  return Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind.storage, (await client.list(kind)).revision] as const)));
}
