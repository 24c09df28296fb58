/** Watches: which events a watcher is told, as what, and which watches are refused. */
import {
  aConfigMap,
  aPod,
  asMetadata,
  asTable,
  configMaps,
  type Exchange,
  get,
  mergePatch,
  pods,
  post,
  put,
  query,
  remove,
  type Theme,
  watch,
} from "../requests.ts";

const a = `${configMaps}/a`;
const labelled = (x: string, k: string) => aConfigMap("a", { k }, { labels: { x } });

/** Comes to be, changes, leaves the selection `x=1` and comes back, is held by a finalizer, and goes. */
const aLife: readonly Exchange[] = [
  post(configMaps, labelled("1", "1")),
  put(a, labelled("1", "2")),
  put(a, labelled("2", "2")),
  put(a, labelled("2", "3")),
  put(a, labelled("1", "3")),
  mergePatch(a, {}),
  remove(a),
];
const aPodsLife: readonly Exchange[] = [
  post(pods, aPod("p")),
  post(`${pods}/p/binding`, { metadata: { name: "p" }, target: { name: "nowhere" } }),
  mergePatch(`${pods}/p/status`, { status: { phase: "Running" } }),
  mergePatch(`${pods}/p/status`, { status: { phase: "Succeeded" } }),
];
const initialEvents = query({ allowWatchBookmarks: true, sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" });
const refused = (parameters: Parameters<typeof query>[0]) => get(`${configMaps}${query({ watch: true, ...parameters })}`);

export const watches: Theme = {
  name: "watches",
  scenarios: {
    "tell every change": [watch(configMaps, 6, aLife)],
    "tell of objects that enter and leave the selection": [watch(`${configMaps}?labelSelector=x%3D1`, 5, aLife)],
    "tell of one object": [
      post(configMaps, aConfigMap("b")),
      watch(`${configMaps}?fieldSelector=metadata.name%3Da`, 6, aLife),
      watch(a, 6, aLife),
    ],
    "begin with what is there": [post(configMaps, aConfigMap("b")), watch(configMaps, 7, aLife)],
    "mark the end of the initial events": [post(configMaps, aConfigMap("b")), watch(`${configMaps}${initialEvents}`, 8, aLife)],
    "are of rows": [watch(configMaps, 6, aLife, asTable), watch(`${configMaps}?includeObject=None`, 6, aLife, asTable)],
    "are of rows, with their initial events": [
      post(configMaps, aConfigMap("b")),
      watch(`${configMaps}${initialEvents}`, 8, aLife, asTable),
    ],
    "are of metadata": [
      post(configMaps, aConfigMap("b")),
      watch(configMaps, 7, aLife, asMetadata),
      watch(`${configMaps}${initialEvents}`, 8, aLife, asMetadata),
    ],
    "tell of Pods on a node": [watch(`${pods}?fieldSelector=spec.nodeName%3Dnowhere`, 3, aPodsLife)],
    "tell of Pods in a phase": [watch(`${pods}?fieldSelector=status.phase%3DRunning`, 2, aPodsLife)],
    "show Pods as rows": [watch(pods, 4, aPodsLife, asTable)],
    "are refused what they cannot have": [
      refused({ sendInitialEvents: true }),
      refused({ sendInitialEvents: false }),
      refused({ resourceVersionMatch: "NotOlderThan" }),
      refused({ resourceVersionMatch: "NotOlderThan", resourceVersion: "1" }),
      refused({ resourceVersionMatch: "Exact", sendInitialEvents: true }),
      refused({ fieldSelector: "bogus=1" }),
      refused({ labelSelector: "=" }),
    ],
  },
};
