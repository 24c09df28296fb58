/** The changes after a revision, from memory or from the table, and the state at a revision that follows from undoing them. */
import type { LogCache } from "./cache.ts";
import type { ResourceLog } from "./resource-log.ts";
import { revisionAt, type Slot, type SlotEntry, type SlotNumber, slotOf } from "./slot.ts";
import { CompactedError, type Revision, type Stored } from "./store.ts";
import { SlotsGoneError } from "./tail.ts";

/** How far a reader of the log is. */
export interface Position {
  /** Only changes after this revision are wanted. */
  readonly after: Revision;
  /** The next slot to look at: the one that `after` lies in, at first. */
  readonly slot: SlotNumber;
}

export const positionAfter = (revision: Revision): Position => ({ after: revision, slot: slotOf(revision) });

export interface Step {
  readonly slots: readonly Slot[];
  readonly position: Position;
  /** Whether the slots reach to the cache's head, which they do when they came from memory. */
  readonly current: boolean;
}

const slotsAtOnce = 500;

/** How old a reading of the floor may be: it is only a policy, what is really gone shows by itself. */
const floorAgeMs = 10_000;

/**
 * The slots from a position on: all that are in memory, or else a page from the table.
 * @throws {CompactedError} when slots with changes after the revision are gone
 */
export async function nextSlots(log: ResourceLog, cache: LogCache, position: Position): Promise<Step> {
  const { after, slot } = position;
  const oldest = revisionAt(log.parts.birth, 0);
  if (after < oldest) throw new CompactedError(after, oldest);
  const inMemory = after >= cache.head.revision ? [] : cache.slotsSince(after, slot);
  if (inMemory) return { slots: inMemory, position: { after, slot: Math.max(slot, cache.head.next) }, current: true };

  const first = Math.max(slot, log.parts.birth + 1);
  const { entries } = await readSlots(log, first, cache.windowStart, after);
  const slots = entries.filter((entry) => {
    // What a stub stood for is gone; that does no harm when all of it came before.
    if (entry.type === "stub" && changedAfter(entry, after)) throw compacted(after, entry.number);
    return entry.type === "slot";
  });
  return { slots, position: { after, slot: first + entries.length }, current: false };
}

async function readSlots(log: ResourceLog, first: SlotNumber, to: SlotNumber, after: Revision) {
  try {
    const read = await log.tail.read(first, { limit: slotsAtOnce, to });
    // These slots were there once.
    if (read.entries.length === 0) throw compacted(after, first);
    // A whole slot among those that compaction passed is none: somebody claimed a key that was free again (rule 3).
    const { stubbed } = await log.marks(floorAgeMs);
    if (read.entries.some(({ type, number }) => type === "slot" && number < stubbed)) throw compacted(after, first);
    return read;
  } catch (error) {
    if (error instanceof SlotsGoneError) throw compacted(after, first);
    throw error;
  }
}

const compacted = (requested: Revision, gone: SlotNumber): CompactedError => new CompactedError(requested, revisionAt(gone + 1, 0) - 1);

/**
 * Refuses revisions below the floor: a revision is served when every slot with a change after it is at or above the floor (rule 17).
 * @throws {CompactedError}
 */
export async function checkFloor(log: ResourceLog, cache: LogCache, revision: Revision): Promise<void> {
  if (revision >= cache.head.revision) return;
  const { floor } = await log.marks(floorAgeMs);
  for (let slot = Math.max(slotOf(revision), log.parts.birth + 1); slot < floor; slot++) {
    if (await mayHaveChanged(log, cache, slot, revision)) throw new CompactedError(revision, revisionAt(floor, 0) - 1);
  }
}

/** A slot without changes asks the others for the next one (ADR 0009): it may come after any revision. */
const changedAfter = ({ number, count }: Pick<SlotEntry, "number" | "count">, revision: Revision): boolean =>
  count > 0 && revisionAt(number, count) > revision;

/** Whether a slot has, or may have had, a change after a revision. */
async function mayHaveChanged(log: ResourceLog, cache: LogCache, slot: SlotNumber, revision: Revision): Promise<boolean> {
  const [known] = cache.slotsAfter(slot - 1) ?? [];
  const entry = known ?? (await log.tail.slot(slot));
  return entry ? changedAfter(entry, revision) : revisionAt(slot + 1, 0) - 1 > revision;
}

/** What objects were at a revision, where they differ from what the cache has: undefined did not exist. */
export type Overlay = ReadonlyMap<string, Stored | undefined>;

/**
 * Undoes every change after a revision. The overlay is true for the cache as it is when this resolves, together with
 * {@link extendOverlay}.
 */
export async function overlayAt(
  log: ResourceLog,
  cache: LogCache,
  revision: Revision,
): Promise<{ overlay: Map<string, Stored | undefined>; position: Position }> {
  const overlay = new Map<string, Stored | undefined>();
  let position = positionAfter(revision);
  for (;;) {
    const step = await nextSlots(log, cache, position);
    undoInto(overlay, step.slots, revision);
    position = step.position;
    if (step.current) return { overlay, position };
  }
}

/** Undoes what was committed meanwhile, without waiting for anything. False when that is no longer in memory. */
export function extendOverlay(overlay: Map<string, Stored | undefined>, cache: LogCache, { slot, after }: Position): boolean {
  const slots = cache.slotsSince(after, slot);
  if (slots) undoInto(overlay, slots, after);
  return slots !== undefined;
}

/** The first change of an object after the revision tells what it was before. */
function undoInto(overlay: Map<string, Stored | undefined>, slots: readonly Slot[], revision: Revision): void {
  for (const slot of slots) {
    for (const change of slot.changes) {
      const { key } = change.object;
      if (change.object.revision > revision && !overlay.has(key)) overlay.set(key, change.previous);
    }
  }
}
