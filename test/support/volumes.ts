/** Builders of claims, volumes and classes of volumes, as the server hands them out. */
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../shared/api/generated/types.ts";
import type { ObjectMeta } from "../../shared/api/objects.ts";
import { meta } from "./workloads.ts";

export interface ClaimGiven {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<PersistentVolumeClaim["spec"]>;
  readonly phase?: string;
}

/** A claim for 1 GiB of the class `local`, of a server that stamps `uid-of-NAME`. */
export const aVolumeClaim = (name = "data", { metadata, spec, phase = "Pending" }: ClaimGiven = {}): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta(name, metadata),
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "local",
    volumeMode: "Filesystem",
    ...spec,
  },
  status: { phase },
});

/** Fully bound to a volume of that name. */
export const aBoundClaim = (name: string, volumeName: string, given: ClaimGiven = {}): PersistentVolumeClaim =>
  aVolumeClaim(name, {
    phase: "Bound",
    ...given,
    metadata: { ...given.metadata, annotations: { "pv.kubernetes.io/bind-completed": "yes", ...given.metadata?.annotations } },
    spec: { volumeName, ...given.spec },
  });

const clusterScoped = (name: string, given: Partial<ObjectMeta> = {}): ObjectMeta => {
  const { namespace: _none, ...metadata } = meta(name, given);
  return metadata;
};

export interface VolumeGiven {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<PersistentVolume["spec"]>;
  readonly phase?: string;
}

/** A free folder of 1 GiB, of the class `local`. */
export const aVolume = (name = "pv-1", { metadata, spec, phase = "Available" }: VolumeGiven = {}): PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: clusterScoped(name, metadata),
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "local",
    volumeMode: "Filesystem",
    hostPath: { path: `/volumes/${name}` },
    ...spec,
  },
  status: { phase },
});

export const onHost = (hostname: string): PersistentVolume["spec"]["nodeAffinity"] => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [hostname] }] }] },
});

/** The volume that a claim is bound to, on a Node. */
export const aVolumeOf = (
  { metadata, spec: { volumeName = "pv-1" } }: PersistentVolumeClaim,
  spec: Partial<PersistentVolume["spec"]> = {},
  hostname = "node-1",
): PersistentVolume =>
  aVolume(volumeName, {
    phase: "Bound",
    spec: {
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
      nodeAffinity: onHost(hostname),
      ...spec,
    },
  });

export const aClass = (
  name = "local",
  given: { readonly metadata?: Partial<ObjectMeta> } & Partial<Omit<StorageClass, "metadata">> = {},
): StorageClass => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  provisioner: "binnacle.dev/local",
  reclaimPolicy: "Delete",
  volumeBindingMode: "Immediate",
  ...given,
  metadata: clusterScoped(name, given.metadata),
});

export const late = { volumeBindingMode: "WaitForFirstConsumer" };
