/** Volumes and mounts of a Pod as task volumes and mount points. */
import type { Container, Node, Pod, KeyToPath as PodKeyToPath, Volume, VolumeProjection } from "../../api/generated/types.ts";
import type { EngineFeatures } from "../engine-features.ts";
import type { ContainerDefinition, TaskDefinitionInput } from "../task-engine.ts";
import type { FilledVolume, KeyToPath, VolumeContent } from "../volumes.ts";
import { type ClaimedFolder, type Claims, claimedFolder } from "./claims.ts";
import type { Findings } from "./problems.ts";

export interface TranslatedVolumes {
  readonly volumes: NonNullable<TaskDefinitionInput["volumes"]>;
  readonly filled: readonly FilledVolume[];
  /** Names of volumes that were left out with a warning: their mounts go, too. */
  readonly leftOut: ReadonlySet<string>;
  /** Names of volumes that nobody may write to. */
  readonly readOnly: ReadonlySet<string>;
}

const defaultMode = 0o644;
/**
 * Admission adds this volume to every Pod that does not opt out, under a name of its own for each: five characters, which must not
 * stand in a definition that Pods share.
 */
const automaticToken = /^(kube-api-access)-[a-z0-9]{5}$/;

/** Name of a Pod's volume as a task volume: the same for all Pods of a template. */
const taskVolumeName = (name: string): string => automaticToken.exec(name)?.[1] ?? name;

/** @param node where the Pod will stand @throws {NotReadyError} for claims that are not ready */
export function translateVolumes(
  pod: Pod,
  node: Pick<Node, "metadata">,
  claims: Claims,
  features: EngineFeatures,
  findings: Findings,
): TranslatedVolumes {
  const volumes: { name: string; host: { sourcePath?: string } }[] = [];
  const filled: FilledVolume[] = [];
  const leftOut = new Set<string>();
  const readOnly = new Set<string>();
  for (const [index, volume] of (pod.spec.volumes ?? []).entries()) {
    const field = `spec.volumes[${index}]`;
    const source = Object.entries(volume).find(([key, value]) => key !== "name" && value !== undefined)?.[0] ?? "emptyDir";
    if (source === "emptyDir") {
      if (volume.emptyDir?.medium) findings.warn(`${field}.emptyDir.medium`, "the volume is kept on disk");
      if (volume.emptyDir?.sizeLimit) findings.warn(`${field}.emptyDir.sizeLimit`, "the size is not limited");
      volumes.push({ name: taskVolumeName(volume.name), host: {} });
      continue;
    }
    if (source === "persistentVolumeClaim" || source === "ephemeral") {
      const folder: ClaimedFolder = features.nodeVolumes
        ? claimedFolder(pod, volume, node, claims)
        : { type: "refused", why: "volumes that outlast their Pod are not supported here yet" };
      if (folder.type === "refused") findings.refuse(`${field}.${source}`, folder.why);
      else {
        volumes.push({ name: taskVolumeName(volume.name), host: { sourcePath: folder.path } });
        if (folder.readOnly) readOnly.add(volume.name);
      }
      continue;
    }
    const contents = contentsOf(volume, field, findings);
    if (!contents) {
      findings.refuse(`${field}.${source}`, "volumes of this type are not supported");
    } else if (features.volumes) {
      volumes.push({ name: taskVolumeName(volume.name), host: {} });
      filled.push({ name: taskVolumeName(volume.name), defaultMode: modeOf(volume), contents });
    } else if (automaticToken.test(volume.name)) {
      leftOut.add(volume.name);
      findings.warn(
        `${field}.projected`,
        "nothing stands beside the containers that could fill it: the Pod runs without a token for the API",
      );
    } else {
      findings.refuse(`${field}.${source}`, "nothing stands beside the containers that could fill it");
    }
  }
  return { volumes, filled, leftOut, readOnly };
}

const modeOf = (volume: Volume): number =>
  (volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI)?.defaultMode ?? defaultMode;

