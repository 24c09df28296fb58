/**
 * One log as one process sees it: the cache, and the reads that keep it up to date.
 *
 * Requests are numbered as they arrive, and tail reads as they begin; a read answers only requests that arrived before it began
 * (rule 8). Any number of requests wait for the next read together; none joins one that is under way.
 */
import { LogCache } from "./cache.ts";
import { learnCheckpoint } from "./checkpoint.ts";
import { Chunks } from "./chunks.ts";
import { Contention } from "./contention.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { LogKeys } from "./keys.ts";
import { type Marks, readMarks } from "./marks.ts";
import { insist, type Patience } from "./retry.ts";
import type { StoreSettings } from "./settings.ts";
import { Head, type LoggedChange, type Slot, type SlotEntry, type SlotNumber } from "./slot.ts";
import { readSlotItem } from "./slot-item.ts";
import { type Stored, UnknownClusterError } from "./store.ts";
import type { Item, Table } from "./table.ts";
import { SlotsGoneError, Tail } from "./tail.ts";
import { View } from "./view.ts";
import { WonTexts } from "./won-texts.ts";

export interface LogParts {
  readonly table: Table;
  readonly keys: LogKeys;
  /** The head of a log without a slot: the cluster's incarnation. */
  readonly birth: SlotNumber;
  readonly patience: Patience;
  readonly settings: StoreSettings;
  readonly hybridClock: HybridClock;
  /** A name never used before, for chunks. */
  readonly newId: () => string;
  /** Short name of this process. */
  readonly process: string;
  /** Told when the log turns out to have ended: the cluster's record must be read again. */
  readonly ended: () => void;
  /** Throws {@link UnknownClusterError} when the cluster's name stands for another incarnation by now. */
  readonly assertCurrent: () => Promise<void>;
}

/** A point in the order of arrivals and reads of a process. */
export type Arrival = number;

const restarts = 5;

