/** An operator made with controller-runtime (`test/clients/operator`) against a control plane: its kind, its children, its two replicas. */
import {
  ApiException,
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  type V1Condition,
} from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { type Running, startProgram } from "../support/running-program.ts";
import { operator, requireProgram } from "../support/tools.ts";

const go = await requireProgram("go", ["version"], "an operator made with controller-runtime");

interface Lighthouse extends KubernetesObject {
  spec?: { image?: string; lamps?: number; sockets?: number; port?: number; settings?: string };
  status?: { observedGeneration?: number; lit?: number; selector?: string; conditions?: V1Condition[] };
}

const name = "eddystone";
const namespace = "default";
const at = { name, namespace };
const identity = { apiVersion: "operator.example.com/v1", kind: "Lighthouse", metadata: at };
/** The machine may be busy with other tests. */
const soon = { timeout: 30_000, interval: 100 };

describe.skipIf(!go)("an operator made with controller-runtime", { timeout: 150_000 }, () => {
  let plane: ControlPlane;
  const config = new KubeConfig();
  const replicas: Running[] = [];
  /** What a failure is to be looked for in. */
  const logs = () => replicas.map(({ lines }) => lines.join("\n")).join("\n\n");
  let program: string;

  beforeAll(async () => {
    // The first build of all downloads and compiles controller-runtime.
    program = await operator();
    plane = await startControlPlane();
    config.loadFromFile(plane.kubeconfig);
    await start().until(/^leads$/);
  }, 600_000);
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.log(logs());
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop("SIGKILL")));
    await plane?.remove();
  });

  const objects = () => config.makeApiClient(KubernetesObjectApi);
  const core = () => config.makeApiClient(CoreV1Api);
  const apps = () => config.makeApiClient(AppsV1Api);
  /** -v 4 tells when a cache is filled, and how. */
  const start = (): Running => {
    const replica = startProgram(program, ["-namespace", namespace, "-v", "4"], { ...process.env, KUBECONFIG: plane.kubeconfig });
    replicas.push(replica);
    return replica;
  };
  const lighthouse = () => objects().read<Lighthouse>(identity);
  const change = (spec: Lighthouse["spec"]) =>
    objects().patch({ ...identity, spec } as KubernetesObject, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  const ready = async () => {
    const { status } = await lighthouse();
    const condition = status?.conditions?.find(({ type }) => type === "Ready");
    return [condition?.status, condition?.observedGeneration, condition?.message];
  };
  const register = async () => (await core().readNamespacedConfigMap({ name: "lighthouses", namespace })).data ?? {};
  const isMissing = (read: Promise<unknown>) =>
    read.then(
      () => false,
      (error) => error instanceof ApiException && error.code === 404,
    );

  it("makes what an object of its kind asks for, and says so in its status", async () => {
    await objects().create({ ...identity, spec: { image: "registry.example/lamp:1", lamps: 2 } } as KubernetesObject);
    await expect.poll(ready, soon).toEqual(["True", 1, "2 of 2 lamps are lit"]);
    const made = await lighthouse();
    expect(made).toMatchObject({
      metadata: { generation: 1, finalizers: ["operator.example.com/register"] },
      spec: { sockets: 4, port: 8080 },
      status: { observedGeneration: 1, lit: 2, selector: `lighthouse=${name}` },
    });
    const owner = [expect.objectContaining({ kind: "Lighthouse", uid: made.metadata?.uid, controller: true })];
    const deployment = await apps().readNamespacedDeployment(at);
    expect(deployment.metadata?.ownerReferences).toEqual(owner);
    expect(deployment.metadata?.managedFields).toContainEqual(
      expect.objectContaining({ manager: "lighthouse-operator", operation: "Apply" }),
    );
    const service = await core().readNamespacedService(at);
    expect(service.metadata?.ownerReferences).toEqual(owner);
    expect(service.spec?.ports).toMatchObject([{ port: 8080, targetPort: "light" }]);
    expect(await register()).toEqual({ [`${namespace}.${name}`]: made.metadata?.uid });
  });

  it("tells in events, which are of events.k8s.io and of the core group at once", async () => {
    const reasons = async () => {
      const { items } = await core().listNamespacedEvent({
        namespace,
        fieldSelector: `involvedObject.name=${name},involvedObject.kind=Lighthouse`,
      });
      return items.map(({ reason }) => reason);
    };
    await expect.poll(reasons, soon).toEqual(expect.arrayContaining(["Registered", "Lit"]));
  });

  it("follows changes", async () => {
    await change({ image: "registry.example/lamp:2" });
    const image = async () => (await apps().readNamespacedDeployment(at)).spec?.template.spec?.containers[0]?.image;
    await expect.poll(image, soon).toBe("registry.example/lamp:2");
    await change({ lamps: 3 });
    await expect.poll(ready, soon).toEqual(["True", 3, "3 of 3 lamps are lit"]);
  });

  it("restarts the lamps when what they read changes", async () => {
    await core().createNamespacedConfigMap({ namespace, body: { metadata: { name: "beam" }, data: { colour: "white" } } });
    await change({ settings: "beam" });
    const read = async () =>
      (await apps().readNamespacedDeployment(at)).spec?.template.metadata?.annotations?.["operator.example.com/settings-version"];
    const versionOf = async () => (await core().readNamespacedConfigMap({ name: "beam", namespace })).metadata?.resourceVersion;
    await expect.poll(read, soon).toBe(await versionOf());
    const body = [{ op: "replace", path: "/data/colour", value: "red" }];
    const changed = await core().patchNamespacedConfigMap({ name: "beam", namespace, body });
    await expect.poll(read, soon).toBe(changed.metadata?.resourceVersion);
  });

  it("puts right what others change or delete", async () => {
    await apps().patchNamespacedDeployment({
      ...at,
      body: [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/candle:1" }],
    });
    await core().patchNamespacedService({ ...at, body: [{ op: "replace", path: "/spec/ports/0/port", value: 9 }] });
    const found = async () => [
      (await apps().readNamespacedDeployment(at)).spec?.template.spec?.containers[0]?.image,
      (await core().readNamespacedService(at)).spec?.ports?.[0]?.port,
    ];
    await expect.poll(found, soon).toEqual(["registry.example/lamp:2", 8080]);
    const { metadata } = await core().readNamespacedService(at);
    await core().deleteNamespacedService(at);
    const uid = () =>
      core()
        .readNamespacedService(at)
        .then(
          (service) => service.metadata?.uid,
          () => metadata?.uid,
        );
    await expect.poll(uid, soon).not.toBe(metadata?.uid);
  });

  const isRefused = async (spec: Lighthouse["spec"], why: string) =>
    expect(change(spec)).rejects.toMatchObject({ code: 422, body: expect.stringContaining(why) });

  it("is not asked about objects that its schema refuses", async () => {
    await isRefused({ lamps: -1 }, "should be greater than or equal to 0");
    await isRefused({ image: "" }, "should be at least 1 chars long");
  });

  it("is not asked about objects that its rules refuse", async () => {
    await isRefused({ lamps: 5 }, "spec.lamps: Forbidden: every lamp needs a socket");
    await isRefused({ port: 80 }, "ships know the port");
  });

  it("goes on in its other replica when the leader is killed, and when it gives up", async () => {
    const [first] = replicas;
    const second = start();
    await second.until(/Attempting to acquire leader lease/);
    const holder = async () => {
      const lease = await config.makeApiClient(CoordinationV1Api).readNamespacedLease({ name: "lighthouse-operator", namespace });
      return lease.spec?.holderIdentity;
    };
    const leader = await holder();
    expect(second.lines).not.toContain("leads");
    await first?.stop("SIGKILL");
    await second.until(/^leads$/);
    expect(await holder()).not.toBe(leader);
    await change({ lamps: 1 });
    await expect.poll(async () => (await apps().readNamespacedDeployment(at)).spec?.replicas, soon).toBe(1);
    const third = start();
    await third.until(/Attempting to acquire leader lease/);
    const given = Date.now();
    await second.stop("SIGTERM");
    await third.until(/^leads$/);
    // The Lease was given up: nobody had to wait for its 4 s.
    expect(Date.now() - given).toBeLessThan(4_000);
    await change({ lamps: 2 });
    await expect.poll(async () => (await apps().readNamespacedDeployment(at)).spec?.replicas, soon).toBe(2);
  });

  it("strikes a deleted object out before it goes, and its children follow", async () => {
    await objects().delete(identity);
    await expect.poll(() => isMissing(lighthouse()), soon).toBe(true);
    expect(await register()).toEqual({});
    await expect.poll(() => isMissing(apps().readNamespacedDeployment(at)), soon).toBe(true);
    await expect.poll(() => isMissing(core().readNamespacedService(at)), soon).toBe(true);
    const pods = async () => (await core().listNamespacedPod({ namespace, labelSelector: `lighthouse=${name}` })).items;
    await expect.poll(pods, soon).toEqual([]);
  });

  it("fills every cache by a watch list", () => {
    const lines = replicas.flatMap((replica) => replica.lines);
    expect(lines.filter((line) => line.includes('"Caches populated"')).length).toBeGreaterThan(8);
    expect(lines.filter((line) => /Falling back to regular list|Failed to watch|^panic/.test(line))).toEqual([]);
  });
});
