/**
 * Checkpoints: all objects of a log, packed together, for processes that load the whole type (rule 18). Packed objects compress several
 * times as well as single ones, and come in a few reads.
 *
 * A checkpoint is what the view was while it was read, and names the watermark from before. So it is used as the view is: its objects
 * first, then the log from its slot on, the newer of two states winning (rule 13). Nothing is ever written into it later. One item names
 * the newest checkpoint, and is replaced by condition; whoever finds chunks of an older one missing reads the view instead.
 */
import type { LogCache } from "./cache.ts";
import { deepFreeze, parseValue, unpackText } from "./encoding.ts";
import { readMarks } from "./marks.ts";
import type { ResourceLog } from "./resource-log.ts";
import { insist } from "./retry.ts";
import type { ChunkRef, SlotNumber } from "./slot.ts";
import type { Revision, Stored } from "./store.ts";
import type { Item } from "./table.ts";
import { SlotsGoneError } from "./tail.ts";
import type { PackedObject, Viewed } from "./view.ts";

/** JSON text that is packed together: what a reader holds in memory at once, and what compresses well. */
const partBytes = 4 * 1024 * 1024;

const newest = "newest";

/** What the item says that stands for the newest checkpoint. */
export interface Checkpoint {
  /** The watermark before its objects were read: changes after this slot may be missing. */
  readonly at: SlotNumber;
  readonly objects: number;
  readonly parts: readonly ChunkRef[];
}

export async function readCheckpoint({ parts: { table, keys, patience } }: ResourceLog): Promise<Checkpoint | undefined> {
  const { item } = await insist(patience, () => table.get({ pk: keys.checkpoint, sk: newest }, { consistent: true }));
  return item && { at: Number(item.at), objects: Number(item.objects), parts: JSON.parse(String(item.parts)) as ChunkRef[] };
}

/** Whether reading a checkpoint and the slots after it costs clearly less than reading the view: slots and objects are about as large. */
const pays = ({ at, objects, parts }: Checkpoint, to: SlotNumber): boolean => parts.length > 0 && to - at < objects / 2;

/** Whether a new checkpoint is called for: many changes since the last one, or compaction took some of them. */
const isDue = ({ at, objects }: Checkpoint, watermark: SlotNumber, stubbed: SlotNumber, fewest: number): boolean =>
  watermark > at && (watermark - at >= Math.max(fewest, objects) / 2 || at + 1 < stubbed);

/**
 * Lets a cache learn every object from the newest checkpoint, and from the slots between it and where the cache begins.
 * @returns false when there is none that pays, or parts of it are gone: the view has everything
 */
export async function learnCheckpoint(log: ResourceLog, cache: LogCache): Promise<boolean> {
  const found = await readCheckpoint(log);
  if (!found || !pays(found, cache.base)) return false;
  // The slots first: what they deleted must not stay behind if the rest turns out to be gone.
  if (found.at < cache.base && !(await learnSlots(log, cache, found.at + 1))) return false;
  for await (const objects of checkpointObjects(log, found)) {
    if (!objects) return false;
    for (const object of objects) cache.learn(object.key, object);
  }
  return true;
}

/** @returns false when some of the slots are gone */
async function learnSlots(log: ResourceLog, cache: LogCache, first: SlotNumber): Promise<boolean> {
  try {
    const { entries } = await log.tail.read(first, { to: cache.base });
    if (entries.some(({ type }) => type !== "slot")) return false;
    for (const entry of entries) {
      if (entry.type !== "slot") continue;
      for (const { type, object } of entry.changes) {
        cache.learn(object.key, type === "delete" ? { gone: object.revision } : object);
      }
    }
    return true;
  } catch (error) {
    if (error instanceof SlotsGoneError) return false;
    throw error;
  }
}

/**
 * The objects of a checkpoint, part by part.
 * @returns undefined for a part that is gone: there is a newer checkpoint
 */
