/** What must be true of the table when all is quiet: of its items, and for a process that knows nothing else. */
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { Table } from "../../shared/store/table.ts";
import { checkAgainst, checkContent, readLog } from "./checks/audit.ts";
import { Replay, sameObject, show } from "./checks/replay.ts";
import type { RecordedLog, Violation } from "./history.ts";
import { recordObject } from "./recorder.ts";
import { storeSettings } from "./settings.ts";

/**
 * @param table without anything in between
 * @param log as the witness saw it grow
 */
export async function auditLog(table: Table, cluster: string, storage: string, log: RecordedLog): Promise<Violation[]> {
  const replay = new Replay(log);
  const { content, violations } = await readLog(table, storage, cluster);
  const found = [
    ...violations,
    ...checkContent(content),
    ...checkAgainst(replay, content),
    ...(await newProcess(table, cluster, storage, replay)),
  ];
  return found.map(({ check, message }) => ({ check, message: `${storage}: ${message}` }));
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
