/**
 * The objects as items of their own: what follows from the log up to a watermark. Behind or absent it costs time, never correctness:
 * every write here is conditional on being newer, and a deletion leaves a tombstone (rules 13, 15, 16).
 */
import type { Chunks } from "./chunks.ts";
import { deepFreeze, packText, parseValue, unpackText } from "./encoding.ts";
import type { LogKeys } from "./keys.ts";
import { raiseMark, readMarks } from "./marks.ts";
import { forEachOf, insist, type Patience, pauseAfter } from "./retry.ts";
import type { ChunkRef, LoggedChange, Slot, SlotEntry, SlotNumber } from "./slot.ts";
import type { Revision, Stored } from "./store.ts";
import type { Item, Table } from "./table.ts";
import type { Tail } from "./tail.ts";

/** What the view says of a key. Absent: the object did not exist at the watermark. */
export type Viewed = Stored | { readonly key: string; readonly gone: Revision };

/** An object as it stands in the view. */
export interface PackedObject {
  readonly key: string;
  readonly revision: Revision;
  /** JSON, or the chunks that hold it. */
  readonly body: string | ChunkRef;
  readonly exact: boolean;
}

const slotsAtOnce = 500;
/** A step of the materializer takes no more objects than about this, so that it comes to an end; changes of the same objects cost nothing. */
const objectsAtOnce = 5_000;
const rereads = 6;
/** So many objects in a row that the view has already are somebody else's work, who is at it now. */
const overtakenAfter = 32;

export interface ViewParts {
  readonly table: Table;
  readonly keys: LogKeys;
  readonly chunks: Chunks;
  readonly tail: Tail;
  readonly patience: Patience;
  readonly birth: SlotNumber;
  /** A materializer that slept longer than this stops, lest it bring back what was removed since. */
  readonly materializeMs: number;
  /** Absent: everything is read from the table. */
  readonly memory?: LogMemory;
}

/** What the process has at hand of the log's end: it need not be read, parsed and written out once more. */
export interface LogMemory {
  /** Slots after this one without a gap, each read strongly or won; undefined when some of them are not in memory. */
  slotsAfter(slot: SlotNumber): readonly Slot[] | undefined;
  /** The JSON of a change's object, if it was kept. It is not kept any longer. */
  takeText(change: LoggedChange): string | undefined;
}

/** When a materializer is to stop early. */
export interface Limits {
  /** Nothing is written after this moment, in milliseconds since 1970. */
  readonly stopAt?: number;
  /** Stop when somebody else turns out to be at it: a write in vain costs as much as any. */
  readonly unlessOvertaken?: boolean;
}