async function* checkpointObjects(log: ResourceLog, { parts }: Checkpoint): AsyncGenerator<readonly Viewed[] | undefined> {
  const readOn = (index: number) => {
    const ref = parts[index];
    const read = ref && log.chunks.read(ref).then((bytes) => ({ bytes, exact: ref.exact === true }));
    read?.catch(() => {});
    return read;
  };
  let following = readOn(0);
  for (let index = 1; following; index++) {
    const { bytes, exact }: { readonly bytes: Uint8Array | undefined; readonly exact: boolean } = await following;
    following = readOn(index);
    if (!bytes) {
      yield undefined;
      return;
    }
    yield await Promise.all((parseValue(unpackText(bytes), exact) as PackedRecord[]).map((record) => unpack(log, record)));
  }
}

/** An object in a part: its key, revision, and body or the chunks that hold it. */
type PackedRecord = readonly [key: string, revision: Revision, value: Stored["value"] | null, chunks?: ChunkRef];

async function unpack(log: ResourceLog, [key, revision, value, chunks]: PackedRecord): Promise<Viewed> {
  // The view has moved on when a body is gone.
  if (chunks || value === null) return (await log.view.get(key)) ?? { key, gone: 0 };
  deepFreeze(value);
  return Object.freeze({ key, revision, value });
}

/**
 * Writes a checkpoint if one is called for.
 * @returns whether something is left to do
 */
export async function checkpoint(log: ResourceLog, mayGoOn: () => boolean): Promise<boolean> {
  const { table, keys, birth, patience, settings } = log.parts;
  const fewest = settings.checkpointObjects;
  const { watermark, stubbed } = await insist(patience, () => readMarks(table, keys, birth));
  if (watermark === birth) return false;
  const former = await readCheckpoint(log);
  if (former && !isDue(former, watermark, stubbed, fewest)) return false;

  const packer = new PartPacker(log, watermark);
  for await (const page of log.view.packed()) {
    for (const object of page) packer.add(object);
    if (!mayGoOn()) break;
    await packer.flush(partBytes);
  }
  const complete = mayGoOn();
  if (complete && packer.objects >= fewest) await packer.flush(0);
  const { objects, parts } = packer;
  const item: Item = { pk: keys.checkpoint, sk: newest, at: watermark, objects, parts: JSON.stringify(parts) };
  const condition = { type: "absentOrLess", attribute: "at", value: watermark } as const;
  const answer = complete && (await insist(patience, () => table.put(item, condition)));
  // What stands in its way may be itself, when the first answer was lost.
  const written = answer && (answer.done || answer.existing?.parts === item.parts);
  for (const ref of written ? (former?.parts ?? []) : parts) await log.chunks.remove(ref);
  return !complete;
}

/** Removes the item that names the newest checkpoint: the log is over. */
export async function dropCheckpoint(log: ResourceLog): Promise<void> {
  const { table, keys, patience } = log.parts;
  const known = await readCheckpoint(log);
  if (!known) return;
  await insist(patience, () => table.delete({ pk: keys.checkpoint, sk: newest }, { type: "equals", attribute: "at", value: known.at }));
}

/** Packs objects into parts as they come. */
class PartPacker {
  readonly parts: ChunkRef[] = [];
  objects = 0;
  readonly #log: ResourceLog;
  readonly #born: SlotNumber;
  #texts: string[] = [];
  #size = 0;
  #exact = false;

  constructor(log: ResourceLog, born: SlotNumber) {
    this.#log = log;
    this.#born = born;
  }

  add({ key, revision, body, exact }: PackedObject): void {
    const prefix = `[${JSON.stringify(key)},${revision},`;
    const text = typeof body === "string" ? `${prefix}${body}]` : `${prefix}null,${JSON.stringify(body)}]`;
    this.#texts.push(text);
    this.#size += text.length;
    this.#exact ||= exact;
    this.objects++;
  }

  /** Writes what has come, once it is so long. */
  async flush(size: number): Promise<void> {
    if (this.#texts.length === 0 || this.#size < size) return;
    const text = `[${this.#texts.join(",")}]`;
    this.parts.push(await this.#log.chunks.write(this.#log.parts.newId(), text, this.#born, this.#exact));
    this.#texts = [];
    this.#size = 0;
    this.#exact = false;
  }
}
