/** What CI runs: types, lint, format, dead code, and every test once. Prints how long each part took; ends at the first failure. */
import { spawnSync } from "node:child_process";

const parts: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["types", "tsc", "--noEmit", "-p", "."],
  ["lint", "oxlint", "--type-aware", "--deny-warnings"],
  ["format", "biome", "check", "."],
  ["dead code", "knip"],
  ["tests", "vitest", "run"],
];

const only = process.argv.slice(2);
for (const [name, command, ...args] of parts.filter(([name]) => only.length === 0 || only.includes(name))) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  console.log(`${status === 0 ? "ok" : "FAILED"}  ${name}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (status !== 0) process.exit(status ?? 1);
}
