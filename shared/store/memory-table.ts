/** A table in memory, with DynamoDB's limits and manners: item size, page size, and reads that lag when they need not be consistent. */
import { type Clock, systemClock } from "../runtime/clock.ts";
import { lowerBound } from "./order.ts";
import {
  type AttributeValue,
  type Condition,
  type Item,
  type ItemKey,
  type Query,
  type QueryPage,
  type Table,
  TableRefusedError,
  type WriteResult,
} from "./table.ts";

export interface MemoryTableOptions {
  /** The table's clock. */
  readonly clock?: Clock;
  /** How far reads that need not be consistent lag behind. */
  readonly lagMs?: number;
  /** A page ends once it is this large. */
  readonly pageBytes?: number;
}

const maximumItemBytes = 400 * 1024;
const defaultPageBytes = 1024 * 1024;

/** What stood at a key, newest last. More than one version is kept only for reads that lag. */
interface Version {
  readonly at: number;
  readonly item: Item | undefined;
}

interface Partition {
  readonly versions: Map<string, Version[]>;
  /** Sort keys, in order. */
  readonly sortKeys: string[];
}

export function memoryTable(options: MemoryTableOptions = {}): Table {
  return new MemoryTable(options);
}

class MemoryTable implements Table {
  readonly #partitions = new Map<string, Partition>();
  readonly #clock: Clock;
  readonly #lagMs: number;
  readonly #pageBytes: number;

  constructor({ clock = systemClock, lagMs = 0, pageBytes = defaultPageBytes }: MemoryTableOptions) {
    this.#clock = clock;
    this.#lagMs = lagMs;
    this.#pageBytes = pageBytes;
  }

  async get({ pk, sk }: ItemKey, { consistent }: { readonly consistent: boolean }) {
    const item = this.#read(pk, sk, consistent);
    return { item: item && copyOf(item), date: this.#date() };
  }

  async put(item: Item, condition?: Condition): Promise<WriteResult> {
    checkItem(item);
    return this.#write(item, copyOf(item), condition);
  }

  async delete(key: ItemKey, condition?: Condition): Promise<WriteResult> {
    return this.#write(key, undefined, condition);
  }

  async query({ pk, from, to, descending = false, limit = Infinity, cursor, consistent }: Query): Promise<QueryPage> {
    const { sortKeys: keys } = this.#partition(pk);
    let first = from === undefined ? 0 : lowerBound(keys, from);
    let end = to === undefined ? keys.length : lowerBound(keys, to) + (keys[lowerBound(keys, to)] === to ? 1 : 0);
    if (cursor) {
      const at = lowerBound(keys, cursor.sk);
      if (descending) end = Math.min(end, at);
      else first = Math.max(first, keys[at] === cursor.sk ? at + 1 : at);
    }
    const items: Item[] = [];
    let bytes = 0;
    for (let step = 0; step < end - first; step++) {
      const sk = keys[descending ? end - 1 - step : first + step]!;
      const item = this.#read(pk, sk, consistent);
      if (!item) continue;
      items.push(copyOf(item));
      bytes += itemBytes(item);
      if (items.length >= limit || bytes >= this.#pageBytes) return { items, cursor: { pk, sk }, date: this.#date() };
    }
    return { items, date: this.#date() };
  }

  #read(pk: string, sk: string, consistent: boolean): Item | undefined {
    const versions = this.#partitions.get(pk)?.versions.get(sk);
    if (!versions) return undefined;
    if (consistent || this.#lagMs === 0) return versions.at(-1)?.item;
    const horizon = this.#clock.now().getTime() - this.#lagMs;
    return versions.findLast(({ at }) => at <= horizon)?.item;
  }

  #write({ pk, sk }: ItemKey, item: Item | undefined, condition: Condition | undefined): WriteResult {
    const existing = this.#read(pk, sk, true);
    const date = this.#date();
    if (condition && !holds(condition, existing)) return { done: false, date, existing: existing && copyOf(existing) };
    const partition = this.#partition(pk);
    const versions = partition.versions.get(sk) ?? [];
    const kept = this.#lagMs === 0 ? [] : versions;
    partition.versions.set(sk, [...kept, { at: this.#clock.now().getTime(), item }]);
    if (versions.length === 0 && item) insertSorted(partition.sortKeys, sk);
    if (!item && this.#lagMs === 0) this.#drop(partition, sk);
    return { done: true, date };
  }

  #drop(partition: Partition, sk: string): void {
    if (!partition.versions.delete(sk)) return;
    const index = lowerBound(partition.sortKeys, sk);
    if (partition.sortKeys[index] === sk) partition.sortKeys.splice(index, 1);
  }

  #partition(pk: string): Partition {
    let partition = this.#partitions.get(pk);
    if (!partition) {
      partition = { versions: new Map(), sortKeys: [] };
      this.#partitions.set(pk, partition);
    }
    return partition;
  }

  /** DynamoDB's Date header has whole seconds. */
  #date(): Date {
    return new Date(Math.floor(this.#clock.now().getTime() / 1000) * 1000);
  }
}

function holds(condition: Condition, existing: Item | undefined): boolean {
  if (condition.type === "absent") return existing === undefined;
  const value = existing?.[condition.attribute];
  if (condition.type === "equals") return value === condition.value;
  return existing === undefined || (typeof value === "number" && value < condition.value);
}

function checkItem(item: Item): void {
  if (item.pk === "" || item.sk === "") throw new TableRefusedError("key attributes must not be empty");
  if (Buffer.byteLength(item.pk) > 2048 || Buffer.byteLength(item.sk) > 1024) throw new TableRefusedError("a key attribute is too long");
  if (itemBytes(item) > maximumItemBytes) throw new TableRefusedError("Item size has exceeded the maximum allowed size");
}

/** The size of an item as DynamoDB counts it, in bytes. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

function valueBytes(value: AttributeValue): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return Math.ceil(String(Math.abs(value)).length / 2) + 1;
  if (typeof value === "boolean") return 1;
  if (value instanceof Uint8Array) return value.length;
  return (value as readonly AttributeValue[]).reduce<number>((sum, each) => sum + valueBytes(each) + 1, 3);
}

const copyOf = (item: Item): Item =>
  Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => (value === undefined ? [] : [[name, copyValue(value)]])),
  ) as unknown as Item;

const copyValue = (value: AttributeValue): AttributeValue => {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value === "object") return (value as readonly AttributeValue[]).map(copyValue) as unknown as AttributeValue;
  return value;
};

function insertSorted(keys: string[], key: string): void {
  const index = lowerBound(keys, key);
  if (keys[index] !== key) keys.splice(index, 0, key);
}
