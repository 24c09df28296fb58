import { describe, expect, it } from "vitest";
import type { KindRef } from "../../../shared/api/client.ts";
import { configMaps, events, namespaces, nodes, secrets } from "../../../shared/api/kinds.ts";
import type { KubeObject, OwnerReference } from "../../../shared/api/objects.ts";
import { garbageCollector } from "../../../shared/controllers/garbage-collector/controller.ts";
import { everyKind, type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";

const widgets: KindRef = { group: "example.com", version: "v1", kind: "Widget", plural: "widgets", namespaced: true };

function cluster(served: () => readonly KindRef[] = () => everyKind): ReconciledCluster {
  return reconciledCluster([garbageCollector({ resources: async () => served() })]);
}

const create = (
  { api }: ReconciledCluster,
  kind: KindRef,
  name: string,
  owners: readonly Partial<OwnerReference>[] = [],
  more: object = {},
) =>
  api.client.create<KubeObject>(kind, {
    metadata: { name, ...(kind.namespaced && { namespace: "default" }), ownerReferences: owners as OwnerReference[], ...more },
  });
const ref = (owner: KubeObject, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...more,
});
const remove = ({ api }: ReconciledCluster, { metadata }: KubeObject, propagationPolicy: "Background" | "Foreground" | "Orphan") =>
  api.client.delete(configMaps, { namespace: "default", name: metadata.name }, { propagationPolicy });
const names = ({ api }: ReconciledCluster) => [...api.all(configMaps), ...api.all(secrets)].map(({ metadata }) => metadata.name).toSorted();

describe("checklist 46: in the background", () => {
  it("dependents go after their owner, and theirs after them", async () => {
    const here = cluster();
    const owner = await create(here, configMaps, "owner");
    const child = await create(here, secrets, "child", [ref(owner)]);
    await create(here, configMaps, "grandchild", [ref(child)]);
    await here.reconcile();
    expect(names(here)).toEqual(["child", "grandchild", "owner"]);
    await remove(here, owner, "Background");
    await here.reconcile();
    expect(names(here)).toEqual([]);
  });

  it("an object stays as long as one owner does, and forgets the others", async () => {
    const here = cluster();
    const [one, two] = [await create(here, configMaps, "one"), await create(here, configMaps, "two")];
    await create(here, secrets, "child", [ref(one), ref(two)]);
    await remove(here, one, "Background");
    await here.reconcile();
    expect(here.api.get(secrets, "child")?.metadata.ownerReferences).toEqual([ref(two)]);
  });

  it("the uid decides: an owner of the same name made anew is another", async () => {
    const here = cluster();
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [ref(owner)]);
    await remove(here, owner, "Background");
    await create(here, configMaps, "owner");
    await here.reconcile();
    expect(names(here)).toEqual(["owner"]);
  });

  it("is made up for by a sweep", async () => {
    const here = cluster();
    await create(here, secrets, "child", [{ apiVersion: "v1", kind: "ConfigMap", name: "long-gone", uid: "nobody" }]);
    await here.reconcile({ sweep: true });
    expect(names(here)).toEqual([]);
  });
});

describe("checklist 46: in the foreground", () => {
  it("an owner waits for the dependents that block it", async () => {
    const here = cluster();
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [ref(owner, { blockOwnerDeletion: true })], { finalizers: ["example.com/hold"] });
    await remove(here, owner, "Foreground");
    await here.reconcile();
    expect(here.api.get(configMaps, "owner")?.metadata.finalizers).toEqual(["foregroundDeletion"]);
    expect(here.api.get(secrets, "child")?.metadata.deletionTimestamp).toBeDefined();

    await here.api.client.modify(secrets, { namespace: "default", name: "child" }, (child) => ({
      ...child,
      metadata: { ...child.metadata, finalizers: [] },
    }));
    await here.reconcile();
    expect(names(here)).toEqual([]);
  });

  it("dependents with dependents are deleted in the foreground themselves", async () => {
    const here = cluster();
    const owner = await create(here, configMaps, "owner");
    const child = await create(here, secrets, "child", [ref(owner, { blockOwnerDeletion: true })]);
    await create(here, configMaps, "grandchild", [ref(child, { blockOwnerDeletion: true })], { finalizers: ["example.com/hold"] });
    await remove(here, owner, "Foreground");
    await here.reconcile();
    expect(here.api.get(secrets, "child")?.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await here.api.client.modify(configMaps, { namespace: "default", name: "grandchild" }, (one) => ({
      ...one,
      metadata: { ...one.metadata, finalizers: [] },
    }));
    await here.reconcile();
    expect(names(here)).toEqual([]);
  });

  it("does not wait for those that do not block", async () => {
    const here = cluster();
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [ref(owner)], { finalizers: ["example.com/hold"] });
    await remove(here, owner, "Foreground");
    await here.reconcile();
    expect(here.api.get(configMaps, "owner")).toBeUndefined();
  });

  it("comes to an end in a circle", async () => {
    const here = cluster();
    const one = await create(here, configMaps, "one");
    const two = await create(here, configMaps, "two", [ref(one, { blockOwnerDeletion: true })]);
    await here.api.client.modify(configMaps, { namespace: "default", name: "one" }, (object) => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences: [ref(two, { blockOwnerDeletion: true })] },
    }));
    await remove(here, one, "Foreground");
    await here.reconcile();
    expect(names(here)).toEqual([]);
  });

  it("spares a dependent that has another owner", async () => {
    const here = cluster();
    const [going, staying] = [await create(here, configMaps, "going"), await create(here, configMaps, "staying")];
    await create(here, secrets, "child", [ref(going, { blockOwnerDeletion: true }), ref(staying)]);
    await remove(here, going, "Foreground");
    await here.reconcile();
    expect(names(here)).toEqual(["child", "staying"]);
    expect(here.api.get(secrets, "child")?.metadata.ownerReferences).toEqual([ref(staying)]);
  });
});

