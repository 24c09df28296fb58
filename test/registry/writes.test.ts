import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import { jsonLog } from "../../shared/runtime/log.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { TableFullError } from "../../shared/store/table.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { faultyTable } from "../support/faulty-table.ts";
import { aConfigMap, aDeploymentBody, aPodBody, aRegistry, context, refusal } from "../support/registry.ts";

const endpoints = (name: string, metadata: JsonObject = {}): JsonObject => ({
  metadata: { name, ...metadata },
  subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }],
});

const aFlowSchema = { metadata: { name: "a" }, spec: { priorityLevelConfiguration: { name: "p" } } };

const generation = ({ metadata }: { readonly metadata: { readonly generation?: number | undefined } }) => metadata.generation;

const autoscaler = (spec: JsonObject): JsonObject => ({
  metadata: { name: "h" },
  spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 5, ...spec },
});

describe("checklist 25: POST", () => {
  it("answers the object with what the server sets", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", { k: "v" }));
    expect(made).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
      data: { k: "v" },
    });
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
    expect(await api.get("configmaps", "a")).toEqual(made);
  });

  it("sets uid, times and generation itself, whatever the client says", async () => {
    const api = await aRegistry();
    const made = await api.create("deployments.apps", {
      ...aDeploymentBody("d"),
      metadata: {
        name: "d",
        uid: "mine",
        creationTimestamp: "2001-01-01T00:00:00Z",
        deletionTimestamp: "2001-01-01T00:00:00Z",
        generation: 7,
      },
    });
    expect(made.metadata).toMatchObject({ creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 });
    expect(made.metadata.uid).not.toBe("mine");
    expect(made.metadata.deletionTimestamp).toBeUndefined();
  });

  it("refuses a name that is taken", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.create("configmaps", aConfigMap("a")))).toMatchObject({
      reason: "AlreadyExists",
      code: 409,
      message: 'configmaps "a" already exists',
      details: { name: "a", kind: "configmaps" },
    });
  });

  it("says so when the one that is there is being deleted", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", {}, { finalizers: ["example.com/wait"] }));
    await api.remove("configmaps", "a");
    expect(await refusal(api.create("configmaps", aConfigMap("a")))).toMatchObject({
      message: 'object is being deleted: configmaps "a" already exists',
    });
  });

  it("refuses another namespace than the request's", async () => {
    const api = await aRegistry();
    expect(await refusal(api.create("configmaps", aConfigMap("a", {}, { namespace: "other" })))).toMatchObject({
      code: 400,
      message: "the namespace of the provided object does not match the namespace sent on the request",
    });
  });

  it("refuses a resourceVersion", async () => {
    const api = await aRegistry();
    expect(await refusal(api.create("configmaps", aConfigMap("a", {}, { resourceVersion: "5" })))).toMatchObject({
      message: "resourceVersion should not be set on objects to be created",
    });
  });

  it.each([
    {
      name: "another kind",
      body: { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } },
      message: /^Secret in version "v1" cannot be handled as a ConfigMap/,
    },
    {
      name: "another version",
      body: { apiVersion: "v2", kind: "ConfigMap", metadata: { name: "a" } },
      message: /^the API version in the data \(v2\) does not match the expected API version \(v1\)$/,
    },
    {
      name: "a field of the wrong type",
      body: { metadata: { name: "a" }, data: { k: 1 } },
      message: /^ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number/,
    },
  ])("refuses $name", async ({ body, message }) => {
    const api = await aRegistry();
    expect(await refusal(api.create("configmaps", body))).toMatchObject({ code: 400, message: expect.stringMatching(message) });
  });

  it("answers what Go writes though nobody gave it, and keeps it", async () => {
    const api = await aRegistry();
    const { spec } = aDeploymentBody("s") as { spec: JsonObject };
    const made = await api.create("statefulsets.apps", { metadata: { name: "s" }, spec });
    expect(made.spec).toMatchObject({ serviceName: "" });
    expect(await api.get("statefulsets.apps", "s")).toEqual(made);
    const again = await api.update("statefulsets.apps", { metadata: { name: "s" }, spec });
    expect(again).toEqual(made);
  });

  it("takes a body that does not name its type", async () => {
    const api = await aRegistry();
    expect(await api.create("configmaps", { metadata: { name: "a" } })).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  });
});

