/**
 * The store's interface: per cluster and storage resource an ordered log of changes, and the objects that follow from it.
 * Implemented by `openStore` over any {@link Table}. Nothing above it knows about slots, chunks or the view.
 */
import type { JsonObject } from "../api/objects.ts";

/** `slot × 1000 + position`, a safe integer; comparable within one storage resource. Handed to clients as `resourceVersion`. */
export type Revision = number;

/**
 * The last revision that a change in the same commit could have had: another name for the state after the commit, greater than that of
 * its last change and smaller than that of the next. Reads at it are answered as soon as the commit is known.
 */
export const endOfCommit = (revision: Revision): Revision => Math.floor(revision / 1_000) * 1_000 + 999;

/** An object at a revision. Frozen all the way down and shared: never change it. */
export interface Stored {
  /** `namespace/name`, or `name` for cluster-scoped resources: the store's order is the order of this key's bytes. */
  readonly key: string;
  readonly revision: Revision;
  /** Without `metadata.resourceVersion`: the revision is not part of the body (rule 22). */
  readonly value: JsonObject;
}

/** Who changed something: kept with the change. */
export interface Author {
  readonly user: string;
  readonly userAgent?: string;
  readonly auditId?: string;
}

/** What a proposal wants done, given the state it sees. */
export type Verdict =
  | { readonly type: "put"; readonly value: JsonObject }
  /** `value` is the object's last state, which watchers get with the deletion. */
  | { readonly type: "delete"; readonly value: JsonObject }
  /** The object is already as wanted: nothing is written, and the answer is the current object. */
  | { readonly type: "unchanged" }
  | { readonly type: "refused"; readonly error: Error };

/** State in front of a proposal: everything committed before the slot being claimed, and the proposals before it in that slot. */
export interface Judging {
  /** The change's time (a hybrid logical clock, never going back within a log). */
  readonly now: Date;
  /** Newest revision seen. */
  readonly head: Revision;
  /** Changes after `revision`, oldest first, those of the slot in the making included. Undefined when compacted. */
  changesSince(revision: Revision): readonly Change[] | undefined;
}

/** A write on its way: judged again on the newest state whenever its slot is lost (rule 12). */
export interface Proposal {
  readonly key: string;
  /**
   * Pure apart from reading; it must not wait for a commit to the same resource, which waits for it. Called again with a newer `current` after a lost race; a verdict for an unchanged `current` may be reused
   * unless `volatile`.
   */
  judge(current: Stored | undefined, judging: Judging): Verdict | Promise<Verdict>;
  /** Judge again on every attempt, even when `current` is unchanged (guards that look at other keys). */
  readonly volatile?: boolean;
  readonly author: Author;
  /** Marks the change, so that `changesSince` can tell a plan's own writes. */
  readonly plan?: string;
  /** Consumers to ring, decided once the outcome is known. Empty or absent: nobody. */
  ring?(next: JsonObject, previous: JsonObject | undefined): readonly string[];
}

export type Outcome =
  | { readonly type: "committed"; readonly object: Stored; readonly previous: Stored | undefined }
  | { readonly type: "deleted"; readonly object: Stored }
  | { readonly type: "unchanged"; readonly object: Stored }
  | { readonly type: "refused"; readonly error: Error };

/** One committed change. `object` is the state after it (for a deletion: the last state, at the deletion's revision). */
export interface Change {
  readonly type: "put" | "delete";
  readonly object: Stored;
  /** State before; undefined for a creation. */
  readonly previous: Stored | undefined;
  readonly time: Date;
  readonly author: Author;
  readonly plan: string | undefined;
}

/**
 * Which state a read shows: `newest` (strongly consistent), `cached` (any state this process knows, possibly old), not older than a
 * revision, or exactly at one that is not older than continue tokens may be. `asOf` reads back in time as far as the history reaches:
 * the state at a revision, or after the last change that was made at an instant or before it.
 */
export type At =
  | "newest"
  | "cached"
  | { readonly notOlderThan: Revision }
  | { readonly exactly: Revision }
  | { readonly asOf: Revision | Date };

export interface ListQuery {
  /** `namespace/`, or empty for all. */
  readonly prefix: string;
  readonly limit?: number;
  /** Keys strictly after this one. */
  readonly after?: string;
  /** Which state. */
  readonly at: At;
  /** How long to wait for a revision in the future. Default 3,000. */
  readonly waitMs?: number;
}

/** A snapshot at one revision. */
export interface ListResult {
  readonly items: readonly Stored[];
  readonly revision: Revision;
  /** Keys after the last item that also match the prefix, at that revision. */
  readonly remaining: number;
}

export type WatchItem =
  | { readonly type: "change"; readonly change: Change }
  /** Everything up to this revision has been delivered. */
  | { readonly type: "progress"; readonly revision: Revision };

