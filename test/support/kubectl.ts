/** Real kubectls: which ones this machine has, and how a test runs one. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type Running, startProgram } from "./running-program.ts";

export interface KubectlBinary {
  readonly path: string;
  /** `1.32`; `default` for the one on PATH. */
  readonly minor: string;
}

/** kubectls found on PATH and, as `kubectl.1.NN`, beside the one on PATH; oldest first. */
export function findKubectls(): KubectlBinary[] {
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "kubectl"))
    .find((path) => existsSync(path));
  const folder = process.env.BINNACLE_KUBECTL_DIR ?? (onPath && dirname(realpathSync(onPath)));
  const versioned = folder
    ? readdirSync(folder)
        .map((name) => /^kubectl\.(1\.(\d+))$/.exec(name))
        .filter((match) => match !== null)
        .toSorted((a, b) => Number(a[2]) - Number(b[2]))
        .map((match) => ({ path: join(folder, match[0]), minor: match[1] ?? "" }))
    : [];
  return versioned.length > 0 ? versioned : onPath ? [{ path: onPath, minor: "default" }] : [];
}

/** Of those found: the oldest, the first that writes protobuf, and the newest. What these can do, those between can. */
export function typicalKubectls(): KubectlBinary[] {
  const all = findKubectls();
  return [...new Set([all.at(0), all.find(({ minor }) => Number(minor.split(".")[1]) >= 32), all.at(-1)])].filter(
    (one) => one !== undefined,
  );
}

/** Newest kubectl, or undefined with a note on why tests are skipped. In CI its absence is an error. */
export function requireKubectl(): KubectlBinary | undefined {
  const newest = findKubectls().at(-1);
  if (newest) return newest;
  if (process.env.CI) throw new Error("kubectl is required in CI");
  console.warn("skipped: no kubectl on PATH");
  return undefined;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Kubectl = ((...args: string[]) => Promise<Ran>) & {
  /** Runs and returns stdout; throws with stderr when kubectl fails. */
  ok(...args: string[]): Promise<string>;
  /** Runs what must fail and returns what it complains about; throws with stdout when it works. */
  refused(...args: string[]): Promise<string>;
  /** The same with a document on standard input. */
  pipe(input: string, ...args: string[]): Promise<Ran>;
  /** Applies manifests and returns stdout; throws with stderr when that fails. */
  apply(manifests: string, ...args: string[]): Promise<string>;
  /** One value of objects. @param what as `deployment web` @param path as `{.spec.replicas}` */
  read(what: string, path: string): Promise<string>;
  /** Starts kubectl and collects its lines until {@link Running.stop}. */
  start(...args: string[]): Running;
};

/** @param environment added to the process' own @param always stand before the arguments of every command: `-n`, `shop` */
export function kubectl(
  binary: KubectlBinary,
  kubeconfig: string,
  environment: Record<string, string> = {},
  always: readonly string[] = [],
): Kubectl {
  const env = { ...process.env, KUBECONFIG: kubeconfig, ...environment };
  const run = (args: readonly string[], input?: string): Promise<Ran> =>
    new Promise((resolve) => {
      const child = execFile(binary.path, [...always, ...args], { env, maxBuffer: 64 << 20, timeout: 120_000 }, (error, stdout, stderr) => {
        resolve({ code: error ? (typeof error.code === "number" ? error.code : 1) : 0, stdout, stderr });
      });
      // What it does not read to the end, it complains about by itself.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input ?? "");
    });
  const succeed = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await run(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: exit ${code}\n${stderr}${stdout}`);
    return stdout;
  };
  return Object.assign((...args: string[]) => run(args), {
    ok: (...args: string[]) => succeed(args),
    async refused(...args: string[]) {
      const { code, stdout, stderr } = await run(args);
      if (code === 0) throw new Error(`kubectl ${args.join(" ")}: not refused\n${stderr}${stdout}`);
      return stderr;
    },
    pipe: (input: string, ...args: string[]) => run(args, input),
    apply: (manifests: string, ...args: string[]) => succeed(["apply", "-f", "-", ...args], manifests),
    read: (what: string, path: string) => succeed(["get", ...what.split(" "), "-o", `jsonpath=${path}`]),
    start: (...args: string[]) => startProgram(binary.path, [...always, ...args], env),
  });
}
