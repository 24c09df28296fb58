import { describe, expect, it } from "vitest";
import { encodeProtobuf } from "../../shared/api/protobuf.ts";
import { aCustomKind } from "../support/custom-kind.ts";
import { plainKinds } from "../support/plain-kinds.ts";
import { aConfigMap, testServer } from "../support/test-server.ts";

const inDefault = "/api/v1/namespaces/default/configmaps";

describe("paths and verbs", () => {
  it.each([
    { method: "GET", path: "/api/v1/namespaces/ns/pods", call: "list", argument: 1, holds: { namespace: "ns" } },
    { method: "GET", path: "/api/v1/pods", call: "list", argument: 1, holds: { namespace: "" } },
    { method: "GET", path: "/api/v1/nodes", call: "list", argument: 1, holds: { namespace: "" } },
    { method: "GET", path: "/api/v1/namespaces", call: "list", argument: 1, holds: { namespace: "" } },
    { method: "GET", path: "/apis/apps/v1/namespaces/ns/deployments/", call: "list", argument: 1, holds: { namespace: "ns" } },
    { method: "GET", path: "/api/v1/namespaces/ns/pods/web", call: "get", argument: 1, holds: { namespace: "ns", name: "web" } },
    { method: "GET", path: "/api/v1/namespaces/ns/pods/web/status", call: "get", argument: 1, holds: { namespace: "ns", name: "web" } },
    { method: "GET", path: "/api/v1/namespaces/ns", call: "get", argument: 1, holds: { namespace: "", name: "ns" } },
    { method: "GET", path: "/api/v1/namespaces/ns/status", call: "get", argument: 1, holds: { namespace: "", name: "ns" } },
    { method: "DELETE", path: "/api/v1/namespaces/ns/pods/web", call: "delete", argument: 1, holds: { namespace: "ns", name: "web" } },
    { method: "DELETE", path: "/api/v1/namespaces/ns/pods", call: "deleteCollection", argument: 1, holds: { namespace: "ns" } },
    { method: "POST", path: "/api/v1/namespaces/ns/pods/web/eviction", call: "createSubresource", argument: 2, holds: "eviction" },
    { method: "PUT", path: "/api/v1/namespaces/ns/finalize", call: "updateSubresource", argument: 2, holds: "finalize" },
    { method: "PUT", path: "/apis/apps/v1/namespaces/ns/deployments/web/scale", call: "updateSubresource", argument: 2, holds: "scale" },
    { method: "PUT", path: "/apis/apps/v1/namespaces/ns/deployments/web/status", call: "update", argument: 2, holds: "status" },
  ])("$method $path is $call", async ({ method, path, call, argument, holds }) => {
    const { ask, registry } = testServer();
    await ask(path, { method, ...((method === "POST" || method === "PUT") && { body: aConfigMap("web") }) });
    const given = registry.last(call)[argument];
    if (typeof holds === "string") expect(given).toBe(holds);
    else expect(given).toMatchObject(holds);
  });

  it("serves other clusters below /clusters/NAME, the first one at the root", async () => {
    const { ask, json } = testServer();
    await ask(inDefault, { method: "POST", body: aConfigMap("here") });
    await ask(`/clusters/blue${inDefault}`, { method: "POST", body: aConfigMap("there") });
    const names = async (path: string) => (await json(path)).items.map((item: any) => item.metadata.name);
    expect(await names(inDefault)).toEqual(["here"]);
    expect(await names(`/clusters/default${inDefault}`)).toEqual(["here"]);
    expect(await names(`/clusters/blue${inDefault}`)).toEqual(["there"]);
  });

  it("takes a POST to bindings for a POST to the Pod's binding", async () => {
    const { ask, registry } = testServer();
    const body = { metadata: { name: "web" }, target: { kind: "Node", name: "n1" } };
    expect((await ask("/api/v1/namespaces/ns/bindings", { method: "POST", body })).status).toBe(201);
    const [kind, key, subresource] = registry.last("createSubresource");
    expect(kind).toMatchObject({ plural: "pods" });
    expect([key, subresource]).toEqual([{ namespace: "ns", name: "web" }, "binding"]);
  });
});

