/**
 * The claim of a slot: the one write that commits (rules 2, 3, 9, 10).
 *
 * Every answer other than success is unknown until the slot has been read. The claim stays on its key, with the same item, until the
 * key has an owner; there is no other way to know that a late packet will not make it ours after all.
 */
import type { ResourceLog } from "./resource-log.ts";
import { insist, pauseAfter } from "./retry.ts";
import type { Head, SlotEntry } from "./slot.ts";
import { UnknownClusterError } from "./store.ts";
import { type Item, TableFullError, type WriteResult } from "./table.ts";

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
  /** Waits after a slot was refused, before it is read: other processes take their turns. @returns whether it waited */
  readonly giveWay: () => Promise<boolean>;
  /** Asked between attempts: whether anybody still waits for the outcome. */
  readonly isAwaited: () => boolean;
}

/** What the answers to the attempts tell, without the slot's being read. */
interface Evidence {
  /** An attempt may have been carried out without our knowing. */
  doubtful: boolean;
  /** Whose item stood in the way of an attempt. */
  owner: "us" | "others" | undefined;
}

export async function claimSlot(log: ResourceLog, claim: Claim): Promise<ClaimResult> {
  const { table, patience } = log.parts;
  const evidence: Evidence = { doubtful: false, owner: undefined };
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
    if (answer?.done) return verifyWin(log, claim, answer.date, evidence);
    if (!answer) evidence.doubtful = true;
    else evidence.owner ??= ownerOf(answer.existing, claim.item);
    if (answer && attempts === 1) {
      const waited = await claim.giveWay();
      // The refusal has shown what stands in the slot. After a pause there is more to know.
      if (!waited && evidence.owner === "others" && (await log.learn(answer.existing, claim.head, answer.date))) return { type: "lost" };
    } else await patience.clock.sleep(pauseAfter(attempts, patience.random));
    try {
      const owner = await readOwner(log, claim.head);
      if (owner) return await settleOwner(log, owner, claim, evidence);
    } catch (error) {
      cause ??= error;
    }
    if (cause instanceof TableFullError || !claim.isAwaited()) return { type: "unknown", cause };
  }
}

interface Owner {
  readonly entry: SlotEntry;
  /** The table's clock. */
  readonly date: Date;
  /** Compaction freed the slot's key, so what stands there now is no slot (rule 3). */
  readonly stray: boolean;
}

/** What stands in the slot after the head, read strongly after this call. The cache moves along. */
async function readOwner(log: ResourceLog, head: Head): Promise<Owner | undefined> {
  const cache = await log.fresh(log.arrive());
  if (cache.head.slot <= head.slot) return undefined;
  const date = cache.head.observed;
  const known = cache.slotsAfter(head.slot)?.[0];
  if (known) return { entry: known, date, stray: false };
  const entry = await log.tail.slot(head.next);
  if (!entry) return undefined;
  // The marks are read last: a slot that is whole was no stub before.
  const stray = entry.type === "slot" && head.next < (await log.marks(0)).stubbed;
  return { entry, date, stray };
}

async function settleOwner(log: ResourceLog, { entry, date, stray }: Owner, claim: Claim, evidence: Evidence): Promise<ClaimResult> {
  if (entry.type === "slot" && entry.changes.some(({ id }) => claim.ids.has(id))) return verifyWin(log, claim, date, evidence);
  // The real one may have been ours.
  if (stray && evidence.doubtful) return { type: "unknown", cause: new Error(`slot ${entry.number} was compacted long ago`) };
  // A stub keeps its slot's time, which no two slots of a process share.
  if (entry.type !== "stub" || entry.time !== claim.item.time || evidence.owner === "others") return { type: "lost" };
  if (evidence.owner === "us") return { type: "won", date };
  return evidence.doubtful ? { type: "unknown", cause: new Error(`slot ${entry.number} was compacted`) } : { type: "lost" };
}

/** Whose item refused ours: it may be our own, sent twice on the way (rule 9). A stub does not tell. */
function ownerOf(existing: Item | undefined, { writer, time }: Item): Evidence["owner"] {
  if (!existing || existing.stub !== undefined) return undefined;
  return existing.writer === writer && existing.time === time ? "us" : "others";
}

/**
 * A key that compaction freed accepts a claim that no reader will ever see. That takes a head that is very old, so a win on an old
 * head counts only if compaction did not pass its slot, or found it there (rule 3).
 */
async function verifyWin(log: ResourceLog, { head, item }: Claim, date: Date, { doubtful }: Evidence): Promise<ClaimResult> {
  const { table, patience, settings, birth } = log.parts;
  if (date.getTime() - head.observed.getTime() <= settings.verifyAfterMs) return { type: "won", date };
  const takeBack = () =>
    insist(patience, () => table.delete({ pk: item.pk, sk: item.sk }, { type: "equals", attribute: "time", value: Number(item.time) }));
  try {
    const over = await log.parts.assertCurrent().catch((error: unknown) => error);
    if (over !== undefined) {
      // The log's oldest slots go first: ours is one of its slots if the one before it stands.
      if (!(over instanceof UnknownClusterError) || head.slot === birth) throw over;
      if (await log.tail.heading(head.slot)) return { type: "won", date };
      await takeBack();
      throw over;
    }
    const { stubbed } = await log.marks(0);
    if (head.next >= stubbed) return { type: "won", date };
    // Whatever is below is a stub, or gone; what is whole came to stand there afterwards.
    const entry = await log.tail.slot(head.next);
    if (entry?.type === "stub") return { type: "won", date };
    if (entry) await takeBack();
    // What stands there may be another one's who slept as long: then ours stood there in time, or was taken away with the log's slots.
    if (doubtful || entry?.time !== item.time) return { type: "unknown", cause: new Error(`slot ${head.next} was compacted long ago`) };
    await log.fresh(log.arrive());
    return { type: "lost" };
  } catch (cause) {
    if (cause instanceof UnknownClusterError) throw cause;
    return { type: "unknown", cause };
  }
}
