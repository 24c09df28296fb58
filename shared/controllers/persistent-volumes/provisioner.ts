/**
 * The local provisioner: its volumes are folders on a Node's own disk. A volume stays where it was made, and so do the Pods that use
 * it. Pure.
 */
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import type { Draft } from "../../api/objects.ts";
import {
  allowsTopology,
  boundByControllerAnnotation,
  classOfClaim,
  noProvisioner,
  selectedNodeAnnotation,
} from "../../api/storage-classes.ts";
import { untolerated } from "../../scheduler/taints.ts";

/** In storage classes, and on the volumes that it made. */
export const localProvisioner = "binnacle.dev/local";
export const provisionedByAnnotation = "pv.kubernetes.io/provisioned-by";
const hostnameLabel = "kubernetes.io/hostname";

export interface ProvisionerOptions {
  /** Also serves classes of provisioners that are not here, and classes that do not exist. */
  readonly any: boolean;
  /** Where volumes are on a Node's disk. */
  readonly folder: string;
}

/** Whether claims of a class are the local provisioner's to serve (`kubernetes-traps.md` 35). @param name of the class */
export function serves(name: string, storageClass: StorageClass | undefined, { any }: ProvisionerOptions): boolean {
  if (storageClass?.provisioner === localProvisioner) return true;
  return any && name !== "" && storageClass?.provisioner !== noProvisioner;
}

export const volumeName = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`;

export type Provisioned =
  | { readonly type: "volume"; readonly draft: Draft<PersistentVolume> }
  /** @property lostNode the Node that the scheduler chose is gone: it has to choose again */
  | { readonly type: "failed"; readonly message: string; readonly lostNode: boolean };

const failed = (message: string, lostNode = false): Provisioned => ({ type: "failed", message, lostNode });

/** @param volumes all there are: the Node with the fewest of them gets the next one, where nobody has chosen one */
export function provision(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  nodes: readonly Node[],
  volumes: Iterable<PersistentVolume>,
  { folder }: ProvisionerOptions,
): Provisioned {
  const { spec } = claim;
  const className = classOfClaim(claim);
  const because = (why: string) => failed(`Failed to provision volume with StorageClass "${className}": ${why}`);
  if (spec.dataSource ?? spec.dataSourceRef) {
    return failed(`plugin "${localProvisioner}" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource`);
  }
  if (storageClass?.mountOptions?.length) {
    const options = storageClass.mountOptions.join(" ");
    return failed(`Mount options are not supported by the provisioner but StorageClass "${className}" has mount options [${options}]`);
  }
  if (spec.selector) return because("claim.Spec.Selector is not supported");
  if (spec.volumeMode === "Block") return because(`${localProvisioner} makes no block volumes`);

  const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
  const node = selected === undefined ? emptiest(nodes, volumes, storageClass) : nodes.find(({ metadata }) => metadata.name === selected);
  if (!node) {
    return selected === undefined
      ? because("there is no node to keep the volume on")
      : failed(`Failed to get target node: node "${selected}" not found`, true);
  }
  return { type: "volume", draft: volumeOn(node, claim, storageClass, folder) };
}

function volumeOn(
  node: Node,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  folder: string,
): Draft<PersistentVolume> {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const hostname = node.metadata.labels?.[hostnameLabel] ?? node.metadata.name;
  return {
    metadata: {
      name: volumeName(claim),
      annotations: { [provisionedByAnnotation]: localProvisioner, [boundByControllerAnnotation]: "yes" },
    },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.storage ?? "0" },
      accessModes: [...(claim.spec.accessModes ?? [])],
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid, resourceVersion },
      persistentVolumeReclaimPolicy: storageClass?.reclaimPolicy ?? "Delete",
      storageClassName: classOfClaim(claim),
      volumeMode: "Filesystem",
      hostPath: { path: `${folder}/${volumeName(claim)}`, type: "DirectoryOrCreate" },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: "In", values: [hostname] }] }] },
      },
    },
  };
}

/** The Node on which the fewest local volumes are; the first of them by name. */
function emptiest(nodes: readonly Node[], volumes: Iterable<PersistentVolume>, storageClass: StorageClass | undefined): Node | undefined {
  const counts = new Map<string, number>();
  for (const volume of volumes) {
    const host = hostOf(volume);
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  const count = ({ metadata }: Node) => counts.get(metadata.labels?.[hostnameLabel] ?? metadata.name) ?? 0;
  return nodes
    .filter((node) => takesPods(node) && allowsTopology(storageClass, node.metadata.labels))
    .toSorted((one, other) => count(one) - count(other) || (one.metadata.name < other.metadata.name ? -1 : 1))[0];
}

const takesPods = ({ metadata, spec }: Node): boolean =>
  !metadata.deletionTimestamp && !spec?.unschedulable && untolerated(spec?.taints, [], ["NoSchedule", "NoExecute"]).length === 0;

/** The host name that a volume of ours is tied to. */
function hostOf({ metadata, spec }: PersistentVolume): string | undefined {
  if (metadata.annotations?.[provisionedByAnnotation] !== localProvisioner) return undefined;
  const expressions = spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions ?? [];
  return expressions.find(({ key }) => key === hostnameLabel)?.values?.[0];
}
