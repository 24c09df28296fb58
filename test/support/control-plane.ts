/** A control plane as a user starts it: `node local/main.ts` in a process of its own. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ControlPlane {
  readonly data: string;
  readonly port: number;
  readonly kubeconfig: string;
  readonly output: () => string;
  /** Where the emulated AWS services are served. */
  readonly awsUrl: () => string;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Ctrl-C, and does not wait for what follows. */
  interrupt(): void;
  /** Resolves with the exit code once it has ended; null when a signal ended it. */
  ended(): Promise<number | null>;
  /** SIGKILL, as a crash or the OOM killer would. */
  kill(): Promise<void>;
  /** Starts again on the same data and port. */
  restart(): Promise<void>;
  /** Resolves once it has said something that matches. */
  says(pattern: RegExp): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

const main = join(import.meta.dirname, "../../local/main.ts");

/** A port that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

export interface Ended {
  /** Null when it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs it where it ends by itself, because it cannot start.
 * @param preload modules to load before it, as `node --import` takes them
 */
export const runToItsEnd = (
  args: readonly string[],
  { env = {}, cwd, preload = [] }: { env?: Readonly<Record<string, string>>; cwd?: string; preload?: readonly string[] } = {},
): Promise<Ended> =>
  new Promise((resolve) => {
    const imports = preload.flatMap((module) => ["--import", module]);
    const options = { env: { ...process.env, ...env }, cwd, timeout: endTimeoutMs, killSignal: "SIGKILL" } as const;
    execFile(process.execPath, [...imports, main, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : null, stdout, stderr }),
    );
  });

const startTimeoutMs = 60_000;
const endTimeoutMs = 60_000;

export const startControlPlane = (...options: string[]): Promise<ControlPlane> => startControlPlaneWith({}, ...options);

/** @param environment added to the process' own */
export const startControlPlaneWith = (environment: Record<string, string>, ...options: string[]): Promise<ControlPlane> =>
  startWithAnyEngine(environment, "--engine", "simulated", ...options);

/** Without a word about the engine: it chooses one. */
export async function startWithAnyEngine(environment: Record<string, string>, ...options: string[]): Promise<ControlPlane> {
  const data = mkdtempSync(join(tmpdir(), "binnacle-e2e-"));
  const port = await freePort();
  const kubeconfig = join(data, "kubeconfig");
  let child: ChildProcess;
  let output = "";

  const start = () =>
    new Promise<void>((resolve, reject) => {
      child = spawn(process.execPath, [main, "--data", data, "--port", String(port), ...options], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...environment },
      });
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`not ready within ${startTimeoutMs / 1_000} s:\n${output}`));
      }, startTimeoutMs);
      const take = (chunk: Buffer) => {
        output += chunk.toString();
        if (/^Binnacle is ready/m.test(output)) {
          clearTimeout(timer);
          resolve();
        }
      };
      child.stdout?.on("data", take);
      child.stderr?.on("data", take);
      child.once("exit", (code) => {
        clearTimeout(timer);
        reject(new Error(`ended with ${code} before it was ready:\n${output}`));
      });
    });
  const ended = () =>
    new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
      child.once("exit", (code) => resolve(code));
    });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended();
  };

  try {
    await start();
  } catch (error) {
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
  return {
    data,
    port,
    kubeconfig,
    output: () => output,
    awsUrl: () => /--endpoint-url (\S+)/.exec(output)?.[1] ?? "",
    stop: () => end("SIGINT"),
    interrupt: () => void child.kill("SIGINT"),
    ended,
    async kill() {
      await end("SIGKILL");
    },
    async restart() {
      output = "";
      await start();
    },
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(output)) return;
          clearTimeout(timer);
          child.stdout?.off("data", look);
          child.stderr?.off("data", look);
          resolve();
        };
        const timer = setTimeout(() => reject(new Error(`it did not say ${pattern}:\n${output}`)), endTimeoutMs);
        child.stdout?.on("data", look);
        child.stderr?.on("data", look);
        look();
      }),
    async remove() {
      await end("SIGINT");
      rmSync(data, { recursive: true, force: true });
    },
  };
}
