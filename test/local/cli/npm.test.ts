/** The commands that README and package.json promise, run as a person types them. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../../..");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

/** A process group of its own, as in a terminal, where Ctrl-C reaches all of it. */
function npm(...args: string[]): { readonly child: ChildProcess; readonly output: () => string; readonly interrupt: () => void } {
  const child = spawn("npm", args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
  };
  onTestFinished(() => signal("SIGKILL"));
  return { child, output: () => output, interrupt: () => signal("SIGINT") };
}

it.each(Object.entries(scripts))("npm run %s: the files that it names are there", (_name, command) => {
  const files = command.split(" ").filter((word) => /^[\w./-]+\.[jt]s$/u.test(word));
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

/** A supervisor signals the one process that it started. */
it.each(["Ctrl-C", "SIGTERM to npm alone"])("npm start says that it is ready, and stops on %s", { timeout: 60_000 }, async (how) => {
  const folder = mkdtempSync(join(tmpdir(), "binnacle-npm-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { child, output, interrupt } = npm("start", "--", "--port", "0", "--data", folder, "--engine", "simulated");
  const ended = once(child, "close");
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", () => /^Binnacle is ready at https:/mu.test(output()) && resolve());
    void ended.then(() => reject(new Error(output())));
  });
  if (how === "Ctrl-C") interrupt();
  else child.kill("SIGTERM");
  await ended;
  expect(output()).toContain("Stopping");
});

it("npm run demo proves what it shows, and leaves nothing behind", { timeout: 120_000 }, async () => {
  const { child, output } = npm("run", "demo");
  const [code] = await once(child, "close");
  expect(code, output()).toBe(0);
});

it("a Node that is too old is told so in one line, before it reads anything that it cannot", async () => {
  const old = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})`;
  const command = scripts.start?.split(" ").slice(2) ?? [];
  const ended = promisify(execFile)(process.execPath, ["--import", old, ...command], { cwd: root });
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Binnacle needs Node\.js 24\.15 or newer; this is 20\.20\.2\..*\n$/u),
  });
});
