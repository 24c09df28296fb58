/** The folder on a Node that stands behind a claim of a Pod. */
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "../../api/generated/types.ts";
import { isFullyBound } from "../../api/storage-classes.ts";
import { isReachable } from "../../scheduler/volumes/matching.ts";
import { claimNameOf } from "../../scheduler/volumes/pod-volumes.ts";
import { NotReadyError } from "./problems.ts";

export interface Claims {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  persistentVolume(name: string): PersistentVolume | undefined;
}

export type ClaimedFolder =
  | { readonly type: "folder"; readonly path: string; readonly readOnly: boolean }
  | { readonly type: "refused"; readonly why: string };

const folderTypes = ["", "Directory", "DirectoryOrCreate"];

/**
 * @param volume of the Pod, that names a claim or is ephemeral
 * @throws {NotReadyError} for a claim that is missing or not bound, or bound to a volume that is elsewhere
 */
export function claimedFolder(pod: Pod, volume: Volume, node: Pick<Node, "metadata">, claims: Claims): ClaimedFolder {
  const name = claimNameOf(pod, volume) ?? "";
  const claim = claims.claim(pod.metadata.namespace ?? "", name);
  if (!claim) throw new NotReadyError(`persistentvolumeclaim "${name}" not found`);
  if (!isFullyBound(claim)) throw new NotReadyError(`persistentvolumeclaim "${name}" is not bound`);
  const volumeName = claim.spec.volumeName ?? "";
  const found = claims.persistentVolume(volumeName);
  if (!found || found.spec.claimRef?.uid !== claim.metadata.uid) {
    throw new NotReadyError(`persistentvolumeclaim "${name}" is bound to "${volumeName}", which is not bound to it`);
  }
  if (!isReachable(found, node)) {
    throw new NotReadyError(`MountVolume.NodeAffinity check failed for volume "${volumeName}" : no matching NodeSelectorTerms`);
  }
  const { hostPath, local } = found.spec;
  const path = hostPath?.path ?? local?.path;
  if (path === undefined) return { type: "refused", why: `the volume ${volumeName} is no folder of the node (hostPath or local)` };
  if (!folderTypes.includes(hostPath?.type ?? "")) {
    return { type: "refused", why: `the volume ${volumeName} is of type ${hostPath?.type ?? ""}; only folders are supported` };
  }
  return { type: "folder", path, readOnly: volume.persistentVolumeClaim?.readOnly ?? false };
}
