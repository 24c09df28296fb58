/** How a slot stands in the table: its changes as one JSON list, packed into the item or, when that grows too large, into chunks. */
import type { Chunks } from "./chunks.ts";
import { deepFreeze, parseValue, unpackText } from "./encoding.ts";
import type { LogKeys } from "./keys.ts";
import {
  type ChunkRef,
  type Closing,
  type Deletion,
  type LoggedChange,
  revisionAt,
  type Slot,
  type SlotEntry,
  type SlotNumber,
  type Stub,
  slotSortKey,
} from "./slot.ts";
import type { Author, Revision, Stored } from "./store.ts";
import type { Item } from "./table.ts";
import { applyUndo, type Undo } from "./undo.ts";

/** One change in the JSON list. Short names: every slot pays for them. */
interface ChangeRecord {
  /** Id of the change. */
  readonly i: string;
  /** Key of the object. */
  readonly k: string;
  /** Present for a deletion. */
  readonly d?: 1;
  /** The object's previous revision; absent for a creation. */
  readonly p?: Revision;
  /** What makes the previous state out of this one; absent when they are equal. */
  readonly u?: Undo;
  readonly a: Author;
  /** The plan it belongs to. */
  readonly n?: string;
  /** The object, or the chunks that hold it. */
  readonly v?: object;
  readonly c?: ChunkRef;
}

/** What a writer says of one change. */
export interface ChangeDraft {
  readonly id: string;
  readonly key: string;
  readonly type: "put" | "delete";
  readonly previousRevision: Revision | undefined;
  readonly undo: Undo | undefined;
  readonly author: Author;
  readonly plan: string | undefined;
}

/**
 * A change's record as text. It holds neither its revision nor its slot, so it is good for any slot (rule 22).
 * @param body the object's JSON, or the chunks that hold it
 */
export function changeText(draft: ChangeDraft, body: string | ChunkRef): string {
  const record: ChangeRecord = {
    i: draft.id,
    k: draft.key,
    ...(draft.type === "delete" && { d: 1 }),
    ...(draft.previousRevision !== undefined && { p: draft.previousRevision }),
    ...(draft.undo && { u: draft.undo }),
    a: draft.author,
    ...(draft.plan !== undefined && { n: draft.plan }),
    ...(typeof body !== "string" && { c: body }),
  };
  const text = JSON.stringify(record);
  return typeof body === "string" ? `${text.slice(0, -1)},"v":${body}}` : text;
}

/** The changes of a slot, ready for any slot item. */
export interface PackedChanges {
  readonly count: number;
  readonly exact: boolean;
  /** Length of the JSON. */
  readonly size: number;
  readonly content: Uint8Array | ChunkRef;
  /** Length of the content when packed. */
  readonly bytes: number;
}

/** What of a slot is known before it is won. */
export interface SlotHeading {
  readonly number: SlotNumber;
  readonly time: number;
  /** The process that writes it. */
  readonly writer: string;
  /** Consumers to ring. */
  readonly ring: readonly string[];
  /** How long the others are asked to leave the next slot to the writer. */
  readonly holdMs?: number;
}

export function slotItem(keys: LogKeys, heading: SlotHeading, packed: PackedChanges): Item {
  return {
    pk: keys.slots,
    sk: slotSortKey(heading.number),
    cluster: keys.cluster,
    ...(heading.ring.length > 0 && { ring: heading.ring.join(",") }),
    time: heading.time,
    writer: heading.writer,
    ...(heading.holdMs !== undefined && { hold: heading.holdMs }),
    count: packed.count,
    ...(packed.exact && { exact: true }),
    ...(packed.content instanceof Uint8Array ? { changes: packed.content } : { chunks: JSON.stringify(packed.content) }),
  };
}

export const closingItem = (keys: LogKeys, number: SlotNumber, time: number): Item => ({
  pk: keys.slots,
  sk: slotSortKey(number),
  cluster: keys.cluster,
  time,
  count: 0,
  closing: true,
});

