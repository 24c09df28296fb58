/** Volumes of Pods: exactly one source each. */
import type { ProjectedVolumeSource, Volume } from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../names.ts";
import { toMilli } from "../../quantity.ts";
import { validateClaimSpec } from "../claim-spec.ts";
import { validateTemplateMetadata } from "../metadata.ts";
import { validateFileMode, validateNoBacksteps, validateUnreservedPath } from "../paths.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../problems.ts";
import { oneOf } from "../values.ts";
import { fileFields, type ResourceRef, validateFieldRef, validateResourceRef } from "./field-refs.ts";
import { validateLegacySource } from "./legacy-volumes.ts";

export interface VolumeContext {
  /** In a Pod, not in a template. */
  readonly isPod: boolean;
  /** Of the Pod, where it is known. */
  readonly podName: string;
}

/** The problems, and the volumes which containers may mount: those without problems, by name. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  context: VolumeContext,
  path: string,
): { readonly problems: Problem[]; readonly usable: ReadonlyMap<string, Volume> } {
  const usable = new Map<string, Volume>();
  const claimsToBe = new Set(
    (volumes ?? []).filter(({ ephemeral }) => ephemeral && context.podName).map(({ name }) => `${context.podName}-${name}`),
  );
  const problems = eachItem(path, volumes, (volume, at) => {
    const own = validateVolume(volume, context, at);
    if (usable.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name));
    if (own.length === 0) usable.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName ?? "";
    if (claimsToBe.has(claim)) {
      own.push(
        invalid(`${at}.persistentVolumeClaim.claimName`, claim, "must not reference a PVC that gets created for an ephemeral volume"),
      );
    }
    return own;
  });
  return { problems, usable };
}

/** Sources in the order in which they count: the first one given is checked, any other is one too many. */
const sources = [
  "emptyDir",
  "hostPath",
  "gitRepo",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "secret",
  "nfs",
  "iscsi",
  "glusterfs",
  "flocker",
  "persistentVolumeClaim",
  "rbd",
  "cinder",
  "cephfs",
  "quobyte",
  "downwardAPI",
  "fc",
  "flexVolume",
  "configMap",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "storageos",
  "projected",
  "scaleIO",
  "csi",
  "ephemeral",
  "image",
] as const;

type Source = (typeof sources)[number];
const sourceOrder: ReadonlyMap<string, number> = new Map(sources.map((source, index) => [source, index]));

/** Two sources go by other names in this one message. */
const nameInMessage: Readonly<Record<string, string>> = { cephfs: "cephFS", downwardAPI: "downwarAPI" };

function validateVolume(volume: Volume, context: VolumeContext, path: string): Problem[] {
  const given = Object.keys(volume).filter((field): field is Source => sourceOrder.has(field) && volume[field as Source] !== undefined);
  if (given.length > 1) given.sort((a, b) => (sourceOrder.get(a) ?? 0) - (sourceOrder.get(b) ?? 0));
  const [first, ...others] = given;
  return [
    ...(first === undefined ? [required(path, "must specify a volume type")] : validateSource(volume, first, context, path)),
    ...others.map((source) => forbidden(`${path}.${nameInMessage[source] ?? source}`, "may not specify more than 1 volume type")),
    ...(volume.name ? invalidEach(`${path}.name`, volume.name, dnsLabelProblems(volume.name)) : [required(`${path}.name`)]),
  ];
}

function validateSource(volume: Volume, source: Source, context: VolumeContext, path: string): Problem[] {
  const at = `${path}.${source}`;
  switch (source) {
    case "emptyDir": {
      const limit = volume.emptyDir?.sizeLimit;
      const isNegative = limit !== undefined && toMilli(limit) < 0n;
      return isNegative ? [forbidden(`${at}.sizeLimit`, "SizeLimit field must be a valid resource quantity")] : [];
    }
    case "hostPath":
      return validateHostPath(volume.hostPath ?? { path: "" }, at);
    case "secret":
      return validateKeyed(volume.secret ?? {}, volume.secret?.secretName, `${at}.secretName`, at);
    case "configMap":
      return validateKeyed(volume.configMap ?? {}, volume.configMap?.name, `${at}.name`, at);
    case "persistentVolumeClaim":
      return volume.persistentVolumeClaim?.claimName ? [] : [required(`${at}.claimName`)];
    case "downwardAPI":
      return [
        ...validateFileMode(volume.downwardAPI?.defaultMode, `${at}.defaultMode`),
        ...(volume.downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(file, at)),
      ];
    case "projected":
      return [...validateFileMode(volume.projected?.defaultMode, `${at}.defaultMode`), ...validateProjections(volume.projected ?? {}, at)];
    case "csi":
      return validateCsi(volume.csi ?? { driver: "" }, at);
    case "ephemeral":
      return validateEphemeral(volume, context, path);
    case "image":
      return [
        ...(context.isPod && !volume.image?.reference ? [required(`${at}.reference`)] : []),
        ...oneOf(volume.image?.pullPolicy, ["Always", "IfNotPresent", "Never"], `${at}.pullPolicy`, true),
      ];
    default:
      return validateLegacySource(source, volume[source], at, path);
  }
}

const hostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

export function validateHostPath({ path: file, type }: { path: string; type?: string | undefined }, path: string): Problem[] {
  if (!file) return [required(`${path}.path`)];
  return [
    ...validateNoBacksteps(file, `${path}.path`),
    ...(type === undefined || hostPathTypes.includes(type) ? [] : [notSupported(`${path}.type`, type, hostPathTypes)]),
  ];
}

interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number | undefined;
}

const validateKeyToPath = ({ key, path: file, mode }: KeyToPath, path: string): Problem[] => [
  ...(key ? [] : [required(`${path}.key`)]),
  ...(file ? [] : [required(`${path}.path`)]),
  ...validateUnreservedPath(file ?? "", `${path}.path`),
  ...validateFileMode(mode, `${path}.mode`),
];

/** ConfigMap and Secret volumes. */
const validateKeyed = (
  source: { defaultMode?: number | undefined; items?: readonly KeyToPath[] | undefined },
  name: string | undefined,
  nameField: string,
  path: string,
): Problem[] => [
  ...(name ? [] : [required(nameField)]),
  ...validateFileMode(source.defaultMode, `${path}.defaultMode`),
  ...eachItem(`${path}.items`, source.items, validateKeyToPath),
];

interface DownwardFile {
  readonly path: string;
  readonly fieldRef?: { readonly apiVersion?: string | undefined; readonly fieldPath: string } | undefined;
  readonly resourceFieldRef?: ResourceRef | undefined;
  readonly mode?: number | undefined;
}

/** Problems of one file carry the path of the volume, not of the entry. */
function validateDownwardFile({ path: file, fieldRef, resourceFieldRef, mode }: DownwardFile, path: string): Problem[] {
  const problems = [...(file ? [] : [required(`${path}.path`)]), ...validateUnreservedPath(file ?? "", `${path}.path`)];
  if (fieldRef) {
    problems.push(...validateFieldRef(fieldRef, fileFields, `${path}.fieldRef`));
    if (resourceFieldRef) problems.push(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
  } else if (resourceFieldRef) problems.push(...validateResourceRef(resourceFieldRef, true, `${path}.resourceFieldRef`));
  else problems.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return [...problems, ...validateFileMode(mode, `${path}.mode`)];
}

const tenMinutes = 600;
const longestToken = 2 ** 32;

function validateProjections(projected: ProjectedVolumeSource, path: string): Problem[] {
  const taken = new Set<string>();
  /** Two sources must not write one file. @param shown what the message repeats */
  const claim = (file: string, shown: string): Problem[] => {
    if (!file) return [];
    if (taken.has(file)) return [invalid(path, shown, "conflicting duplicate paths")];
    taken.add(file);
    return [];
  };
  return eachItem(`${path}.sources`, projected.sources, (source, at) => {
    const problems: Problem[] = [];
    for (const kind of ["secret", "configMap"] as const) {
      const keyed = source[kind];
      if (!keyed) continue;
      if (!keyed.name) problems.push(required(`${at}.${kind}.name`));
      problems.push(
        ...eachItem(`${at}.${kind}.items`, keyed.items, (item, itemPath) => [
          ...validateKeyToPath(item, itemPath),
          ...claim(item.path, keyed.name ?? ""),
        ]),
      );
    }
    for (const file of source.downwardAPI?.items ?? []) {
      problems.push(...validateDownwardFile(file, `${at}.downwardAPI`), ...claim(file.path, file.path));
    }
    const token = source.serviceAccountToken;
    if (token) {
      const seconds = token.expirationSeconds ?? 0;
      const field = `${at}.serviceAccountToken.expirationSeconds`;
      if (wholeNumber(seconds) < tenMinutes) problems.push(invalid(field, seconds, "may not specify a duration less than 10 minutes"));
      if (wholeNumber(seconds) > longestToken)
        problems.push(invalid(field, seconds, "may not specify a duration larger than 2^32 seconds"));
      problems.push(...(token.path ? validateUnreservedPath(token.path, `${path}.path`) : [required(`${path}.path`)]));
    }
    const given = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"] as const;
    if (given.filter((kind) => source[kind] !== undefined).length > 1) {
      problems.push(forbidden(at, "may not specify more than 1 volume type per source"));
    }
    return problems;
  });
}

/** Names of CSI drivers: subdomains of at most 63 characters, in which case does not count. */
export function validateDriverName(driver: string | undefined, field: string): Problem[] {
  if (!driver) return [required(field)];
  return [
    ...(driver.length > 63 ? [{ field, reason: "FieldValueTooLong", message: "Too long: may not be more than 63 bytes" } as const] : []),
    ...invalidEach(field, driver, dnsSubdomainProblems(driver.toLowerCase())),
  ];
}

function validateCsi(csi: NonNullable<Volume["csi"]>, path: string): Problem[] {
  const secret = csi.nodePublishSecretRef;
  const problems = validateDriverName(csi.driver, `${path}.driver`);
  if (!secret) return problems;
  return [
    ...problems,
    ...(secret.name
      ? invalidEach(`${path}.name`, secret.name, dnsSubdomainProblems(secret.name))
      : [required(`${path}.nodePublishSecretRef.name`)]),
  ];
}

function validateEphemeral(volume: Volume, { podName }: VolumeContext, path: string): Problem[] {
  const template = volume.ephemeral?.volumeClaimTemplate;
  const at = `${path}.ephemeral.volumeClaimTemplate`;
  if (!template) return [required(at)];
  const claim = `${podName}-${volume.name}`;
  return [
    ...validateTemplateMetadata(template.metadata, `${at}.metadata`),
    ...validateClaimSpec(template.spec, `${at}.spec`),
    ...(podName && volume.name
      ? dnsSubdomainProblems(claim).map((message) => invalid(`${path}.name`, volume.name, `PVC name "${claim}": ${message}`))
      : []),
  ];
}
