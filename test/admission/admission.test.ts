import { describe, expect, it } from "vitest";
import { defaultAdmission } from "../../shared/admission/index.ts";
import type { AdmissionPlugin } from "../../shared/admission/plugin.ts";
import type { Pod } from "../../shared/api/generated/types.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { aConfigMap, aDeploymentBody, aPodBody, aRegistry, refusal, type TestRegistry } from "../support/registry.ts";

/** A cluster with its namespaces and all plugins. */
async function aCluster(): Promise<TestRegistry> {
  const api = await aRegistry({ admission: defaultAdmission({ random: () => 0 }) });
  await bootstrap(inProcessClient(api.registry, { cluster: "test", part: "bootstrap" }));
  return api;
}

const createPod = async (api: TestRegistry, spec: JsonObject = {}, name = "p") =>
  (await api.create("pods", aPodBody(name, spec))) as unknown as Pod;

const priorityClass = (name: string, value: number, more: JsonObject = {}): JsonObject => ({ metadata: { name }, value, ...more });

const tolerations = (pod: Pod) => pod.spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]);

describe("checklist 26: NamespaceLifecycle", () => {
  it("a create in a namespace that does not exist is NotFound", async () => {
    const api = await aCluster();
    expect(await refusal(api.create("configmaps", aConfigMap("a"), { namespace: "missing" }))).toMatchObject({
      code: 404,
      message: 'namespaces "missing" not found',
      details: { name: "missing", kind: "namespaces" },
    });
  });

  it("a create in one that terminates is Forbidden, with a cause that says why", async () => {
    const api = await aCluster();
    await api.create("namespaces", { metadata: { name: "n" } });
    await api.create("configmaps", aConfigMap("before"), { namespace: "n" });
    await api.remove("namespaces", "n");
    expect(await refusal(api.create("configmaps", aConfigMap("a"), { namespace: "n" }))).toMatchObject({
      code: 403,
      reason: "Forbidden",
      message: 'configmaps "a" is forbidden: unable to create new content in namespace n because it is being terminated',
      details: {
        name: "a",
        kind: "configmaps",
        causes: [{ reason: "NamespaceTerminating", message: "namespace n is being terminated", field: "metadata.namespace" }],
      },
    });
    // What is there can still be changed.
    expect(await api.patch("configmaps", "before", { type: "merge", body: { data: { k: "v" } } }, { namespace: "n" })).toMatchObject({
      data: { k: "v" },
    });
    const nameless = api.create("configmaps", { metadata: {} }, { namespace: "n" });
    expect((await refusal(nameless)).message).toContain('configmaps "Unknown" is forbidden');
  });

  it.each([
    { subresource: "eviction", resource: "pods" },
    { subresource: "token", resource: "serviceaccounts" },
  ])("nothing is posted to a part of what is in it: $subresource", async ({ subresource, resource }) => {
    const api = await aCluster();
    await api.create("namespaces", { metadata: { name: "n" } });
    await api.remove("namespaces", "n");
    const posted = api.create(resource, { metadata: { name: "p" } }, { namespace: "n", subresource });
    expect(await refusal(posted)).toMatchObject({ code: 403, details: { causes: [{ reason: "NamespaceTerminating" }] } });
  });

  it("trap 5: a namespace that another process just made exists", async () => {
    const one = await aCluster();
    const other = await aRegistry({ admission: defaultAdmission(), table: one.table, clock: one.clock });
    await refusal(other.create("configmaps", aConfigMap("a"), { namespace: "n" }));
    await one.create("namespaces", { metadata: { name: "n" } });
    expect((await other.create("configmaps", aConfigMap("a"), { namespace: "n" })).metadata.namespace).toBe("n");
  });

  it("a namespace that another process just deleted terminates, after a second at the latest", async () => {
    const one = await aCluster();
    await one.create("namespaces", { metadata: { name: "n" } });
    const other = await aRegistry({ admission: defaultAdmission(), table: one.table, clock: one.clock });
    await other.create("configmaps", aConfigMap("a"), { namespace: "n" });
    await one.remove("namespaces", "n");
    await one.clock.advance(1_001);
    expect(await refusal(other.create("configmaps", aConfigMap("b"), { namespace: "n" }))).toMatchObject({ code: 403 });
  });

  it.each(["default", "kube-system", "kube-public"])("%s is never deleted", async (name) => {
    const api = await aCluster();
    expect(await refusal(api.remove("namespaces", name))).toMatchObject({
      code: 403,
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    });
  });

  it("a PUT that creates needs the namespace too", async () => {
    const api = await aCluster();
    const endpoints = { metadata: { name: "e" }, subsets: [] };
    expect(await refusal(api.update("endpoints", endpoints, { namespace: "missing" }))).toMatchObject({
      code: 404,
      message: 'namespaces "missing" not found',
    });
  });
});

