/**
 * Decides what becomes of a volume: whom it belongs to, and what happens to it when its claim is gone. Pure.
 * @see k8s.io/kubernetes/pkg/controller/volume/persistentvolume, syncVolume
 */
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { boundByControllerAnnotation } from "../../api/storage-classes.ts";
import { differInMode } from "../../scheduler/volumes/matching.ts";
import type { VolumeEvent } from "./claim-plan.ts";
import { localProvisioner, provisionedByAnnotation } from "./provisioner.ts";

export interface VolumePlan {
  /** The volume's next state, to be written first. */
  readonly update?: PersistentVolume;
  readonly phase?: "Available" | "Bound" | "Released" | "Failed";
  /** Nobody needs it or what is on it; to be done last. */
  readonly delete: boolean;
  readonly events: readonly VolumeEvent[];
  /** The same trouble, seen from the claim. */
  readonly claimEvents: readonly VolumeEvent[];
}

const nothing: VolumePlan = { delete: false, events: [], claimEvents: [] };

/** @param claim of the name in `claimRef`, from a read that began after the volume was read; undefined when there is none */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumePlan {
  const reference = volume.spec.claimRef;
  // Free, or reserved for a claim that is still to be bound.
  if (!reference?.uid) return { ...nothing, phase: "Available" };
  if (claim?.metadata.uid !== reference.uid) return release(volume);

  const bound = claim.spec.volumeName;
  if (bound === volume.metadata.name) return { ...nothing, phase: "Bound" };
  if (!bound) return differInMode(claim, volume) ? mismatched(volume, claim) : nothing;
  // The claim went elsewhere.
  const isOurs = volume.metadata.annotations?.[provisionedByAnnotation] !== undefined;
  return isOurs && volume.spec.persistentVolumeReclaimPolicy === "Delete" ? release(volume) : unbind(volume);
}

function mismatched({ metadata }: PersistentVolume, claim: PersistentVolumeClaim): VolumePlan {
  const warning = (message: string): VolumeEvent => ({ type: "Warning", reason: "VolumeMismatch", message });
  return {
    ...nothing,
    events: [
      warning(`Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`),
    ],
    claimEvents: [
      warning(`Cannot bind PersistentVolume "${metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`),
    ],
  };
}

/** Free again; or, when a user had reserved it, reserved again. */
function unbind(volume: PersistentVolume): VolumePlan {
  const { [boundByControllerAnnotation]: mark, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec;
  const { uid: _uid, ...reserved } = claimRef ?? {};
  const update: PersistentVolume =
    mark === undefined
      ? { ...volume, spec: { ...spec, claimRef: reserved } }
      : { ...volume, metadata: { ...volume.metadata, annotations }, spec };
  return { ...nothing, update, phase: "Available" };
}

/** Its claim is gone: the reclaim policy says what follows. A failure stays to be seen. */
function release(volume: PersistentVolume): VolumePlan {
  const { metadata, spec, status } = volume;
  const released: VolumePlan = { ...nothing, ...(status?.phase !== "Failed" && { phase: "Released" }) };
  const fail = (reason: string, message: string): VolumePlan =>
    status?.phase === "Failed" ? nothing : { ...nothing, phase: "Failed", events: [{ type: "Warning", reason, message }] };
  switch (spec.persistentVolumeReclaimPolicy ?? "Retain") {
    case "Retain":
      return released;
    case "Recycle":
      return fail("VolumeFailedRecycle", "No recycler plugin found for the volume!");
    case "Delete": {
      const provisioner = metadata.annotations?.[provisionedByAnnotation];
      if (provisioner === localProvisioner) return { ...released, delete: !metadata.deletionTimestamp };
      // Whoever made it deletes it.
      if (provisioner ? !provisioner.startsWith("kubernetes.io/") : spec.csi) return released;
      const message = `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`;
      return fail("VolumeFailedDelete", message);
    }
    default:
      return fail("VolumeUnknownReclaimPolicy", "Volume has unrecognized PersistentVolumeReclaimPolicy");
  }
}