describe("checklist 27: generateName", () => {
  it("adds five characters to at most 58", async () => {
    const api = await aRegistry();
    const base = "x".repeat(70);
    const made = await api.create("configmaps", { metadata: { generateName: base } });
    expect(made.metadata.name).toMatch(/^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(made.metadata.generateName).toBe(base);
  });

  it("tries again while names are taken, eight times at most", async () => {
    // Always the same five characters: every try is the same name.
    const api = await aRegistry({ random: () => 0 });
    await api.create("configmaps", { metadata: { generateName: "a-" } });
    expect(await refusal(api.create("configmaps", { metadata: { generateName: "a-" } }))).toMatchObject({
      code: 409,
      reason: "AlreadyExists",
      message: 'configmaps "a-bbbbb" already exists, the server was not able to generate a unique name for the object',
      details: { name: "a-bbbbb", kind: "configmaps", retryAfterSeconds: 1 },
    });
  });

  it("finds a free one", async () => {
    let calls = 0;
    const api = await aRegistry({ random: () => (calls++ < 10 ? 0 : 0.5) });
    const names = [
      await api.create("configmaps", { metadata: { generateName: "a-" } }),
      await api.create("configmaps", { metadata: { generateName: "a-" } }),
    ];
    expect(names.map(({ metadata }) => metadata.name)).toEqual(["a-bbbbb", expect.stringMatching(/^a-[^b]{5}$/)]);
  });
});

describe("checklist 28: names", () => {
  it.each(["Upper", "a/b", "", ".."])("refuses %j", async (name) => {
    const api = await aRegistry();
    const status = await refusal(api.create("configmaps", { metadata: { name } }));
    expect(status).toMatchObject({ code: 422, reason: "Invalid", details: { kind: "ConfigMap" } });
    expect(status.details?.causes?.[0]?.field).toBe("metadata.name");
  });
});

describe("checklist 29: PUT", () => {
  it("needs the resourceVersion of what is there, or none", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a"));
    const { resourceVersion } = made.metadata;
    await api.update("configmaps", aConfigMap("a", { n: "1" }, { resourceVersion }));
    expect(await refusal(api.update("configmaps", aConfigMap("a", { n: "2" }, { resourceVersion })))).toMatchObject({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: "a", kind: "configmaps" },
    });
    expect(await api.update("configmaps", aConfigMap("a", { n: "3" }))).toMatchObject({ data: { n: "3" } });
  });

  it("refuses another uid", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.update("configmaps", aConfigMap("a", {}, { uid: "other" })))).toMatchObject({
      code: 409,
      reason: "Conflict",
      message: expect.stringContaining(`Precondition failed: UID in precondition: other, UID in object meta: ${metadata.uid}`),
    });
  });

  it("that changes nothing keeps the resourceVersion", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", { k: "v" }));
    await api.clock.advance(5_000);
    const again = await api.update("configmaps", aConfigMap("a", { k: "v" }));
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(again.metadata.managedFields).toEqual(made.metadata.managedFields);
  });

  it("cannot move an object in time or take back its deletion", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", {}, { finalizers: ["example.com/wait"] }));
    await api.remove("configmaps", "a");
    const changed = await api.update(
      "configmaps",
      aConfigMap("a", { k: "v" }, { finalizers: ["example.com/wait"], creationTimestamp: "2001-01-01T00:00:00Z" }),
    );
    expect(changed.metadata).toMatchObject({ creationTimestamp: made.metadata.creationTimestamp, deletionGracePeriodSeconds: 0 });
    expect(changed.metadata.deletionTimestamp).toBeDefined();
  });

  it("refuses a name that is not the URL's", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const kind = await api.kind("configmaps");
    const asked = api.registry.update(
      kind,
      { namespace: "default", name: "a" },
      "",
      aConfigMap("b"),
      { dryRun: false, fieldManager: "m", fieldValidation: "Ignore" },
      context(),
    );
    expect(await refusal(asked)).toMatchObject({ code: 400, message: "the name of the object (b) does not match the name on the URL (a)" });
  });
});

