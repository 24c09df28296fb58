/**
 * The files of a volume, from the objects that it refers to. Pure but for the look-ups; in the kubelet's words where something is
 * missing. @see k8s.io/kubernetes/pkg/volume/{configmap,secret,downwardapi,projected}
 */
import type { ConfigMap, Pod, Secret } from "../api/generated/types.ts";
import { containerResource, podField } from "./translate/downward.ts";
import { type FilledVolume, type KeyToPath, type VolumeContent, type VolumeFile, VolumeNotReadyError } from "./volumes.ts";

export interface VolumeLookups {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  /** A token of the Pod's ServiceAccount. Undefined audience: the API server's own. */
  token(pod: Pod, request: { readonly audience: string | undefined; readonly expirationSeconds: number }): Promise<string>;
  /** Of the Pod's Node, for limits that a container does not set. */
  allocatable(pod: Pod): Promise<Readonly<Record<string, string>>>;
}

/** @throws {VolumeNotReadyError} */
export async function volumeFiles(pod: Pod, volume: FilledVolume, lookups: VolumeLookups): Promise<VolumeFile[]> {
  const files = new Map<string, VolumeFile>();
  for (const content of volume.contents) {
    for (const { path, bytes, mode } of await contentFiles(pod, content, lookups)) {
      files.set(path, { path, content: bytes, mode: mode ?? volume.defaultMode });
    }
  }
  return [...files.values()];
}

interface Entry {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode?: number;
}

async function contentFiles(pod: Pod, content: VolumeContent, lookups: VolumeLookups): Promise<Entry[]> {
  const namespace = pod.metadata.namespace ?? "";
  switch (content.type) {
    case "configMap": {
      const map = await lookups.configMap(namespace, content.name);
      if (!map && !content.optional) throw new VolumeNotReadyError(`configmap "${content.name}" not found`);
      const data = new Map<string, Uint8Array>();
      for (const [key, value] of Object.entries(map?.data ?? {})) data.set(key, Buffer.from(value));
      for (const [key, value] of Object.entries(map?.binaryData ?? {})) data.set(key, Buffer.from(value, "base64"));
      return select(data, content.items, content.optional);
    }
    case "secret": {
      const secret = await lookups.secret(namespace, content.name);
      if (!secret && !content.optional) throw new VolumeNotReadyError(`secret "${content.name}" not found`);
      const data = new Map<string, Uint8Array>();
      for (const [key, value] of Object.entries(secret?.data ?? {})) data.set(key, Buffer.from(value, "base64"));
      return select(data, content.items, content.optional);
    }
    case "serviceAccountToken": {
      const { audience, expirationSeconds, path } = content;
      return [{ path, bytes: Buffer.from(await lookups.token(pod, { audience, expirationSeconds })) }];
    }
    default: {
      const allocatable = await lookups.allocatable(pod);
      return content.items.map(({ path, mode, fieldPath, resource }) => {
        const text = fieldPath === undefined ? resourceText(pod, resource, allocatable) : podField(pod, fieldPath, pod.status?.hostIP);
        return { path, bytes: Buffer.from(text), ...(mode !== undefined && { mode }) };
      });
    }
  }
}

type ResourceItem = Extract<VolumeContent, { type: "downwardAPI" }>["items"][number]["resource"];

function resourceText(pod: Pod, resource: ResourceItem, allocatable: Readonly<Record<string, string>>): string {
  const container = pod.spec.containers.find(({ name }) => name === resource?.containerName) ?? pod.spec.containers[0];
  return resource && container ? containerResource(pod, container, resource, allocatable) : "";
}

/** All keys, or those that are named. */
function select(data: ReadonlyMap<string, Uint8Array>, items: readonly KeyToPath[] | undefined, optional: boolean): Entry[] {
  if (!items) return [...data].map(([path, bytes]) => ({ path, bytes }));
  return items.flatMap(({ key, path, mode }) => {
    const bytes = data.get(key);
    if (bytes) return [{ path, bytes, ...(mode !== undefined && { mode }) }];
    if (optional) return [];
    throw new VolumeNotReadyError(`references non-existent config key: ${key}`);
  });
}
