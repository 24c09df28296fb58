/** Backups as DynamoDB takes them: item by item, while everybody goes on. */

import type { Replay } from "../../../bench/robustness/checks/replay.ts";
import type { Violation } from "../../../bench/robustness/history.ts";
import { recordBody } from "../../../bench/robustness/recorder.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { ListResult } from "../../../shared/store/store.ts";
import type { Table } from "../../../shared/store/table.ts";

/** Slots first, and then so long between two of the partitions that matter. */
const apartMs = 500;

/** Copies everything that stands in some partitions, one after the other. */
export async function copyInPieces(from: Table, to: Table, partitions: readonly string[], clock: Clock): Promise<void> {
  const slotsFirst = partitions.toSorted((one, other) => Number(other.endsWith("#log")) - Number(one.endsWith("#log")));
  for (const pk of slotsFirst) {
    for (let page = await from.query({ pk, consistent: true }); ; ) {
      for (const item of page.items) await to.put(item);
      if (!page.cursor) break;
      page = await from.query({ pk, cursor: page.cursor, consistent: true });
    }
    if (/#(log|view|marks)$/u.test(pk)) await clock.sleep(apartMs);
  }
}

/** What is wrong with a restored list: each object must be as it was at some moment of the copying. */
export function checkRestored({ items }: ListResult, replay: Replay, begun: number, ended: number): Violation[] {
  const restored = new Map(items.map(({ key, value }) => [key, recordBody(value)]));
  return [...new Set([...replay.keys, ...restored.keys()])].flatMap((key) => {
    const changes = replay.changesOf(key).filter(({ object }) => object.revision > begun && object.revision <= ended);
    const states = [replay.objectAt(key, begun)?.body, ...changes.map(({ type, object }) => (type === "put" ? object.body : undefined))];
    if (states.includes(restored.get(key))) return [];
    // A large body may have come too late, when the former state was gone already.
    if (!restored.has(key) && states.some((body) => body?.startsWith("sha256:"))) return [];
    return [{ check: "restore", message: `${key} is not as it was between ${begun} and ${ended}` }];
  });
}
