/**
 * Bytes that do not fit into a slot: written in chunk items before the claim, under partition keys of their own (rules 21 and 22).
 * An index item stands before them, so that what no slot came to refer to can be found and removed.
 */
import { createHash } from "node:crypto";
import { packText } from "./encoding.ts";
import type { LogKeys } from "./keys.ts";
import { forEachOf, insist, type Patience } from "./retry.ts";
import { type ChunkRef, type SlotNumber, slotSortKey } from "./slot.ts";
import type { Item, Table } from "./table.ts";

/** A chunk item stays well below DynamoDB's 400 KB. */
const chunkBytes = 350 * 1024;

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");

/** An entry of the index of chunks. */
export interface ChunkIndexEntry {
  readonly id: string;
  readonly parts: number;
  readonly born: SlotNumber;
  /** The object whose view item may share the chunks; absent for a slot's changes. */
  readonly key: string | undefined;
}

export class Chunks {
  readonly #table: Table;
  readonly #keys: LogKeys;
  readonly #patience: Patience;

  constructor(table: Table, keys: LogKeys, patience: Patience) {
    this.#table = table;
    this.#keys = keys;
    this.#patience = patience;
  }

  /**
   * @param id never used before
   * @param born the newest slot that the writer knows
   * @param key the object whose body this is, if it is one
   */
  async write(id: string, text: string, born: SlotNumber, exact: boolean, key?: string): Promise<ChunkRef> {
    const bytes = packText(text);
    const parts = Math.max(1, Math.ceil(bytes.length / chunkBytes));
    const index: Item = { ...this.#indexKey(id, born), born, parts, ...(key !== undefined && { key }) };
    await insist(this.#patience, () => this.#table.put(index));
    const numbers = Array.from({ length: parts }, (_, number) => number);
    await forEachOf(numbers, 4, (number) => {
      const data = bytes.subarray(number * chunkBytes, (number + 1) * chunkBytes);
      return insist(this.#patience, () => this.#table.put({ ...this.#chunkKey(id, number), born, data }));
    });
    return { id, born, parts, size: text.length, hash: hashOf(bytes), ...(exact && { exact }) };
  }

  /** Undefined when a chunk is missing or is not what was written: whoever referred to it must be read again. */
  async read(ref: ChunkRef): Promise<Uint8Array | undefined> {
    const numbers = Array.from({ length: ref.parts }, (_, number) => number);
    const parts: Uint8Array[] = [];
    await forEachOf(numbers, 4, async (number) => {
      const { item } = await insist(this.#patience, () => this.#table.get(this.#chunkKey(ref.id, number), { consistent: true }));
      if (item?.data instanceof Uint8Array) parts[number] = item.data;
    });
    if (numbers.some((number) => parts[number] === undefined)) return undefined;
    const bytes = Buffer.concat(parts);
    return hashOf(bytes) === ref.hash ? bytes : undefined;
  }

  /** Chunks first, their index entry last: a sweep that is cut short finds the rest again. */
  async remove({ id, born, parts }: Pick<ChunkRef, "id" | "born" | "parts">): Promise<void> {
    const numbers = Array.from({ length: parts }, (_, number) => number);
    const asWritten = { type: "equals", attribute: "born", value: born } as const;
    await forEachOf(numbers, 4, (number) => insist(this.#patience, () => this.#table.delete(this.#chunkKey(id, number), asWritten)));
    await insist(this.#patience, () => this.#table.delete(this.#indexKey(id, born), asWritten));
  }

  /** Index entries of chunks born before a slot, oldest first. */
  async *bornBefore(slot: SlotNumber): AsyncGenerator<ChunkIndexEntry> {
    const range = { pk: this.#keys.chunkIndex, to: slotSortKey(slot), consistent: true };
    let page = await insist(this.#patience, () => this.#table.query(range));
    for (;;) {
      for (const item of page.items) yield indexEntry(item);
      if (!page.cursor) return;
      const { cursor } = page;
      page = await insist(this.#patience, () => this.#table.query({ ...range, cursor }));
    }
  }

  #indexKey(id: string, born: SlotNumber) {
    return { pk: this.#keys.chunkIndex, sk: `${slotSortKey(born)}#${id}` };
  }

  #chunkKey(id: string, number: number) {
    return { pk: this.#keys.chunks(id), sk: String(number).padStart(4, "0") };
  }
}

function indexEntry(item: Item): ChunkIndexEntry {
  return {
    id: item.sk.slice(item.sk.indexOf("#") + 1),
    parts: Number(item.parts),
    born: Number(item.born),
    key: typeof item.key === "string" ? item.key : undefined,
  };
}
