/** Makes the claims behind the ephemeral volumes of Pods; they go with their Pods. */
import type { PersistentVolumeClaim, Pod, Volume } from "../../api/generated/types.ts";
import { persistentVolumeClaims, pods } from "../../api/kinds.ts";
import { controllerOf, type Draft, keyOf } from "../../api/objects.ts";
import { copyOf } from "../../api/patch/values.ts";
import type { Controller, ControllerContext, Watched } from "../../runtime/controller.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { claimNameOf, foreignClaim } from "../../scheduler/volumes/pod-volumes.ts";
import { indexed } from "../common/indexed.ts";
import { controllerReference } from "../common/owners.ts";
import { isTerminal } from "../common/pods.ts";
import { all, isNamespaceTerminating, messageOf } from "../common/settle.ts";

const hasEphemeral = ({ spec }: Pod): boolean => spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) ?? false;

const podsByClaim = indexed<Pod>((pod) =>
  (pod.spec.volumes ?? []).flatMap((volume) =>
    volume.ephemeral ? [`${pod.metadata.namespace ?? ""}/${claimNameOf(pod, volume) ?? ""}`] : [],
  ),
);

export function ephemeralVolumeController(): Controller {
  return {
    name: "ephemeral_volume",
    watches: [
      { kind: pods, keys: ({ previous, next }) => (next && !previous && hasEphemeral(next) ? [keyOf(next)] : []) } satisfies Watched<Pod>,
      {
        // One that is deleted while its Pod has not started is made again.
        kind: persistentVolumeClaims,
        keys: ({ previous, next }, { lister }) =>
          next || !previous
            ? []
            : podsByClaim.of(lister(pods), `${previous.metadata.namespace ?? ""}/${previous.metadata.name}`).map(keyOf),
      } satisfies Watched<PersistentVolumeClaim>,
    ],
    async reconcile(key, context) {
      const pod = context.lister(pods).get(key);
      if (!pod || pod.metadata.deletionTimestamp || isTerminal(pod)) return;
      await all((pod.spec.volumes ?? []).filter(({ ephemeral }) => ephemeral !== undefined).map((volume) => provide(pod, volume, context)));
    },
  };
}

async function provide(pod: Pod, volume: Volume, { lister, client, event }: ControllerContext): Promise<void> {
  const draft = claimOf(pod, volume);
  const found = lister(persistentVolumeClaims).get(keyOf(draft));
  const warn = (why: string) => event(pod, "Warning", "FailedBinding", `ephemeral volume ${volume.name}: ${why}`);
  if (found) {
    if (controllerOf(found)?.uid !== pod.metadata.uid) warn(foreignClaim(found, pod));
    return;
  }
  try {
    await client.create(persistentVolumeClaims, draft);
  } catch (error) {
    if (!isLostRace(error) && !isNamespaceTerminating(error)) warn(`create PVC ${draft.metadata.name ?? ""}: ${messageOf(error)}`);
    throw error;
  }
}

function claimOf(pod: Pod, volume: Volume): Draft<PersistentVolumeClaim> {
  const template = volume.ephemeral?.volumeClaimTemplate;
  const { labels, annotations } = template?.metadata ?? {};
  return {
    metadata: {
      name: claimNameOf(pod, volume) ?? "",
      namespace: pod.metadata.namespace ?? "",
      ...(labels && { labels: { ...labels } }),
      ...(annotations && { annotations: { ...annotations } }),
      ownerReferences: [controllerReference(pods, pod)],
    },
    spec: copyOf(template?.spec ?? {}),
  };
}
