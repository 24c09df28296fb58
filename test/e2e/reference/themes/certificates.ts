/** CertificateSigningRequests: what may be asked for, and who says what about it. */
import { asTable, clusterScoped, get, mergePatch, post, put, remove, type Theme } from "../requests.ts";

const requests = clusterScoped("certificatesigningrequests", "certificates.k8s.io/v1");
const one = `${requests}/{namespace}`;
/** Of an Elliptic Curve key, for `system:node:a`. */
const request =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIcE1JR1JBZ0VBTUM4eEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVXTUJRR0ExVUVBd3dOYzNsegpkR1Z0T201dlpHVTZZVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEEwSUFCSlNMeUoyWmJWelg0RytyCnBNUkVmZU5VNTNUOVc1UjViaC9TRkJ5UXY4ZmZYdElFRkZRUjkxTlM1UDNxRTI5d1NxNVROSnoyMVhSZjFxSTYKd3FLdm84K2dBREFLQmdncWhrak9QUVFEQWdOSEFEQkVBaUFUbHZIWCtPVmFyV2dkblZXeis1b1E0M3huczMwbAprcDVyRXh3Q2ZNaGwvUUlnWFZNeFppemVTMXZSUUphcUFQREpxbXRBTzZyUld1bkFRYk9ZYVZPcVBGMD0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";
const usual = { request, signerName: "acme.com/signer", usages: ["client auth"] };
/** The administrators of both servers have other names. */
const asJane = { "impersonate-user": "jane", "impersonate-group": "system:masters" };

const ask = (name: string, spec: object, more: object = {}) => post(requests, { metadata: { name }, spec, ...more }, asJane);
const approve = (status: object) => mergePatch(`${one}/approval`, { status });
const report = (status: object) => mergePatch(`${one}/status`, { status });
const condition = (type: string, more: object = {}) => ({ type, status: "True", ...more });

export const certificates: Theme = {
  name: "certificates",
  scenarios: {
    "are asked for": [
      ask("{namespace}", usual),
      get(one, asTable),
      ask(
        "{namespace}-1",
        { ...usual, username: "root", groups: ["x"] },
        { status: { certificate: "eA==", conditions: [condition("Approved")] } },
      ),
      ask("{namespace}-2", { ...usual, request: "eA==" }),
      ask("{namespace}-3", { ...usual, signerName: "x" }),
      ask("{namespace}-4", { ...usual, usages: [] }),
      ask("{namespace}-5", { ...usual, usages: ["bogus", "client auth", "client auth"] }),
      ask("{namespace}-6", { ...usual, expirationSeconds: 5 }),
      ask("{namespace}-7", { ...usual, expirationSeconds: 600 }),
      ask("{namespace}-8", {}),
      ask("{namespace}-9", { ...usual, signerName: "kubernetes.io/legacy-unknown" }),
      mergePatch(one, { spec: { signerName: "acme.com/other" }, status: { certificate: "eA==" } }),
      get(`${requests}?fieldSelector=spec.signerName%3Dacme.com/other`),
      get(`${requests}?fieldSelector=bogus%3Dx`),
    ],
    "are approved, once": [
      ask("{namespace}", usual),
      report({ conditions: [condition("Approved")] }),
      approve({ conditions: [condition("Approved", { status: "False" })] }),
      approve({ conditions: [{ type: "Bogus" }] }),
      approve({ conditions: [condition("Denied"), condition("Approved")] }),
      approve({ certificate: "eA==", conditions: [condition("Approved", { reason: "r", message: "m" })] }),
      approve({ conditions: [] }),
      approve({ conditions: [condition("Approved"), condition("Denied")] }),
      approve({ conditions: [condition("Approved"), condition("Approved")] }),
      get(`${one}/approval`),
      put(`${one}/approval`, { metadata: { name: "other" } }),
      post(`${one}/approval`, {}),
    ],
    "are issued": [
      ask("{namespace}", usual),
      approve({ conditions: [condition("Approved")] }),
      report({ certificate: "eA==" }),
      report({ certificate: request }),
      report({ conditions: [condition("Approved", { reason: "r" }), condition("Failed")] }),
      report({ conditions: null }),
      get(one, asTable),
      remove(one),
    ],
  },
};
