/**
 * Decides what becomes of an object whose owners are gone or going, and of an owner that waits for its dependents. Pure.
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
import type { KubeObject, OwnerReference } from "../../api/objects.ts";

export const orphanFinalizer = "orphan";
export const foregroundFinalizer = "foregroundDeletion";

/** What is known of an owner. */
export type OwnerState =
  | "present"
  /** Being deleted in the foreground: it waits for its dependents to go first. */
  | "waiting"
  /** No object has this uid: found by a strong read made after the dependent was read (`log-rules.md` 24). */
  | "absent"
  /** Nobody can say: its kind is not served now. Never a reason to delete (`kubernetes-traps.md` 26). */
  | "unknown";

export type Action =
  /** Forget owners that are gone, or do not want to be waited for: others remain. */
  | { readonly type: "dropOwners"; readonly uids: readonly string[] }
  /** `unblock`: let go of the owners first, for they wait in a circle. */
  | { readonly type: "delete"; readonly policy: "Background" | "Foreground" | "Orphan"; readonly unblock: boolean }
  /** Make its dependents independent, then let it go. */
  | { readonly type: "orphanDependents" }
  /** Nothing holds it back any more. */
  | { readonly type: "removeFinalizer"; readonly finalizer: string };

const finalizersOf = ({ metadata }: KubeObject): readonly string[] => metadata.finalizers ?? [];
const isDeleting = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

/** Whether it is being deleted and waits for its dependents to be gone. */
export const awaitsDependents = (object: KubeObject): boolean => isDeleting(object) && finalizersOf(object).includes(foregroundFinalizer);

/** Whether it is being deleted and its dependents are to survive. */
export const orphansDependents = (object: KubeObject): boolean => isDeleting(object) && finalizersOf(object).includes(orphanFinalizer);

/** Whether the garbage collector has anything to do with it at all. */
export const concerns = (object: KubeObject): boolean =>
  (object.metadata.ownerReferences ?? []).length > 0 || awaitsDependents(object) || orphansDependents(object);

const blocks = (dependent: KubeObject, ownerUid: string): boolean =>
  dependent.metadata.ownerReferences?.some(({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true) ?? false;

/**
 * @param stateOf of one of the object's owners
 * @param dependents of the object
 */
export function planCollection(
  object: KubeObject,
  stateOf: (owner: OwnerReference) => OwnerState,
  dependents: readonly KubeObject[],
): Action | undefined {
  if (orphansDependents(object)) return { type: "orphanDependents" };
  if (awaitsDependents(object)) {
    const isHeld = dependents.some((dependent) => blocks(dependent, object.metadata.uid));
    return isHeld ? undefined : { type: "removeFinalizer", finalizer: foregroundFinalizer };
  }
  const owners = object.metadata.ownerReferences ?? [];
  if (isDeleting(object) || owners.length === 0) return undefined;

  const inState = (...states: readonly OwnerState[]) => owners.filter((owner) => states.includes(stateOf(owner)));
  const waiting = inState("waiting");
  const toDrop = [...inState("absent"), ...waiting];
  if (toDrop.length === 0) return undefined;
  if (toDrop.length < owners.length) return { type: "dropOwners", uids: toDrop.map(({ uid }) => uid) };
  if (waiting.length > 0 && dependents.length > 0) {
    return { type: "delete", policy: "Foreground", unblock: dependents.some(awaitsDependents) };
  }
  return { type: "delete", policy: policyOf(object), unblock: false };
}

/** As the object itself asks for by its finalizers. */
function policyOf(object: KubeObject): "Background" | "Foreground" | "Orphan" {
  if (finalizersOf(object).includes(orphanFinalizer)) return "Orphan";
  return finalizersOf(object).includes(foregroundFinalizer) ? "Foreground" : "Background";
}