export class View {
  readonly #parts: ViewParts;
  #lastStep: Promise<unknown> = Promise.resolve();
  /** What a step that did not end wrote above a watermark: the next one goes on from there. */
  #begun: { readonly watermark: SlotNumber; readonly written: Map<string, Revision> } | undefined;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  /** One object's item, read strongly. */
  async get(key: string): Promise<Viewed | undefined> {
    const { table, keys, patience } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      const { item } = await insist(patience, () => table.get({ pk: keys.view, sk: key }, { consistent: true }));
      if (!item) return undefined;
      const viewed = await this.#read(item);
      if (viewed) return viewed;
      await this.#again(attempt, key);
    }
  }

  /** Every object's item, in order, read strongly page by page. */
  async *all(): AsyncGenerator<readonly Viewed[]> {
    for await (const items of this.#pages()) {
      yield await Promise.all(
        items.map(async (item) => (await this.#read(item)) ?? (await this.get(item.sk)) ?? { key: item.sk, gone: 0 }),
      );
    }
  }

  /** The same without tombstones and without looking into the bodies: for checkpoints. */
  async *packed(): AsyncGenerator<readonly PackedObject[]> {
    for await (const items of this.#pages()) yield items.flatMap(packedObject);
  }

  async *#pages(): AsyncGenerator<readonly Item[]> {
    const { table, keys, patience } = this.#parts;
    const query = { pk: keys.view, consistent: true } as const;
    let page = await insist(patience, () => table.query(query));
    for (;;) {
      const { cursor } = page;
      // The next page is on its way while this one is read.
      const following = cursor && insist(patience, () => table.query({ ...query, cursor }));
      following?.catch(() => {});
      yield page.items;
      if (!following) return;
      page = await following;
    }
  }

  /**
   * Applies the log to the view, from the watermark on.
   * @param until stop early once it is false
   * @returns the watermark, and whether it is the log's head
   * @throws {StaleMaterializerError} when time was up before a step was done
   * @throws {OvertakenError} if asked for
   */
  async materialize(until: () => boolean, limits: Limits = {}): Promise<{ readonly watermark: SlotNumber; readonly done: boolean }> {
    for (;;) {
      // Two at a time would write everything twice: the others wait for this step.
      const step = this.#lastStep.then(() => this.#step(limits));
      this.#lastStep = step.catch(() => {});
      const { watermark, done } = await step;
      if (done || !until()) return { watermark, done };
    }
  }

  /** Applies the next slots, as many as are read at once. */
  async #step({ stopAt = Infinity, unlessOvertaken = false }: Limits) {
    const { table, keys, patience, birth, materializeMs } = this.#parts;
    for (;;) {
      // Whatever comes after this watermark was still to be applied after the deadline was set: no compaction took it before (rule 16).
      const deadline = Math.min(stopAt, patience.clock.now().getTime() + materializeMs);
      let { watermark } = await insist(patience, () => readMarks(table, keys, birth));
      const { entries, complete } = await this.#slotsAfter(watermark);
      // Somebody else went on from there, and compaction followed.
      if (entries.some(({ type }) => type === "stub")) continue;
      if (this.#begun?.watermark !== watermark) this.#begun = { watermark, written: new Map() };
      const { changes, last } = newestPerKey(entries);
      if (last) {
        await this.write(changes, deadline, { written: this.#begun.written, unlessOvertaken });
        await raiseMark(table, keys, "watermark", last.number, patience);
        watermark = last.number;
      }
      return { watermark, done: complete && last === entries.at(-1) };
    }
  }

  /** The next slots to apply: from memory as far as that goes, the rest and the proof of the end from the table. */
  async #slotsAfter(watermark: SlotNumber): Promise<{ readonly entries: readonly SlotEntry[]; readonly complete: boolean }> {
    const { memory, birth, tail } = this.#parts;
    // A log without a watermark is young, or was erased with its cluster: the table tells.
    const known = watermark === birth ? [] : (memory?.slotsAfter(watermark)?.slice(0, slotsAtOnce) ?? []);
    return known.length > 0 ? { entries: known, complete: false } : tail.read(watermark + 1, { limit: slotsAtOnce });
  }

  /**
   * Writes what a change made of its object, unless the view has something newer. All are acknowledged when it resolves.
   * @param options.written revisions of objects that were acknowledged already: grows
   */
  async write(
    changes: readonly LoggedChange[],
    deadline: number,
    { written = new Map<string, Revision>(), unlessOvertaken = false } = {},
  ): Promise<void> {
    const { table, keys, patience } = this.#parts;
    let inVain = 0;
    await forEachOf(changes, 16, async (change) => {
      const { key, revision } = change.object;
      if (written.get(key) === revision) return;
      const item = viewItem(keys, change, this.#parts.memory?.takeText(change));
      const { done } = await insist(patience, async () => {
        // Before each new try as well: what was refused may be refused for days, if we sleep.
        if (patience.clock.now().getTime() > deadline) throw new StaleMaterializerError();
        return table.put(item, { type: "absentOrLess", attribute: "revision", value: revision });
      });
      written.set(key, revision);
      inVain = done ? 0 : inVain + 1;
      if (unlessOvertaken && inVain >= overtakenAfter) throw new OvertakenError();
    });
  }

  /** Removes an item, the tombstone that a deletion left for instance, if it is still of this revision. */
  async forget(key: string, revision: Revision): Promise<void> {
    const { table, keys, patience } = this.#parts;
    await insist(patience, () => table.delete({ pk: keys.view, sk: key }, { type: "equals", attribute: "revision", value: revision }));
  }

  /** What the view has of a key, without reading its body: for compaction. */
  async peek(key: string): Promise<{ readonly revision: Revision; readonly chunks: string | undefined } | undefined> {
    const { table, keys, patience } = this.#parts;
    const { item } = await insist(patience, () => table.get({ pk: keys.view, sk: key }, { consistent: true }));
    return item && { revision: Number(item.revision), chunks: refOf(item)?.id };
  }

  /** Removes every item: the log is over. */
  async erase(): Promise<void> {
    const { table, keys, patience } = this.#parts;
    for (;;) {
      const { items } = await insist(patience, () => table.query({ pk: keys.view, consistent: true }));
      if (items.length === 0) return;
      await forEachOf(items, 8, ({ sk, revision }) => this.forget(sk, Number(revision)));
    }
  }

  async #read(item: Item): Promise<Viewed | undefined> {
    const revision = Number(item.revision);
    if (item.gone === true) return { key: item.sk, gone: revision };
    const ref = refOf(item);
    const bytes = ref ? await this.#parts.chunks.read(ref) : item.body;
    if (!(bytes instanceof Uint8Array)) return undefined;
    const value = parseValue(unpackText(bytes), item.exact === true) as Stored["value"];
    deepFreeze(value);
    return Object.freeze({ key: item.sk, revision, value });
  }

  async #again(attempt: number, key: string): Promise<void> {
    const { clock, random } = this.#parts.patience;
    if (attempt === rereads) throw new Error(`chunks of ${key} in ${this.#parts.keys.view} are missing`);
    await clock.sleep(pauseAfter(attempt, random));
  }
}

/** A materializer slept too long to go on (rule 16), or had no more time. Nothing is wrong: the next one starts afresh. */
export class StaleMaterializerError extends Error {
  override readonly name = "StaleMaterializerError";
}

/** Somebody else brings the view up to date at this moment. What was written is remembered. */
export class OvertakenError extends Error {
  override readonly name = "OvertakenError";
}

/** What the first slots come to: as many slots as one step takes. */
function newestPerKey(entries: readonly SlotEntry[]): { readonly changes: readonly LoggedChange[]; readonly last: SlotEntry | undefined } {
  const newest = new Map<string, LoggedChange>();
  let last: SlotEntry | undefined;
  for (const entry of entries) {
    const changes = entry.type === "slot" ? entry.changes : [];
    if (newest.size >= objectsAtOnce && changes.some(({ object }) => !newest.has(object.key))) break;
    for (const change of changes) newest.set(change.object.key, change);
    last = entry;
  }
  return { changes: [...newest.values()], last };
}

function viewItem(keys: LogKeys, { type, object, body, exact }: LoggedChange, json: string | undefined): Item {
  const base = { pk: keys.view, sk: object.key, revision: object.revision };
  if (type === "delete") return { ...base, gone: true };
  if (body) return { ...base, chunks: JSON.stringify(body), ...(body.exact && { exact: true }) };
  return { ...base, body: packText(json ?? JSON.stringify(object.value)), ...(exact && { exact }) };
}

const refOf = (item: Item): ChunkRef | undefined => (typeof item.chunks === "string" ? (JSON.parse(item.chunks) as ChunkRef) : undefined);

function packedObject(item: Item): PackedObject[] {
  const body = refOf(item) ?? (item.body instanceof Uint8Array ? unpackText(item.body) : undefined);
  return body === undefined ? [] : [{ key: item.sk, revision: Number(item.revision), body, exact: item.exact === true }];
}
