/**
 * What the claims of a Pod mean for where it can stand. Pure.
 * @see k8s.io/kubernetes/pkg/scheduler/framework/plugins/{volumebinding,volumerestrictions}
 */
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, Volume } from "../../api/generated/types.ts";
import { controllerOf } from "../../api/objects.ts";
import { compare } from "../../api/quantity.ts";
import { allowsTopology, bindsLate, classOfClaim, isFullyBound, noProvisioner, selectedNodeAnnotation } from "../../api/storage-classes.ts";
import { bestVolume, isReachable, requestedStorage } from "./matching.ts";

/** Claims, volumes and classes as they stand. */
export interface StorageState {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
  /** Those that are bound to nobody; some may be reserved. */
  freeVolumes(): Iterable<PersistentVolume>;
  /** Whether another Pod uses the claim, or comes first. */
  isUsed(namespace: string, name: string, except: Pod): boolean;
}

/** What has to be written before the Pod can be bound: a claim's volume, or the Node on which one is to be made. */
export type Preparation =
  | { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  | { readonly claim: PersistentVolumeClaim; readonly node: string };

export interface VolumeObstacle {
  /** In upstream's words. */
  readonly reason: string;
  /** False when no other Pod's leaving could help. */
  readonly resolvable: boolean;
}

export type PodVolumes =
  /** The Pod cannot stand anywhere for now, whatever the Nodes are like. */
  | { readonly type: "blocked"; readonly message: string }
  /** Its place is chosen; its volumes are being made there. */
  | { readonly type: "awaited"; readonly node: string }
  | {
      readonly type: "open";
      obstacle(node: Node): VolumeObstacle | undefined;
      preparations(node: Node): readonly Preparation[];
      /** Its place was chosen before, for the sake of its volumes. */
      readonly committed: boolean;
    };

/** Name of the claim behind a volume of a Pod; undefined for volumes of other kinds. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined;
}

/** Names of all claims of a Pod, each once. */
export const claimNamesOf = (pod: Pod): string[] => [
  ...new Set((pod.spec.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? [])),
];

const blocked = (message: string): PodVolumes => ({ type: "blocked", message });
const never = (reason: string): VolumeObstacle => ({ reason, resolvable: false });

/** Undefined for a Pod without claims. */
export function volumesOf(pod: Pod, storage: StorageState): PodVolumes | undefined {
  const namespace = pod.metadata.namespace ?? "";
  const claims: PersistentVolumeClaim[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    const name = claimNameOf(pod, volume);
    if (name === undefined) continue;
    const claim = storage.claim(namespace, name);
    const problem = problemOf(pod, volume, name, claim);
    if (problem !== undefined || !claim) return blocked(problem ?? "");
    if (!claims.includes(claim)) claims.push(claim);
  }
  if (claims.length === 0) return undefined;

  const unbound = claims.filter((claim) => !isFullyBound(claim));
  const isLate = (claim: PersistentVolumeClaim) => !claim.spec.volumeName && bindsLate(storage.storageClass(classOfClaim(claim)));
  if (!unbound.every(isLate)) return blocked("pod has unbound immediate PersistentVolumeClaims");
  const selected = unbound.map(({ metadata }) => metadata.annotations?.[selectedNodeAnnotation]);
  const [node] = selected;
  if (node !== undefined && selected.every((other) => other === node)) return { type: "awaited", node };
  const bound = claims.filter(isFullyBound);
  const isTaken = claims.some(
    ({ metadata, spec }) => spec.accessModes?.includes("ReadWriteOncePod") && storage.isUsed(namespace, metadata.name, pod),
  );
  return {
    type: "open",
    obstacle: (candidate) =>
      (isTaken ? usedByAnother : undefined) ?? boundObstacle(bound, candidate, storage) ?? choose(unbound, candidate, storage).obstacle,
    preparations: (candidate) => choose(unbound, candidate, storage).preparations,
    committed: claims.some(({ metadata }) => metadata.annotations?.[selectedNodeAnnotation] !== undefined),
  };
}

function problemOf(pod: Pod, volume: Volume, name: string, claim: PersistentVolumeClaim | undefined): string | undefined {
  if (!claim) {
    return volume.ephemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`;
  }
  if (claim.status?.phase === "Lost") {
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ""}"`;
  }
  if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
  if (volume.ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid) return foreignClaim(claim, pod);
  return undefined;
}

/** Why a claim cannot serve as the ephemeral volume of a Pod. */
export const foreignClaim = ({ metadata }: PersistentVolumeClaim, pod: Pod): string =>
  `PVC ${metadata.namespace}/${metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;

const usedByAnother: VolumeObstacle = {
  reason: "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
  resolvable: true,
};

function boundObstacle(claims: readonly PersistentVolumeClaim[], node: Node, storage: StorageState): VolumeObstacle | undefined {
  for (const { spec } of claims) {
    const volume = storage.volume(spec.volumeName ?? "");
    if (!volume) return never("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
    if (!isReachable(volume, node)) return never("node(s) didn't match PersistentVolume's node affinity");
  }
  return undefined;
}

const nothingToBind: Choice = { obstacle: never("node(s) didn't find available persistent volumes to bind"), preparations: [] };

interface Choice {
  readonly obstacle: VolumeObstacle | undefined;
  readonly preparations: readonly Preparation[];
}

/** Finds a volume for each claim, or has one made on the Node. Small claims choose first: they fit into most. */
function choose(unbound: readonly PersistentVolumeClaim[], node: Node, storage: StorageState): Choice {
  const preparations: Preparation[] = [];
  const taken = new Set<string>();
  for (const claim of unbound.toSorted((one, other) => compare(requestedStorage(one), requestedStorage(other)))) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined) {
      if (selected !== node.metadata.name) return nothingToBind;
      continue;
    }
    const volume = bestVolume(claim, storage.freeVolumes(), { node, except: taken });
    if (volume) {
      taken.add(volume.metadata.name);
      preparations.push({ claim, volume });
      continue;
    }
    const storageClass = storage.storageClass(classOfClaim(claim));
    const isMade = storageClass && storageClass.provisioner !== noProvisioner && allowsTopology(storageClass, node.metadata.labels);
    if (!isMade) return nothingToBind;
    preparations.push({ claim, node: node.metadata.name });
  }
  return { obstacle: undefined, preparations };
}
