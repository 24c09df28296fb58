/**
 * A short robustness run within one process: several simulated processes over one table in memory, on a clock that runs by itself.
 * Processes are frozen, cut off and killed; requests and answers are lost, late and doubled; compaction, sweeps and the view's upkeep run
 * underneath; the log falls idle and everything old goes; a torn backup is restored; the cluster is deleted by operators who are cut short, and
 * made again, under load; in the end nothing of its former life may be left. The same seed is the same run.
 */
import { checkAgainst, checkContent, readLog } from "../../../bench/robustness/checks/audit.ts";
import { checkHistory } from "../../../bench/robustness/checks/index.ts";
import { Replay } from "../../../bench/robustness/checks/replay.ts";
import type { History, Violation } from "../../../bench/robustness/history.ts";
import { RecordedClient, Recording } from "../../../bench/robustness/recorder.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import type { StoreSettings } from "../../../shared/store/settings.ts";
import type { ClusterStore, Store } from "../../../shared/store/store.ts";
import type { Table } from "../../../shared/store/table.ts";
import { type RunningClock, runningClock } from "../running-clock.ts";
import { randomFrom } from "../stores.ts";
import { checkRestored, copyInPieces } from "./backup.ts";
import { type StoreBuild, shippedStore } from "./build.ts";
import { SimulatedProcess, type World } from "./process.ts";
import { runClient, runOnce, runWatcher, type Traffic } from "./traffic.ts";
import { Witness } from "./witness.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly build?: StoreBuild;
}

export interface SimulationResult {
  readonly violations: readonly Violation[];
  readonly operations: number;
  readonly events: number;
  readonly changes: number;
}

const cluster = "default";
const storage = "pods";
/** Has nothing in the cluster's first life. */
const rareStorage = "nodes";

/** Short retention and small sizes: what happens rarely happens often. */
const settings: Partial<StoreSettings> = {
  commitBudgetMs: 1_000,
  tokenAgeMs: 2_000,
  historyMs: 3_000,
  tombstoneMs: 3_000,
  stubMs: 12_000,
  verifyAfterMs: 2_500,
  materializeMs: 2_500,
  helpSlots: 20,
  bodyBytes: 1_500,
  inlineBytes: 400,
  chunkSlots: 30,
  checkpointObjects: 3,
  pollBusyMs: 5,
  pollIdleMs: 40,
  progressMs: 100,
};

/** What a client must expect when it opens the cluster, or when the cluster is deleted. */
const expected = new Set(["UnknownClusterError", "StoreBusyError", "StoreUnavailableError", "ThrottledError"]);

/** How long a healthy store may take over anything. */
const patienceMs = 20_000;

export async function simulate({ seed, build = shippedStore }: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(seed, build);
  try {
    await simulation.run();
    return await simulation.verdict();
  } finally {
    simulation.end();
  }
}

/** A process with a store and clients, replaced by another one when it dies. */
interface Member {
  readonly process: SimulatedProcess;
  readonly store: Store;
  /** What its clients or its upkeep do, until the end; by name while it has not ended. */
  readonly loops: Map<string, Promise<void>>;
}

class Simulation {
  readonly #seed: number;
  readonly #random: () => number;
  /** For what is done beside the traffic, so that this does not change the traffic. */
  readonly #ownRandom: () => number;
  readonly #clock: RunningClock;
  readonly #table: Table;
  readonly #witness: Witness;
  readonly #world: World;
  readonly #keys: readonly string[];
  readonly #lives = new Map<number, Recording>();
  readonly #violations: Violation[] = [];
  readonly #members = new Set<Member>();
  #names = 0;
  #lastMoment = 0;
  #formerLife = 0;
  #over = false;
  #quiet = false;

  constructor(seed: number, build: StoreBuild) {
    this.#seed = seed;
    this.#random = randomFrom(seed);
    this.#ownRandom = randomFrom(-seed);
    this.#clock = runningClock();
    this.#witness = new Witness(this.#now, storage);
    this.#table = this.#witness.watching(memoryTable({ clock: this.#clock, lagMs: 300, pageBytes: 2_000 }));
    this.#world = { clock: this.#clock, table: this.#table, random: this.#random, build, trouble: 0.6 };
    const names = ["a", "a-b/x", "a/x", "a/y", "b", "c/y", "d"];
    this.#keys = seed % 2 ? names : [...names, ...Array.from({ length: 120 }, (_, n) => `e/${n}`)];
  }

