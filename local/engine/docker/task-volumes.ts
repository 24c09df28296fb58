/**
 * A task's volumes. What stays empty at first (`emptyDir`) is a volume of the engine, so that whatever user a container runs as, the
 * engine can remove what it left. What is filled from the API is a folder of ours, which containers cannot write to.
 */
import { mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { filledVolumes, subPaths, type VolumeFile } from "../../../shared/kubelet/volumes.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import { StartError } from "../container-runtime.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";
import { ApiError, type EngineApi, isNotFound } from "./api.ts";
import type { Mount } from "./container-spec.ts";
import { writeVolume } from "./filled-volume.ts";
import type { Flavour } from "./flavour.ts";
import { hostFolder } from "./host-folder.ts";
import { idOf, labelled, labels, taskLabel, volumeName } from "./names.ts";
import { volumesPath } from "./sandbox-image.ts";
import { tar } from "./tar.ts";

/** Files that every container of a task sees, by their path in it. */
const podFiles = { "/etc/hosts": "hosts", "/etc/resolv.conf": "resolv.conf" } as const;

export type PodFiles = Readonly<Record<keyof typeof podFiles, string>>;

export interface TaskVolumes {
  /** Makes the engine's volumes. @returns their mounts in the sandbox @throws {ApiError} */
  make(task: EngineTask): Promise<readonly Mount[]>;
  /** Lets every user write into them, as an emptyDir does. @throws {ApiError} */
  open(task: EngineTask, sandboxId: string): Promise<void>;
  writePodFiles(task: EngineTask, files: PodFiles): Promise<void>;
  fill(task: EngineTask, volume: string, files: readonly VolumeFile[]): Promise<void>;
  /** What a container sees of them. @throws {StartError | ApiError} */
  mounts(task: EngineTask, container: EngineContainer, sandboxId: string): Promise<readonly Mount[]>;
  /** Removes everything of a task. @throws {ApiError} */
  remove(taskArn: string): Promise<void>;
}

/** The bit in the mode of Go's files that marks a symbolic link. */
const symbolicLink = 1 << 27;
const everybody = 0o777;

export function taskVolumes(options: {
  readonly api: EngineApi;
  readonly flavour: Flavour;
  readonly owner: string;
  /** For files. */
  readonly folder: string;
  readonly clock: Clock;
}): TaskVolumes {
  const { api, flavour, owner, folder, clock } = options;
  const folderOf = (task: Pick<EngineTask, "taskArn">) => join(folder, idOf(task));
  const filledFolder = (task: EngineTask, volume: string) => join(folderOf(task), "volumes", volume);
  const isFilled = (task: EngineTask, volume: string) =>
    filledVolumes({ containerDefinitions: task.containers }).some(({ name }) => name === volume);
  const emptyOnes = (task: EngineTask) => task.volumes.filter(({ name, host }) => !host?.sourcePath && !isFilled(task, name));

  /** The path inside a volume, as the sandbox has it. Undefined when there is nothing. */
  const look = async (sandboxId: string, path: string): Promise<{ readonly mode: number } | undefined> => {
    try {
      const answer = await api.stream("HEAD", `/containers/${sandboxId}/archive`, { query: { path: `${volumesPath}/${path}` } });
      answer.resume();
      return JSON.parse(Buffer.from(String(answer.headers["x-docker-container-path-stat"]), "base64").toString("utf8"));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const makeFolders = async (sandboxId: string, names: readonly string[]): Promise<void> => {
    const archive = tar(names.map((name) => ({ name: `${name}/`, mode: everybody, modified: clock.now() })));
    await api.call("PUT", `/containers/${sandboxId}/archive`, { query: { path: volumesPath }, tar: archive });
  };

  /**
   * Makes sure that a folder inside a volume is there, and that it is inside: a link that a container left there would lead the
   * engine anywhere on its machine.
   */
  const prepareSubPath = async (sandboxId: string, volume: string, subPath: string): Promise<void> => {
    let path = volume;
    for (const part of subPath.split("/").filter((part) => part !== "" && part !== ".")) {
      if (part === "..") throw new StartError(`CannotCreateContainerError: the path ${subPath} leaves the volume ${volume}`);
      path = `${path}/${part}`;
      const found = await look(sandboxId, path);
      if (!found) await makeFolders(sandboxId, [path]);
      else if ((found.mode & symbolicLink) !== 0) {
        throw new StartError(`CannotCreateContainerError: the path ${subPath} in the volume ${volume} is a symbolic link`);
      }
    }
  };

  const emptyMount = async (
    task: EngineTask,
    sandboxId: string,
    name: string,
    target: string,
    readOnly: boolean,
    subPath: string | undefined,
  ): Promise<Mount> => {
    const source = volumeName(task, name);
    if (subPath === undefined) return { type: "volume", source, target, readOnly };
    await prepareSubPath(sandboxId, name, subPath);
    if (flavour.volumeSubPaths) return { type: "volume", source, target, readOnly, subPath };
    const { Mountpoint } = await api.call<{ readonly Mountpoint: string }>("GET", `/volumes/${source}`);
    return { type: "bind", source: join(Mountpoint, subPath), target, readOnly };
  };

  const filledMount = async (task: EngineTask, name: string, target: string, subPath: string | undefined): Promise<Mount> => {
    const root = filledFolder(task, name);
    await mkdir(root, { recursive: true });
    // Bound to the file itself: like every kubelet's, it does not follow updates.
    const source = subPath === undefined ? root : await realpath(join(root, subPath)).catch(() => undefined);
    if (source === undefined || `${relative(await realpath(root), source)}/`.startsWith("../")) {
      throw new StartError(`CannotCreateContainerError: failed to prepare subPath for volumeMount "${name}": there is no ${subPath}`);
    }
    return { type: "bind", source, target, readOnly: true };
  };

  return {
    make: (task) =>
      Promise.all(
        emptyOnes(task).map(async ({ name }): Promise<Mount> => {
          const source = volumeName(task, name);
          await api.call("POST", "/volumes/create", { body: { Name: source, Labels: labels(owner, task) } });
          return { type: "volume", source, target: `${volumesPath}/${name}`, readOnly: false };
        }),
      ),

    async open(task, sandboxId) {
      const names = emptyOnes(task).map(({ name }) => name);
      if (names.length > 0) await makeFolders(sandboxId, names);
    },

    async writePodFiles(task, files) {
      await mkdir(folderOf(task), { recursive: true });
      for (const [path, name] of Object.entries(podFiles)) {
        const file = join(folderOf(task), name);
        const content = files[path as keyof PodFiles];
        // Written in place: containers that run have this very file.
        if ((await readFile(file, "utf8").catch(() => undefined)) !== content) await writeFile(file, content);
      }
    },

    fill: (task, volume, files) => writeVolume(filledFolder(task, volume), files, clock.now()),

    async mounts(task, container, sandboxId) {
      const inside = subPaths(container);
      const own = await Promise.all(
        (container.mountPoints ?? []).map(async ({ sourceVolume, containerPath: target, readOnly = false }): Promise<Mount> => {
          const subPath = inside[target];
          const source = task.volumes.find(({ name }) => name === sourceVolume)?.host?.sourcePath;
          if (source) return { type: "bind", source: await hostFolder(source, subPath), target, readOnly };
          return isFilled(task, sourceVolume)
            ? filledMount(task, sourceVolume, target, subPath)
            : emptyMount(task, sandboxId, sourceVolume, target, readOnly, subPath);
        }),
      );
      const taken = new Set(own.map(({ target }) => target));
      const shared = Object.entries(podFiles)
        .filter(([path]) => !taken.has(path))
        .map(([target, name]): Mount => ({ type: "bind", source: join(folderOf(task), name), target, readOnly: false }));
      return [...own, ...shared];
    },

    async remove(taskArn) {
      const { Volumes } = await api.call<{ readonly Volumes: readonly { readonly Name: string }[] | null }>("GET", "/volumes", {
        query: { filters: labelled(taskLabel, taskArn) },
      });
      await Promise.all((Volumes ?? []).map(({ Name }) => removeVolume(api, Name)));
      await rm(folderOf({ taskArn }), { recursive: true, force: true });
    },
  };
}

async function removeVolume(api: EngineApi, name: string): Promise<void> {
  try {
    await api.call("DELETE", `/volumes/${name}`, { query: { force: true } });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}
