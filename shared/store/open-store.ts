/** Opens the store over a table: clusters, their logs, and their upkeep. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { checkpoint } from "./checkpoint.ts";
import { closeLog, eraseLog, forgetLog, isClosed } from "./closing.ts";
import { readClusterIndex, registerCluster } from "./cluster-index.ts";
import { type ClusterRecord, createClusterRecord, isClusterName, readCluster, replaceCluster } from "./cluster-record.ts";
import { compact, sweepChunks } from "./compaction.ts";
import { expire } from "./expiry.ts";
import { HybridClock } from "./hybrid-clock.ts";
import { logKeys } from "./keys.ts";
import { readLogIndex, registerLog } from "./log-index.ts";
import { type LogParts, ResourceLog } from "./resource-log.ts";
import { LogResourceStore } from "./resource-store.ts";
import { copyObjects, mendLog } from "./restore.ts";
import { insist, type Patience } from "./retry.ts";
import { defaultSettings, type StoreSettings } from "./settings.ts";
import { birthAt } from "./slot.ts";
import { type ClusterStore, type Store, StoreBusyError, UnknownClusterError } from "./store.ts";
import type { Table } from "./table.ts";

export interface StoreOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1); for jitter and, when given, for the ids of changes. */
  readonly random?: () => number;
  readonly settings?: Partial<StoreSettings>;
}

/** One per process and table: what it knows is shared by everybody who uses it. */
export function openStore(options: StoreOptions): Store {
  return new LogStore(options);
}

class LogStore implements Store {
  readonly #table: Table;
  readonly #report: Log;
  readonly #patience: Patience;
  readonly #settings: StoreSettings;
  readonly #hybridClock: HybridClock;
  readonly #newId: () => string;
  readonly #process: string;
  readonly #clusters = new Map<string, Promise<LogClusterStore>>();

  constructor({ table, clock, log, random, settings }: StoreOptions) {
    this.#table = table;
    this.#report = log;
    this.#settings = { ...defaultSettings, ...settings };
    this.#patience = { clock, random: random ?? Math.random, budgetMs: this.#settings.commitBudgetMs };
    this.#hybridClock = new HybridClock(clock);
    this.#newId = random ? () => idFrom(random) : randomIds();
    this.#process = this.#newId().slice(0, 6);
  }