export interface WatchQuery {
  readonly prefix: string;
  /** Changes after this revision. */
  readonly after: Revision;
  readonly signal: AbortSignal;
}

/** One storage resource of one cluster. */
export interface ResourceStore {
  /** Strongly consistent unless told otherwise. `revision` is the state's. */
  get(key: string, at?: At): Promise<{ readonly object: Stored | undefined; readonly revision: Revision }>;
  list(query: ListQuery): Promise<ListResult>;
  /**
   * Never throws for a refusal. Throws `OutcomeUnknownError` when the time budget ended before the outcome was known, and
   * `StoreBusyError` when nothing was written and the caller may try again.
   */
  commit(proposal: Proposal): Promise<Outcome>;
  /**
   * Every change after a revision up to the newest, oldest first, each with its time and author, as far back as the history reaches.
   * `consistent: false` answers from what this process knows already.
   * @throws {CompactedError} when some of them are gone: list again
   */
  changes(
    after: Revision,
    options?: { readonly consistent: boolean },
  ): Promise<{ readonly changes: readonly Change[]; readonly revision: Revision }>;
  /**
   * Ordered, each change once, from any retained revision. Ends (returns) when the signal aborts; a slow reader is ended with
   * `SlowReaderError`, never skipped.
   * @throws {CompactedError} when changes after `after` are gone
   */
  watch(query: WatchQuery): AsyncIterable<WatchItem>;
}

/** A cluster-bound handle: everything it reads and writes belongs to that cluster. */
export interface ClusterStore {
  readonly cluster: string;
  resource(storage: string): ResourceStore;
}

export interface Store {
  /** @throws {UnknownClusterError} */
  cluster(name: string): Promise<ClusterStore>;
  /** Names of the clusters that exist, in no order. */
  clusters(): Promise<readonly string[]>;
  /** Creates the cluster if it does not exist. Idempotent. */
  createCluster(name: string): Promise<ClusterStore>;
  /**
   * Ends every log of the cluster: from then on nothing is written, watches end with {@link CompactedError}, and the name may be used
   * again. {@link maintain} removes what is left, days later. Idempotent.
   * @throws {UnknownClusterError}
   */
  deleteCluster(name: string): Promise<void>;
  /**
   * Begins a new incarnation of a cluster whose table was restored from a backup or a copy, before anybody else uses the table. Clients may
   * have seen revisions that the backup never had, so everything gets higher ones: the objects are as they were, watches and continue
   * tokens from before are refused with {@link CompactedError}. An interrupted restore goes on when this is called again.
   * @throws {UnknownClusterError}
   */
  restoredCluster(name: string): Promise<ClusterStore>;
  /**
   * Upkeep of every log of a cluster (view, compaction, orphans, remains of deleted incarnations), within a budget.
   * @param budget `untilMs`: when to stop, in milliseconds since 1970 by the store's clock
   * @returns whether something is left to do
   * @throws {UnknownClusterError} when there never was such a cluster
   */
  maintain(cluster: string, budget: { readonly untilMs: number }): Promise<boolean>;
}

/** The revision is older than what is kept. */
export class CompactedError extends Error {
  override readonly name = "CompactedError";
  readonly requested: Revision;
  /** The oldest revision from which a watch can still start. */
  readonly oldest: Revision;
  constructor(requested: Revision, oldest: Revision) {
    super(`too old resource version: ${requested} (${oldest})`);
    this.requested = requested;
    this.oldest = oldest;
  }
}

/** The revision does not exist yet, and did not come within the wait. */
export class FutureRevisionError extends Error {
  override readonly name = "FutureRevisionError";
  readonly requested: Revision;
  readonly current: Revision;
  constructor(requested: Revision, current: Revision) {
    super(`Too large resource version: ${requested}, current: ${current}`);
    this.requested = requested;
    this.current = current;
  }
}

/** The write may or may not have happened; only a read can tell. */
export class OutcomeUnknownError extends Error {
  override readonly name: string = "OutcomeUnknownError";
}

/** The same, because there is no room for it: nothing is written any more until somebody makes room. */
export class StoreFullError extends OutcomeUnknownError {
  override readonly name = "StoreFullError";
}

/** Nothing was written; try again after a while. */
export class StoreBusyError extends Error {
  override readonly name: string = "StoreBusyError";
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds = 1, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The same, because the table does not answer; not because too much is asked of it. */
export class StoreUnavailableError extends StoreBusyError {
  override readonly name = "StoreUnavailableError";
}

/** A watcher did not keep up. It must start again from its last revision. */
export class SlowReaderError extends Error {
  override readonly name = "SlowReaderError";
}

export class UnknownClusterError extends Error {
  override readonly name = "UnknownClusterError";
}

/** The object is larger than the store takes (1.5 MiB of JSON). */
export class ObjectTooLargeError extends Error {
  override readonly name = "ObjectTooLargeError";
}
