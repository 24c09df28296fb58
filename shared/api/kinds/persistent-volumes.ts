/** PersistentVolumes. */
import type { PersistentVolume, PersistentVolumeSpec } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { persistentVolumes } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { canonicalQuantity } from "../quantity.ts";
import { describeChanges } from "../validation/changes.ts";
import { validateAccessModes, volumeModes } from "../validation/claim-spec.ts";
import { inOrder } from "../validation/labels.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { validateNoBacksteps } from "../validation/paths.ts";
import { validateLegacySource } from "../validation/pod/legacy-volumes.ts";
import { validateNodeSelector } from "../validation/pod/scheduling.ts";
import { validateDriverName, validateHostPath } from "../validation/pod/volumes.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { oneOf, validatePositiveAmount, validateStoredAmount } from "../validation/values.ts";
import { behaviour, keepStatus, noGeneration } from "./behaviour.ts";
import { age, text, wide } from "./cells.ts";
import { nodeTermWarnings } from "./pod-warnings.ts";

/** Where the bytes may lie; a volume has exactly one of these. */
const sources = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "flocker",
  "nfs",
  "rbd",
  "quobyte",
  "cephfs",
  "iscsi",
  "cinder",
  "fc",
  "flexVolume",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "scaleIO",
  "local",
  "storageos",
  "csi",
] as const;

type Source = (typeof sources)[number];

type Reference = { readonly name?: string | undefined; readonly namespace?: string | undefined };

function validateReference({ name, namespace }: Reference, path: string): Problem[] {
  return [
    ...(name ? invalidEach(`${path}.name`, name, dnsSubdomainProblems(name)) : [required(`${path}.name`)]),
    ...(namespace ? invalidEach(`${path}.namespace`, namespace, dnsLabelProblems(namespace)) : [required(`${path}.namespace`)]),
  ];
}

function validateCsi(csi: NonNullable<PersistentVolumeSpec["csi"]>, path: string): Problem[] {
  const secrets = ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"] as const;
  return [
    ...validateDriverName(csi.driver, `${path}.driver`),
    ...(csi.volumeHandle ? [] : [required(`${path}.volumeHandle`)]),
    ...secrets.flatMap((secret) => {
      const reference = csi[secret];
      return reference ? validateReference(reference, `${path}.${secret}`) : [];
    }),
  ];
}

function validateSource(spec: PersistentVolumeSpec, source: Source, path: string): Problem[] {
  const at = `${path}.${source}`;
  if (source === "hostPath" && spec.hostPath) return validateHostPath(spec.hostPath, at);
  if (source === "csi" && spec.csi) return validateCsi(spec.csi, at);
  if (source === "local" && spec.local) {
    return [
      ...(spec.local.path ? validateNoBacksteps(spec.local.path, `${at}.path`) : [required(`${at}.path`)]),
      ...(spec.nodeAffinity ? [] : [required(`${path}.nodeAffinity`, "Local volume requires node affinity")]),
    ];
  }
  return validateLegacySource(source, spec[source], at, path);
}

function validateSources(spec: PersistentVolumeSpec, path: string): Problem[] {
  const given = sources.filter((source) => spec[source] !== undefined);
  const [first, ...others] = given;
  if (first === undefined) return [required(path, "must specify a volume type")];
  return [
    ...validateSource(spec, first, path),
    // Upstream lets this one stand beside another.
    ...(others.includes("flexVolume") ? validateSource(spec, "flexVolume", path) : []),
    ...others
      .filter((source) => source !== "flexVolume")
      .map((source) => forbidden(`${path}.${source === "cephfs" ? "cephFS" : source}`, "may not specify more than 1 volume type")),
  ];
}

function validateCapacity(capacity: Readonly<Record<string, string>> = {}, path: string): Problem[] {
  const names = Object.keys(capacity);
  return [
    ...(names.length === 0 ? [required(path)] : []),
    ...(names.length > 1 || capacity.storage === undefined
      ? [notSupported(path, names.length === 0 ? null : inOrder(capacity), ["storage"])]
      : []),
    ...Object.entries(capacity).flatMap(([name, amount]) => [
      ...validateStoredAmount(amount, `${path}[${name}]`),
      ...validatePositiveAmount(amount, `${path}[${name}]`),
    ]),
  ];
}

const inline = "in the context of inline volumes";

