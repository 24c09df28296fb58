/**
 * `npm run bench -- fuzz --requests 100000 [--seed S] [--seconds N] [--from NUMBER]`: malformed and hostile requests against the API
 * function in this process. Every one must end in a Status below 500 (or be fine after all), in time, and leave data and memory as they
 * were. One request again: `--seed S --from NUMBER --requests 1`.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { asCurl, hostileRequest } from "./requests.ts";
import { type FuzzResult, requestLimitMs } from "./run.ts";

/** How much more may be held after the run than before it; caches have bounds below this. */
const heapGrowthMib = 200;
/** The first requests compile the code, which takes its time on a busy machine. */
const stalledAfterMs = 3 * requestLimitMs;

export async function run(options: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      requests: { type: "string", default: "100000" },
      seed: { type: "string" },
      seconds: { type: "string", default: "3600" },
      from: { type: "string", default: "0" },
    },
  });
  const seed = Number(values.seed ?? randomInt(2 ** 31));
  console.log(`seed ${seed}`);
  const result = await inWorker(seed, Number(values.requests), Number(values.from), Number(values.seconds));
  const { heapMib, dataUnchanged, failures } = result;
  for (const { number, why } of failures) {
    console.error(`request ${number}: ${why}`);
    if (number >= 0) console.error(`  ${asCurl(hostileRequest(seed, number))}`);
    console.error(`  again: npm run bench -- fuzz --seed ${seed} --from ${number} --requests 1`);
  }
  if (!dataUnchanged) console.error("the data is not what it was before");
  const grewMib = heapMib.after - heapMib.before;
  if (grewMib > heapGrowthMib) console.error(`memory grew by ${grewMib} MiB`);
  if (failures.length > 0 || !dataUnchanged || grewMib > heapGrowthMib) process.exitCode = 1;
  return {
    seed,
    requests: result.sent,
    failures: failures.length,
    data_unchanged: dataUnchanged,
    slowest_ms: result.slowest.ms,
    slowest_request: result.slowest.number,
    heap_before_mib: heapMib.before,
    heap_after_mib: heapMib.after,
    peak_rss_mib: heapMib.peakRss,
    by_code: result.byCode,
  };
}

/** Threads made after this can collect garbage when they want to know what is left. */
setFlagsFromString("--expose-gc");

function inWorker(seed: number, requests: number, from: number, seconds: number): Promise<FuzzResult> {
  const shared = new SharedArrayBuffer(8);
  const current = new Int32Array(shared);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), {
      workerData: { seed, requests, from, seconds, shared },
    });
    let last = -1;
    let since = Date.now();
    const watchdog = setInterval(() => {
      const count = Atomics.load(current, 1);
      if (count !== last || count === 0) {
        last = count;
        since = Date.now();
        return;
      }
      if (Date.now() - since < stalledAfterMs) return;
      clearInterval(watchdog);
      const number = Atomics.load(current, 0);
      void worker.terminate();
      reject(new Error(`request ${number} of seed ${seed} hangs: ${asCurl(hostileRequest(seed, number))}`));
    }, 500);
    worker.once("message", (result: FuzzResult) => {
      clearInterval(watchdog);
      resolve(result);
    });
    worker.once("error", (error) => {
      clearInterval(watchdog);
      reject(error);
    });
  });
}
