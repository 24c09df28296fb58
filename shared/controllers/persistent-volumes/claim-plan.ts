/**
 * Decides what a claim needs: a volume that is there, one that has to be made, or patience. Pure.
 * @see k8s.io/kubernetes/pkg/controller/volume/persistentvolume, syncClaim
 */
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import type { Draft } from "../../api/objects.ts";
import {
  bindCompletedAnnotation,
  bindsLate,
  boundByControllerAnnotation,
  classOfClaim,
  namesClass,
  selectedNodeAnnotation,
} from "../../api/storage-classes.ts";
import { bestVolume, isFor, mismatch } from "../../scheduler/volumes/matching.ts";
import { type ProvisionerOptions, provision, serves, volumeName } from "./provisioner.ts";

const provisionerAnnotations = ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];

export interface ClaimState {
  readonly claim: PersistentVolumeClaim;
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly volumes: () => Iterable<PersistentVolume>;
  readonly storageClass: (name: string) => StorageClass | undefined;
  readonly defaultClass: () => StorageClass | undefined;
  readonly nodes: () => readonly Node[];
  /** Names of Pods that use the claim and have no place yet. */
  readonly waiting: () => readonly string[];
  readonly provisioner: ProvisionerOptions;
}

export interface VolumeEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export type ClaimStep =
  | { readonly type: "nothing" }
  /** Volume and claim get what they lack of the marks of their binding. */
  | { readonly type: "bind"; readonly volume: PersistentVolume }
  /** The claim's next state, before anything else can be done for it. */
  | { readonly type: "update"; readonly claim: PersistentVolumeClaim }
  /** First the claim's next state, where it differs, then the volume. */
  | { readonly type: "provision"; readonly claim: PersistentVolumeClaim; readonly volume: Draft<PersistentVolume> };

export interface ClaimPlan {
  readonly step: ClaimStep;
  /** Where the claim stands when nothing could be bound. */
  readonly phase?: "Pending" | "Lost";
  readonly events: readonly VolumeEvent[];
}

const normal = (reason: string, message: string): VolumeEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): VolumeEvent => ({ type: "Warning", reason, message });

const bind = (volume: PersistentVolume): ClaimPlan => ({ step: { type: "bind", volume }, events: [] });
const wait = (...events: readonly VolumeEvent[]): ClaimPlan => ({ step: { type: "nothing" }, phase: "Pending", events });

export function planClaim(state: ClaimState): ClaimPlan {
  const { claim } = state;
  if (claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined) return planBound(state);
  // Nobody is going to use it.
  if (claim.metadata.deletionTimestamp) return { step: { type: "nothing" }, events: [] };
  return claim.spec.volumeName ? planNamed(state, claim.spec.volumeName) : planUnbound(state);
}

