/**
 * `npm run bench -- robustness --minutes N [--seed S] [--processes P]`: processes that write, list and watch through proxies in which
 * everything goes wrong, while they are killed and frozen and the upkeep runs underneath; and the proof that what they saw is true.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { createTable, type DynamoDbEngine, startDynamoDb } from "../../local/dynamodb/engine.ts";
import { dynamoDbTable } from "../../shared/aws/dynamodb-table.ts";
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { readCluster } from "../../shared/store/cluster-record.ts";
import { openStore } from "../../shared/store/open-store.ts";
import { revisionAt } from "../../shared/store/slot.ts";
import { type Table, TableUnavailableError } from "../../shared/store/table.ts";
import { auditLog, type Progress } from "./audit.ts";
import { Counts } from "./counts.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { FaultSchedule } from "./faults.ts";
import { checkJournals, eventsIn, operationsIn, recordedLog, writerReports } from "./findings.ts";
import type { Violation } from "./history.ts";
import { Journal, type Journals, monotonicMs, readJournals } from "./journal.ts";
import { LaggingReplica } from "./lagging-replica.ts";
import { Nemesis } from "./nemesis.ts";
import { type RunOptions, readOptions } from "./options.ts";
import { between, randomFor } from "./random.ts";
import { SupervisedProcess } from "./supervised.ts";
import type { Profile } from "./traffic.ts";
import { listenAtDoorbell } from "./unreliable-doorbell.ts";
import { Witness } from "./witness.ts";
import type { Role } from "./worker.ts";

const tableName = "binnacle";
const cluster = "robust";
const logs: Readonly<Record<string, Profile>> = { pods: "updates", events: "churn" };

/** Two, so that they come into each other's way. */
const upkeepProcesses = 2;
/** Mean time between two blows. */
const blowEveryMs = 1_500;
const engineRestartEveryMs = 25_000;
/** Clocks of processes differ by up to so much from the machine's. */
const longestSkewMs = 900;
/** When all is well again, this is time enough for everybody to answer what is under way, and to see the end of the log. */
const restMs = 30_000;

const shownViolations = 10;

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const options = readOptions(args);
  const folder = mkdtempSync(join(tmpdir(), "binnacle-robustness-"));
  console.log(`seed ${options.seed}, ${options.processes} processes, ${options.minutes} minutes; history in ${folder}`);
  const { journals, violations, faults, sleeps, progress } = await new Run(options, folder).run();
  for (const { check, message } of violations.slice(0, shownViolations)) console.error(`VIOLATION (${check}): ${message}`);
  if (violations.length === 0) rmSync(folder, { recursive: true, force: true });
  else {
    writeFileSync(join(folder, "violations.json"), JSON.stringify(violations, undefined, 2));
    console.error(`${violations.length} violations; the history is kept in ${folder}`);
    process.exitCode = 1;
  }
  const writers = writerReports(journals, sleeps);
  console.table(writers);
  console.table(progress);
  console.table(faults.toJSON());
  return {
    seed: options.seed,
    minutes: options.minutes,
    processes: options.processes,
    operations: operationsIn(journals),
    events: eventsIn(journals),
    violations: violations.length,
    max_attempts: Math.max(0, ...Object.values(writers).map(({ max_attempts }) => max_attempts)),
    write_ms_p99: Math.max(0, ...Object.values(writers).map(({ write_ms_p99 }) => write_ms_p99)),
    writers,
    logs: progress,
    faults,
    ...(violations.length > 0 && { checks: countBy(violations, ({ check }) => check), history: folder }),
  };
}

const countBy = <T>(items: readonly T[], name: (item: T) => string): Record<string, number> =>
  Object.fromEntries(Array.from(Map.groupBy(items, name), ([each, own]) => [each, own.length]));

interface Findings {
  readonly journals: Journals;
  readonly violations: readonly Violation[];
  readonly faults: Counts;
  readonly sleeps: ReadonlyMap<string, SupervisedProcess["sleeps"]>;
  readonly progress: Readonly<Record<string, Progress>>;
}

class Run {
  readonly #options: RunOptions;
  readonly #history: string;
  readonly #data: string;
  readonly #faults = new Counts();
  readonly #replica = new LaggingReplica(monotonicMs);
  readonly #proxies: FaultProxy[] = [];
  readonly #processes: SupervisedProcess[] = [];
  readonly #troubles: string[] = [];
  #engine: { readonly dynamoDb: DynamoDbEngine; readonly client: DynamoDBClient; readonly table: Table } | undefined;
  /** Nothing goes wrong any more. */
  #calm = false;

