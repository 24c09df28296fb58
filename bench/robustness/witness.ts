/**
 * The witness of a run: it stands beside every proxy and notes each slot in the moment at which the table takes it, before compaction, and
 * whatever clients believe.
 */
import { type Clock, systemClock } from "../../shared/runtime/clock.ts";
import { Chunks } from "../../shared/store/chunks.ts";
import { logKeys } from "../../shared/store/keys.ts";
import { passing } from "../../shared/store/retry.ts";
import { revisionAt, type SlotEntry } from "../../shared/store/slot.ts";
import { readSlotItem } from "../../shared/store/slot-item.ts";
import type { Item, Table } from "../../shared/store/table.ts";
import { Tail } from "../../shared/store/tail.ts";
import { type DynamoDbCall, isClaim, type WireItem, type WireValue } from "./dynamodb-call.ts";
import type { Reply } from "./fault-proxy.ts";
import { type Journal, monotonicMs } from "./journal.ts";
import { recordChange } from "./recorder.ts";

export interface WitnessOptions {
  readonly cluster: string;
  /** The cluster's incarnation: where its logs begin. */
  readonly birth: number;
  /** The table without anything in between; asked for every time, since the engine may have been started again. */
  readonly table: () => Table;
  readonly journal: Journal;
  /** A slot was committed. */
  readonly committed: () => void;
}

export class Witness {
  readonly #options: WitnessOptions;
  readonly #clock: Clock = systemClock;
  readonly #logs = new Map<string, SeenLog>();
  readonly #reading = new Set<Promise<void>>();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** An answer of the engine. */
  note(call: DynamoDbCall, { status }: Reply): void {
    if (status !== 200 || !isClaim(call) || !call.body.Item) return;
    const seenAt = monotonicMs();
    this.#options.committed();
    const reading = this.#record(storageOf(call.pk), itemOf(call.body.Item), seenAt).finally(() => this.#reading.delete(reading));
    this.#reading.add(reading);
  }

  /** Waits until everything that was noted is in the journal. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading);
  }

  /** Adds slots that were committed without an answer: the engine was killed at that moment. */
  async fillGaps(): Promise<void> {
    await this.settled();
    for (const [log, seen] of this.#logs) {
      const { tail } = this.#read(log);
      // One more than is known may be there.
      for (let number = this.#options.birth + 1, last = seen.last + 1; number <= last; number++) {
        const entry = seen.has(number) ? undefined : await this.#insist(() => tail.slot(number));
        if (entry?.type !== "slot" || !seen.add(number, entry)) continue;
        const changes = entry.changes.map((change) => recordChange(change));
        this.#options.journal.write({ log, slot: { number, time: entry.time, changes } });
      }
    }
  }

  /** The newest revision of each log, as far as it was seen. */
  revisions(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#logs].map(([log, { last }]) => [log, revisionAt(last, 0)]));
  }

  async #record(log: string, item: Item, seenAt: number): Promise<void> {
    const { journal } = this.#options;
    let seen = this.#logs.get(log);
    if (!seen) {
      seen = new SeenLog();
      this.#logs.set(log, seen);
    }
    if (!seen.add(Number(item.sk), { writer: String(item.writer), time: Number(item.time) })) return;
    let slot: SlotEntry | undefined;
    try {
      slot = await this.#insist(() => readSlotItem(item, this.#read(log).chunks));
    } catch (error) {
      return journal.write({ trouble: `slot ${item.sk} of ${log} was committed and cannot be read: ${(error as Error).stack}` });
    }
    if (slot?.type !== "slot") return journal.write({ trouble: `slot ${item.sk} of ${log} was committed without its chunks` });
    const changes = slot.changes.map((change) => recordChange(change, seenAt));
    journal.write({ log, slot: { number: slot.number, time: slot.time, changes } });
  }

  /** The engine may be away for a while. */
  async #insist<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!passing(error)) throw error;
        await this.#clock.sleep(50);
      }
    }
  }

  #read(log: string) {
    const { cluster, birth, table } = this.#options;
    const keys = logKeys(cluster, birth, log);
    const patience = { clock: this.#clock, random: Math.random };
    const chunks = new Chunks(table(), keys, patience);
    return { chunks, tail: new Tail(table(), keys, chunks, patience) };
  }
}

/** The slots of a log that were seen, and whose they were. */
class SeenLog {
  readonly #owners = new Map<number, string>();
  #last = 0;

  get last(): number {
    return this.#last;
  }

  has(number: number): boolean {
    return this.#owners.has(number);
  }

  /** @returns false when this very commit was seen before. A slot that is taken a second time is another matter */
  add(number: number, { writer, time }: { readonly writer: string; readonly time: number }): boolean {
    const owner = `${writer} ${time}`;
    if (this.#owners.get(number) === owner) return false;
    this.#owners.set(number, owner);
    this.#last = Math.max(this.#last, number);
    return true;
  }
}

/** Partition keys of logs are `CLUSTER#INCARNATION#STORAGE#log`. */
const storageOf = (pk: string): string => pk.split("#")[2] ?? "";

const itemOf = (item: WireItem): Item =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, valueOf(value)])) as unknown as Item;

function valueOf({ S, N, B, BOOL }: WireValue) {
  if (S !== undefined) return S;
  if (N !== undefined) return Number(N);
  return B === undefined ? BOOL : Buffer.from(B, "base64");
}
