/** One watch, journaled item by item as it comes. */
import type { Change, WatchItem } from "../../../shared/store/store.ts";
import type { WatchRequest } from "../history.ts";
import { recordEvent } from "../recorder.ts";
import { type Desk, WatchJournal } from "./desk.ts";

export interface WatchEnd {
  /** Everything up to this revision was delivered. */
  readonly revision: number;
  /** The error with which the store ended the watch, if it did. */
  readonly error: Error | undefined;
}

/**
 * Watches until the signal aborts, the store ends the watch, or `each` answers false.
 * @param each called with every item, and may take its time
 */
export async function watchJournaled(
  desk: Desk,
  client: string,
  request: WatchRequest,
  signal: AbortSignal,
  each: (item: WatchItem) => boolean | Promise<boolean>,
): Promise<WatchEnd> {
  const journal = new WatchJournal(desk, client, request);
  let revision = request.after;
  try {
    for await (const item of desk.store.watch({ ...request, signal })) {
      if (item.type === "progress") journal.add(item);
      else journal.add({ type: "events", events: [recordEvent(item.change)] });
      revision = item.type === "progress" ? item.revision : item.change.object.revision;
      if (!(await each(item))) break;
    }
    return { revision, error: undefined };
  } catch (error) {
    return { revision, error: error as Error };
  } finally {
    journal.flush();
  }
}

/** Changes that were read in one go rather than watched: as if a watch had delivered them. */
export function journalChanges(
  desk: Desk,
  client: string,
  { after, changes, revision }: { readonly after: number; readonly changes: readonly Change[]; readonly revision: number },
): void {
  const journal = new WatchJournal(desk, client, { prefix: "", after });
  if (changes.length > 0) journal.add({ type: "events", events: changes.map(recordEvent) });
  journal.add({ type: "progress", revision });
  journal.flush();
}

const expected = new Set(["CompactedError", "SlowReaderError", "StoreBusyError"]);

/** Whether a watch may end in this way, whatever goes wrong underneath. */
export const isExpectedEnd = (error: Error): boolean => expected.has(error.name);
