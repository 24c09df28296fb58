import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import { type ApiServer, apiServer } from "../../support/api-server.ts";
import { type FakeClock, fakeClock } from "../../support/fake-clock.ts";

const ns = "/api/v1/namespaces/default";
const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const issuer = "https://kubernetes.default.svc.cluster.local";

const post = (body: object, token = "admin") => ({ method: "POST", body, token });
const account = (name = "robot") => ({ metadata: { name } });

async function cluster(): Promise<ApiServer & { readonly clock: FakeClock }> {
  const clock = fakeClock();
  const api = await apiServer({ clock });
  await api.ask(`${ns}/serviceaccounts`, post(account()));
  return { ...api, clock };
}

const request = (api: ApiServer, spec: object = {}, name = "robot", more: object = {}) =>
  api.json(`${ns}/serviceaccounts/${name}/token`, post({ spec, ...more }));

const tokenOf = async (api: ApiServer, spec: object = {}): Promise<string> => (await request(api, spec)).status.token;

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
const headerOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());

const aPod = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: { serviceAccountName: "robot", containers: [{ name: "c", image: "c:1" }], ...more },
});

const userOf = async (api: ApiServer, token: string) => {
  const answer = await api.json(whoami, post({}, token));
  return answer.kind === "Status" ? answer.code : answer.status.userInfo;
};

