/**
 * One process per data folder. The lock file names its holder by pid and start time, so that a lock left behind by `kill -9` is told
 * from a live one, even if another process has got the pid meanwhile.
 */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { UserError } from "../user-error.ts";

interface Holder {
  readonly pid: number;
  /** Opaque; equal only for the same process. */
  readonly startedAt: string;
}

/** @returns lets go of the lock @throws {UserError} when another process holds it */
export function lock(path: string, folder: string): () => void {
  const own = JSON.stringify({ pid: process.pid, startedAt: startTime(process.pid) ?? "" } satisfies Holder);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(file, own);
      closeSync(file);
      return () => {
        if (read(path) === own) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const text = read(path);
    const holder = parse(text);
    if (holder && isAlive(holder)) {
      throw new UserError(
        `The data folder ${folder} is in use by another Binnacle (process ${holder.pid}). Stop that one, or give this one another folder with --data.`,
      );
    }
    removeStale(path, text);
  }
  throw new UserError(`The data folder ${folder} cannot be locked: other processes keep taking it.`);
}

/** Takes a stale lock away, and only that one: somebody else may have replaced it just now. */
function removeStale(path: string, text: string | undefined): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (read(aside) === text) rmSync(aside, { force: true });
    else renameSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Undefined for a lock that was not written to its end: its holder died in between. */
function parse(text: string | undefined): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text ?? "") as Partial<Holder>;
    return typeof pid === "number" && typeof startedAt === "string" ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

const isAlive = ({ pid, startedAt }: Holder): boolean => {
  const now = startTime(pid);
  return now !== undefined && (startedAt === "" || now === startedAt);
};

/** When a process started, in whatever words the system has for it. Undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  try {
    if (process.platform === "linux") {
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The command's name may hold spaces and parentheses; field 22 counts from behind it.
      const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? undefined : `${boot} ${fields[18]}`;
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return "";
  }
}
