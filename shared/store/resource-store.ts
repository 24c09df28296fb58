/** One storage resource of one cluster: reads from the cache and the tail, writes through the committer. */
import type { Log } from "../runtime/log.ts";
import type { LogCache } from "./cache.ts";
import { Committer } from "./committer.ts";
import { Helper } from "./helper.ts";
import { checkFloor, extendOverlay, nextSlots, overlayAt, positionAfter } from "./history.ts";
import { revisionAtInstant } from "./instants.ts";
import { Poller } from "./poller.ts";
import { type Arrival, isKnownAtHead, objectIn, type ResourceLog } from "./resource-log.ts";
import { passing } from "./retry.ts";
import { cutSnapshot } from "./snapshot.ts";
import {
  type At,
  type Change,
  CompactedError,
  FutureRevisionError,
  type ListQuery,
  type ListResult,
  type Outcome,
  type Proposal,
  type ResourceStore,
  type Revision,
  StoreBusyError,
  type Stored,
  StoreUnavailableError,
  UnknownClusterError,
  type WatchItem,
  type WatchQuery,
} from "./store.ts";
import { ThrottledError } from "./table.ts";
import { SlotsGoneError } from "./tail.ts";
import { watchLog } from "./watch.ts";

/** How long a read waits for a revision that is not there yet, and how often it looks. */
const defaultWaitMs = 3_000;
const lookAgainMs = 100;

export class LogResourceStore implements ResourceStore {
  readonly #log: ResourceLog;
  readonly #committer: Committer;
  readonly #helper: Helper;
  readonly #poller: Poller;

  constructor(
    log: ResourceLog,
    parts: { readonly report: Log; readonly newId: () => string; readonly beforeFirstSlot: () => Promise<void> },
  ) {
    this.#log = log;
    this.#helper = new Helper(log, parts.report);
    this.#poller = new Poller(log, parts.report);
    this.#committer = new Committer({ ...parts, log, afterCommit: (stopAt) => this.#helper.afterCommit(stopAt) });
  }

  get(key: string, at: At = "newest"): Promise<{ readonly object: Stored | undefined; readonly revision: Revision }> {
    return this.#reading(async () => {
      const arrival = this.#log.arrive();
      if (typeof at === "object" && "exactly" in at) return this.#getExactly(key, at.exactly, arrival);
      if (typeof at === "object" && "asOf" in at) return this.#getAsOf(key, await this.#revisionAsOf(at.asOf, arrival), arrival);
      for (;;) {
        const opened = await this.#log.opened();
        const [cache] = await Promise.all([this.#reach(opened, at, arrival, defaultWaitMs), this.#log.know(opened, key)]);
        this.#log.assertOpen(cache);
        if (isKnownAtHead(cache, key)) return { object: objectIn(cache, key), revision: cache.head.revision };
        // The view was ahead of the log's tail as we knew it, or all that we knew was forgotten.
        await this.#log.fresh(this.#log.arrive());
      }
    });
  }

