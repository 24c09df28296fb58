/**
 * What a cold start of each function costs: `npm run bench -- coldstart`. Bundles the functions as the stack does and imports each in
 * fresh processes, in turns with a minimal handler that constructs a DynamoDB client and nothing else.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundle, mainFile } from "../infra/bundling.ts";
import { functions } from "../infra/functions.ts";
import { median } from "./api/measure.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");
const rounds = 20;
const minimal = "minimal";

const minimalHandler = `
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
const client = new DynamoDBClient({});
export const handler = async () => client.config.region();
`;

/** Prints how long importing a file takes: from the import to its handler being there, in milliseconds. Lambda's runtime has the global. */
const probe = `
globalThis.awslambda = { streamifyResponse: (handler) => handler, HttpResponseStream: { from: (stream) => stream } };
const begin = performance.now();
const { handler } = await import(process.argv[1]);
if (typeof handler !== "function") throw new Error("no handler");
console.log(performance.now() - begin);
`;

export async function run(): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "binnacle-coldstart-"));
  try {
    const names = [minimal, ...Object.keys(functions)];
    await writeFile(join(folder, "minimal.ts"), minimalHandler);
    const entries = new Map([[minimal, join(folder, "minimal.ts")]]);
    for (const [name, { entry }] of Object.entries(functions)) entries.set(name, join(root, "lambdas", entry));
    // The minimal handler's imports are found from the repository.
    for (const [name, entry] of entries) bundle(entry, join(folder, name), { nodePaths: [join(root, "node_modules")] });
    const main = (name: string) => join(folder, name, `${mainFile}.mjs`);
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    // In turns, so that what else the machine does concerns all of them alike; the first round fills the disk cache.
    for (let round = -1; round < rounds; round++) {
      for (const name of names) {
        const ms = await initMs(main(name));
        if (round >= 0) times.get(name)?.push(ms);
      }
    }
    const minimalMs = median(times.get(minimal) ?? []);
    const results = await Promise.all(
      Object.keys(functions).map(async (name) => {
        const initMs = median(times.get(name) ?? []);
        return {
          name,
          bundle_kib: Math.round((await codeBytes(join(folder, name))) / 1024),
          init_ms: tenths(initMs),
          ratio: Math.round((initMs / minimalMs) * 100) / 100,
        };
      }),
    );
    for (const { name, bundle_kib, init_ms, ratio } of results)
      console.log(`${name.padEnd(12)} ${String(bundle_kib).padStart(6)} KiB ${init_ms.toFixed(1).padStart(7)} ms  ${ratio} × minimal`);
    return { functions: results, minimal_init_ms: tenths(minimalMs) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All of a function's code, what it loads later included; maps are for debuggers. */
async function codeBytes(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".mjs"));
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

async function initMs(file: string): Promise<number> {
  const { stdout } = await execute(process.execPath, ["--input-type=module", "--eval", probe, file], { env: environment });
  return Number(stdout);
}

/** As much of a function's settings as it needs to start. Nothing is called. */
const environment = {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  BINNACLE_TABLE: "binnacle-bench",
};
