/**
 * Items of the compatibility checklist that only show in what goes over the wire: the deployed API function, its registry and its store,
 * spoken to as a client does. Each test is named after its item; the other items have theirs beside the code that keeps them.
 */
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeProtobuf } from "../../shared/api/protobuf.ts";
import { apiServer } from "../support/api-server.ts";
import type { FakeClock } from "../support/fake-clock.ts";

type Api = Awaited<ReturnType<typeof cluster>>;

const configMaps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
const aConfigMap = (name: string, more: object = {}) => ({ metadata: { name }, data: { key: "value" }, ...more });
const post = (body: object, token = "admin") => ({ method: "POST", body, token });

async function cluster() {
  const api = await apiServer();
  return { ...api, clock: api.core.platform.clock as FakeClock };
}

const create = async (api: Api, name: string, more: object = {}) => api.json(configMaps, post(aConfigMap(name, more)));

/** So many events of a watch, as they came. */
async function events(api: Api, query: string, count: number, headers: Record<string, string> = {}): Promise<any[]> {
  const stop = new AbortController();
  const response = await api.ask(`${configMaps}?watch=true${query}`, { signal: stop.signal, headers });
  expect(response.status).toBe(200);
  const seen: any[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      seen.push(JSON.parse(rest.slice(0, end)));
      rest = rest.slice(end + 1);
    }
    if (seen.length >= count) break;
  }
  stop.abort();
  return seen;
}

