/** Deletion: preconditions, finalizers, propagation, grace periods, collections. */
import {
  aConfigMap,
  aPod,
  clusterScoped,
  configMaps,
  get,
  mergePatch,
  namespaced,
  pods,
  post,
  put,
  remove,
  services,
  type Theme,
} from "../requests.ts";

const a = `${configMaps}/a`;
const create = post(configMaps, aConfigMap("a"));
const finalizer = { finalizers: ["x.y/z"] };
/** On a node that does not exist, so that nobody but the test ends it. */
const assigned = (name: string, spec: object = {}, metadata: object = {}) =>
  post(pods, aPod(name, { nodeName: "nowhere", ...spec }, metadata));

export const deletions: Theme = {
  name: "deletions",
  scenarios: {
    "happen once": [create, remove(a), remove(a), get(a)],
    "hold to preconditions": [
      create,
      remove(a, { preconditions: { uid: "x" } }),
      remove(a, { preconditions: { resourceVersion: "1" } }),
      remove(a, (earlier) => ({ preconditions: { uid: earlier[0].metadata.uid, resourceVersion: earlier[0].metadata.resourceVersion } })),
    ],
    "have options that are checked": [
      create,
      remove(a, { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Bogus" }),
      remove(a, { propagationPolicy: "Orphan", orphanDependents: true }),
      remove(a, { dryRun: ["x"] }),
      remove(`${a}?gracePeriodSeconds=x`),
      remove(`${a}?propagationPolicy=x`),
      remove(`${a}?orphanDependents=x`),
    ],
    "can be tried out": [
      create,
      remove(a, { dryRun: ["All"] }),
      remove(`${a}?dryRun=All`),
      remove(`${a}?dryRun=All`, { dryRun: ["All"] }),
      remove(`${a}?gracePeriodSeconds=5&dryRun=All`),
      remove(`${a}?orphanDependents=false&dryRun=All`),
      remove(`${configMaps}?dryRun=All`),
      get(a),
    ],
    "in the foreground wait for dependents": [
      create,
      remove(`${a}?propagationPolicy=Foreground`),
      get(a),
      remove(a),
      remove(`${a}?propagationPolicy=Orphan`),
      get(a),
      put(a, aConfigMap("a", {}, { finalizers: ["foregroundDeletion", "x.y/z"] })),
      put(a, aConfigMap("a", { k: "v" }, { finalizers: ["foregroundDeletion"] })),
    ],
    "wait for finalizers": [
      post(configMaps, aConfigMap("a", {}, finalizer)),
      remove(`${a}?orphanDependents=false`),
      create,
      remove(a),
      remove(`${a}?gracePeriodSeconds=0`),
      get(a),
    ],
    "in the background forget the wish to orphan": [
      post(configMaps, aConfigMap("a", {}, { finalizers: ["orphan"] })),
      remove(`${a}?propagationPolicy=Background`),
      get(a),
    ],
    "of collections choose by selector": [
      post(configMaps, aConfigMap("b", {}, { labels: { x: "1" } })),
      post(configMaps, aConfigMap("c", {}, { labels: { x: "2" }, ...finalizer })),
      post(configMaps, aConfigMap("d", {}, { labels: { x: "2" } })),
      remove(`${configMaps}?labelSelector=x%3D2`),
      get(configMaps),
      remove(`${configMaps}?fieldSelector=metadata.name%3Db`),
      remove(configMaps, { propagationPolicy: "Bogus" }),
      remove(`${configMaps}?labelSelector==`),
      remove(configMaps, { preconditions: { uid: "x" } }),
      remove(configMaps),
      get(configMaps),
    ],
    "of collections are not everywhere": [
      remove(services),
      remove("/api/v1/namespaces"),
      remove(`${clusterScoped("nodes")}?labelSelector=zzz`),
      remove(namespaced("deployments", "apps/v1")),
      remove(clusterScoped("configmaps")),
    ],
    "of Pods give them time, which can only become less": [
      assigned("b", { terminationGracePeriodSeconds: 100 }),
      remove(`${pods}/b?gracePeriodSeconds=50`),
      remove(`${pods}/b?gracePeriodSeconds=80`),
      remove(`${pods}/b?gracePeriodSeconds=20`),
      remove(`${pods}/b`),
      remove(`${pods}/b?gracePeriodSeconds=-5`),
      remove(`${pods}/b?gracePeriodSeconds=0`),
      get(`${pods}/b`),
    ],
    "of Pods without a node are immediate": [post(pods, aPod("a")), remove(`${pods}/a`), get(`${pods}/a`)],
    "of Pods that asked for no time, or ended, are immediate": [
      assigned("d", { terminationGracePeriodSeconds: 0 }),
      remove(`${pods}/d`),
      get(`${pods}/d`),
      assigned("e", { terminationGracePeriodSeconds: -1 }),
      mergePatch(`${pods}/e/status`, { status: { phase: "Succeeded" } }),
      remove(`${pods}/e`),
      get(`${pods}/e`),
    ],
    "of Pods with finalizers end when both are done": [
      assigned("c", {}, finalizer),
      remove(`${pods}/c`),
      remove(`${pods}/c?gracePeriodSeconds=0`),
      get(`${pods}/c`),
    ],
    "of all Pods give each its time": [assigned("f"), remove(pods), get(pods), remove(`${pods}?gracePeriodSeconds=0`), get(pods)],
  },
};
