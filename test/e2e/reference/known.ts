/** Answers that differ on purpose: what is asked, and why we answer otherwise. */
import { aConfigMap, apply, configMaps, get, mergePatch, namespaced, post, remove, type Step } from "./requests.ts";

export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  /** The last answer differs, the others do not. */
  readonly steps: readonly Step[];
}

export const known: readonly KnownDifference[] = [
  {
    name: "an apply of a wrong type",
    reason: "it is the client's fault, 400, where upstream says 500 and prints a Go value",
    steps: [apply(`${configMaps}/a`, "one", aConfigMap("a", { count: 1 }))],
  },
  {
    name: "the update that removes the last finalizer",
    reason: "its answer has the resourceVersion at which the object went, where upstream repeats the one before",
    steps: [
      post(configMaps, aConfigMap("a", {}, { finalizers: ["x.y/z"] })),
      remove(`${configMaps}/a`),
      mergePatch(`${configMaps}/a`, { metadata: { finalizers: null } }),
    ],
  },
  {
    name: "a page of a list at resourceVersion 0",
    reason: "it is a page; upstream's cache gives the whole list",
    steps: [post(configMaps, aConfigMap("a")), post(configMaps, aConfigMap("b")), get(`${configMaps}?resourceVersion=0&limit=1`)],
  },
  {
    name: "a claim that names no class",
    reason: "there is a default StorageClass from the start",
    steps: [
      post(namespaced("persistentvolumeclaims"), {
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      }),
    ],
  },
  {
    name: "a required list that was left out",
    reason: "it is empty; upstream writes null, which few clients but Go's expect of a list",
    steps: [post(namespaced("roles", "rbac.authorization.k8s.io/v1"), { metadata: { name: "a" } })],
  },
  { name: "the version", reason: "it is Binnacle's, and says so", steps: [get("/version")] },
];
