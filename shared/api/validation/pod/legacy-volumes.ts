/** Volume sources from before CSI. Nobody should use them any more; what is missing in them is still named. */
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems, rangeMessage } from "../../names.ts";
import { validateDescendingPath } from "../paths.ts";
import { invalid, invalidEach, notSupported, required } from "../problems.ts";

type Source = Readonly<Record<string, unknown>>;

/** Fields that must be there, by source. */
const requiredFields: Readonly<Record<string, readonly string[]>> = {
  gitRepo: ["repository"],
  gcePersistentDisk: ["pdName"],
  awsElasticBlockStore: ["volumeID"],
  nfs: ["server", "path"],
  iscsi: ["targetPortal", "iqn"],
  glusterfs: ["endpoints", "path"],
  rbd: ["monitors", "image"],
  cinder: ["volumeID"],
  cephfs: ["monitors"],
  quobyte: ["volume"],
  flexVolume: ["driver"],
  azureFile: ["secretName", "shareName"],
  vsphereVolume: ["volumePath"],
  photonPersistentDisk: ["pdID"],
  portworxVolume: ["volumeID"],
  azureDisk: ["diskName", "diskURI"],
  storageos: ["volumeName"],
  scaleIO: ["gateway", "system", "volumeName"],
};

const text = (source: Source, field: string): string => (typeof source[field] === "string" ? source[field] : "");
const isMissing = (value: unknown): boolean => !value || (Array.isArray(value) && value.length === 0);

/**
 * @param path of the source
 * @param volumePath of the volume
 */
export function validateLegacySource(name: string, value: object | undefined, path: string, volumePath: string): Problem[] {
  const source = (value ?? {}) as Source;
  // The one source whose problems go by another name.
  const at = name === "gcePersistentDisk" ? `${volumePath}.persistentDisk` : path;
  const problems = (requiredFields[name] ?? []).filter((field) => isMissing(source[field])).map((field) => required(`${at}.${field}`));
  return [...problems, ...(checks[name]?.(source, at) ?? [])];
}

const partition = (source: Source, path: string): Problem[] => {
  const number = Number(source.partition ?? 0);
  return number < 0 || number > 255 ? [invalid(`${path}.partition`, number, rangeMessage(1, 255))] : [];
};

const lun = (source: Source, path: string): Problem[] => {
  const number = Number(source.lun ?? 0);
  return number < 0 || number > 255 ? [invalid(`${path}.lun`, number, rangeMessage(0, 255))] : [];
};

const secretName = (source: Source, path: string): Problem[] => {
  const secret = source.secretRef as Source | undefined;
  return secret && !secret.name ? [required(`${path}.secretRef.name`)] : [];
};

const qualifiedNames: Readonly<Record<string, RegExp>> = {
  iqn: /^iqn\.\d{4}-\d{2}\.([a-z0-9-.]+)(:([^,;*&$|\s]+))$/,
  eui: /^eui\.[0-9a-fA-F]{16}$/,
  naa: /^naa\.[0-9a-fA-F]{32}$/,
};

/** iSCSI names begin with the authority that gave them. */
function iscsiName(value: string, field: string): Problem[] {
  const pattern = qualifiedNames[value.slice(0, 3)];
  if (pattern === undefined) return [invalid(field, value, "must be valid format starting with iqn, eui, or naa")];
  return pattern.test(value) ? [] : [invalid(field, value, "must be valid format")];
}

const checks: Readonly<Record<string, (source: Source, path: string) => Problem[]>> = {
  gitRepo: (source, path) => validateDescendingPath(text(source, "directory"), `${path}.directory`),
  gcePersistentDisk: partition,
  awsElasticBlockStore: partition,
  nfs: (source, path) =>
    text(source, "path").startsWith("/") ? [] : [invalid(`${path}.path`, text(source, "path"), "must be an absolute path")],
  iscsi: (source, path) => [
    ...(text(source, "iqn") ? iscsiName(text(source, "iqn"), `${path}.iqn`) : []),
    ...lun(source, path),
    ...((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef ? [required(`${path}.secretRef`)] : []),
    ...(text(source, "initiatorName") ? iscsiName(text(source, "initiatorName"), `${path}.initiatorname`) : []),
  ],
  flocker: (source, path) => {
    const { datasetName, datasetUUID } = source;
    if (!datasetName && !datasetUUID) return [required(path, "one of datasetName and datasetUUID is required")];
    return [
      ...(datasetName && datasetUUID ? [invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")] : []),
      ...(text(source, "datasetName").includes("/") ? [invalid(`${path}.datasetName`, datasetName, "must not contain '/'")] : []),
    ];
  },
  cinder: secretName,
  quobyte: (source, path) => {
    const field = `${path}.registry`;
    const wanted = "must be a host:port pair or multiple pairs separated by commas";
    if (!source.registry) return [required(field, wanted)];
    if (text(source, "tenant").length >= 65) {
      return [required(`${path}.tenant`, "must be a UUID and may not exceed a length of 64 characters")];
    }
    const pairs = text(source, "registry").split(",");
    return pairs.filter((pair) => !/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair)).map(() => invalid(field, source.registry, wanted));
  },
  fc: (source, path) => {
    const names = (source.targetWWNs ?? []) as unknown[];
    const ids = (source.wwids ?? []) as unknown[];
    const field = `${path}.targetWWNs`;
    if (names.length === 0 && ids.length === 0) return [required(field, "must specify either targetWWNs or wwids, but not both")];
    return [
      ...(names.length > 0 && ids.length > 0 ? [invalid(field, names, "targetWWNs and wwids can not be specified simultaneously")] : []),
      ...(names.length > 0 && source.lun === undefined ? [required(`${path}.lun`, "lun is required if targetWWNs is specified")] : []),
      ...(names.length > 0 ? lun(source, path) : []),
    ];
  },
  flexVolume: (source, path) =>
    Object.keys(source.options ?? {})
      .filter((key) => /\.(kubernetes|k8s)\.io$/.test(`.${(key.split("/")[0] ?? "").toLowerCase()}`) && key.includes("/"))
      .map((key) => invalid(`${path}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved")),
  azureDisk: (source, path) => {
    const modes = ["None", "ReadOnly", "ReadWrite"];
    const kinds = ["Dedicated", "Managed", "Shared"];
    const uri = text(source, "diskURI");
    const isManaged = source.kind === "Managed";
    return [
      ...(source.cachingMode === undefined || modes.includes(text(source, "cachingMode"))
        ? []
        : [notSupported(`${path}.cachingMode`, source.cachingMode, modes)]),
      ...(source.kind === undefined || kinds.includes(text(source, "kind")) ? [] : [notSupported(`${path}.kind`, source.kind, kinds)]),
      ...(isManaged && !uri.startsWith("/subscriptions/")
        ? [
            notSupported(`${path}.diskURI`, uri, [
              "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
            ]),
          ]
        : []),
      ...(source.kind !== undefined && !isManaged && !uri.startsWith("https://")
        ? [notSupported(`${path}.diskURI`, uri, ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"])]
        : []),
    ];
  },
  storageos: (source, path) => [
    ...(text(source, "volumeName")
      ? invalidEach(`${path}.volumeName`, source.volumeName, dnsLabelProblems(text(source, "volumeName")))
      : []),
    ...(text(source, "volumeNamespace")
      ? invalidEach(`${path}.volumeNamespace`, source.volumeNamespace, dnsLabelProblems(text(source, "volumeNamespace")))
      : []),
    ...secretName(source, path),
  ],
};
