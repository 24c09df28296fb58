/** What must be true of a log after any run: it has no hole, its changes are there once, and its view is its replay. */
import { expect } from "vitest";
import { systemClock } from "../../shared/runtime/clock.ts";
import { Chunks } from "../../shared/store/chunks.ts";
import { readCluster } from "../../shared/store/cluster-record.ts";
import { type LogKeys, logKeys } from "../../shared/store/keys.ts";
import { readMarks } from "../../shared/store/marks.ts";
import type { LoggedChange, Slot, SlotEntry } from "../../shared/store/slot.ts";
import type { Stored } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import { Tail } from "../../shared/store/tail.ts";
import { View } from "../../shared/store/view.ts";

const patience = { clock: systemClock, random: Math.random };

export interface Audit {
  readonly keys: LogKeys;
  readonly birth: number;
  /** Every slot that stands, stubs included. */
  readonly entries: readonly SlotEntry[];
  /** Every change that is still in its slot, oldest first. */
  readonly changes: readonly LoggedChange[];
  readonly watermark: number;
  readonly floor: number;
  readonly stubbed: number;
  readonly erased: number;
  /** What the view has, tombstones apart. */
  readonly view: ReadonlyMap<string, Stored>;
}

/** Reads a log with nothing in between, and checks what must always hold. */
export async function auditLog(table: Table, storage = "pods", cluster = "default"): Promise<Audit> {
  const record = await readCluster(table, cluster, patience);
  if (!record) throw new Error(`there is no cluster ${cluster}`);
  const birth = record.incarnation;
  const keys = logKeys(cluster, birth, storage);
  const chunks = new Chunks(table, keys, patience);
  const tail = new Tail(table, keys, chunks, patience);
  const marks = await readMarks(table, keys, birth);
  // Reading proves contiguity, and that every chunk is there and is what was written.
  const { entries } = await tail.read(marks.erased);
  const changes = entries.filter((entry): entry is Slot => entry.type === "slot").flatMap((slot) => slot.changes);

  const ids = changes.map(({ id }) => id);
  expect(new Set(ids).size, "every change is in one slot").toBe(ids.length);
  const times = entries.map(({ time }) => time);
  expect(
    times.every((time, index) => index === 0 || time > times[index - 1]!),
    "time rises",
  ).toBe(true);
  expect(entries.at(-1)?.type, "the newest slot is whole").not.toBe("stub");
  expect(marks.stubbed, "nothing above the watermark is a stub").toBeLessThanOrEqual(Math.max(birth + 1, marks.watermark));
  expect(marks.stubbed, "nothing above the floor is a stub").toBeLessThanOrEqual(marks.floor);

  const view = new Map<string, Stored>();
  for await (const page of new View({ table, keys, chunks, tail, patience, birth, materializeMs: 1e9 }).all()) {
    for (const viewed of page) if (!("gone" in viewed)) view.set(viewed.key, viewed);
  }
  const audit = { keys, birth, entries, changes, view, ...marks };
  checkView(audit);
  return audit;
}

/** What was changed by slots that still stand is in the view as the newest of them up to the watermark left it, or as a later one did. */
function checkView({ changes, watermark, view }: Pick<Audit, "changes" | "watermark" | "view">): void {
  const newest = new Map<string, LoggedChange>();
  for (const change of changes) {
    if (change.object.revision < (watermark + 1) * 1_000) newest.set(change.object.key, change);
  }
  for (const [key, change] of newest) {
    const viewed = view.get(key);
    if (viewed && viewed.revision > change.object.revision) continue;
    if (change.type === "delete") expect(viewed, `${key} was deleted`).toBeUndefined();
    else if (!viewed)
      expect(
        changes.some((each) => each.object.key === key && each.type === "delete" && each.object.revision > change.object.revision),
      ).toBe(true);
    else expect(viewed, "the view is the replay").toEqual(change.object);
  }
}

/** The objects at a revision, from the changes of a log that was never compacted. */
export function replay(changes: readonly LoggedChange[], revision = Infinity): ReadonlyMap<string, Stored> {
  const objects = new Map<string, Stored>();
  for (const { type, object } of changes) {
    if (object.revision > revision) break;
    if (type === "delete") objects.delete(object.key);
    else objects.set(object.key, object);
  }
  return objects;
}
