/** CSIDrivers, CSINodes, CSIStorageCapacities and VolumeAttachments: what storage drivers and Kubernetes tell each other. */
import type { CSIDriver, CSINode, CSINodeDriver, VolumeAttachment } from "../generated/types.ts";
import { wholeNumber } from "../json.ts";
import type { Problem } from "../kind.ts";
import { csiDrivers, csiNodes, csiStorageCapacities, volumeAttachments } from "../kinds.ts";
import { dnsSubdomainProblems, qualifiedNameProblems, rangeMessage } from "../names.ts";
import type { Given } from "../validation/given.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { validateDriverName } from "../validation/pod/volumes.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notSupported, required, tooLong } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { nonNegative, oneOf, validateNonNegativeAmount } from "../validation/values.ts";
import { behaviour, keepStatus, noGeneration, specGeneration, statusAlone } from "./behaviour.ts";
import { count, createdAt, flag, name, text } from "./cells.ts";
import { validateVolumeSpec } from "./persistent-volumes.ts";

function setDriverDefaults({ spec }: CSIDriver): void {
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

const tenMinutes = 600;
const longestToken = 2 ** 32;

function validateDriver({ spec }: CSIDriver): Problem[] {
  const audiences = new Set<string>();
  const modes = ["Persistent", "Ephemeral"];
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  return [
    ...oneOf(spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"], "spec.fsGroupPolicy"),
    ...eachItem("spec.tokenRequests", spec.tokenRequests, ({ audience, expirationSeconds: seconds }, at) => {
      if (audiences.has(audience)) return [duplicate(`${at}.audience`, audience)];
      audiences.add(audience);
      if (seconds === undefined) return [];
      const field = `${at}.expirationSeconds`;
      if (wholeNumber(seconds) < tenMinutes) return [invalid(field, seconds, "may not specify a duration less than 10 minutes")];
      return wholeNumber(seconds) > longestToken ? [invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")] : [];
    }),
    ...(spec.volumeLifecycleModes ?? [])
      .filter((mode) => !modes.includes(mode))
      .map((mode) => notSupported("spec.volumeLifecycleModes", mode, modes)),
    ...(period !== undefined && wholeNumber(period) < 10
      ? [invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds")]
      : []),
    ...(spec.serviceAccountTokenInSecrets !== undefined && (spec.tokenRequests ?? []).length === 0
      ? [
          invalid(
            "spec.serviceAccountTokenInSecrets",
            spec.serviceAccountTokenInSecrets,
            "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
          ),
        ]
      : []),
  ];
}

const tokenAdvice =
  "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";

export const csiDriverBehaviour = behaviour(csiDrivers, {
  defaults: setDriverDefaults,
  prepareForCreate: ({ spec }) => {
    delete spec.preventPodSchedulingIfMissing;
  },
  prepareForUpdate: ({ spec }, previous) => {
    if (previous.spec.preventPodSchedulingIfMissing === undefined) delete spec.preventPodSchedulingIfMissing;
  },
  validate: validateDriver,
  validateUpdate: ({ spec: next }, { spec: previous }) => [
    // The path is misspelled in Kubernetes.
    ...validateImmutable(next.attachRequired, previous.attachRequired, "spec.attachedRequired"),
    ...validateImmutable(next.volumeLifecycleModes, previous.volumeLifecycleModes, "spec.volumeLifecycleModes"),
  ],
  warnings: ({ spec }, previous) => {
    const isNew = !semanticallyEqual(spec.tokenRequests, previous?.spec.tokenRequests);
    return isNew && (spec.tokenRequests ?? []).length > 0 && spec.serviceAccountTokenInSecrets === undefined ? [tokenAdvice] : [];
  },
  beginsWithoutGeneration: true,
  generationFields: specGeneration,
  allowUnconditionalUpdate: false,
  columns: [
    flag("AttachRequired", ({ spec }) => spec.attachRequired ?? true),
    flag("PodInfoOnMount", ({ spec }) => spec.podInfoOnMount),
    flag("StorageCapacity", ({ spec }) => spec.storageCapacity),
    text("TokenRequests", ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>"),
    flag("RequiresRepublish", ({ spec }) => spec.requiresRepublish),
    text("Modes", ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>"),
  ],
});

const longestNodeId = 256;

function validateDrivers({ spec }: CSINode): Problem[] {
  const names = new Set<string>();
  return eachItem("spec.drivers", spec.drivers, (driver, at) => {
    const { nodeID = "", topologyKeys } = driver as Given<CSINodeDriver>;
    const twin = names.has(driver.name);
    names.add(driver.name);
    const keys = new Set<string>();
    return [
      ...validateDriverName(driver.name, `${at}.name`),
      ...(nodeID === "" ? [required(`${at}.nodeID`)] : []),
      ...(nodeID.length > longestNodeId ? [invalid(`${at}.nodeID`, nodeID, `must be ${longestNodeId} characters or less`)] : []),
      ...nonNegative(driver.allocatable?.count, `${at}.allocatable.count`),
      ...(twin ? [duplicate(`${at}.name`, driver.name)] : []),
      ...(topologyKeys ?? []).flatMap((key) => {
        const again = keys.has(key);
        keys.add(key);
        return [
          ...(key === "" ? [required(at)] : []),
          ...(again ? [duplicate(at, key)] : []),
          ...invalidEach(at, key, qualifiedNameProblems(key)),
        ];
      }),
    ];
  });
}

export const csiNodeBehaviour = behaviour(csiNodes, {
  validate: validateDrivers,
  validateUpdate: (next, previous) =>
    (previous.spec.drivers ?? []).flatMap((before) => {
      const after = next.spec.drivers?.find((driver) => driver.name === before.name);
      if (!after) return [];
      const [{ allocatable: _, ...was }, { allocatable: __, ...is }] = [before, after];
      return validateImmutable(is, was, "spec.drivers");
    }),
  generationFields: noGeneration,
  allowUnconditionalUpdate: false,
  columns: [count("Drivers", ({ spec }) => spec.drivers?.length ?? 0)],
});

export const csiStorageCapacityBehaviour = behaviour(csiStorageCapacities, {
  validate: ({ nodeTopology, storageClassName, capacity }) => [
    ...validateLabelSelector(nodeTopology, "nodeTopology"),
    ...invalidEach("storageClassName", storageClassName, dnsSubdomainProblems(storageClassName ?? "")),
    ...(capacity === undefined ? [] : validateNonNegativeAmount(capacity, "capacity")),
  ],
  validateUpdate: (next, previous) =>
    (["nodeTopology", "storageClassName"] as const)
      .filter((field) => !semanticallyEqual(next[field], previous[field]))
      .map((field) => invalid(field, next[field], "field is immutable")),
  generationFields: noGeneration,
  allowUnconditionalUpdate: false,
  ownAge: true,
  columns: [createdAt],
});

const metadataBytes = 256 * 1024;
const longestMessage = 1024;

function validateVolumeError(error: { message?: string | undefined; errorCode?: number | undefined } | undefined, path: string): Problem[] {
  const code = error?.errorCode;
  return [
    ...(Buffer.byteLength(error?.message ?? "") > longestMessage ? [tooLong(`${path}.message`, metadataBytes)] : []),
    ...(code !== undefined && code < 0 ? [invalid(`${path}.errorCode`, code, rangeMessage(0, 2_147_483_647))] : []),
  ];
}

function validateAttachment({ spec, status }: VolumeAttachment): Problem[] {
  const { inlineVolumeSpec, persistentVolumeName: volume } = spec.source ?? {};
  const path = "spec.source";
  const problems = validateDriverName(spec.attacher, "spec.attacher");
  if (inlineVolumeSpec && volume !== undefined) {
    problems.push(forbidden(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
  } else if (volume === "") problems.push(required(`${path}.persistentVolumeName`, "must specify non empty persistentVolumeName"));
  else if (inlineVolumeSpec) problems.push(...validateVolumeSpec(inlineVolumeSpec, `${path}.inlineVolumeSpec`, { isInline: true }));
  else if (volume === undefined) {
    problems.push(required(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
  }
  problems.push(...invalidEach("spec.nodeName", spec.nodeName, dnsSubdomainProblems(spec.nodeName ?? "")));
  const bytes = Object.entries(status?.attachmentMetadata ?? {}).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (bytes > metadataBytes) problems.push(tooLong("status.attachmentMetadata", metadataBytes));
  problems.push(...validateVolumeError(status?.attachError, "status.attachError"));
  problems.push(...validateVolumeError(status?.detachError, "status.detachError"));
  if (volume !== undefined) problems.push(...invalidEach("spec.source.persistentVolumeName", volume, dnsSubdomainProblems(volume)));
  return problems;
}

export const volumeAttachmentBehaviour = behaviour(volumeAttachments, {
  defaults: (attachment) => {
    attachment.status = { attached: false, ...attachment.status };
  },
  prepareForCreate: (attachment) => {
    attachment.status = { attached: false };
  },
  prepareForUpdate: keepStatus,
  ...statusAlone,
  validate: validateAttachment,
  validateUpdate: (next, previous) => validateImmutable(next.spec, previous.spec, "spec"),
  validateStatusUpdate: validateAttachment,
  generationFields: noGeneration,
  allowUnconditionalUpdate: false,
  ownName: true,
  columns: [
    name(),
    { ...text<VolumeAttachment>("Attacher", ({ spec }) => spec.attacher), format: "name" },
    text("PV", ({ spec }) => spec.source?.persistentVolumeName),
    text("Node", ({ spec }) => spec.nodeName),
    flag("Attached", ({ status }) => status?.attached),
  ],
});