  constructor(options: RunOptions, folder: string) {
    this.#options = options;
    this.#history = join(folder, "history");
    this.#data = join(folder, "data");
    mkdirSync(this.#history);
  }

  async run(): Promise<Findings> {
    try {
      return await this.#run();
    } finally {
      for (const process of this.#processes) process.kill();
      await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
      await this.#stopEngine();
    }
  }

  async #run(): Promise<Findings> {
    await this.#startEngine();
    const { client, table } = this.#running;
    await createTable(client, tableName);
    await openStore({ table, clock: systemClock, log: silentLog }).createCluster(cluster);
    const record = await readCluster(table, cluster, { clock: systemClock, random: Math.random });
    const birth = record!.incarnation;

    const doorbell = await this.#doorbell((await client.send(new DescribeTableCommand({ TableName: tableName }))).Table!.LatestStreamArn!);
    const journal = new Journal(this.#history, "witness");
    const witness = new Witness({ cluster, birth, table: () => this.#running.table, journal, committed: () => doorbell.hint() });
    const nemesis = await this.#startProcesses(witness);

    const end = AbortSignal.timeout(this.#options.minutes * 60_000);
    await Promise.all([nemesis.run(end), this.#restartEngine(end, witness)]);
    this.#calm = true;
    await this.#comeToRest(witness);
    await doorbell.stop();
    for (const process of this.#processes) process.kill();
    await witness.fillGaps();

    const journals = await readJournals(this.#history);
    const recorded = new Map([...journals.logs].map(([name, log]) => [name, recordedLog(log, revisionAt(birth, 0))]));
    const violations = checkJournals({ ...journals, troubles: [...this.#troubles, ...journals.troubles] }, recorded);
    const progress: Record<string, Progress> = {};
    for (const [storage, log] of recorded) {
      const audit = await auditLog(this.#running.table, cluster, storage, log);
      violations.push(...audit.violations);
      progress[storage] = audit.progress;
    }
    const sleeps = new Map(this.#processes.map(({ name, sleeps: own }) => [name, own]));
    return { journals, violations, faults: this.#faults, sleeps, progress };
  }

  // ---- the table

  /** The engine, with nothing in between. */
  get #running() {
    if (!this.#engine) throw new TableUnavailableError("the engine is not running");
    return this.#engine;
  }

  async #startEngine(): Promise<void> {
    const dynamoDb = await startDynamoDb({ dataFolder: this.#data, env: {}, log: silentLog });
    const client = dynamoDb.client();
    this.#engine = { dynamoDb, client, table: dynamoDbTable({ client, tableName }) };
  }

  /** As if it were killed: it is given no time. */
  async #stopEngine(): Promise<void> {
    const stopping = this.#engine;
    this.#engine = undefined;
    stopping?.client.destroy();
    await stopping?.dynamoDb.stop();
  }

  /** Kills the engine now and then, and starts it again on its file. */
  async #restartEngine(end: AbortSignal, witness: Witness): Promise<void> {
    const random = randomFor(this.#options.seed, "engine");
    while (!end.aborted) {
      await pause(between(random, 0.5, 1.5) * engineRestartEveryMs, undefined, { signal: end }).catch(() => {});
      if (end.aborted) return;
      await this.#stopEngine();
      await this.#startEngine();
      this.#faults.add("engineKill");
      await witness.fillGaps();
    }
  }

  // ---- processes and what stands between them and the table

  async #startProcesses(witness: Witness): Promise<Nemesis> {
    const { seed, processes, minutes } = this.#options;
    const nemesis = new Nemesis({
      processes: this.#processes,
      random: randomFor(seed, "nemesis"),
      everyMs: blowEveryMs,
      until: monotonicMs() + minutes * 60_000,
      happened: this.#faults.add,
    });
    const names = [
      ...Array.from({ length: processes }, (_, index): [string, Role] => [`p${index}`, "traffic"]),
      ...Array.from({ length: upkeepProcesses }, (_, index): [string, Role] => [`u${index}`, "upkeep"]),
      ["c0", "consumer"] as [string, Role],
    ];
    for (const [name, role] of names) await this.#startProcess(name, role, nemesis, witness);
    return nemesis;
  }

  async #startProcess(name: string, role: Role, nemesis: Nemesis, witness: Witness): Promise<void> {
    const { seed } = this.#options;
    const random = randomFor(seed, `${name} faults`);
    const faults = new FaultSchedule(random, monotonicMs);
    const passage = nemesis.passage(() => process);
    const proxy = await startFaultProxy({
      target: () => this.#running.dynamoDb.endpoint,
      next: (call) => (this.#calm ? undefined : faults.next(call)),
      happened: this.#faults.add,
      random,
      replica: this.#replica,
      passage: {
        before: passage.before,
        async after(call, reply) {
          witness.note(call, reply);
          await passage.after(call, reply);
        },
      },
    });
    this.#proxies.push(proxy);
    const skewMs = Math.round(between(random, -longestSkewMs, longestSkewMs));
    const process = new SupervisedProcess(
      name,
      { role, seed, endpoint: proxy.endpoint, tableName, cluster, logs, skewMs, folder: this.#history },
      (trouble) => this.#troubles.push(trouble),
    );
    this.#processes.push(process);
    process.start();
  }

  /** Rings the consumer, through a proxy of its own that only follows the engine. */
  async #doorbell(streamArn: string) {
    const proxy = await startFaultProxy({
      target: () => this.#running.dynamoDb.endpoint,
      next: () => undefined,
      happened: () => {},
      random: Math.random,
      replica: this.#replica,
    });
    this.#proxies.push(proxy);
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    return listenAtDoorbell({
      client: new DynamoDBStreamsClient({ endpoint: proxy.endpoint, region: "us-east-1", credentials }),
      streamArn,
      random: randomFor(this.#options.seed, "doorbell"),
      happened: this.#faults.add,
      ring: () => this.#processes.find(({ name }) => name === "c0")?.tell({ type: "ring" }),
    });
  }

  /** Everybody answers what is under way, and whoever watches sees the end of the log. */
  async #comeToRest(witness: Witness): Promise<void> {
    const everybody = async (what: "resting" | "reached", tell: Parameters<SupervisedProcess["tell"]>[0], processes = this.#processes) => {
      const heard = processes.map((process) => process.hears(what, restMs));
      for (const process of processes) process.tell(tell);
      for (const [index, did] of (await Promise.all(heard)).entries()) {
        if (!did) this.#troubles.push(`${processes[index]!.name} was not ${what} ${restMs / 1_000} s after all was well again`);
      }
    };
    await everybody("resting", { type: "rest" });
    await witness.fillGaps();
    const watching = this.#processes.filter(({ name }) => !name.startsWith("u"));
    await everybody("reached", { type: "reach", revisions: witness.revisions() }, watching);
  }
}
