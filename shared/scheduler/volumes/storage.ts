/** What the scheduler sees and writes of claims and volumes. */
import { isDeepStrictEqual } from "node:util";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import * as kinds from "../../api/kinds.ts";
import { bindCompletedAnnotation, selectedNodeAnnotation } from "../../api/storage-classes.ts";
import type { ControllerContext, Observed } from "../../runtime/controller.ts";
import { boundTo } from "./binding.ts";
import { claimNamesOf, type Preparation, type StorageState } from "./pod-volumes.ts";

/** What of a claim decides where its Pods can stand. */
const claimFacts = ({ metadata, spec, status }: PersistentVolumeClaim) => [
  metadata.deletionTimestamp,
  metadata.annotations?.[bindCompletedAnnotation],
  metadata.annotations?.[selectedNodeAnnotation],
  spec.volumeName,
  spec.storageClassName,
  status?.phase === "Lost",
];

export const claimMatters = ({ previous, next }: Observed<PersistentVolumeClaim>): boolean =>
  !previous || !next || !isDeepStrictEqual(claimFacts(previous), claimFacts(next));

const volumeFacts = ({ metadata, spec, status }: PersistentVolume) => [metadata.labels, metadata.deletionTimestamp, spec, status?.phase];

export const volumeMatters = ({ previous, next }: Observed<PersistentVolume>): boolean =>
  !previous || !next || !isDeepStrictEqual(volumeFacts(previous), volumeFacts(next));

const before = (one: Pod, other: Pod): boolean =>
  one.metadata.creationTimestamp === other.metadata.creationTimestamp
    ? one.metadata.uid < other.metadata.uid
    : one.metadata.creationTimestamp < other.metadata.creationTimestamp;

/** @param pods all of the cluster */
export function storageState({ lister }: Pick<ControllerContext, "lister">, pods: readonly Pod[]): StorageState {
  const claims = lister(kinds.persistentVolumeClaims);
  const volumes = lister(kinds.persistentVolumes);
  const classes = lister(kinds.storageClasses);
  let free: readonly PersistentVolume[] | undefined;
  let users: Map<string, Pod[]> | undefined;
  return {
    claim: (namespace, name) => claims.get({ namespace, name }),
    volume: (name) => volumes.get({ namespace: "", name }),
    storageClass: (name) => classes.get({ namespace: "", name }),
    freeVolumes: () => (free ??= [...volumes.all()].filter(({ spec }) => !spec.claimRef?.uid)),
    isUsed(namespace, name, except) {
      users ??= usersOfClaims(pods);
      return (users.get(`${namespace}/${name}`) ?? []).some((pod) => pod !== except && (Boolean(pod.spec.nodeName) || before(pod, except)));
    },
  };
}

/** Pods that have not ended, by the claims they use. */
function usersOfClaims(pods: readonly Pod[]): Map<string, Pod[]> {
  const users = new Map<string, Pod[]>();
  for (const pod of pods) {
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue;
    for (const name of claimNamesOf(pod)) {
      const key = `${pod.metadata.namespace ?? ""}/${name}`;
      const known = users.get(key);
      if (known) known.push(pod);
      else users.set(key, [pod]);
    }
  }
  return users;
}

/** Writes a choice down, at the versions that were seen; the controller of volumes does the rest. */
export async function prepare(preparation: Preparation, { client }: Pick<ControllerContext, "client">): Promise<void> {
  const { claim } = preparation;
  if ("volume" in preparation) {
    await client.update(kinds.persistentVolumes, boundTo(preparation.volume, claim));
    return;
  }
  const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: preparation.node };
  await client.update(kinds.persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations } });
}
