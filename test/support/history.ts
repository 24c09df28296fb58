/**
 * Random clients of several processes on a table in which everything goes wrong that can, and the proof that what they were told is
 * true. The log is the witness: every slot is noted at the moment at which the table takes it.
 */
import { expect } from "vitest";
import { silentLog } from "../../shared/runtime/log.ts";
import { Chunks } from "../../shared/store/chunks.ts";
import { logKeys } from "../../shared/store/keys.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { StoreSettings } from "../../shared/store/settings.ts";
import type { LoggedChange, Slot } from "../../shared/store/slot.ts";
import { readSlotItem } from "../../shared/store/slot-item.ts";
import {
  type Change,
  CompactedError,
  FutureRevisionError,
  type Outcome,
  OutcomeUnknownError,
  type Proposal,
  type ResourceStore,
  SlowReaderError,
  StoreBusyError,
  type Stored,
  type Verdict,
} from "../../shared/store/store.ts";
import { type Item, type QueryPage, ThrottledError, UnknownOutcomeError } from "../../shared/store/table.ts";
import { type FaultyTable, faultyTable, isSlot } from "./faulty-table.ts";
import { auditLog, replay } from "./log-audit.ts";
import { type RunningClock, runningClock } from "./running-clock.ts";
import { author, randomFrom } from "./stores.ts";

export interface HistoryOptions {
  readonly seed: number;
  /** How often each thing goes wrong, from 0 to 1. */
  readonly faults: number;
  /** Virtual milliseconds. */
  readonly durationMs: number;
  readonly processes: number;
  /** Whether compaction runs, with very short retention. */
  readonly compaction: boolean;
}

interface Write {
  readonly token: number;
  readonly start: number;
  readonly end: number;
  /** Undefined: nobody knows. */
  readonly outcome: Outcome | "busy" | undefined;
  /** The state that the newest verdict was given for. */
  readonly judgedOn: Stored | undefined;
  readonly key: string;
  readonly verdict: Verdict["type"] | undefined;
}

interface Read {
  readonly start: number;
  readonly consistent: boolean;
  readonly revision: number;
  /** What was seen: of all keys, or of one. */
  readonly objects: ReadonlyMap<string, Stored>;
  readonly key: string | undefined;
}

interface Stretch {
  readonly after: number;
  readonly changes: Change[];
  /** Everything up to here was delivered. */
  progress: number;
}

const keys = ["a", "a-b/x", "a/x", "b", "c/y", "d"];

/** Short retention and small sizes: everything that happens rarely happens often. */
const settings: Partial<StoreSettings> = {
  commitBudgetMs: 3_000,
  helpSlots: 15,
  windowSlots: 12,
  bodyBytes: 1_500,
  inlineBytes: 400,
  chunkSlots: 40,
  pollBusyMs: 5,
  pollIdleMs: 40,
  progressMs: 100,
};
const retention: Partial<StoreSettings> = { tokenAgeMs: 1_000, historyMs: 3_000, tombstoneMs: 3_000, stubMs: 5_000, verifyAfterMs: 1_000 };

export async function runHistory(options: HistoryOptions): Promise<void> {
  const history = new History(options);
  await history.run();
  await history.check();
}

