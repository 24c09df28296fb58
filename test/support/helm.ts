/** A real Helm, as a test runs it: with no configuration, cache or plugins of whoever runs the test. */
import { join } from "node:path";
import { runToEnd } from "./tools.ts";

export interface Helm {
  /** Runs it. @returns exit code and output, never throws */
  (...args: string[]): Promise<{ readonly code: number; readonly output: string }>;
  /** Runs it and returns its output; throws with that when it fails. */
  ok(...args: string[]): Promise<string>;
  /** What it says with `-o json`. */
  json<T>(...args: string[]): Promise<T>;
}

/** @param home folder for Helm's own files */
export function helmIn(program: string, kubeconfig: string, home: string): Helm {
  const env = {
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: join(home, "cache"),
    HELM_CONFIG_HOME: join(home, "config"),
    HELM_DATA_HOME: join(home, "data"),
  };
  const run = (...args: string[]) => runToEnd(program, args, { env, timeoutMs: 150_000 });
  const ok = async (...args: string[]) => {
    const { code, output } = await run(...args);
    if (code !== 0) throw new Error(`helm ${args.join(" ")}: exit ${code}\n${output}`);
    return output;
  };
  return Object.assign(run, {
    ok,
    json: async <T>(...args: string[]) => JSON.parse(await ok(...args, "-o", "json")) as T,
  });
}