describe("ServiceAccount", () => {
  it("gives a Pod an account and, in every container, the way to the API", async () => {
    const api = await aCluster();
    const { spec } = await createPod(api, {
      containers: [
        { name: "a", image: "i" },
        { name: "b", image: "i" },
      ],
      initContainers: [{ name: "c", image: "i" }],
    });
    expect(spec.serviceAccountName).toBe("default");
    const mount = { name: "kube-api-access-bbbbb", readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) expect(container.volumeMounts).toEqual([mount]);
    expect(spec.volumes).toEqual([
      {
        name: "kube-api-access-bbbbb",
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
            { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
            { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
          ],
        },
      },
    ]);
  });

  it.each([
    { name: "the Pod declines", pod: { automountServiceAccountToken: false }, account: {}, mounted: false },
    { name: "the account declines", pod: {}, account: { automountServiceAccountToken: false }, mounted: false },
    {
      name: "the Pod overrules its account",
      pod: { automountServiceAccountToken: true },
      account: { automountServiceAccountToken: false },
      mounted: true,
    },
  ])("when $name, the token is mounted: $mounted", async ({ pod, account, mounted }) => {
    const api = await aCluster();
    await api.create("serviceaccounts", { metadata: { name: "s" }, ...account });
    const { spec } = await createPod(api, { serviceAccountName: "s", ...pod });
    expect(spec.volumes !== undefined).toBe(mounted);
  });

  it("leaves a container alone that mounts something there itself", async () => {
    const api = await aCluster();
    const volumeMounts = [{ name: "own", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }];
    const { spec } = await createPod(api, {
      containers: [{ name: "a", image: "i", volumeMounts }],
      volumes: [{ name: "own", emptyDir: {} }],
    });
    expect(spec.volumes?.map(({ name }) => name)).toEqual(["own"]);
  });

  it("refuses an account that does not exist", async () => {
    const api = await aCluster();
    expect(await refusal(createPod(api, { serviceAccountName: "nobody" }))).toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    });
  });

  it("brings the account's pull secrets to a Pod that names none", async () => {
    const api = await aCluster();
    await api.create("serviceaccounts", { metadata: { name: "s" }, imagePullSecrets: [{ name: "registry" }] });
    expect((await createPod(api, { serviceAccountName: "s" })).spec.imagePullSecrets).toEqual([{ name: "registry" }]);
    expect((await createPod(api, { serviceAccountName: "s", imagePullSecrets: [{ name: "own" }] }, "q")).spec.imagePullSecrets).toEqual([
      { name: "own" },
    ]);
  });
});

