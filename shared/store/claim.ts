/**
 * The claim of a slot: the one write that commits (rules 2, 3, 9, 10).
 *
 * Every answer other than success is unknown until the slot has been read. The claim stays on its key, with the same item, until the
 * key has an owner; there is no other way to know that a late packet will not make it ours after all.
 */
import { readMarks } from "./marks.ts";
import type { ResourceLog } from "./resource-log.ts";
import { insist, pauseAfter } from "./retry.ts";
import type { Head, SlotEntry } from "./slot.ts";
import { UnknownClusterError } from "./store.ts";
import type { Item, WriteResult } from "./table.ts";

export type ClaimResult =
  /** The slot is ours. `date` is the table's clock. */
  | { readonly type: "won"; readonly date: Date }
  /** The slot is somebody else's, and has been read. */
  | { readonly type: "lost" }
  /** Nobody waits any longer, and the slot has no owner that we know of: our claim may still come to own it. */
  | { readonly type: "unknown"; readonly cause: unknown };

export interface Claim {
  /** The state that the item's changes were judged on. */
  readonly head: Head;
  readonly item: Item;
  /** Ids of the changes in the item. */
  readonly ids: ReadonlySet<string>;
  /** Waits after a slot was refused, before it is read: other processes take their turns. */
  readonly giveWay: () => Promise<void>;
  /** Asked between attempts: whether anybody still waits for the outcome. */
  readonly isAwaited: () => boolean;
}

export async function claimSlot(log: ResourceLog, claim: Claim): Promise<ClaimResult> {
  const { table, settings, patience } = log.parts;
  /** Whether an attempt may have been carried out without our knowing. */
  let doubtful = false;
  for (let attempts = 1; ; attempts++) {
    let cause: unknown;
    let answer: WriteResult | undefined;
    try {
      const begun = patience.clock.now().getTime();
      answer = await table.put(claim.item, { type: "absent" });
      log.contention.answered(patience.clock.now().getTime() - begun);
    } catch (error) {
      cause = error;
    }
    if (answer?.done) {
      if (answer.date.getTime() - claim.head.observed.getTime() <= settings.verifyAfterMs) return { type: "won", date: answer.date };
      return verifyWin(log, claim, answer.date, doubtful);
    }
    if (!answer) doubtful = true;
    if (answer && attempts === 1) await claim.giveWay();
    else await patience.clock.sleep(pauseAfter(attempts, patience.random));
    try {
      const owner = await readOwner(log, claim.head);
      if (owner) return settleOwner(owner, claim, doubtful);
    } catch (error) {
      cause ??= error;
    }
    if (!claim.isAwaited()) return { type: "unknown", cause };
  }
}

/** What stands in the slot after the head, read strongly after this call. The cache moves along. */
async function readOwner(log: ResourceLog, head: Head): Promise<{ readonly entry: SlotEntry; readonly date: Date } | undefined> {
  const cache = await log.fresh(log.arrive());
  if (cache.head.slot <= head.slot) return undefined;
  const entry = cache.slotsAfter(head.slot)?.[0] ?? (await log.tail.slot(head.next));
  return entry && { entry, date: cache.head.observed };
}

function settleOwner({ entry, date }: { readonly entry: SlotEntry; readonly date: Date }, { ids }: Claim, doubtful: boolean): ClaimResult {
  if (entry.type === "slot" && entry.changes.some(({ id }) => ids.has(id))) return { type: "won", date };
  // A stub does not tell whose slot it was.
  if (entry.type === "stub" && doubtful) return { type: "unknown", cause: new Error(`slot ${entry.number} was compacted`) };
  return { type: "lost" };
}

/**
 * A key that compaction freed accepts a claim that no reader will ever see. That takes a head that is very old, so a win on an old
 * head counts only if its slot is not below the floor (rule 3).
 */
async function verifyWin(log: ResourceLog, { head, item }: Claim, date: Date, doubtful: boolean): Promise<ClaimResult> {
  const { table, keys, birth, patience } = log.parts;
  try {
    await log.parts.assertCurrent();
    const { floor } = await insist(patience, () => readMarks(table, keys, birth));
    if (head.next >= floor) return { type: "won", date };
    const asWritten = { type: "equals", attribute: "time", value: Number(item.time) } as const;
    await insist(patience, () => table.delete({ pk: item.pk, sk: item.sk }, asWritten));
    if (doubtful) return { type: "unknown", cause: new Error(`slot ${head.next} was compacted long ago`) };
    await log.fresh(log.arrive());
    return { type: "lost" };
  } catch (cause) {
    if (cause instanceof UnknownClusterError) throw cause;
    return { type: "unknown", cause };
  }
}
