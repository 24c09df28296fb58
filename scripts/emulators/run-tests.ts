/** Runs test files with vitest against somebody else's emulator, and says so when the emulator is not to be had. */
import { spawn } from "node:child_process";

/** Emulators take any credentials; with these a call that misses the emulator cannot reach an account. */
export const emulatorEnvironment = {
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_SESSION_TOKEN: "",
  AWS_PROFILE: "",
  AWS_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
} as const;

/** @returns vitest's exit code */
export function runTests(files: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const env = { ...process.env, ...emulatorEnvironment, ...environment };
  const vitest = spawn("vitest", ["run", ...files], { stdio: ["ignore", "inherit", "inherit"], env });
  return new Promise((resolve, reject) => {
    vitest.once("error", reject);
    vitest.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Ends the command: what it needs is not there. */
export function missing(command: string, what: string): never {
  console.error(`${command} cannot run: ${what}.`);
  process.exit(1);
}