describe("checklist 58: ServiceAccount tokens", () => {
  it("TokenRequest gives a signed token with upstream's claims", async () => {
    const api = await cluster();
    const answer = await request(api, { expirationSeconds: 600 });
    const { uid } = (await api.json(`${ns}/serviceaccounts/robot`)).metadata;
    expect(answer).toEqual({
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name: "robot", namespace: "default", uid, creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { audiences: [issuer], expirationSeconds: 600, boundObjectRef: null },
      status: { token: expect.any(String), expirationTimestamp: "2026-01-01T00:10:00Z" },
    });
    expect(claimsOf(answer.status.token)).toEqual({
      aud: [issuer],
      exp: Date.parse("2026-01-01T00:10:00Z") / 1000,
      iat: Date.parse("2026-01-01T00:00:00Z") / 1000,
      iss: issuer,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "kubernetes.io": { namespace: "default", serviceaccount: { name: "robot", uid } },
      nbf: Date.parse("2026-01-01T00:00:00Z") / 1000,
      sub: "system:serviceaccount:default:robot",
    });
  });

  it("an hour is what a token lasts unless somebody asks for another time", async () => {
    const api = await cluster();
    expect((await request(api)).spec.expirationSeconds).toBe(3600);
  });

  it.each([
    [599, "may not specify a duration less than 10 minutes"],
    [2 ** 32 + 1, "may not specify a duration larger than 2^32 seconds"],
  ])("%d seconds are refused", async (expirationSeconds, why) => {
    const api = await cluster();
    expect(await request(api, { expirationSeconds })).toMatchObject({
      code: 422,
      message: `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: ${expirationSeconds}: ${why}`,
    });
  });

  it("more than a year is shortened, with a warning", async () => {
    const api = await cluster();
    const response = await api.ask(`${ns}/serviceaccounts/robot/token`, post({ spec: { expirationSeconds: 40_000_000 } }));
    expect(response.headers.get("warning")).toBe('299 - "requested expiration of 40000000 seconds shortened to 31536000 seconds"');
    expect(await response.json()).toMatchObject({ spec: { expirationSeconds: 31_536_000 } });
  });

  it("an account that is not there has no tokens", async () => {
    expect(await request(await cluster(), {}, "nobody")).toMatchObject({ code: 404, message: 'serviceaccounts "nobody" not found' });
  });

  it.each([
    [
      { name: "other" },
      422,
      'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    ],
    [{ namespace: "other" }, 400, "the namespace of the provided object does not match the namespace sent on the request"],
  ])("a body about somebody else (%o) is refused", async (metadata, code, message) => {
    expect(await request(await cluster(), {}, "robot", { metadata })).toMatchObject({ code, message });
  });

  it("holds a body to its fields", async () => {
    const api = await cluster();
    const path = `${ns}/serviceaccounts/robot/token?fieldValidation=Strict`;
    expect(await api.json(path, { method: "POST", body: { spec: { bogus: 1 } } })).toMatchObject({
      code: 400,
      message: 'TokenRequest in version "v1" cannot be handled as a TokenRequest: strict decoding error: unknown field "spec.bogus"',
    });
    expect(await request(api, { boundObjectRef: { kind: "Pod", apiVersion: "v1" } }, "robot")).toMatchObject({
      code: 400,
      message: "Name parameter required.",
    });
  });

  it("another uid than the account's is a Conflict", async () => {
    const api = await cluster();
    const { uid } = (await api.json(`${ns}/serviceaccounts/robot`)).metadata;
    expect(await request(api, {}, "robot", { metadata: { uid: "wrong" } })).toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "robot": the UID in the token request (wrong) does not match the UID of the service account (${uid})`,
    });
  });

  it("who shows it is that ServiceAccount", async () => {
    const api = await cluster();
    const token = await tokenOf(api);
    const { uid } = (await api.json(`${ns}/serviceaccounts/robot`)).metadata;
    expect(await userOf(api, token)).toEqual({
      username: "system:serviceaccount:default:robot",
      uid,
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claimsOf(token).jti}`] },
    });
  });

  it("a Pod's token says which Pod on which Node", async () => {
    const api = await cluster();
    const node = await api.json("/api/v1/nodes", post({ metadata: { name: "n1" } }));
    const pod = await api.json(`${ns}/pods`, post(aPod("p", { nodeName: "n1" })));
    const token = await tokenOf(api, { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "p", uid: pod.metadata.uid } });
    expect(claimsOf(token)["kubernetes.io"]).toMatchObject({
      pod: { name: "p", uid: pod.metadata.uid },
      node: { name: "n1", uid: node.metadata.uid },
    });
    expect((await userOf(api, token)).extra).toEqual({
      "authentication.kubernetes.io/credential-id": [`JTI=${claimsOf(token).jti}`],
      "authentication.kubernetes.io/node-name": ["n1"],
      "authentication.kubernetes.io/node-uid": [node.metadata.uid],
      "authentication.kubernetes.io/pod-name": ["p"],
      "authentication.kubernetes.io/pod-uid": [pod.metadata.uid],
    });
  });

  it("the automatic token of a Pod counts for a year, and says that it should be replaced after an hour", async () => {
    const api = await cluster();
    await api.ask(`${ns}/pods`, post(aPod("p")));
    const answer = await request(api, { expirationSeconds: 3607, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "p" } });
    const claims = claimsOf(answer.status.token);
    expect(answer.status.expirationTimestamp).toBe("2026-01-01T01:00:07Z");
    expect(claims.exp - claims.iat).toBe(31_536_000);
    expect(claims["kubernetes.io"].warnafter - claims.iat).toBe(3607);
  });

  it.each([
    ["Pod", "pods", aPod("it")],
    ["Secret", "secrets", { metadata: { name: "it" } }],
  ])("a token bound to a %s dies with it, also when another one takes its name", async (kind, plural, body) => {
    const api = await cluster();
    await api.ask(`${ns}/${plural}`, post(body));
    const token = await tokenOf(api, { boundObjectRef: { apiVersion: "v1", kind, name: "it" } });
    expect(await userOf(api, token)).toMatchObject({ username: "system:serviceaccount:default:robot" });
    await api.ask(`${ns}/${plural}/it?gracePeriodSeconds=0`, { method: "DELETE" });
    expect(await userOf(api, token)).toBe(401);
    await api.ask(`${ns}/${plural}`, post(body));
    expect(await userOf(api, token)).toBe(401);
  });

  it("a token bound to a Node dies with it", async () => {
    const api = await cluster();
    await api.ask("/api/v1/nodes", post({ metadata: { name: "n1" } }));
    const token = await tokenOf(api, { boundObjectRef: { apiVersion: "v1", kind: "Node", name: "n1" } });
    expect((await userOf(api, token)).extra).toMatchObject({ "authentication.kubernetes.io/node-name": ["n1"] });
    await api.ask("/api/v1/nodes/n1", { method: "DELETE" });
    expect(await userOf(api, token)).toBe(401);
  });

  it("a token dies with its ServiceAccount", async () => {
    const api = await cluster();
    const token = await tokenOf(api);
    expect(await userOf(api, token)).toMatchObject({ username: "system:serviceaccount:default:robot" });
    await api.ask(`${ns}/serviceaccounts/robot`, { method: "DELETE" });
    expect(await userOf(api, token)).toBe(401);
    await api.ask(`${ns}/serviceaccounts`, post(account()));
    expect(await userOf(api, token)).toBe(401);
  });

  it.each([
    [{ kind: "Pod", name: "none" }, 404, 'pods "none" not found'],
    [
      { kind: "Pod", name: "other" },
      400,
      'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
    ],
    [{ kind: "ConfigMap", name: "map" }, 400, "cannot bind token to object of type /v1, Kind=ConfigMap"],
    [
      { kind: "Pod", name: "p", uid: "wrong" },
      409,
      'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (wrong) does not match the UID in record. The object might have been deleted and then recreated',
    ],
  ])("a token cannot be bound to %o", async (reference, code, message) => {
    const api = await cluster();
    await api.ask(`${ns}/serviceaccounts`, post(account("default")));
    await api.ask(`${ns}/pods`, post(aPod("p")));
    await api.ask(`${ns}/pods`, post(aPod("other", { serviceAccountName: "default" })));
    expect(await request(api, { boundObjectRef: { apiVersion: "v1", ...reference } })).toMatchObject({ code, message });
  });

  it("an expired token is Unauthorized, and so is one that was tampered with", async () => {
    const api = await cluster();
    const token = await tokenOf(api, { expirationSeconds: 600 });
    await api.clock.advance(600_000);
    expect(await userOf(api, token)).toMatchObject({ username: "system:serviceaccount:default:robot" });
    await api.clock.advance(61_000);
    expect(await userOf(api, token)).toBe(401);

    const fresh = await tokenOf(api);
    const [head, body, signature] = fresh.split(".") as [string, string, string];
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(fresh), sub: "system:serviceaccount:kube-system:admin" })).toString(
      "base64url",
    );
    const unsigned = Buffer.from(JSON.stringify({ ...headerOf(fresh), alg: "none" })).toString("base64url");
    const unknown = Buffer.from(JSON.stringify({ ...headerOf(fresh), kid: "other" })).toString("base64url");
    for (const wrong of [
      `${head}.${forged}.${signature}`,
      `${unsigned}.${body}.${signature}`,
      `${unknown}.${body}.${signature}`,
      `${head}.${body}.AAAA`,
    ])
      expect(await userOf(api, wrong)).toBe(401);
  });

  it("a token for somebody else does not count here", async () => {
    const api = await cluster();
    expect(await userOf(api, await tokenOf(api, { audiences: ["vault"] }))).toBe(401);
    expect(await userOf(api, await tokenOf(api, { audiences: ["vault", issuer] }))).toMatchObject({
      username: "system:serviceaccount:default:robot",
    });
  });

  it("TokenReview says who it is and for whom the token counts", async () => {
    const api = await cluster();
    const token = await tokenOf(api, { audiences: ["vault", "other"] });
    const review = async (spec: object) => (await api.json(reviews, post({ spec }))).status;
    expect(await review({ token, audiences: ["vault", "nobody"] })).toMatchObject({
      authenticated: true,
      audiences: ["vault"],
      user: { username: "system:serviceaccount:default:robot" },
    });
    expect(await review({ token })).toEqual({ user: {}, error: "invalid bearer token" });
    expect(await review({ token: await tokenOf(api) })).toMatchObject({ authenticated: true, audiences: [issuer] });
    expect(await review({ token: "nonsense\n" })).toEqual({ user: {}, error: "invalid bearer token" });
  });

  it("tokens outlive the process that signed them, and are one cluster's own", async () => {
    const clock = fakeClock();
    const table = memoryTable({ clock });
    const api = await apiServer({ clock, table });
    await api.ask(`${ns}/serviceaccounts`, post(account()));
    const token = await tokenOf(api);
    expect(await userOf(await apiServer({ clock, table }), token)).toMatchObject({ username: "system:serviceaccount:default:robot" });
    expect(await userOf(await apiServer({ clock }), token)).toBe(401);
    await api.core.store.createCluster("other");
    expect((await api.json(`/clusters/other${whoami}`, post({}, token))).code).toBe(401);
  });
});

