/** Who owns what, and who may take it. */
import type { KindRef, PlanGuard } from "../../api/client.ts";
import { apiVersionOf, groupOf } from "../../api/kind.ts";
import { controllerOf, type KubeObject, type ObjectKey, type OwnerReference } from "../../api/objects.ts";
import type { LabelMatcher } from "../../api/selectors.ts";
import type { Observed } from "../../runtime/controller.ts";

/** The reference by which a controller marks its children. */
export const controllerReference = (kind: KindRef, owner: KubeObject): OwnerReference => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** The object with the owner added as its controller. */
export const adopted = <T extends KubeObject>(object: T, reference: OwnerReference): T => ({
  ...object,
  metadata: {
    ...object.metadata,
    ownerReferences: [...(object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== reference.uid), reference],
  },
});

/** The object without that owner. */
export const released = <T extends KubeObject>(object: T, ownerUid: string): T => ({
  ...object,
  metadata: { ...object.metadata, ownerReferences: (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== ownerUid) },
});

export interface Claims<T> {
  /** Owned, and the selector matches: what the owner works with. */
  readonly held: readonly T[];
  /** Without a controller, and the selector matches. */
  readonly toAdopt: readonly T[];
  /** Owned, but the selector does not match (any more). */
  readonly toRelease: readonly T[];
}

/**
 * Sorts an owner's objects and the orphans of its namespace. Who is being deleted takes and gives nothing.
 * @param fits what an object must be besides having the right labels
 */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: Pick<LabelMatcher, "matches">,
  owned: readonly T[],
  orphans: readonly T[],
  fits: (object: T) => boolean = () => true,
): Claims<T> {
  const matches = (object: T) => selector.matches(object.metadata.labels) && fits(object);
  if (owner.metadata.deletionTimestamp) return { held: owned.filter(matches), toAdopt: [], toRelease: [] };
  return {
    held: owned.filter(matches),
    toAdopt: orphans.filter((object) => !object.metadata.deletionTimestamp && matches(object)),
    toRelease: owned.filter((object) => !matches(object)),
  };
}

/** Keys of the owners (of one kind) that a change of a child concerns, before and after. */
export function ownerKeys(kind: Pick<KindRef, "group" | "kind">, { previous, next }: Observed): ObjectKey[] {
  const keys: ObjectKey[] = [];
  for (const child of [previous, next]) {
    const owner = child && controllerOf(child);
    if (!child || owner?.kind !== kind.kind || groupOf(owner.apiVersion) !== kind.group) continue;
    keys.push({ namespace: child.metadata.namespace ?? "", name: owner.name });
  }
  return keys;
}

/** Whether a child has just become one that somebody might want to adopt. */
export function becameOrphan({ previous, next }: Observed): boolean {
  if (!next || controllerOf(next)) return false;
  return (
    !previous || controllerOf(previous) !== undefined || JSON.stringify(previous.metadata.labels) !== JSON.stringify(next.metadata.labels)
  );
}

/** What the plan relied on: nothing of the owner's changed since the list was read. */
export const guardFor = (owner: KubeObject, revision: number): PlanGuard => ({
  plan: crypto.randomUUID(),
  owner: owner.metadata.uid,
  revision,
});
