/** Traps of the API that show in what goes over the wire, and nowhere else: the deployed API function, spoken to as a client does. */
import { describe, expect, it } from "vitest";
import { apiServer } from "../support/api-server.ts";
import type { FakeClock } from "../support/fake-clock.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const post = (body: unknown, contentType = "application/json") => ({ method: "POST", body, headers: { "content-type": contentType } });
const patch = (body: unknown, type = "merge-patch+json") => ({
  method: "PATCH",
  body: JSON.stringify(body),
  headers: { "content-type": `application/${type}` },
});

describe("trap 3: what JSON in JavaScript would lose", () => {
  it("a custom resource keeps its numbers as they were written, through a patch of something else too", async () => {
    const api = await apiServer();
    await api.json(
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      post({
        metadata: { name: "tabs.example.com" },
        spec: {
          group: "example.com",
          scope: "Namespaced",
          names: { plural: "tabs", kind: "Tab" },
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
            },
          ],
        },
      }),
    );
    const tabs = "/apis/example.com/v1/namespaces/default/tabs";
    const numbers = '"big":9223372036854775807,"float":1.0,"small":0.1';
    await api.ask(tabs, post(`{"apiVersion":"example.com/v1","kind":"Tab","metadata":{"name":"t"},${numbers}}`));
    await api.ask(`${tabs}/t`, patch({ other: 1 }));
    expect(await (await api.ask(`${tabs}/t`)).text()).toContain(numbers);
    expect(await (await api.ask(tabs)).text()).toContain(numbers);
  });

  it("a built-in kind is canonical: quantities, times, and nothing that it does not know", async () => {
    const api = await apiServer();
    await api.ask("/api/v1/namespaces/default/serviceaccounts", post({ metadata: { name: "default" } }));
    const pod = await api.json(
      "/api/v1/namespaces/default/pods",
      post(
        '{"metadata":{"name":"p","labels":null},"stray":1,"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":0.5,"memory":"1024Mi"}}}]}}',
      ),
    );
    expect(pod.spec.containers[0].resources.requests).toEqual({ cpu: "500m", memory: "1Gi" });
    expect(pod).not.toHaveProperty("stray");
    expect(pod.metadata).not.toHaveProperty("labels");
    const lease = { metadata: { name: "l" }, spec: { renewTime: "2026-01-01T00:00:00.500000+01:00" } };
    const { spec } = await api.json("/apis/coordination.k8s.io/v1/namespaces/default/leases", post(lease));
    expect(spec.renewTime).toBe("2025-12-31T23:00:00.500000Z");
  });
});

describe("trap 4: field selectors belong to the served version", () => {
  const core = "/api/v1/namespaces/default/events";
  const other = "/apis/events.k8s.io/v1/namespaces/default/events";

  it.each([
    { path: core, known: "source=kubelet", unknown: "reportingController=kubelet" },
    { path: other, known: "reportingController=kubelet", unknown: "source=kubelet" },
  ])("$path: $known", async ({ path, known, unknown }) => {
    const api = await apiServer();
    const event = {
      metadata: { name: "e", namespace: "default" },
      involvedObject: { namespace: "default" },
      source: { component: "kubelet" },
    };
    await api.ask(core, post({ ...event, reportingComponent: "kubelet", reportingInstance: "n" }));
    const { items } = await api.json(`${path}?fieldSelector=${encodeURIComponent(known)}`);
    expect(items.map(({ metadata }: any) => metadata.name)).toEqual(["e"]);
    expect(await api.json(`${path}?fieldSelector=${encodeURIComponent(unknown)}`)).toMatchObject({ code: 400, reason: "BadRequest" });
  });
});

describe("trap 12: ownership of fields", () => {
  const agent = { "user-agent": "kubectl-client-side-apply/v1.33 (linux/amd64)" };

  it("is migrated by patches of managedFields under a precondition", async () => {
    const api = await apiServer();
    const made = await api.json(configMaps, {
      ...post({ metadata: { name: "a" }, data: { key: "value" } }),
      headers: { ...agent, "content-type": "application/json" },
    });
    const [entry] = made.metadata.managedFields;
    expect(entry).toMatchObject({ manager: "kubectl-client-side-apply", operation: "Update" });
    const migrated = [{ ...entry, manager: "kubectl", operation: "Apply" }];
    const replace = (resourceVersion: string) => [
      { op: "replace", path: "/metadata/managedFields", value: migrated },
      { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
    ];
    expect(await api.json(`${configMaps}/a`, patch(replace("1"), "json-patch+json"))).toMatchObject({ code: 409, reason: "Conflict" });
    const after = await api.json(`${configMaps}/a`, patch(replace(made.metadata.resourceVersion), "json-patch+json"));
    expect(after.metadata.managedFields).toEqual(migrated);
    const applied = await api.json(`${configMaps}/a?fieldManager=kubectl`, {
      method: "PATCH",
      headers: { "content-type": "application/apply-patch+yaml" },
      body: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  other: x\n",
    });
    // What its manager names no longer is gone, and nobody was in its way.
    expect(applied.data).toEqual({ other: "x" });
  });
});

describe("trap 15: limits of data", () => {
  it.each([
    { path: "/api/v1/namespaces/default/secrets", field: "data" },
    { path: configMaps, field: "data" },
    { path: configMaps, field: "binaryData" },
  ])("$field of $path: 1 MiB, and no byte more", async ({ path, field }) => {
    const api = await apiServer();
    const of = (bytes: number) => (path === configMaps && field === "data" ? "x".repeat(bytes) : Buffer.alloc(bytes).toString("base64"));
    const send = (name: string, bytes: number) => api.json(path, post({ metadata: { name }, [field]: { a: of(bytes) } }));
    expect(await send("fits", 1024 * 1024 - (path === configMaps ? 1 : 0))).toMatchObject({ metadata: { name: "fits" } });
    expect(await send("large", 1024 * 1024 + 1)).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: expect.stringMatching(/Too long: may not be more than 1048576 bytes$/),
    });
  });
});