describe("checklist 58: tokens in Secrets", () => {
  const secret = (token?: string) => ({
    metadata: { name: "robot-token", annotations: { "kubernetes.io/service-account.name": "robot" } },
    type: "kubernetes.io/service-account-token",
    ...(token && { data: { token: Buffer.from(token).toString("base64") } }),
  });

  async function withSecret() {
    const api = await cluster();
    const token = await api.core.tokens.issuer.issueForSecret("default", await api.json(`${ns}/serviceaccounts/robot`), "robot-token");
    await api.ask(`${ns}/secrets`, post(secret(token)));
    return { ...api, token };
  }

  it("have no end, and are good for the API alone", async () => {
    const api = await withSecret();
    await api.clock.advance(10 * 365 * 24 * 60 * 60_000);
    expect(await userOf(api, api.token)).toMatchObject({
      username: "system:serviceaccount:default:robot",
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    });
    const review = async (audiences?: string[]) => (await api.json(reviews, post({ spec: { token: api.token, audiences } }))).status;
    expect(await review()).toMatchObject({ authenticated: true, audiences: [issuer] });
    expect(await review(["vault"])).toEqual({ user: {}, error: "invalid bearer token" });
  });

  it("count while their Secret holds them", async () => {
    const api = await withSecret();
    await api.ask(`${ns}/secrets/robot-token`, { method: "DELETE" });
    expect(await userOf(api, api.token)).toBe(401);
    await api.ask(`${ns}/secrets`, post(secret("another")));
    expect(await userOf(api, api.token)).toBe(401);
    await api.clock.advance(2_000);
    await api.ask(`${ns}/secrets/robot-token`, { ...post(secret(api.token)), method: "PUT" });
    expect(await userOf(api, api.token)).toMatchObject({ username: "system:serviceaccount:default:robot" });
    await api.ask(`${ns}/serviceaccounts/robot`, { method: "DELETE" });
    expect(await userOf(api, api.token)).toBe(401);
  });
});

