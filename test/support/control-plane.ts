/** A control plane as a user starts it: `node local/main.ts` in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
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
  /** SIGKILL, as a crash or the OOM killer would. */
  kill(): Promise<void>;
  /** Starts again on the same data and port. */
  restart(): Promise<void>;
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

export const startControlPlane = (...options: string[]): Promise<ControlPlane> => startControlPlaneWith({}, ...options);

/** @param environment added to the process' own */
export async function startControlPlaneWith(environment: Record<string, string>, ...options: string[]): Promise<ControlPlane> {
  const data = mkdtempSync(join(tmpdir(), "binnacle-e2e-"));
  const port = await freePort();
  const kubeconfig = join(data, "kubeconfig");
  let child: ChildProcess;
  let output = "";

  const start = () =>
    new Promise<void>((resolve, reject) => {
      child = spawn(process.execPath, [main, "--data", data, "--port", String(port), "--engine", "simulated", ...options], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...environment },
      });
      const timer = setTimeout(() => reject(new Error(`not ready within 30 s:\n${output}`)), 30_000);
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
  const end = (signal: NodeJS.Signals) =>
    new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
      child.once("exit", (code) => resolve(code));
      child.kill(signal);
    });

  await start();
  return {
    data,
    port,
    kubeconfig,
    output: () => output,
    awsUrl: () => /--endpoint-url (\S+)/.exec(output)?.[1] ?? "",
    stop: () => end("SIGINT"),
    interrupt: () => void child.kill("SIGINT"),
    async kill() {
      await end("SIGKILL");
    },
    async restart() {
      output = "";
      await start();
    },
    async remove() {
      await end("SIGINT");
      rmSync(data, { recursive: true, force: true });
    },
  };
}
