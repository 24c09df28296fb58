/** The data folder: who may use it, which version made it, and where in it what lies. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFull } from "../../shared/aws/dynamodb-errors.ts";
import { makeFolders } from "../make-folders.ts";
import type { Records } from "../state/records.ts";
import { UserError } from "../user-error.ts";
import { lock } from "./lock.ts";

/** Layout of the folder and of what is in it. A version that cannot read an older one brings the steps that lead to it. */
const format = 1;

export interface DataFolder {
  readonly path: string;
  file(
    name:
      | "dynamodb.sqlite"
      | "aws.sqlite"
      | "logs.sqlite"
      | "ca.crt"
      | "ca.key"
      | "server.crt"
      | "server.key"
      | "admin-token"
      | "kubeconfig"
      | "pods"
      | "images",
  ): string;
  /** Lets another process in. */
  release(): void;
}

/** @param version of this program, for people @throws {UserError} when the folder cannot be used */
export function openDataFolder(folder: string, version: string): DataFolder {
  const path = resolve(folder);
  makeFolder(path);
  const release = lock(join(path, "lock"), path);
  try {
    checkFormat(path, version);
  } catch (error) {
    release();
    throw error;
  }
  return { path, file: (name) => join(path, name), release };
}

function makeFolder(path: string): void {
  try {
    makeFolders(path, 0o700);
    if (!statSync(path).isDirectory()) throw new UserError(`${path} is not a folder. Give one with --data.`);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR") throw new UserError(`${path} is not a folder. Give one with --data.`, { cause: error });
    throw new UserError(`The data folder ${path} cannot be written (${code}). Give another one with --data.`, { cause: error });
  }
}

function checkFormat(path: string, version: string): void {
  const file = join(path, "format.json");
  if (!existsSync(file)) {
    const strangers = readdirSync(path).filter((name) => !name.startsWith("lock") && !ours.has(name));
    if (strangers.length > 0) {
      throw new UserError(
        `${path} holds other files (${strangers.slice(0, 3).join(", ")}) and is no data folder of Binnacle. Give an empty one with --data.`,
      );
    }
    writeAtomically(file, `${JSON.stringify({ format, madeBy: version })}\n`, 0o600);
    return;
  }
  const { format: found, madeBy } = readFormat(file);
  if (found > format) {
    throw new UserError(
      `${path} was made by a newer Binnacle (${madeBy}); this one is ${version}. Start that version, or give another folder with --data.`,
    );
  }
}

/** What a first start that was interrupted may have left behind. */
const ours = new Set(["kubeconfig", "ca.crt", "ca.key"]);

function readFormat(file: string): { readonly format: number; readonly madeBy: string } {
  try {
    const { format: found, madeBy } = JSON.parse(readFileSync(file, "utf8")) as { format?: unknown; madeBy?: unknown };
    if (typeof found === "number") return { format: found, madeBy: String(madeBy) };
  } catch {
    // Falls through to the refusal.
  }
  throw damaged(file);
}

/** A file of the folder is not what this program wrote. */
export const damaged = (file: string, cause?: unknown): UserError =>
  new UserError(`${file} cannot be read: the data folder is damaged. Move it away, or give another one with --data.`, { cause });

/**
 * Refuses to begin a new cluster where there was one: SQLite takes an empty file for a new database. The cluster's file has content before
 * the account that it belongs to keeps anything, so an empty one beside records has lost it; a first start that was interrupted has none.
 * @throws {UserError}
 */
export function checkNotEmptied(folder: DataFolder, records: Records): void {
  const file = folder.file("dynamodb.sqlite");
  if (statSync(file, { throwIfNoEntry: false })?.size !== 0 || (records.isEmpty() && !existsSync(folder.file("kubeconfig")))) return;
  throw new UserError(
    `${file} is empty, and a cluster was kept in it: the data folder is damaged. Put a copy of the file back, move the folder away, or give another one with --data.`,
  );
}

/** Out of room, in the words of the file system and of SQLite. */
const fullCodes = new Set(["ENOSPC", "EDQUOT"]);
const sqliteFull = 13;

/** An error that comes from a full disk, as the user can put it right; undefined for any other. */
export function fullDisk(folder: string, error: unknown): UserError | undefined {
  for (let one = error; one instanceof Error; one = one.cause) {
    const { code = "", errcode } = one as { readonly code?: string; readonly errcode?: number };
    if (!fullCodes.has(code) && errcode !== sqliteFull && !isFull(one)) continue;
    const path = resolve(folder);
    return new UserError(`The disk that holds the data folder ${path} is full. Make room on it, or give another folder with --data.`, {
      cause: error,
    });
  }
  return undefined;
}

/** The file is there whole or not at all, whenever the process ends. */
export function writeAtomically(path: string, content: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, path);
}
