/**
 * Writes the files of a volume the way the kubelet does, so that whoever reads sees all of the old content or all of the new: files lie
 * in a folder named for the time, `..data` is a link to it, and what the container sees are links through `..data`. An update makes
 * another folder and moves the one link.
 */
import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VolumeFile } from "../../../shared/kubelet/volumes.ts";

const dataLink = "..data";
const nextDataLink = "..data_tmp";
const folderMode = 0o755;

/** @param folder of the volume; made if it is not there. Nothing is touched when the content is as it should be */
export async function writeVolume(folder: string, files: readonly VolumeFile[], now: Date): Promise<void> {
  await makeFolder(folder);
  const current = await currentFolder(folder);
  if (current !== undefined && (await holds(join(folder, current), files))) return;

  const next = `..${now.toISOString().slice(0, 19).replaceAll(/[-T:]/gu, "_")}.${randomBytes(4).toString("hex")}`;
  await makeFolder(join(folder, next));
  for (const { path, content, mode } of files) {
    const file = join(folder, next, path);
    await makeFolders(join(folder, next), dirname(path));
    await writeFile(file, content);
    await chmod(file, mode);
  }
  await rm(join(folder, nextDataLink), { force: true });
  await symlink(next, join(folder, nextDataLink));
  await rename(join(folder, nextDataLink), join(folder, dataLink));

  const shown = new Set(files.map(({ path }) => path.split("/")[0] ?? path));
  for (const name of shown) await link(join(folder, name), join(dataLink, name));
  for (const name of await readdir(folder)) {
    const isOurs = name === dataLink || name === next || shown.has(name);
    if (!isOurs) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function link(path: string, target: string): Promise<void> {
  try {
    await symlink(target, path);
  } catch (error) {
    // It leads through `..data` and is right for every content.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

async function currentFolder(folder: string): Promise<string | undefined> {
  try {
    return await readlink(join(folder, dataLink));
  } catch {
    return undefined;
  }
}

/** Whether a folder has exactly these files. */
async function holds(folder: string, files: readonly VolumeFile[]): Promise<boolean> {
  try {
    const found = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    if (found.length !== files.length) return false;
    for (const { path, content, mode } of files) {
      const file = join(folder, path);
      if (((await lstat(file)).mode & 0o7777) !== mode || !(await readFile(file)).equals(content)) return false;
    }
    return true;
  } catch {
    // What cannot be read is written anew.
    return false;
  }
}

/** Every folder on the way, whatever the process' mask is. */
async function makeFolders(root: string, path: string): Promise<void> {
  let folder = root;
  for (const part of path.split("/").filter((part) => part !== ".")) {
    folder = join(folder, part);
    await makeFolder(folder);
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, folderMode);
}
