/**
 * What clients did to one log and what they were told, as plain JSON: what the checks of a robustness run look at.
 *
 * Times are milliseconds with fractions on one clock that all clients of a history share (`performance.now()` of one process, or
 * `process.hrtime` of one machine). Revisions are the store's: `slot × 1000 + position`.
 */

/** One log's history: everything that clients asked and saw, and the log itself as the witness. */
export interface History {
  readonly log: RecordedLog;
  readonly operations: readonly Operation[];
  readonly watches: readonly WatchOperation[];
}

/** The log from its birth, read strongly at the end or slot by slot while it grew, before compaction took anything away. */
export interface RecordedLog {
  /** The revision before the first change: the birth's. */
  readonly start: number;
  /** In the order of the log. */
  readonly changes: readonly RecordedChange[];
  /** Numbers of slots that hold no change. Absent: nobody counted, and there may be any. */
  readonly emptySlots?: readonly number[];
  /** The revision of the newest slot, which may be an empty one. Absent: that of the last change, or something after it. */
  readonly end?: number;
  /**
   * Changes that are younger than this, in milliseconds, must not be refused as compacted. Absent: nothing is promised, or the
   * history's clock is not the one that changes tell their time by.
   */
  readonly retentionMs?: number;
}

export interface RecordedObject {
  readonly key: string;
  readonly revision: number;
  /** Equal if and only if the bodies are: a body's JSON, or the hash of it. */
  readonly body: string;
  /** What selectors look at; absent when it has none. */
  readonly labels?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

/** A change as the log has it. */
export interface RecordedChange {
  readonly type: "put" | "delete";
  /** The state after it, at the change's revision; of a deletion the last state, at the deletion's. */
  readonly object: RecordedObject;
  /** Revision of the object's state before, as the log names it; null for a creation. */
  readonly previous: number | null;
  /** The request that asked for it: {@link WriteOperation.request}. */
  readonly request: string;
  /** The store's own id of the change. */
  readonly id: string;
  /** When it was certainly in the log: the time at which it was first seen there. Absent when nobody looked. */
  readonly seenAt?: number;
  /** The change's own time, in milliseconds since 1970. */
  readonly time: number;
}

interface Timed {
  /** Who asked. A client has one operation at a time. */
  readonly client: string;
  /** When, which with the client's name names the operation. */
  readonly call: number;
  /** Null when there was no answer: the process died, or the run ended. */
  readonly return: number | null;
}

/** Which state was asked for. */
export type AskedFor =
  | "newest"
  | "cached"
  | { readonly notOlderThan: number }
  | { readonly exactly: number }
  /** Exactly, and as far back as the history reaches. */
  | { readonly asOf: number };

export interface GetOperation extends Timed {
  readonly type: "get";
  readonly key: string;
  readonly at: AskedFor;
  readonly result: { readonly object: RecordedObject | null; readonly revision: number } | ReadFailure;
}

export interface ListOperation extends Timed {
  readonly type: "list";
  readonly prefix: string;
  readonly at: AskedFor;
  readonly limit?: number;
  /** Keys after this one only. */
  readonly after?: string;
  readonly result: ListAnswer | ReadFailure;
}

export interface ListAnswer {
  readonly items: readonly RecordedObject[];
  readonly revision: number;
  /** Keys after the last item. */
  readonly remaining: number;
}

/** `compacted`, `future` (too large a revision), `busy`, or no answer at all. */
export interface ReadFailure {
  readonly failed: "compacted" | "future" | "busy" | "none";
}

/**
 * A write with the condition that Kubernetes' clients make: absence (create), a revision (update, delete), or none. It is refused with
 * the reason that fits what the condition found.
 */
export interface WriteOperation extends Timed {
  readonly type: "create" | "update" | "delete";
  readonly key: string;
  /** For updates and deletions: the revision that the object must have; null: whichever it has. */
  readonly expected: number | null;
  /** Unique in the run, and kept with the change, so that it can be recognised in the log. */
  readonly request: string;
  /** Of the object that it would leave behind; null when that depends on what it finds. */
  readonly body: string | null;
  /** Revision of the state that the answer was given for, null when there was no object; absent when it was not recorded. */
  readonly judgedOn?: number | null;
  readonly result: WriteAnswer;
}

export type WriteAnswer =
  /** `revision` of the change; `body` of the object as it was answered. */
  | { readonly type: "done"; readonly revision: number; readonly body: string }
  /** The object was as wanted already. */
  | { readonly type: "unchanged"; readonly revision: number; readonly body: string }
  | { readonly type: "refused"; readonly reason: "AlreadyExists" | "NotFound" | "Conflict" }
  /** The store said that nothing was written. */
  | { readonly type: "busy" }
  /** The store said that nobody knows, or said nothing. */
  | { readonly type: "unknown" };

export type ReadOperation = GetOperation | ListOperation;
export type Operation = ReadOperation | WriteOperation;

/** One watch, from its request to its end. */
export interface WatchOperation {
  readonly client: string;
  readonly request: WatchRequest;
  /** In the order in which they came. */
  readonly responses: readonly WatchResponse[];
}

export interface WatchRequest {
  readonly prefix: string;
  /** Changes after this revision are wanted. */
  readonly after: number;
  /** Only objects with all these labels: one that begins to match is created for this watch, one that stops is deleted. */
  readonly selector?: Labels;
}

export type WatchResponse =
  | { readonly type: "events"; readonly events: readonly WatchEvent[] }
  /** Everything up to this revision has been delivered. */
  | { readonly type: "progress"; readonly revision: number };

export interface WatchEvent {
  readonly type: "create" | "update" | "delete";
  /** A deletion's carries the last state at the deletion's revision. */
  readonly object: RecordedObject;
  /** The state before, null if there was none; absent when it was not recorded. */
  readonly previous?: RecordedObject | null;
}

/** Something that must not be. */
export interface Violation {
  /** The check that found it. */
  readonly check: string;
  readonly message: string;
}