describe("checklist 30: PUT of what does not exist", () => {
  it("creates it, for a few kinds", async () => {
    const api = await aRegistry();
    const made = await api.update("endpoints", endpoints("e"));
    expect(made).toMatchObject({ metadata: { name: "e" }, subsets: [{ addresses: [{ ip: "10.0.0.1" }] }] });
    expect(made.metadata.uid).toBeTruthy();
  });

  it("is a conflict when it names a uid", async () => {
    const api = await aRegistry();
    expect(await refusal(api.update("endpoints", endpoints("e", { uid: "gone" })))).toMatchObject({ reason: "Conflict" });
  });

  it("is NotFound for most kinds", async () => {
    const api = await aRegistry();
    expect(await refusal(api.update("configmaps", aConfigMap("a")))).toMatchObject({
      code: 404,
      message: 'configmaps "a" not found',
      details: { name: "a", kind: "configmaps" },
    });
  });
});

describe("checklist 31: PATCH", () => {
  it.each([
    { type: "json", body: [{ op: "add", path: "/data/b", value: "2" }] },
    { type: "merge", body: { data: { b: "2" } } },
    { type: "strategic", body: { data: { b: "2" } } },
  ] as const)("$type changes what it names", async (patch) => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", { a: "1" }));
    expect(await api.patch("configmaps", "a", patch)).toMatchObject({ data: { a: "1", b: "2" } });
  });

  it("without a resourceVersion never conflicts, and with an old one does", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    await Promise.all([1, 2, 3, 4, 5].map((n) => api.patch("configmaps", "a", { type: "merge", body: { data: { [`k${n}`]: "v" } } })));
    expect(await api.get("configmaps", "a")).toMatchObject({ data: { k1: "v", k2: "v", k3: "v", k4: "v", k5: "v" } });
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, data: { late: "v" } };
    expect(await refusal(api.patch("configmaps", "a", { type: "merge", body }))).toMatchObject({ code: 409, reason: "Conflict" });
  });

  it("strategic merges lists by key", async () => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    const body = { spec: { template: { spec: { containers: [{ name: "web", image: "nginx:2" }] } } } };
    const changed = await api.patch("deployments.apps", "d", { type: "strategic", body });
    expect(changed).toMatchObject({
      spec: { template: { spec: { containers: [{ name: "web", image: "nginx:2", imagePullPolicy: "IfNotPresent" }] } } },
    });
  });

  it("of more than 10,000 operations is too large", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const body = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "ConfigMap" }));
    expect(await refusal(api.patch("configmaps", "a", { type: "json", body }))).toMatchObject({
      code: 413,
      message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    });
  });

  it("that leaves a wrong type is Invalid, and names the patch", async () => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    const status = await refusal(api.patch("deployments.apps", "d", { type: "merge", body: { spec: { replicas: "many" } } }));
    expect(status).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: expect.stringMatching(/^ "" is invalid: patch: Invalid value: /),
    });
  });

  it("that leaves a wrong type shows the patch where its kind speaks of types, and what it made elsewhere", async () => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    const body = { spec: { template: { spec: { containers: [{ name: "c", tty: JSON.rawJSON("1.0") }] } }, replicas: null } };
    const strategic = await refusal(api.patch("deployments.apps", "d", { type: "strategic", body }));
    expect(strategic.message).toContain(
      'patch: Invalid value: "map[spec:map[replicas:<nil> template:map[spec:map[containers:[map[name:c tty:1.0]]]]]]": json: cannot unmarshal number',
    );
    const merge = await refusal(api.patch("deployments.apps", "d", { type: "merge", body }));
    expect(merge.message).toContain('patch: Invalid value: "{\\"apiVersion\\":\\"apps/v1\\"');
  });

  it("of an object that does not exist is NotFound", async () => {
    const api = await aRegistry();
    expect(await refusal(api.patch("configmaps", "a", { type: "merge", body: {} }))).toMatchObject({
      code: 404,
      message: 'configmaps "a" not found',
    });
  });

  it("cannot rename", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.patch("configmaps", "a", { type: "merge", body: { metadata: { name: "b" } } }))).toMatchObject({ code: 400 });
  });

  const types = [
    { body: { kind: "Secret" }, why: "converting (v1.Secret) to (core.ConfigMap): unknown conversion" },
    { body: { apiVersion: "apps/v1", kind: "Deployment" }, why: "converting (v1.Deployment) to (core.ConfigMap): unknown conversion" },
    { body: { kind: "Nothing" }, why: 'no kind "Nothing" is registered for version "v1"' },
    { body: { apiVersion: "apps/v1" }, why: 'no kind "ConfigMap" is registered for version "apps/v1"' },
    { body: { kind: 5 }, why: ".kind accessor error: 5 is not of the type string" },
  ];
  it.each(types)("that makes another kind of an object is Invalid: $body", async ({ body, why }) => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", { k: "v" }));
    const operations = Object.entries(body).map(([field, value]) => ({ op: "replace", path: `/${field}`, value }));
    for (const patch of [{ type: "merge", body } as const, { type: "json", body: operations } as const]) {
      const status = await refusal(api.patch("configmaps", "a", patch));
      expect(status).toMatchObject({ code: 422, reason: "Invalid", details: { causes: [{ field: "patch" }] } });
      expect(status.message).toContain(why);
    }
    expect(await api.get("configmaps", "a")).toEqual(made);
  });

  it("that takes the version away leaves nothing to find a name in, and without the kind is read as what it was", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.patch("configmaps", "a", { type: "merge", body: { apiVersion: null } }))).toMatchObject({
      code: 400,
      message: "the name of the object (a based on URL) was undeterminable: name must be provided",
    });
    expect(await api.patch("configmaps", "a", { type: "merge", body: { kind: null } })).toMatchObject({
      kind: "ConfigMap",
      metadata: { resourceVersion: metadata.resourceVersion },
    });
  });

  it("that is strategic says nothing about the type", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const body = { apiVersion: "apps/v1", kind: "Deployment", data: { k: "v" } };
    expect(await api.patch("configmaps", "a", { type: "strategic", body })).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      data: { k: "v" },
    });
  });

  it("that names another version of the resource is read as that", async () => {
    const api = await aRegistry();
    await api.create("horizontalpodautoscalers.autoscaling/v2", autoscaler({ minReplicas: 2 }));
    const body = { apiVersion: "autoscaling/v1", spec: { targetCPUUtilizationPercentage: 70 } };
    const changed = await api.patch("horizontalpodautoscalers.autoscaling/v2", "h", { type: "merge", body });
    expect(changed).toMatchObject({
      apiVersion: "autoscaling/v2",
      spec: {
        minReplicas: 2,
        metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } }],
      },
    });
    const { resourceVersion } = changed.metadata;
    const late = { ...body, metadata: { resourceVersion: "1" } };
    expect(await refusal(api.patch("horizontalpodautoscalers.autoscaling/v2", "h", { type: "merge", body: late }))).toMatchObject({
      code: 409,
    });
    expect((await api.get("horizontalpodautoscalers.autoscaling/v2", "h")).metadata.resourceVersion).toBe(resourceVersion);
  });

  it("that changes nothing keeps the resourceVersion", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", { k: "v" }));
    const same = await api.patch("configmaps", "a", { type: "merge", body: { data: { k: "v" } } }, { fieldManager: "other" });
    expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });
});

