import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import { aDeploymentBody, aPodBody, aRegistry, context, refusal, type TestRegistry } from "../support/registry.ts";

const binding = (name: string, node: string, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Binding",
  metadata: { name, ...metadata },
  target: { kind: "Node", name: node },
});

const eviction = (name: string, deleteOptions?: JsonObject): JsonObject => ({
  apiVersion: "policy/v1",
  kind: "Eviction",
  metadata: { name },
  ...(deleteOptions && { deleteOptions }),
});

async function withPod(phase: string, conditions: JsonObject[] = []): Promise<TestRegistry> {
  const api = await aRegistry();
  await api.create("pods", aPodBody("p", { nodeName: "n" }, { labels: { app: "web" } }));
  await api.patch("pods", "p", { type: "merge", body: { status: { phase, conditions } } }, { subresource: "status" });
  return api;
}

async function withBudget(api: TestRegistry, status: JsonObject, spec: JsonObject = {}): Promise<void> {
  const made = await api.create("poddisruptionbudgets.policy", {
    metadata: { name: "b" },
    spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } }, ...spec },
  });
  const observedGeneration = made.metadata.generation ?? 0;
  const body = {
    status: { observedGeneration, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, ...status },
  };
  await api.patch("poddisruptionbudgets.policy", "b", { type: "merge", body }, { subresource: "status" });
}

const sized = (resources: JsonObject) => aPodBody("p", { containers: [{ name: "web", image: "nginx:1", resources }] });

const resize = (api: TestRegistry, resources: JsonObject) =>
  api.patch(
    "pods",
    "p",
    { type: "strategic", body: { spec: { containers: [{ name: "web", image: "other:1", resources }] } } },
    { subresource: "resize" },
  );

const evict = (api: TestRegistry, deleteOptions?: JsonObject) =>
  api.create("pods", eviction("p", deleteOptions), { subresource: "eviction" });

describe("the status of an object", () => {
  it("is written without harm to numbers that a double cannot hold", async () => {
    const api = await aRegistry();
    const { containers } = aPodBody("p").spec as { containers: JsonObject[] };
    await api.create("pods", aPodBody("p", { containers, terminationGracePeriodSeconds: JSON.rawJSON("9007199254740993") }));
    const written = await api.patch("pods", "p", { type: "merge", body: { status: { phase: "Running" } } }, { subresource: "status" });
    expect(JSON.stringify(written.spec)).toContain('"terminationGracePeriodSeconds":9007199254740993');
  });
});

