import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AnyObject } from "../../shared/api/kind.ts";
import { decodeProtobuf } from "../../shared/api/protobuf.ts";
import { StatusError } from "../../shared/errors/status-error.ts";
import type { Fields, Log } from "../../shared/runtime/log.ts";
import { aCustomKind } from "../support/custom-kind.ts";
import { plainKinds } from "../support/plain-kinds.ts";
import { aConfigMap, testServer } from "../support/test-server.ts";

const collection = "/api/v1/namespaces/default/configmaps";
const protobuf = "application/vnd.kubernetes.protobuf";

const server = () =>
  testServer({
    kinds: plainKinds({
      configmaps: {
        columns: [
          { name: "Data", type: "integer", value: (map) => Object.keys((map as unknown as AnyObject & { data: object }).data).length },
          { name: "Wide", type: "string", priority: 1, value: () => undefined },
          {
            name: "Odd",
            type: "string",
            value: () => {
              throw new Error("this object is odd");
            },
          },
        ],
      },
    }),
  });
let { ask, json, registry } = server();

beforeEach(async () => {
  ({ ask, json, registry } = server());
  await ask(collection, { method: "POST", body: aConfigMap("one") });
  await ask(collection, { method: "POST", body: aConfigMap("two") });
});

const textFor = async (path: string, agent: string) => (await ask(path, { headers: { "user-agent": agent } })).text();
const as = (kind: string) => ({ headers: { accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` } });

describe("content negotiation", () => {
  it.each([
    { accept: undefined, type: "application/json" },
    { accept: "*/*", type: "application/json" },
    { accept: "application/*", type: "application/json" },
    { accept: "text/html, application/yaml;q=0.5", type: "application/yaml" },
    { accept: "application/json;q=0.1,application/yaml", type: "application/yaml" },
    { accept: `${protobuf},application/json`, type: protobuf },
    { accept: `${protobuf};q=0,application/json`, type: "application/json" },
    { accept: `${protobuf};as=Table;v=v1;g=meta.k8s.io,application/json`, type: "application/json" },
    { accept: "application/json;as=Unknown;v=v1;g=meta.k8s.io,application/yaml", type: "application/yaml" },
  ])("Accept: $accept gives $type", async ({ accept, type }) => {
    const response = await ask(`${collection}/one`, { headers: accept ? { accept } : {} });
    expect(response.headers.get("content-type")).toBe(type);
  });

  it("trap 14: what nobody can write is a Status", async () => {
    expect(await json(`${collection}/one`, { headers: { accept: "text/html" } })).toMatchObject({
      code: 406,
      reason: "NotAcceptable",
      message: "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    });
  });

  it("refuses before it writes", async () => {
    expect((await ask(collection, { method: "POST", body: aConfigMap("three"), headers: { accept: "text/html" } })).status).toBe(406);
    expect((await ask(`${collection}/three`)).status).toBe(404);
  });

  it("objects and lists as protobuf and YAML", async () => {
    const bytes = async (path: string, accept: string) => new Uint8Array(await (await ask(path, { headers: { accept } })).arrayBuffer());
    expect(decodeProtobuf(await bytes(`${collection}/one`, protobuf)).object).toMatchObject({ kind: "ConfigMap", data: { key: "value" } });
    const list = decodeProtobuf(await bytes(collection, protobuf)).object;
    expect(list).toMatchObject({ kind: "ConfigMapList", items: [{ metadata: { name: "one" } }, { metadata: { name: "two" } }] });
    expect(parse(await (await ask(`${collection}/one`, { headers: { accept: "application/yaml" } })).text())).toMatchObject({
      kind: "ConfigMap",
      metadata: { name: "one" },
    });
  });

  it("a list says once what its items are", async () => {
    const list = await json(collection);
    expect(list).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: "2" } });
    expect(list.items[0]).not.toHaveProperty("kind");
    expect(list.items[0]).not.toHaveProperty("apiVersion");
  });

  it("an empty list has items", async () => expect((await json("/api/v1/namespaces/none/pods")).items).toEqual([]));

  it("indents for people", async () => {
    expect(await textFor(`${collection}/one`, "curl/8")).toMatch(/^\{\n {2}"/);
    expect(await textFor(`${collection}/one`, "kubectl")).toMatch(/^\{"/);
    expect(await textFor(`${collection}/one?pretty=true`, "kubectl")).toMatch(/^\{\n/);
    expect(await textFor(`${collection}/one?pretty=false`, "curl/8")).toMatch(/^\{"/);
  });
});

describe("checklist 10, trap 10: Tables and metadata alone", () => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

  it("one row for an object: the name, the kind's columns, the age", async () => {
    expect(await json(`${collection}/one`, { headers: { accept: table } })).toEqual({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "1" },
      columnDefinitions: [
        { name: "Name", type: "string", format: "name", description: "", priority: 0 },
        { name: "Data", type: "integer", format: "", description: "", priority: 0 },
        { name: "Wide", type: "string", format: "", description: "", priority: 1 },
        { name: "Odd", type: "string", format: "", description: "", priority: 0 },
        { name: "Age", type: "string", format: "", description: "", priority: 0 },
      ],
      rows: [
        {
          cells: ["one", 1, null, null, "0s"],
          object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: expect.objectContaining({ name: "one" }) },
        },
      ],
    });
  });

  it("pages carry their token", async () => {
    const page = await json(`${collection}?limit=1`, { headers: { accept: table } });
    expect(page.metadata).toEqual({ resourceVersion: "2", continue: "token", remainingItemCount: 1 });
    expect(page.rows.map((row: any) => row.cells[0])).toEqual(["one"]);
  });

  it.each([
    { include: "None", object: null },
    { include: "Object", object: expect.objectContaining({ kind: "ConfigMap", data: { key: "value" } }) },
    { include: "Metadata", object: expect.objectContaining({ kind: "PartialObjectMetadata" }) },
  ])("includeObject=$include", async ({ include, object }) => {
    const { rows } = await json(`${collection}?includeObject=${include}`, { headers: { accept: table } });
    expect(rows[0].object).toEqual(object);
  });

  it("another includeObject is refused", async () => {
    expect(await json(`${collection}?includeObject=Some`, { headers: { accept: table } })).toMatchObject({
      code: 400,
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Some\": must be 'Metadata', 'Object', 'None', or empty",
    });
  });

  it("the old version of Table is served too", async () => {
    const old = await json(collection, { headers: { accept: "application/json;as=Table;v=v1beta1;g=meta.k8s.io" } });
    expect(old.apiVersion).toBe("meta.k8s.io/v1beta1");
    expect(old.rows[0].object.apiVersion).toBe("meta.k8s.io/v1beta1");
  });

  it("a Scale has columns of its own, whatever it scales", async () => {
    await ask("/apis/apps/v1/namespaces/ns/deployments", { method: "POST", body: { metadata: { name: "web" } } });
    const scale = await json("/apis/apps/v1/namespaces/ns/deployments/web/scale", { headers: { accept: table } });
    expect(scale.columnDefinitions.map((column: any) => column.name)).toEqual(["Name", "Desired", "Available", "Age"]);
    expect(scale.rows[0].cells).toEqual(["web", 1, 0, "0s"]);
  });

  it("a deleted collection is the list, with the revision it was read at", async () => {
    const { metadata } = await json(collection);
    expect(await json(collection, { method: "DELETE" })).toMatchObject({
      kind: "ConfigMapList",
      apiVersion: "v1",
      metadata,
      items: [{ metadata: { name: "one" } }, { metadata: { name: "two" } }],
    });
  });

  it("a Status stays a Status", async () => {
    expect(await json(`${collection}/one`, { method: "DELETE", headers: { accept: table } })).toMatchObject({ kind: "Status" });
  });

  it("metadata alone, of one object and of many", async () => {
    expect(await json(`${collection}/one`, as("PartialObjectMetadata"))).toEqual({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: expect.objectContaining({ name: "one", resourceVersion: "1" }),
    });
    const list = await json(collection, as("PartialObjectMetadataList"));
    expect(list).toMatchObject({ kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata: { resourceVersion: "2" } });
    expect(list.items.map((item: any) => Object.keys(item))).toEqual([
      ["kind", "apiVersion", "metadata"],
      ["kind", "apiVersion", "metadata"],
    ]);
    expect((await json(`${collection}/one`, as("PartialObjectMetadataList"))).code).toBe(406);
    expect((await json(collection, as("PartialObjectMetadata"))).code).toBe(406);
  });

  it("metadata alone in protobuf, where items do not repeat what they are", async () => {
    const inProtobuf = (kind: string) => ({
      headers: { accept: `application/vnd.kubernetes.protobuf;as=${kind};v=v1;g=meta.k8s.io,application/json` },
    });
    const read = async (path: string, kind: string) => {
      const response = await ask(path, inProtobuf(kind));
      expect(response.headers.get("content-type")).toBe("application/vnd.kubernetes.protobuf");
      return decodeProtobuf(Buffer.from(await response.arrayBuffer())).object as any;
    };
    expect(await read(`${collection}/one`, "PartialObjectMetadata")).toMatchObject({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: { name: "one", resourceVersion: "1" },
    });
    const list = await read(collection, "PartialObjectMetadataList");
    expect(list).toMatchObject({ kind: "PartialObjectMetadataList", metadata: { resourceVersion: "2" } });
    expect(list.items.map((item: any) => [Object.keys(item), item.metadata.name])).toEqual([
      [["metadata"], "one"],
      [["metadata"], "two"],
    ]);
  });

  it("a review is no object with columns", async () => {
    const response = await ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      method: "POST",
      body: { spec: { resourceAttributes: { verb: "get" } } },
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    expect(response.status).toBe(406);
  });
});

describe("headers", () => {
  it("checklist 11: nothing is to be cached, and every request has an id", async () => {
    const response = await ask(collection);
    expect(response.headers.get("cache-control")).toBe("no-cache, private");
    expect(response.headers.get("audit-id")).toBe("audit-1");
    expect((await ask(collection, { headers: { "audit-id": "mine" } })).headers.get("audit-id")).toBe("mine");
  });

  it("checklist 11: compresses what is large, for those who can read it", async () => {
    await ask(collection, { method: "POST", body: aConfigMap("large", { data: { key: "x".repeat(200_000) } }) });
    const gzip = { headers: { "accept-encoding": "gzip" } };
    for (const path of [collection, `${collection}/large`]) {
      const response = await ask(path, gzip);
      expect(response.headers.get("content-encoding")).toBe("gzip");
      expect(response.headers.get("vary")).toContain("Accept-Encoding");
      const text = gunzipSync(await response.arrayBuffer()).toString();
      expect(JSON.parse(text)).toEqual(await json(path));
    }
    expect((await ask(`${collection}/one`, gzip)).headers.get("content-encoding")).toBeNull();
    expect((await ask(collection)).headers.get("content-encoding")).toBeNull();
  });

  it("checklist 37: warnings", async () => {
    const { server, clock } = testServer();
    expect(clock.sleeping).toBe(0);
    const response = await server.fetch(
      new Request("https://k8s.test/api/v1/namespaces/ns/endpoints", { headers: { authorization: "Bearer admin" } }),
    );
    expect(response.headers.get("warning")).toBe('299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"');
  });

  it("of a deprecated version of a custom resource: a warning, whatever the request and its outcome", async () => {
    const deprecation = "stable.example.com/v1 CronTab is deprecated";
    const { ask } = testServer({ kinds: [...plainKinds(), aCustomKind({ deprecation })] });
    const path = "/apis/stable.example.com/v1/namespaces/default/crontabs";
    for (const one of [path, `${path}/missing`]) {
      expect((await ask(one)).headers.get("warning")).toBe(`299 - "${deprecation}"`);
    }
  });

  it("warnings are said once, in quotes, as UTF-8", async () => {
    registry.get = async (_kind, _key, _read, context) => {
      context.warnings.push('say "no"', 'say "no"', "größer\n");
      throw new StatusError("NotFound", "gone");
    };
    const header = (await ask(`${collection}/one`)).headers.get("warning") ?? "";
    expect(Buffer.from(header, "latin1").toString("utf8")).toBe('299 - "say \\"no\\"", 299 - "größer "');
  });

  it("checklist 50: tells when to come back", async () => {
    registry.get = async () => {
      throw new StatusError("TooManyRequests", "slow down", { details: { retryAfterSeconds: 3 } });
    };
    const response = await ask(`${collection}/one`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3"]);
  });
});

describe("errors", () => {
  it("what nobody foresaw is an InternalError that keeps its internals to the log", async () => {
    const logged: Fields[] = [];
    const log: Log = { debug() {}, info() {}, warn() {}, error: (_message, fields = {}) => void logged.push(fields) };
    const server = testServer({ log });
    server.registry.list = async () => {
      throw new TypeError("password=hunter2");
    };
    const answer = await server.json(collection);
    expect(answer).toMatchObject({ kind: "Status", code: 500, reason: "InternalError" });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
    expect(logged).toMatchObject([{ auditId: "audit-1", method: "GET", path: collection, error: new TypeError("password=hunter2") }]);
  });

  it("checklist 59: a request ends when its time is up", async () => {
    const { ask, clock, registry } = testServer();
    let aborted = false;
    registry.list = (_kind, _parameters, { signal }) => new Promise(() => signal.addEventListener("abort", () => (aborted = true)));
    const answer = ask(`${collection}?timeout=5s`);
    await clock.advance(4999);
    expect(aborted).toBe(false);
    await clock.advance(1);
    expect(await (await answer).json()).toMatchObject({
      code: 504,
      reason: "Timeout",
      message: "Timeout: request did not complete within requested timeout - context deadline exceeded",
    });
    expect(aborted).toBe(true);
  });

  it("no request outlives the function", async () => {
    const { ask, clock, registry } = testServer();
    registry.list = () => new Promise(() => {});
    const answer = ask(collection, { remainingMs: () => 10_000 });
    await clock.advance(8000);
    expect((await answer).status).toBe(504);
  });

  it("leaves no timer behind", async () => {
    const { ask, clock } = testServer();
    await ask(collection);
    expect(clock.sleeping).toBe(0);
  });
});
