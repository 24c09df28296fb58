/** Questions about who asks and what they may do, and tokens: answered at once, and stored nowhere. */
import { aPod, configMaps, get, namespaced, pods, post, put, query, remove, type Step, secrets, type Theme } from "../requests.ts";

const authorization = "authorization.k8s.io/v1";
const authentication = "authentication.k8s.io/v1";
const accounts = namespaced("serviceaccounts");

const reading = { verb: "get", resource: "pods", namespace: "{namespace}" };
const version = { path: "/version", verb: "get" };
const as = (user: string, more: Readonly<Record<string, string>> = {}) => ({ "impersonate-user": user, ...more });

const review = (kind: string, path: string, spec: object, more: object = {}, parameters: Parameters<typeof query>[0] = {}): Step =>
  post(`${path}${Object.keys(parameters).length > 0 ? query(parameters) : ""}`, { kind, apiVersion: authorization, spec, ...more });
const mine = (spec: object, more?: object, parameters?: Parameters<typeof query>[0]) =>
  review("SelfSubjectAccessReview", `/apis/${authorization}/selfsubjectaccessreviews`, spec, more, parameters);
const theirs = (spec: object, more?: object) => review("SubjectAccessReview", `/apis/${authorization}/subjectaccessreviews`, spec, more);
const theirsHere = (spec: object, more?: object) =>
  review("LocalSubjectAccessReview", namespaced("localsubjectaccessreviews", authorization), spec, more);
const whoAmI = (headers: Readonly<Record<string, string>>) =>
  post(`/apis/${authentication}/selfsubjectreviews`, { kind: "SelfSubjectReview", apiVersion: authentication }, headers);
const selecting = (fieldSelector: object, labelSelector: object) =>
  mine({ resourceAttributes: { ...reading, fieldSelector, labelSelector } });

const token = (spec: object, more: object = {}) =>
  post(`${accounts}/default/token`, { kind: "TokenRequest", apiVersion: authentication, spec, ...more });
const boundTo = (kind: string, name?: string, more: object = {}) =>
  token({ boundObjectRef: { kind, apiVersion: "v1", ...(name && { name }), ...more } });

