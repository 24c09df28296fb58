/** Watches: the changes after a revision as events, for those objects that the watcher selected. */
import type { AnyObject, Kind } from "../api/kind.ts";
import type { Clock } from "../runtime/clock.ts";
import {
  type Change,
  CompactedError,
  type ListQuery,
  type ListResult,
  type ResourceStore,
  type Revision,
  SlowReaderError,
} from "../store/store.ts";
import { expired, parseRevision, toStatusError } from "./errors.ts";
import { interleave } from "./interleave.ts";
import { checkWatchOptions } from "./options.ts";
import { present, presentAt } from "./present.ts";
import type { WatchEvent, WatchParameters } from "./registry.ts";
import { type Selection, select } from "./selection.ts";

/** Upstream's: a bookmark a minute keeps a quiet watch's revision young. */
const bookmarkEveryMs = 60_000;

export interface WatchOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a watch begins with: the state as ADDED events, or nothing. */
interface Beginning {
  readonly objects: readonly AnyObject[];
  readonly after: Revision;
  /** A bookmark tells that the initial events are over. */
  readonly marksEnd: boolean;
}

/** Rejects for bad options and for a WatchList at a revision that does not come; later failures are ERROR events. */
export async function watchObjects(
  store: ResourceStore,
  kind: Kind,
  parameters: WatchParameters,
  options: WatchOptions,
): Promise<AsyncIterable<WatchEvent>> {
  checkWatchOptions(parameters);
  const selection = select(kind, parameters);
  const beginning = await begin(store, kind, selection, parameters);
  return events(store, kind, selection, beginning, parameters.allowWatchBookmarks, options);
}

async function begin(store: ResourceStore, kind: Kind, selection: Selection, parameters: WatchParameters): Promise<Beginning> {
  const revision = parseRevision(parameters.resourceVersion);
  // Without a revision (or from "any") a watch has always begun with the state, also before clients could ask for it.
  const initial = parameters.sendInitialEvents ?? (revision === undefined || revision === 0);
  if (!initial) {
    if (revision) return { objects: [], after: revision, marksEnd: false };
    const { revision: after } = await store.list({ prefix: selection.prefix, limit: 1, at: revision === 0 ? "cached" : "newest" });
    return { objects: [], after, marksEnd: false };
  }
  const at: ListQuery["at"] = revision === undefined ? "newest" : revision === 0 ? "cached" : { notOlderThan: revision };
  const state = await stateOf(store, selection, at);
  const objects = state.items.map((stored) => present(kind, stored)).filter(selection.matches);
  return { objects, after: state.revision, marksEnd: parameters.allowWatchBookmarks };
}

async function stateOf(
  store: ResourceStore,
  { key, prefix }: Selection,
  at: ListQuery["at"],
): Promise<Pick<ListResult, "items" | "revision">> {
  if (key === undefined) return store.list({ prefix, at });
  const { object, revision } = await store.get(key, at);
  return { items: object === undefined ? [] : [object], revision };
}

async function* events(
  store: ResourceStore,
  kind: Kind,
  selection: Selection,
  { objects, after, marksEnd }: Beginning,
  bookmarks: boolean,
  { clock, signal }: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  for (const object of objects) yield { type: "ADDED", object };
  if (marksEnd) yield bookmark(after, true);

  // `reached`: everything up to this revision was looked at; `told`: the revision that the watcher could go on from.
  let reached = after;
  let told = marksEnd ? after : 0;
  const left = new AbortController();
  const items = store.watch({ prefix: selection.key ?? selection.prefix, after, signal: AbortSignal.any([signal, left.signal]) });
  try {
    for await (const item of interleave(items, { clock, everyMs: bookmarks ? bookmarkEveryMs : undefined, signal })) {
      if (item === "tick") {
        yield bookmark(reached, false);
        told = reached;
        continue;
      }
      if (item.type === "progress") {
        reached = Math.max(reached, item.revision);
        continue;
      }
      reached = item.change.object.revision;
      const event = eventOf(kind, selection, item.change);
      if (event === undefined) continue;
      yield event;
      told = reached;
    }
    if (bookmarks && reached > told) yield bookmark(reached, false);
  } catch (error) {
    if (signal.aborted) {
      if (bookmarks && reached > told) yield bookmark(reached, false);
      return;
    }
    // Ending a watch is always allowed: the watcher goes on from its last revision.
    if (error instanceof SlowReaderError) return;
    yield { type: "ERROR", error: errorOf(error) };
  } finally {
    left.abort();
  }
}

const bookmark = (revision: Revision, initialEventsEnd: boolean): WatchEvent => ({
  type: "BOOKMARK",
  resourceVersion: String(revision),
  initialEventsEnd,
});

const errorOf = (error: unknown) =>
  error instanceof CompactedError ? expired(`too old resource version: ${error.requested} (${error.oldest})`, error) : toStatusError(error);

/** What a change is to somebody who sees only the selected objects: they come and go as they begin and cease to match. */
function eventOf(kind: Kind, selection: Selection, { type, object, previous }: Change): WatchEvent | undefined {
  if (selection.key !== undefined && object.key !== selection.key) return undefined;
  const before = previous !== undefined && selection.matches(present(kind, previous));
  const next = present(kind, object);
  if (type === "delete") return before ? { type: "DELETED", object: next } : undefined;
  if (selection.matches(next)) return { type: before ? "MODIFIED" : "ADDED", object: next };
  return before && previous ? { type: "DELETED", object: presentAt(kind, previous, object.revision) } : undefined;
}
