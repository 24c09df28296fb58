/** Keeps claims that Pods use, and volumes that claims use, until they are used no more: deleted data does not come back. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { persistentVolumeClaims, persistentVolumes, pods } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { claimNamesOf } from "../../scheduler/volumes/pod-volumes.ts";
import { claimFinalizer, isBound, isConcerned, protect, uses, volumeFinalizer } from "./plan.ts";

export function volumeProtectionController(): Controller {
  return {
    name: "volume-protection-controller",
    watches: [
      {
        kind: persistentVolumeClaims,
        keys: ({ next }) => (next && isConcerned(next, claimFinalizer) ? [keyOf(next)] : []),
      } satisfies Watched<PersistentVolumeClaim>,
      {
        kind: persistentVolumes,
        keys: ({ next }) => (next && isConcerned(next, volumeFinalizer) ? [keyOf(next)] : []),
      } satisfies Watched<PersistentVolume>,
      { kind: pods, keys: podKeys } satisfies Watched<Pod>,
    ],
    async reconcile(key, context) {
      if (key.namespace === "") await reconcileVolume(key, context);
      else await reconcileClaim(key, context);
    },
  };
}

/** Claims that are being deleted may have waited for this Pod. */
function podKeys({ previous, next }: Observed<Pod>, { lister }: Pick<ControllerContext, "lister">): ObjectKey[] {
  const isOver = !next || (next.metadata.deletionTimestamp !== undefined && next.metadata.deletionGracePeriodSeconds === 0);
  const pod = previous ?? next;
  if (!isOver || !pod) return [];
  const namespace = pod.metadata.namespace ?? "";
  return claimNamesOf(pod)
    .map((name) => ({ namespace, name }))
    .filter((key) => lister(persistentVolumeClaims).get(key)?.metadata.deletionTimestamp !== undefined);
}

async function reconcileClaim(key: ObjectKey, { lister, client }: ControllerContext): Promise<void> {
  const claim = lister(persistentVolumeClaims).get(key);
  if (!claim || !isConcerned(claim, claimFinalizer)) return;
  if (claim.metadata.deletionTimestamp) {
    if (
      lister(pods)
        .inNamespace(key.namespace)
        .some((pod) => uses(pod, key.name))
    )
      return;
    // Nothing is let go before a look that began after its deletion was seen.
    const { items } = await client.list(pods, { namespace: key.namespace });
    if (items.some((pod) => uses(pod, key.name))) return;
  }
  await client.modify(persistentVolumeClaims, key, (current) =>
    current.metadata.uid === claim.metadata.uid
      ? protect(current, claimFinalizer, current.metadata.deletionTimestamp !== claim.metadata.deletionTimestamp)
      : current,
  );
}

async function reconcileVolume(key: ObjectKey, { lister, client }: ControllerContext): Promise<void> {
  const volume = lister(persistentVolumes).get(key);
  if (!volume || !isConcerned(volume, volumeFinalizer)) return;
  if (volume.metadata.deletionTimestamp && isBound(volume)) return;
  await client.modify(persistentVolumes, key, (current) =>
    current.metadata.uid === volume.metadata.uid ? protect(current, volumeFinalizer, isBound(current)) : current,
  );
}
