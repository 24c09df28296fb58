/** The log itself: it has no hole, each change follows from the ones before it, and clients were told the truth about their writes. */
import type { History, RecordedLog, Violation, WriteOperation } from "../history.ts";
import { type Replay, show } from "./replay.ts";

const positions = 1_000;
const slotOf = (revision: number): number => Math.floor(revision / positions);

/** Slots and places in them are dense, and every change names the state that it replaced. */
export function checkLog({ log }: Replay): Violation[] {
  const violations: string[] = [];
  const state = new Map<string, number>();
  const ids = new Set<string>();
  let last = log.start;
  for (const { type, object, previous, id } of log.changes) {
    const { key, revision } = object;
    const follows = slotOf(revision) === slotOf(last) ? revision === last + 1 : revision === nextSlot(log, last, revision) * positions + 1;
    if (!follows) violations.push(`${show(object)} follows ${last}`);
    last = revision;
    const before = state.get(key) ?? null;
    if (previous !== before) violations.push(`${type} of ${show(object)} was judged on revision ${previous}, and the object had ${before}`);
    if (type === "delete" && before === null) violations.push(`${show(object)} was deleted and did not exist`);
    if (type === "delete") state.delete(key);
    else state.set(key, revision);
    if (ids.has(id)) violations.push(`change ${id} is in the log twice, the second time as ${show(object)}`);
    ids.add(id);
  }
  return violations.map((message) => ({ check: "log", message }));
}

/** The slot after that of a revision, the empty ones passed over. */
function nextSlot({ emptySlots }: RecordedLog, last: number, revision: number): number {
  if (!emptySlots) return slotOf(revision);
  let slot = slotOf(last) + 1;
  while (emptySlots.includes(slot)) slot++;
  return slot;
}

const isWrite = (operation: { readonly type: string }): operation is WriteOperation =>
  operation.type !== "get" && operation.type !== "list";

/** Every acknowledged write is in the log exactly once, as it was answered; every refused one is not there. */
export function checkWrites({ operations }: Pick<History, "operations">, { log }: Replay): Violation[] {
  const violations: string[] = [];
  const made = Map.groupBy(log.changes, ({ request }) => request);
  for (const [request, changes] of made) {
    if (changes.length > 1)
      violations.push(`${request} was written ${changes.length} times: ${changes.map(({ object }) => show(object)).join(" ")}`);
  }
  for (const { client, type, key, request, result } of operations.filter(isWrite)) {
    const [change] = made.get(request) ?? [];
    const which = `${client}, ${type} of ${key} (${request})`;
    if (result.type === "done") {
      if (!change) violations.push(`${which} was acknowledged at ${result.revision} and is not in the log`);
      else if (change.object.revision !== result.revision || change.object.body !== result.body || change.object.key !== key) {
        violations.push(`${which} was acknowledged at ${result.revision} and is in the log as ${show(change.object)}`);
      } else if ((change.type === "delete") !== (type === "delete")) violations.push(`${which} is in the log as a ${change.type}`);
    } else if (result.type !== "unknown" && change) {
      violations.push(`${which} was answered with ${result.type} and is in the log as ${show(change.object)}`);
    }
  }
  return violations.map((message) => ({ check: "writes", message }));
}
