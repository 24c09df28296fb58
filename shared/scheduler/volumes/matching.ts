/**
 * Which volumes satisfy which claims. Pure; the scheduler and the controller that binds must agree about it.
 * @see k8s.io/component-helpers/storage/volume, FindMatchingVolume
 */
import type { Node, PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { compare, parseQuantity, type Quantity } from "../../api/quantity.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { classOfClaim, classOfVolume } from "../../api/storage-classes.ts";
import { matchesSelector } from "../node-affinity.ts";

export const requestedStorage = ({ spec }: PersistentVolumeClaim): Quantity => parseQuantity(spec.resources?.requests?.storage ?? "0");
const sizeOf = ({ spec }: PersistentVolume): Quantity => parseQuantity(spec.capacity?.storage ?? "0");

const modeOf = (spec: { volumeMode?: string | undefined }): string => spec.volumeMode ?? "Filesystem";

export const differInMode = (claim: PersistentVolumeClaim, volume: PersistentVolume): boolean => modeOf(claim.spec) !== modeOf(volume.spec);

const offersAccess = (claim: PersistentVolumeClaim, volume: PersistentVolume): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode));

const accessModes = ({ spec }: PersistentVolume): number => spec.accessModes?.length ?? 0;

const attributesOf = (spec: { volumeAttributesClassName?: string | undefined }): string => spec.volumeAttributesClassName ?? "";

/** Reserved for this claim, or bound to it. */
export function isFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  if (reference?.name !== claim.metadata.name || reference.namespace !== claim.metadata.namespace) return false;
  return !reference.uid || reference.uid === claim.metadata.uid;
}

/** Whether Pods on this Node can use the volume. */
export const isReachable = (volume: PersistentVolume, node: Pick<Node, "metadata">): boolean => {
  const required = volume.spec.nodeAffinity?.required;
  return required === undefined || matchesSelector(required, node);
};

/** Why a volume that a claim asks for by name cannot be had; undefined when it can. In upstream's words. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp) return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (compare(sizeOf(volume), requestedStorage(claim)) < 0) return "requested PV is too small";
  if (classOfVolume(volume) !== classOfClaim(claim)) return "storageClassName does not match";
  if (attributesOf(volume.spec) !== attributesOf(claim.spec)) return "volumeAttributesClassName does not match";
  if (differInMode(claim, volume)) return "incompatible volumeMode";
  return offersAccess(claim, volume) ? undefined : "incompatible accessMode";
}

export interface Search {
  /** Only volumes that Pods on this Node can use. */
  readonly node?: Node;
  /** Only volumes that are reserved for the claim: everything else is the scheduler's to choose. */
  readonly reservedOnly?: boolean;
  /** Spoken for. */
  readonly except?: ReadonlySet<string>;
}

/**
 * The volume that is reserved for a claim, or the smallest free one that satisfies it, with no more access modes than necessary.
 */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  { node, reservedOnly = false, except }: Search = {},
): PersistentVolume | undefined {
  const usable = [...volumes].filter(
    (volume) =>
      !except?.has(volume.metadata.name) &&
      (!volume.spec.claimRef || isFor(volume, claim)) &&
      !volume.metadata.deletionTimestamp &&
      !differInMode(claim, volume) &&
      attributesOf(volume.spec) === attributesOf(claim.spec) &&
      compare(sizeOf(volume), requestedStorage(claim)) >= 0,
  );
  const reserved = usable.find((volume) => isFor(volume, claim) && offersAccess(claim, volume));
  if (reserved) return !node || isReachable(reserved, node) ? reserved : undefined;
  if (reservedOnly) return undefined;

  const selector = claim.spec.selector && labelMatcher(claim.spec.selector);
  const className = classOfClaim(claim);
  return usable
    .filter(
      (volume) =>
        volume.spec.claimRef === undefined &&
        volume.status?.phase === "Available" &&
        (selector?.matches(volume.metadata.labels) ?? true) &&
        classOfVolume(volume) === className &&
        offersAccess(claim, volume) &&
        (!node || isReachable(volume, node)),
    )
    .toSorted(
      (one, other) =>
        accessModes(one) - accessModes(other) || compare(sizeOf(one), sizeOf(other)) || (one.metadata.name < other.metadata.name ? -1 : 1),
    )[0];
}