export class ResourceLog {
  readonly parts: LogParts;
  readonly chunks: Chunks;
  readonly tail: Tail;
  readonly view: View;
  readonly contention: Contention;
  readonly #texts = new WonTexts();
  #cache: LogCache | undefined;
  /** The newest reading of the marks, and our clock then. */
  #marks: { readonly read: Marks; readonly at: number } | undefined;
  #arrivals: Arrival = 0;
  /** When the newest finished tail read began. */
  #readBegan: Arrival = -1;
  /** The same, in milliseconds since 1970 by our clock. */
  #readBeganAt = -Infinity;
  #running: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #loading: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(parts: LogParts) {
    this.parts = parts;
    this.contention = new Contention(parts.patience, parts.process);
    this.chunks = new Chunks(parts.table, parts.keys, parts.patience);
    this.tail = new Tail(parts.table, parts.keys, this.chunks, parts.patience);
    const memory = {
      slotsAfter: (slot: SlotNumber) => this.#cache?.slotsAfter(slot),
      takeText: (change: LoggedChange) => this.#texts.take(change),
    };
    this.view = new View({ ...parts, chunks: this.chunks, tail: this.tail, memory, materializeMs: parts.settings.materializeMs });
  }

  /** A request is here. Reads that begin from now on will do for it. */
  arrive(): Arrival {
    return ++this.#arrivals;
  }

  /** Whether the cache holds the outcome of a tail read that began after the arrival. */
  isFresh(since: Arrival): boolean {
    return this.#cache !== undefined && this.#readBegan > since;
  }

  /** What is known; undefined before the first read, and after the process slept through a compaction. */
  get cache(): LogCache | undefined {
    return this.#cache;
  }

  /** Makes sure that the cache is as of a moment after the arrival. */
  async fresh(since: Arrival): Promise<LogCache> {
    for (;;) {
      const cache = this.#cache;
      if (cache && this.isFresh(since)) return cache;
      await this.#nextRead();
    }
  }

  /** The cache as it is; reads only when there is none. */
  async opened(): Promise<LogCache> {
    return this.#cache ?? (await this.fresh(this.arrive()));
  }

  /** A cache in which every object is known. May lag behind; ask {@link fresh} afterwards. */
  async loaded(): Promise<LogCache> {
    for (;;) {
      const cache = await this.opened();
      if (cache.complete) return cache;
      this.#loading ??= this.#load(cache).finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
  }

  /** Makes sure that a key is known to the cache: reads the key's item from the view if need be, never more. */
  async know(cache: LogCache, key: string): Promise<void> {
    if (cache.known(key)) return;
    const viewed = await this.view.get(key);
    if (!viewed && this.#sleptSinceRead()) {
      // It may have existed at the cache's head, and even its tombstone be gone; what the log still tells proves that it did not.
      await this.fresh(this.arrive());
      if (this.#cache !== cache) return;
    }
    cache.learn(key, viewed ?? { gone: 0 });
    // The view may be ahead of what was read of the log.
    const seen = viewed && ("gone" in viewed ? viewed.gone : viewed.revision);
    if (seen !== undefined && seen > cache.head.revision) await this.fresh(this.arrive());
  }

  /** Looks for news, for watchers: an eventual read, and a strong one when there seem to be some. */
  async poll(): Promise<void> {
    const cache = await this.opened();
    const { head } = cache;
    if (!head.closed && (await this.tail.hasNews(head.next)) && cache.head === head) await this.fresh(this.arrive());
  }

  /** @throws {UnknownClusterError} when the log ended with its cluster */
  assertOpen(cache: LogCache): void {
    if (cache.head.closed) throw new UnknownClusterError(`cluster ${this.parts.keys.cluster} was deleted`);
  }

  /** Applies a slot that this process won. @param texts JSON of its changes' objects, where it is at hand */
  won(slot: Slot, date: Date, texts: readonly (string | undefined)[]): void {
    if (!this.#cache?.apply(slot, Head.ofSlot(slot, date))) return;
    for (const [index, change] of slot.changes.entries()) this.#texts.keep(change, texts[index]);
    this.#notify();
  }

  /** Calls back whenever the head moves, or everything was forgotten. @returns how to stop it */
  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The marks as they were at most so long ago. */
  async marks(maximumAgeMs: number): Promise<Marks> {
    const { table, keys, birth, patience } = this.parts;
    const now = patience.clock.now().getTime();
    if (this.#marks && now >= this.#marks.at && now - this.#marks.at < maximumAgeMs) return this.#marks.read;
    const read = await insist(patience, () => readMarks(table, keys, birth));
    this.#marks = { read, at: now };
    return read;
  }

  /** One read runs at a time, and one more may be waited for. */
  #nextRead(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#read().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#following ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#following = undefined;
        return this.#nextRead();
      });
    return this.#following;
  }

  /** Whether the newest finished tail read is so old that compaction may have passed it since. */
  #sleptSinceRead(): boolean {
    return this.#now() - this.#readBeganAt > this.parts.settings.verifyAfterMs;
  }

  #now(): number {
    return this.parts.patience.clock.now().getTime();
  }

  /** A log without a slot has no closing slot either: that its cluster is gone shows in the cluster's record alone (rule 5). */
  async #read(): Promise<void> {
    const began = this.arrive();
    const beganAt = this.#now();
    for (let attempt = 1; ; attempt++) {
      const known = this.#cache;
      try {
        if (known) await Promise.all([this.#catchUp(known), known.head.slot === this.parts.birth && this.parts.assertCurrent()]);
        else await this.#start();
        this.#readBegan = began;
        this.#readBeganAt = beganAt;
        return;
      } catch (error) {
        if (!(error instanceof SlotsGoneError) || attempt === restarts) throw error;
        // Asleep for too long, or outrun by compaction: begin again from the view.
        if (known) this.#forget(known);
      }
    }
  }

  async #catchUp(cache: LogCache): Promise<void> {
    const { head } = cache;
    const { entries, date } = await this.tail.read(head.next);
    if (date.getTime() - head.observed.getTime() > this.parts.settings.verifyAfterMs) await this.#verify(head, entries);
    this.#take(cache, entries, date);
    if (entries.length === 0) cache.confirm(date);
  }

  /** After a long sleep, nothing new may mean that nothing is left at all (rule 5), and something may stand at a freed key (rule 3). */
  async #verify(head: Head, entries: readonly SlotEntry[]): Promise<void> {
    if (entries.length === 0) return this.parts.assertCurrent();
    const { stubbed } = await this.marks(0);
    if (head.next < stubbed) throw new SlotsGoneError(`slot ${head.next} was compacted long ago`);
  }

  /**
   * Applies the slot after a head as a refused claim has shown it: that is a strong read of one slot.
   * @returns false when that does not do, and the tail must be read
   */
  async learn(item: Item | undefined, head: Head, date: Date): Promise<boolean> {
    // What stands at a key that compaction has freed is no slot (rule 3), and a head must be old for that.
    if (!item || date.getTime() - head.observed.getTime() > this.parts.settings.verifyAfterMs) return false;
    const entry = await readSlotItem(item, this.chunks);
    const cache = this.#cache;
    if (entry?.type !== "slot" || cache?.head !== head) return false;
    this.#take(cache, [entry], date);
    return true;
  }

  /** Watermark first, then the tail from there (rule 13). The slot at the watermark proves where the tail begins (rule 2). */
  async #start(): Promise<void> {
    const { birth, settings, assertCurrent } = this.parts;
    const { watermark } = await this.marks(0);
    const born = watermark === birth;
    const tail = this.tail.read(born ? watermark + 1 : watermark, { skipFirst: !born });
    const [{ entries, date }] = await Promise.all([tail, born && assertCurrent()]);
    const [first] = entries;
    if (!born && !first) throw new SlotsGoneError("the slot at the watermark is missing");
    const head = born || !first ? Head.ofBirth(watermark, date) : Head.ofSlot(first, date);
    this.parts.hybridClock.observe(head.time);
    const cache = new LogCache(head, { slots: settings.windowSlots, bytes: settings.windowBytes });
    this.#take(cache, born ? entries : entries.slice(1), date);
    if (cache.head.closed) this.parts.ended();
    this.#cache = cache;
    this.#notify();
  }

  /** Applies what is new of a tail read. */
  #take(cache: LogCache, entries: readonly SlotEntry[], date: Date): void {
    const before = cache.head.slot;
    for (const entry of entries) {
      this.parts.hybridClock.observe(entry.time);
      if (entry.number <= cache.head.slot) continue;
      if (entry.type === "stub") throw new SlotsGoneError(`slot ${entry.number} was compacted`);
      if (entry.type === "slot") {
        if (cache.apply(entry, Head.ofSlot(entry, date))) this.contention.observe(entry.writer, entry.holdMs);
      } else {
        cache.close(Head.ofSlot(entry, date));
        this.parts.ended();
      }
    }
    if (cache.head.slot !== before && cache === this.#cache) this.#notify();
  }

  #forget(cache: LogCache): void {
    if (this.#cache !== cache) return;
    this.#cache = undefined;
    this.#notify();
  }

  /** View pages after a watermark read before, then the tail to a head read last (rule 13). A checkpoint will do for the view. */
  async #load(cache: LogCache): Promise<void> {
    if (!(await learnCheckpoint(this, cache))) {
      for await (const page of this.view.all()) {
        for (const viewed of page) cache.learn(viewed.key, viewed);
      }
    }
    await this.fresh(this.arrive());
    // Others may have learned from the view meanwhile, of what is after that head.
    while (this.#cache === cache && cache.isBehindView && !cache.head.closed) await this.#nextRead();
    if (this.#cache === cache) cache.completed();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Whether the cache knows what a key was at its head. What it learned from the view may be of a later moment. */
export function isKnownAtHead(cache: LogCache, key: string): boolean {
  const known = cache.known(key);
  return known !== undefined && ("object" in known ? known.object.revision : known.gone) <= cache.head.revision;
}

/** The value behind a key, once the cache knows it. */
export function objectIn(cache: LogCache, key: string): Stored | undefined {
  const known = cache.known(key);
  return known && "object" in known ? known.object : undefined;
}
