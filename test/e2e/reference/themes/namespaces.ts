/** Namespaces: their names, their end, and what nobody may do in those that end or are not there. */
import {
  aConfigMap,
  aPod,
  apply,
  configMaps,
  get,
  mergePatch,
  namespaced,
  pods,
  post,
  put,
  remove,
  type Step,
  type Theme,
  until,
} from "../requests.ts";

const all = "/api/v1/namespaces";
const here = `${all}/{namespace}`;
const held = `${configMaps}/held`;

const make = (name: string, more: object = {}) => post(all, { metadata: { name }, ...more });
const finalize = (finalizers: readonly string[], metadata: object = {}) =>
  put(`${here}/finalize`, { metadata: { name: "{namespace}", ...metadata }, spec: { finalizers } });
const status = (body: object) => mergePatch(`${here}/status`, body);

const inAbsent = (name: string): Step[] => {
  const maps = `${all}/${name}/configmaps`;
  return [
    post(maps, aConfigMap("a")),
    post(`${maps}?dryRun=All`, aConfigMap("a")),
    post(`${all}/${name}/pods`, aPod("a")),
    apply(`${maps}/a`, "me", aConfigMap("a")),
    get(maps),
    get(`${maps}/a`),
    put(`${maps}/a`, aConfigMap("a")),
    put(`/apis/coordination.k8s.io/v1/namespaces/${name}/leases/x`, { metadata: { name: "x" } }),
    mergePatch(`${maps}/a`, {}),
    remove(`${maps}/a`),
    remove(maps),
    get(`${all}/${name}`),
    remove(`${all}/${name}`),
  ];
};

export const namespaces: Theme = {
  name: "namespaces",
  scenarios: {
    "have names": [
      ...["A", "a.b", "-a", "a_b", "a".repeat(64), "", "a/b", ".."].map((name) => make(name)),
      make("{namespace}-1", { metadata: { name: "{namespace}-1", namespace: "x" } }),
      make("{namespace}-2", { metadata: { name: "{namespace}-2", labels: { "kubernetes.io/metadata.name": "x" } } }),
      make("{namespace}-3", { spec: { finalizers: ["x", "a.b/c"] } }),
      make("{namespace}-4", { spec: { finalizers: ["a.b/c"] } }),
      make("{namespace}-5", { status: { phase: "Terminating" } }),
      mergePatch(here, { metadata: { labels: { "kubernetes.io/metadata.name": "other" } } }),
      mergePatch(here, { metadata: { labels: null } }),
      mergePatch(here, { spec: { finalizers: ["x.y/z"] } }),
    ],
    "have a status": [
      status({ status: { phase: "Terminating" } }),
      status({ status: { phase: "Bogus" } }),
      status({ status: { conditions: [{ type: "X", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" }] } }),
      status({ spec: { finalizers: [] }, metadata: { labels: { a: "b" }, annotations: { a: "b" } } }),
      get(`${here}/status`),
      put(`${here}/status`, { metadata: { name: "{namespace}" } }),
      remove(`${here}/status`),
      get(`${all}?fieldSelector=status.phase%3DActive,metadata.name%3D{namespace}`),
      get(`${all}?fieldSelector=bogus%3DActive`),
    ],
    "are finalized": [
      finalize(["kubernetes", "x.y/z"]),
      finalize(["bad name"]),
      finalize([], { name: "other" }),
      finalize([], { resourceVersion: "1" }),
      finalize(["x.y/z"], { annotations: { x: "y" } }),
      put(`${all}/nope-nope/finalize`, { metadata: { name: "nope-nope" }, spec: {} }),
      put(`${here}/finalize`, {}),
      get(`${here}/finalize`),
      post(`${here}/finalize`, {}),
      remove(`${here}/finalize`),
      finalize([]),
      get(here),
    ],
    end: [
      post(configMaps, aConfigMap("a")),
      post(pods, aPod("p")),
      post(configMaps, aConfigMap("held", {}, { finalizers: ["x.y/z"] })),
      remove(here, { preconditions: { uid: "nope" } }),
      remove(here, { preconditions: { resourceVersion: "1" } }),
      remove(`${here}?dryRun=All`),
      remove(here),
      remove(here),
      until(here, (namespace) => namespace.status?.phase === "Terminating"),
      post(configMaps, aConfigMap("b")),
      post(configMaps, { metadata: { generateName: "b-" } }),
      post(configMaps, {}),
      post(`${configMaps}?dryRun=All`, aConfigMap("b")),
      apply(`${configMaps}/b`, "me", aConfigMap("b")),
      post(pods, aPod("b")),
      post(`${pods}/p/binding`, { metadata: { name: "p" }, target: { name: "n" } }),
      post(`${pods}/p/eviction`, { metadata: { name: "p" } }),
      post(namespaced("serviceaccounts/default/token"), {}),
      post(namespaced("events"), { metadata: { name: "b" }, involvedObject: { namespace: "{namespace}" } }),
      put(namespaced("leases/x", "coordination.k8s.io/v1"), { metadata: { name: "x" } }),
      mergePatch(`${configMaps}/a`, { data: { x: "y" } }),
      mergePatch(here, { metadata: { labels: { x: "y" } } }),
      mergePatch(here, { metadata: { finalizers: ["x.y/z"] } }),
      status({
        status: { conditions: [{ type: "NamespaceContentRemaining", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" }] },
      }),
      remove(configMaps),
      get(held),
    ],
    "are not there": [...inAbsent("nope-nope"), ...inAbsent("{namespace}-not")],
    "stay, some of them": [
      ...["default", "kube-system", "kube-public"].map((name) => remove(`${all}/${name}?dryRun=All`)),
      remove(all),
      post(configMaps, aConfigMap("a", {}, { namespace: "other" })),
      put(`${configMaps}/a`, aConfigMap("a", {}, { namespace: "other" })),
    ],
  },
};
