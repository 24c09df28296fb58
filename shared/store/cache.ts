/**
 * What a process knows of one log: its newest slots, and the objects as they are at the head. Objects become known one by one as they
 * are read or changed, or all at once when the type is loaded. Everything in here is frozen and shared.
 */
import { compareKeys, lowerBound } from "./order.ts";
import { type Head, type LoggedChange, revisionAt, type Slot, type SlotNumber, slotOf } from "./slot.ts";
import type { Revision, Stored } from "./store.ts";

/** An object, the revision of its deletion, or nothing known. */
export type Known = { readonly object: Stored } | { readonly gone: Revision } | undefined;

/** How much of the end of the log to keep. */
export interface WindowSize {
  readonly slots: number;
  readonly bytes: number;
}

export class LogCache {
  /** Slots before and including this one are in the view; every change after it was applied here. */
  readonly base: SlotNumber;
  readonly #size: WindowSize;
  readonly #objects = new Map<string, Stored>();
  /** Keys known not to exist, with the revision of the deletion, or 0. Dropped once everything is known. */
  readonly #gone = new Map<string, Revision>();
  /** Keys of all objects, sorted; only kept once everything is known. */
  #keys: string[] | undefined;
  #head: Head;
  /** Slots (windowStart, head]. */
  #window: Slot[] = [];
  #windowStart: SlotNumber;
  /** Revision of the last change before the window. */
  #windowStartRevision: Revision;
  #windowBytes = 0;
  #appliedBytes = 0;
  /** The newest revision that the view told of. */
  #newestLearned: Revision = 0;

  constructor(head: Head, size: WindowSize) {
    this.base = head.slot;
    this.#head = head;
    this.#size = size;
    this.#windowStart = head.slot;
    this.#windowStartRevision = head.revision;
  }

  get head(): Head {
    return this.#head;
  }

  /** Whether every object of the type is known. */
  get complete(): boolean {
    return this.#keys !== undefined;
  }

  /** The slot before the first one that is kept in memory. */
  get windowStart(): SlotNumber {
    return this.#windowStart;
  }

  /** How much was read of the log, or would have been, since the base. */
  get appliedBytes(): number {
    return this.#appliedBytes;
  }

  /** Whether the view told of something that the log, as far as it was read, does not have yet. */
  get isBehindView(): boolean {
    return this.#newestLearned > this.#head.revision;
  }

  /** Keys of all objects in order. Only when complete. */
  get keys(): readonly string[] {
    return this.#keys ?? [];
  }

  known(key: string): Known {
    const object = this.#objects.get(key);
    if (object) return { object };
    if (this.complete) return { gone: 0 };
    const gone = this.#gone.get(key);
    return gone === undefined ? undefined : { gone };
  }

  object(key: string): Stored | undefined {
    return this.#objects.get(key);
  }

  /** The head is the newest slot still. */
  confirm(observed: Date): void {
    this.#head = this.#head.stillNewest(observed);
  }

  /** Goes on to the next slot. Anything but the next slot is refused: it is known already, or would leave a hole. */
  apply(slot: Slot, head: Head): boolean {
    if (slot.number !== this.#head.next) return false;
    for (const change of slot.changes) this.#applyChange(change);
    this.#head = head;
    this.#window.push(slot);
    this.#windowBytes += slot.size;
    this.#appliedBytes += slot.bytes;
    this.#trim();
    return true;
  }

  /** Takes the closing slot as the head: nothing comes after it. */
  close(head: Head): void {
    if (head.slot === this.#head.next) this.#head = head;
  }

  /** Takes what the view says of a key, unless something newer is known (rule 13); a late answer tells nothing once all is known. */
  learn(key: string, seen: Stored | { readonly gone: Revision }): void {
    if (this.complete) return;
    const known = this.#objects.get(key)?.revision ?? this.#gone.get(key) ?? -1;
    const revision = "gone" in seen ? seen.gone : seen.revision;
    if (revision <= known) return;
    this.#newestLearned = Math.max(this.#newestLearned, revision);
    if ("gone" in seen) this.#remove(key, seen.gone);
    else this.#put(seen);
  }

  /** All of the view was learned, and the log applied up to a head read afterwards: what is not known now does not exist. */
  completed(): void {
    this.#keys = [...this.#objects.keys()].sort(compareKeys);
    this.#gone.clear();
  }

  /** Slots after `slot` up to the head, when they are all in memory. */
  slotsAfter(slot: SlotNumber): readonly Slot[] | undefined {
    if (slot < this.#windowStart) return undefined;
    return this.#window.slice(slot - this.#windowStart);
  }

  /** Slots with changes after a revision, when they are all in memory. @param from the first slot that is wanted */
  slotsSince(revision: Revision, from: SlotNumber = slotOf(revision)): readonly Slot[] | undefined {
    if (from > this.#windowStart) return this.slotsAfter(from - 1);
    return revision >= this.#windowStartRevision ? this.#window.slice() : undefined;
  }

  #applyChange(change: LoggedChange): void {
    const { key, revision } = change.object;
    const known = this.#objects.get(key)?.revision ?? this.#gone.get(key) ?? -1;
    if (revision <= known) return;
    if (change.type === "delete") this.#remove(key, revision);
    else this.#put(change.object);
  }

  #put(object: Stored): void {
    if (this.#keys && !this.#objects.has(object.key)) this.#keys.splice(lowerBound(this.#keys, object.key), 0, object.key);
    this.#objects.set(object.key, object);
    this.#gone.delete(object.key);
  }

  #remove(key: string, revision: Revision): void {
    const had = this.#objects.delete(key);
    if (!this.#keys) this.#gone.set(key, revision);
    else if (had) this.#keys.splice(lowerBound(this.#keys, key), 1);
  }

  /** Drops the oldest quarter at a time, so that dropping costs little. */
  #trim(): void {
    if (this.#window.length <= this.#size.slots && this.#windowBytes <= this.#size.bytes) return;
    let drop = 0;
    let bytes = this.#windowBytes;
    while (drop < this.#window.length - 1 && (this.#window.length - drop > this.#size.slots * 0.75 || bytes > this.#size.bytes * 0.75)) {
      bytes -= this.#window[drop++]!.size;
    }
    const last = this.#window[drop - 1];
    if (last) this.#windowStartRevision = revisionAt(last.number, last.count);
    this.#window = this.#window.slice(drop);
    this.#windowStart += drop;
    this.#windowBytes = bytes;
  }
}