  cluster(name: string): Promise<ClusterStore> {
    return this.#opened(name, async () => {
      const record = isClusterName(name) ? await readCluster(this.#table, name, this.#patience) : undefined;
      if (record?.state !== "open") throw new UnknownClusterError(`cluster ${name} does not exist`);
      return record.incarnation;
    });
  }

  async clusters(): Promise<readonly string[]> {
    const names = await readClusterIndex(this.#table, this.#patience);
    const records = await Promise.all(names.map((name) => readCluster(this.#table, name, this.#patience)));
    return names.filter((_, index) => records[index]?.state === "open");
  }

  async createCluster(name: string): Promise<ClusterStore> {
    if (!isClusterName(name)) throw new RangeError(`${JSON.stringify(name)} is no cluster name: it must be a DNS label`);
    await registerCluster(this.#table, name, this.#patience);
    const { incarnation, state } = await createClusterRecord(this.#table, name, this.#patience);
    if (state !== "open") throw new UnknownClusterError(`cluster ${name} is being deleted`);
    const opening = this.#clusters.get(name);
    const known = await opening?.catch(() => undefined);
    // What this process knows may be a life that is over.
    if (opening && known?.incarnation !== incarnation) this.#forget(name, opening);
    return this.#opened(name, async () => incarnation);
  }

  async deleteCluster(name: string): Promise<void> {
    await this.#delete(name, await this.#record(name));
  }

  /** Deletes the life that a record tells of. Somebody else may do the same, and the name stand for another life by now. */
  async #delete(name: string, record: ClusterRecord): Promise<void> {
    if (record.state === "deleted") return;
    this.#clusters.delete(name);
    const closing: ClusterRecord = { ...record, state: "closing" };
    if (record.state !== "closing" && !(await this.#replaced(name, closing, record))) return;
    // Whoever makes a new log after this sees that the cluster is closing before its first slot.
    const numbers = await this.#eachLog(name, record.incarnation, (log) => closeLog(log));
    await this.#replaced(name, { ...closing, state: "deleted", highest: Math.max(record.incarnation, ...numbers) }, closing);
  }

  async restoredCluster(name: string): Promise<ClusterStore> {
    return this.#restore(name, await this.#record(name));
  }

  /** Restores what a record tells of, or goes on with a restore that was begun. */
  async #restore(name: string, begun: ClusterRecord): Promise<ClusterStore> {
    let record = begun;
    if (record.state === "closing" || record.state === "deleted") throw new UnknownClusterError(`cluster ${name} was deleted`);
    this.#clusters.delete(name);
    const next = (above: number, former: readonly number[]): ClusterRecord => {
      const incarnation = Math.max(birthAt(this.#patience.clock.now()), above + 1);
      return { incarnation, state: "restoring", highest: incarnation, former };
    };
    if (record.state === "open") {
      const restoring = next(record.highest, [...record.former, record.incarnation]);
      await this.#replace(name, restoring, record);
      record = restoring;
    }
    const source = record.former.at(-1) ?? record.incarnation;
    const numbers = await this.#eachLog(name, source, (log) => this.#seal(log));
    const highest = Math.max(...numbers, 0);
    if (highest >= record.incarnation) {
      const higher = next(highest, record.former);
      await this.#replace(name, higher, record);
      record = higher;
    }
    const { incarnation } = record;
    const target = this.#clusterStore(name, incarnation);
    const isRestoring = async () => {
      const now = await this.#record(name);
      return now.incarnation === incarnation && now.state === "restoring";
    };
    await this.#eachLog(name, source, (log) => copyObjects(log, target.resource(log.parts.keys.storage), isRestoring));
    await this.#replace(name, { ...record, state: "open" }, record);
    return this.cluster(name);
  }

  /** Makes whole what a backup left of a log, and ends it. */
  async #seal(log: ResourceLog): Promise<number> {
    const removed = await mendLog(log);
    if (removed > 0) this.#report.warn("slots behind a hole in the backup were removed", { log: log.parts.keys.slots, removed });
    return closeLog(log);
  }

  async maintain(cluster: string, { untilMs }: { readonly untilMs: number }): Promise<boolean> {
    const mayGoOn = () => this.#patience.clock.now().getTime() < untilMs;
    let record = await this.#record(cluster);
    // What was begun is finished as it was read: the name may stand for something new a moment later.
    if (record.state === "closing") {
      await this.#delete(cluster, record);
      record = await this.#record(cluster);
    }
    if (record.state === "restoring") {
      await this.#restore(cluster, record);
      record = await this.#record(cluster);
    }
    const left: boolean[] = [];
    const failures: unknown[] = [];
    /** One log's trouble is not the others'. */
    const lookAfter = async (job: () => Promise<boolean>): Promise<boolean> => {
      try {
        return mayGoOn() ? await job() : true;
      } catch (error) {
        failures.push(error);
        return true;
      }
    };
    for (const incarnation of record.state === "deleted" ? [...record.former, record.incarnation] : record.former) {
      const remains = await this.#eachLog(cluster, incarnation, (log) => lookAfter(() => this.#erase(log, mayGoOn)));
      if (remains.includes(true)) left.push(true);
      else if (record.former.includes(incarnation)) record = await this.#dropFormer(cluster, record, incarnation);
    }
    if (record.state === "open") {
      const store = (await this.cluster(cluster)) as LogClusterStore;
      const storages = await readLogIndex(this.#table, cluster, store.incarnation, this.#patience);
      // Where time is short, it must not always end before the same ones.
      const first = Math.floor(this.#patience.random() * storages.length);
      for (const storage of [...storages.slice(first), ...storages.slice(0, first)]) {
        left.push(await lookAfter(() => this.#maintainLog(store.resource(storage), mayGoOn)));
      }
    }
    if (failures.length > 0) throw failures[0];
    return left.includes(true);
  }

  /** Removes a log of a life that is over. Its restore may have been cut short before it had an end. @returns whether something is left to do */
  async #erase(log: ResourceLog, mayGoOn: () => boolean): Promise<boolean> {
    const closed = await isClosed(log);
    if (closed === undefined) return forgetLog(log);
    if (!closed) await this.#seal(log);
    return eraseLog(log, mayGoOn);
  }

  async #maintainLog(resource: LogResourceStore, mayGoOn: () => boolean): Promise<boolean> {
    const { log } = resource;
    const objectsLeft = await expire(resource, mayGoOn);
    const { done } = await log.view.materialize(mayGoOn);
    const checkpointLeft = await checkpoint(log, mayGoOn);
    const slotsLeft = await compact(log, mayGoOn);
    const chunksLeft = await sweepChunks(log, mayGoOn);
    return objectsLeft || !done || checkpointLeft || slotsLeft || chunksLeft;
  }

  /** Does something with every log of an incarnation that is over, apart from what this process knows of them already. */
  async #eachLog<T>(name: string, incarnation: number, job: (log: ResourceLog) => T | Promise<T>): Promise<T[]> {
    const store = this.#clusterStore(name, incarnation, { ended: () => {}, assertCurrent: async () => {} });
    const results: T[] = [];
    for (const storage of await readLogIndex(this.#table, name, incarnation, this.#patience)) {
      results.push(await job(store.resource(storage).log));
    }
    return results;
  }

  async #record(name: string): Promise<ClusterRecord> {
    const record = isClusterName(name) ? await readCluster(this.#table, name, this.#patience) : undefined;
    if (!record) throw new UnknownClusterError(`cluster ${name} does not exist`);
    return record;
  }

  /** Nobody else may have changed the record meanwhile, unless to the same. @throws {StoreBusyError} */
  async #replace(name: string, next: ClusterRecord, previous: ClusterRecord): Promise<void> {
    if (!(await this.#replaced(name, next, previous))) throw changedByOthers(name);
  }

  /**
   * The same where another life may have begun.
   * @returns false when the name stands for another life by now
   * @throws {StoreBusyError}
   */
  async #replaced(name: string, next: ClusterRecord, previous: ClusterRecord): Promise<boolean> {
    if (await insist(this.#patience, () => replaceCluster(this.#table, name, next, previous))) return true;
    const { incarnation, state } = await this.#record(name);
    if (incarnation !== next.incarnation) return false;
    if (isAlive(next.state) ? state === "open" && next.state !== "open" : isAlive(state)) throw changedByOthers(name);
    return true;
  }

  async #dropFormer(name: string, record: ClusterRecord, erased: number): Promise<ClusterRecord> {
    const next = { ...record, former: record.former.filter((incarnation) => incarnation !== erased) };
    await insist(this.#patience, () => replaceCluster(this.#table, name, next, record));
    return this.#record(name);
  }

  /** A cluster's store is opened once; a failure is not remembered. */
  #opened(name: string, incarnation: () => Promise<number>): Promise<LogClusterStore> {
    const known = this.#clusters.get(name);
    if (known) return known;
    const opening = incarnation().then((number) => this.#clusterStore(name, number));
    this.#clusters.set(name, opening);
    opening.catch(() => this.#forget(name, opening));
    return opening;
  }

  #clusterStore(
    name: string,
    incarnation: number,
    life: Pick<LogParts, "ended" | "assertCurrent"> = {
      ended: () => this.#clusters.delete(name),
      assertCurrent: () => this.#assertCurrent(name, incarnation),
    },
  ): LogClusterStore {
    return new LogClusterStore(name, incarnation, (storage) => {
      const log = new ResourceLog({
        table: this.#table,
        keys: logKeys(name, incarnation, storage),
        birth: incarnation,
        patience: this.#patience,
        settings: this.#settings,
        hybridClock: this.#hybridClock,
        newId: this.#newId,
        process: this.#process,
        ...life,
      });
      return new LogResourceStore(log, {
        report: this.#report,
        newId: this.#newId,
        beforeFirstSlot: () => this.#beforeFirstSlot(name, incarnation, storage),
      });
    });
  }

  /** The log is written down first, and the cluster looked at after that: its deletion goes the other way round. */
  async #beforeFirstSlot(name: string, incarnation: number, storage: string): Promise<void> {
    await registerLog(this.#table, name, incarnation, storage, this.#patience);
    await this.#assertCurrent(name, incarnation);
  }

  async #assertCurrent(name: string, incarnation: number): Promise<void> {
    const record = await readCluster(this.#table, name, this.#patience);
    if (record && isAlive(record.state) && record.incarnation === incarnation) return;
    this.#clusters.delete(name);
    throw new UnknownClusterError(`cluster ${name} was deleted`);
  }

  #forget(name: string, opening: Promise<LogClusterStore>): void {
    if (this.#clusters.get(name) === opening) this.#clusters.delete(name);
  }
}

const isAlive = (state: ClusterRecord["state"]): boolean => state === "open" || state === "restoring";

const changedByOthers = (name: string) => new StoreBusyError(`cluster ${name} is being changed by somebody else`);

class LogClusterStore implements ClusterStore {
  readonly cluster: string;
  readonly incarnation: number;
  readonly #open: (storage: string) => LogResourceStore;
  readonly #resources = new Map<string, LogResourceStore>();

  constructor(cluster: string, incarnation: number, open: (storage: string) => LogResourceStore) {
    this.cluster = cluster;
    this.incarnation = incarnation;
    this.#open = open;
  }

  resource(storage: string): LogResourceStore {
    let resource = this.#resources.get(storage);
    if (!resource) {
      resource = this.#open(storage);
      this.#resources.set(storage, resource);
    }
    return resource;
  }
}

const idFrom = (random: () => number): string => Array.from({ length: 3 }, () => Math.floor(random() * 2 ** 32).toString(36)).join("");

/** Ids of 96 random bits. The system is asked for those of many at once: asking takes longer than all else that an id needs. */
function randomIds(): () => string {
  const length = 12;
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at === pool.length) {
      pool = randomBytes(128 * length);
      at = 0;
    }
    return pool.toString("base64url", at, (at += length));
  };
}