describe("checklist 33: generation", () => {
  it("of a CSIDriver begins with its first change", async () => {
    const api = await aRegistry();
    const drivers = "csidrivers.storage.k8s.io";
    expect(generation(await api.create(drivers, { metadata: { name: "a.b" }, spec: {} }))).toBeUndefined();
    const label = { type: "merge", body: { metadata: { labels: { a: "b" } } } } as const;
    expect(generation(await api.patch(drivers, "a.b", label))).toBeUndefined();
    expect(generation(await api.patch(drivers, "a.b", { type: "merge", body: { spec: { podInfoOnMount: true } } }))).toBe(1);
  });

  it("counts changes of the spec, and nothing else", async () => {
    const api = await aRegistry();
    expect(generation(await api.create("deployments.apps", aDeploymentBody("d")))).toBe(1);
    expect(
      generation(await api.patch("deployments.apps", "d", { type: "merge", body: { metadata: { labels: { a: "b" }, generation: 9 } } })),
    ).toBe(1);
    expect(generation(await api.patch("deployments.apps", "d", { type: "merge", body: { spec: { replicas: 3 } } }))).toBe(2);
    const status = { type: "merge", body: { status: { replicas: 3 } } } as const;
    expect(generation(await api.patch("deployments.apps", "d", status, { subresource: "status" }))).toBe(2);
  });

  it("counts the annotations of a Deployment too, unless its status brings them", async () => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    const annotate = { type: "merge", body: { metadata: { annotations: { a: "b" } } } } as const;
    expect(generation(await api.patch("deployments.apps", "d", annotate, { subresource: "status" }))).toBe(1);
    expect(generation(await api.patch("deployments.apps", "d", annotate))).toBe(1);
    expect(generation(await api.patch("deployments.apps", "d", { type: "merge", body: { metadata: { annotations: { a: "c" } } } }))).toBe(
      2,
    );
  });

  it("is there for webhooks of which there are none yet", async () => {
    const api = await aRegistry();
    const resource = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
    expect(generation(await api.create(resource, { metadata: { name: "w" } }))).toBe(1);
  });

  it("is not there for kinds without one", async () => {
    const api = await aRegistry();
    expect((await api.create("configmaps", aConfigMap("a"))).metadata).not.toHaveProperty("generation");
  });

  it("goes up when a graceful deletion starts", async () => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p", { nodeName: "n" }));
    const { object } = await api.remove("pods", "p");
    expect(object.metadata.generation).toBe(2);
  });
});

