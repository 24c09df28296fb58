/**
 * What a backup left of a log, made whole. DynamoDB's backups are taken item by item, so the last moments may be torn: a slot may be
 * missing where later ones, or a view that knows it, are there; and the watermark may be above what the view has. What follows a missing
 * slot cannot be replayed and is taken away; what the view has is kept, and what it lacks of the last slots is written to it.
 */
import { scrub } from "./compaction.ts";
import { readMarks } from "./marks.ts";
import type { ResourceLog } from "./resource-log.ts";
import type { LogResourceStore } from "./resource-store.ts";
import { insist } from "./retry.ts";
import { type LoggedChange, type SlotNumber, slotSortKey } from "./slot.ts";
import { readSlotItem, standInItem } from "./slot-item.ts";
import type { Proposal, Revision, Stored } from "./store.ts";
import type { Item } from "./table.ts";

const objectsAtOnce = 500;

/** The parts of a backup are usually less than a second apart. */
const tornMs = 15 * 60_000;

const author = { user: "system:binnacle:restore" };

/**
 * Fills holes up to the watermark by stubs, removes the slots that follow a hole after it, and gives the view what it lacks.
 * @returns how many were removed
 */
export async function mendLog(log: ResourceLog): Promise<number> {
  const { table, keys, birth, patience, hybridClock } = log.parts;
  const { watermark, erased, date } = await insist(patience, () => readMarks(table, keys, birth));
  const tornSince = (await newestTime(log)) - tornMs * 1_000;
  const fill = (number: SlotNumber) => {
    const item = standInItem(keys, number, hybridClock.tick(), date);
    return insist(patience, () => table.put(item, { type: "absent" }));
  };
  // Its chunks came too late.
  const replace = (item: Item) => {
    const time = Number(item.time);
    const standIn = standInItem(keys, Number(item.sk), time, date);
    return insist(patience, () => table.put(standIn, { type: "equals", attribute: "time", value: time }));
  };
  let expected = erased;
  let removed = 0;
  for await (const item of slotItems(log, erased)) {
    const number = Number(item.sk);
    for (; expected < number && expected <= watermark; expected++) await fill(expected);
    const entry = number > watermark || Number(item.time) >= tornSince ? await readSlotItem(item, log.chunks) : undefined;
    if (number <= watermark && entry?.type === "slot") await scrub(log, entry, Infinity);
    const whole = number <= watermark || entry !== undefined;
    if (whole && !entry && Number(item.time) >= tornSince) await replace(item);
    if (expected === number && whole) {
      hybridClock.observe(Number(item.time));
      expected++;
    } else {
      removed++;
      await insist(patience, () =>
        table.delete({ pk: item.pk, sk: item.sk }, { type: "equals", attribute: "time", value: Number(item.time) }),
      );
    }
  }
  for (; expected <= watermark; expected++) await fill(expected);
  await mendView(log, erased);
  return removed;
}

/** An object whose chunks came too late for the backup is as the last slot has it that was in time; if there is none, it is lost. */
async function mendView(log: ResourceLog, from: SlotNumber): Promise<void> {
  const lost = new Map<string, Revision>();
  for await (const page of log.view.packed()) {
    for (const { key, revision, body } of page) {
      if (typeof body !== "string" && !(await log.chunks.read(body))) lost.set(key, revision);
    }
  }
  if (lost.size === 0) return;
  const former = new Map<string, LoggedChange>();
  for await (const item of slotItems(log, from)) {
    const entry = await readSlotItem(item, log.chunks);
    for (const change of entry?.type === "slot" ? entry.changes : []) former.set(change.object.key, change);
  }
  for (const [key, revision] of lost) {
    const change = former.get(key);
    await log.view.forget(key, revision);
    if (change) await log.view.write([change], Infinity);
  }
}

/** Hybrid logical time of the newest slot. */
async function newestTime({ parts: { table, keys, patience } }: ResourceLog): Promise<number> {
  const { items } = await insist(patience, () => table.query({ pk: keys.slots, descending: true, limit: 1, consistent: true }));
  return Number(items[0]?.time ?? 0);
}

async function* slotItems(log: ResourceLog, from: SlotNumber): AsyncGenerator<Item> {
  const { table, keys, patience } = log.parts;
  const query = { pk: keys.slots, from: slotSortKey(from), consistent: true };
  let page = await insist(patience, () => table.query(query));
  for (;;) {
    yield* page.items;
    const { cursor } = page;
    if (!cursor) return;
    page = await insist(patience, () => table.query({ ...query, cursor }));
  }
}

/**
 * Creates in one log every object that another one has, unless it is there already. Others may do the same, be done with it, and the
 * cluster be in use by then: what its users delete must not come back.
 * @param isRestoring whether nobody but restores writes to the log still
 */
export async function copyObjects(from: ResourceLog, to: LogResourceStore, isRestoring: () => Promise<boolean>): Promise<void> {
  const cache = await from.loaded();
  await to.log.loaded();
  let start = 0;
  while (start < cache.keys.length) {
    const { head } = await to.log.fresh(to.log.arrive());
    // So everything up to this head was written by restores.
    if (!(await isRestoring())) return;
    const keys = cache.keys.slice(start, start + objectsAtOnce);
    const outcomes = await Promise.all(keys.map((key) => to.commit(copyOf(cache.object(key)!, head.revision))));
    if (outcomes.every(({ type }) => type !== "refused")) start += keys.length;
  }
}

/** The log is in use, or that it is not cannot be told any more. */
class NotRestoringError extends Error {
  override readonly name = "NotRestoringError";
}

const copyOf = ({ key, value }: Stored, head: Revision): Proposal => ({
  key,
  author,
  plan: author.user,
  volatile: true,
  judge(current, judging) {
    if (current) return { type: "unchanged" };
    if (judging.changesSince(head)?.every(({ plan }) => plan === author.user)) return { type: "put", value };
    return { type: "refused", error: new NotRestoringError(`${key} is not restored`) };
  },
});