describe("trap 15: an unknown path is not an unknown object", () => {
  const statusOf404 = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "the server could not find the requested resource",
    reason: "NotFound",
    details: {},
    code: 404,
  };

  it.each(["/foo", "/apis/nobody.example.com/v1/things", "/apis/nobody.example.com", "/healthz/nothing", "/openapi/v3/apis/nobody/v1"])(
    "%s is plain text",
    async (path) => {
      const response = await testServer().ask(path);
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
      expect(await response.text()).toBe("404 page not found\n");
    },
  );

  it.each(["/api/v1/things", "/api/v9/pods", "/apis/apps/v1/things", "/apis/apps/v9/deployments", "/api/v1/namespaces/ns/nodes/n1"])(
    "%s is a Status without a name",
    async (path) => {
      const response = await testServer().ask(path);
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual(statusOf404);
    },
  );

  it("an object that does not exist is a Status that names it", async () => {
    const { json } = testServer();
    expect(await json(`${inDefault}/missing`)).toMatchObject({
      message: 'configmaps "missing" not found',
      reason: "NotFound",
      details: { name: "missing", kind: "configmaps" },
      code: 404,
    });
  });

  it.each([
    { method: "POST", path: "/api/v1/pods" },
    { method: "DELETE", path: "/api/v1/configmaps" },
    { method: "POST", path: "/api/v1/namespaces/ns/pods/web" },
    { method: "PUT", path: "/api/v1/namespaces/ns/pods" },
    { method: "DELETE", path: "/api/v1/namespaces" },
    { method: "GET", path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" },
    { method: "POST", path: "/apis/apps/v1/namespaces/ns/deployments/web/scale" },
  ])("$method $path: the resource is there, the method is not", async ({ method, path }) => {
    const { json } = testServer();
    expect(await json(path, { method, ...(method === "POST" && { body: {} }) })).toMatchObject({
      reason: "MethodNotAllowed",
      code: 405,
      details: {},
    });
  });

  it.each(["/api//v1/pods", "/api/v1/namespaces/a%2Fb/pods", "/api/v1/namespaces/a%2525/pods", "/api/v1/pods%ff"])(
    "%s could be read as another path, and is refused",
    async (path) => expect((await testServer().ask(path)).status).toBe(400),
  );
});

describe("bodies", () => {
  it("takes JSON, and YAML, whatever the charset", async () => {
    const { ask, registry } = testServer();
    const yaml = await ask(inDefault, {
      method: "POST",
      body: "metadata:\n  name: from-yaml\n",
      headers: { "content-type": "application/yaml; charset=utf-8" },
    });
    expect(yaml.status).toBe(201);
    expect(registry.last("create")[2]).toEqual({ metadata: { name: "from-yaml" } });
    const json = await ask(inDefault, {
      method: "POST",
      body: aConfigMap("from-json"),
      headers: { "content-type": 'application/json; charset="UTF-8"' },
    });
    expect(json.status).toBe(201);
  });

  it("hands on what was said twice", async () => {
    const { ask, registry } = testServer();
    await ask(inDefault, {
      method: "POST",
      body: '{"metadata":{"name":"x"},"data":{"a":"1","a":"2"}}',
      headers: { "content-type": "application/json" },
    });
    expect(registry.last("create")[3]).toMatchObject({ bodyProblems: ['duplicate field "data.a"'], fieldValidation: "Warn" });
  });

  it("checklist 32: refuses more than 3 MiB", async () => {
    const { json } = testServer();
    const body = JSON.stringify(aConfigMap("big", { data: { key: "x".repeat(3 * 1024 * 1024) } }));
    expect(await json(inDefault, { method: "POST", body, headers: { "content-type": "application/json" } })).toMatchObject({
      code: 413,
      reason: "RequestEntityTooLarge",
      message: "Request entity too large: limit is 3145728",
    });
  });

  it("trap 14: answers other media types with a Status", async () => {
    const { json } = testServer();
    expect(await json(inDefault, { method: "POST", body: "<x/>", headers: { "content-type": "text/xml" } })).toMatchObject({
      code: 415,
      reason: "UnsupportedMediaType",
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    });
  });

  it("says what is wrong with a body that is no JSON", async () => {
    const { json } = testServer();
    const answer = await json(inDefault, { method: "POST", body: "{", headers: { "content-type": "application/json" } });
    expect(answer).toMatchObject({ code: 400, reason: "BadRequest" });
    expect(answer.message).toMatch(/^the object provided is unrecognized \(must be of type ConfigMap\): .*\(\{\)$/);
  });

  it("has to say its type where it is a custom resource's, and nowhere else", async () => {
    const { ask, json } = testServer({ kinds: [...plainKinds(), aCustomKind()] });
    const crontabs = "/apis/stable.example.com/v1/namespaces/default/crontabs";
    const whole = { apiVersion: "stable.example.com/v1", kind: "CronTab", metadata: { name: "x" } };
    expect(await json(crontabs, { method: "POST", body: { ...whole, kind: undefined } })).toMatchObject({
      code: 400,
      message: expect.stringMatching(
        /^the object provided is unrecognized \(must be of type CronTab\): Object 'Kind' is missing in '\{.*\}' \(\{/u,
      ),
    });
    expect(await json(crontabs, { method: "POST", body: { ...whole, apiVersion: undefined } })).toMatchObject({
      code: 400,
      message: "the API version in the data () does not match the expected API version (stable.example.com/v1)",
    });
    expect((await ask(crontabs, { method: "POST", body: whole })).status).toBe(201);
    expect(await json(`${crontabs}/x`, { method: "PUT", body: { metadata: { name: "x" } } })).toMatchObject({ code: 400 });
    expect(await json(`${crontabs}/x/status`, { method: "PUT", body: { metadata: { name: "x" } } })).toMatchObject({ code: 400 });
    const scale = { metadata: { name: "x" }, spec: { replicas: 1 } };
    expect((await ask(`${crontabs}/x/scale`, { method: "PUT", body: scale })).status).toBe(200);
    expect((await ask(inDefault, { method: "POST", body: { metadata: { name: "x" } } })).status).toBe(201);
  });

  it("trap 2: reads what kubectl writes as protobuf", async () => {
    const { ask, registry } = testServer();
    const bytes = encodeProtobuf("io.k8s.api.core.v1.ConfigMap", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "x" },
      data: { a: "b" },
    });
    const response = await ask(inDefault, {
      method: "POST",
      body: bytes,
      headers: { "content-type": "application/vnd.kubernetes.protobuf" },
    });
    expect(response.status).toBe(201);
    expect(registry.last("create")[2]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: "b" } });
  });
});