describe("Priority", () => {
  const classes = "priorityclasses.scheduling.k8s.io";

  it("is 0 without a class", async () => {
    const api = await aCluster();
    expect((await createPod(api)).spec).toMatchObject({ priority: 0, preemptionPolicy: "PreemptLowerPriority" });
  });

  it("is the value of the class", async () => {
    const api = await aCluster();
    await api.create(classes, priorityClass("high", 1_000, { preemptionPolicy: "Never" }));
    expect((await createPod(api, { priorityClassName: "high" })).spec).toMatchObject({ priority: 1_000, preemptionPolicy: "Never" });
    expect((await createPod(api, { priorityClassName: "system-node-critical" }, "q")).spec.priority).toBe(2_000_001_000);
  });

  it("is that of the default class, where there is one", async () => {
    const api = await aCluster();
    await api.create(classes, priorityClass("usual", 7, { globalDefault: true }));
    expect((await createPod(api)).spec).toMatchObject({ priority: 7, priorityClassName: "usual" });
    expect(await refusal(api.create(classes, priorityClass("other", 8, { globalDefault: true })))).toMatchObject({
      code: 403,
      message: expect.stringContaining("PriorityClass usual is already marked as default. Only one default can exist"),
    });
  });

  it("cannot be chosen past the class", async () => {
    const api = await aCluster();
    expect((await refusal(createPod(api, { priority: 5 }))).message).toContain(
      "the integer value of priority (5) must not be provided in pod spec",
    );
    expect(await refusal(createPod(api, { priorityClassName: "none" }))).toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: no PriorityClass with name none was found',
    });
  });

  it("survives a PUT that does not know it", async () => {
    const api = await aCluster();
    const made = (await createPod(api)) as unknown as JsonObject & { spec: JsonObject };
    const { priority: _, preemptionPolicy: __, ...spec } = made.spec;
    expect(await api.update("pods", { ...made, spec, metadata: { ...(made.metadata as object), labels: { a: "b" } } })).toMatchObject({
      spec: { priority: 0 },
    });
  });
});

describe("DefaultTolerationSeconds", () => {
  it("lets a Pod stay for five minutes, unless it says otherwise", async () => {
    const api = await aCluster();
    expect(tolerations(await createPod(api))).toEqual([
      ["node.kubernetes.io/not-ready", 300],
      ["node.kubernetes.io/unreachable", 300],
    ]);
    const own = [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }];
    expect(tolerations(await createPod(api, { tolerations: own }, "q"))).toEqual([
      ["node.kubernetes.io/not-ready", 5],
      ["node.kubernetes.io/unreachable", 300],
    ]);
  });
});

describe("checklist 40: the order of admission", () => {
  it("mutating plugins, then validation, then validating plugins, and only for requests that concern them", async () => {
    const order: string[] = [];
    const plugin = (name: string): AdmissionPlugin => ({
      name,
      handles: (kind, operation) => kind.storage === "deployments.apps" && operation === "CREATE",
      admit: ({ object }) => {
        order.push(`admit ${name}`);
        (object as unknown as { spec: { replicas: number } }).spec.replicas += 1;
      },
      validate: ({ object }) => {
        order.push(`validate ${name} ${(object as unknown as { spec: { replicas: number } }).spec.replicas}`);
      },
    });
    const api = await aRegistry({ admission: [plugin("one"), plugin("two")] });
    await api.create("deployments.apps", aDeploymentBody("d", 1));
    await api.create("configmaps", aConfigMap("a"));
    expect(order).toEqual(["admit one", "admit two", "validate one 3", "validate two 3"]);

    order.length = 0;
    await refusal(api.create("deployments.apps", { ...aDeploymentBody("e", 1), spec: { replicas: -5, selector: {}, template: {} } }));
    expect(order).toEqual(["admit one", "admit two"]);
  });

  it("a plugin sees what an update changes, and can refuse it", async () => {
    const api = await aRegistry({
      admission: [
        {
          name: "frozen",
          handles: (kind, operation) => kind.storage === "configmaps" && operation === "UPDATE",
          validate: ({ object, previous }) => {
            if (object?.data !== undefined && previous?.data !== undefined) throw new Error(`was ${JSON.stringify(previous.data)}`);
          },
        },
      ],
    });
    await api.create("configmaps", aConfigMap("a", { k: "1" }));
    await expect(api.update("configmaps", aConfigMap("a", { k: "2" }))).rejects.toMatchObject({ cause: { message: 'was {"k":"1"}' } });
    expect(await api.get("configmaps", "a")).toMatchObject({ data: { k: "1" } });
  });
});