export const reviews: Theme = {
  name: "reviews",
  scenarios: {
    "what I may do": [
      mine({ resourceAttributes: reading }),
      mine({ resourceAttributes: { ...reading, group: "apps", version: "v1", resource: "deployments", subresource: "scale", name: "x" } }),
      mine({ resourceAttributes: {} }),
      mine({ nonResourceAttributes: version }),
      mine({ resourceAttributes: reading }, { status: { allowed: false } }),
      mine({ resourceAttributes: reading }, { metadata: { namespace: "x" } }),
      mine({ resourceAttributes: reading }, {}, { dryRun: "All" }),
      post(`/apis/${authorization}/selfsubjectaccessreviews`, { spec: { resourceAttributes: reading } }, as("jane")),
    ],
    "questions that are none": [
      mine({}),
      mine({ resourceAttributes: reading, nonResourceAttributes: version }),
      mine({ resourceAttributes: reading, bogus: 1 }),
      mine({ resourceAttributes: reading, bogus: 1 }, {}, { fieldValidation: "Strict" }),
      mine({ resourceAttributes: reading }, {}, { fieldValidation: "x" }),
      mine({ resourceAttributes: reading }, {}, { dryRun: "x" }),
      mine({ resourceAttributes: reading }, { metadata: { name: "x" } }),
      mine({ resourceAttributes: reading }, { metadata: { generateName: "x" } }),
      mine({ resourceAttributes: reading }, { metadata: { labels: { a: "b" } } }),
    ],
    "about some objects only": [
      selecting({ rawSelector: "spec.nodeName=a" }, { rawSelector: "x=1" }),
      selecting({}, {}),
      selecting({ rawSelector: "x", requirements: [{ key: "a", operator: "In" }] }, { requirements: [{ key: "", operator: "X" }] }),
      selecting(
        {
          requirements: [
            { key: "a", operator: "Exists", values: ["b"] },
            { key: "", operator: "In", values: [] },
          ],
        },
        { requirements: [{ key: "a", operator: "In", values: ["b c"] }] },
      ),
    ],
    "what others may do": [
      theirs({ resourceAttributes: reading, user: "jane" }),
      theirs({ resourceAttributes: reading, groups: ["system:masters"] }),
      theirs({ resourceAttributes: reading }),
      theirs({ user: "jane" }),
      theirs({}),
      theirs({ nonResourceAttributes: { path: "/x", verb: "get" }, user: "jane", uid: "1", extra: { a: ["b"] } }),
      theirs({ resourceAttributes: reading, user: "jane" }, { metadata: { name: "x" } }),
      theirsHere({ resourceAttributes: reading, user: "jane" }),
      theirsHere({ resourceAttributes: reading, user: "jane" }, { metadata: { namespace: "{namespace}" } }),
      theirsHere({ resourceAttributes: reading, user: "jane" }, { metadata: { namespace: "other" } }),
      theirsHere({ resourceAttributes: reading, user: "jane" }, { metadata: { name: "x" } }),
      theirsHere({ resourceAttributes: { verb: "get", resource: "pods" }, user: "jane" }),
      theirsHere({ resourceAttributes: { ...reading, namespace: "other" }, user: "jane" }),
      theirsHere({ nonResourceAttributes: version, user: "jane" }),
      theirsHere({ resourceAttributes: reading }),
      theirsHere({}),
    ],
    "who I am": [
      whoAmI(as("jane")),
      whoAmI(as("jane", { "impersonate-group": "dev", "impersonate-uid": "1", "impersonate-extra-acme.com%2fproject": "x" })),
      whoAmI(as("jane", { "impersonate-group": "system:unauthenticated" })),
      whoAmI(as("system:serviceaccount:{namespace}:default")),
      whoAmI(as("system:anonymous")),
    ],
    "what nobody allowed": [
      get(configMaps, as("jane")),
      get(`${configMaps}/x`, as("jane")),
      get(`${configMaps}?watch=true`, as("jane")),
      post(configMaps, {}, as("jane")),
      remove(configMaps, undefined, as("jane")),
      get("/api/v1/nodes", as("jane")),
      get("/apis/example.com/v1/namespaces/{namespace}/things", as("jane")),
      get("/apis/example.com/v1/things/x", as("system:serviceaccount:{namespace}:default")),
      get(namespaced("deployments/x/scale", "apps/v1"), as("jane")),
      put("/api/v1/namespaces/{namespace}/finalize", {}, as("jane")),
      get("/metrics", as("jane")),
      get("/nope", as("jane")),
      get("/api/v1", as("jane")),
    ],
    strangers: [
      get(configMaps, { authorization: "Bearer nope" }),
      get(configMaps, { authorization: "" }),
      get("/healthz", { authorization: "" }),
      get("/healthz", { authorization: "Bearer nope" }),
      get("/api", { authorization: "" }),
      get("/nope", { authorization: "" }),
    ],
    "tokens of ServiceAccounts": [
      token({}),
      token({ audiences: ["a", "b"] }),
      token({ audiences: [] }),
      token({ expirationSeconds: 600 }),
      token({ expirationSeconds: 599 }),
      token({ expirationSeconds: 2 ** 32 + 1 }),
      token({ bogus: 1 }),
      post(`${accounts}/default/token?fieldValidation=Strict`, { spec: { bogus: 1 } }),
      post(`${accounts}/default/token?dryRun=All`, { spec: {} }),
      token({}, { metadata: { name: "default", namespace: "{namespace}" } }),
      token({}, { metadata: { name: "other" } }),
      token({}, { metadata: { namespace: "other" } }),
      post(`${accounts}/nope/token`, { spec: {} }),
      get(`${accounts}/default/token`),
      put(`${accounts}/default/token`, {}),
    ],
    "tokens that are bound": [
      post(pods, aPod("p")),
      post(secrets, { metadata: { name: "s" } }),
      post(accounts, { metadata: { name: "other" } }),
      boundTo("Pod", "p"),
      boundTo("Secret", "s"),
      boundTo("Pod", "p", { uid: "x" }),
      boundTo("Secret", "s", { uid: "x" }),
      boundTo("Pod", "nope"),
      boundTo("Secret", "nope"),
      boundTo("Node", "nope"),
      boundTo("Pod"),
      boundTo("ConfigMap", "nope"),
      token({ boundObjectRef: {} }),
      token({ boundObjectRef: { kind: "Pod", apiVersion: "v2", name: "p" } }),
      post(`${accounts}/other/token`, { spec: { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } } }),
    ],
  },
};
