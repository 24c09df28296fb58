/**
 * What must be true of a log's items in the table after any run, read with nothing in between: no hole, every chunk there, every change
 * once, and a view that is the log's replay.
 */
import { systemClock } from "../../../shared/runtime/clock.ts";
import { type ChunkIndexEntry, Chunks } from "../../../shared/store/chunks.ts";
import { readCluster } from "../../../shared/store/cluster-record.ts";
import { type LogKeys, logKeys } from "../../../shared/store/keys.ts";
import { type Marks, readMarks } from "../../../shared/store/marks.ts";
import { type LoggedChange, revisionAt, type Slot, type SlotEntry, type SlotNumber, slotSortKey } from "../../../shared/store/slot.ts";
import type { Table } from "../../../shared/store/table.ts";
import { SlotsGoneError, Tail } from "../../../shared/store/tail.ts";
import { View, type Viewed } from "../../../shared/store/view.ts";
import type { Violation } from "../history.ts";
import { recordObject } from "../recorder.ts";
import { type Replay, sameObject, show } from "./replay.ts";

const patience = { clock: systemClock, random: Math.random };

/** A log as it stands in the table. */
export interface LogContent {
  readonly keys: LogKeys;
  readonly birth: number;
  /** Every slot that stands, stubs included. */
  readonly entries: readonly SlotEntry[];
  /** Every change that is still in its slot, oldest first. */
  readonly changes: readonly LoggedChange[];
  readonly watermark: number;
  readonly floor: number;
  readonly stubbed: number;
  readonly erased: number;
  /** What the view has, tombstones included. */
  readonly view: ReadonlyMap<string, Viewed>;
  readonly chunks: readonly ChunkIndexEntry[];
}

/**
 * Reads a log. Reading proves that it has no hole, and that every chunk of slots and view is there and is what was written.
 * @returns what could be read, and what that shows
 */
export async function readLog(
  table: Table,
  storage = "pods",
  cluster = "default",
): Promise<{ readonly content: LogContent; readonly violations: readonly Violation[] }> {
  const record = await readCluster(table, cluster, patience);
  if (!record) throw new Error(`there is no cluster ${cluster}`);
  const birth = record.incarnation;
  const keys = logKeys(cluster, birth, storage);
  const chunks = new Chunks(table, keys, patience);
  const tail = new Tail(table, keys, chunks, patience);
  const marks = await readMarks(table, keys, birth);
  const violations: Violation[] = [];
  let entries: readonly SlotEntry[] = [];
  try {
    ({ entries } = await tail.read(await firstSlot(table, keys, marks)));
  } catch (error) {
    if (!(error instanceof SlotsGoneError)) throw error;
    violations.push(violation(`the log has a hole: ${error.message}`));
  }
  const view = new Map<string, Viewed>();
  try {
    for await (const page of new View({ table, keys, chunks, tail, patience, birth, materializeMs: Infinity }).all()) {
      for (const viewed of page) view.set(viewed.key, viewed);
    }
  } catch (error) {
    violations.push(violation(`the view cannot be read: ${(error as Error).message}`));
  }
  const index: ChunkIndexEntry[] = [];
  for await (const entry of chunks.bornBefore(Number.MAX_SAFE_INTEGER)) index.push(entry);
  const changes = entries.filter((entry): entry is Slot => entry.type === "slot").flatMap((slot) => slot.changes);
  return { content: { ...marks, keys, birth, entries, changes, view, chunks: index }, violations };
}

/**
 * The first slot that must be there. Stubs go before the mark says so; and before them may stand what somebody claimed at a freed key,
 * and has not found out yet.
 */
async function firstSlot(table: Table, keys: LogKeys, { erased, stubbed }: Marks): Promise<SlotNumber> {
  const query = { pk: keys.slots, from: slotSortKey(erased), to: slotSortKey(stubbed - 1), consistent: true };
  for (let page = await table.query(query); ; page = await table.query({ ...query, cursor: page.cursor })) {
    const stub = page.items.find((item) => item.stub !== undefined);
    if (stub) return Number(stub.sk);
    if (!page.cursor) return stubbed;
  }
}

const violation = (message: string): Violation => ({ check: "audit", message });