  list(query: ListQuery): Promise<ListResult> {
    return this.#reading(async () => {
      const arrival = this.#log.arrive();
      const { at, waitMs = defaultWaitMs } = query;
      if (typeof at === "object" && "exactly" in at) return this.#listExactly(query, at.exactly, arrival, waitMs);
      if (typeof at === "object" && "asOf" in at) return this.#listAsOf(query, await this.#revisionAsOf(at.asOf, arrival), arrival, waitMs);
      for (;;) {
        const cache = await this.#reach(await this.#log.loaded(), at, arrival, waitMs);
        this.#log.assertOpen(cache);
        if (cache.complete) return { ...cutSnapshot(cache, query), revision: cache.head.revision };
      }
    });
  }

  async commit(proposal: Proposal): Promise<Outcome> {
    await this.#helper.admit();
    return this.#committer.commit(proposal);
  }

  changes(
    after: Revision,
    options: { readonly consistent: boolean } = { consistent: true },
  ): Promise<{ readonly changes: readonly Change[]; readonly revision: Revision }> {
    return this.#reading(async () => {
      const arrival = this.#log.arrive();
      const cache = options.consistent ? await this.#log.fresh(arrival) : await this.#log.opened();
      this.#log.assertOpen(cache);
      const changes: Change[] = [];
      let position = positionAfter(after);
      for (;;) {
        const step = await nextSlots(this.#log, cache, position);
        for (const slot of step.slots) changes.push(...slot.changes.filter(({ object }) => object.revision > after));
        position = step.position;
        // Whatever was committed meanwhile is left for the next call, unless it was read already.
        if (step.current) return { changes, revision: Math.max(changes.at(-1)?.object.revision ?? 0, cache.head.revision) };
      }
    });
  }

  async *watch(query: WatchQuery): AsyncGenerator<WatchItem> {
    try {
      yield* watchLog(this.#log, this.#poller, query);
    } catch (error) {
      throw error instanceof UnknownClusterError ? new CompactedError(query.after, query.after) : translated(error);
    }
  }

  /** For upkeep and tests. */
  get log(): ResourceLog {
    return this.#log;
  }

  /** A cache that is as new as the query wants. */
  async #reach(
    cache: LogCache,
    at: Exclude<At, { readonly exactly: Revision } | { readonly asOf: Revision | Date }>,
    arrival: Arrival,
    waitMs: number,
  ): Promise<LogCache> {
    if (at === "cached") return cache;
    if (at === "newest") return this.#log.fresh(arrival);
    if (cache.head.covers(at.notOlderThan)) return cache;
    return this.#waitFor(at.notOlderThan, arrival, waitMs);
  }

  /** @throws {FutureRevisionError} when the revision does not come */
  async #waitFor(revision: Revision, arrival: Arrival, waitMs: number): Promise<LogCache> {
    const { clock } = this.#log.parts.patience;
    const deadline = clock.now().getTime() + waitMs;
    for (let since = arrival; ; since = this.#log.arrive()) {
      const cache = await this.#log.fresh(since);
      if (cache.head.covers(revision)) return cache;
      const left = deadline - clock.now().getTime();
      if (left <= 0) throw new FutureRevisionError(revision, cache.head.revision);
      await clock.sleep(Math.min(lookAgainMs, left));
    }
  }

  async #listExactly(query: ListQuery, revision: Revision, arrival: Arrival, waitMs: number): Promise<ListResult> {
    const cache = await this.#knowing(await this.#log.opened(), revision, arrival, waitMs);
    await checkFloor(this.#log, cache, revision);
    return this.#listAsOf(query, revision, arrival, waitMs);
  }

  async #getExactly(key: string, revision: Revision, arrival: Arrival) {
    const cache = await this.#knowing(await this.#log.opened(), revision, arrival, defaultWaitMs);
    await checkFloor(this.#log, cache, revision);
    return this.#getAsOf(key, revision, arrival);
  }

  /** The state at a revision, whether or not it is below the floor: what is really gone shows by itself. */
  async #listAsOf(query: ListQuery, revision: Revision, arrival: Arrival, waitMs: number): Promise<ListResult> {
    for (;;) {
      const cache = await this.#knowing(await this.#log.loaded(), revision, arrival, waitMs);
      const { overlay, position } = await overlayAt(this.#log, cache, revision);
      if (cache.complete && extendOverlay(overlay, cache, position)) return { ...cutSnapshot(cache, query, overlay), revision };
    }
  }

  async #getAsOf(key: string, revision: Revision, arrival: Arrival) {
    for (;;) {
      const cache = await this.#knowing(await this.#log.opened(), revision, arrival, defaultWaitMs);
      await this.#log.know(cache, key);
      const { overlay, position } = await overlayAt(this.#log, cache, revision);
      if (!isKnownAtHead(cache, key)) await this.#log.fresh(this.#log.arrive());
      else if (extendOverlay(overlay, cache, position))
        return { object: overlay.has(key) ? overlay.get(key) : objectIn(cache, key), revision };
    }
  }

  /** A cache that has come to a revision. */
  async #knowing(cache: LogCache, revision: Revision, arrival: Arrival, waitMs: number): Promise<LogCache> {
    const reached = cache.head.covers(revision) ? cache : await this.#waitFor(revision, arrival, waitMs);
    this.#log.assertOpen(reached);
    return reached;
  }

  /** An instant is looked up in what was committed before the request arrived, and that may be after all that this process knows. */
  async #revisionAsOf(asOf: Revision | Date, arrival: Arrival): Promise<Revision> {
    return typeof asOf === "number" ? asOf : revisionAtInstant(this.#log, await this.#log.fresh(arrival), asOf);
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw translated(error);
    }
  }
}

/** Trouble with the table, in the store's words. */
function translated(error: unknown): unknown {
  if (error instanceof ThrottledError) return new StoreBusyError("the table throttles", 1, { cause: error });
  if (passing(error) || error instanceof SlotsGoneError) return new StoreUnavailableError("the table did not answer", 1, { cause: error });
  return error;
}