/** What a volume described within another object may not say. */
const validateInline = (spec: PersistentVolumeSpec, path: string): Problem[] => [
  ...(["claimRef", "nodeAffinity"] as const)
    .filter((field) => spec[field] !== undefined)
    .map((field) => forbidden(`${path}.${field}`, `may not be specified ${inline}`)),
  ...(Object.keys(spec.capacity ?? {}).length > 0 ? [forbidden(`${path}.capacity`, `may not be specified ${inline}`)] : []),
  ...(spec.csi ? [] : [required(`${path}.csi`, `has to be specified ${inline}`)]),
  ...(spec.persistentVolumeReclaimPolicy && spec.persistentVolumeReclaimPolicy !== "Retain"
    ? [forbidden(`${path}.persistentVolumeReclaimPolicy`, `may only be Retain ${inline}`)]
    : []),
  ...(spec.storageClassName ? [forbidden(`${path}.storageClassName`, `may not be specified ${inline}`)] : []),
  ...(spec.volumeMode !== undefined && spec.volumeMode !== "Filesystem"
    ? [forbidden(`${path}.volumeMode`, `may not specify volumeMode other than Filesystem ${inline}`)]
    : []),
];

function validateOwn(spec: PersistentVolumeSpec, path: string): Problem[] {
  const { nodeAffinity } = spec;
  const affinity = `${path}.nodeAffinity.required`;
  return [
    ...validateCapacity(spec.capacity, `${path}.capacity`),
    ...oneOf(spec.persistentVolumeReclaimPolicy, ["Delete", "Recycle", "Retain"], `${path}.persistentVolumeReclaimPolicy`),
    ...(nodeAffinity
      ? nodeAffinity.required
        ? validateNodeSelector(nodeAffinity.required, affinity)
        : [required(affinity, "must specify required node constraints")]
      : []),
  ];
}

const validateClassAndMode = ({ storageClassName, volumeMode }: PersistentVolumeSpec, path: string): Problem[] => [
  ...(storageClassName ? invalidEach(`${path}.storageClassName`, storageClassName, dnsSubdomainProblems(storageClassName)) : []),
  ...oneOf(volumeMode, volumeModes, `${path}.volumeMode`),
];

export function validateVolumeSpec(
  spec: PersistentVolumeSpec,
  path: string,
  { isInline }: { readonly isInline: boolean } = { isInline: false },
): Problem[] {
  const attributes = spec.volumeAttributesClassName;
  const isRoot = spec.hostPath && /^\/+(\.?\/)*\.?$/.test(spec.hostPath.path ?? "");
  return [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, ""),
    ...(isInline ? validateInline(spec, path) : validateOwn(spec, path)),
    ...validateSources(spec, path),
    ...(isRoot && spec.persistentVolumeReclaimPolicy === "Recycle"
      ? [forbidden(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'")]
      : []),
    ...(isInline ? [] : validateClassAndMode(spec, path)),
    ...(attributes === undefined
      ? []
      : [
          ...(attributes
            ? invalidEach(`${path}.volumeAttributesClassName`, attributes, dnsSubdomainProblems(attributes))
            : [required(`${path}.volumeAttributesClassName`, "an empty string is disallowed")]),
          ...(spec.csi ? [] : [required(`${path}.csi`, "has to be specified when using volumeAttributesClassName")]),
        ]),
  ];
}

const mountOptions = "volume.beta.kubernetes.io/mount-options";
const mountable: readonly Source[] = [
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "nfs",
  "rbd",
  "quobyte",
  "iscsi",
  "cinder",
  "cephfs",
  "azureFile",
  "vsphereVolume",
  "azureDisk",
  "photonPersistentDisk",
];

function validateMountOptions({ metadata, spec }: PersistentVolume): Problem[] {
  if (metadata.annotations?.[mountOptions] === undefined || mountable.some((source) => spec[source] !== undefined)) return [];
  return [forbidden(`metadata.annotations.${mountOptions}`, "may not specify mount options for this volume type")];
}

const sourceOf = (spec: PersistentVolumeSpec): object => Object.fromEntries(sources.map((source) => [source, spec[source]]));

/** Labels that nodes had before, under the names that they have now. */
const renewedLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};

function withRenewedLabels(affinity: PersistentVolumeSpec["nodeAffinity"]): object {
  const terms = affinity?.required?.nodeSelectorTerms ?? [];
  return terms.map((term) => ({
    ...term,
    matchExpressions: term.matchExpressions?.map((expression) => ({ ...expression, key: renewedLabels[expression.key] ?? expression.key })),
  }));
}