/** It was bound once: either that is still so, or its data is lost. */
function planBound({ claim, volume }: ClaimState): ClaimPlan {
  const name = claim.spec.volumeName;
  if (!name) return lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  const found = volume(name);
  if (!found) return lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  if (found.spec.claimRef && found.spec.claimRef.uid !== claim.metadata.uid) {
    return lost(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
  }
  return bind(found);
}

const lost = ({ status }: PersistentVolumeClaim, reason: string, message: string): ClaimPlan => ({
  step: { type: "nothing" },
  phase: "Lost",
  events: status?.phase === "Lost" ? [] : [warning(reason, message)],
});

/** The user wants this volume and no other. */
function planNamed({ claim, volume }: ClaimState, name: string): ClaimPlan {
  const found = volume(name);
  if (!found) return wait();
  if (found.spec.claimRef) {
    return isFor(found, claim) ? bind(found) : wait(warning("FailedBinding", `volume "${name}" already bound to a different claim.`));
  }
  const problem = mismatch(found, claim);
  return problem === undefined ? bind(found) : wait(warning("VolumeMismatch", `Cannot bind to requested volume "${name}": ${problem}`));
}

function planUnbound(state: ClaimState): ClaimPlan {
  const { claim } = state;
  const className = classOfClaim(claim);
  const isLate = bindsLate(state.storageClass(className));
  const volume = bestVolume(claim, state.volumes(), { reservedOnly: isLate });
  if (volume) return bind(volume);

  const fallback = namesClass(claim) ? undefined : state.defaultClass();
  if (fallback) {
    const next = { ...claim, spec: { ...claim.spec, storageClassName: fallback.metadata.name } };
    return { step: { type: "update", claim: next }, events: [] };
  }
  if (isLate && claim.metadata.annotations?.[selectedNodeAnnotation] === undefined) return wait(waitsForConsumer(state.waiting()));
  if (className !== "") return planProvisioning(state, className);
  return wait(normal("FailedBinding", "no persistent volumes available for this claim and no storage class is set"));
}

function waitsForConsumer(pods: readonly string[]): VolumeEvent {
  if (pods.length === 0) return normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  return normal("WaitForPodScheduled", `waiting for ${pods.length === 1 ? "pod" : "pods"} ${pods.join(",")} to be scheduled`);
}

function planProvisioning(state: ClaimState, className: string): ClaimPlan {
  const { claim, provisioner } = state;
  const storageClass = state.storageClass(className);
  if (!serves(className, storageClass, provisioner)) return leaveToOthers(claim, className, storageClass);
  // Made already, and not fit for the claim (any more): not to be made twice.
  if (state.volume(volumeName(claim))) return wait();

  const result = provision(claim, storageClass, state.nodes(), state.volumes(), provisioner);
  if (result.type === "volume") {
    const next = withProvisioner(claim, storageClass?.provisioner);
    return { step: { type: "provision", claim: next, volume: result.draft }, events: [] };
  }
  const events = [warning("ProvisioningFailed", result.message)];
  if (!result.lostNode) return wait(...events);
  const { [selectedNodeAnnotation]: _node, ...annotations } = claim.metadata.annotations ?? {};
  return { step: { type: "update", claim: { ...claim, metadata: { ...claim.metadata, annotations } } }, events };
}

/** Some other provisioner may be at work: it wants to be called by name. */
function leaveToOthers(claim: PersistentVolumeClaim, className: string, storageClass: StorageClass | undefined): ClaimPlan {
  if (!storageClass) return wait(warning("ProvisioningFailed", `storageclass.storage.k8s.io "${className}" not found`));
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) {
    return wait(warning("ProvisioningFailed", `no volume plugin matched name: ${provisioner}`));
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  const next = withProvisioner(claim, provisioner);
  const step: ClaimStep = next === claim ? { type: "nothing" } : { type: "update", claim: next };
  return { step, phase: "Pending", events: [normal("ExternalProvisioning", message)] };
}

function withProvisioner(claim: PersistentVolumeClaim, provisioner: string | undefined): PersistentVolumeClaim {
  const given = claim.metadata.annotations ?? {};
  if (provisioner === undefined || provisionerAnnotations.every((name) => given[name] === provisioner)) return claim;
  const annotations = { ...given, ...Object.fromEntries(provisionerAnnotations.map((name) => [name, provisioner])) };
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}

/** The claim with the marks of its binding; the same object when it has them. */
export function boundClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const given = claim.metadata.annotations ?? {};
  const isNamed = claim.spec.volumeName === volume.metadata.name;
  if (isNamed && given[bindCompletedAnnotation] !== undefined) return claim;
  const annotations = { ...given, ...(!isNamed && { [boundByControllerAnnotation]: "yes" }), [bindCompletedAnnotation]: "yes" };
  return { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName: volume.metadata.name } };
}

/** The status of a claim that has its volume. The capacity is that of the volume when it was bound: it may be resized later. */
export function boundStatus({ status }: PersistentVolumeClaim, { spec }: PersistentVolume): NonNullable<PersistentVolumeClaim["status"]> {
  return {
    ...status,
    phase: "Bound",
    accessModes: spec.accessModes,
    ...(status?.phase !== "Bound" && { capacity: spec.capacity }),
    ...(status?.phase !== "Bound" &&
      spec.volumeAttributesClassName && { currentVolumeAttributesClassName: spec.volumeAttributesClassName }),
  };
}

/** The status of a claim that has none. */
export function unboundStatus({ status }: PersistentVolumeClaim, phase: "Pending" | "Lost"): NonNullable<PersistentVolumeClaim["status"]> {
  const { accessModes: _modes, capacity: _capacity, currentVolumeAttributesClassName: _attributes, ...rest } = status ?? {};
  return { ...rest, phase };
}
