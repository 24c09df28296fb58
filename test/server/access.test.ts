import { describe, expect, it } from "vitest";
import { testServer } from "../support/test-server.ts";

const asking = (headers: Record<string, string>, token = "admin") => ({ method: "POST", body: {}, headers, token });
const post = (body: object, token = "admin") => ({ method: "POST", body, token });

describe("who asks", () => {
  it("checklist 51: a wrong token is Unauthorized, and that is all it is told", async () => {
    expect(await testServer().json("/api/v1/pods", { token: "wrong" })).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    });
  });

  it.each(["/healthz", "/livez", "/readyz", "/version"])("anybody may ask %s", async (path) => {
    expect((await testServer().ask(path, { token: "" })).status).toBe(200);
  });

  it.each(["/", "/api", "/apis", "/openapi/v3", "/metrics"])("nobody without a name may ask %s", async (path) => {
    expect(await testServer().json(path, { token: "" })).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: `forbidden: User "system:anonymous" cannot get path "${path}"`,
      reason: "Forbidden",
      details: {},
      code: 403,
    });
  });

  it("users without rights may look at what there is, and no further", async () => {
    const { ask, json } = testServer();
    for (const path of ["/api", "/apis/apps/v1", "/openapi/v3/apis/apps/v1"])
      expect((await ask(path, { token: "alice" })).status).toBe(200);
    expect(await json("/apis/apps/v1/namespaces/ns/deployments/web/scale", { token: "alice" })).toMatchObject({
      code: 403,
      message:
        'deployments.apps "web" is forbidden: User "alice" cannot get resource "deployments/scale" in API group "apps" in the namespace "ns"',
      details: { name: "web", group: "apps", kind: "deployments" },
    });
    expect(await json("/api/v1/nodes", { token: "alice" })).toMatchObject({
      message: 'nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope',
    });
  });

  it("forbidden comes before not found: who may not look does not learn what is there", async () => {
    expect((await testServer().json("/api/v1/namespaces/ns/secrets/missing", { token: "alice" })).code).toBe(403);
  });

  it("names from the request cannot become markup", async () => {
    const { message } = await testServer().json("/api/v1/namespaces/ns/pods/%3Cscript%3E/log", { token: "alice" });
    expect(message).not.toContain('cannot get resource "<script>"');
  });
});