describe("patches", () => {
  it.each([
    { contentType: "application/json-patch+json", type: "json", body: [{ op: "remove", path: "/data" }] },
    { contentType: "application/merge-patch+json", type: "merge", body: { data: null } },
    { contentType: "application/strategic-merge-patch+json; charset=utf-8", type: "strategic", body: { data: null } },
  ])("$contentType", async ({ contentType, type, body }) => {
    const { ask, registry } = testServer();
    await ask(`${inDefault}/x`, { method: "PATCH", body: JSON.stringify(body), headers: { "content-type": contentType } });
    expect(registry.last("patch")[3]).toEqual({ type, body });
  });

  it.each([
    { type: "merge-patch+json", body: "{bad", message: /^invalid JSON patch: / },
    { type: "json-patch+json", body: "[", message: /^invalid JSON patch: / },
    { type: "apply-patch+yaml", body: "{a: b: c", message: /^error encoding patch: / },
    { type: "merge-patch+json", body: "[]", message: /^error decoding patch: / },
    { type: "strategic-merge-patch+json", body: "7", message: /^error decoding patch: / },
    { type: "json-patch+json", body: "{}", message: /^error decoding patch: / },
    { type: "apply-patch+yaml", body: "[]", message: /^error decoding patch: / },
  ])("that is none is refused as a patch, and not as an object: $type $body", async ({ type, body, message }) => {
    const { json, registry } = testServer();
    const asking = { method: "PATCH", body, headers: { "content-type": `application/${type}` } };
    expect(await json(`${inDefault}/x?fieldManager=me`, asking)).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message: expect.stringMatching(message),
    });
    expect(registry.last("patch")).toEqual([]);
  });

  it("tells what is wrong with the operations themselves", async () => {
    const { ask, registry } = testServer();
    const body = '[{"op":"remove","path":"/a"},{"op":"replace","op":"replace","path":"/data/k","value":"x","foo":1}]';
    await ask(`${inDefault}/x`, { method: "PATCH", body, headers: { "content-type": "application/json-patch+json" } });
    expect(registry.last("patch")[4]).toMatchObject({
      bodyProblems: ['json patch duplicate field "[1].op"', 'json patch unknown field "[1].foo"'],
    });
  });

  it("apply: YAML, and force", async () => {
    const { ask, registry } = testServer();
    await ask(`${inDefault}/x?fieldManager=me&force=true`, {
      method: "PATCH",
      body: "data: {a: b}",
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    expect(registry.last("patch").slice(2, 5)).toMatchObject([
      "",
      { type: "apply", body: { data: { a: "b" } }, force: true },
      { fieldManager: "me" },
    ]);
  });

  it("checklist 38: apply needs to know who owns the fields", async () => {
    const { json } = testServer();
    expect(
      await json(`${inDefault}/x`, { method: "PATCH", body: "{}", headers: { "content-type": "application/apply-patch+yaml" } }),
    ).toMatchObject({
      code: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    });
  });

  it("force is for apply", async () => {
    const { json } = testServer();
    expect(
      await json(`${inDefault}/x?force=true`, { method: "PATCH", body: "{}", headers: { "content-type": "application/merge-patch+json" } }),
    ).toMatchObject({ message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch' });
  });

  it("checklist 31: refuses more than 10,000 operations, and other media types", async () => {
    const { json } = testServer();
    const operations = JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: "remove", path: "/a" })));
    expect(
      await json(`${inDefault}/x`, { method: "PATCH", body: operations, headers: { "content-type": "application/json-patch+json" } }),
    ).toMatchObject({
      code: 413,
      message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    });
    expect(await json(`${inDefault}/x`, { method: "PATCH", body: "{}", headers: { "content-type": "application/json" } })).toMatchObject({
      code: 415,
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
    });
  });
});

