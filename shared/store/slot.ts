/**
 * Slots and revisions: one commit is one slot, slots are numbered densely, and every change's revision follows from its slot and
 * its place in it (rule 1).
 */
import { type Change, endOfCommit, type Revision } from "./store.ts";

/** Milliseconds since 2026-01-01 at the log's birth, then one more for every commit. */
export type SlotNumber = number;

const positions = 1_000;
/** A slot holds this many changes at most. */
export const maximumChanges = positions - 1;

export const revisionAt = (slot: SlotNumber, position: number): Revision => slot * positions + position;
export const slotOf = (revision: Revision): SlotNumber => Math.floor(revision / positions);

/** Slot numbers begin here, so that they stay short. */
const epochMs = Date.UTC(2026, 0, 1);
export const birthAt = (time: Date): SlotNumber => Math.max(1, time.getTime() - epochMs);

const digits = 16;
/** Fixed width, so that strings sort as the numbers do. */
export const slotSortKey = (slot: SlotNumber): string => String(slot).padStart(digits, "0");

/** One change as it stands in its slot. */
export interface LoggedChange extends Change {
  /** Survives retries and regrouping: by it a writer finds out whether its write was made (rule 10). */
  readonly id: string;
  /** Chunks that hold the object's body, when it has chunks of its own. */
  readonly body: ChunkRef | undefined;
  /** The object holds numbers that a double cannot. */
  readonly exact: boolean;
}

/** A blob in chunk items (rule 21). */
export interface ChunkRef {
  readonly id: string;
  /** The head when it was written. */
  readonly born: SlotNumber;
  readonly parts: number;
  /** Length of the JSON in it. */
  readonly size: number;
  /** SHA-256, base64url, of the whole. */
  readonly hash: string;
  /** It holds numbers that a double cannot. */
  readonly exact?: true;
}

/** A commit. */
export interface Slot {
  readonly type: "slot";
  readonly number: SlotNumber;
  /** Hybrid logical time in microseconds since 1970 (rule 20). */
  readonly time: number;
  readonly count: number;
  /** The process that wrote it: so that processes can take turns. It proves nothing. */
  readonly writer: string;
  /** The writer asks the others to leave it the next slot for so long: it needs time to judge what it wants to write. */
  readonly holdMs?: number;
  readonly changes: readonly LoggedChange[];
  /** Length of the changes' JSON, bodies in chunks included: what it takes in memory. */
  readonly size: number;
  /** How much a reader of the tail has to read. */
  readonly bytes: number;
  /** Chunks that hold the changes themselves, when they do not fit into the item. */
  readonly overflow: ChunkRef | undefined;
}

/** What is left of a slot after compaction: enough to keep its key and to tell where it ended (rules 3 and 17). */
export interface Stub {
  readonly type: "stub";
  readonly number: SlotNumber;
  readonly time: number;
  readonly count: number;
  /** When the slot became a stub, by the table's clock, in milliseconds since 1970. */
  readonly since: number;
  /** What it deleted: tombstones of these are in the view as long as the stub stands. */
  readonly deletions: readonly Deletion[];
}

export interface Deletion {
  readonly key: string;
  readonly revision: Revision;
}

/** The last slot of a log that ended: nothing is ever written after it (rule 5). */
export interface Closing {
  readonly type: "closing";
  readonly number: SlotNumber;
  readonly time: number;
  readonly count: 0;
}

export type SlotEntry = Slot | Stub | Closing;

/**
 * The newest slot that a process knows. Only three things make one: a slot that was read strongly, a slot that was won, and the
 * birth of the log; never a revision, a bookmark, a token or an object (rule 2).
 */
export class Head {
  readonly slot: SlotNumber;
  /** Revision of its last change: everything up to here is known. */
  readonly revision: Revision;
  /** Hybrid logical time of the slot, in microseconds. */
  readonly time: number;
  /** When it was the newest slot, by the table's clock. */
  readonly observed: Date;
  readonly closed: boolean;

  private constructor(slot: SlotNumber, count: number, time: number, observed: Date, closed: boolean) {
    this.slot = slot;
    this.revision = revisionAt(slot, count);
    this.time = time;
    this.observed = observed;
    this.closed = closed;
  }

  static ofSlot(entry: SlotEntry, observed: Date): Head {
    return new Head(entry.number, entry.count, entry.time, observed, entry.type === "closing");
  }

  static ofBirth(birth: SlotNumber, observed: Date): Head {
    return new Head(birth, 0, 0, observed, false);
  }

  /** The only slot that may be claimed by a writer who judged on this head. */
  get next(): SlotNumber {
    return this.slot + 1;
  }

  /** Whether everything up to a revision is known: up to the last change, and so up to the slot's end ({@link endOfCommit}). */
  covers(revision: Revision): boolean {
    return revision <= this.revision || revision === endOfCommit(this.revision);
  }

  /** The same slot, found to be the newest still at a later time. */
  stillNewest(observed: Date): Head {
    return new Head(this.slot, this.revision - revisionAt(this.slot, 0), this.time, observed, this.closed);
  }
}