describe("checklist 34: /status", () => {
  it("ignores the spec, and the object ignores the status", async () => {
    const api = await aRegistry();
    const made = await api.create("deployments.apps", { ...aDeploymentBody("d"), status: { replicas: 7 } });
    expect(made.status).toEqual({});
    const byStatus = await api.patch(
      "deployments.apps",
      "d",
      { type: "merge", body: { spec: { replicas: 5 }, status: { replicas: 1 } } },
      { subresource: "status" },
    );
    expect(byStatus).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1 } });
    const byObject = await api.patch("deployments.apps", "d", { type: "merge", body: { spec: { replicas: 5 }, status: { replicas: 9 } } });
    expect(byObject).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 1 } });
  });

  it.each([
    { resource: "deployments.apps", body: aDeploymentBody("a"), owned: { "f:annotations": { ".": {}, "f:a": {} } } },
    { resource: "flowschemas.flowcontrol.apiserver.k8s.io", body: aFlowSchema, owned: undefined },
  ])("of $resource gives nobody metadata that it leaves alone", async ({ resource, body, owned }) => {
    const api = await aRegistry();
    await api.create(resource, body, { fieldManager: "maker" });
    const metadata = { labels: { a: "b" }, annotations: { a: "b" } };
    const patch = { type: "merge", body: { metadata, status: { conditions: [{ type: "Odd", status: "True" }] } } } as const;
    const changed = await api.patch(resource, "a", patch, { subresource: "status", fieldManager: "status" });
    expect(changed.metadata).not.toHaveProperty("labels");
    const entry = changed.metadata.managedFields?.find(({ manager }) => manager === "status");
    expect(entry?.fieldsV1?.["f:metadata"]).toEqual(owned);
    expect(entry?.fieldsV1).toHaveProperty("f:status");
  });

  it("can be annotated through", async () => {
    const api = await aRegistry();
    await api.create("namespaces", { metadata: { name: "n" } });
    const body = { metadata: { annotations: { note: "yes" } }, status: { conditions: [] } };
    const changed = await api.patch("namespaces", "n", { type: "merge", body }, { subresource: "status" });
    expect(changed.metadata.annotations).toEqual({ note: "yes" });
  });
});

