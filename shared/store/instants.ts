/** Slots by time: a binary search, since time rises with the slots (rule 20). */
import type { LogCache } from "./cache.ts";
import type { ResourceLog } from "./resource-log.ts";
import { revisionAt, type SlotNumber } from "./slot.ts";
import { timeOf } from "./slot-item.ts";
import { CompactedError, type Revision } from "./store.ts";

/** The first slot in [from, end) that was written at or after a moment, or the end. @param sinceMs milliseconds since 1970 */
export async function firstSlotSince(log: ResourceLog, from: SlotNumber, end: SlotNumber, sinceMs: number): Promise<SlotNumber> {
  let low = from;
  let high = Math.max(from, end);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const entry = await log.tail.heading(middle);
    if (entry && timeOf(entry.time).getTime() >= sinceMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The revision of the last change that was made at an instant or before it. An instant after the newest change stands for the newest
 * state; writers' clocks differ, so what is said of the last moments may change.
 * @throws {CompactedError} when the history does not reach back so far
 */
export async function revisionAtInstant(log: ResourceLog, cache: LogCache, instant: Date): Promise<Revision> {
  const { head } = cache;
  const after = instant.getTime() + 1;
  if (timeOf(head.time).getTime() < after) return head.revision;
  const { stubbed } = await log.marks(0);
  const next = await firstSlotSince(log, stubbed, head.next, after);
  if (next === log.parts.birth + 1) return revisionAt(log.parts.birth, 0);
  const last = await log.tail.heading(next - 1);
  // What was between a slot that is gone and the next one that stands, nobody can tell.
  if (!last || (next === stubbed && timeOf(last.time).getTime() >= after)) {
    const oldest = revisionAt(stubbed, 0) - 1;
    throw new CompactedError(oldest - 1, oldest);
  }
  return revisionAt(last.number, last.count);
}
