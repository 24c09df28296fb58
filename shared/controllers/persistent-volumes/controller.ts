/** Binds claims to volumes, makes local ones where they are asked for, and takes care of volumes whose claims are gone. */
import { isDeepStrictEqual } from "node:util";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/generated/types.ts";
import { nodes, persistentVolumeClaims, persistentVolumes, pods, storageClasses } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import { classOfClaim, classOfVolume, defaultClass, namesClass } from "../../api/storage-classes.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { boundTo } from "../../scheduler/volumes/binding.ts";
import { claimNamesOf } from "../../scheduler/volumes/pod-volumes.ts";
import { timestamp } from "../common/conditions.ts";
import { indexed } from "../common/indexed.ts";
import { isTerminal } from "../common/pods.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { unlessGone } from "../common/settle.ts";
import { boundClaim, boundStatus, type ClaimPlan, planClaim, unboundStatus, type VolumeEvent } from "./claim-plan.ts";
import { localProvisioner, type ProvisionerOptions } from "./provisioner.ts";
import { planVolume, type VolumePlan } from "./volume-plan.ts";

type Look = Pick<ControllerContext, "lister">;

const volumesByClaim = indexed<PersistentVolume>(({ spec }) =>
  spec.claimRef ? [`${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`] : [],
);
const claimsByVolume = indexed<PersistentVolumeClaim>(({ spec }) => (spec.volumeName ? [spec.volumeName] : []));
/** Under the name of their class; those that name none under both. */
const waitingClaims = indexed<PersistentVolumeClaim>((claim) => {
  if (claim.spec.volumeName) return [];
  return namesClass(claim) ? [classOfClaim(claim), anyClass] : ["", anyClass];
});
const anyClass = "*";
const podsByClaim = indexed<Pod>((pod) => claimNamesOf(pod).map((name) => `${pod.metadata.namespace ?? ""}/${name}`));

const volumeKey = (name: string): ObjectKey => ({ namespace: "", name });

export function persistentVolumeController(provisioner: ProvisionerOptions): Controller {
  return {
    name: "persistentvolume-controller",
    watches: [
      { kind: persistentVolumeClaims, keys: claimKeys } satisfies Watched<PersistentVolumeClaim>,
      { kind: persistentVolumes, keys: volumeKeys } satisfies Watched<PersistentVolume>,
      { kind: storageClasses, keys: classKeys } satisfies Watched<StorageClass>,
      { kind: nodes, keys: nodeKeys } satisfies Watched<Node>,
      { kind: pods, keys: podKeys } satisfies Watched<Pod>,
    ],
    async reconcile(key, context) {
      if (key.namespace === "") await reconcileVolume(key, context);
      else await reconcileClaim(key, provisioner, context);
    },
  };
}

/** The claim itself, and volumes that belong to it. */
function claimKeys({ previous, next }: Observed<PersistentVolumeClaim>, { lister }: Look): ObjectKey[] {
  const claim = next ?? previous;
  if (!claim) return [];
  const { namespace = "", name } = claim.metadata;
  const named = [previous?.spec.volumeName, next?.spec.volumeName].filter((volume) => volume !== undefined);
  return [
    ...(next ? [keyOf(next)] : []),
    ...named.map(volumeKey),
    ...volumesByClaim.of(lister(persistentVolumes), `${namespace}/${name}`).map(keyOf),
  ];
}

/** The volume itself, its claim, and claims that may want it. */
function volumeKeys({ previous, next }: Observed<PersistentVolume>, { lister }: Look): ObjectKey[] {
  const volume = next ?? previous;
  if (!volume) return [];
  const claims = lister(persistentVolumeClaims);
  const referred = [previous, next].flatMap((state) => {
    const reference = state?.spec.claimRef;
    return reference ? [{ namespace: reference.namespace ?? "", name: reference.name ?? "" }] : [];
  });
  const isFree = next?.status?.phase === "Available" && !isDeepStrictEqual(next, previous);
  return [
    ...(next ? [keyOf(next)] : []),
    ...referred,
    ...claimsByVolume.of(claims, volume.metadata.name).map(keyOf),
    ...(isFree ? waitingClaims.of(claims, classOfVolume(next)).map(keyOf) : []),
  ];
}

const classKeys = ({ previous, next }: Observed<StorageClass>, { lister }: Look): ObjectKey[] => {
  const claims = lister(persistentVolumeClaims);
  const name = (next ?? previous)?.metadata.name ?? "";
  return [...waitingClaims.of(claims, name), ...waitingClaims.of(claims, "")].map(keyOf);
};

const placingFacts = (node: Node | undefined) => [node?.metadata.labels, node?.spec?.taints, node?.spec?.unschedulable];

function nodeKeys({ previous, next }: Observed<Node>, { lister }: Look): ObjectKey[] {
  if (previous && next && isDeepStrictEqual(placingFacts(previous), placingFacts(next))) return [];
  return waitingClaims.of(lister(persistentVolumeClaims), anyClass).map(keyOf);
}

