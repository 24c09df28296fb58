/**
 * What a cold start of each function costs: `npm run bench -- coldstart`. Bundles the functions as the stack does and imports each in
 * fresh processes, in turns with a minimal handler that constructs a DynamoDB client and nothing else. What is put off until it is needed
 * is paid then: so the first requests to a fresh `api` are measured too, over the local DynamoDB engine.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundle, mainFile } from "../infra/bundling.ts";
import { functions } from "../infra/functions.ts";
import { createTable, startDynamoDb } from "../local/dynamodb/engine.ts";
import { silentLog } from "../shared/runtime/log.ts";
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

const token = "bench";
const namespace = "/api/v1/namespaces/default";
const bearer = { Authorization: [`Bearer ${token}`] };

/** What the first request of a process may be. */
const firstRequests = {
  get: { httpMethod: "GET", path: namespace, multiValueHeaders: bearer },
  table: { httpMethod: "GET", path: namespace, multiValueHeaders: { ...bearer, Accept: ["application/json;as=Table;v=v1;g=meta.k8s.io"] } },
  create: {
    httpMethod: "POST",
    path: `${namespace}/configmaps`,
    multiValueHeaders: { ...bearer, "Content-Type": ["application/json"] },
    multiValueQueryStringParameters: { dryRun: ["All"] },
    body: JSON.stringify({ metadata: { name: "bench" } }),
  },
} as const;

/** Prints how long it takes from importing a file until its handler has answered an event, all bytes read, in milliseconds. */
const firstProbe = `
import { PassThrough } from "node:stream";
let head;
globalThis.awslambda = { streamifyResponse: (handler) => handler, HttpResponseStream: { from: (stream, given) => ((head = given), stream) } };
const begin = performance.now();
const { handler } = await import(process.argv[1]);
const stream = new PassThrough().resume();
await handler(JSON.parse(process.argv[2]), stream, { getRemainingTimeInMillis: () => 60_000 });
const ms = performance.now() - begin;
if (head.statusCode >= 300) throw new Error("status " + head.statusCode);
console.log(ms);
process.exit();
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
    const firsts = await firstRequestsMs(main("api"));
    for (const { name, bundle_kib, init_ms, ratio } of results)
      console.log(`${name.padEnd(12)} ${String(bundle_kib).padStart(6)} KiB ${init_ms.toFixed(1).padStart(7)} ms  ${ratio} × minimal`);
    for (const [name, ms] of Object.entries(firsts)) console.log(`api, import and ${name}: ${ms.toFixed(1)} ms`);
    return { functions: results, minimal_init_ms: tenths(minimalMs), ...firsts };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds from importing `api` in a fresh process until its first answer, of a cluster that exists already. */
async function firstRequestsMs(file: string): Promise<Record<`first_${keyof typeof firstRequests}_ms`, number>> {
  const engine = await startDynamoDb({ env: {}, log: silentLog });
  try {
    const client = engine.client();
    await createTable(client, environment.BINNACLE_TABLE);
    client.destroy();
    const env = {
      ...environment,
      AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
      BINNACLE_ADMIN_TOKENS_SHA256: JSON.stringify([createHash("sha256").update(token).digest("hex")]),
    };
    const first = async (name: keyof typeof firstRequests): Promise<number> => {
      const event = JSON.stringify({ body: null, isBase64Encoded: false, ...firstRequests[name] });
      const { stdout } = await execute(process.execPath, ["--input-type=module", "--eval", firstProbe, file, event], { env });
      return Number(stdout);
    };
    // Makes the cluster.
    await first("get");
    const times = { get: [] as number[], table: [] as number[], create: [] as number[] };
    for (let round = 0; round < rounds; round++)
      for (const name of ["get", "table", "create"] as const) times[name].push(await first(name));
    return {
      first_get_ms: tenths(median(times.get)),
      first_table_ms: tenths(median(times.table)),
      first_create_ms: tenths(median(times.create)),
    };
  } finally {
    await engine.stop();
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
