/** Sends the requests to the API function in this thread, and judges the answers. */
import { createHash } from "node:crypto";
import { decodeProtobuf } from "../../shared/api/protobuf.ts";
import { createApi } from "../../shared/app/api.ts";
import { readConfig } from "../../shared/app/config.ts";
import { createCore } from "../../shared/app/core.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";
import type { Server } from "../../shared/server/create-server.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { type HostileRequest, hostileRequest } from "./requests.ts";
import { crontabs, samples } from "./samples.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** The first request's number. */
  readonly from: number;
  readonly untilMs: number;
  /** Called with each request's number before it is sent. */
  readonly begin: (number: number) => void;
}

export interface Failure {
  readonly number: number;
  readonly why: string;
}

export interface FuzzResult {
  readonly sent: number;
  readonly byCode: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly slowest: { readonly number: number; readonly ms: number };
  readonly heapMib: { readonly before: number; readonly after: number; readonly peakRss: number };
  readonly dataUnchanged: boolean;
}

const token = "fuzz-admin";
/** A request that takes longer hangs, as far as anybody can tell. */
export const requestLimitMs = 10_000;
/** More failures than these need nobody's attention. */
const mostFailures = 20;
/** Waits that requests ask for pass so many times faster. */
const haste = 20;

/** Waiting for a revision that never comes takes three seconds of a client's time, and should not take ours. */
function hastyClock(): Clock {
  const began = Date.now();
  return {
    now: () => new Date(began + (Date.now() - began) * haste),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const timer = setTimeout(resolve, Math.min(ms / haste, 2 ** 31 - 1));
        timer.unref();
        signal?.addEventListener(
          "abort",
          () => {
            clearTimeout(timer);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
  };
}

/** Keeps the last error that the server tells nobody but its log. */
function listeningLog(): { readonly log: Log; readonly take: () => string } {
  let last: unknown;
  const hear = (_message: string, { error }: { readonly error?: unknown } = {}) => {
    last = error ?? last;
  };
  const log: Log = { debug: () => {}, info: () => {}, warn: hear, error: hear };
  return {
    log,
    take: () => {
      const heard = last;
      last = undefined;
      // The first cause says where it happened.
      const root = heard instanceof Error && heard.cause instanceof Error ? heard.cause : heard;
      return root instanceof Error ? `\n  ${root.stack}` : "";
    },
  };
}

async function startServer(log: Log): Promise<Server> {
  const clock = hastyClock();
  const config = readConfig({
    BINNACLE_TABLE: "fuzz",
    AWS_REGION: "eu-central-1",
    BINNACLE_ADMIN_TOKENS_SHA256: JSON.stringify([createHash("sha256").update(token).digest("hex")]),
    BINNACLE_MAX_OPEN_WATCHES: "1000000",
  });
  const core = createCore({ config, table: memoryTable({ clock }), checkTable: async () => {}, clock, log });
  await core.ready();
  return createApi({ core, logs: { getLogEvents: async () => undefined } });
}

const origin = "https://127.0.0.1:6443";

function asRequest({ method, target, headers, body }: HostileRequest): Request | undefined {
  try {
    return new Request(`${origin}${target}`, { method, headers, ...(body && { body: Uint8Array.from(body) }) });
  } catch {
    // Not HTTP: no server ever sees it.
    return undefined;
  }
}

const asAdmin = (method: string, path: string, body?: unknown): Request =>
  new Request(`${origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

async function fill(server: Server): Promise<void> {
  const create = async (collection: string, object: unknown) => {
    const answer = await server.fetch(asAdmin("POST", collection, object));
    if (answer.status !== 201) throw new Error(`cannot make the sample in ${collection}: ${await answer.text()}`);
  };
  await create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crontabs);
  for (const { collection, object } of samples) if (object !== crontabs) await create(collection, object);
  // Made when first needed, which is no change of the data.
  await server.fetch(asAdmin("GET", "/openid/v1/jwks"));
}

/** Everything that the API would show anybody, in one line. */
async function fingerprint(server: Server): Promise<string> {
  const hash = createHash("sha256");
  const groups = (await (await server.fetch(asAdmin("GET", "/apis"))).json()) as { groups: { versions: { groupVersion: string }[] }[] };
  const prefixes = ["/api/v1", ...groups.groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`))];
  for (const prefix of prefixes) {
    const { resources } = (await (await server.fetch(asAdmin("GET", prefix))).json()) as {
      resources: { name: string; verbs: string[] }[];
    };
    for (const { name, verbs } of resources) {
      if (!verbs.includes("list") || name === "componentstatuses") continue;
      const { items } = (await (await server.fetch(asAdmin("GET", `${prefix}/${name}`))).json()) as { items: unknown };
      hash.update(`${prefix}/${name} ${JSON.stringify(items)}\n`);
    }
  }
  return hash.digest("hex");
}

