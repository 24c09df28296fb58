import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkJournals, historyOf, recordedLog, writerReports } from "../../../bench/robustness/findings.ts";
import type { RecordedChange, WriteOperation } from "../../../bench/robustness/history.ts";
import { Journal, readJournals } from "../../../bench/robustness/journal.ts";

const asked = (client: string, call: number, key = "a"): WriteOperation => ({
  type: "create",
  client,
  call,
  return: null,
  key,
  expected: null,
  request: `${client}-${call}`,
  body: "1",
  result: { type: "unknown" },
});
const answered = (operation: WriteOperation, at: number, revision: number): WriteOperation => ({
  ...operation,
  return: at,
  result: { type: "done", revision, body: "1" },
});
const change = (request: string, key: string, revision: number, type: "put" | "delete" = "put"): RecordedChange => ({
  type,
  object: { key, revision, body: "1" },
  previous: type === "put" ? null : revision - 1_000,
  request,
  id: `id ${revision}`,
  seenAt: revision,
  time: revision,
});

describe("journals", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "journal-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("keep what was asked by a process that died before the answer", async () => {
    const journal = new Journal(folder, "p0.1");
    const one = asked("p0.1/pods/w", 1);
    const other = asked("p0.1/pods/w", 2);
    journal.write({ log: "pods", operation: one });
    journal.write({ log: "pods", operation: answered(one, 1.5, 1_001), attempts: 3 });
    journal.write({ log: "pods", operation: other });
    const { logs, attempts } = await readJournals(folder);
    expect(logs.get("pods")?.operations).toEqual([answered(one, 1.5, 1_001), other]);
    expect(attempts).toEqual(new Map([["p0.1/pods/w", 3]]));
  });

  it("bear with a line that was not finished", async () => {
    const journal = new Journal(folder, "p0.1");
    journal.write({ watch: "w1", log: "pods", client: "c", request: { prefix: "", after: 5 } });
    journal.write({ watch: "w1", responses: [{ type: "progress", revision: 6 }] });
    appendFileSync(join(folder, "p0.1.jsonl"), '{"watch":"w1","respon');
    const { logs } = await readJournals(folder);
    expect(logs.get("pods")?.watches).toEqual([
      { client: "c", request: { prefix: "", after: 5 }, responses: [{ type: "progress", revision: 6 }] },
    ]);
  });

  it("become a history in which expiry is somebody's write", async () => {
    const create = asked("p0.1/events/w", 1);
    const journal = new Journal(folder, "p0.1");
    journal.write({ log: "events", operation: answered(create, 1.5, 2_001) });
    const witness = new Journal(folder, "witness");
    witness.write({ log: "events", slot: { number: 3, time: 3, changes: [change("", "a", 3_001, "delete")] } });
    witness.write({ log: "events", slot: { number: 2, time: 2, changes: [change(create.request, "a", 2_001)] } });
    const journals = await readJournals(folder);
    const log = recordedLog(journals.logs.get("events")!, 1_000);
    expect(log.changes.map(({ object }) => object.revision)).toEqual([2_001, 3_001]);
    expect(historyOf(journals.logs.get("events")!, log).operations.map(({ type, client }) => [type, client])).toEqual([
      ["create", "p0.1/events/w"],
      ["delete", "expiry of a@3001"],
    ]);
    expect(checkJournals(journals, new Map([["events", log]]))).toEqual([]);
  });

  it("tell of slots that were taken twice, and of whatever else should not be", async () => {
    const witness = new Journal(folder, "witness");
    witness.write({ log: "pods", slot: { number: 2, time: 2, changes: [change("x", "a", 2_001)] } });
    witness.write({ log: "pods", slot: { number: 2, time: 3, changes: [change("y", "b", 2_001)] } });
    witness.write({ trouble: "it burns" });
    const journals = await readJournals(folder);
    const recorded = new Map([["pods", recordedLog(journals.logs.get("pods")!, 1_000)]]);
    const found = checkJournals(journals, recorded).map(({ check, message }) => `${check}: ${message}`);
    expect(found).toContain("slots: pods: slot 2 was taken twice");
    expect(found).toContain("trouble: witness: it burns");
  });

  it("tell how writers fared while they were awake", async () => {
    const journal = new Journal(folder, "p0.1");
    const times = [1, 2, 3, 1_000];
    for (const [index, took] of times.entries()) {
      const call = index * 10_000;
      journal.write({ log: "pods", operation: answered(asked("p0.1/pods/w", call), call + took, 1_001), attempts: index });
    }
    const journals = await readJournals(folder);
    const sleep = { from: 30_100, to: 30_900 };
    expect(writerReports(journals, new Map([["p0", [sleep]]]))).toEqual({
      p0: { writes: 3, write_ms_p50: 2, write_ms_p99: 3, max_attempts: 3 },
    });
    expect(writerReports(journals, new Map()).p0?.write_ms_p99).toBe(1_000);
  });
});
