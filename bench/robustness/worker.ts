/**
 * A process of the robustness run: started, killed, frozen and started again by it. What it is told comes as its argument and as messages;
 * what it sees goes into its journal. It ends when its parent does.
 */
import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { type Clock, systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import { type ClusterStore, type Store, StoreBusyError } from "../../shared/store/store.ts";
import { ConsumerClient } from "./clients/consumer.ts";
import type { Desk } from "./clients/desk.ts";
import { runReader } from "./clients/reader.ts";
import { Reflector } from "./clients/reflector.ts";
import { runWriter } from "./clients/writer.ts";
import { Journal } from "./journal.ts";
import { KnownObjects } from "./known-objects.ts";
import { between, type Random, randomFor } from "./random.ts";
import { storeSettings, timeoutMs } from "./settings.ts";
import type { Profile } from "./traffic.ts";

/** What a process does: `traffic` writes, lists and watches; `upkeep` brings views up to date and compacts; `consumer` reads when it is rung. */
export type Role = "traffic" | "upkeep" | "consumer";

export interface WorkerOptions {
  /** Of the process in this life of it. */
  readonly name: string;
  readonly role: Role;
  readonly seed: number;
  readonly endpoint: string;
  readonly tableName: string;
  readonly cluster: string;
  readonly logs: Readonly<Record<string, Profile>>;
  /** How far this process' clock is ahead, in milliseconds. */
  readonly skewMs: number;
  /** Where journals are. */
  readonly folder: string;
}

export type ToWorker =
  | { readonly type: "ring" }
  /** Begin nothing new. Watches go on. Answered with `resting`. */
  | { readonly type: "rest" }
  /** Be shown everything up to these revisions, by log. Answered with `reached`. */
  | { readonly type: "reach"; readonly revisions: Readonly<Record<string, number>> };

export type FromWorker = { readonly type: "resting" } | { readonly type: "reached" };

/** Upkeep is given up when the table does not answer, when it overslept, or when it was outrun by another; the next one starts afresh. */
const mayFail = new Set([
  "ThrottledError",
  "UnknownOutcomeError",
  "TableUnavailableError",
  "StaleMaterializerError",
  "SlotsGoneError",
  "OutcomeUnknownError",
]);

const options = JSON.parse(process.argv[2] ?? "") as WorkerOptions;
const random = randomFor(options.seed, options.name);
const journal = new Journal(options.folder, options.name);
const rest = new AbortController();
const over = new AbortController();
process.once("disconnect", () => process.exit());

const skewedClock: Clock = { ...systemClock, now: () => new Date(Date.now() + options.skewMs) };
const client = new DynamoDBClient({
  endpoint: options.endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
const store = openStore({
  table: dynamoDbTable({ client, tableName: options.tableName, timeoutMs }),
  clock: skewedClock,
  log: silentLog,
  settings: storeSettings,
});
const cluster = await opened(store);

/** What has to reach the end before the run is over: the revision it has come to, by log. */
const watching = new Map<string, { readonly revision: number }[]>();
const consumers: ConsumerClient[] = [];
const requests = start();

process.on("message", (message: ToWorker) => {
  if (message.type === "ring") for (const consumer of consumers) consumer.ring();
  else if (message.type === "rest") void comeToRest();
  else void reach(message.revisions);
});

async function comeToRest(): Promise<void> {
  rest.abort();
  await Promise.all(requests);
  say({ type: "resting" });
}

async function reach(revisions: Readonly<Record<string, number>>): Promise<void> {
  const isThere = () =>
    Object.entries(revisions).every(([log, revision]) => (watching.get(log) ?? []).every((watcher) => watcher.revision >= revision));
  while (!isThere()) await pause(20);
  over.abort();
  say({ type: "reached" });
}

const say = (message: FromWorker): void => void process.send?.(message);

async function opened(from: Store): Promise<ClusterStore> {
  for (;;) {
    try {
      return await from.cluster(options.cluster);
    } catch {
      await pause(20);
    }
  }
}

/** @returns what ends when the process comes to rest */
function start(): readonly Promise<void>[] {
  if (options.role === "upkeep") return [upkeep(random)];
  return Object.entries(options.logs).flatMap(([log, profile]) => {
    const desk: Desk = {
      process: options.name,
      log,
      store: cluster.resource(log),
      profile,
      journal,
      known: new KnownObjects(),
      random: randomFor(options.seed, `${options.name} ${log}`),
      resting: rest.signal,
      over: over.signal,
    };
    if (options.role === "consumer") {
      const consumer = new ConsumerClient(desk);
      consumers.push(consumer);
      watching.set(log, [consumer]);
      void watched(consumer.run());
      return [];
    }
    const reflector = new Reflector(desk);
    watching.set(log, [reflector]);
    void watched(reflector.run());
    return [runWriter(desk, "writer-0"), runWriter(desk, "writer-1"), runReader(desk, "reader")].map(watched);
  });
}

/** Errors that nobody foresaw end up in the journal. */
async function watched(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    journal.write({ trouble: `a client ended with ${(error as Error).stack}` });
  }
}

/** What the hourly sweep does, all the time. It may fail in the middle of anything, and somebody else may be at it too. */
async function upkeep(draw: Random): Promise<void> {
  while (!rest.signal.aborted) {
    try {
      await store.maintain(options.cluster, { untilMs: skewedClock.now().getTime() + between(draw, 50, 12_000) });
    } catch (error) {
      const { name, stack } = error as Error;
      if (!mayFail.has(name) && !(error instanceof StoreBusyError)) journal.write({ trouble: `upkeep ended with ${stack}` });
    }
    await pause(between(draw, 20, 800), undefined, { signal: rest.signal }).catch(() => {});
  }
}
