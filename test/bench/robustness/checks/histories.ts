/** Short histories by hand: one log with three objects coming and going, and ways to say what clients saw of it. */
import type {
  GetOperation,
  History,
  ListOperation,
  Operation,
  RecordedChange,
  RecordedObject,
  WatchEvent,
  WatchOperation,
  WriteOperation,
} from "../../../../bench/robustness/history.ts";

export const at = (slot: number, position = 1): number => slot * 1_000 + position;

export const object = (key: string, revision: number, labels?: Record<string, string>): RecordedObject => ({
  key,
  revision,
  body: `${key} as of ${revision}`,
  ...(labels && { labels }),
});

const change = (
  type: "put" | "delete",
  key: string,
  revision: number,
  previous: number | null,
  labels?: Record<string, string>,
): RecordedChange => {
  const state = object(key, revision, labels);
  return { type, object: state, previous, request: `r${revision}`, id: `i${revision}`, time: revision, seenAt: revision / 1_000 };
};

const red = { color: "red" };

/** Slot 1: a. Slot 2: b (red), c. Slot 3: a again. Slot 4: b stops being red. Slot 5: c is gone. Each was seen at its slot's number. */
export const changes: readonly RecordedChange[] = [
  change("put", "a", at(1), null),
  change("put", "b", at(2), null, red),
  change("put", "c", at(2, 2), null),
  change("put", "a", at(3), at(1)),
  change("put", "b", at(4), at(2)),
  change("delete", "c", at(5), at(2, 2)),
];

export const stateOf = (revision: number): RecordedObject[] => {
  const state = new Map<string, RecordedObject>();
  for (const { type, object: next } of changes) {
    if (next.revision > revision) break;
    if (type === "put") state.set(next.key, next);
    else state.delete(next.key);
  }
  return [...state.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
};

export const history = (operations: readonly Operation[], watches: readonly WatchOperation[] = [], log = changes): History => ({
  log: { start: 0, changes: log, emptySlots: [], end: at(5), retentionMs: 2_000 },
  operations,
  watches,
});

type Times = readonly [call: number, end: number | null];

export const get = (key: string, revision: number, [call, end]: Times, rest: Partial<GetOperation> = {}): GetOperation => ({
  type: "get",
  client: "reader",
  call,
  return: end,
  key,
  at: "newest",
  result: { object: stateOf(revision).find((each) => each.key === key) ?? null, revision },
  ...rest,
});

export const list = (revision: number, [call, end]: Times, rest: Partial<ListOperation> = {}): ListOperation => ({
  type: "list",
  client: "lister",
  call,
  return: end,
  prefix: "",
  at: "newest",
  result: { items: stateOf(revision), revision, remaining: 0 },
  ...rest,
});

/** The write that made the log's change at a revision. */
export const write = (revision: number, [call, end]: Times, rest: Partial<WriteOperation> = {}): WriteOperation => {
  const made = changes.find((each) => each.object.revision === revision)!;
  const type = made.type === "delete" ? "delete" : made.previous === null ? "create" : "update";
  return {
    type,
    client: "writer",
    call,
    return: end,
    key: made.object.key,
    expected: made.previous,
    request: made.request,
    body: made.object.body,
    result: { type: "done", revision, body: made.object.body },
    ...rest,
  };
};

/** A write that is not in the log. */
export const refused = (
  type: WriteOperation["type"],
  key: string,
  expected: number | null,
  reason: "AlreadyExists" | "NotFound" | "Conflict",
  [call, end]: Times,
): WriteOperation => ({
  type,
  client: "refused",
  call,
  return: end,
  key,
  expected,
  request: `refused ${call}`,
  body: null,
  result: { type: "refused", reason },
});

export const event = (revision: number, rest: Partial<WatchEvent> = {}): WatchEvent => {
  const { type, object: next, previous } = changes.find((each) => each.object.revision === revision)!;
  const before = previous === null ? null : changes.find((each) => each.object.revision === previous)!.object;
  return { type: type === "delete" ? "delete" : before ? "update" : "create", object: next, previous: before, ...rest };
};

/** A watch: numbers stand for events, and `progress` for itself. */
export const watch = (
  after: number,
  responses: readonly (number | WatchEvent | readonly number[] | { readonly progress: number })[],
  request: Partial<WatchOperation["request"]> = {},
): WatchOperation => ({
  client: "watcher",
  request: { prefix: "", after, ...request },
  responses: responses.map((each) => {
    if (typeof each === "number") return { type: "events", events: [event(each)] };
    if ("progress" in each) return { type: "progress", revision: each.progress };
    return { type: "events", events: "object" in each ? [each] : each.map((revision) => event(revision)) };
  }),
});
