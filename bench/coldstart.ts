/**
 * What a cold start of each function costs: `npm run bench -- coldstart`. Bundles the functions as the stack does and imports each in
 * fresh processes, in turns with a minimal handler that constructs a DynamoDB client and nothing else.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { esbuildOptions } from "../infra/bundling.ts";
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
    await build({
      ...esbuildOptions,
      // The minimal handler's imports are found from the repository.
      nodePaths: [join(root, "node_modules")],
      entryPoints: {
        [minimal]: join(folder, "minimal.ts"),
        ...Object.fromEntries(Object.entries(functions).map(([name, { entry }]) => [name, join(root, "lambdas", entry)])),
      },
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      logLevel: "warning",
    });
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    // In turns, so that what else the machine does concerns all of them alike; the first round fills the disk cache.
    for (let round = -1; round < rounds; round++) {
      for (const name of names) {
        const ms = await initMs(join(folder, `${name}.mjs`));
        if (round >= 0) times.get(name)?.push(ms);
      }
    }
    const minimalMs = median(times.get(minimal) ?? []);
    const results = await Promise.all(
      Object.keys(functions).map(async (name) => {
        const initMs = median(times.get(name) ?? []);
        const { size } = await stat(join(folder, `${name}.mjs`));
        return { name, bundle_kib: Math.round(size / 1024), init_ms: tenths(initMs), ratio: Math.round((initMs / minimalMs) * 100) / 100 };
      }),
    );
    for (const { name, bundle_kib, init_ms, ratio } of results)
      console.log(`${name.padEnd(12)} ${String(bundle_kib).padStart(6)} KiB ${init_ms.toFixed(1).padStart(7)} ms  ${ratio} × minimal`);
    return { functions: results, minimal_init_ms: tenths(minimalMs) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
