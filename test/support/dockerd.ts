/** Docker itself for tests, where it is installed: a daemon of its own, which touches neither the machine's nor its firewall. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../local/engine/docker/api.ts";
import type { TestEngine } from "./podman.ts";

const program = "/usr/sbin/dockerd";
const startMs = 30_000;

/** Whether this machine can run it. It is a second opinion: CI does without it, too. */
export function canRunDockerd(): boolean {
  const possible = process.platform === "linux" && process.getuid?.() === 0 && existsSync(program);
  if (!possible) console.warn(`skipped: tests with Docker itself need root and ${program} (Debian: docker.io)`);
  return possible;
}

/** @param source of its image, which it pulls from that engine's registry */
export async function startDockerd(source: TestEngine): Promise<TestEngine & { stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "binnacle-dockerd-"));
  const socket = join(folder, "docker.sock");
  const log = join(folder, "log");
  const output = openSync(log, "w");
  const flags = {
    host: `unix://${socket}`,
    "data-root": join(folder, "data"),
    "exec-root": join(folder, "exec"),
    pidfile: join(folder, "pid"),
    bridge: "none",
    iptables: "false",
    "ip-forward": "false",
    "ip-masq": "false",
    "insecure-registry": source.registry,
  };
  const child = spawn(
    program,
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { stdio: ["ignore", output, output] },
  );
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const deadline = Date.now() + startMs;
    for (;;) {
      const api = existsSync(socket) ? await connect("", socket, 1_000).catch(() => undefined) : undefined;
      if (api) {
        await api.call("POST", "/images/create", { query: { fromImage: source.image }, headers: { "X-Registry-Auth": "e30=" } });
        break;
      }
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`dockerd did not start:\n${readFileSync(log, "utf8").slice(-2_000)}`);
      await delay(100);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...source, dockerHost: flags.host, socket, stop };
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
