/** Lists: a snapshot at one revision, in pages where asked for. */
import type { AnyObject, Kind } from "../api/kind.ts";
import { badRequest } from "../errors/status-error.ts";
import { CompactedError, endOfCommit, type ListQuery, type ResourceStore, type Revision, type Stored } from "../store/store.ts";
import { type ContinueFrom, decodeContinue, encodeContinue } from "./continue-token.ts";
import { expired, parseRevision } from "./errors.ts";
import { checkListOptions } from "./options.ts";
import { present } from "./present.ts";
import type { ListAnswer, ListParameters } from "./registry.ts";
import { type Selection, select } from "./selection.ts";

/** Objects read at a time while looking for the ones that a selector wants. */
const chunk = 1_000;
/** After this age a continue token is not taken any more; kube-apiserver compacts every five minutes. */
const tokenAgeMs = 5 * 60_000;

export async function listObjects(store: ResourceStore, kind: Kind, parameters: ListParameters, now: Date): Promise<ListAnswer> {
  checkListOptions(parameters);
  const selection = select(kind, parameters);
  const from = parameters.continue ? decodeContinue(parameters.continue) : undefined;
  const at = from === undefined ? stateFor(parameters) : stateOfPage(from, parameters);
  if (selection.key !== undefined) return single(store, kind, selection, selection.key, at);
  // Where nothing changes nothing is compacted, and a token could be used for ever; clients may count on it that it cannot.
  if (from?.revision !== undefined && from.since !== undefined && now.getTime() - from.since > tokenAgeMs)
    throw expiredPage(from, undefined);
  const paging: Paging = {
    store,
    kind,
    selection,
    since: (from?.revision === undefined ? undefined : from.since) ?? now.getTime(),
    // The rest of an inconsistent list is another list than its beginning, also when nothing has changed since.
    named: from && from.revision === undefined ? endOfCommit : (revision) => revision,
  };
  try {
    return await page(paging, at, parameters.limit, from);
  } catch (error) {
    if (error instanceof CompactedError && from !== undefined) throw expiredPage(from, error);
    throw error;
  }
}

/** What all pages of a list have in common. */
interface Paging {
  readonly store: ResourceStore;
  readonly kind: Kind;
  readonly selection: Selection;
  /** When the first page was answered, in milliseconds since 1970. */
  readonly since: number;
  /** Under which revision clients know the state at a revision. */
  readonly named: (revision: Revision) => Revision;
}

/** Which state a first page shows. */
function stateFor({ resourceVersion, resourceVersionMatch, limit }: ListParameters): ListQuery["at"] {
  const revision = parseRevision(resourceVersion);
  if (revision === undefined) return "newest";
  if (resourceVersionMatch === "Exact") return { exactly: revision };
  if (revision === 0) return "cached";
  // An old client that pages from a revision means that very revision.
  return resourceVersionMatch === undefined && isPaged(limit) ? { exactly: revision } : { notOlderThan: revision };
}

function stateOfPage({ revision }: ContinueFrom, { resourceVersion }: ListParameters): ListQuery["at"] {
  if (resourceVersion && resourceVersion !== "0") throw badRequest("specifying resource version is not allowed when using continue");
  return revision === undefined ? "newest" : { exactly: revision };
}

async function single(store: ResourceStore, kind: Kind, selection: Selection, key: string, at: ListQuery["at"]): Promise<ListAnswer> {
  const { object, revision } = await store.get(key, at);
  const items = object === undefined ? [] : [present(kind, object)].filter(selection.matches);
  return { items, resourceVersion: String(revision) };
}

/** Upstream takes any limit that is not positive for none. */
const isPaged = (limit: number | undefined): limit is number => limit !== undefined && limit > 0;

async function page(paging: Paging, at: ListQuery["at"], limit: number | undefined, from: ContinueFrom | undefined): Promise<ListAnswer> {
  const { store, kind, selection } = paging;
  const { prefix } = selection;
  const start = from === undefined ? undefined : prefix + from.after;
  if (!isPaged(limit)) {
    const all = await store.list({ prefix, at, ...(start !== undefined && { after: start }) });
    return { items: selected(kind, selection, all.items), resourceVersion: String(paging.named(all.revision)) };
  }
  if (selection.everything) {
    const { items, revision, remaining } = await store.list({ prefix, at, limit, ...(start !== undefined && { after: start }) });
    const last = items.at(-1);
    return {
      items: selected(kind, selection, items),
      resourceVersion: String(paging.named(revision)),
      ...(remaining > 0 && last && { continue: continueAfter(paging, last, revision), remainingItemCount: remaining }),
    };
  }
  return filteredPage(paging, at, limit, start);
}

const continueAfter = ({ selection, since, named }: Paging, last: Stored, revision: Revision): string =>
  encodeContinue({ revision: named(revision), after: last.key.slice(selection.prefix.length), since });

/** A page of selected objects: reads on at the first chunk's revision until the page is full. */
async function filteredPage(paging: Paging, at: ListQuery["at"], limit: number, start: string | undefined): Promise<ListAnswer> {
  const { store, kind, selection } = paging;
  const items: AnyObject[] = [];
  let after = start;
  let state = at;
  for (;;) {
    const part = await store.list({ prefix: selection.prefix, at: state, limit: chunk, ...(after !== undefined && { after }) });
    const resourceVersion = String(paging.named(part.revision));
    for (const [index, stored] of part.items.entries()) {
      const object = present(kind, stored);
      if (!selection.matches(object)) continue;
      items.push(object);
      const more = part.remaining > 0 || index + 1 < part.items.length;
      if (items.length === limit && more) return { items, resourceVersion, continue: continueAfter(paging, stored, part.revision) };
    }
    const last = part.items.at(-1);
    if (part.remaining === 0 || last === undefined) return { items, resourceVersion };
    after = last.key;
    state = { exactly: part.revision };
  }
}

const selected = (kind: Kind, selection: Selection, stored: readonly Stored[]): AnyObject[] => {
  const objects = stored.map((one) => present(kind, one));
  return selection.everything ? objects : objects.filter(selection.matches);
};

const inconsistent =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, " +
  "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an " +
  "inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** 410 with a token that goes on after the same key, at the newest revision. */
const expiredPage = (from: ContinueFrom, cause: unknown) =>
  expired(inconsistent, cause, encodeContinue({ revision: undefined, after: from.after }));
