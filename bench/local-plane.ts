/** A control plane started as a user starts it, for benchmarks. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiConnection, connectApi } from "../local/api-connection.ts";

export interface LocalPlane {
  readonly pid: number;
  readonly kubeconfig: string;
  readonly api: ApiConnection;
  stop(): Promise<void>;
}

export async function startLocalPlane(...options: readonly string[]): Promise<LocalPlane> {
  const data = mkdtempSync(join(tmpdir(), "binnacle-bench-"));
  const main = join(import.meta.dirname, "../local/main.ts");
  const child = spawn(process.execPath, [main, "--data", data, "--port", "0", "--engine", "simulated", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/^Binnacle is ready/m.test(output)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the control plane ended with ${code}:\n${output}`)));
  });
  const kubeconfig = join(data, "kubeconfig");
  const api = connectApi(kubeconfig);
  return {
    pid: child.pid ?? 0,
    kubeconfig,
    api,
    async stop() {
      api.close();
      await new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGINT");
      });
      rmSync(data, { recursive: true, force: true });
    },
  };
}
