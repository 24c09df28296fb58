/**
 * Makes folders as `mkdir -p` does. Node's own recursive mkdir never returns where a folder that is there takes no new ones and says that
 * it does not exist, as those in `/proc` do.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * @param mode of every folder that is made
 * @returns whether the last of them was made; false when something is there already, a folder or not
 * @throws {NodeJS.ErrnoException}
 */
export function makeFolders(path: string, mode?: number): boolean {
  if (existsSync(path)) return false;
  if (dirname(path) !== path) makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, mode);
    return true;
  } catch (error) {
    // Another process may have been quicker.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
