/**
 * Whether claims go with their Pods or with the StatefulSet, by whom they have as an owner: the garbage collector does the rest. Pure.
 *
 * | whenScaled | whenDeleted | owner of a claim |
 * |---|---|---|
 * | Retain | Retain | nobody |
 * | Retain | Delete | the StatefulSet |
 * | Delete | Retain | its Pod, once that is to go because the set is scaled down |
 * | Delete | Delete | the same; until then the StatefulSet |
 */
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { pods, statefulSets } from "../../api/kinds.ts";
import type { KubeObject, OwnerReference } from "../../api/objects.ts";
import { controllerReference } from "../common/owners.ts";

type Policy = "Retain" | "Delete";

const policy = (text: string | undefined): Policy => (text === "Delete" ? "Delete" : "Retain");

export function retentionOf({ spec }: StatefulSet): { readonly whenDeleted: Policy; readonly whenScaled: Policy } {
  const { whenDeleted, whenScaled } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  return { whenDeleted: policy(whenDeleted), whenScaled: policy(whenScaled) };
}

const names = (reference: OwnerReference, wanted: OwnerReference): boolean =>
  reference.apiVersion === wanted.apiVersion && reference.kind === wanted.kind && reference.name === wanted.name;

const ownersOf = ({ metadata }: KubeObject): readonly OwnerReference[] => metadata.ownerReferences ?? [];

/** The reference is to an earlier incarnation. */
const isStale = (claim: PersistentVolumeClaim, wanted: OwnerReference): boolean =>
  ownersOf(claim).some((reference) => names(reference, wanted) && reference.uid !== wanted.uid);

/**
 * A claim that is about to be deleted together with an earlier Pod of the name: the next one must not begin with it.
 * @param podName of the Pod that is to be made
 */
export const awaitsDeletion = (set: StatefulSet, claim: PersistentVolumeClaim, podName: string): boolean =>
  retentionOf(set).whenScaled === "Delete" && isStale(claim, { apiVersion: "v1", kind: pods.kind, name: podName, uid: "" });

/** Somebody else is the claim's controller: then it is not ours to say how long it lives. */
export function hasOtherController(set: StatefulSet, claim: PersistentVolumeClaim, pod: Pod): boolean {
  const { whenDeleted, whenScaled } = retentionOf(set);
  if (whenDeleted === "Retain" && whenScaled === "Retain") return false;
  const ours = [controllerReference(statefulSets, set), controllerReference(pods, pod)];
  return ownersOf(claim).some((reference) => {
    const named = ours.find((own) => names(reference, own));
    return named ? named.uid !== reference.uid : reference.controller === true;
  });
}

/**
 * The claim with the owners that the policy gives it; the same object when it has them.
 * @param stays whether the Pod is one that the set shall have, and not one too many
 */
export function withRetention(set: StatefulSet, claim: PersistentVolumeClaim, pod: Pod, stays: boolean): PersistentVolumeClaim {
  const ofSet = controllerReference(statefulSets, set);
  const ofPod = controllerReference(pods, pod);
  // Left over from an earlier incarnation, and on its way: not to be touched.
  if (isStale(claim, ofSet) || isStale(claim, ofPod)) return claim;

  const others = ownersOf(claim).filter((reference) => !names(reference, ofSet) && !names(reference, ofPod));
  const next = [...others, ...(hasOtherController(set, claim, pod) ? [] : wantedOwners(set, ofSet, ofPod, stays))];
  const same =
    next.length === ownersOf(claim).length &&
    next.every((wanted) => ownersOf(claim).some(({ uid, controller }) => uid === wanted.uid && controller === wanted.controller));
  return same ? claim : { ...claim, metadata: { ...claim.metadata, ownerReferences: next } };
}

function wantedOwners(set: StatefulSet, ofSet: OwnerReference, ofPod: OwnerReference, stays: boolean): OwnerReference[] {
  const { whenDeleted, whenScaled } = retentionOf(set);
  if (whenScaled === "Delete" && !stays) return [ofPod];
  return whenDeleted === "Delete" ? [ofSet] : [];
}