function validateChange({ spec: next }: PersistentVolume, { spec: previous }: PersistentVolume): Problem[] {
  const problems: Problem[] = [];
  const after = copyOf(next);
  if (previous.csi && !previous.csi.controllerExpandSecretRef) delete after.csi?.controllerExpandSecretRef;
  if (!semanticallyEqual(sourceOf(after), sourceOf(previous))) {
    const changes = describeChanges(sourceOf(previous), sourceOf(after), "spec");
    problems.push(forbidden("spec.persistentvolumesource", `spec.persistentvolumesource is immutable after creation\n${changes}`));
  }
  problems.push(...validateImmutable(next.volumeMode, previous.volumeMode, "volumeMode"));
  if (previous.nodeAffinity && !semanticallyEqual(next.nodeAffinity, previous.nodeAffinity)) {
    const isRenewed = semanticallyEqual(withRenewedLabels(next.nodeAffinity), withRenewedLabels(previous.nodeAffinity));
    if (!isRenewed) {
      problems.push(invalid("nodeAffinity", next.nodeAffinity, "field is immutable, except for updating from beta label to GA"));
    }
  }
  if (previous.volumeAttributesClassName !== undefined && next.volumeAttributesClassName === undefined) {
    problems.push(forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
  }
  return problems;
}

const removedSources: Partial<Readonly<Record<Source, string>>> = {
  cephfs: "cephfs: deprecated in v1.28, non-functional in v1.31+",
  photonPersistentDisk: "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
  scaleIO: "scaleIO: deprecated in v1.16, non-functional in v1.22+",
  storageos: "storageOS: deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "glusterfs: deprecated in v1.25, non-functional in v1.26+",
  rbd: "rbd: deprecated in v1.28, non-functional in v1.31+",
};

function warnings({ metadata, spec }: PersistentVolume): string[] {
  const marks = [
    { mark: storageClassMark, since: "v1.8", field: "storageClassName" },
    { mark: mountOptions, since: "v1.31", field: "mountOptions" },
  ];
  return [
    ...marks
      .filter(({ mark }) => metadata.annotations?.[mark] !== undefined)
      .map(({ mark, since, field }) => `metadata.annotations[${mark}]: deprecated since ${since}; use "${field}" attribute instead`),
    ...(spec.persistentVolumeReclaimPolicy === "Recycle"
      ? [
          "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
        ]
      : []),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      nodeTermWarnings(term, false, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`),
    ),
    ...sources.flatMap((source) => (spec[source] && removedSources[source] ? [`spec.${removedSources[source]}`] : [])),
  ];
}

/** The class of a volume or claim, before there was a field for it. */
export const storageClassMark = "volume.beta.kubernetes.io/storage-class";

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** `RWO,RWX`, in this order, whatever theirs is. */
export const accessModesCell = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : []))
    .join(",");

export const persistentVolumeBehaviour = behaviour(persistentVolumes, {
  defaults: (volume) => {
    const spec = (volume.spec ??= {});
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    const status = (volume.status ??= {});
    status.phase ||= "Pending";
    if (spec.hostPath) spec.hostPath.type ??= "";
    if (spec.iscsi) spec.iscsi.iscsiInterface ||= "default";
    if (spec.rbd) {
      spec.rbd.pool ||= "rbd";
      spec.rbd.user ||= "admin";
      spec.rbd.keyring ||= "/etc/ceph/keyring";
    }
    if (spec.azureDisk) {
      spec.azureDisk.cachingMode ??= "ReadWrite";
      spec.azureDisk.kind ??= "Shared";
      spec.azureDisk.fsType ??= "ext4";
      spec.azureDisk.readOnly ??= false;
    }
    if (spec.scaleIO) {
      spec.scaleIO.storageMode ||= "ThinProvisioned";
      spec.scaleIO.fsType ||= "xfs";
    }
  },
  prepareForCreate: (volume) => {
    const { creationTimestamp: now } = volume.metadata;
    volume.status = { phase: "Pending", ...(now && { lastPhaseTransitionTime: now }) };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec ?? {});
    const before = previous.status;
    // Who changes the phase says when; nobody else needs to repeat it.
    if (next.status?.phase === before?.phase && before?.lastPhaseTransitionTime) {
      (next.status ??= {}).lastPhaseTransitionTime ??= before.lastPhaseTransitionTime;
    }
  },
  validate: (volume) => [...validateVolumeSpec(volume.spec ?? {}, "spec"), ...validateMountOptions(volume)],
  validateUpdate: validateChange,
  warnings,
  generationFields: noGeneration,
  ownAge: true,
  columns: [
    text("Capacity", ({ spec }) => canonicalQuantity(spec?.capacity?.storage ?? "0")),
    text("Access Modes", ({ spec }) => accessModesCell(spec?.accessModes)),
    text("Reclaim Policy", ({ spec }) => spec?.persistentVolumeReclaimPolicy),
    text("Status", ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : status?.phase)),
    text("Claim", ({ spec }) => spec?.claimRef && `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`),
    text("StorageClass", ({ metadata, spec }) => metadata.annotations?.[storageClassMark] ?? spec?.storageClassName),
    text("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>"),
    text("Reason", ({ status }) => status?.reason),
    age,
    wide(text("VolumeMode", ({ spec }) => spec?.volumeMode ?? "<unset>")),
  ],
});
