/** Decides whether claims and volumes are still held back from being deleted. Pure. */
import type { PersistentVolume, Pod } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/objects.ts";

export const claimFinalizer = "kubernetes.io/pvc-protection";
export const volumeFinalizer = "kubernetes.io/pv-protection";

/** The object without (being deleted, and free to go) or with the finalizer; the same object when it is as it should be. */
export function protect<T extends KubeObject>(object: T, finalizer: string, isUsed: boolean): T {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const isHeld = finalizers.includes(finalizer);
  if (deletionTimestamp === undefined) {
    return isHeld ? object : { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  }
  if (!isHeld || isUsed) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: finalizers.filter((other) => other !== finalizer) } };
}

/** Whether {@link protect} would have something to do, should nobody use the object. */
export const isConcerned = ({ metadata }: KubeObject, finalizer: string): boolean =>
  (metadata.deletionTimestamp === undefined) !== (metadata.finalizers?.includes(finalizer) ?? false);

/**
 * Whether a Pod keeps a claim from going. One that has no place yet does not: no Pod starts on a claim that is being deleted. Nor does
 * one with an ephemeral volume that only waits to be removed: its claim goes with it, and may be what it waits for.
 */
export function uses({ metadata, spec }: Pod, claimName: string): boolean {
  if (!spec.nodeName) return false;
  const isShutDown = metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
  return (spec.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claimName ||
      (ephemeral !== undefined && !isShutDown && `${metadata.name}-${name}` === claimName),
  );
}

/** A volume serves as long as it is bound. */
export const isBound = ({ status }: PersistentVolume): boolean => status?.phase === "Bound";
