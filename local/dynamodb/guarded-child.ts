/**
 * Child processes that end with their parent, however it ends. A shell stands between: it holds a pipe whose other end is ours, and
 * kills the child once the pipe breaks, which it does even when we are killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

const guard = `
"$@" 3<&- &
child=$!
echo "$child" >&4
exec 4>&-
( cat <&3 >/dev/null; kill -9 "$child" 2>/dev/null ) &
watcher=$!
exec 3<&-
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

export interface GuardedChild {
  readonly pid: number;
  /** What it wrote to its standard error last. */
  complaints(): string;
  /** Resolves when it has ended, and tells whether it has. */
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

export async function startGuarded(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<GuardedChild> {
  const shell = spawn("/bin/sh", ["-c", guard, "guard", command, ...args], {
    ...options,
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    // A terminal's Ctrl-C is for us: we stop the child in our own time.
    detached: true,
  });
  let complaints = "";
  shell.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-4_000);
  });
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      resolve();
    };
    shell.once("exit", end);
    shell.once("error", end);
  });
  const pid = await childPid(shell, ended);
  return {
    pid,
    complaints: () => complaints.trim(),
    ended,
    hasEnded: () => over,
    async stop() {
      shell.stdio[3]?.destroy();
      await ended;
    },
  };
}

/** The shell says on descriptor 4 which process it started. */
async function childPid(shell: ChildProcess, ended: Promise<unknown>): Promise<number> {
  let text = "";
  const said = new Promise<void>((resolve) => {
    shell.stdio[4]?.on("data", (data: Buffer) => {
      text += data.toString();
      if (text.includes("\n")) resolve();
    });
  });
  await Promise.race([said, ended]);
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 0) throw new Error("a child process could not be started: there is no /bin/sh");
  return pid;
}

/**
 * Waits until a child answers HTTP requests, whatever it says.
 * @returns false when it ended, or did not answer in time
 */
export async function answersHttp(child: GuardedChild, endpoint: string, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!child.hasEnded() && Date.now() < deadline) {
    try {
      await fetch(endpoint, { signal: AbortSignal.timeout(5_000) });
      return true;
    } catch {
      await pause(10);
    }
  }
  return false;
}
