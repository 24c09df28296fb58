/** Programs that tests need and that a machine may lack: found, or a reason to skip; in CI their absence is an error. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What is built or downloaded once and used by many runs. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "binnacle");

/** Whether the program answers. Where it does not: a note on what is skipped, and an error in CI. */
export async function requireProgram(program: string, args: readonly string[], forWhat: string): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch (error) {
    if (process.env.CI) throw new Error(`${program} is required in CI, for ${forWhat}`, { cause: error });
    console.warn(`skipped: ${forWhat}: ${program} is missing or incomplete`);
    return false;
  }
}

/** client-go's checks, compiled from `test/clients/go`. @returns the program */
export const goClients = (): Promise<string> => goProgram("go", ".", "clients");

/** An operator made with controller-runtime, compiled from `test/clients/operator`. @returns the program */
export const operator = (): Promise<string> => goProgram("operator", ".", "operator");

/** Helm, as `test/clients/helm/go.mod` pins it. @returns the program */
export const helm = (major: 3 | 4): Promise<string> => goProgram("helm", `helm.sh/helm/v${major}/cmd/helm`, `helm-${major}`);

/** kube-apiserver and etcd in one program, compiled from `test/clients/reference`. @returns the program */
export const referenceProgram = (): Promise<string> => goProgram("reference", ".", "reference");

/** Whether Go and the modules of a folder of `test/clients` are here, or can be had. Where not: a note, and an error in CI. */
export const requireGoModules = (module: string, forWhat: string): Promise<boolean> =>
  requireProgram("go", ["-C", join(import.meta.dirname, "../clients", module), "list", "-deps", "."], forWhat);

/**
 * Compiles a Go package with the modules that a folder of `test/clients` pins; kept until a file there changes.
 * The first time downloads modules and takes minutes.
 */
async function goProgram(module: string, packagePath: string, name: string): Promise<string> {
  const source = join(import.meta.dirname, "../clients", module);
  const program = join(cacheFolder, `${module}-clients`, hashOf(source), name);
  if (existsSync(program)) return program;
  const building = `${program}.${process.pid}`;
  await run("go", ["build", "-o", building, packagePath], { cwd: source, maxBuffer: 64 << 20 });
  renameSync(building, program);
  return program;
}

/** A virtual environment with the packages that `test/clients/python` pins; kept until the list changes. @returns its interpreter */
export async function pythonClients(): Promise<string> {
  const source = join(import.meta.dirname, "../clients/python");
  const requirements = join(source, "requirements.txt");
  const folder = join(cacheFolder, "python-clients", createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16));
  const python = join(folder, "bin", "python");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return python;
  // An environment names its own folder inside, so it cannot be made elsewhere and moved here.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run("python3", ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements], { maxBuffer: 64 << 20 });
  mkdirSync(complete);
  return python;
}

function hashOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).toSorted())
    hash
      .update(name)
      .update("\0")
      .update(readFileSync(join(folder, name)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** Runs a program to its end. @returns its output; never throws for its exit code */
export function runToEnd(
  program: string,
  args: readonly string[],
  { env = {}, timeoutMs }: { readonly env?: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 64 << 20 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
      resolve({ code, output: `${stdout}${stderr}${error?.killed ? `\nended after ${timeoutMs} ms` : ""}` });
    });
  });
}