describe("checklist 46: orphaning", () => {
  it("sets the dependents free before the owner goes", async () => {
    const here = cluster();
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [ref(owner)]);
    await remove(here, owner, "Orphan");
    await here.reconcile();
    expect(names(here)).toEqual(["child"]);
    expect(here.api.get(secrets, "child")?.metadata.ownerReferences).toEqual([]);
  });

  it("finds dependents that the cache has not heard of", async () => {
    const here = cluster();
    const { feed } = here.api;
    const behind = reconciledCluster([garbageCollector({ resources: async () => everyKind })], {
      clock: here.clock,
      api: {
        ...here.api,
        feed: {
          read: (kind, ...rest) => (kind.plural === "secrets" ? Promise.resolve({ all: [], revision: 1 }) : feed.read(kind, ...rest)),
        },
      },
    });
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [ref(owner)]);
    await remove(here, owner, "Orphan");
    await behind.reconcile();
    expect(here.api.get(secrets, "child")?.metadata.ownerReferences).toEqual([]);
  });
});

describe("trap 26: an owner that cannot be mapped is unknown, never absent", () => {
  const owner = { apiVersion: "example.com/v1", kind: "Widget", name: "w", uid: "w-1" };

  it("leaves the dependent alone while the kind is not served, and decides when it is", async () => {
    let served: readonly KindRef[] = everyKind;
    const here = cluster(() => served);
    await create(here, secrets, "child", [owner]);
    await here.reconcile({ sweep: true });
    expect(names(here)).toEqual(["child"]);
    served = [...everyKind, widgets];
    await here.reconcile();
    expect(names(here)).toEqual([]);
  });

  it("finds the owner by whatever version is served", async () => {
    const here = cluster(() => [...everyKind, { ...widgets, version: "v2" }]);
    const widget = await create(here, { ...widgets, version: "v2" }, "w");
    await create(here, secrets, "child", [{ ...ref(widget), apiVersion: "example.com/v1beta1" }]);
    await here.reconcile();
    expect(names(here)).toEqual(["child"]);
  });

  it("does not take the end of a kind for the end of its objects", async () => {
    const here = cluster(() => [...everyKind, widgets]);
    const widget = await create(here, widgets, "w");
    await create(here, secrets, "child", [ref(widget)]);
    await here.reconcile();
    here.api.withdraw(widgets);
    await here.reconcile({ sweep: true });
    expect(names(here)).toEqual(["child"]);
  });

  it("leaves a cluster-scoped dependent of a namespaced owner alone, and says so", async () => {
    const here = cluster();
    await create(here, nodes, "node", [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "o-1" }]);
    await here.reconcile();
    expect(here.api.get(nodes, "node")).toBeDefined();
    expect(here.api.all(events)).toContainEqual(expect.objectContaining({ reason: "OwnerRefInvalidNamespace", type: "Warning" }));
  });
});

describe("rule 24 (F3): garbage collection deletes only after a strong read made after reading the child", () => {
  it("asks the owner's log, not the cache", async () => {
    const here = cluster();
    const { feed } = here.api;
    // A cache of owners that has been frozen since before there were any.
    const frozen = reconciledCluster([garbageCollector({ resources: async () => everyKind })], {
      clock: here.clock,
      api: {
        ...here.api,
        feed: {
          read: (kind, ...rest) => (kind.plural === "configmaps" ? Promise.resolve({ all: [], revision: 1 }) : feed.read(kind, ...rest)),
        },
      },
    });
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [ref(owner)]);
    await frozen.reconcile({ sweep: true });
    expect(names(here)).toEqual(["child", "owner"]);
  });

  it("does not delete a dependent that has changed since", async () => {
    const here = cluster();
    await create(here, namespaces, "default");
    const owner = await create(here, configMaps, "owner");
    await create(here, secrets, "child", [{ apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "nobody" }]);
    let once = true;
    here.api.intercept(async ({ verb, key }) => {
      if (verb !== "delete" || key.name !== "child" || !once) return;
      once = false;
      await here.api.client.modify(secrets, key, (child) => ({ ...child, metadata: { ...child.metadata, ownerReferences: [ref(owner)] } }));
    });
    await here.reconcile();
    expect(names(here)).toEqual(["child", "owner"]);
  });
});
