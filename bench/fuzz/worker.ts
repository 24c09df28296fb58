/** The thread that sends: its watchdog is another one, which an endless loop here cannot stop. */
import { parentPort, workerData } from "node:worker_threads";
import { fuzz } from "./run.ts";

const { seed, requests, from, seconds, shared } = workerData as {
  seed: number;
  requests: number;
  from: number;
  seconds: number;
  shared: SharedArrayBuffer;
};
const current = new Int32Array(shared);
const result = await fuzz({
  seed,
  requests,
  from,
  untilMs: Date.now() + seconds * 1000,
  begin(number) {
    Atomics.store(current, 0, number);
    Atomics.add(current, 1, 1);
  },
});
parentPort?.postMessage(result, []);
