/** Decides what is left to do for a CustomResourceDefinition that is being deleted. Pure. */
import type { KindRef } from "../../api/client.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/objects.ts";

export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export const awaitsCleanup = ({ metadata }: CustomResourceDefinition): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(cleanupFinalizer);

/** A kind by which its objects can be reached; undefined when no version is served. */
export function servedKind({ spec }: CustomResourceDefinition): KindRef | undefined {
  const version = spec.versions.find(({ served, storage }) => served && storage) ?? spec.versions.find(({ served }) => served);
  if (!version) return undefined;
  const { kind, plural } = spec.names;
  return { group: spec.group, version: version.name, kind, plural, namespaced: spec.scope === "Namespaced" };
}

export type CleanupAction =
  | { readonly type: "delete"; readonly objects: readonly KubeObject[] }
  /** Objects remain, on their way out: finalizers hold them. */
  | { readonly type: "wait" }
  | { readonly type: "release" };

export function planCleanup(objects: readonly KubeObject[]): CleanupAction {
  const untouched = objects.filter(({ metadata }) => !metadata.deletionTimestamp);
  if (untouched.length > 0) return { type: "delete", objects: untouched };
  return objects.length > 0 ? { type: "wait" } : { type: "release" };
}