describe("checklist 56: acting as somebody else", () => {
  const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

  it("an administrator may", async () => {
    const { json } = testServer();
    const { status } = await json(
      whoami,
      asking({
        "impersonate-user": "bob",
        "impersonate-group": "devs",
        "impersonate-uid": "u7",
        "impersonate-extra-scopes%2fteam": "blue",
      }),
    );
    expect(status.userInfo).toEqual({
      username: "bob",
      uid: "u7",
      groups: ["devs", "system:authenticated"],
      extra: { "scopes/team": ["blue"] },
    });
  });

  it("a service account brings its groups", async () => {
    const { json } = testServer();
    const { status } = await json(whoami, asking({ "impersonate-user": "system:serviceaccount:ns:robot" }));
    expect(status.userInfo.groups).toEqual(["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"]);
  });

  it("has the rights of the other, not its own", async () => {
    expect((await testServer().ask("/api/v1/pods", { headers: { "impersonate-user": "bob" } })).status).toBe(403);
  });

  it("others may not", async () => {
    expect(await testServer().json(whoami, asking({ "impersonate-user": "bob" }, "alice"))).toMatchObject({
      code: 403,
      message: 'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
    expect(
      (await testServer().json(whoami, asking({ "impersonate-user": "alice", "impersonate-group": "system:masters" }, "alice"))).code,
    ).toBe(403);
  });

  it("groups alone are nobody", async () => {
    expect((await testServer().json(whoami, asking({ "impersonate-group": "devs" }))).code).toBe(400);
  });
});

describe("trap 20: reviews", () => {
  const authorization = "/apis/authorization.k8s.io/v1";
  const getPods = { resourceAttributes: { verb: "get", resource: "pods", namespace: "ns" } };

  it("whether I may", async () => {
    const { json, ask } = testServer();
    const path = `${authorization}/selfsubjectaccessreviews`;
    expect((await ask(path, post({ spec: getPods }))).status).toBe(201);
    expect(await json(path, post({ spec: getPods }))).toMatchObject({
      kind: "SelfSubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      metadata: {},
      spec: getPods,
      status: { allowed: true },
    });
    expect((await json(path, post({ spec: getPods }, "alice"))).status).toEqual({ allowed: false });
    expect((await json(path, post({ spec: { nonResourceAttributes: { verb: "get", path: "/api" } } }, "alice"))).status).toEqual({
      allowed: true,
    });
  });

  it("whether somebody else may", async () => {
    const { json } = testServer();
    const path = `${authorization}/subjectaccessreviews`;
    expect((await json(path, post({ spec: { ...getPods, user: "alice" } }))).status).toEqual({ allowed: false });
    expect((await json(path, post({ spec: { ...getPods, groups: ["system:masters"] } }))).status).toEqual({ allowed: true });
    expect((await json(path, post({ spec: { ...getPods, user: "bob" } }, "alice"))).code).toBe(403);
  });

  it("in one namespace", async () => {
    const { json } = testServer();
    const review = (namespace: string) =>
      json(`${authorization}/namespaces/${namespace}/localsubjectaccessreviews`, post({ spec: { ...getPods, user: "alice" } }));
    expect((await review("ns")).status).toEqual({ allowed: false });
    expect(await review("other")).toMatchObject({
      code: 422,
      message: '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "ns": must match metadata.namespace',
    });
    const elsewhere = post({ metadata: { namespace: "other" }, spec: { ...getPods, user: "alice" } });
    expect(await json(`${authorization}/namespaces/ns/localsubjectaccessreviews`, elsewhere)).toMatchObject({ reason: "BadRequest" });
  });

  it("what I may do", async () => {
    const { json } = testServer();
    const path = `${authorization}/selfsubjectrulesreviews`;
    expect((await json(path, post({ spec: { namespace: "ns" } }))).status).toEqual({
      resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
      nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
      incomplete: false,
    });
    expect((await json(path, post({ spec: { namespace: "ns" } }, "alice"))).status.resourceRules).toHaveLength(2);
    expect(await json(path, post({ spec: {} }))).toMatchObject({ code: 400, message: "no namespace on request" });
  });

  it("whose token this is", async () => {
    const { json } = testServer();
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    expect((await json(path, post({ spec: { token: "admin" } }))).status).toEqual({
      authenticated: true,
      user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    });
    expect((await json(path, post({ spec: { token: "wrong" } }))).status).toEqual({ user: {}, error: "invalid bearer token" });
    expect((await json(path, post({ spec: {} }))).message).toBe("token is required for TokenReview in authentication");
  });

  it("a question that is none is refused with every reason", async () => {
    const { json } = testServer();
    expect(await json(`${authorization}/subjectaccessreviews`, post({ spec: {} }))).toMatchObject({
      code: 422,
      details: { group: "authorization.k8s.io", causes: [{ field: "spec.resourceAttributes" }, { field: "spec.user" }] },
    });
    const named = { metadata: { name: "x" }, spec: { ...getPods, user: "alice" } };
    expect(await json(`${authorization}/subjectaccessreviews`, post(named))).toMatchObject({
      details: { causes: [{ field: "metadata" }] },
    });
    const selecting = { spec: { resourceAttributes: { verb: "list", resource: "pods", labelSelector: {} } } };
    expect(await json(`${authorization}/selfsubjectaccessreviews`, post(selecting))).toMatchObject({
      details: { causes: [{ reason: "FieldValueRequired", field: "spec.resourceAttributes.labelSelector.requirements" }] },
    });
    expect(await json(`${authorization}/selfsubjectaccessreviews`, post({ kind: "Pod", spec: getPods }))).toMatchObject({ code: 400 });
    expect(
      await json(`${authorization}/selfsubjectaccessreviews`, post({ spec: { ...getPods, nonResourceAttributes: { path: "/" } } })),
    ).toMatchObject({
      code: 422,
    });
  });

  it("checklist 36: unknown fields are warned of, or refused", async () => {
    const { ask, json } = testServer({ kinds: (await import("../../shared/api/builtin-kinds.ts")).builtinKinds() });
    const path = `${authorization}/selfsubjectaccessreviews`;
    const body = { spec: { ...getPods, extra: 1 } };
    expect((await ask(path, post(body))).headers.get("warning")).toBe('299 - "unknown field \\"spec.extra\\""');
    expect(await json(`${path}?fieldValidation=Strict`, post(body))).toMatchObject({
      code: 400,
      message:
        'SelfSubjectAccessReview in version "v1" cannot be handled as a SelfSubjectAccessReview: strict decoding error: unknown field "spec.extra"',
    });
    expect(await json(path, post({ spec: 5 }))).toMatchObject({ code: 400, reason: "BadRequest" });
  });
});

describe("connections into Pods", () => {
  it.each(["exec", "attach", "portforward", "proxy"])("%s says why it is not there", async (name) => {
    const answer = await testServer().json(`/api/v1/namespaces/ns/pods/web/${name}`);
    expect(answer).toMatchObject({ kind: "Status", code: 405 });
    expect(answer.message).toContain(name);
    expect(answer.message).toContain("relay");
  });
});
