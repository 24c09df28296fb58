/**
 * Which processes use a data folder: written beside the data, so that a second start is refused and what a killed one left behind is
 * ended. A process is known by its id and its start time, since ids are used again.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since boot; undefined where the system does not tell. */
  readonly started: string | undefined;
}

export interface EngineRecord {
  /** Who started the engine. */
  readonly owner: ProcessIdentity;
  readonly engine: ProcessIdentity;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: startTimeOf(pid) };
}

/** Field 22 of /proc/PID/stat, counted after the command's name, which may hold anything. A process that only waits to be reaped is over. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** Whether this very process runs still. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process with this id: alive, if it cannot be told apart.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return started === undefined || startTimeOf(pid) === started;
}

export function readRecord(file: string): EngineRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as EngineRecord;
  } catch {
    return undefined;
  }
}

export function writeRecord(file: string, record: EngineRecord): void {
  writeFileSync(file, JSON.stringify(record));
}

export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}
