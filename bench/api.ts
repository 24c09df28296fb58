/**
 * What a request costs: `npm run bench -- api`. The whole server in one process over a store in memory, one request after the other;
 * `--quick` takes shorter windows.
 */
import { measured, median, rate } from "./api/measure.ts";
import { type BenchPlane, startPlane } from "./api/plane.ts";
import { podBody, podStatus } from "./api/pods.ts";

const pods = "/api/v1/namespaces/default/pods";
const protobuf = "application/vnd.kubernetes.protobuf";
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const watchers = 100;

export async function run(options: readonly string[]): Promise<Record<string, unknown>> {
  const windowMs = options.includes("--quick") ? 1_000 : 5_000;
  const result: Record<string, unknown> = {};
  Object.assign(result, await singleObjects(windowMs));
  for (const count of [500, 5_000]) Object.assign(result, await lists(count, windowMs));
  Object.assign(result, await fanOut(windowMs));
  result.rss_mib = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return result;
}

async function singleObjects(windowMs: number): Promise<Record<string, number>> {
  const plane = await startPlane();
  const result: Record<string, number> = { pod_posted_bytes: Buffer.byteLength(JSON.stringify(podBody("one"))) };
  const verb = async (name: string, call: (index: number) => Promise<Response>) => {
    let bytes = 0;
    const { cpuMs, perSecond } = await rate(windowMs, async (index) => {
      bytes = (await (await call(index)).arrayBuffer()).byteLength;
    });
    result[`${name}_per_s`] = Math.round(perSecond);
    result[`${name}_cpu_ms`] = rounded(cpuMs);
    result[`${name}_bytes_out`] = bytes;
  };
  await addPod(plane, "one");
  await verb("get", () => plane.ask(`${pods}/one`));
  await verb("get_protobuf", () => plane.ask(`${pods}/one`, { accept: protobuf }));
  await verb("create", (index) => plane.ask(pods, { method: "POST", body: JSON.stringify(podBody(`made-${index}`)) }));
  const { metadata, ...current } = (await (await plane.ask(`${pods}/one`)).json()) as { metadata: Record<string, unknown> };
  const { resourceVersion: _, ...unconditional } = metadata;
  await verb("update", (index) =>
    plane.ask(`${pods}/one`, {
      method: "PUT",
      body: JSON.stringify({ ...current, metadata: { ...unconditional, annotations: { turn: String(index) } } }),
    }),
  );
  await verb("apply", (index) =>
    plane.ask(`${pods}/one?fieldManager=bench&force=true`, {
      method: "PATCH",
      contentType: "application/apply-patch+yaml",
      body: JSON.stringify({ ...podBody("one"), metadata: { ...podBody("one").metadata, annotations: { turn: `applied-${index}` } } }),
    }),
  );
  await verb("strategic_patch", (index) =>
    plane.ask(`${pods}/one`, {
      method: "PATCH",
      contentType: "application/strategic-merge-patch+json",
      body: JSON.stringify({
        metadata: { annotations: { turn: `patched-${index}` } },
        spec: { containers: [{ name: "server", image: `registry.example.com/shop/server:v1.42.${index}` }] },
      }),
    }),
  );
  return result;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

async function addPod(plane: BenchPlane, name: string): Promise<void> {
  await plane.ask(pods, { method: "POST", body: JSON.stringify(podBody(name)) });
  await touch(plane, name, 0);
}

/** What a kubelet writes. */
async function touch(plane: BenchPlane, name: string, restartCount: number): Promise<void> {
  const { status } = podStatus(name);
  const containerStatuses = status.containerStatuses.map((container) => ({ ...container, restartCount }));
  await plane.ask(`${pods}/${name}/status`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: JSON.stringify({ status: { ...status, containerStatuses } }),
  });
}

/**
 * Reads a body as whoever sends it on does: every byte is copied once, out of chunk after chunk. `Response.arrayBuffer()` takes two
 * copies of the whole, in fresh memory, which for a long list is many times what the server does.
 */
async function readThrough({ body }: Response): Promise<number> {
  let bytes = 0;
  for await (const chunk of body ?? []) {
    for (let at = 0; at < chunk.byteLength; at += passage.byteLength) passage.set(chunk.subarray(at, at + passage.byteLength));
    bytes += chunk.byteLength;
  }
  return bytes;
}

const passage = Buffer.alloc(64 * 1024);

/** Lists with one Pod changed before each, all bytes read. */
async function lists(count: number, windowMs: number): Promise<Record<string, number>> {
  const plane = await startPlane();
  for (let index = 0; index < count; index++) await addPod(plane, `pod-${index}`);
  const result: Record<string, number> = {};
  for (const [form, accept] of [
    ["json", "application/json"],
    ["protobuf", protobuf],
    ["table", table],
  ] as const) {
    const times: number[] = [];
    const cpus: number[] = [];
    const wholeTimes: number[] = [];
    let bytes = 0;
    const until = performance.now() + windowMs;
    for (let turn = 1; turn <= 10 || performance.now() < until; turn++) {
      await touch(plane, `pod-${turn % count}`, turn);
      const { cpuMs, wallMs } = await measured(async () => {
        bytes = await readThrough(await plane.ask(pods, { accept }));
      });
      await touch(plane, `pod-${turn % count}`, turn + 1_000_000);
      const whole = await measured(async () => {
        await (await plane.ask(pods, { accept })).arrayBuffer();
      });
      // The first builds what the others keep.
      if (turn <= 3) continue;
      times.push(wallMs);
      cpus.push(cpuMs);
      wholeTimes.push(whole.wallMs);
    }
    result[`list_${count}_${form}_ms`] = rounded(median(times));
    result[`list_${count}_${form}_cpu_ms`] = rounded(median(cpus));
    result[`list_${count}_${form}_array_buffer_ms`] = rounded(median(wholeTimes));
    result[`list_${count}_${form}_bytes_out`] = bytes;
  }
  return result;
}

/** One Pod changes again and again; a hundred watchers read every event. */
async function fanOut(windowMs: number): Promise<Record<string, number>> {
  const plane = await startPlane();
  await addPod(plane, "one");
  const { metadata } = (await (await plane.ask(pods)).json()) as { metadata: { resourceVersion: string } };
  const stop = new AbortController();
  let events = 0;
  let bytes = 0;
  const readers = await Promise.all(
    Array.from({ length: watchers }, () =>
      plane.ask(`${pods}?watch=true&resourceVersion=${metadata.resourceVersion}`, { signal: stop.signal }),
    ),
  );
  const reading = readers.map(async ({ body }) => {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) events++;
    }
  });
  let changes = 0;
  const { cpuMs, wallMs } = await measured(async () => {
    const until = performance.now() + windowMs;
    while (performance.now() < until) {
      // Writers that do not wait for each other share slots, as in a busy function.
      await Promise.all(Array.from({ length: 16 }, () => touch(plane, "one", ++changes)));
    }
    const allRead = () => events >= changes * watchers;
    while (!allRead()) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  stop.abort();
  await Promise.allSettled(reading);
  return {
    fanout_watchers: watchers,
    fanout_events_per_s: Math.round((events / wallMs) * 1000),
    fanout_events_per_cpu_s: Math.round((events / cpuMs) * 1000),
    fanout_event_bytes: Math.round(bytes / events),
  };
}
