/** What the journals of a run say: the history of each log, what the checks make of it, and how writers fared. */
import { revisionAt } from "../../shared/store/slot.ts";
import { checkHistory } from "./checks/index.ts";
import type { History, Operation, RecordedLog, Violation, WriteOperation } from "./history.ts";
import type { JournaledLog, Journals, RecordedSlot } from "./journal.ts";
import type { Sleep } from "./supervised.ts";

/** @param start the revision at which the log was born */
export function recordedLog({ slots }: JournaledLog, start: number): RecordedLog {
  const inOrder = slots.toSorted((one, other) => one.number - other.number);
  const changes = inOrder.flatMap((slot) => slot.changes);
  const last = inOrder.at(-1);
  return {
    start,
    // The upkeep asks on nobody's behalf.
    changes: changes.map((change) => ({ ...change, request: change.request || `upkeep ${change.id}` })),
    emptySlots: inOrder.filter((slot) => slot.changes.length === 0).map(({ number }) => number),
    ...(last && { end: revisionAt(last.number, last.changes.length) }),
  };
}

/** The history of one log. Changes that no client asked for are the upkeep's: objects that expired. */
export function historyOf({ operations, watches }: JournaledLog, log: RecordedLog): History {
  const asked = new Set(operations.flatMap((operation) => ("request" in operation ? [operation.request] : [])));
  const expiries = log.changes.flatMap(({ type, object, previous, request, seenAt = null }): WriteOperation[] =>
    asked.has(request) || type !== "delete"
      ? []
      : [
          {
            type,
            client: `expiry of ${object.key}@${object.revision}`,
            call: 0,
            return: seenAt,
            key: object.key,
            expected: previous,
            request,
            body: null,
            result: { type: "done", revision: object.revision, body: object.body },
          },
        ],
  );
  return { log, operations: [...operations, ...expiries], watches };
}

/** Everything that is wrong with what was journaled. */
export function checkJournals({ logs, troubles }: Journals, recorded: ReadonlyMap<string, RecordedLog>): Violation[] {
  const violations = troubles.map((message): Violation => ({ check: "trouble", message }));
  for (const [name, log] of logs) {
    const found = [...checkSlots(log.slots), ...checkHistory(historyOf(log, recorded.get(name)!))];
    violations.push(...found.map(({ check, message }) => ({ check, message: `${name}: ${message}` })));
  }
  return violations;
}

/** The table takes each slot once, and time rises from slot to slot. */
function checkSlots(slots: readonly RecordedSlot[]): Violation[] {
  const found: string[] = [];
  const inOrder = slots.toSorted((one, other) => one.number - other.number);
  for (const [index, slot] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before?.number === slot.number) found.push(`slot ${slot.number} was taken twice`);
    else if (before && slot.time <= before.time) found.push(`time goes back at slot ${slot.number}`);
  }
  return found.map((message) => ({ check: "slots", message }));
}

/** How the writers of one process fared. */
export interface WriterReport {
  readonly writes: number;
  readonly write_ms_p50: number;
  readonly write_ms_p99: number;
  /** Most slots that one write was judged for before it had its answer. */
  readonly max_attempts: number;
}

/**
 * @param sleeps of each process: a write during which its process was frozen says nothing about fairness
 * @returns by process
 */
export function writerReports(journals: Journals, sleeps: ReadonlyMap<string, readonly Sleep[]>): Readonly<Record<string, WriterReport>> {
  const times = new Map<string, number[]>();
  for (const operation of [...journals.logs.values()].flatMap(({ operations }) => operations)) {
    if (!isAnsweredWrite(operation)) continue;
    const process = processOf(operation.client);
    const slept = sleeps.get(process)?.some(({ from, to }) => from < operation.return && to > operation.call);
    if (slept) continue;
    const own = times.get(process);
    if (own) own.push(operation.return - operation.call);
    else times.set(process, [operation.return - operation.call]);
  }
  const attempts = Map.groupBy(journals.attempts, ([client]) => processOf(client));
  return Object.fromEntries(
    [...times].map(([process, own]) => {
      own.sort((one, other) => one - other);
      const max = Math.max(0, ...(attempts.get(process) ?? []).map(([, count]) => count));
      return [process, { writes: own.length, write_ms_p50: percentile(own, 0.5), write_ms_p99: percentile(own, 0.99), max_attempts: max }];
    }),
  );
}

/** Clients are called `PROCESS.LIFE/LOG/CLIENT`. */
const processOf = (client: string): string => client.slice(0, client.indexOf("."));

const isAnsweredWrite = (operation: Operation): operation is WriteOperation & { readonly return: number } =>
  "request" in operation && operation.result.type === "done" && operation.return !== null;

const percentile = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;

/** Events that watches were shown. */
export const eventsIn = ({ logs }: Journals): number =>
  [...logs.values()]
    .flatMap(({ watches }) => watches)
    .flatMap(({ responses }) => responses)
    .reduce((sum, response) => sum + (response.type === "events" ? response.events.length : 0), 0);

export const operationsIn = ({ logs }: Journals): number => logs.values().reduce((sum, { operations }) => sum + operations.length, 0);