/** Undefined when the volume is of a type that has no content from the API. */
function contentsOf(volume: Volume, field: string, findings: Findings): VolumeContent[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return [fromKeys("configMap", configMap.name, configMap.items, configMap.optional)];
  if (secret) return [fromKeys("secret", secret.secretName, secret.items, secret.optional)];
  if (downwardAPI) return [{ type: "downwardAPI", items: (downwardAPI.items ?? []).map(downwardItem) }];
  if (projected) {
    return (projected.sources ?? []).flatMap((source, index) => projection(source, `${field}.projected.sources[${index}]`, findings));
  }
  return undefined;
}

function projection(source: VolumeProjection, field: string, findings: Findings): VolumeContent[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) return [fromKeys("configMap", configMap.name, configMap.items, configMap.optional)];
  if (secret) return [fromKeys("secret", secret.name, secret.items, secret.optional)];
  if (downwardAPI) return [{ type: "downwardAPI", items: (downwardAPI.items ?? []).map(downwardItem) }];
  if (serviceAccountToken) {
    const { path, audience, expirationSeconds = 3_600 } = serviceAccountToken;
    return [{ type: "serviceAccountToken", path, ...(audience && { audience }), expirationSeconds }];
  }
  findings.refuse(`${field}.${Object.keys(source)[0] ?? ""}`, "projections of this type are not supported");
  return [];
}

const fromKeys = (
  type: "configMap" | "secret",
  name: string | undefined,
  items: readonly PodKeyToPath[] | undefined,
  optional: boolean | undefined,
): VolumeContent => ({
  type,
  name: name ?? "",
  ...(items && { items: items.map(({ key, path, mode }): KeyToPath => ({ key, path, ...(mode !== undefined && { mode }) })) }),
  optional: optional ?? false,
});

type DownwardItem = Extract<VolumeContent, { type: "downwardAPI" }>["items"][number];

const downwardItem = ({
  path,
  mode,
  fieldRef,
  resourceFieldRef,
}: NonNullable<NonNullable<Volume["downwardAPI"]>["items"]>[number]): DownwardItem => ({
  path,
  ...(mode !== undefined && { mode }),
  ...(fieldRef && { fieldPath: fieldRef.fieldPath }),
  ...(resourceFieldRef && {
    resource: {
      containerName: resourceFieldRef.containerName ?? "",
      resource: resourceFieldRef.resource,
      divisor: resourceFieldRef.divisor ?? "1",
    },
  }),
});

export interface TranslatedMounts {
  readonly mountPoints: NonNullable<ContainerDefinition["mountPoints"]>;
  /** By `containerPath`. */
  readonly subPaths: Readonly<Record<string, string>>;
}

export function translateMounts(
  container: Container,
  field: string,
  { leftOut, readOnly }: TranslatedVolumes,
  features: EngineFeatures,
  findings: Findings,
): TranslatedMounts {
  const mountPoints: { sourceVolume: string; containerPath: string; readOnly?: boolean }[] = [];
  const subPaths: Record<string, string> = {};
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (leftOut.has(mount.name)) continue;
    const at = `${field}.volumeMounts[${index}]`;
    if (mount.subPathExpr) findings.refuse(`${at}.subPathExpr`, "paths that depend on the Pod are not supported");
    if (mount.mountPropagation && mount.mountPropagation !== "None") findings.refuse(`${at}.mountPropagation`, "mounts are not propagated");
    if (mount.subPath) {
      if (features.subPaths) subPaths[mount.mountPath] = mount.subPath;
      else findings.refuse(`${at}.subPath`, "Amazon ECS mounts whole volumes only");
    }
    mountPoints.push({
      sourceVolume: taskVolumeName(mount.name),
      containerPath: mount.mountPath,
      ...((mount.readOnly || readOnly.has(mount.name)) && { readOnly: true }),
    });
  }
  if (container.volumeDevices?.length) findings.refuse(`${field}.volumeDevices`, "raw block volumes are not supported");
  return { mountPoints, subPaths };
}
