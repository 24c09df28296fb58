import { describe, expect, it } from "vitest";
import { controllerRevisions, events, persistentVolumeClaims, pods, statefulSets } from "../../../shared/api/kinds.ts";
import { controllerOf } from "../../../shared/api/objects.ts";
import { statefulSetController } from "../../../shared/controllers/statefulset/controller.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aClaim, aRevision, aStatefulSet, dataTemplate, type StatefulSetGiven } from "../../support/stateful.ts";
import { aPod, webTemplate } from "../../support/workloads.ts";

const key = { namespace: "default", name: "web" };

async function stateful(replicas: number, given: StatefulSetGiven = {}): Promise<ReconciledCluster> {
  const cluster = reconciledCluster([statefulSetController()]);
  await cluster.api.client.create(statefulSets, aStatefulSet(replicas, given));
  return cluster;
}

const web = ({ api }: ReconciledCluster) => api.get(statefulSets, "web");
const names = ({ api }: ReconciledCluster) => api.all(pods).map(({ metadata }) => metadata.name);
const images = ({ api }: ReconciledCluster) => api.all(pods).map(({ spec }) => spec.containers[0]?.image);
const said = ({ api }: ReconciledCluster) => api.all(events).map(({ reason, message }) => `${reason} ${message}`);
const order = ({ api }: ReconciledCluster, verb: string) =>
  api.writes.filter((write) => write.startsWith(`${verb} pods `)).map((write) => write.split("/").at(-1));
const change = ({ api }: ReconciledCluster, spec: Partial<ReturnType<typeof aStatefulSet>["spec"]>) =>
  api.client.modify(statefulSets, key, (set) => ({ ...set, spec: { ...set.spec, ...spec } }));