  async run(): Promise<void> {
    await this.#within("opening", async () => {
      await this.#store(new SimulatedProcess("first", this.#world)).createCluster(cluster);
    });
    for (let n = 0; n < [3, 4, 2, 3, 1][this.#seed % 5]!; n++) this.#start("clients", n === 0 ? 200 : 0);
    for (let n = 0; n < 2; n++) this.#start("upkeep");
    const others = [this.#chaos(), this.#audits()];

    for (let round = 0; round < 3; round++) {
      await this.#clock.sleep(4_000);
      await this.#rest();
    }
    await this.#clock.sleep(2_000);
    await this.#within("restoring a backup", () => this.#restoreBackup());
    await this.#within("replacing the cluster", () => this.#replaceCluster());
    await this.#clock.sleep(2_000);

    this.#over = true;
    await Promise.all(others);
    this.#calm();
    const loops = () => [...this.#members].flatMap((member) => [...member.loops]);
    await this.#within(
      () =>
        `the end of ${loops()
          .map(([name]) => name)
          .join(", ")}`,
      () => Promise.all(loops().map(([, loop]) => loop)),
    );
  }

  // ---- phases

  /** Nobody writes for so long that all that is old goes, and most are asleep since before the last writes; then all go on. */
  async #rest(): Promise<void> {
    const [, ...sleepers] = [...this.#members].filter(({ process }) => process.name.startsWith("clients"));
    for (const { process } of sleepers) process.freeze(21_000);
    await this.#clock.sleep(1_000);
    this.#quiet = true;
    await this.#clock.sleep(19_000);
    this.#quiet = false;
  }

  /** Whatever the copy was taken in between, what it has can be restored. Upkeep, which takes away what is old, is quicker than in life: it waits. */
  async #restoreBackup(): Promise<void> {
    for (const { process } of this.#members) if (process.name.startsWith("upkeep")) process.freeze(2_500);
    await this.#clock.sleep(400);
    const birth = await this.#birth();
    const copy = memoryTable({ clock: this.#clock });
    const begun = this.#witness.head(birth);
    await copyInPieces(this.#table, copy, [...this.#witness.partitions], this.#clock);
    const ended = this.#witness.head(birth);
    const restored = await this.#healthyStore(copy).restoredCluster(cluster);
    const list = await restored.resource(storage).list({ prefix: "", at: "newest" });
    this.#violations.push(...checkRestored(list, new Replay(await this.#witness.logOf(birth, 0)), begun, ended));
  }

  /** Operators delete the cluster, and are cut short; others finish that, and make it again where its old life is still known. */
  async #replaceCluster(): Promise<void> {
    this.#formerLife = await this.#birth();
    const [idle, former, another] = [this.#healthyStore(), this.#healthyStore(), this.#healthyStore()];
    // It looks at a log in which nothing was ever written.
    expectThat((await (await idle.cluster(cluster)).resource(rareStorage).get("n")).object === undefined, "nothing is there yet");
    await former.cluster(cluster);
    for (let n = 0; n < 2; n++) {
      const process = new SimulatedProcess("operator", { ...this.#world, random: this.#ownRandom });
      this.#store(process, this.#ownRandom)
        .deleteCluster(cluster)
        .catch(() => {});
      await this.#clock.sleep(this.#ownRandom() * 60);
      process.kill();
    }
    if (this.#ownRandom() < 0.5) await another.maintain(cluster, { untilMs: this.#clock.now().getTime() + 200 });
    await another.deleteCluster(cluster);
    const again = await former.createCluster(cluster);
    await again.resource(rareStorage).commit({ key: "n", author: { user: "operator" }, judge: () => ({ type: "put", value: {} }) });
    const seen = await idle
      .cluster(cluster)
      .then((handle) => handle.resource(rareStorage).get("n"))
      .catch((error: Error) => ({ object: error.name === "UnknownClusterError" }));
    expectThat(seen.object, "a process that knew the former life does not see the new one");
  }

  /** Nothing is left of the former life, and the upkeep has nothing to complain about. */
  async #cleanUp(): Promise<void> {
    const store = this.#healthyStore();
    for (let round = 0; round < 8; round++) {
      const isLeft = await store.maintain(cluster, { untilMs: Infinity });
      if (!isLeft && round > 0) break;
      await this.#clock.sleep(settings.stubMs! / 2);
    }
    for (const pk of this.#witness.partitions) {
      // A chunk may be sent twice, and arrive a second time when it was removed; the index of chunks knows of all others.
      if (!pk.startsWith(`${cluster}#${this.#formerLife}#`) || pk.includes("#chunk#")) continue;
      const { items } = await this.#table.query({ pk, consistent: true });
      if (items.length > 0) this.#violations.push({ check: "remains", message: `${items.length} items are left in ${pk}` });
    }
  }

  /** Everything is all right again, and stays so. */
  #calm(): void {
    this.#world.trouble = 0;
    for (const { process } of this.#members) process.release();
  }

  /** Looks at the table now and then, in between two steps of everybody. */
  async #audits(): Promise<void> {
    while (!this.#over) {
      await this.#clock.sleep(500);
      await this.#audit(this.#violations.push.bind(this.#violations));
    }
  }

  async #audit(wrong: (...violations: Violation[]) => void): Promise<void> {
    const { content, violations } = await readLog(this.#table, storage, cluster);
    const replay = new Replay(await this.#witness.logOf(content.birth, 0));
    wrong(...violations, ...checkContent(content), ...checkAgainst(replay, content));
  }

  async #chaos(): Promise<void> {
    while (!this.#over) {
      await this.#clock.sleep(100 + this.#random() * 400);
      const members = [...this.#members].filter(({ process }) => process.awake);
      const victim = members[Math.floor(this.#random() * members.length)];
      if (!victim) continue;
      const choice = this.#random();
      if (choice < 0.3) victim.process.freeze(this.#random() * 300);
      else if (choice < 0.38) victim.process.freeze(3_000 + this.#random() * 3_000);
      else if (choice < 0.5) victim.process.cutOff(this.#random() * 1_500);
      else if (choice < 0.6) victim.process.stall(500 + this.#random() * 2_500);
      else if (choice < 0.7) this.#replace(victim);
      else if (choice < 0.73) {
        // One is left alone for a while, with nobody to make up for its mistakes.
        for (const { process } of members) if (process !== victim.process) process.freeze(3_500 + this.#random() * 2_000);
        if (this.#random() < 0.8) victim.process.stall(1_000 + this.#random() * 1_500);
      }
    }
  }

  // ---- processes

  #start(role: "clients" | "upkeep", skewMs = 0): void {
    const process = new SimulatedProcess(`${role}${++this.#names}`, this.#world, skewMs);
    const member: Member = { process, store: this.#store(process), loops: new Map() };
    this.#members.add(member);
    const loops = role === "upkeep" ? [() => this.#upkeep(member)] : [1, 2, 3, 4, 5].map((n) => () => this.#clients(member, n));
    for (const [index, loop] of loops.entries()) {
      const name = `${process.name}.${index + 1}`;
      const ended = loop()
        .catch((error: Error) => this.#failed(process, error))
        .finally(() => member.loops.delete(name));
      member.loops.set(name, ended);
    }
  }

  #replace(member: Member): void {
    member.process.kill();
    this.#members.delete(member);
    this.#start(member.process.name.startsWith("upkeep") ? "upkeep" : "clients");
  }

  #failed(process: SimulatedProcess, error: Error): void {
    this.#violations.push({ check: "errors", message: `${process.name}: ${error.stack ?? String(error)}` });
  }

  /** Of a process that nothing ever happens to. */
  #healthyStore(table = this.#table): Store {
    const world = { ...this.#world, table, random: this.#ownRandom, trouble: 0 };
    return this.#store(new SimulatedProcess("operator", world), this.#ownRandom);
  }

  async #birth(): Promise<number> {
    return birthOf(await this.#healthyStore().cluster(cluster));
  }

  #store({ table, clock }: SimulatedProcess, random = this.#random): Store {
    const windowSlots = 5 + Math.floor(random() * 30);
    return this.#world.build.openStore({ table, clock, log: silentLog, random, settings: { ...settings, windowSlots } });
  }

  /** A client, a watcher, or functions that start cold every time; on the cluster's present life; and on the next one when that is over. */
  async #clients({ process, store }: Member, n: number): Promise<void> {
    for (let round = 1; !this.#over; round++) {
      try {
        const handle = await (n === 5 ? this.#store(process) : store).cluster(cluster);
        const birth = birthOf(handle);
        const traffic: Traffic = {
          store: handle.resource(storage),
          clock: process.clock,
          random: this.#random,
          now: this.#now,
          recording: this.#recording(birth),
          keys: this.#keys,
          head: () => this.#witness.head(birth),
          isOver: () => this.#over || (this.#quiet && n < 4),
        };
        const name = `${process.name}.${n}.${round}`;
        if (n === 5) await runOnce(name, traffic);
        else await (n === 4 ? runWatcher(name, traffic) : runClient(name, traffic));
      } catch (error) {
        if (!expected.has((error as Error).name)) throw error;
      }
      await process.clock.sleep(n === 5 ? this.#random() * 200 : 20);
    }
  }

  async #upkeep({ process, store }: Member): Promise<void> {
    while (!this.#over) {
      try {
        await store.maintain(cluster, { untilMs: this.#random() < 0.8 ? Infinity : process.clock.now().getTime() + this.#random() * 200 });
      } catch {
        // The next round does the same from where the log is then.
      }
      await process.clock.sleep(50 + this.#random() * 700);
    }
  }

  // ---- verdict

  async verdict(): Promise<SimulationResult> {
    await this.#within("a last look", () => this.#lastLook());
    await this.#within("cleaning up", () => this.#cleanUp());
    await this.#audit(this.#violations.push.bind(this.#violations));
    const result = { operations: 0, events: 0, changes: 0 };
    for (const [birth, recording] of this.#lives) {
      const log = await this.#witness.logOf(birth, settings.tokenAgeMs! - 1_000);
      const history: History = { log, operations: recording.operations, watches: recording.watches };
      this.#violations.push(...checkHistory(history));
      result.operations += history.operations.length;
      result.events += history.watches.reduce((sum, { responses }) => sum + responses.length, 0);
      result.changes += log.changes.length;
    }
    return { ...result, violations: [...this.#witness.violations, ...this.#violations] };
  }

  /** Every process, and one that knows nothing, can read and write, and shows the end of the log. */
  async #lastLook(): Promise<void> {
    const fresh = { process: new SimulatedProcess("fresh", this.#world), store: this.#store(new SimulatedProcess("fresh", this.#world)) };
    for (const { process, store } of [...this.#members, fresh]) {
      for (let attempt = 1; ; attempt++) {
        try {
          const handle = await store.cluster(cluster);
          const recording = this.#recording(birthOf(handle));
          const client = new RecordedClient(`${process.name}.last${attempt}`, handle.resource(storage), this.#now, recording.note);
          for (const key of this.#keys.slice(0, 7)) await client.get(key);
          await client.write({ type: "create", key: `last/${process.name}`, body: () => ({}) });
          await client.list({ prefix: "", at: "newest" });
          await client.list({ prefix: "", at: "cached" });
          break;
        } catch (error) {
          // It may not have noticed yet that the cluster was deleted and made again.
          if ((error as Error).name !== "UnknownClusterError" || attempt === 20) throw error;
          await process.clock.sleep(50);
        }
      }
    }
  }

  /** Nothing of this goes on. */
  end(): void {
    this.#over = true;
    for (const { process } of this.#members) process.kill();
  }

  /** Does something that has no reason to fail or to take long. */
  async #within(what: string | (() => string), job: () => Promise<unknown>): Promise<void> {
    const stop = new AbortController();
    const inWords = () => (typeof what === "string" ? what : what());
    const late = this.#clock.sleep(patienceMs, stop.signal).then(
      () => this.#violations.push({ check: "liveness", message: `${inWords()} takes more than ${patienceMs} ms` }),
      () => {},
    );
    const done = job().catch((error: Error) =>
      this.#violations.push({ check: "liveness", message: `${inWords()}: ${error.stack ?? String(error)}` }),
    );
    await Promise.race([done, late]);
    stop.abort();
  }

  #recording(birth: number): Recording {
    let recording = this.#lives.get(birth);
    if (!recording) {
      recording = new Recording();
      this.#lives.set(birth, recording);
    }
    return recording;
  }

  /** The clock's milliseconds, never the same twice. */
  #now = (): number => {
    this.#lastMoment = Math.max(this.#clock.now().getTime(), this.#lastMoment + 1 / 1_024);
    return this.#lastMoment;
  };
}

function expectThat(condition: unknown, what: string): void {
  if (!condition) throw new Error(what);
}

/** Which life of the cluster a handle belongs to. */
const birthOf = (handle: ClusterStore): number => (handle as ClusterStore & { readonly incarnation: number }).incarnation;