class History {
  readonly #options: HistoryOptions;
  readonly #random: () => number;
  readonly #clock: RunningClock;
  readonly #real;
  readonly #table: FaultyTable;
  readonly #settings: Partial<StoreSettings>;
  readonly #slots: { readonly at: number; readonly slot: Slot }[] = [];
  readonly #writes: Write[] = [];
  readonly #reads: Read[] = [];
  readonly #stretches: Stretch[] = [];
  #tokens = 0;
  #over = false;
  #quiet = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    this.#clock = runningClock();
    this.#real = memoryTable({ clock: this.#clock });
    this.#table = faultyTable(this.#real);
    this.#settings = options.compaction ? { ...settings, ...retention } : settings;
    this.#breakThings();
  }

  async run(): Promise<void> {
    await this.#store().createCluster("default");
    const processes = await Promise.all(
      Array.from({ length: this.#options.processes }, async () => (await this.#store().cluster("default")).resource("pods")),
    );
    const stop = new AbortController();
    const watching = processes.map((process) => this.#watch(process, stop.signal));
    const upkeep = this.#options.compaction ? [this.#upkeep(), this.#upkeep()] : [];
    const clients = processes.flatMap((process) => [this.#client(process), this.#client(process), this.#client(process)]);
    await this.#clock.sleep(this.#options.durationMs);
    this.#over = true;
    await Promise.all([...clients, ...upkeep]);
    this.#quiet = true;
    await this.#clock.sleep(500);
    stop.abort();
    await Promise.all(watching);
  }

  // ---- what goes wrong

  #breakThings(): void {
    const wait = async () => this.#clock.sleep(this.#random() < 0.02 ? this.#random() * 400 : this.#random() * 8);
    const happens = (share: number) => !this.#quiet && this.#random() < share * this.#options.faults;
    this.#table.faults = {
      put: async (item, _condition, real) => {
        await wait();
        if (happens(0.1)) throw new ThrottledError("slow down");
        if (happens(0.1)) throw new UnknownOutcomeError("lost on the way there");
        const result = await real();
        if (result.done && isSlot(item) && item.stub === undefined) await this.#note(item);
        await wait();
        if (happens(0.2)) throw new UnknownOutcomeError("lost on the way back");
        return result;
      },
      delete: async (_key, _condition, real) => {
        await wait();
        const result = await real();
        if (happens(0.1)) throw new UnknownOutcomeError("lost on the way back");
        return result;
      },
      get: async (_key, _consistent, real) => {
        await wait();
        if (happens(0.1)) throw new ThrottledError("slow down");
        const result = await real();
        await wait();
        return result;
      },
      query: async (query, real) => {
        await wait();
        if (happens(0.1)) throw new ThrottledError("slow down");
        const page = await real(happens(0.5) ? { ...query, limit: 1 } : query);
        await wait();
        return query.pk.endsWith("#log") && happens(0.2) ? this.#hideOne(page) : page;
      },
    };
  }

  /** A slot that is committed while a query passes by may be missing from it, though its successors are there. */
  #hideOne(page: QueryPage): QueryPage {
    if (page.items.length < 2) return page;
    return { ...page, items: page.items.toSpliced(Math.floor(this.#random() * (page.items.length - 1)), 1) };
  }

  async #note(item: Item): Promise<void> {
    const at = this.#clock.now().getTime();
    const birth = Number(item.pk.split("#")[1]);
    const patience = { clock: this.#clock, random: this.#random };
    const slot = await readSlotItem(item, new Chunks(this.#real, logKeys("default", birth, "pods"), patience));
    if (slot?.type !== "slot") throw new Error("a slot was committed without its chunks");
    this.#slots.push({ at, slot });
  }

  // ---- who does what

  #store() {
    const window = { windowSlots: 5 + Math.floor(this.#random() * 30) };
    return openStore({
      table: this.#table,
      clock: this.#clock,
      log: silentLog,
      random: this.#random,
      settings: { ...this.#settings, ...window },
    });
  }

  async #client(pods: ResourceStore): Promise<void> {
    let last: Stored | undefined;
    while (!this.#over) {
      const key = keys[Math.floor(this.#random() * keys.length)]!;
      const choice = this.#random();
      try {
        if (choice < 0.25) last = await this.#list(pods, choice < 0.2);
        else if (choice < 0.4) await this.#get(pods, key, choice < 0.35);
        else if (choice < 0.45) await this.#listExactly(pods);
        else if (choice < 0.6) await this.#write(pods, this.#update(last?.key ?? key, last?.revision ?? 0));
        else if (choice < 0.7)
          await Promise.all([
            this.#write(pods, this.#put(key)),
            this.#write(pods, this.#create(key)),
            this.#write(pods, this.#remove(key)),
          ]);
        else if (choice < 0.8) await this.#write(pods, this.#remove(key));
        else if (choice < 0.9) await this.#write(pods, this.#create(key));
        else await this.#write(pods, this.#put(key));
      } catch (error) {
        if (!(error instanceof StoreBusyError || error instanceof CompactedError || error instanceof FutureRevisionError)) throw error;
      }
      await this.#clock.sleep(this.#random() * 20);
    }
  }

  #value(token: number): Stored["value"] {
    const length = this.#random() < 0.1 ? 3_000 : this.#random() * 200;
    return { token, text: Array.from({ length }, () => Math.floor(this.#random() * 36).toString(36)).join("") };
  }

  #put =
    (key: string) =>
    (current: Stored | undefined, value: Stored["value"]): Verdict => ({
      type: "put",
      value: { ...value, over: current?.value.token, key },
    });

  #create =
    (_key: string) =>
    (current: Stored | undefined, value: Stored["value"]): Verdict =>
      current ? { type: "refused", error: new Error("AlreadyExists") } : { type: "put", value };

  #remove =
    (_key: string) =>
    (current: Stored | undefined, { token }: Stored["value"]): Verdict =>
      current ? { type: "delete", value: { ...current.value, token } } : { type: "refused", error: new Error("NotFound") };

  #update =
    (_key: string, revision: number) =>
    (current: Stored | undefined, value: Stored["value"]): Verdict =>
      current?.revision === revision ? { type: "put", value } : { type: "refused", error: new Error("Conflict") };

  async #write(
    pods: ResourceStore,
    decide: (current: Stored | undefined, value: Stored["value"]) => Verdict,
    key = keys[Math.floor(this.#random() * keys.length)]!,
  ): Promise<void> {
    const token = ++this.#tokens;
    const value = this.#value(token);
    const start = this.#clock.now().getTime();
    let judgedOn: Stored | undefined;
    let verdict: Verdict["type"] | undefined;
    const proposal: Proposal = {
      key,
      author,
      volatile: this.#random() < 0.2,
      judge: async (current) => {
        if (this.#random() < 0.1) await this.#clock.sleep(this.#random() * 30);
        judgedOn = current;
        const decision = decide(current, value);
        verdict = decision.type;
        return decision;
      },
    };
    let outcome: Write["outcome"];
    try {
      outcome = await pods.commit(proposal);
    } catch (error) {
      if (error instanceof StoreBusyError) outcome = "busy";
      else if (!(error instanceof OutcomeUnknownError)) throw error;
    }
    this.#writes.push({ token, key, start, end: this.#clock.now().getTime(), outcome, judgedOn, verdict });
  }

  async #list(pods: ResourceStore, consistent: boolean): Promise<Stored | undefined> {
    const start = this.#clock.now().getTime();
    const { items, revision, remaining } = await pods.list({ prefix: "", at: consistent ? "newest" : "cached" });
    expect(remaining).toBe(0);
    this.#reads.push({ start, consistent, revision, objects: new Map(items.map((item) => [item.key, item])), key: undefined });
    return items[Math.floor(this.#random() * items.length)];
  }

  async #listExactly(pods: ResourceStore): Promise<void> {
    const known = this.#slots.at(-1 - Math.floor(this.#random() * 10))?.slot;
    if (!known) return;
    const revision = known.number * 1_000 + Math.floor(this.#random() * (known.count + 1));
    const { items } = await pods.list({ prefix: "", at: { exactly: revision }, waitMs: 100 });
    this.#reads.push({ start: 0, consistent: false, revision, objects: new Map(items.map((item) => [item.key, item])), key: undefined });
  }

  async #get(pods: ResourceStore, key: string, consistent: boolean): Promise<void> {
    const start = this.#clock.now().getTime();
    const { object, revision } = await pods.get(key, consistent ? "newest" : "cached");
    this.#reads.push({ start, consistent, revision, objects: new Map(object ? [[key, object]] : []), key });
  }

  async #watch(pods: ResourceStore, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { revision } = await pods.list({ prefix: "", at: "newest" });
        const stretch: Stretch = { after: revision, changes: [], progress: revision };
        this.#stretches.push(stretch);
        // Watches break off now and then and go on from their last revision, often in the middle of a slot.
        while (!signal.aborted) await this.#watchFrom(pods, stretch, signal);
      } catch (error) {
        if (!(error instanceof CompactedError || error instanceof StoreBusyError)) throw error;
      }
    }
  }

  async #watchFrom(pods: ResourceStore, stretch: Stretch, signal: AbortSignal): Promise<void> {
    const breakOff = 1 + Math.floor(this.#random() * 20);
    let count = 0;
    try {
      for await (const item of pods.watch({ prefix: "", after: stretch.progress, signal })) {
        if (item.type === "change") {
          stretch.changes.push(item.change);
          stretch.progress = item.change.object.revision;
        } else {
          expect(item.revision, "progress never goes back").toBeGreaterThanOrEqual(stretch.progress);
          stretch.progress = item.revision;
        }
        if (this.#random() < 0.02) await this.#clock.sleep(this.#random() * 500);
        if (++count === breakOff) return;
      }
    } catch (error) {
      if (!(error instanceof SlowReaderError)) throw error;
    }
  }

  async #upkeep(): Promise<void> {
    while (!this.#over) {
      await this.#store()
        .maintain("default", { untilMs: Infinity })
        .catch(() => {});
      await this.#clock.sleep(100 + this.#random() * 1_000);
    }
  }

  // ---- what must be true

  async check(): Promise<void> {
    const slots = this.#slots.map(({ slot }) => slot);
    for (const [index, slot] of slots.entries()) {
      if (index === 0) continue;
      expect(slot.number, "slots are dense").toBe(slots[index - 1]!.number + 1);
      expect(slot.time, "time rises").toBeGreaterThan(slots[index - 1]!.time);
    }
    const changes = slots.flatMap((slot) => slot.changes);
    this.#checkChanges(changes);
    this.#checkWrites(changes);
    this.#checkReads(changes);
    this.#checkWatches(changes);
    await this.#checkEnd(changes);
  }

  /** Every change names what stood there before, and can be undone. */
  #checkChanges(changes: readonly LoggedChange[]): void {
    const state = new Map<string, Stored>();
    for (const change of changes) {
      const { key } = change.object;
      expect(change.previous, "the previous state can be had back").toEqual(state.get(key));
      if (change.type === "delete") state.delete(key);
      else state.set(key, change.object);
    }
  }

  #checkWrites(changes: readonly LoggedChange[]): void {
    const committed = new Map<number, { readonly change: LoggedChange; readonly at: number }>();
    for (const { at, slot } of this.#slots) {
      for (const change of slot.changes) {
        const token = change.object.value.token as number;
        expect(committed.has(token), "no write is made twice").toBe(false);
        committed.set(token, { change, at });
      }
    }
    for (const { token, start, end, outcome, judgedOn, key } of this.#writes) {
      const made = committed.get(token);
      if (outcome === undefined) continue;
      if (outcome === "busy" || outcome.type === "refused") expect(made, "what was refused was not made").toBeUndefined();
      if (outcome === "busy") continue;
      if (outcome.type === "refused") this.#checkCurrent(changes, key, judgedOn, start, end);
      else {
        expect(made?.change.object, "what was acknowledged was made").toEqual(outcome.object);
        expect(made!.at, "and not before it was asked for").toBeGreaterThanOrEqual(start);
      }
    }
  }

  /** A refusal is right if the state that it was given for was the newest at some moment while the caller waited. */
  #checkCurrent(changes: readonly LoggedChange[], key: string, judgedOn: Stored | undefined, start: number, end: number): void {
    const timeOf = new Map(this.#slots.map(({ at, slot }) => [slot.number, at]));
    const when = (change: LoggedChange) => timeOf.get(Math.floor(change.object.revision / 1_000))!;
    const own = changes.filter((change) => change.object.key === key);
    const states = [undefined, ...own].map((change, index) => ({
      object: change?.type === "put" ? change.object : undefined,
      from: change ? when(change) : -Infinity,
      to: own.slice(index, index + 1).map(when)[0] ?? Infinity,
    }));
    const right = states.some(({ object, from, to }) => object?.revision === judgedOn?.revision && from <= end && to >= start);
    expect(right, `a refusal for ${key} was given for a state that was not there then`).toBe(true);
  }

  #checkReads(changes: readonly LoggedChange[]): void {
    const states = new Map<number, ReadonlyMap<string, Stored>>();
    for (const { start, consistent, revision, objects, key } of this.#reads) {
      const state = states.get(revision) ?? replay(changes, revision);
      states.set(revision, state);
      if (key === undefined) expect(objects, "a list is the state at its revision").toEqual(state);
      else expect(objects.get(key), "a get is the state at its revision").toEqual(state.get(key));
      const newest = this.#slots.findLast(({ at }) => at < start)?.slot;
      if (consistent && newest)
        expect(revision, "a consistent read knows what was there when it began").toBeGreaterThanOrEqual(newest.number * 1_000);
    }
  }

  #checkWatches(changes: readonly LoggedChange[]): void {
    for (const { after, changes: seen, progress } of this.#stretches) {
      const expected = changes.filter(({ object: { revision } }) => revision > after && revision <= progress);
      expect(seen.map(plain), "a watch delivers every change once and in order").toEqual(expected.map(plain));
    }
  }

  async #checkEnd(changes: readonly LoggedChange[]): Promise<void> {
    await auditLog(this.#real);
    const fresh = (await openStore({ table: this.#real, clock: this.#clock, log: silentLog }).cluster("default")).resource("pods");
    const { items } = await fresh.list({ prefix: "", at: "newest" });
    expect(new Map(items.map((item) => [item.key, item])), "a new process sees the end of the log").toEqual(replay(changes));
    expect(this.#slots.length, "something was written").toBeGreaterThan(20);
  }
}

const plain = ({ type, object, previous }: Change) => ({ type, object, previous });
