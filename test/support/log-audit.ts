/** What must be true of a log after any run, as an assertion for tests. */
import { expect } from "vitest";
import { checkContent, type LogContent, readLog } from "../../bench/robustness/checks/audit.ts";
import type { LoggedChange } from "../../shared/store/slot.ts";
import type { Stored } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";

export interface Audit extends Omit<LogContent, "view"> {
  /** What the view has, tombstones apart. */
  readonly view: ReadonlyMap<string, Stored>;
}

/** Reads a log with nothing in between, and checks what must always hold. */
export async function auditLog(table: Table, storage = "pods", cluster = "default"): Promise<Audit> {
  const { content, violations } = await readLog(table, storage, cluster);
  expect([...violations, ...checkContent(content)]).toEqual([]);
  const objects = [...content.view.values()].filter((viewed): viewed is Stored => !("gone" in viewed));
  return { ...content, view: new Map(objects.map((object) => [object.key, object])) };
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
