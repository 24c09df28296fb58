/** Stores for tests: several processes over one table, and short ways to write and read. */
import { silentLog } from "../../shared/runtime/log.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { StoreSettings } from "../../shared/store/settings.ts";
import type { Author, ListQuery, Outcome, Proposal, ResourceStore, Store, Stored, WatchItem } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import { type FaultyTable, faultyTable } from "./faulty-table.ts";
import { type RunningClock, runningClock } from "./running-clock.ts";

export const author: Author = { user: "alice", userAgent: "tests" };

type Value = Stored["value"];

/** Creates an object, or replaces whatever is there. */
export const put = (key: string, value: Value = { key }): Proposal => ({ key, author, judge: () => ({ type: "put", value }) });

/** Creates an object, unless it exists. */
export const create = (key: string, value: Value = { key }): Proposal => ({
  key,
  author,
  judge: (current) => (current ? { type: "refused", error: new Error("AlreadyExists") } : { type: "put", value }),
});

/** Replaces an object, if it is at this revision still. */
export const update = (key: string, revision: number, value: Value): Proposal => ({
  key,
  author,
  judge: (current) => (current?.revision === revision ? { type: "put", value } : { type: "refused", error: new Error("Conflict") }),
});

/** Makes the next value out of the newest one. */
export const modify = (key: string, change: (value: Value) => Value): Proposal => ({
  key,
  author,
  judge: (current) => (current ? { type: "put", value: change(current.value) } : { type: "refused", error: new Error("NotFound") }),
});

export const remove = (key: string): Proposal => ({
  key,
  author,
  judge: (current) => (current ? { type: "delete", value: current.value } : { type: "refused", error: new Error("NotFound") }),
});

/** What became of a proposal, in a word. */
export const wordFor = (outcome: Outcome): string => (outcome.type === "refused" ? outcome.error.message : outcome.type);

/** The object that a proposal left behind. */
export function objectOf(outcome: Outcome): Stored {
  if (outcome.type === "refused") throw outcome.error;
  return outcome.object;
}

export interface Scene {
  readonly clock: RunningClock;
  readonly table: FaultyTable;
  /** A process with nothing but the table. It stands between the table and itself, if it likes. */
  process(settings?: Partial<StoreSettings>, table?: Table): Store;
  /** The same, and its handle for a resource of the cluster `default`. */
  resource(options?: {
    readonly storage?: string;
    readonly settings?: Partial<StoreSettings>;
    readonly table?: Table;
  }): Promise<ResourceStore>;
}

/** A table in memory with the cluster `default`, and a clock that runs by itself. */
export async function aScene({ seed = 1 }: { readonly seed?: number } = {}): Promise<Scene> {
  const clock = runningClock();
  const table = faultyTable(memoryTable({ clock }));
  const random = randomFrom(seed);
  const process = (settings: Partial<StoreSettings> = {}, through: Table = table) =>
    openStore({ table: through, clock, log: silentLog, random, settings });
  await process().createCluster("default");
  return {
    clock,
    table,
    process,
    async resource({ storage = "pods", settings, table: through } = {}) {
      return (await process(settings, through).cluster("default")).resource(storage);
    },
  };
}

/** Numbers that look random and are the same every time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Keys of a list. */
export const keysOf = async (resource: ResourceStore, at: ListQuery["at"] = "newest", prefix = ""): Promise<string[]> =>
  (await resource.list({ prefix, at })).items.map(({ key }) => key);

/** Reads a watch until so many changes have come. */
export async function take(watch: AsyncIterable<WatchItem>, count: number): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  if (count === 0) return items;
  for await (const item of watch) {
    items.push(item);
    if (items.length === count) break;
  }
  return items;
}

/** One item of a watch, short: `put a 1001`. */
export const inWords = (item: WatchItem): string =>
  item.type === "progress" ? `progress` : `${item.change.type} ${item.change.object.key}`;

/** Keys of everything that a life of the cluster still has in the table. */
export async function leftOf({ table }: Scene, incarnation: number): Promise<readonly string[]> {
  const partitions = new Set(table.calls.map(({ pk }) => pk).filter((pk) => pk.includes(`#${incarnation}#`)));
  const pages = await Promise.all([...partitions].map((pk) => table.query({ pk, consistent: true })));
  return pages.flatMap(({ items }) => items.map(({ pk, sk }) => `${pk} ${sk}`));
}
