/**
 * How volumes with content (ConfigMaps, Secrets, projections) travel: from the Pod to whoever fills them beside the containers (the
 * helper on AWS, the engine itself locally).
 *
 * In the task definition such a volume is an empty task volume with mount points, like an `emptyDir`; what belongs into it is
 * described by a label, by reference only, so that no content ever stands in a task definition. Volumes must be filled before any
 * container of the task starts; a volume that cannot be filled (a ConfigMap that is not there) holds the task back.
 */
import type { TaskDefinitionInput } from "./task-engine.ts";

/** The label, on the first container of a task definition, that carries {@link FilledVolume}s as a JSON array. */
export const volumesLabel = "binnacle.dev/volumes";

/** A container's label with the sub paths of its mount points: a JSON object from `containerPath` to the path inside the volume. */
export const subPathsLabel = "binnacle.dev/sub-paths";

export interface KeyToPath {
  readonly key: string;
  /** Relative to the volume's root. */
  readonly path: string;
  /** Permission bits; the volume's `defaultMode` when absent. */
  readonly mode?: number;
}

export type VolumeContent =
  | {
      readonly type: "configMap" | "secret";
      readonly name: string;
      /** Only these keys; all of them when absent. */
      readonly items?: readonly KeyToPath[];
      /** Absent objects and keys are no error. */
      readonly optional: boolean;
    }
  | {
      readonly type: "downwardAPI";
      readonly items: readonly {
        readonly path: string;
        readonly mode?: number;
        /** `metadata.labels`, `metadata.annotations['key']`, … */
        readonly fieldPath?: string;
        readonly resource?: { readonly containerName: string; readonly resource: string; readonly divisor: string };
      }[];
    }
  | {
      readonly type: "serviceAccountToken";
      readonly path: string;
      /** The API server's own audience when absent. */
      readonly audience?: string;
      readonly expirationSeconds: number;
    };

/** A volume whose files come from the API. Later contents win where paths collide. */
export interface FilledVolume {
  /** Name of the task volume. */
  readonly name: string;
  /** Permission bits of its files, for example 0o644. */
  readonly defaultMode: number;
  readonly contents: readonly VolumeContent[];
}

/** One file of a {@link FilledVolume}. */
export interface VolumeFile {
  /** Relative, with `/`; never leaves the volume. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

/** Which Pod a task runs, from the task's tags. */
export interface TaskPod {
  readonly clusterArn: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Where the files come from. */
export interface VolumeSource {
  /**
   * The files of a volume as they should be now. Ask again (about once a minute) while the task runs: contents change, tokens expire.
   * @throws {VolumeNotReadyError} when something it refers to is not there (yet)
   */
  files(pod: TaskPod, volume: FilledVolume): Promise<readonly VolumeFile[]>;
}

/** The message is for the Pod's events, in the kubelet's words: `configmap "settings" not found`. */
export class VolumeNotReadyError extends Error {
  override readonly name = "VolumeNotReadyError";
}

/** The volumes of a task definition that somebody has to fill. */
export function filledVolumes(definition: Pick<TaskDefinitionInput, "containerDefinitions">): readonly FilledVolume[] {
  const text = definition.containerDefinitions[0]?.dockerLabels?.[volumesLabel];
  return text === undefined ? [] : JSON.parse(text);
}

/** Paths inside volumes by `containerPath`, for the mount points of a container that do not show a volume's root. */
export function subPaths(container: TaskDefinitionInput["containerDefinitions"][number]): Readonly<Record<string, string>> {
  const text = container.dockerLabels?.[subPathsLabel];
  return text === undefined ? {} : JSON.parse(text);
}