describe("reads and lists", () => {
  it("checklist 10: Tables and metadata alone, and 406 where there is neither", async () => {
    const api = await cluster();
    await create(api, "a");
    const as = (kind: string) => ({ headers: { accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` } });
    expect(await api.json(`${configMaps}?includeObject=None`, as("Table"))).toMatchObject({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      rows: [{ cells: ["a", 1, expect.any(String)] }],
    });
    expect(await api.json(configMaps, as("PartialObjectMetadataList"))).toMatchObject({
      kind: "PartialObjectMetadataList",
      items: [{ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "a" } }],
    });
    const review = { method: "POST", body: { spec: { resourceAttributes: { verb: "get", resource: "pods" } } }, ...as("Table") };
    expect(await api.json("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)).toMatchObject({
      code: 406,
      reason: "NotAcceptable",
    });
  });

  it("checklist 11: nothing is cached, requests have an id, and what is large is compressed for those who take it", async () => {
    const api = await cluster();
    await create(api, "large", { data: { text: "x".repeat(200_000) } });
    const response = await api.ask(`${configMaps}/large`, { headers: { "accept-encoding": "gzip" } });
    expect(response.headers.get("cache-control")).toBe("no-cache, private");
    expect(response.headers.get("audit-id")).toMatch(/./);
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(JSON.parse(gunzipSync(Buffer.from(await response.arrayBuffer())).toString())).toMatchObject({ metadata: { name: "large" } });
    expect((await api.ask(`${configMaps}/large`)).headers.get("content-encoding")).toBeNull();
  });
});

describe("watches", () => {
  it("checklist 12: newline-delimited JSON, under the old path too", async () => {
    const api = await cluster();
    await create(api, "a");
    expect(await events(api, "", 1)).toMatchObject([{ type: "ADDED", object: { kind: "ConfigMap", apiVersion: "v1" } }]);
    const response = await api.ask("/api/v1/watch/namespaces/default/configmaps");
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    await response.body?.cancel();
  });

  it.each(["", "&resourceVersion=0"])("checklist 14: with %j begins with what is there", async (query) => {
    const api = await cluster();
    await create(api, "a");
    await create(api, "b");
    expect((await events(api, query, 2)).map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ["ADDED", "a"],
      ["ADDED", "b"],
    ]);
  });

  it("checklist 15: from a revision that is too old is a stream with an ERROR", async () => {
    const api = await cluster();
    const { metadata } = await create(api, "a");
    await create(api, "b");
    await api.clock.advance(10 * 60_000);
    while (await api.core.store.maintain("default", { untilMs: api.clock.now().getTime() + 1_000 }));
    await create(api, "c");
    await api.clock.advance(10 * 60_000);
    while (await api.core.store.maintain("default", { untilMs: api.clock.now().getTime() + 1_000 }));
    await api.clock.advance(60_000);
    expect(await events(api, `&resourceVersion=${metadata.resourceVersion}`, 1)).toMatchObject([
      {
        type: "ERROR",
        object: { kind: "Status", code: 410, reason: "Expired", message: expect.stringMatching(/^too old resource version/) },
      },
    ]);
  });

  it("checklist 20: bookmarks carry a revision and nothing else, only for those who asked", async () => {
    const api = await cluster();
    await create(api, "a");
    const query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const [, bookmark] = await events(api, query, 2);
    expect(bookmark).toEqual({
      type: "BOOKMARK",
      object: {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { resourceVersion: expect.stringMatching(/^\d+$/), annotations: { "k8s.io/initial-events-end": "true" } },
      },
    });
  });

  it("checklist 22: ends when its time is over, cleanly", async () => {
    const api = await cluster();
    const response = await api.ask(`${configMaps}?watch=true&timeoutSeconds=5`);
    const body = response.text();
    await api.clock.advance(7_000);
    expect(await body).toBe("");
  });

  it("checklist 23: one object can be watched, and two names contradict each other", async () => {
    const api = await cluster();
    await create(api, "a");
    await create(api, "b");
    expect(await events(api, "&fieldSelector=metadata.name%3Db", 1)).toMatchObject([{ object: { metadata: { name: "b" } } }]);
    expect(await api.json("/api/v1/watch/namespaces/default/configmaps/a?fieldSelector=metadata.name%3Db")).toMatchObject({ code: 400 });
  });

  it("checklist 24: a shard selector, which is alpha, changes nothing", async () => {
    const api = await cluster();
    await create(api, "a");
    expect((await api.json(`${configMaps}?shardSelector=x`)).items).toHaveLength(1);
  });
});

describe("writes", () => {
  it("checklist 29, 38: a client without a name writes as somebody unknown, and a no-op of its keeps the revision", async () => {
    const api = await cluster();
    const made = await create(api, "a");
    expect(made.metadata.managedFields).toMatchObject([{ manager: "unknown", operation: "Update" }]);
    expect(await api.json(`${configMaps}/a`, { method: "PUT", body: made })).toEqual(made);
  });

  it("checklist 32: a body of more than 3 MiB is refused, as is a large one that is slow to read", async () => {
    const api = await cluster();
    const large = "x".repeat(3 * 1024 * 1024);
    expect(await api.json(configMaps, post(aConfigMap("a", { data: { large } })))).toMatchObject({
      code: 413,
      reason: "RequestEntityTooLarge",
      message: "Request entity too large: limit is 3145728",
    });
    const yaml = { method: "POST", headers: { "content-type": "application/yaml" }, body: `data:\n${"  - x\n".repeat(100_000)}` };
    expect(await api.json(configMaps, yaml)).toMatchObject({
      code: 413,
      message: "Request entity too large: limit is 524288 for YAML; send it as JSON instead",
    });
    const json = JSON.stringify(aConfigMap("a", { data: { text: "x".repeat(600_000) } }));
    expect((await api.ask(configMaps, { ...yaml, body: json })).status).toBe(201);
  });

  it.each([
    ["application/json", '{"a":'.repeat(2_000) + "1" + "}".repeat(2_000)],
    ["application/yaml", "[".repeat(200_000)],
    ["application/yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\nd: *d"],
    [
      "application/yaml",
      `a: &a [${"x,".repeat(500)}x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [${"*a,".repeat(500)}*a]`).join("\n")}`,
    ],
  ])("checklist 32: what is nested or repeated beyond measure is a bad request (%s)", async (contentType, body) => {
    const api = await cluster();
    expect(await api.json(configMaps, { method: "POST", headers: { "content-type": contentType }, body })).toMatchObject({
      kind: "Status",
      code: 400,
      reason: "BadRequest",
    });
  });

  it("checklist 37: warnings are headers", async () => {
    const api = await cluster();
    const response = await api.ask(configMaps, post(aConfigMap("a", { stray: 1 })));
    expect(response.headers.get("warning")).toBe('299 - "unknown field \\"stray\\""');
  });
});

describe("errors", () => {
  it("checklist 50: every failure is a Status with all its parts", async () => {
    const api = await cluster();
    const response = await api.ask(`${configMaps}/none`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'configmaps "none" not found',
      reason: "NotFound",
      details: { name: "none", kind: "configmaps" },
      code: 404,
    });
  });

  it("checklist 50: a client that takes nothing but protobuf gets its Status so", async () => {
    const api = await cluster();
    const accept = "application/vnd.kubernetes.protobuf";
    const response = await api.ask(`${configMaps}/none`, { headers: { accept } });
    expect([response.status, response.headers.get("content-type")]).toEqual([404, accept]);
    const { object, kind } = decodeProtobuf(new Uint8Array(await response.arrayBuffer()));
    expect({ kind, ...object }).toMatchObject({ kind: "Status", reason: "NotFound", details: { name: "none" }, code: 404 });
    const both = await api.ask(`${configMaps}/none`, { headers: { accept: `${accept},application/json` } });
    expect(both.headers.get("content-type")).toBe("application/json");
  });

  it.each([
    [configMaps, { token: "wrong" }, 401, "Unauthorized"],
    [configMaps, { token: "" }, 403, "Forbidden"],
    [`${configMaps}/none`, {}, 404, "NotFound"],
    [configMaps, { method: "PUT", body: {} }, 405, "MethodNotAllowed"],
    [configMaps, { headers: { accept: "text/html" } }, 406, "NotAcceptable"],
    [configMaps, { method: "POST", body: "{", headers: { "content-type": "application/json" } }, 400, "BadRequest"],
    [configMaps, { method: "POST", body: "x", headers: { "content-type": "text/plain" } }, 415, "UnsupportedMediaType"],
    [configMaps, post({ metadata: { name: "-" } }), 422, "Invalid"],
  ])("checklist 51: %s with %o is %d %s", async (path, asking, code, reason) => {
    expect(await (await cluster()).json(path, asking)).toMatchObject({ kind: "Status", code, reason });
  });

  it("checklist 51: too many requests at once are 429, which says when to come back", async () => {
    const api = await cluster();
    const many = Array.from({ length: 500 }, () => api.ask(configMaps));
    const answers = await Promise.all(many);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(400);
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect(await refused[0]?.json()).toMatchObject({ reason: "TooManyRequests", details: { retryAfterSeconds: 1 } });
    expect((await api.ask(configMaps)).status).toBe(200);
  });

  it("checklist 52: details.kind is the resource where one is missing, and the kind where one is wrong", async () => {
    const api = await cluster();
    const deployments = "/apis/apps/v1/namespaces/default/deployments";
    expect(await api.json(`${deployments}/none`)).toMatchObject({ details: { group: "apps", kind: "deployments", name: "none" } });
    expect(await api.json(deployments, { token: "" })).toMatchObject({ details: { group: "apps", kind: "deployments" } });
    expect(await api.json(deployments, post({ metadata: { name: "d" } }))).toMatchObject({
      code: 422,
      details: { group: "apps", kind: "Deployment", name: "d" },
    });
    await create(api, "a");
    expect(await create(api, "a")).toMatchObject({ reason: "AlreadyExists", details: { kind: "configmaps", name: "a" } });
  });
});

describe("discovery and documents", () => {
  const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

  it("checklist 53: group by group or all at once, and 304 for who knows it", async () => {
    const api = await cluster();
    expect(await api.json("/api")).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    expect(await api.json("/apis")).toMatchObject({ kind: "APIGroupList" });
    expect(await api.json("/apis/apps")).toMatchObject({ kind: "APIGroup", name: "apps", preferredVersion: { version: "v1" } });
    expect(await api.json("/apis/apps/v1")).toMatchObject({ kind: "APIResourceList", groupVersion: "apps/v1" });
    for (const path of ["/api", "/apis"]) {
      const response = await api.ask(path, { headers: { accept: aggregated } });
      expect(response.headers.get("content-type")).toBe(aggregated);
      expect(await response.json()).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
      const etag = response.headers.get("etag") ?? "";
      const again = await api.ask(path, { headers: { accept: aggregated, "if-none-match": etag } });
      expect([again.status, await again.text()]).toEqual([304, ""]);
    }
  });

  it("checklist 54: OpenAPI v2 in JSON and protobuf, v3 by hashed URLs, custom kinds included at once", async () => {
    const api = await cluster();
    expect(await api.json("/openapi/v2")).toMatchObject({ swagger: "2.0" });
    const protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const binary = await api.ask("/openapi/v2", { headers: { accept: protobuf } });
    expect([binary.status, binary.headers.get("content-type")?.startsWith("application/")]).toEqual([200, true]);
    await api.ask(
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      post({
        metadata: { name: "tabs.example.com" },
        spec: {
          group: "example.com",
          scope: "Namespaced",
          names: { plural: "tabs", kind: "Tab" },
          versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
        },
      }),
    );
    const { paths } = await api.json("/openapi/v3");
    const { serverRelativeURL } = paths["apis/example.com/v1"];
    expect(serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/example\.com\/v1\?hash=/);
    const document = await api.ask(serverRelativeURL);
    expect(document.headers.get("cache-control")).toContain("immutable");
    expect(Object.keys(((await document.json()) as any).components.schemas)).toContain("com.example.v1.Tab");
  });

  it("checklist 55: version and health", async () => {
    const api = await cluster();
    expect(await api.json("/version", { token: "" })).toMatchObject({ major: "1", minor: "36" });
    for (const path of ["/healthz", "/livez", "/readyz"]) expect(await (await api.ask(path, { token: "" })).text()).toBe("ok");
    expect(await (await api.ask("/readyz?verbose")).text()).toBe("[+]ping ok\n[+]store ok\nreadyz check passed\n");
    expect(await (await api.ask("/readyz/ping")).text()).toBe("ok");
  });

  it("checklist 55: metrics say what was asked, of the table too, and nobody can make them grow", async () => {
    const api = await cluster();
    await create(api, "a");
    for (let number = 0; number < 50; number++) await api.ask(`/x${number}`, { method: `M${number}` });
    const text = await (await api.ask("/metrics")).text();
    expect(text).toContain('apiserver_request_total{verb="create",resource="configmaps",code="201"} 1');
    expect(text).toContain('apiserver_request_total{verb="other",resource="",code="404"} 50');
    expect(text).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 0');
    expect(text).toMatch(/binnacle_table_requests_total\{operation="put",outcome="ok"\} \d+/);
    for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{[^}]*\})? \S+)$/);
  });
});