describe("trap 17: bookmarks", () => {
  it("come at least once a minute to those who asked, and the watch ends cleanly", async () => {
    const api = await apiServer();
    const clock = api.core.platform.clock as FakeClock;
    const { metadata } = await api.json(configMaps, post({ metadata: { name: "a" } }));
    const watch = async (query: string) => {
      const response = await api.ask(`${configMaps}?watch=true&timeoutSeconds=200&resourceVersion=${metadata.resourceVersion}${query}`);
      return response.text();
    };
    const both = Promise.all([watch("&allowWatchBookmarks=true"), watch("")]);
    for (let second = 0; second < 205; second += 1) await clock.advance(1_000);
    const [asked, silent] = await both;
    const lines = asked.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines)
      expect(JSON.parse(line)).toEqual({
        type: "BOOKMARK",
        object: { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } },
      });
    expect(silent).toBe("");
  });
});

describe("trap 21: the policies of admission are objects like others", () => {
  const group = "/apis/admissionregistration.k8s.io/v1";
  const constraints = { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }] };
  const mutations = [{ patchType: "JSONPatch", jsonPatch: { expression: '[JSONPatch{op: "add", path: "/spec/replicas", value: 3}]' } }];

  it.each([
    {
      resource: "validatingadmissionpolicies",
      kind: "ValidatingAdmissionPolicy",
      spec: { matchConstraints: constraints, validations: [{ expression: "object.spec.replicas <= 100" }] },
    },
    {
      resource: "validatingadmissionpolicybindings",
      kind: "ValidatingAdmissionPolicyBinding",
      spec: { policyName: "p", validationActions: ["Deny"] },
    },
    {
      resource: "mutatingadmissionpolicies",
      kind: "MutatingAdmissionPolicy",
      spec: { matchConstraints: constraints, reinvocationPolicy: "Never", mutations },
    },
    { resource: "mutatingadmissionpolicybindings", kind: "MutatingAdmissionPolicyBinding", spec: { policyName: "p" } },
  ])("$kind: made, read, watched, changed and removed", async ({ resource, kind, spec }) => {
    const api = await apiServer();
    const path = `${group}/${resource}`;
    const { resources } = await api.json(group);
    expect(resources.find(({ name }: any) => name === resource)).toMatchObject({ kind, namespaced: false });

    const made = await api.json(path, post({ metadata: { name: "a", labels: { test: "yes" } }, spec }));
    expect(made).toMatchObject({ kind, metadata: { name: "a", generation: 1 }, spec });
    expect((await api.json(`${path}?labelSelector=test%3Dyes`)).items).toHaveLength(1);
    expect(await api.json(`${path}/a`, patch({ metadata: { annotations: { patched: "yes" } } }))).toMatchObject({
      metadata: { annotations: { patched: "yes" }, generation: 1 },
    });
    const current = await api.json(`${path}/a`);
    const updated = await api.json(`${path}/a`, {
      method: "PUT",
      body: { ...current, metadata: { ...current.metadata, annotations: { patched: "yes", updated: "yes" } } },
    });
    expect(updated.metadata.annotations).toEqual({ patched: "yes", updated: "yes" });

    const watch = await api.ask(`${path}?watch=true&resourceVersion=${made.metadata.resourceVersion}&timeoutSeconds=5`);
    const events = watch.text();
    expect((await api.ask(`${path}/a`, { method: "DELETE" })).status).toBe(200);
    await api.json(path, post({ metadata: { generateName: "b-", labels: { test: "yes" } }, spec }));
    expect((await api.ask(`${path}?labelSelector=test%3Dyes`, { method: "DELETE" })).status).toBe(200);
    expect((await api.json(path)).items).toEqual([]);
    await (api.core.platform.clock as FakeClock).advance(7_000);
    expect(
      (await events)
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).type),
    ).toEqual(["MODIFIED", "MODIFIED", "DELETED", "ADDED", "DELETED"]);
    expect(await api.json(path, post({ metadata: { name: "c" }, spec: {} }))).toMatchObject({ code: 422, details: { kind } });
  });
});
