/** Parameters and bodies that are not as they should be. */
import {
  aConfigMap,
  aDeployment,
  aPod,
  apply,
  configMaps,
  deployments,
  get,
  jsonPatch,
  mergePatch,
  namespaced,
  pods,
  post,
  put,
  query,
  remove,
  type Step,
  type Theme,
} from "../requests.ts";

const a = `${configMaps}/a`;
const shop = `${deployments}/shop`;
type Parameters = Readonly<Record<string, string>>;

const readings = (path: string, ...each: readonly Parameters[]): Step[] => each.map((parameters) => get(`${path}${query(parameters)}`));
const deletions = (...each: readonly Parameters[]): Step[] => each.map((parameters) => remove(`${a}${query(parameters)}`));
/** Each write of an object. */
const writes = (parameters: Parameters): Step[] => [
  post(`${configMaps}${query(parameters)}`, aConfigMap("n", { k: "v" })),
  put(`${a}${query(parameters)}`, aConfigMap("a", { k: "v" })),
  mergePatch(`${a}${query(parameters)}`, {}),
  remove(`${configMaps}/nope${query(parameters)}`),
];
const evict = (body: object, parameters = "") =>
  post(`${pods}/p/eviction${parameters}`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" }, ...body });
const bind = (body: object, parameters = "") =>
  post(`${pods}/p/binding${parameters}`, { metadata: { name: "p" }, target: { name: "n" }, ...body });
const scale = (body: object, parameters = "") => put(`${shop}/scale${parameters}`, { metadata: { name: "shop" }, ...body });

export const parameters: Theme = {
  name: "parameters",
  scenarios: {
    "of reading": [
      post(configMaps, aConfigMap("a", { k: "v" })),
      ...readings(
        a,
        { pretty: "true" },
        { pretty: "x" },
        { bogus: "1" },
        { resourceVersion: "0" },
        { timeout: "x" },
        { labelSelector: "=" },
      ),
    ],
    "of writing": [
      post(configMaps, aConfigMap("a", { k: "v" })),
      ...[
        { dryRun: "x" },
        { dryRun: "all" },
        { dryRun: "" },
        { fieldManager: "m".repeat(129) },
        { fieldManager: "a\u0001b" },
        { fieldManager: "é" },
        { fieldValidation: "x" },
        { fieldValidation: "strict" },
        { timeout: "x" },
        { force: "true" },
        { dryRun: "All", bogus: "1" },
      ].flatMap(writes),
      post(`${configMaps}?dryRun=All&dryRun=All`, aConfigMap("m")),
      post(`${configMaps}?dryRun=All&dryRun=x`, aConfigMap("m")),
    ],
    "of deleting": [
      post(configMaps, aConfigMap("a", { k: "v" })),
      ...deletions(
        { gracePeriodSeconds: "x" },
        { propagationPolicy: "x" },
        { propagationPolicy: "Orphan", orphanDependents: "true" },
        { gracePeriodSeconds: "0", dryRun: "All" },
      ),
      remove(a, { propagationPolicy: "x" }),
      remove(a, { dryRun: ["x"] }),
      remove(a, { preconditions: { resourceVersion: "1" } }),
      remove(`${configMaps}?labelSelector==`),
      remove(`${configMaps}?limit=x`),
      remove(`${configMaps}?fieldSelector=bogus%3D1`),
      get(a),
    ],
    "of watching": readings(
      configMaps,
      { watch: "true", timeoutSeconds: "x" },
      { watch: "true", timeoutSeconds: "1", sendInitialEvents: "true", resourceVersionMatch: "Bogus" },
      { watch: "true", timeoutSeconds: "1", resourceVersion: "1", resourceVersionMatch: "Exact" },
    ),
    "an eviction": [
      post(pods, aPod("p")),
      evict({ metadata: {} }),
      evict({ metadata: { name: "p", namespace: "other" } }),
      evict({ deleteOptions: { dryRun: ["x"] } }),
      evict({ deleteOptions: { gracePeriodSeconds: "x" } }),
      evict({ deleteOptions: { propagationPolicy: "x" } }),
      evict({ deleteOptions: { preconditions: { resourceVersion: "1" } } }),
      evict({ bogus: 1 }, "?fieldValidation=Strict"),
      evict({ bogus: 1, deleteOptions: { dryRun: ["All"] } }),
      evict({ apiVersion: "policy/v1beta1", deleteOptions: { dryRun: ["All"] } }),
      evict({}, "?dryRun=All"),
      evict({}, "?dryRun=x"),
      get(`${pods}/p/eviction`),
      put(`${pods}/p/eviction`, {}),
      get(`${pods}/p`),
    ],
    "a binding": [
      post(pods, aPod("p")),
      bind({ metadata: { name: "p", namespace: "x" } }),
      bind({ metadata: { name: "p", uid: "x" } }),
      bind({ metadata: { name: "p", resourceVersion: "1" } }),
      bind({ target: { name: 5 } }),
      bind({ bogus: 1 }, "?fieldValidation=Strict"),
      bind({ bogus: 1 }, "?dryRun=All"),
      post(namespaced("bindings"), { target: { name: "n" } }),
      post(namespaced("bindings"), { metadata: { name: "nope" }, target: { name: "n" } }),
      bind({ metadata: { name: "p", labels: { a: "b" } }, target: { kind: "Node", apiVersion: "v1", name: "n" } }),
      post(namespaced("bindings"), { metadata: { name: "p" }, target: { name: "n" } }),
      get(`${pods}/p`),
    ],
    "a scale and a status": [
      post(deployments, aDeployment("shop")),
      scale({ spec: { replicas: "x" } }),
      scale({ spec: { replicas: 1 }, bogus: 1 }, "?fieldValidation=Strict"),
      scale({ metadata: { name: "shop", namespace: "x" }, spec: { replicas: 1 } }),
      put(`${shop}/status`, { metadata: { name: "other" } }),
      put(`${shop}/status`, { metadata: { name: "shop" }, status: { replicas: "x" } }),
      put(`${shop}/status?fieldValidation=Strict`, { metadata: { name: "shop" }, status: { bogus: 1 } }),
      jsonPatch(`${shop}/status`, [{ op: "add", path: "/status/bogus", value: 1 }]),
      apply(`${shop}/status`, "x", { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "shop" }, status: { replicas: 5 } }),
    ],
  },
};