describe("checklist 35: dry run", () => {
  it("answers what would be stored, and stores nothing", async () => {
    const api = await aRegistry();
    const tried = await api.create("configmaps", aConfigMap("a"), { dryRun: true });
    expect(tried.metadata.uid).toBeTruthy();
    expect(tried.metadata).not.toHaveProperty("resourceVersion");
    expect(await api.exists("configmaps", "a")).toBe(false);

    const made = await api.create("configmaps", aConfigMap("a"));
    const changed = await api.patch("configmaps", "a", { type: "merge", body: { data: { k: "v" } } }, { dryRun: true });
    expect(changed).toMatchObject({ data: { k: "v" }, metadata: { resourceVersion: made.metadata.resourceVersion } });
    expect((await api.remove("configmaps", "a", { dryRun: true })).type).toBe("deleted");
    expect(await api.get("configmaps", "a")).toEqual(made);
  });

  it("refuses what would be refused", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.create("configmaps", aConfigMap("a"), { dryRun: true }))).toMatchObject({ reason: "AlreadyExists" });
    expect(await refusal(api.create("configmaps", aConfigMap("B"), { dryRun: true }))).toMatchObject({ reason: "Invalid" });
  });
});

describe("checklist 36: fieldValidation", () => {
  const body = { ...aDeploymentBody("d"), spec: { ...(aDeploymentBody("d").spec as object), unknown1: 1 } };
  const bodyProblems = ['duplicate field "spec.paused"'];

  it("Strict refuses unknown and duplicate fields", async () => {
    const api = await aRegistry();
    expect(await refusal(api.create("deployments.apps", body, { fieldValidation: "Strict", bodyProblems }))).toMatchObject({
      code: 400,
      message:
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.unknown1", duplicate field "spec.paused"',
    });
  });

  it("Warn says so and drops them", async () => {
    const api = await aRegistry();
    const warnings: string[] = [];
    const made = await api.create("deployments.apps", body, { fieldValidation: "Warn", bodyProblems, warnings });
    expect(warnings).toEqual(['unknown field "spec.unknown1"', 'duplicate field "spec.paused"']);
    expect(made.spec).not.toHaveProperty("unknown1");
  });

  it("Ignore drops them without a word", async () => {
    const api = await aRegistry();
    const warnings: string[] = [];
    await api.create("deployments.apps", body, { fieldValidation: "Ignore", warnings });
    expect(warnings).toEqual([]);
  });

  it.each(["merge", "strategic"] as const)("Strict refuses a %s patch with unknown fields", async (type) => {
    const api = await aRegistry();
    await api.create("deployments.apps", aDeploymentBody("d"));
    const status = await refusal(
      api.patch("deployments.apps", "d", { type, body: { spec: { unknown1: 1 } } }, { fieldValidation: "Strict" }),
    );
    expect(status).toMatchObject({ code: 422, message: expect.stringContaining('strict decoding error: unknown field "spec.unknown1"') });
  });
});

