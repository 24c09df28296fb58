/** `npm run bench -- NAME [options]`: one benchmark; a table for people, and one JSON object on the last line. */
import { machineScore } from "./machine-score.ts";

export interface Benchmark {
  /** @param options what stood behind the name on the command line */
  run(options: readonly string[]): Promise<Record<string, unknown>>;
}

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  fuzz: () => import("./fuzz/main.ts"),
  api: () => import("./api.ts"),
  coldstart: () => import("./coldstart.ts"),
  robustness: () => import("./robustness/run.ts"),
  start: () => import("./start.ts"),
  store: () => import("./store.ts"),
};

const [name = "", ...options] = process.argv.slice(2);
const load = benchmarks[name];
if (!load) {
  console.error(`usage: npm run bench -- NAME\nbenchmarks: ${Object.keys(benchmarks).join(", ")}`);
  process.exit(2);
}
const result = { bench: name, ...(await (await load()).run(options)), machine_score: machineScore() };
for (const [key, value] of Object.entries(result)) {
  if (typeof value !== "object") console.log(`${key.padEnd(36)} ${typeof value === "number" ? Math.round(value * 100) / 100 : value}`);
}
console.log(JSON.stringify(result));

/** The result is complete; whatever still holds the process by then is named and left behind. */
const graceMs = 10_000;
setTimeout(() => {
  console.error(`${name} is over, but something still holds the process: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit();
}, graceMs).unref();