describe("who asks", () => {
  it("checklist 56: acting as somebody else needs to be allowed, for each part", async () => {
    const api = await cluster();
    const as = (headers: Record<string, string>, token = "admin") => ({ ...post({}, token), headers });
    const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const everything = { "impersonate-user": "bob", "impersonate-group": "devs", "impersonate-uid": "7", "impersonate-extra-team": "blue" };
    expect((await api.json(whoami, as(everything))).status.userInfo).toEqual({
      username: "bob",
      uid: "7",
      groups: ["devs", "system:authenticated"],
      extra: { team: ["blue"] },
    });
    await api.ask("/api/v1/namespaces/default/serviceaccounts", post({ metadata: { name: "robot" } }));
    const { status } = await api.json("/api/v1/namespaces/default/serviceaccounts/robot/token", post({}));
    expect(await api.json(whoami, as({ "impersonate-user": "bob" }, status.token))).toMatchObject({
      code: 403,
      message:
        'users "bob" is forbidden: User "system:serviceaccount:default:robot" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
  });

  it("checklist 57: the review family answers", async () => {
    const api = await cluster();
    const can = { resourceAttributes: { verb: "get", resource: "pods", namespace: "default" } };
    const review = async (path: string, spec: object, token = "admin") => (await api.json(`/apis/${path}`, post({ spec }, token))).status;
    expect(await review("authorization.k8s.io/v1/selfsubjectaccessreviews", can)).toEqual({ allowed: true });
    expect(await review("authorization.k8s.io/v1/subjectaccessreviews", { ...can, user: "bob" })).toEqual({ allowed: false });
    expect(await review("authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", { ...can, user: "bob" })).toEqual({
      allowed: false,
    });
    expect(await review("authorization.k8s.io/v1/selfsubjectrulesreviews", { namespace: "default" })).toMatchObject({ incomplete: false });
    expect(await review("authentication.k8s.io/v1/selfsubjectreviews", {})).toMatchObject({ userInfo: { username: "kubernetes-admin" } });
    expect(await review("authentication.k8s.io/v1/tokenreviews", { token: "admin" })).toMatchObject({ authenticated: true });
  });
});

describe("time", () => {
  it("checklist 59: ?timeout= must be a duration, and ends a request", async () => {
    const api = await cluster();
    expect(await api.json(`${configMaps}?timeout=soon`)).toMatchObject({
      code: 400,
      message: 'invalid timeout specified in the request URL - time: invalid duration "soon"',
    });
    const waiting = api.json(`${configMaps}?timeout=1s&resourceVersion=999999999999`);
    await api.clock.advance(1_500);
    expect(await waiting).toMatchObject({ code: 504, reason: "Timeout" });
  });

  it("checklist 62: revisions of a resource only ever grow, across lists, writes and watches", async () => {
    const api = await cluster();
    const seen: number[] = [];
    const note = (text: string) => seen.push(Number(text));
    for (let round = 0; round < 5; round++) {
      note((await create(api, `a${round}`)).metadata.resourceVersion);
      note((await api.json(configMaps)).metadata.resourceVersion);
      const patch = { method: "PATCH", headers: { "content-type": "application/merge-patch+json" }, body: `{"data":{"round":"${round}"}}` };
      note((await api.json(`${configMaps}/a${round}`, patch)).metadata.resourceVersion);
    }
    expect(seen.toSorted((one, other) => one - other)).toEqual(seen);
    expect(new Set(seen.filter((_, index) => index % 3 !== 1)).size).toBe(10);
    const watched = (await events(api, `&resourceVersion=${seen[0]}`, 9)).map(({ object }) => Number(object.metadata.resourceVersion));
    expect(watched).toEqual(seen.filter((_, index) => index % 3 !== 1).slice(1));
  });
});

describe("one bad object", () => {
  it("checklist 9, 10: never breaks a list, a Table, protobuf or a watch", async () => {
    const api = await cluster();
    await api.ask("/api/v1/namespaces/default/serviceaccounts", post({ metadata: { name: "default" } }));
    await api.ask(pods, post({ metadata: { name: "good" }, spec: { containers: [{ name: "c", image: "i" }] } }));
    // As an older version or a bug may have left it.
    const log = (await api.core.store.cluster("default")).resource("pods");
    const value = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "bad", namespace: "default", uid: "u", creationTimestamp: "x" },
      spec: 7,
    };
    await log.commit({ key: "default/bad", judge: () => ({ type: "put", value }), author: { user: "x" } });
    const names = ({ items }: any) => items.map(({ metadata }: any) => metadata.name);
    expect(names(await api.json(pods))).toEqual(["bad", "good"]);
    const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    expect((await api.json(pods, { headers: table })).rows.map(({ cells }: any) => cells[0])).toEqual(["bad", "good"]);
    for (const accept of [
      "application/vnd.kubernetes.protobuf",
      "application/yaml",
      "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    ])
      expect((await api.ask(pods, { headers: { accept } })).status).toBe(200);
    const watch = await api.ask(`${pods}?watch=true`, { headers: table });
    const reader = watch.body?.getReader();
    const first = Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(JSON.parse(first)).toMatchObject({ type: "ADDED", object: { kind: "Table" } });
    await reader?.cancel();
  });
});