describe("checklist 38: ownership of fields", () => {
  it("is kept on every write", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", { k: "v" }), { fieldManager: "one" });
    const changed = await api.patch("configmaps", "a", { type: "merge", body: { data: { l: "w" } } }, { fieldManager: "two" });
    expect(changed.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
      "one Update",
      "two Update",
    ]);
  });

  it("apply creates, and repeating it writes nothing", async () => {
    const api = await aRegistry();
    const apply = () => api.patch("configmaps", "a", { type: "apply", body: aConfigMap("a", { k: "v" }) }, { fieldManager: "me" });
    const made = await apply();
    expect(made).toMatchObject({ data: { k: "v" }, metadata: { managedFields: [{ manager: "me", operation: "Apply" }] } });
    await api.clock.advance(5_000);
    expect(await apply()).toBe(await api.get("configmaps", "a"));
    expect((await apply()).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  it("apply removes what its manager no longer names", async () => {
    const api = await aRegistry();
    await api.patch("configmaps", "a", { type: "apply", body: aConfigMap("a", { k: "v", l: "w" }) }, { fieldManager: "me" });
    expect((await api.patch("configmaps", "a", { type: "apply", body: aConfigMap("a", { k: "v" }) }, { fieldManager: "me" })).data).toEqual(
      { k: "v" },
    );
  });

  it("apply of what others own is a conflict that names the fields, unless forced", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", { k: "v" }), { fieldManager: "other" });
    const body = aConfigMap("a", { k: "mine" });
    expect(await refusal(api.patch("configmaps", "a", { type: "apply", body }, { fieldManager: "me" }))).toMatchObject({
      code: 409,
      reason: "Conflict",
      details: { causes: [{ reason: "FieldManagerConflict", field: ".data.k" }] },
    });
    expect(await api.patch("configmaps", "a", { type: "apply", body, force: true }, { fieldManager: "me" })).toMatchObject({
      data: { k: "mine" },
    });
  });

  it("refuses what its kind does not know, whatever fieldValidation says: nobody could own it", async () => {
    const api = await aRegistry();
    const body = { ...aConfigMap("a"), dota: {} };
    for (const fieldValidation of ["Ignore", "Warn", "Strict"] as const) {
      expect(await refusal(api.patch("configmaps", "a", { type: "apply", body }, { fieldManager: "me", fieldValidation }))).toMatchObject({
        code: 400,
        message: "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .dota: field not declared in schema",
      });
    }
  });

  it("apply of another version or kind is refused", async () => {
    const api = await aRegistry();
    const applied = (type: JsonObject) =>
      refusal(api.patch("configmaps", "a", { type: "apply", body: { ...aConfigMap("a"), ...type } }, { fieldManager: "me" }));
    const refused = (type: string) => ({ code: 400, message: `invalid object type: ${type}` });
    expect(await applied({ apiVersion: "v2" })).toMatchObject(refused("/v2, Kind=ConfigMap"));
    expect(await applied({ apiVersion: "apps/v1" })).toMatchObject(refused("apps/v1, Kind=ConfigMap"));
    expect(await applied({ kind: "Secret" })).toMatchObject(refused("/v1, Kind=Secret"));
    expect(await applied({ apiVersion: undefined })).toMatchObject(refused("/, Kind=ConfigMap"));
  });

  it("apply to another incarnation is Invalid, and makes none", async () => {
    const api = await aRegistry();
    const applied = (name: string) =>
      refusal(api.patch("configmaps", name, { type: "apply", body: aConfigMap(name, {}, { uid: "mine" }) }, { fieldManager: "me" }));
    await api.create("configmaps", aConfigMap("a"));
    expect(await applied("a")).toMatchObject({
      reason: "Invalid",
      message: 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "mine": field is immutable',
    });
    expect(await applied("b")).toMatchObject({ reason: "Conflict" });
  });

  it("apply without a manager is refused", async () => {
    const api = await aRegistry();
    expect(await refusal(api.patch("configmaps", "a", { type: "apply", body: aConfigMap("a") }, { fieldManager: "" }))).toMatchObject({
      message: expect.stringContaining("fieldManager: Required value"),
    });
  });

  it("defaults are owned by nobody who applied", async () => {
    const api = await aRegistry();
    const made = await api.patch("deployments.apps", "d", { type: "apply", body: aDeploymentBody("d") }, { fieldManager: "me" });
    expect(made).toMatchObject({ spec: { revisionHistoryLimit: 10 } });
    expect(JSON.stringify(made.metadata.managedFields)).not.toContain("revisionHistoryLimit");
  });
});

describe("checklist 39: duplicate ownerReferences", () => {
  it("are removed with a warning", async () => {
    const api = await aRegistry();
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u-1" };
    const warnings: string[] = [];
    const made = await api.create("configmaps", aConfigMap("a", {}, { ownerReferences: [owner, { ...owner }] }), { warnings });
    expect(made.metadata.ownerReferences).toEqual([owner]);
    expect(warnings).toEqual([
      ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u-1",
    ]);
  });
});

describe("checklist 51, 52: an invalid object", () => {
  it("is answered with every cause at once, and its Kind in the details", async () => {
    const api = await aRegistry();
    const status = await refusal(api.create("configmaps", aConfigMap("Bad_Name", { "bad key": "v" }, { labels: { "bad label!": "v" } })));
    expect(status).toMatchObject({ code: 422, reason: "Invalid", details: { name: "Bad_Name", kind: "ConfigMap" } });
    expect(status.details?.causes?.map(({ field }) => field)).toEqual(["metadata.name", "metadata.labels", "data[bad key]"]);
  });

  it("has an empty name in the answer when it has none", async () => {
    const api = await aRegistry();
    expect(await refusal(api.create("configmaps", {}))).toMatchObject({
      code: 422,
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    });
  });
});

