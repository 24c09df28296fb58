/** A control plane started as a user starts it, for benchmarks: its process, its address, and a client that keeps connections open. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

export interface LocalPlane {
  readonly pid: number;
  readonly kubeconfig: string;
  /** @returns status and body */
  call(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: string }>;
  stop(): Promise<void>;
}

export async function startLocalPlane(port: number, ...options: readonly string[]): Promise<LocalPlane> {
  const data = mkdtempSync(join(tmpdir(), "binnacle-bench-"));
  const main = join(import.meta.dirname, "../local/main.ts");
  const child = spawn(process.execPath, [main, "--data", data, "--port", String(port), "--engine", "simulated", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await ready(child);
  const kubeconfig = join(data, "kubeconfig");
  const config = parse(readFileSync(kubeconfig, "utf8"));
  const server = new URL(config.clusters[0].cluster.server);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 16,
    ca: Buffer.from(config.clusters[0].cluster["certificate-authority-data"], "base64"),
  });
  const authorization = `Bearer ${config.users[0].user.token}`;
  return {
    pid: child.pid ?? 0,
    kubeconfig,
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body && JSON.stringify(body);
        const headers = { authorization, ...(text && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }) };
        const sent = request({ agent, hostname: server.hostname, port: server.port, method, path, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
          response.on("error", reject);
        });
        sent.on("error", reject);
        sent.end(text);
      }),
    async stop() {
      agent.destroy();
      await new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGINT");
      });
      rmSync(data, { recursive: true, force: true });
    },
  };
}

const ready = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/^Binnacle is ready/m.test(output)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the control plane ended with ${code}:\n${output}`)));
  });
