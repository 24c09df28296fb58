/**
 * The end of a log: a closing slot, after which nothing is claimed; and, once nobody can be holding an old head any more, the removal
 * of everything it left (rule 5).
 */
import { dropCheckpoint } from "./checkpoint.ts";
import { compact } from "./compaction.ts";
import { unregisterLog } from "./log-index.ts";
import { dropMarks, readMarks } from "./marks.ts";
import type { ResourceLog } from "./resource-log.ts";
import { insist, pauseAfter } from "./retry.ts";
import { type SlotNumber, slotSortKey } from "./slot.ts";
import { closingItem, timeOf } from "./slot-item.ts";

/** Claims the closing slot, however many others have to be read first. @returns its number */
export async function closeLog(log: ResourceLog): Promise<SlotNumber> {
  const { table, keys, patience, hybridClock } = log.parts;
  for (let attempt = 1; ; attempt++) {
    const { head } = await log.fresh(log.arrive());
    if (head.closed) return head.slot;
    try {
      await table.put(closingItem(keys, head.next, hybridClock.tick()), { type: "absent" });
    } catch (error) {
      // Whether it was written shows in the log.
      if (attempt > 1_000) throw error;
      await patience.clock.sleep(pauseAfter(attempt, patience.random));
    }
  }
}

/** Whether a log that is over has its closing slot. Undefined: it has no slot at all, any more or ever. */
export async function isClosed({ parts: { table, keys, patience } }: ResourceLog): Promise<boolean | undefined> {
  const { items } = await insist(patience, () => table.query({ pk: keys.slots, descending: true, limit: 1, consistent: true }));
  return items[0] && items[0].closing === true;
}

/**
 * Turns a closed log's slots into stubs at once and removes everything else when the stubs have had their time. The closing slot stands
 * until there is nothing but marks beside it, so that whatever was cut short is found again.
 * @returns whether something is left to do, now or later
 */
export async function eraseLog(log: ResourceLog, mayGoOn: () => boolean): Promise<boolean> {
  const { table, keys, birth, patience, settings } = log.parts;
  const { head } = await log.fresh(log.arrive());
  if (!head.closed) throw new Error(`${keys.slots} is not closed`);
  const { done } = await log.view.materialize(mayGoOn);
  if (!done) return true;
  if (await compact(log, mayGoOn, { tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0, stubMs: settings.stubMs })) return true;

  const { erased, date } = await insist(patience, () => readMarks(table, keys, birth));
  const old = date.getTime() - timeOf(head.time).getTime() >= settings.stubMs;
  if (erased < head.slot || !old || !mayGoOn()) return true;
  await eraseRest(log);
  await eraseStrays(log, head.slot);
  const closing = { pk: keys.slots, sk: slotSortKey(head.slot) };
  await insist(patience, () => table.delete(closing, { type: "equals", attribute: "time", value: head.time }));
  return forgetLog(log);
}

/**
 * Removes what may be there of a log without a slot, and its entry in the index of logs. Nobody can begin it any more: whoever did so
 * before the end would have found the closing slot.
 * @returns that nothing is left to do
 */
export async function forgetLog(log: ResourceLog): Promise<false> {
  const { table, keys, birth, patience } = log.parts;
  await eraseRest(log);
  await dropMarks(table, keys, patience);
  await unregisterLog(table, keys.cluster, birth, keys.storage, patience);
  return false;
}

/** Removes everything but slots and marks. */
async function eraseRest(log: ResourceLog): Promise<void> {
  await log.view.erase();
  await dropCheckpoint(log);
  for await (const ref of log.chunks.bornBefore(Number.MAX_SAFE_INTEGER)) await log.chunks.remove(ref);
}

/** What somebody claimed at a freed key, and did not live to take back (rule 3). @param end the closing slot */
async function eraseStrays({ parts: { table, keys, patience } }: ResourceLog, end: SlotNumber): Promise<void> {
  const query = { pk: keys.slots, to: slotSortKey(end - 1), consistent: true };
  for (;;) {
    const { items } = await insist(patience, () => table.query(query));
    if (items.length === 0) return;
    for (const { pk, sk, time } of items) {
      await insist(patience, () => table.delete({ pk, sk }, { type: "equals", attribute: "time", value: Number(time) }));
    }
  }
}