describe("an object of more than 1.5 MiB", () => {
  it("is refused, and is no trouble to log", async () => {
    const logged: string[] = [];
    const api = await aRegistry({ log: jsonLog((line) => logged.push(line), "info") });
    const env = Array.from({ length: 160 }, (_, index) => ({ name: `V${index}`, value: "x".repeat(10_000) }));
    const pod = aPodBody("large", { containers: [{ name: "main", image: "registry.example/a:1", env }] });
    expect(await refusal(api.create("pods", pod))).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
    expect(logged).toEqual([]);
  });
});

describe("trap 1: annotations", () => {
  it("are limited to 262,144 bytes in all", async () => {
    const api = await aRegistry();
    const status = await refusal(api.create("configmaps", aConfigMap("a", {}, { annotations: { big: "x".repeat(262_142) } })));
    expect(status.message).toContain("metadata.annotations: Too long: may not be more than 262144 bytes");
  });
});

describe("trap 4: both Events APIs", () => {
  it("show one object, each in its own words", async () => {
    const api = await aRegistry();
    const core = {
      metadata: { name: "e" },
      involvedObject: { kind: "Pod", name: "p", namespace: "default" },
      reason: "Started",
      message: "it runs",
      source: { component: "kubelet" },
    };
    const made = await api.create("events", core);
    const other = await api.get("events.events.k8s.io", "e");
    expect(other).toMatchObject({
      apiVersion: "events.k8s.io/v1",
      regarding: { name: "p" },
      note: "it runs",
      deprecatedSource: { component: "kubelet" },
      metadata: { uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion },
    });
    expect(other).not.toHaveProperty("message");
  });
});

describe("several versions of one kind", () => {
  it("an autoscaler of version 1 is one of version 2 with a CPU metric", async () => {
    const api = await aRegistry();
    await api.create("horizontalpodautoscalers.autoscaling/v1", autoscaler({ targetCPUUtilizationPercentage: 60 }));
    expect(await api.get("horizontalpodautoscalers.autoscaling/v2", "h")).toMatchObject({
      apiVersion: "autoscaling/v2",
      spec: { metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } }] },
    });
  });

  it("what version 1 does not know travels through it unharmed", async () => {
    const api = await aRegistry();
    const metrics = [
      { type: "Pods", pods: { metric: { name: "requests" }, target: { type: "AverageValue", averageValue: "10" } } },
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
    ];
    const made = await api.create("horizontalpodautoscalers.autoscaling/v2", autoscaler({ metrics }));
    const old = await api.get("horizontalpodautoscalers.autoscaling/v1", "h");
    expect(old).toMatchObject({ spec: { targetCPUUtilizationPercentage: 70 } });
    await api.update("horizontalpodautoscalers.autoscaling/v1", { ...old, spec: { ...(old.spec as object), maxReplicas: 6 } });
    expect(await api.get("horizontalpodautoscalers.autoscaling/v2", "h")).toMatchObject({
      spec: { ...(made.spec as object), maxReplicas: 6 },
    });
  });
});

describe("a table without room", () => {
  it("is answered with what is wrong, in the Status and in the log; reads go on", async () => {
    const clock = fakeClock();
    const table = faultyTable(memoryTable({ clock }));
    const logged: string[] = [];
    const api = await aRegistry({ clock, table, log: jsonLog((line) => logged.push(line), "warn", {}) });
    const made = await api.create("configmaps", aConfigMap("a"));
    table.faults.put = async () => {
      throw new TableFullError("the table has no room left", { cause: new Error("database or disk is full") });
    };
    const refused = refusal(api.patch("configmaps", "a", { type: "merge", body: { data: { k: "v" } } }));
    await clock.advance(1_000);
    expect(await refused).toMatchObject({
      code: 500,
      reason: "InternalError",
      message: expect.stringContaining("the disk that holds the cluster's state is full"),
    });
    expect(logged.join()).toContain("database or disk is full");
    expect(await api.get("configmaps", "a")).toEqual(made);
    table.faults = {};
    expect(await api.patch("configmaps", "a", { type: "merge", body: { data: { k: "v" } } })).toMatchObject({ data: { k: "v" } });
  });
});
