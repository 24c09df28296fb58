/** Folders of the machine that tasks use as volumes: like Docker under Amazon ECS, the engine makes those that are not there. */
import { chmod, lstat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../make-folders.ts";
import { StartError } from "../container-runtime.ts";

/** Whatever user a container runs as, it may write into a volume that is new. */
const everybody = 0o777;

/**
 * The path to mount.
 * @param subPath inside the folder; a link that a container left there must not lead out of it
 * @throws {StartError}
 */
export async function hostFolder(source: string, subPath: string | undefined): Promise<string> {
  await makeFolder(source);
  let path = source;
  for (const part of (subPath ?? "").split("/").filter((name) => name !== "" && name !== ".")) {
    if (part === "..") throw new StartError(`CannotCreateContainerError: the path ${subPath} leaves the volume`);
    path = join(path, part);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink()) throw new StartError(`CannotCreateContainerError: the path ${subPath} in the volume is a symbolic link`);
    if (!found) await makeFolder(path);
  }
  return path;
}

/** What is there already stays as it is, also a file: somebody may want to mount it. */
async function makeFolder(path: string): Promise<void> {
  try {
    if (makeFolders(path)) await chmod(path, everybody);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartError(`CannotCreateVolumeError: ${path}: ${code ?? String(error)}`, { cause: error });
  }
}
