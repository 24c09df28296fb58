/** Answers that differ on purpose: what is asked, and why we answer otherwise. */
import { aConfigMap, apply, configMaps, get, mergePatch, post, remove, type Step } from "./requests.ts";

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
  { name: "the version", reason: "it is Binnacle's, and says so", steps: [get("/version")] },
];
