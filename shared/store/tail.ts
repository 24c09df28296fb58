/** Reading slots in order, with the proof that none is missing (rule 7). */
import type { Chunks } from "./chunks.ts";
import type { LogKeys } from "./keys.ts";
import { insist, type Patience, pauseAfter } from "./retry.ts";
import { type Closing, type SlotEntry, type SlotNumber, type Stub, slotSortKey } from "./slot.ts";
import { readSlotHeading, readSlotItem } from "./slot-item.ts";
import type { Item, QueryPage, Table } from "./table.ts";

/** Slots that were expected are gone for good, or stubs: the reader is too far behind to go on from where it is. */
export class SlotsGoneError extends Error {
  override readonly name = "SlotsGoneError";
}

export interface TailRead {
  /** Contiguous, the first being the expected one. Empty: nothing newer. */
  readonly entries: readonly SlotEntry[];
  /** Whether the end was seen: false when the read stopped at its limit. */
  readonly complete: boolean;
  /** The table's clock. */
  readonly date: Date;
}

export interface TailRange {
  /** At most so many slots. */
  readonly limit?: number;
  /** The last slot wanted. */
  readonly to?: SlotNumber;
  /** The content of the first slot is not wanted: it comes back as if it were a stub. */
  readonly skipFirst?: boolean;
}

const rereads = 6;

export class Tail {
  readonly #table: Table;
  readonly #keys: LogKeys;
  readonly #chunks: Chunks;
  readonly #patience: Patience;

  constructor(table: Table, keys: LogKeys, chunks: Chunks, patience: Patience) {
    this.#table = table;
    this.#keys = keys;
    this.#chunks = chunks;
    this.#patience = patience;
  }

  /**
   * Slots from `first` on, oldest first, read strongly, every page followed to its end and every hole read again.
   * @throws {SlotsGoneError} when a hole stays, as compaction leaves it
   */
  async read(first: SlotNumber, range: TailRange = {}): Promise<TailRead> {
    const entries: SlotEntry[] = [];
    for (let attempt = 1; ; attempt++) {
      const limit = range.limit === undefined ? {} : { limit: range.limit - entries.length };
      const { items, date, more } = await this.#items(first + entries.length, { ...range, ...limit });
      if (await this.#append(items, first + entries.length, entries, range.skipFirst === true)) return { entries, complete: !more, date };
      if (attempt === rereads) throw new SlotsGoneError(`slot ${first + entries.length} of ${this.#keys.slots} is missing`);
      await this.#pause(attempt);
    }
  }

  /** One slot, read strongly; undefined when it has no owner. */
  async slot(number: SlotNumber): Promise<SlotEntry | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { item } = await insist(this.#patience, () =>
        this.#table.get({ pk: this.#keys.slots, sk: slotSortKey(number) }, { consistent: true }),
      );
      if (!item) return undefined;
      const entry = await readSlotItem(item, this.#chunks);
      if (entry) return entry;
      if (attempt === rereads) throw new SlotsGoneError(`chunks of slot ${number} of ${this.#keys.slots} are missing`);
      await this.#pause(attempt);
    }
  }

  /** One slot without its changes, read strongly; undefined when it has no owner. Its type is told for closing slots only. */
  async heading(number: SlotNumber): Promise<Stub | Closing | undefined> {
    const { item } = await insist(this.#patience, () =>
      this.#table.get({ pk: this.#keys.slots, sk: slotSortKey(number) }, { consistent: true }),
    );
    return item && readSlotHeading(item);
  }

  /** Whether a slot at or after this one can be seen: an eventual read, at half the price, which proves nothing when it says no. */
  async hasNews(from: SlotNumber): Promise<boolean> {
    const { items } = await this.#table.query({ pk: this.#keys.slots, from: slotSortKey(from), limit: 1, consistent: false });
    return items.length > 0;
  }

  async #items(from: SlotNumber, { to, limit }: TailRange) {
    const items: Item[] = [];
    const enough = () => limit !== undefined && items.length >= limit;
    let page: QueryPage | undefined;
    do {
      const query = {
        pk: this.#keys.slots,
        from: slotSortKey(from),
        ...(to !== undefined && { to: slotSortKey(to) }),
        ...(limit !== undefined && { limit: limit - items.length }),
        ...(page?.cursor && { cursor: page.cursor }),
        consistent: true,
      };
      page = await insist(this.#patience, () => this.#table.query(query));
      items.push(...page.items);
    } while (page.cursor && !enough());
    return { items, date: page.date, more: page.cursor !== undefined };
  }

  /** Appends what follows without a hole; false when there was a hole, or chunks were missing. */
  async #append(items: readonly Item[], expected: SlotNumber, entries: SlotEntry[], skipFirst: boolean): Promise<boolean> {
    for (const [index, item] of items.entries()) {
      if (Number(item.sk) !== expected + index) return false;
      const entry = skipFirst && entries.length === 0 ? readSlotHeading(item) : await readSlotItem(item, this.#chunks);
      if (!entry) return false;
      entries.push(entry);
    }
    return true;
  }

  #pause(attempt: number): Promise<void> {
    return this.#patience.clock.sleep(pauseAfter(attempt, this.#patience.random));
  }
}