describe("checklist 55: OpenID discovery", () => {
  it("tells a relying party where the keys are, and the keys verify tokens", async () => {
    const api = await cluster();
    const token = await tokenOf(api);
    const response = await api.ask("/.well-known/openid-configuration", { token });
    expect(response.headers.get("cache-control")).toBe("public, max-age=3600");
    expect(await response.json()).toEqual({
      issuer,
      jwks_uri: "https://k8s.test/openid/v1/jwks",
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    });
    const jwks = await api.ask("/openid/v1/jwks", { token });
    expect(jwks.headers.get("content-type")).toBe("application/jwk-set+json");
    const { keys } = (await jwks.json()) as { keys: JsonWebKey[] };
    expect(keys).toEqual([
      { use: "sig", kid: headerOf(token).kid, alg: "ES256", kty: "EC", crv: "P-256", x: expect.any(String), y: expect.any(String) },
    ]);
    const [head, body, signature] = token.split(".") as [string, string, string];
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: "jwk" });
    expect(verify("sha256", Buffer.from(`${head}.${body}`), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"))).toBe(
      true,
    );
  });

  it("a cluster under a prefix has its own issuer and keys", async () => {
    const api = await cluster();
    await api.core.store.createCluster("other");
    expect(await api.json("/clusters/other/.well-known/openid-configuration")).toMatchObject({
      issuer: `${issuer}/clusters/other`,
      jwks_uri: "https://k8s.test/clusters/other/openid/v1/jwks",
    });
    const kids = async (prefix: string) => (await api.json(`${prefix}/openid/v1/jwks`)).keys.map(({ kid }: { kid: string }) => kid);
    expect(await kids("/clusters/other")).not.toEqual(await kids(""));
  });

  it("is not for strangers", async () => {
    expect((await (await cluster()).ask("/openid/v1/jwks", { token: "" })).status).toBe(403);
  });
});
