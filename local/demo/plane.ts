/** The demo's control plane: a process of its own, as `npm start` starts it. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export interface Plane {
  /** What runs containers, in the control plane's own words. */
  readonly notice: string;
  stop(): Promise<void>;
}

/** @throws {Error} with its output when it ends before it is ready */
export async function startPlane(data: string): Promise<Plane> {
  const main = join(import.meta.dirname, "../main.ts");
  const child = spawn(process.execPath, [main, "--data", data, "--port", "0", "--engine", "simulated"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once("exit", () => resolve());
      child.kill("SIGINT");
    });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end().then(() => process.exit(130)));
  // Whatever ends the show, also an error nobody caught, ends the control plane with it.
  process.once("exit", () => child.kill("SIGKILL"));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      if (/^Binnacle is ready/m.test(output)) resolve();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("exit", (code) => reject(new Error(`the control plane ended with ${code}:\n${output}`)));
  });
  return { notice: output.split("\n")[0] ?? "", stop: end };
}
