/** A log's marks: how far its view is, and what compaction and expiry have taken. Each only ever moves forward, by condition (rules 15 and 17). */
import type { LogKeys } from "./keys.ts";
import { insist, type Patience } from "./retry.ts";
import type { SlotNumber } from "./slot.ts";
import type { Item, QueryPage, Table } from "./table.ts";

export interface Marks {
  /** Every change up to and with this slot is in the view. */
  readonly watermark: SlotNumber;
  /** The oldest slot that watches and tokens may still need (logical compaction). */
  readonly floor: SlotNumber;
  /** Slots below are stubs (physical compaction). Never above the floor or the watermark. */
  readonly stubbed: SlotNumber;
  /** Stubs below are gone. */
  readonly erased: SlotNumber;
  /** Objects that were last changed by slots below have expired, where objects do. */
  readonly expired: SlotNumber;
  /** The table's clock when they were read. */
  readonly date: Date;
}

export type Mark = Exclude<keyof Marks, "date">;

/** A log that nobody compacted yet has no mark items: everything since its birth is there, and nothing is in the view. */
export async function readMarks(table: Table, keys: LogKeys, birth: SlotNumber): Promise<Marks> {
  const { items, date } = await markItems(table, keys);
  const values = new Map(items.map((item) => [item.sk, item.at]));
  const at = (mark: Mark, fallback: SlotNumber) => {
    const value = values.get(mark);
    return typeof value === "number" ? value : fallback;
  };
  return {
    watermark: at("watermark", birth),
    floor: at("floor", birth + 1),
    stubbed: at("stubbed", birth + 1),
    erased: at("erased", birth + 1),
    expired: at("expired", birth + 1),
    date,
  };
}

async function markItems(table: Table, keys: LogKeys): Promise<Omit<QueryPage, "cursor">> {
  const query = { pk: keys.marks, consistent: true };
  const items: Item[] = [];
  for (let page = await table.query(query); ; page = await table.query({ ...query, cursor: page.cursor })) {
    items.push(...page.items);
    if (!page.cursor) return { items, date: page.date };
  }
}

/** Moves a mark forward. Somebody may have moved it further already, which is as good. */
export async function raiseMark(table: Table, keys: LogKeys, mark: Mark, at: SlotNumber, patience: Patience): Promise<void> {
  await insist(patience, () => table.put({ pk: keys.marks, sk: mark, at }, { type: "absentOrLess", attribute: "at", value: at }));
}

/** Removes the marks of a log that is over. */
export async function dropMarks(table: Table, keys: LogKeys, patience: Patience): Promise<void> {
  const { items } = await insist(patience, () => markItems(table, keys));
  for (const { sk, at } of items) {
    await insist(patience, () => table.delete({ pk: keys.marks, sk }, { type: "equals", attribute: "at", value: Number(at) }));
  }
}