describe("options in the query", () => {
  it("hands them to the registry", async () => {
    const { ask, registry } = testServer();
    await ask(
      `${inDefault}?limit=5&continue=abc&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&resourceVersion=0&resourceVersionMatch=NotOlderThan`,
    );
    expect(registry.last("list")[1]).toEqual({
      namespace: "default",
      labelSelector: "a=b",
      fieldSelector: "metadata.name=x",
      limit: 5,
      continue: "abc",
      resourceVersion: "0",
      resourceVersionMatch: "NotOlderThan",
    });
    await ask(`${inDefault}?dryRun=All&fieldManager=me&fieldValidation=Strict`, { method: "POST", body: aConfigMap("x") });
    expect(registry.last("create")[3]).toMatchObject({ dryRun: true, fieldManager: "me", fieldValidation: "Strict" });
  });

  it.each([
    { query: "limit=ten", code: 400, message: 'strconv.ParseInt: parsing "ten": invalid syntax' },
    {
      query: "timeoutSeconds=99999999999999999999",
      code: 400,
      message: 'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    },
    { query: "timeout=soon", code: 400, message: 'invalid timeout specified in the request URL - time: invalid duration "soon"' },
    { query: "timeout=10", code: 400, message: 'invalid timeout specified in the request URL - time: missing unit in duration "10"' },
    { query: "timeout=1y", code: 400, message: 'invalid timeout specified in the request URL - time: unknown unit "y" in duration "1y"' },
    {
      query: "sendInitialEvents=true",
      code: 422,
      message: 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    },
  ])("refuses $query", async ({ query, code, message }) => {
    const { json } = testServer();
    expect(await json(`${inDefault}?${query}`)).toMatchObject({ code, message });
  });

  it.each([
    {
      query: "dryRun=Some",
      message: 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    },
    {
      query: "fieldValidation=Loose",
      message:
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": supported values: "", "Ignore", "Strict", "Warn"',
    },
    {
      query: `fieldManager=${"x".repeat(129)}`,
      message: 'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    },
    {
      query: "fieldManager=a%07",
      message: 'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\a": invalid character U+0007 (at position 1)',
    },
  ])("refuses $query on a write", async ({ query, message }) => {
    const { json } = testServer();
    expect(await json(`${inDefault}?${query}`, { method: "POST", body: aConfigMap("x") })).toMatchObject({ code: 422, message });
  });

  it("a name and a field selector must agree", async () => {
    const { json, ask, registry } = testServer();
    registry.events = ["end"];
    expect(await json("/api/v1/watch/namespaces/ns/pods/web?fieldSelector=metadata.name%3Dother")).toMatchObject({
      code: 400,
      message: "fieldSelector metadata.name doesn't match requested name",
    });
    await ask("/api/v1/watch/namespaces/ns/pods/web");
    expect(registry.last("watch")[1]).toMatchObject({ namespace: "ns", fieldSelector: "metadata.name=web" });
  });

  it("trap 12: whoever does not say who it is, is its User-Agent", async () => {
    const { ask, registry } = testServer();
    await ask(inDefault, { method: "POST", body: aConfigMap("x"), headers: { "user-agent": `kubectl${"l".repeat(200)}/v1.33 (linux)` } });
    expect(registry.last("create")[3]).toMatchObject({ fieldManager: `kubectl${"l".repeat(121)}` });
  });
});

describe("trap 13: delete options", () => {
  const path = `${inDefault}/x`;
  const withObject = async () => {
    const server = testServer();
    await server.ask(inDefault, { method: "POST", body: aConfigMap("x") });
    return server;
  };

  it("may stand in the query", async () => {
    const { ask, registry } = await withObject();
    await ask(`${path}?gracePeriodSeconds=7&propagationPolicy=Foreground&dryRun=All&uid=u1`, { method: "DELETE" });
    expect(registry.last("delete")[2]).toEqual({
      dryRun: true,
      gracePeriodSeconds: 7,
      propagationPolicy: "Foreground",
      preconditions: { uid: "u1" },
    });
  });

  it.each(["v1", "meta.k8s.io/v1"])("may stand in the body, as %s", async (apiVersion) => {
    const { ask, registry } = await withObject();
    await ask(path, {
      method: "DELETE",
      body: { kind: "DeleteOptions", apiVersion, gracePeriodSeconds: 0, preconditions: { resourceVersion: "4" } },
    });
    expect(registry.last("delete")[2]).toEqual({ dryRun: false, gracePeriodSeconds: 0, preconditions: { resourceVersion: "4" } });
  });

  it("may be of the resource's own group", async () => {
    const { ask, registry } = testServer();
    const body = { kind: "DeleteOptions", apiVersion: "apps/v1", propagationPolicy: "Orphan" };
    await ask("/apis/apps/v1/namespaces/ns/deployments/web", { method: "DELETE", body });
    expect(registry.last("delete")[2]).toEqual({ dryRun: false, propagationPolicy: "Orphan" });
  });

  it("may be protobuf", async () => {
    const { ask, registry } = await withObject();
    const body = encodeProtobuf("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", {
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds: 3,
    });
    await ask(path, { method: "DELETE", body, headers: { "content-type": "application/vnd.kubernetes.protobuf" } });
    expect(registry.last("delete")[2]).toEqual({ dryRun: false, gracePeriodSeconds: 3 });
  });

  it("an empty body with a Content-Type is no body", async () => {
    const { ask } = await withObject();
    expect((await ask(path, { method: "DELETE", body: "", headers: { "content-type": "application/json" } })).status).toBe(200);
  });

  it("a dry run that only the query asks for must not delete", async () => {
    const { json, registry } = await withObject();
    expect(await json(`${path}?dryRun=All`, { method: "DELETE", body: { gracePeriodSeconds: 0 } })).toMatchObject({ code: 400 });
    expect(registry.last("delete")).toEqual([]);
  });

  it("something else than DeleteOptions is refused", async () => {
    const { json } = await withObject();
    expect(await json(path, { method: "DELETE", body: { kind: "ConfigMap", apiVersion: "v1" } })).toMatchObject({
      code: 400,
      message: "decoded object cannot be converted to DeleteOptions",
    });
  });

  it("two ways to say what becomes of dependents are one too many", async () => {
    const { json } = await withObject();
    expect(await json(path, { method: "DELETE", body: { propagationPolicy: "Orphan", orphanDependents: true } })).toMatchObject({
      code: 422,
      message:
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
    });
  });

  it("a collection's resourceVersion says which list is read, and nothing about the options in a body", async () => {
    const { ask, registry } = await withObject();
    const body = { kind: "DeleteOptions", apiVersion: "v1" };
    expect((await ask(`${inDefault}?resourceVersion=0`, { method: "DELETE", body })).status).toBe(200);
    expect(registry.last("deleteCollection")[1]).toMatchObject({ resourceVersion: "0" });
    expect(registry.last("deleteCollection")[2]).toEqual({ dryRun: false });
  });

  it("checklist 41: answers with a Status, or the object where Kubernetes does, and 202 only when asked", async () => {
    const { json, ask } = await withObject();
    expect(await json(path, { method: "DELETE" })).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "x", kind: "configmaps", uid: "uid-x" },
    });
    await ask("/api/v1/namespaces/ns/pods", { method: "POST", body: { metadata: { name: "p" } } });
    expect(await json("/api/v1/namespaces/ns/pods/p", { method: "DELETE" })).toMatchObject({ kind: "Pod", metadata: { name: "p" } });
    await ask(inDefault, { method: "POST", body: { metadata: { name: "held", finalizers: ["a/b"] } } });
    expect((await ask(`${inDefault}/held?orphanDependents=false`, { method: "DELETE" })).status).toBe(202);
  });
});
