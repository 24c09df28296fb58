/** What must be true of the table when all is quiet: of its items, and for a process that knows nothing else. */
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import { slotOf } from "../../shared/store/slot.ts";
import type { Table } from "../../shared/store/table.ts";
import { checkAgainst, checkContent, readLog } from "./checks/audit.ts";
import { Replay, sameObject, show } from "./checks/replay.ts";
import type { RecordedLog, Violation } from "./history.ts";
import { recordObject } from "./recorder.ts";
import { storeSettings } from "./settings.ts";

/** How far a log and its upkeep have come: slots since its birth. */
export interface Progress {
  readonly slots: number;
  readonly slots_in_view: number;
  readonly slots_compacted: number;
  readonly slots_erased: number;
}

/**
 * @param table without anything in between
 * @param log as the witness saw it grow
 */
export async function auditLog(
  table: Table,
  cluster: string,
  storage: string,
  log: RecordedLog,
): Promise<{ readonly violations: readonly Violation[]; readonly progress: Progress }> {
  const replay = new Replay(log);
  const { content, violations } = await readLog(table, storage, cluster);
  const found = [
    ...violations,
    ...checkContent(content),
    ...checkAgainst(replay, content),
    ...(await newProcess(table, cluster, storage, replay)),
  ];
  const { birth, watermark, stubbed, erased } = content;
  const progress = {
    slots: slotOf(replay.head) - birth,
    slots_in_view: watermark - birth,
    slots_compacted: stubbed - birth - 1,
    slots_erased: erased - birth - 1,
  };
  return { violations: found.map(({ check, message }) => ({ check, message: `${storage}: ${message}` })), progress };
}

/** A process that starts now sees the end of the log. */
async function newProcess(table: Table, cluster: string, storage: string, replay: Replay): Promise<Violation[]> {
  const store = openStore({ table, clock: systemClock, log: silentLog, settings: storeSettings });
  const { items, revision } = await (await store.cluster(cluster)).resource(storage).list({ prefix: "", at: "newest" });
  const expected = replay.stateAt(replay.head);
  const same = items.length === expected.length && items.every((item, index) => sameObject(recordObject(item), expected[index]));
  if (same && revision === replay.head) return [];
  const message = `a new process sees [${items.map(show).join(" ")}] at ${revision}, and there is [${expected.map(show).join(" ")}] at ${replay.head}`;
  return [{ check: "new process", message }];
}