/** A claim says which Pods it waits for. */
function podKeys({ previous, next }: Observed<Pod>, { lister }: Look): ObjectKey[] {
  if (previous || !next) return [];
  return claimNamesOf(next).flatMap((name) => {
    const claim = lister(persistentVolumeClaims).get({ namespace: next.metadata.namespace ?? "", name });
    return claim && !claim.spec.volumeName ? [keyOf(claim)] : [];
  });
}

async function reconcileClaim(key: ObjectKey, provisioner: ProvisionerOptions, context: ControllerContext): Promise<void> {
  const { lister } = context;
  const claim = lister(persistentVolumeClaims).get(key);
  if (!claim) return;
  const volumes = lister(persistentVolumes);
  const classes = lister(storageClasses);
  const plan = planClaim({
    claim,
    volume: (name) => volumes.get(volumeKey(name)),
    volumes: () => volumes.all(),
    storageClass: (name) => classes.get(volumeKey(name)),
    defaultClass: () => defaultClass(classes.all()),
    nodes: () => [...lister(nodes).all()],
    waiting: () =>
      podsByClaim
        .of(lister(pods), `${key.namespace}/${key.name}`)
        .filter((pod) => !pod.spec.nodeName && !isTerminal(pod))
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    provisioner,
  });
  await carryOut(claim, plan, context);
}

async function carryOut(claim: PersistentVolumeClaim, { step, phase, events }: ClaimPlan, context: ControllerContext): Promise<void> {
  const { client, event } = context;
  let current = claim;
  switch (step.type) {
    case "bind":
      return bind(claim, step.volume, context);
    case "update":
      current = await client.update(persistentVolumeClaims, step.claim);
      break;
    case "provision": {
      if (step.claim !== claim) await client.update(persistentVolumeClaims, step.claim);
      const { metadata } = await client.create(persistentVolumes, step.volume);
      event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${metadata.name} using ${localProvisioner}`);
      return;
    }
    case "nothing":
      break;
  }
  if (phase) {
    const status = unboundStatus(current, phase);
    if (!semanticEqual(status, current.status)) await client.updateStatus(persistentVolumeClaims, { ...current, status });
  }
  tell(claim, events, event);
}

const tell = (about: PersistentVolume | PersistentVolumeClaim, events: readonly VolumeEvent[], event: ControllerContext["event"]): void => {
  for (const { type, reason, message } of events) event(about, type, reason, message);
};

/** The volume first: whoever has its mark has it. Each write is conditional on what the one before has left. */
async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, { client, clock }: ControllerContext): Promise<void> {
  const marked = boundTo(volume, claim);
  const taken = marked === volume ? volume : await client.update(persistentVolumes, marked);
  if (taken.status?.phase !== "Bound") await client.updateStatus(persistentVolumes, inPhase(taken, "Bound", clock.now()));
  const next = boundClaim(claim, volume);
  const bound = next === claim ? claim : await client.update(persistentVolumeClaims, next);
  const status = boundStatus(bound, volume);
  if (!semanticEqual(status, bound.status)) await client.updateStatus(persistentVolumeClaims, { ...bound, status });
}

/** The server does not note the time of a transition: whoever makes it does. */
function inPhase(volume: PersistentVolume, phase: string, now: Date): PersistentVolume {
  const { message: _message, reason: _reason, ...rest } = volume.status ?? {};
  return { ...volume, status: { ...rest, phase, lastPhaseTransitionTime: timestamp(now) } };
}

async function reconcileVolume(key: ObjectKey, context: ControllerContext): Promise<void> {
  const { lister, client } = context;
  const volume = lister(persistentVolumes).get(key);
  if (!volume) return;
  const { claimRef } = volume.spec;
  const claimKey = { namespace: claimRef?.namespace ?? "", name: claimRef?.name ?? "" };
  let claim = claimRef && lister(persistentVolumeClaims).get(claimKey);
  // A volume may be younger than what is known of claims. Nothing is released before a newer look.
  if (claimRef?.uid && claim?.metadata.uid !== claimRef.uid) claim = await client.get(persistentVolumeClaims, claimKey);
  await settleVolume(volume, claim, planVolume(volume, claim), context);
}

async function settleVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
  plan: VolumePlan,
  { client, clock, event }: ControllerContext,
): Promise<void> {
  let current = plan.update ? await client.update(persistentVolumes, plan.update) : volume;
  if (plan.phase && current.status?.phase !== plan.phase) {
    current = await client.updateStatus(persistentVolumes, inPhase(current, plan.phase, clock.now()));
  }
  tell(volume, plan.events, event);
  if (claim) tell(claim, plan.claimEvents, event);
  if (!plan.delete) return;
  const { uid, resourceVersion } = current.metadata;
  await client.delete(persistentVolumes, keyOf(volume), { uid, resourceVersion }).catch(unlessGone);
}