describe("checklist 49: pods/binding", () => {
  it("puts a Pod on a node, once", async () => {
    const api = await aRegistry();
    const made = await api.create("pods", aPodBody("p"));
    const status = await api.create("pods", binding("p", "n1", { annotations: { a: "b" }, labels: { zone: "z" } }), {
      subresource: "binding",
    });
    expect(status).toMatchObject({ kind: "Status", status: "Success" });
    expect(await api.get("pods", "p")).toMatchObject({
      metadata: { generation: made.metadata.generation, annotations: { a: "b" }, labels: { zone: "z" } },
      spec: { nodeName: "n1" },
      status: { conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
    });
    expect(await refusal(api.create("pods", binding("p", "n2"), { subresource: "binding" }))).toMatchObject({
      code: 409,
      reason: "Conflict",
      message: 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
    });
  });

  it.each([
    {
      name: "is being deleted",
      spec: {},
      metadata: { finalizers: ["example.com/wait"] },
      gone: true,
      message: "pod p is being deleted, cannot be assigned to a host",
    },
    {
      name: "is gated",
      spec: { schedulingGates: [{ name: "g" }] },
      metadata: {},
      gone: false,
      message: "pod p has non-empty .spec.schedulingGates",
    },
  ])("does not bind a Pod that $name", async ({ spec, metadata, gone, message }) => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p", spec, metadata));
    if (gone) await api.remove("pods", "p");
    expect(await refusal(api.create("pods", binding("p", "n"), { subresource: "binding" }))).toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on pods/binding "p": ${message}`,
    });
  });

  it("holds to the uid that the scheduler saw", async () => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p"));
    expect(await refusal(api.create("pods", binding("p", "n", { uid: "old" }), { subresource: "binding" }))).toMatchObject({ code: 409 });
  });

  it("needs a node", async () => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p"));
    expect(
      await refusal(api.create("pods", { metadata: { name: "p" }, target: { kind: "Pod" } }, { subresource: "binding" })),
    ).toMatchObject({
      code: 422,
      details: { causes: [{ field: "target.kind" }, { field: "target.name" }] },
    });
  });

  it("also by POST to bindings", async () => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p"));
    await api.create("bindings", binding("p", "n"));
    expect(await api.get("pods", "p")).toMatchObject({ spec: { nodeName: "n" } });
  });
});

describe("checklist 49: pods/eviction", () => {
  const ready = [{ type: "Ready", status: "True" }];

  it("deletes a Pod that no budget covers, and says why on it", async () => {
    const api = await withPod("Running", ready);
    expect(await evict(api)).toMatchObject({ kind: "Status", status: "Success" });
    const pod = await api.get("pods", "p");
    expect(pod.metadata.deletionTimestamp).toBeDefined();
    expect((pod as unknown as { status: { conditions: JsonObject[] } }).status.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }),
    );
  });

  it("is refused for now while the budget has none to spare", async () => {
    const api = await withPod("Running", ready);
    await withBudget(api, {});
    expect(await refusal(evict(api))).toMatchObject({
      code: 429,
      reason: "TooManyRequests",
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: { causes: [{ reason: "DisruptionBudget", message: "The disruption budget b needs 1 healthy pods and has 1 currently" }] },
    });
    expect((await api.get("pods", "p")).metadata.deletionTimestamp).toBeUndefined();
  });

  it("takes one disruption from the budget", async () => {
    const api = await withPod("Running", ready);
    await withBudget(api, { disruptionsAllowed: 2, currentHealthy: 3 });
    await evict(api);
    expect(await api.get("poddisruptionbudgets.policy", "b")).toMatchObject({
      status: { disruptionsAllowed: 1, disruptedPods: { p: "2026-01-01T00:00:00Z" } },
    });
  });

  it("waits for a budget whose controller has not caught up", async () => {
    const api = await withPod("Running", ready);
    await withBudget(api, { disruptionsAllowed: 1, observedGeneration: 0 });
    expect(await refusal(evict(api))).toMatchObject({
      code: 429,
      details: { retryAfterSeconds: 10, causes: [{ message: "The disruption budget b is still being processed by the server." }] },
    });
  });

  it.each(["Pending", "Succeeded", "Failed"])("ignores budgets for a Pod that is %s", async (phase) => {
    const api = await withPod(phase);
    await withBudget(api, {});
    await evict(api);
    const left = await api.exists("pods", "p");
    expect(left && (await api.get("pods", "p")).metadata.deletionTimestamp === undefined).toBe(false);
  });

  it("an unready Pod goes when the budget is met without it, or always where the budget says so", async () => {
    const met = await withPod("Running");
    await withBudget(met, { currentHealthy: 2, desiredHealthy: 2 });
    await evict(met);
    expect((await met.get("pods", "p")).metadata.deletionTimestamp).toBeDefined();

    const always = await withPod("Running");
    await withBudget(always, { currentHealthy: 0, desiredHealthy: 2 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" });
    await evict(always);
    expect((await always.get("pods", "p")).metadata.deletionTimestamp).toBeDefined();
  });

  it("leaves the Pod where what is asked for is no dry run and nothing else", async () => {
    const api = await withPod("Pending");
    expect(await refusal(evict(api, { dryRun: ["all"] }))).toMatchObject({
      message: 'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["all"]: supported values: "All"',
    });
    expect(await refusal(evict(api, { gracePeriodSeconds: "x" }))).toMatchObject({ code: 400 });
    await expect(api.get("pods", "p")).resolves.toBeDefined();
  });

  it("a dry run spends nothing", async () => {
    const api = await withPod("Running", ready);
    await withBudget(api, { disruptionsAllowed: 1, currentHealthy: 2 });
    await evict(api, { dryRun: ["All"] });
    expect((await api.get("pods", "p")).metadata.deletionTimestamp).toBeUndefined();
    expect(await api.get("poddisruptionbudgets.policy", "b")).toMatchObject({ status: { disruptionsAllowed: 1 } });
  });
});

describe("checklist 49: pods/ephemeralcontainers", () => {
  const debug = {
    name: "debug",
    image: "busybox:1",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
    terminationMessagePath: "/dev/termination-log",
  };

  it("adds containers to a Pod, and changes nothing else", async () => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p"));
    const body = { metadata: { labels: { no: "thing" } }, spec: { ephemeralContainers: [debug], schedulerName: "other" } };
    const changed = await api.patch("pods", "p", { type: "strategic", body }, { subresource: "ephemeralcontainers" });
    expect(changed).toMatchObject({
      metadata: { generation: 2 },
      spec: { ephemeralContainers: [{ name: "debug" }], schedulerName: "default-scheduler" },
    });
    expect(changed.metadata.labels).toBeUndefined();
  });

  it("neither removes nor changes those that are there", async () => {
    const api = await aRegistry();
    const made = await api.create("pods", aPodBody("p"));
    await api.patch(
      "pods",
      "p",
      { type: "strategic", body: { spec: { ephemeralContainers: [debug] } } },
      { subresource: "ephemeralcontainers" },
    );
    const { resourceVersion: _, ...metadata } = made.metadata;
    const removed = api.update("pods", { ...made, metadata }, { subresource: "ephemeralcontainers" });
    expect((await refusal(removed)).message).toContain('existing ephemeral containers "debug" may not be removed');
    const other = { spec: { ephemeralContainers: [{ ...debug, image: "busybox:2" }] } };
    expect(
      (await refusal(api.patch("pods", "p", { type: "strategic", body: other }, { subresource: "ephemeralcontainers" }))).message,
    ).toContain('existing ephemeral containers "debug" may not be changed');
  });
});

describe("checklist 49: pods/resize", () => {
  it("changes requests and limits, and nothing else", async () => {
    const api = await aRegistry();
    await api.create("pods", sized({ requests: { cpu: "100m" }, limits: { cpu: "200m" } }));
    expect(await resize(api, { requests: { cpu: "150m" } })).toMatchObject({
      metadata: { generation: 2 },
      spec: { containers: [{ image: "nginx:1", resources: { requests: { cpu: "150m" }, limits: { cpu: "200m" } } }] },
    });
  });

  it.each([
    {
      name: "another quality of service",
      to: { requests: { cpu: "200m", memory: "1Gi" }, limits: { cpu: "200m", memory: "1Gi" } },
      message: "Pod QOS Class may not change as a result of resizing",
    },
    { name: "a request taken away", to: { requests: { cpu: null, memory: "1Gi" } }, message: "resource requests cannot be removed" },
    { name: "storage", to: { requests: { "ephemeral-storage": "1Gi" } }, message: "only cpu and memory resources are mutable" },
  ])("refuses $name", async ({ to, message }) => {
    const api = await aRegistry();
    await api.create("pods", sized({ requests: { cpu: "100m" } }));
    expect((await refusal(resize(api, to))).message).toContain(message);
  });
});

describe("checklist 34: /scale", () => {
  it("reads and writes the replicas of a Deployment", async () => {
    const api = await aRegistry();
    const made = await api.create("deployments.apps", aDeploymentBody("d", 2));
    const kind = await api.kind("deployments.apps");
    const key = { namespace: "default", name: "d" };
    expect(await api.registry.getSubresource(kind, key, "scale", context())).toEqual({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: {
        name: "d",
        namespace: "default",
        uid: made.metadata.uid,
        resourceVersion: made.metadata.resourceVersion,
        creationTimestamp: made.metadata.creationTimestamp,
      },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: "app=d" },
    });
    const put = await api.update(
      "deployments.apps",
      { metadata: { name: "d" }, spec: { replicas: 5 } },
      { subresource: "scale", fieldManager: "scaler" },
    );
    expect(put).toMatchObject({ kind: "Scale", spec: { replicas: 5 } });
    const scaled = await api.get("deployments.apps", "d");
    expect(scaled).toMatchObject({ spec: { replicas: 5 }, metadata: { generation: 2 } });
    expect(scaled.metadata.managedFields).toContainEqual(expect.objectContaining({ manager: "scaler", subresource: "scale" }));
  });

  it.each([
    { type: "merge", body: { spec: { replicas: 4 } } },
    { type: "json", body: [{ op: "replace", path: "/spec/replicas", value: 4 }] },
    { type: "apply", body: { apiVersion: "autoscaling/v1", kind: "Scale", spec: { replicas: 4 } }, force: true },
  ] as const)("can be patched: $type", async (patch) => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    expect(await api.patch("deployments.apps", "d", patch, { subresource: "scale" })).toMatchObject({
      kind: "Scale",
      spec: { replicas: 4 },
    });
    expect(await api.get("deployments.apps", "d")).toMatchObject({
      spec: { replicas: 4, template: { spec: { containers: [{ image: "nginx:1" }] } } },
    });
  });

  it("is held to its type and its fields, as every body and patch is", async () => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    const put = (body: JsonObject, options: object = {}) => api.update("deployments.apps", body, { subresource: "scale", ...options });
    const patch = (body: JsonObject, options: object = {}) =>
      api.patch("deployments.apps", "d", { type: "merge", body }, { subresource: "scale", ...options });
    const metadata = { name: "d" };
    const unknown = { metadata, spec: { replicas: 2, replica: 3 } };

    const warnings: string[] = [];
    await put(unknown, { fieldValidation: "Warn", warnings });
    await patch(unknown, { fieldValidation: "Warn", warnings });
    expect(warnings).toEqual(['unknown field "spec.replica"', 'unknown field "spec.replica"']);
    expect(await refusal(put(unknown, { fieldValidation: "Strict" }))).toMatchObject({
      code: 400,
      message: 'Scale in version "v1" cannot be handled as a Scale: strict decoding error: unknown field "spec.replica"',
    });
    expect(await refusal(patch(unknown, { fieldValidation: "Strict" }))).toMatchObject({
      code: 422,
      message: expect.stringMatching(/^ "" is invalid: patch: Invalid value: .*: strict decoding error: unknown field "spec\.replica"$/u),
    });
    expect(await refusal(put({ metadata, spec: { replicas: "many" } }))).toMatchObject({ code: 400 });
    expect(await refusal(patch({ spec: { replicas: "many" } }))).toMatchObject({ code: 422, details: { causes: [{ field: "patch" }] } });
    expect(await refusal(patch({ kind: "Deployment" }))).toMatchObject({
      code: 422,
      message: expect.stringContaining('no kind "Deployment" is registered for version "autoscaling/v1"'),
    });
    expect(await refusal(patch({ metadata: { name: "e" } }))).toMatchObject({ code: 400 });
  });

  it("refuses less than nothing, and an old resourceVersion", async () => {
    const api = await aRegistry();
    const made = await api.create("deployments.apps", aDeploymentBody("d"));
    const scale = (replicas: number, metadata: JsonObject = {}) =>
      api.update("deployments.apps", { metadata: { name: "d", ...metadata }, spec: { replicas } }, { subresource: "scale" });
    expect(await refusal(scale(-1))).toMatchObject({
      code: 422,
      message: 'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    });
    await scale(3);
    expect(await refusal(scale(4, { resourceVersion: made.metadata.resourceVersion }))).toMatchObject({ reason: "Conflict" });
  });
});

describe("certificatesigningrequests/approval", () => {
  it("changes the conditions alone", async () => {
    const api = await aRegistry();
    const request = Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n").toString("base64");
    await api.create("certificatesigningrequests.certificates.k8s.io", {
      metadata: { name: "c" },
      spec: { request, signerName: "example.com/signer", usages: ["client auth"] },
    });
    const body = {
      spec: { signerName: "other.example.com/x" },
      status: { certificate: "bm8=", conditions: [{ type: "Approved", status: "True", reason: "r" }] },
    };
    const approved = await api.patch(
      "certificatesigningrequests.certificates.k8s.io",
      "c",
      { type: "merge", body },
      { subresource: "approval" },
    );
    expect(approved).toMatchObject({
      spec: { signerName: "example.com/signer" },
      status: { conditions: [{ type: "Approved", lastUpdateTime: "2026-01-01T00:00:00Z", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
    });
    expect(approved.status).not.toHaveProperty("certificate");
  });
});

describe("a CertificateSigningRequest", () => {
  const asking = (pem: string, more = {}) => ({
    metadata: { name: "c" },
    spec: { request: Buffer.from(pem).toString("base64"), signerName: "example.com/signer", usages: ["client auth"], ...more },
  });
  const block = (content: string) => `-----BEGIN CERTIFICATE REQUEST-----\n${content}\n-----END CERTIFICATE REQUEST-----\n`;
  const plural = "certificatesigningrequests.certificates.k8s.io";

  it("names who made it, whatever that says", async () => {
    const api = await aRegistry();
    const made = await api.create(plural, asking(block("MAA="), { username: "root", groups: ["system:masters"], uid: "1" }), {
      user: "jane",
    });
    expect(made.spec).toMatchObject({ username: "jane", groups: ["system:authenticated"] });
    expect(made.spec).not.toHaveProperty("uid");
    const updated = await api.patch(plural, "c", { type: "merge", body: { spec: { username: "joe" } } });
    expect(updated.spec).toMatchObject({ username: "jane" });
  });

  it.each([
    {
      what: "the head of a block alone",
      pem: "-----BEGIN CERTIFICATE REQUEST-----\n",
      message: "PEM block type must be CERTIFICATE REQUEST",
    },
    { what: "a block of noise", pem: block("bm9pc2U="), message: "asn1: syntax error: data truncated" },
    { what: "a block that ends early", pem: block("MAU="), message: "asn1: syntax error: data truncated" },
  ])("is not $what", async ({ pem, message }) => {
    const api = await aRegistry();
    expect((await refusal(api.create(plural, asking(pem)))).message).toContain(message);
  });

  const approved = { type: "Approved", status: "True" };
  const settling = async (subresource: string, ...statuses: JsonObject[]) => {
    const api = await aRegistry();
    await api.create(plural, asking(block("MAA=")));
    const settle = (via: string, status: JsonObject) => api.patch(plural, "c", { type: "merge", body: { status } }, { subresource: via });
    for (const status of statuses.slice(0, -1)) await settle("approval", status);
    return settle(subresource, statuses.at(-1) ?? {});
  };

  it("takes no verdict through its status, and no certificate that is none", async () => {
    expect((await refusal(settling("status", { conditions: [approved] }))).message).toContain(
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    );
    expect((await refusal(settling("status", { certificate: "eA==" }))).message).toContain(
      "must contain at least one CERTIFICATE PEM block",
    );
  });

  it("keeps its verdict, which is one", async () => {
    expect((await refusal(settling("approval", { conditions: [approved] }, { conditions: [] }))).message).toContain(
      'updates may not remove a condition of type "Approved"',
    );
    const denied = { type: "Denied", status: "True" };
    expect((await refusal(settling("approval", { conditions: [denied, approved] }))).message).toContain("are mutually exclusive");
    expect((await refusal(settling("approval", { conditions: [{ ...approved, status: "False" }] }))).message).toContain(
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
    );
  });
});

describe("serviceaccounts/token", () => {
  it("says clearly that there is no signing key", async () => {
    const api = await aRegistry();
    await api.create("serviceaccounts", { metadata: { name: "s" } });
    expect(await refusal(api.create("serviceaccounts", { metadata: { name: "s" }, spec: {} }, { subresource: "token" }))).toMatchObject({
      code: 503,
      reason: "ServiceUnavailable",
    });
  });
});

describe("what is not served", () => {
  it("a subresource that the kind does not have is NotFound", async () => {
    const api = await aRegistry();
    await api.create("configmaps", { metadata: { name: "a" } });
    expect(await refusal(api.patch("configmaps", "a", { type: "merge", body: {} }, { subresource: "scale" }))).toMatchObject({
      code: 404,
      message: "the server could not find the requested resource",
    });
  });

  it("reviews are not stored", async () => {
    const api = await aRegistry();
    expect(await refusal(api.create("tokenreviews.authentication.k8s.io", { spec: { token: "x" } }))).toMatchObject({
      code: 405,
      reason: "MethodNotAllowed",
    });
  });
});
