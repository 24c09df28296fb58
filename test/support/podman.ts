/**
 * A real container engine for tests: podman, started by the first test that asks for it (`scripts/podman-setup.sh`) and stopped when the
 * whole run ends, without leaving a process, mount or bridge behind. Vitest's global set-up, too: see `vitest.config.ts`.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stopDockerd } from "./dockerd.ts";
import { engineFolder, folderVariable, type TestEngine } from "./test-engine.ts";

export type { TestEngine };

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../scripts/podman-setup.sh");
const prefix = "binnacle-engines-";
/** Installing it takes a while on a fresh machine; CI does it beforehand. */
export const podmanStartMs = 300_000;

/** Whether this machine can run it. Where it cannot: a note why, and an error in CI. */
export function canRunPodman(): boolean {
  const why = whyNot();
  if (why === undefined) return true;
  if (process.env.CI) throw new Error(`tests with real containers are required in CI: ${why}`);
  console.warn(`skipped: tests with real containers: ${why}`);
  return false;
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "they need Linux";
  if (process.getuid?.() !== 0) return "they need root, for namespaces, bridges and mounts";
  const tools = ["/usr/bin/podman", "/usr/bin/crun", "/usr/lib/podman/netavark", "/usr/bin/docker-registry", "/bin/busybox"];
  const missing = tools.filter((tool) => !existsSync(tool));
  if (missing.length === 0 || process.env.CI) return undefined;
  return `${missing.join(", ")} missing; scripts/podman-setup.sh --install puts them onto a Debian`;
}

/** The run's engine; started if it does not run yet. Call it in `beforeAll` with {@link podmanStartMs}. */
export async function startPodman(): Promise<TestEngine> {
  const folder = engineFolder();
  mkdirSync(folder, { recursive: true });
  const port = await registryPort(join(folder, "registry-port"));
  const socket = join(folder, "podman.sock");
  await run(script, [socket], { env: { ...process.env, REGISTRY_PORT: String(port) }, timeout: podmanStartMs });
  const registry = `127.0.0.1:${port}`;
  return { dockerHost: `unix://${socket}`, socket, image: `${registry}/busybox:latest`, registry };
}

/** A port that was free when the first test asked. */
async function registryPort(file: string): Promise<number> {
  const port = await new Promise<number>((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
  try {
    writeFileSync(file, String(port), { flag: "wx" });
    return port;
  } catch {
    // Another worker was first.
    return Number(readFileSync(file, "utf8"));
  }
}

async function stop(folder: string): Promise<void> {
  await stopDockerd(folder);
  await run(script, ["--stop", join(folder, "podman.sock")], { timeout: 120_000 });
  rmSync(folder, { recursive: true, force: true });
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Before the first test: says where the engine is to live, and clears away those of runs that were killed. */
export async function setup(): Promise<void> {
  process.env[folderVariable] = join(tmpdir(), `${prefix}${process.pid}`);
  if (process.getuid?.() !== 0) return;
  for (const name of readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))) {
    const folder = join(tmpdir(), name);
    if (!isAlive(Number(name.slice(prefix.length))))
      await stop(folder).catch((error: unknown) => console.warn(`${folder} is left behind: ${String(error)}`));
  }
}

/** After the last test. */
export async function teardown(): Promise<void> {
  const folder = process.env[folderVariable];
  if (folder && existsSync(folder)) await stop(folder);
}
