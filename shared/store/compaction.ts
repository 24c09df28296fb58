/**
 * Compaction of one log: first the floor is raised by condition, then what lies below it becomes stubs, then old stubs go (rules 3, 4
 * and 17). Ages are the table's clock minus the slots' own time (rule 20).
 */
import { readCheckpoint } from "./checkpoint.ts";
import { firstSlotSince } from "./instants.ts";
import { raiseMark, readMarks } from "./marks.ts";
import type { ResourceLog } from "./resource-log.ts";
import { insist } from "./retry.ts";
import { type Ages, agesOf } from "./settings.ts";
import { type ChunkRef, type Slot, type SlotEntry, type SlotNumber, type Stub, slotSortKey } from "./slot.ts";
import { readSlotHeading, stubItem } from "./slot-item.ts";

const slotsAtOnce = 200;

/** @returns whether something is left to do now */
export async function compact(
  log: ResourceLog,
  mayGoOn: () => boolean,
  ages: Ages = agesOf(log.parts.settings, log.parts.keys.storage),
): Promise<boolean> {
  const { table, keys, birth, patience } = log.parts;
  const marks = await insist(patience, () => readMarks(table, keys, birth));
  const { watermark, date } = marks;
  // Nothing at or above the watermark is touched, and so never the newest slot either (rules 4 and 17).
  const older = (from: SlotNumber, ageMs: number) => firstSlotSince(log, from, watermark, date.getTime() - ageMs);

  const floor = await older(marks.floor, ages.tokenAgeMs);
  if (floor > marks.floor) await raiseMark(table, keys, "floor", floor, patience);

  const historyMs = Math.max(ages.historyMs, ages.tombstoneMs, ages.tokenAgeMs);
  const old = await older(marks.stubbed, historyMs);
  // Expiry finds in the slots what is to go.
  const target = ages.expireMs === undefined ? old : Math.min(old, marks.expired);
  let stubbed = marks.stubbed;
  while (stubbed < target) {
    if (!mayGoOn()) return true;
    stubbed = await stubSome(log, stubbed, target, date);
    await raiseMark(table, keys, "stubbed", stubbed, patience);
  }

  let { erased } = marks;
  while (erased < stubbed) {
    if (!mayGoOn()) return true;
    const next = await eraseSome(log, erased, stubbed, date, ages.stubMs);
    if (next === erased) break;
    await raiseMark(table, keys, "erased", next, patience);
    erased = next;
  }
  return false;
}

/** Replaces slots by stubs, oldest first. @returns the first slot that is left */
async function stubSome(log: ResourceLog, from: SlotNumber, target: SlotNumber, date: Date): Promise<SlotNumber> {
  const { table, keys, patience, settings } = log.parts;
  const deadline = patience.clock.now().getTime() + settings.materializeMs;
  const { entries } = await log.tail.read(from, { limit: slotsAtOnce, to: target - 1 });
  for (const entry of entries) {
    if (entry.type !== "slot") continue;
    const unshared = await scrub(log, entry, deadline);
    const item = stubItem(keys, entry, date);
    await insist(patience, () => table.put(item, { type: "equals", attribute: "time", value: entry.time }));
    // Readers find the stub before they miss the chunks.
    for (const ref of entry.overflow ? [...unshared, entry.overflow] : unshared) await log.chunks.remove(ref);
  }
  return from + entries.length;
}

/**
 * Compares the view with a slot once more, before the slot is gone for instance, and repairs what it does not have (rule 16).
 * @param deadline until when what was read of the log may be written to the view
 * @returns chunks of the slot that the view does not share
 */
export async function scrub(log: ResourceLog, slot: Slot, deadline: number): Promise<readonly ChunkRef[]> {
  const unshared: ChunkRef[] = [];
  for (const change of slot.changes) {
    const { key, revision } = change.object;
    let viewed = await log.view.peek(key);
    if (!viewed || viewed.revision < revision) {
      await log.view.write([change], deadline);
      viewed = await log.view.peek(key);
    }
    if (change.body && viewed?.chunks !== change.body.id) unshared.push(change.body);
  }
  return unshared;
}

/**
 * Removes stubs that are old enough, and the tombstones that their deletions left in the view. They are not read as a tail: some are gone
 * already when somebody was cut short before the mark said so. Whether they are is looked up, as a page may be torn.
 * @returns the first slot that is left
 */
async function eraseSome(log: ResourceLog, from: SlotNumber, end: SlotNumber, date: Date, stubMs: number): Promise<SlotNumber> {
  const { table, keys, patience } = log.parts;
  const query = { pk: keys.slots, from: slotSortKey(from), to: slotSortKey(end - 1), limit: slotsAtOnce, consistent: true };
  const { items, cursor } = await insist(patience, () => table.query(query));
  let next = from;
  for (const item of items) {
    const entry = readSlotHeading(item);
    for (; next < entry.number; next++) if (await log.tail.heading(next)) return next;
    // Whatever is whole down here is no slot, and its writer is about to find that out (rule 3).
    if (item.stub !== undefined) {
      if (!isOldStub(entry, date, stubMs)) return entry.number;
      for (const { key, revision } of entry.deletions) await log.view.forget(key, revision);
      await insist(patience, () => table.delete({ pk: item.pk, sk: item.sk }, { type: "equals", attribute: "time", value: entry.time }));
    }
    next = entry.number + 1;
  }
  return cursor ? next : end;
}

const isOldStub = (entry: SlotEntry, date: Date, ageMs: number): entry is Stub =>
  entry.type === "stub" && date.getTime() - entry.since >= ageMs;

/**
 * Removes chunks that nothing refers to: those that no slot came to refer to, or whose object the view has moved on from. Whoever wrote
 * them can refer to them no more, and every slot that might have is a stub (rule 21).
 */
export async function sweepChunks(log: ResourceLog, mayGoOn: () => boolean): Promise<boolean> {
  const { table, keys, birth, patience, settings } = log.parts;
  const { stubbed } = await insist(patience, () => readMarks(table, keys, birth));
  const packed = new Set((await readCheckpoint(log))?.parts.map(({ id }) => id));
  for await (const { id, born, parts, key } of log.chunks.bornBefore(Math.max(0, stubbed - settings.chunkSlots - 1))) {
    if (!mayGoOn()) return true;
    const viewed = key === undefined ? undefined : await log.view.peek(key);
    if (viewed?.chunks !== id && !packed.has(id)) await log.chunks.remove({ id, born, parts });
  }
  return false;
}