export function stubItem(keys: LogKeys, slot: Slot, since: Date): Item {
  const deletions = slot.changes.flatMap(({ type, object }) => (type === "delete" ? [`${object.revision}:${object.key}`] : []));
  return {
    pk: keys.slots,
    sk: slotSortKey(slot.number),
    time: slot.time,
    count: slot.count,
    stub: since.getTime(),
    ...(deletions.length > 0 && { deletions }),
  };
}

/** A stub in place of a slot that was lost with whatever it said. */
export const standInItem = (keys: LogKeys, number: SlotNumber, time: number, since: Date): Item => ({
  pk: keys.slots,
  sk: slotSortKey(number),
  time,
  count: 0,
  stub: since.getTime(),
});

/** Reads what a slot item says without its changes. */
export function readSlotHeading(item: Item): Stub | Closing {
  const heading = { number: Number(item.sk), time: Number(item.time), count: Number(item.count) };
  if (item.closing === true) return { ...heading, type: "closing", count: 0 };
  return { ...heading, type: "stub", since: Number(item.stub ?? 0), deletions: deletionsOf(item) };
}

/**
 * Reads a slot item, and the chunks that it refers to.
 * @returns undefined when chunks are missing: read the item again
 */
export async function readSlotItem(item: Item, chunks: Chunks): Promise<SlotEntry | undefined> {
  const heading = readSlotHeading(item);
  if (heading.type === "closing" || item.stub !== undefined) return heading;
  const { number, time, count } = heading;
  const overflow = typeof item.chunks === "string" ? (JSON.parse(item.chunks) as ChunkRef) : undefined;
  const packed = overflow ? await chunks.read(overflow) : item.changes;
  if (!(packed instanceof Uint8Array)) return undefined;
  const text = unpackText(packed);
  const records = parseValue(text, item.exact === true) as ChangeRecord[];
  const bodies = await Promise.all(records.map((record) => bodyOf(record, chunks)));
  const changes: LoggedChange[] = [];
  for (const [index, record] of records.entries()) {
    const body = bodies[index];
    if (!body) return undefined;
    const { exact } = deepFreeze(body);
    const object: Stored = Object.freeze({ key: record.k, revision: revisionAt(number, index + 1), value: body });
    changes.push(readChange(record, object, time, exact));
  }
  return {
    type: "slot",
    number,
    time,
    count,
    writer: String(item.writer),
    ...(typeof item.hold === "number" && { holdMs: item.hold }),
    changes,
    overflow,
    ...measure(text.length, packed.length, changes),
  } satisfies Slot;
}

/** How large a slot is, in memory and for whoever reads it. */
export function measure(jsonLength: number, packedLength: number, changes: readonly LoggedChange[]): Pick<Slot, "size" | "bytes"> {
  const bodies = changes.reduce((sum, { body }) => sum + (body?.size ?? 0), 0);
  return { size: jsonLength + bodies, bytes: packedLength + bodies };
}

function deletionsOf({ deletions = [] }: Item): readonly Deletion[] {
  return (deletions as readonly string[]).map((text) => {
    const colon = text.indexOf(":");
    return { revision: Number(text.slice(0, colon)), key: text.slice(colon + 1) };
  });
}

async function bodyOf(record: ChangeRecord, chunks: Chunks): Promise<Stored["value"] | undefined> {
  if (!record.c) return record.v as Stored["value"];
  const bytes = await chunks.read(record.c);
  return bytes && (parseValue(unpackText(bytes), record.c.exact === true) as Stored["value"]);
}

function readChange(record: ChangeRecord, object: Stored, time: number, exact: boolean): LoggedChange {
  let previous: Stored | undefined;
  return {
    type: record.d ? "delete" : "put",
    object,
    /** Made when first asked for: most readers never do. */
    get previous() {
      if (previous === undefined && record.p !== undefined) {
        const value = record.u ? applyUndo(object.value, record.u) : object.value;
        deepFreeze(value);
        previous = Object.freeze({ key: object.key, revision: record.p, value: value as Stored["value"] });
      }
      return previous;
    },
    time: timeOf(time),
    author: record.a,
    plan: record.n,
    id: record.i,
    body: record.c,
    exact,
  };
}

/** The moment that a hybrid logical time stands for. */
export const timeOf = (micros: number): Date => new Date(Math.floor(micros / 1000));
