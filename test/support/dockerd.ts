/** Docker itself for tests, where it is installed: a daemon of its own, which leaves the machine's and its firewall alone. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../local/engine/docker/api.ts";
import { engineFolder, type TestEngine } from "./test-engine.ts";

const program = "/usr/sbin/dockerd";
const startMs = 30_000;
const stopMs = 30_000;

/** Whether this machine can run it. Where it cannot: a note why, and an error in CI. */
export function canRunDockerd(): boolean {
  const possible = process.platform === "linux" && process.getuid?.() === 0 && existsSync(program);
  const needs = `tests with Docker itself need Linux, root and ${program} (Debian: docker.io)`;
  if (!possible && process.env.CI) throw new Error(`required in CI: ${needs}`);
  if (!possible) console.warn(`skipped: ${needs}`);
  return possible;
}

const folderIn = (run: string) => join(run, "dockerd");

/** @param source of its image, which it pulls from that engine's registry */
export async function startDockerd(source: TestEngine): Promise<TestEngine & { stop(): Promise<void> }> {
  const run = engineFolder();
  const folder = folderIn(run);
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, "sock");
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
    await stopDockerd(run);
    throw error;
  }
  return { ...source, dockerHost: flags.host, socket, stop: () => stopDockerd(run) };
}

/** Ends the daemon of a run, and what it runs, if there is one. @param run folder of the run */
export async function stopDockerd(run: string): Promise<void> {
  const folder = folderIn(run);
  if (!existsSync(folder)) return;
  await removeAll(join(folder, "sock")).catch(() => undefined);
  const pid = readPid(join(folder, "pid"));
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    for (const deadline = Date.now() + stopMs; readPid(join(folder, "pid")) !== undefined && Date.now() < deadline; ) await delay(100);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Containers and networks outlive a daemon that is stopped. */
async function removeAll(socket: string): Promise<void> {
  const api = await connect("", socket, 1_000);
  for (const { Id } of await api.call<readonly { readonly Id: string }[]>("GET", "/containers/json", { query: { all: true } })) {
    await api.call("DELETE", `/containers/${Id}`, { query: { force: true, v: true } });
  }
  await api.call("POST", "/networks/prune");
}

/** Of the daemon, if it is alive. */
function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd" ? pid : undefined;
  } catch {
    return undefined;
  }
}