/** Why an answer is not what a client may get; undefined when it is. */
async function problemOf({ target }: HostileRequest, answer: Response): Promise<string | undefined> {
  const { status } = answer;
  const type = answer.headers.get("content-type") ?? "";
  const isWatch = status === 200 && (/[?&]watch=/.test(target) || target.includes("/watch/") || target.includes("/log"));
  if (isWatch) {
    await answer.body?.cancel();
    return undefined;
  }
  const body = Buffer.from(await answer.arrayBuffer());
  if (status < 400) return undefined;
  if (status === 404 && type.startsWith("text/plain")) return undefined;
  const found = statusIn(body, type);
  if (found?.kind !== "Status" || found.code !== status)
    return `${status} is no Status but ${type}: ${JSON.stringify(body.toString().slice(0, 200))}`;
  const { reason, message } = found;
  // Waiting is what was asked for, and giving up is the answer.
  if (status === 504 && reason === "Timeout" && /[?&](timeout|resourceVersion)=/.test(target)) return undefined;
  return status >= 500 ? `${status} ${String(reason)}: ${String(message)}` : undefined;
}

function statusIn(body: Buffer, type: string): Readonly<Record<string, unknown>> | undefined {
  if (type.startsWith("application/json")) return JSON.parse(body.toString()) as Record<string, unknown>;
  if (type !== "application/vnd.kubernetes.protobuf") return undefined;
  const { kind, object } = decodeProtobuf(body);
  return { kind, ...object };
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);

export async function fuzz({ seed, requests, from, untilMs, begin }: FuzzOptions): Promise<FuzzResult> {
  const { log, take } = listeningLog();
  const server = await startServer(log);
  await fill(server);
  const before = await fingerprint(server);
  const heapBefore = collected();
  const byCode: Record<string, number> = {};
  const failures: Failure[] = [];
  let slowest = { number: -1, ms: 0 };
  let peakRss = 0;
  let sent = 0;
  for (let number = from; sent < requests && Date.now() < untilMs && failures.length < mostFailures; number++) {
    const hostile = hostileRequest(seed, number);
    const request = asRequest(hostile);
    if (!request) continue;
    begin(number);
    const began = performance.now();
    const why = await judged(server, request, hostile, byCode);
    const tookMs = performance.now() - began;
    if (tookMs > slowest.ms) slowest = { number, ms: Math.round(tookMs) };
    const logged = take();
    if (why !== undefined) failures.push({ number, why: `${why}${logged}` });
    else if (tookMs > requestLimitMs) failures.push({ number, why: `took ${Math.round(tookMs)} ms` });
    sent++;
    if (number % 500 === 0) {
      peakRss = Math.max(peakRss, process.memoryUsage.rss());
      // Timers and aborted watches get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  if (Object.hasOwn(Object.prototype, "polluted")) failures.push({ number: -1, why: "Object.prototype was changed" });
  return {
    sent,
    byCode,
    failures,
    slowest,
    heapMib: { before: heapBefore, after: collected(), peakRss: mebibytes(peakRss) },
    dataUnchanged: (await fingerprint(server)) === before,
  };
}

async function judged(
  server: Server,
  request: Request,
  hostile: HostileRequest,
  byCode: Record<string, number>,
): Promise<string | undefined> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${requestLimitMs} ms`), requestLimitMs);
  });
  const answered = server.fetch(request, { signal: stop.signal }).then(async (answer) => {
    byCode[answer.status] = (byCode[answer.status] ?? 0) + 1;
    return problemOf(hostile, answer);
  });
  try {
    return await Promise.race([answered, late]);
  } catch (error) {
    return `the server threw ${error instanceof Error ? error.stack : String(error)}`;
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** What is still held after a collection, in MiB. */
function collected(): number {
  globalThis.gc?.();
  return mebibytes(process.memoryUsage().heapUsed);
}