describe("a StatefulSet at work", () => {
  it("comes up in order, each Pod with its claim, and says so", async () => {
    const cluster = await stateful(3, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    await cluster.settle();
    expect(order(cluster, "create")).toEqual(["web-0", "web-1", "web-2"]);
    expect(cluster.api.all(persistentVolumeClaims).map(({ metadata }) => metadata.name)).toEqual([
      "data-web-0",
      "data-web-1",
      "data-web-2",
    ]);
    expect(web(cluster)?.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      observedGeneration: 1,
    });
    expect(said(cluster).slice(0, 2)).toEqual([
      "SuccessfulCreate Create Claim data-web-0 Pod web-0 in StatefulSet web success",
      "SuccessfulCreate Create Pod web-0 in StatefulSet web successful",
    ]);
  });

  it("keeps the claims of Pods that are scaled away, for when they come back", async () => {
    const cluster = await stateful(2, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    await cluster.settle();
    await change(cluster, { replicas: 0 });
    await cluster.settle();
    expect(names(cluster)).toEqual([]);
    expect(order(cluster, "delete")).toContain("web-1");
    const before = cluster.api.all(persistentVolumeClaims).map(({ metadata }) => metadata.uid);
    await change(cluster, { replicas: 2 });
    await cluster.settle();
    expect(cluster.api.all(persistentVolumeClaims).map(({ metadata }) => metadata.uid)).toEqual(before);
  });

  it("replaces a Pod that is deleted under its own name, when it is gone", async () => {
    const cluster = await stateful(2);
    await cluster.settle();
    await cluster.api.client.delete(pods, { namespace: "default", name: "web-0" });
    await cluster.reconcile();
    expect(order(cluster, "create")).toEqual(["web-0", "web-1"]);
    await cluster.settle();
    expect(names(cluster).toSorted()).toEqual(["web-0", "web-1"]);
  });

  it("rolls out, is rolled back, and keeps the history that kubectl shows", async () => {
    const cluster = await stateful(2);
    await cluster.settle();
    const [first] = cluster.api.all(controllerRevisions);
    await change(cluster, { template: webTemplate("web:2") });
    await cluster.settle();
    expect(images(cluster)).toEqual(["web:2", "web:2"]);
    expect(cluster.api.all(controllerRevisions).map(({ revision }) => revision)).toEqual([1, 2]);
    expect(web(cluster)?.status?.currentRevision).toBe(web(cluster)?.status?.updateRevision);

    await change(cluster, { template: webTemplate() });
    await cluster.settle();
    expect(images(cluster)).toEqual(["web:1", "web:1"]);
    expect(cluster.api.all(controllerRevisions).map(({ revision }) => revision)).toEqual([3, 2]);
    expect(web(cluster)?.status?.currentRevision).toBe(first?.metadata.name);
  });

  it("comes to rest: a sweep writes nothing", async () => {
    const cluster = await stateful(2, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    await cluster.settle();
    const before = cluster.api.writes.length;
    await cluster.reconcile({ sweep: true });
    expect(cluster.api.writes).toHaveLength(before);
  });

  it("adopts Pods and revisions that fit its name and selector, and leaves others alone", async () => {
    const cluster = await stateful(1);
    await cluster.api.client.create(pods, aPod({ metadata: { name: "web-0" } }));
    await cluster.api.client.create(pods, aPod({ metadata: { name: "other-0" } }));
    const set = web(cluster) ?? aStatefulSet();
    const { ownerReferences: _owners, ...metadata } = aRevision(set, "earlier", 1, webTemplate("web:0")).metadata;
    await cluster.api.client.create(controllerRevisions, { ...aRevision(set, "earlier", 1, webTemplate("web:0")), metadata });
    await cluster.reconcile();
    const owner = (object: Parameters<typeof controllerOf>[0] | undefined) => object && controllerOf(object)?.name;
    expect(owner(cluster.api.get(pods, "web-0"))).toBe("web");
    expect(owner(cluster.api.get(pods, "other-0"))).toBeUndefined();
    expect(owner(cluster.api.get(controllerRevisions, "earlier"))).toBe("web");
  });

  it("goes on when somebody else's Pod of the name is gone", async () => {
    const cluster = await stateful(1);
    await cluster.api.client.create(pods, aPod({ metadata: { name: "web-0", labels: { app: "other" } } }));
    await cluster.reconcile();
    expect(said(cluster)).toEqual([
      `FailedCreate Create Pod web-0 in StatefulSet web failed error: pods "web-0" already exists and is not this StatefulSet's`,
    ]);
    await cluster.api.client.delete(pods, { namespace: "default", name: "web-0" });
    await cluster.settle();
    expect(controllerOf(cluster.api.get(pods, "web-0") as never)?.name).toBe("web");
  });

  it("goes on when a claim that was being deleted is gone", async () => {
    const cluster = await stateful(1, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    const claim = aClaim("data-web-0", { finalizers: ["example.com/hold"] });
    await cluster.api.client.create(persistentVolumeClaims, claim);
    await cluster.api.client.delete(persistentVolumeClaims, { namespace: "default", name: "data-web-0" });
    await cluster.reconcile();
    expect(names(cluster)).toEqual([]);
    await cluster.api.client.modify(persistentVolumeClaims, { namespace: "default", name: "data-web-0" }, (held) => ({
      ...held,
      metadata: { ...held.metadata, finalizers: [] },
    }));
    await cluster.reconcile();
    expect(names(cluster)).toEqual(["web-0"]);
  });

  it("makes no Pod whose claim cannot be made, and says why", async () => {
    const cluster = await stateful(1, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    cluster.api.intercept(({ verb, kind }) => {
      if (verb === "create" && kind.plural === "persistentvolumeclaims") throw new Error("exceeded quota");
    });
    await cluster.reconcile();
    expect(names(cluster)).toEqual([]);
    expect(said(cluster)).toEqual([
      "FailedCreate Create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: exceeded quota",
      "FailedCreate Create Pod web-0 in StatefulSet web failed error: exceeded quota",
    ]);
  });

  it("claims go with their Pod when the set is scaled down and the policy says so", async () => {
    const policy = { whenScaled: "Delete", whenDeleted: "Retain" };
    const cluster = await stateful(2, { spec: { volumeClaimTemplates: [dataTemplate()], persistentVolumeClaimRetentionPolicy: policy } });
    await cluster.settle();
    await change(cluster, { replicas: 1 });
    await cluster.reconcile();
    const owners = cluster.api
      .all(persistentVolumeClaims)
      .map(({ metadata }) => metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`));
    expect(owners).toEqual([undefined, ["Pod web-1"]]);
  });
});

describe("rule 23: a batch carries what its plan has read", () => {
  it("a Pod that stopped being ready meanwhile stops the update of the next", async () => {
    const cluster = await stateful(2);
    await cluster.settle();
    await change(cluster, { template: webTemplate("web:2") });
    let once = true;
    cluster.api.intercept(async ({ verb, kind }) => {
      if (verb !== "delete" || kind.plural !== "pods" || !once) return;
      once = false;
      const pod = cluster.api.get(pods, "web-0");
      if (pod)
        await cluster.api.client.updateStatus(pods, {
          ...pod,
          status: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] },
        });
    });
    await cluster.reconcile();
    expect(cluster.api.all(pods).filter(({ metadata }) => metadata.deletionTimestamp)).toEqual([]);
  });
});