/** What can be told from the items alone. */
export function checkContent({ birth, entries, changes, watermark, floor, stubbed, erased, view }: LogContent): Violation[] {
  const wrong: string[] = [];
  const ids = new Set<string>();
  for (const { id, object } of changes) {
    if (ids.has(id)) wrong.push(`change ${id} is in two slots, the second time as ${show(object)}`);
    ids.add(id);
  }
  for (const [index, { number, time }] of entries.entries()) {
    if (index > 0 && time <= entries[index - 1]!.time) wrong.push(`the time of slot ${number} is not above that of the one before`);
  }
  const last = entries.at(-1);
  if (last?.type === "stub") wrong.push(`the newest slot, ${last.number}, is a stub`);
  if (!last && erased > birth + 1) wrong.push("the newest slot is gone");
  if (last && watermark > last.number) wrong.push(`the watermark ${watermark} is above the newest slot ${last.number}`);
  if (stubbed > Math.max(birth + 1, watermark)) wrong.push(`slots below ${stubbed} are stubs, and the watermark is ${watermark}`);
  if (stubbed > floor) wrong.push(`slots below ${stubbed} are stubs, and the floor is ${floor}`);
  for (const { type, number } of entries) {
    if (type === "stub" && number >= Math.max(floor, birth + 1)) wrong.push(`slot ${number} is a stub, and the floor is ${floor}`);
  }
  wrong.push(...viewOfSlots(changes, watermark, view));
  return wrong.map(violation);
}

/** Everything that slots which still stand changed is in the view, up to the watermark: as they left it, or as a later one did. */
function* viewOfSlots(changes: readonly LoggedChange[], watermark: number, view: ReadonlyMap<string, Viewed>): Generator<string> {
  const newest = new Map<string, LoggedChange>();
  const byRevision = new Map<number, LoggedChange>();
  for (const change of changes) {
    byRevision.set(change.object.revision, change);
    if (change.object.revision < revisionAt(watermark + 1, 0)) newest.set(change.object.key, change);
  }
  for (const [key, { type, object }] of newest) {
    const viewed = view.get(key);
    if (!viewed && type === "put") yield `${show(object)} is not in the view`;
    if (viewed && revisionOf(viewed) < object.revision)
      yield `the view has ${show({ key, revision: revisionOf(viewed) })} in place of ${show(object)}`;
  }
  for (const viewed of view.values()) {
    const change = byRevision.get(revisionOf(viewed));
    if (change && !showsChange(viewed, recordedChange(change))) yield `the view does not have ${show(change.object)} as the log has it`;
  }
}

const revisionOf = (viewed: Viewed): number => ("gone" in viewed ? viewed.gone : viewed.revision);
const recordedChange = ({ type, object }: LoggedChange) => ({ type, object: recordObject(object) });

function showsChange(viewed: Viewed, { type, object }: ReturnType<typeof recordedChange>): boolean {
  if ("gone" in viewed) return type === "delete" && object.key === viewed.key;
  return type === "put" && sameObject(recordObject(viewed), object);
}

/** What can be told beside a witness of the whole log, parts included that compaction took since. */
export function checkAgainst(replay: Replay, content: LogContent): Violation[] {
  const { entries, changes, watermark, view, birth } = content;
  const wrong: string[] = [];
  const newest = Math.floor(replay.head / 1_000);
  if (newest > Math.max(birth, entries.at(-1)?.number ?? 0))
    wrong.push(`the log ends with slot ${entries.at(-1)?.number}, and ${newest} was committed`);
  const witnessed = new Map(replay.log.changes.map((change) => [change.object.revision, change]));
  for (const change of changes) {
    const known = witnessed.get(change.object.revision);
    if (!known || known.id !== change.id || !sameObject(known.object, recordObject(change.object))) {
      wrong.push(`${show(change.object)} is not what was committed`);
    }
  }
  for (const key of new Set([...replay.keys, ...view.keys()])) {
    const expected = replay.lastChange(key, revisionAt(watermark + 1, 0) - 1);
    const viewed = view.get(key);
    if (!viewed) {
      if (expected?.type === "put") wrong.push(`${show(expected.object)} is not in the view, and the watermark is ${watermark}`);
      continue;
    }
    const change = witnessed.get(revisionOf(viewed));
    const seen = show({ key, revision: revisionOf(viewed) });
    if (!change || !showsChange(viewed, change)) wrong.push(`the view has ${seen}, which the log never had`);
    else if (expected && change.object.revision < expected.object.revision)
      wrong.push(`the view has ${seen} in place of ${show(expected.object)}`);
  }
  return wrong.map(violation);
}
