import { webcrypto } from "node:crypto";
import { describe, expect, it } from "vitest";
import { organizationsOf } from "../../shared/admission/certificates/subject.ts";
import { defaultAdmission } from "../../shared/admission/index.ts";
import type { CertificateSigningRequest } from "../../shared/api/generated/types.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import type { Authorizer } from "../../shared/auth/auth.ts";
import { apiServer } from "../support/api-server.ts";
import { aRegistry, refusal, type TestRegistry } from "../support/registry.ts";

// The library needs the other one to be there first.
await import("reflect-metadata");
const { Pkcs10CertificateRequestGenerator } = await import("@peculiar/x509");

const requests = "certificatesigningrequests.certificates.k8s.io";
const clientSigner = "kubernetes.io/kube-apiserver-client";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function pemOf(organizations: readonly string[], commonName = "jane"): Promise<string> {
  const name = [{ CN: [commonName] }, ...organizations.map((organization) => ({ O: [organization] }))];
  return (await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })).toString("pem");
}

const asking = (pem: string, signerName = clientSigner) => ({
  metadata: { name: "jane" },
  spec: { request: Buffer.from(pem).toString("base64"), signerName, usages: ["client auth"] },
});

/** Lets somebody do what the names of signers say: `approve example.com/*`. */
const allowing = (...rights: readonly string[]): Authorizer => ({
  authorize: async (_user, attributes) => ({
    allowed:
      attributes.type === "resource" && attributes.resource === "signers" && rights.includes(`${attributes.verb} ${attributes.name}`),
    reason: "",
  }),
  rules: async () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
});

const withRequest = async (...rights: readonly string[]): Promise<TestRegistry> => {
  const api = await aRegistry({ admission: defaultAdmission({ authorizer: allowing(...rights) }) });
  await api.create(requests, asking(await pemOf([]), "example.com/signer"));
  return api;
};
const change = (api: TestRegistry, subresource: string, status: JsonObject, spec: JsonObject = {}) =>
  api.patch(requests, "jane", { type: "merge", body: { spec, status } }, { subresource });
const approved = { conditions: [{ type: "Approved", status: "True", reason: "r" }] };

describe("trap 18: CertificateSubjectRestriction", () => {
  const create = async (pem: string, signerName?: string) =>
    (await aRegistry({ admission: defaultAdmission() })).create(requests, asking(pem, signerName));

  it("nobody becomes an administrator by a certificate", async () => {
    expect(await refusal(create(await pemOf(["devs", "system:masters"])))).toMatchObject({
      code: 403,
      message: `${requests} "jane" is forbidden: use of ${clientSigner} signer with system:masters group is not allowed`,
    });
    expect(await refusal(create("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"))).toMatchObject({
      code: 403,
    });
  });

  it("other groups, and other signers' certificates, are for their signers to judge", async () => {
    expect(await create(await pemOf(["devs"]))).toMatchObject({ metadata: { name: "jane" } });
    expect(await create(await pemOf(["system:masters"]), "example.com/signer")).toMatchObject({ metadata: { name: "jane" } });
  });

  it("reads the organizations of any request, and survives what is none", async () => {
    expect(organizationsOf(await pemOf(["a", "größer"]))).toEqual(["a", "größer"]);
    expect(organizationsOf(await pemOf([], "x".repeat(60)))).toEqual([]);
    const pem = await pemOf(["a"]);
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
    const wrapped = (bytes: Buffer) =>
      `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----`;
    for (let length = 0; length < der.length; length += 1) expect(organizationsOf(wrapped(der.subarray(0, length)))).toBeUndefined();
    expect(organizationsOf("no PEM at all")).toBeUndefined();
  });
});

describe("trap 18: CertificateApproval", () => {
  it.each([
    { rights: ["approve example.com/signer"], allowed: true },
    { rights: ["approve example.com/*"], allowed: true },
    { rights: ["sign example.com/signer", "approve other.example.com/x"], allowed: false },
  ])("with $rights: $allowed, whatever signer the change names", async ({ rights, allowed }) => {
    const api = await withRequest(...rights);
    const answer = change(api, "approval", approved, { signerName: "other.example.com/x" });
    if (allowed) expect(await answer).toMatchObject({ status: approved });
    else
      expect(await refusal(answer)).toMatchObject({
        code: 403,
        message: `${requests} "jane" is forbidden: user not permitted to approve requests with signerName "example.com/signer"`,
      });
  });
});

describe("trap 18: CertificateSigning", () => {
  it("a certificate and conditions are the signer's to write; the rest of a status is not guarded", async () => {
    const api = await withRequest("approve example.com/signer");
    const certificate = Buffer.from("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").toString("base64");
    for (const status of [{ certificate }, { conditions: [{ type: "Failed", status: "True", reason: "r" }] }])
      expect(await refusal(change(api, "status", status))).toMatchObject({
        code: 403,
        message: `${requests} "jane" is forbidden: user not permitted to sign requests with signerName "example.com/signer"`,
      });
    await expect(change(api, "status", {})).resolves.toBeDefined();
    const signer = await withRequest("sign example.com/*");
    expect(await change(signer, "status", { certificate })).toMatchObject({ status: { certificate } });
  });
});

it("trap 18: a request says who made it, which nobody else can claim", async () => {
  const api = await apiServer();
  const body = asking(await pemOf(["devs"]));
  const made: CertificateSigningRequest = await api.json("/apis/certificates.k8s.io/v1/certificatesigningrequests", {
    method: "POST",
    body: { ...body, spec: { ...body.spec, username: "mallory", groups: ["system:masters"], uid: "7", extra: { a: ["b"] } } },
    headers: { "impersonate-user": "kubernetes-admin", "impersonate-group": "system:masters", "impersonate-extra-team": "blue" },
  });
  expect(made.spec).toMatchObject({
    username: "kubernetes-admin",
    groups: ["system:masters", "system:authenticated"],
    extra: { team: ["blue"] },
  });
  expect(made.spec).not.toHaveProperty("uid");
});
