/** The marks by which a volume and a claim belong together. Pure. */
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { boundByControllerAnnotation } from "../../api/storage-classes.ts";
import { isFor } from "./matching.ts";

/** The volume, bound to the claim; the same object when it is already. What a user had not reserved is marked as ours. */
export function boundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const isMarked = isFor(volume, claim) || volume.metadata.annotations?.[boundByControllerAnnotation] !== undefined;
  if (isMarked && volume.spec.claimRef?.uid === uid) return volume;
  const annotations = { ...volume.metadata.annotations, ...(!isMarked && { [boundByControllerAnnotation]: "yes" }) };
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...volume.spec, claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid, resourceVersion } },
  };
}
