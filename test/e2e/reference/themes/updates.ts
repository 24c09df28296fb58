/** Updates: which object is meant, what may change, which kinds come to be by being put. */
import {
  aConfigMap,
  aPod,
  configMaps,
  get,
  mergePatch,
  namespaced,
  pods,
  post,
  put,
  secrets,
  services,
  strategicPatch,
  type Theme,
} from "../requests.ts";

const a = `${configMaps}/a`;
const p = `${pods}/p`;
const leases = namespaced("leases", "coordination.k8s.io/v1");
const roles = namespaced("roles", "rbac.authorization.k8s.io/v1");
const lease = (name: string, holderIdentity: string, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { holderIdentity },
});

/** What clients may send, and the server decides. */
const serverSide = {
  generation: 7,
  deletionTimestamp: "2020-01-01T00:00:00Z",
  deletionGracePeriodSeconds: 3,
  creationTimestamp: null,
  selfLink: "x",
  generateName: "q",
};

export const updates: Theme = {
  name: "updates",
  scenarios: {
    "mean the object that is named": [
      put(a, aConfigMap("a")),
      post(configMaps, aConfigMap("a")),
      put(a, aConfigMap("b")),
      put(a, { ...aConfigMap("a"), metadata: {} }),
      put(a, aConfigMap("a", {}, { namespace: "q" })),
      put(a, aConfigMap("a", {}, { uid: "q" })),
      put(configMaps, aConfigMap("a")),
    ],
    "mean the version that is named": [
      post(configMaps, aConfigMap("a")),
      put(a, aConfigMap("a", { x: "1" }, { resourceVersion: "1" })),
      put(a, aConfigMap("a", { x: "1" }, { resourceVersion: "0" })),
      put(a, (earlier) => ({ ...earlier[0], data: { x: "2" } })),
      put(a, (earlier) => ({ ...earlier[0], data: { x: "3" } })),
    ],
    "keep what the server keeps": [
      post(configMaps, aConfigMap("a")),
      put(a, aConfigMap("a", {}, serverSide)),
      put(a, (earlier) => earlier[0]),
      put(`${a}?dryRun=All`, aConfigMap("a", { z: "1" })),
      get(a),
    ],
    "create what may be created so": [
      put(`${leases}/l`, lease("l", "x")),
      put(`${leases}/l`, lease("l", "y")),
      put(`${roles}/r`, { metadata: { name: "r" }, rules: [{ verbs: ["list"], apiGroups: [""], resources: ["pods"] }] }),
      put(`${roles}/r`, { metadata: { name: "r" }, rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] }),
      put(`${services}/s`, { metadata: { name: "s" }, spec: { ports: [{ port: 80 }], clusterIP: "None" } }),
      put(`${services}/s`, { metadata: { name: "s" }, spec: { ports: [{ port: 81 }], clusterIP: "None" } }),
      put(`${namespaced("endpoints")}/e`, {
        metadata: { name: "e" },
        subsets: [{ addresses: [{ ip: "1.2.3.4" }], ports: [{ port: 80 }] }],
      }),
      put(`${namespaced("limitranges")}/e`, { metadata: { name: "e" }, spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } }),
      put(`${secrets}/e`, { metadata: { name: "e" } }),
      put("/apis/node.k8s.io/v1/runtimeclasses/{namespace}", { metadata: { name: "{namespace}" }, handler: "x" }),
      put("/apis/scheduling.k8s.io/v1/priorityclasses/{namespace}", { metadata: { name: "{namespace}" }, value: 5 }),
    ],
    "create nothing for who means a version or an object that was": [
      put(`${leases}/l`, lease("l", "x", { resourceVersion: "5" })),
      put(`${leases}/l`, lease("l", "x", { uid: "5" })),
    ],
    "of a Pod may change little": [
      post(pods, aPod("p")),
      strategicPatch(p, { spec: { containers: [{ name: "main", image: "other" }] } }),
      mergePatch(p, { spec: { activeDeadlineSeconds: 5 } }),
      mergePatch(p, { spec: { activeDeadlineSeconds: 6 } }),
      mergePatch(p, { spec: { tolerations: [{ key: "x", operator: "Exists" }] } }),
      mergePatch(p, { spec: { containers: null } }),
      mergePatch(p, { spec: null }),
    ],
    "leave the status to its own endpoint, and the rest to theirs": [
      post(pods, aPod("p")),
      mergePatch(p, { status: { phase: "Failed" }, metadata: { labels: { q: "r" } } }),
      mergePatch(`${p}/status`, {
        status: { phase: "Failed", reason: "x" },
        metadata: { labels: { q: "z" }, annotations: { a: "b" } },
        spec: { nodeName: "x" },
      }),
      mergePatch(`${p}/status`, { status: { phase: "Running" } }),
      mergePatch(`${p}/status`, { status: { bogus: "Running" } }),
    ],
    "of a Secret keep its type, and all of it once it is immutable": [
      post(secrets, { metadata: { name: "a" }, stringData: { x: "1" }, data: { x: "Mg==", y: "Mw==" } }),
      mergePatch(`${secrets}/a`, { stringData: { z: "q" } }),
      mergePatch(`${secrets}/a`, { type: "x" }),
      mergePatch(`${secrets}/a`, { immutable: true }),
      mergePatch(`${secrets}/a`, { data: { y: null } }),
      mergePatch(`${secrets}/a`, { immutable: false }),
    ],
  },
};
