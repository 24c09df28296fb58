/** Status, scale, binding, eviction: endpoints that change a part of an object. */
import {
  aDeployment,
  aPod,
  asTable,
  deployments,
  get,
  jsonPatch,
  mergePatch,
  namespaced,
  pods,
  post,
  put,
  remove,
  strategicPatch,
  type Theme,
} from "../requests.ts";

const shop = `${deployments}/shop`;
const a = `${pods}/a`;
const budgets = namespaced("poddisruptionbudgets", "policy/v1");
const create = post(deployments, aDeployment("shop"));
const scaleTo = (replicas: number, metadata: object = {}) => ({ metadata: { name: "shop", ...metadata }, spec: { replicas } });

export const subresources: Theme = {
  name: "subresources",
  scenarios: {
    "a status is checked, and only it is written": [
      create,
      mergePatch(`${shop}/status`, { status: { replicas: 3, observedGeneration: 1, readyReplicas: 2 } }),
      mergePatch(`${shop}/status`, { status: { replicas: -1 } }),
      get(`${shop}/status`),
      get(`${shop}/status`, asTable),
      remove(`${shop}/status`),
    ],
    "a scale is read and written": [
      create,
      get(`${shop}/scale`),
      put(`${shop}/scale`, scaleTo(7)),
      mergePatch(`${shop}/scale`, { spec: { replicas: 9 } }),
      jsonPatch(`${shop}/scale`, [{ op: "replace", path: "/spec/replicas", value: 2 }]),
      strategicPatch(`${shop}/scale`, { spec: { replicas: 9 } }),
      get(`${shop}/scale`),
    ],
    "a scale is checked": [
      create,
      put(`${shop}/scale`, scaleTo(7, { name: "other" })),
      put(`${shop}/scale`, scaleTo(-7)),
      put(`${shop}/scale`, scaleTo(8, { resourceVersion: "1" })),
      put(`${deployments}/nope/scale`, scaleTo(7, { name: "nope" })),
      get(`${deployments}/nope/scale`),
      remove(`${shop}/scale`),
    ],
    "a Pod is bound once": [
      post(pods, aPod("a")),
      post(`${a}/binding`, { metadata: { name: "b" }, target: { name: "n1" } }),
      post(`${a}/binding`, { metadata: { name: "a", annotations: { x: "y" } }, target: { name: "n1" } }),
      post(`${a}/binding`, { metadata: { name: "a" }, target: { name: "n2" } }),
      post(`${pods}/nope/binding`, { metadata: { name: "nope" }, target: { name: "n2" } }),
      get(a),
    ],
    "a Pod behind a gate is not bound": [
      post(pods, aPod("a", { schedulingGates: [{ name: "x.y/z" }] })),
      post(`${a}/binding`, { metadata: { name: "a" }, target: { name: "n" } }),
      mergePatch(a, { spec: { schedulingGates: [{ name: "new/x" }] } }),
      mergePatch(a, { spec: { nodeSelector: { a: "b" } } }),
      mergePatch(a, { spec: { schedulingGates: null } }),
    ],
    "a Pod is evicted unless it is needed": [
      post(pods, aPod("a", {}, { labels: { app: "a" } })),
      post(`${a}/eviction`, { metadata: { name: "b" } }),
      post(`${pods}/nope/eviction`, { metadata: { name: "nope" } }),
      post(`${a}/eviction`, { metadata: { name: "a" }, deleteOptions: { dryRun: ["All"] } }),
      post(budgets, { metadata: { name: "one" }, spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } } }),
      mergePatch(`${a}/status`, { status: { phase: "Running" } }),
      post(`${a}/eviction`, { metadata: { name: "a" } }),
    ],
  },
};
