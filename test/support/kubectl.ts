/** Real kubectls: which ones this machine has, and how a test runs one. */
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

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
  /** The same with a document on standard input. */
  pipe(input: string, ...args: string[]): Promise<Ran>;
  /** Starts kubectl and collects its lines until {@link Running.stop}. */
  start(...args: string[]): Running;
};

export interface Running {
  readonly lines: string[];
  /** Resolves with the first line (past or future) that matches. */
  until(pattern: RegExp, timeoutMs?: number): Promise<string>;
  stop(): Promise<void>;
}

/** @param environment added to the process' own */
export function kubectl(binary: KubectlBinary, kubeconfig: string, environment: Record<string, string> = {}): Kubectl {
  const env = { ...process.env, KUBECONFIG: kubeconfig, ...environment };
  const run = (args: string[], input?: string): Promise<Ran> =>
    new Promise((resolve) => {
      const child = execFile(binary.path, args, { env, maxBuffer: 64 << 20, timeout: 120_000 }, (error, stdout, stderr) => {
        resolve({ code: error ? (typeof error.code === "number" ? error.code : 1) : 0, stdout, stderr });
      });
      child.stdin?.end(input ?? "");
    });
  return Object.assign((...args: string[]) => run(args), {
    async ok(...args: string[]) {
      const { code, stdout, stderr } = await run(args);
      if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: exit ${code}\n${stderr}${stdout}`);
      return stdout;
    },
    pipe: (input: string, ...args: string[]) => run(args, input),
    start(...args: string[]): Running {
      const child = spawn(binary.path, args, { env, stdio: ["ignore", "pipe", "pipe"] });
      const lines: string[] = [];
      const waiting = new Set<() => void>();
      let rest = "";
      const take = (data: Buffer) => {
        const parts = (rest + data.toString()).split("\n");
        rest = parts.pop() ?? "";
        lines.push(...parts);
        for (const wake of waiting) wake();
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      return {
        lines,
        until: (pattern, timeoutMs = 30_000) =>
          new Promise((resolve, reject) => {
            const timer = setTimeout(() => {
              waiting.delete(look);
              reject(new Error(`no line matched ${pattern} within ${timeoutMs} ms; got:\n${lines.join("\n")}`));
            }, timeoutMs);
            const look = () => {
              const line = lines.find((candidate) => pattern.test(candidate));
              if (line === undefined) return;
              clearTimeout(timer);
              waiting.delete(look);
              resolve(line);
            };
            waiting.add(look);
            look();
          }),
        stop: () =>
          new Promise((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once("exit", () => resolve());
            child.kill("SIGTERM");
          }),
      };
    },
  });
}
