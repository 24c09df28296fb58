import { describe, expect, it } from "vitest";
import type { KindRef } from "../../../shared/api/client.ts";
import { configMaps, events, namespaces, pods, serviceAccounts } from "../../../shared/api/kinds.ts";
import type { KubeObject } from "../../../shared/api/objects.ts";
import { namespaceController } from "../../../shared/controllers/namespace/controller.ts";
import { everyKind, type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { webTemplate } from "../../support/workloads.ts";

const widgets: KindRef = { group: "example.com", version: "v1", kind: "Widget", plural: "widgets", namespaced: true };

function cluster(served: () => readonly KindRef[] = () => everyKind): ReconciledCluster {
  return reconciledCluster([namespaceController({ clusterCa: "PEM", resources: async () => served() })]);
}

const create = ({ api }: ReconciledCluster, kind: KindRef, name: string, more: object = {}, namespace = "team") =>
  api.client.create<KubeObject>(kind, { metadata: { name, ...(kind.namespaced && { namespace }), ...more } });
const remove = ({ api }: ReconciledCluster) => api.client.delete(namespaces, { namespace: "", name: "team" });
const condition = ({ api }: ReconciledCluster, type: string) =>
  api.get(namespaces, "team")?.status?.conditions?.find((one) => one.type === type);

describe("an active namespace", () => {
  it("always has its account and the CA", async () => {
    const here = cluster();
    await create(here, namespaces, "team");
    await here.reconcile();
    expect(here.api.get(serviceAccounts, "default", "team")).toBeDefined();
    expect(here.api.get(configMaps, "kube-root-ca.crt", "team")?.data).toEqual({ "ca.crt": "PEM" });

    await here.api.client.delete(serviceAccounts, { namespace: "team", name: "default" });
    await here.api.client.modify(configMaps, { namespace: "team", name: "kube-root-ca.crt" }, (map) => ({
      ...map,
      data: { "ca.crt": "forged" },
    }));
    await here.reconcile();
    expect(here.api.get(serviceAccounts, "default", "team")).toBeDefined();
    expect(here.api.get(configMaps, "kube-root-ca.crt", "team")?.data).toEqual({ "ca.crt": "PEM" });
  });
});

describe("a namespace that is deleted", () => {
  it("goes with everything in it, custom resources and events included", async () => {
    const here = cluster(() => [...everyKind, widgets]);
    await create(here, namespaces, "team");
    await here.reconcile();
    for (const kind of [configMaps, events, widgets]) await create(here, kind, "thing");
    await create(here, namespaces, "other");
    await create(here, configMaps, "untouched", {}, "other");
    await remove(here);
    await here.reconcile();
    expect(here.api.get(namespaces, "team")).toBeUndefined();
    for (const kind of [configMaps, events, widgets, serviceAccounts])
      expect(here.api.all(kind).filter(({ metadata }) => metadata.namespace === "team")).toEqual([]);
    expect(here.api.get(configMaps, "untouched", "other")).toBeDefined();
  });

  it("loses its Pods first, and waits for them", async () => {
    const here = cluster();
    await create(here, namespaces, "team");
    await here.api.client.create(pods, {
      metadata: { name: "web", namespace: "team" },
      spec: { ...webTemplate().spec, nodeName: "node-1" },
    } as never);
    await here.reconcile();
    await remove(here);
    await here.reconcile();
    expect(here.api.get(pods, "web", "team")?.metadata.deletionTimestamp).toBeDefined();
    expect(here.api.get(serviceAccounts, "default", "team")).toBeDefined();
    expect(condition(here, "NamespaceContentRemaining")).toMatchObject({ status: "True", reason: "SomeResourcesRemain" });
    expect(condition(here, "NamespaceContentRemaining")?.message).toContain("pods. has 1 resource instances");
    expect(condition(here, "NamespaceDeletionDiscoveryFailure")).toMatchObject({
      status: "False",
      reason: "ResourcesDiscovered",
      message: "All resources successfully discovered",
    });

    await here.kubelet();
    await here.reconcile();
    expect(here.api.get(namespaces, "team")).toBeUndefined();
  });

  it("waits for finalizers, names them, and goes when they are gone", async () => {
    const here = cluster();
    await create(here, namespaces, "team");
    await create(here, configMaps, "held", { finalizers: ["example.com/hold"] });
    await remove(here);
    await here.reconcile();
    expect(condition(here, "NamespaceFinalizersRemaining")).toMatchObject({
      status: "True",
      message: "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    });
    await here.api.client.modify(configMaps, { namespace: "team", name: "held" }, (map) => ({
      ...map,
      metadata: { ...map.metadata, finalizers: [] },
    }));
    await here.reconcile();
    expect(here.api.get(namespaces, "team")).toBeUndefined();
  });

  it("rests while it waits: another look writes nothing", async () => {
    const here = cluster();
    await create(here, namespaces, "team");
    await create(here, configMaps, "held", { finalizers: ["example.com/hold"] });
    await remove(here);
    await here.reconcile();
    const before = here.api.writes.length;
    await here.clock.advance(600_000);
    await here.reconcile({ sweep: true });
    expect(here.api.writes.length).toBe(before);
  });
});

describe("F2: an object that was committed after its namespace was gone", () => {
  it("is removed as soon as it is seen", async () => {
    const here = cluster();
    await create(here, namespaces, "alive");
    await create(here, configMaps, "late", {}, "gone");
    await create(here, configMaps, "kept", {}, "alive");
    await here.reconcile();
    expect(here.api.get(configMaps, "late", "gone")).toBeUndefined();
    expect(here.api.get(configMaps, "kept", "alive")).toBeDefined();
  });

  it("is kept when its namespace exists after all, and only the cache had not heard of it", async () => {
    const here = cluster();
    await here.reconcile();
    const { feed } = here.api;
    const behind = reconciledCluster([namespaceController({ clusterCa: "", resources: async () => everyKind })], {
      clock: here.clock,
      api: {
        ...here.api,
        feed: {
          read: (kind, ...rest) => (kind.plural === "namespaces" ? Promise.resolve({ all: [], revision: 1 }) : feed.read(kind, ...rest)),
        },
      },
    });
    await create(here, namespaces, "team");
    await create(here, configMaps, "fresh");
    await behind.reconcile();
    expect(here.api.get(configMaps, "fresh", "team")).toBeDefined();
  });
});
