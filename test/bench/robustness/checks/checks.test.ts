import { describe, expect, it } from "vitest";
import { checkHistory } from "../../../../bench/robustness/checks/index.ts";
import { settle } from "../../../../bench/robustness/checks/settle.ts";
import type { History, Operation, RecordedChange, WatchOperation } from "../../../../bench/robustness/history.ts";
import { at, changes, event, get, history, list, object, refused, stateOf, watch, write } from "./histories.ts";

const all = changes.map((each) => each.object.revision);
const checksOf = (each: History) => [...new Set(checkHistory(each).map(({ check }) => check))];

describe("the nine checks of watches", () => {
  const clean: readonly { readonly name: string; readonly watch: WatchOperation }[] = [
    { name: "one that sees it all", watch: watch(0, all) },
    { name: "one that begins in the middle of a slot", watch: watch(at(2), [at(2, 2), at(3)]) },
    { name: "one with progress", watch: watch(at(1), [[at(2), at(2, 2)], { progress: at(2, 2) }, at(3), { progress: at(3) }]) },
    { name: "one under a prefix", watch: watch(0, [at(2), at(4), { progress: at(5) }], { prefix: "b" }) },
    {
      name: "one with a selector: what stops matching is deleted",
      watch: watch(
        0,
        [
          at(2),
          event(at(4), { type: "delete", object: { ...object("b", at(2), { color: "red" }), revision: at(4) } }),
          { progress: at(5) },
        ],
        { selector: { color: "red" } },
      ),
    },
    { name: "one that does not tell what was before", watch: watch(0, [{ type: "create", object: object("a", at(1)) }]) },
    { name: "one that hears nothing, from the future", watch: watch(at(9), []) },
  ];
  it.each(clean)("find nothing wrong with $name", ({ watch: each }) => expect(checkHistory(history([], [each]))).toEqual([]));

  const previous = stateOf(at(1))[0]!;
  it.each<{ check: string; what: string; watch: WatchOperation }>([
    { check: "filter", what: "an event of another key", watch: watch(0, [at(1)], { prefix: "b" }) },
    { check: "filter", what: "an event that the selector does not match", watch: watch(0, [at(1)], { selector: { color: "red" } }) },
    { check: "filter", what: "an event of the revision that was asked for", watch: watch(at(1), [at(1), at(2)]) },
    { check: "ordered", what: "an event before the last one", watch: watch(0, [at(1), at(2, 2), at(2)]) },
    { check: "unique", what: "an event twice", watch: watch(0, [at(1), [at(2), at(2)]]) },
    { check: "atomic", what: "one revision in two responses", watch: watch(0, [at(1), at(2), at(2)]) },
    { check: "bookmarkable", what: "an event that progress had told of", watch: watch(0, [at(1), { progress: at(2) }, at(2)]) },
    { check: "bookmarkable", what: "progress that goes back", watch: watch(0, [at(1), { progress: at(2) }, { progress: at(1) }]) },
    { check: "bookmarkable", what: "progress behind an event", watch: watch(0, [at(1), at(2), { progress: at(1) }]) },
    { check: "resumable", what: "a first event that is not the first", watch: watch(at(1), [at(3)]) },
    { check: "isCreate", what: "an update that is called a creation", watch: watch(at(2, 2), [event(at(3), { type: "create" })]) },
    { check: "isCreate", what: "a creation that is called an update", watch: watch(0, [event(at(1), { type: "update" })]) },
    { check: "reliable", what: "a missing event", watch: watch(0, [at(1), at(2), at(3)]) },
    { check: "reliable", what: "a missing event before progress", watch: watch(0, [at(1), { progress: at(3) }]) },
    { check: "reliable", what: "another body", watch: watch(0, [event(at(1), { object: { ...object("a", at(1)), body: "x" } })]) },
    { check: "reliable", what: "a deletion told as an update", watch: watch(at(4), [event(at(5), { type: "update" })]) },
    { check: "reliable", what: "an event that never was", watch: watch(at(5), [event(at(5), { object: object("d", at(6)) })]) },
    { check: "prevKv", what: "another state before", watch: watch(at(3), [event(at(4), { previous })]) },
    { check: "prevKv", what: "no state before", watch: watch(at(3), [event(at(4), { previous: null })]) },
  ])("$check: finds $what", ({ check, watch: each }) => expect(checksOf(history([], [each]))).toContain(`watch ${check}`));
});

describe("the checks of operations", () => {
  const writes: readonly Operation[] = all.map((revision, index) => write(revision, [index, index + 0.5], { client: `writer${index}` }));

  it.each<{ name: string; operations: readonly Operation[] }>([
    { name: "writes and reads one after the other", operations: [...writes, get("a", at(5), [10, 11]), list(at(5), [10, 11])] },
    {
      name: "reads of any state while it is written",
      operations: [...writes, get("a", at(1), [0.1, 3.4]), get("a", at(3), [0.1, 3.4], { client: "other" })],
    },
    { name: "a read at a past revision", operations: [...writes, list(at(2), [10, 11], { at: { exactly: at(2) } })] },
    { name: "a cached read", operations: [...writes, list(at(2), [10, 11], { at: "cached" })] },
    {
      name: "pages",
      operations: [
        list(at(4), [10, 11], {
          limit: 1,
          result: { items: stateOf(at(4)).slice(0, 1), revision: at(4), remaining: 2 },
          at: { exactly: at(4) },
        }),
        list(at(4), [12, 13], {
          limit: 2,
          after: "a",
          result: { items: stateOf(at(4)).slice(1), revision: at(4), remaining: 0 },
          at: { exactly: at(4) },
        }),
      ],
    },
    {
      name: "refusals",
      operations: [
        ...writes,
        refused("create", "a", null, "AlreadyExists", [10, 11]),
        refused("update", "b", at(2), "Conflict", [10, 11]),
        refused("delete", "c", null, "NotFound", [10, 11]),
      ],
    },
    {
      name: "a refusal that was right for a moment of its time",
      operations: [...writes, refused("create", "c", null, "AlreadyExists", [4.9, 8])],
    },
    {
      name: "writes without an answer",
      operations: writes.map((each) => ({ ...each, return: null, result: { type: "unknown" } }) as Operation),
    },
    {
      name: "a write without an answer that never was",
      operations: [...writes, write(at(1), [10, null], { request: "lost", result: { type: "unknown" } })],
    },
    {
      name: "a cached read of the past after a write without an answer, which somebody else saw in the log",
      operations: [
        ...writes.slice(0, -1),
        write(at(5), [10, null], { client: "one", result: { type: "unknown" } }),
        list(at(4), [12, 13], { client: "one", at: "cached" }),
      ],
    },
    {
      name: "an old revision that is compacted",
      operations: [list(at(1), [9_000, 9_001], { at: { exactly: at(1) }, result: { failed: "compacted" } })],
    },
    {
      name: "a revision that is not there yet",
      operations: [list(at(9), [1, 2], { at: { notOlderThan: at(9) }, result: { failed: "future" } })],
    },
  ])("find nothing wrong with $name", ({ operations }) => expect(checkHistory(history(operations))).toEqual([]));

  const unread = { items: stateOf(at(4)), revision: at(5), remaining: 0 };
  it.each<{ check: string; what: string; operations: readonly Operation[]; log?: readonly RecordedChange[] }>([
    { check: "reads", what: "a list that is not the state at its revision", operations: [list(at(5), [10, 11], { result: unread })] },
    {
      check: "reads",
      what: "a wrong number of what remains",
      operations: [list(at(4), [10, 11], { limit: 1, result: { items: stateOf(at(4)).slice(0, 1), revision: at(4), remaining: 1 } })],
    },
    {
      check: "reads",
      what: "another order",
      operations: [list(at(4), [10, 11], { result: { items: stateOf(at(4)).toReversed(), revision: at(4), remaining: 0 } })],
    },
    { check: "reads", what: "a page that repeats a key", operations: [list(at(4), [10, 11], { after: "a" })] },
    { check: "reads", what: "another revision than the exact one", operations: [list(at(4), [10, 11], { at: { exactly: at(3) } })] },
    { check: "reads", what: "an older revision than wanted", operations: [list(at(4), [10, 11], { at: { notOlderThan: at(5) } })] },
    {
      check: "reads",
      what: "a get of a deleted object",
      operations: [get("c", at(5), [10, 11], { result: { object: object("c", at(2, 2)), revision: at(5) } })],
    },
    {
      check: "reads",
      what: "a revision that the log does not have",
      operations: [get("a", at(6), [10, 11], { result: { object: object("a", at(3)), revision: at(6) } })],
    },
    {
      check: "reads",
      what: "a young revision called compacted",
      operations: [list(at(4), [at(5), at(5) + 1], { at: { exactly: at(4) }, result: { failed: "compacted" } })],
    },
    {
      check: "reads",
      what: "a revision called too large after it was there",
      operations: [list(at(4), [10, 11], { at: { notOlderThan: at(4) }, result: { failed: "future" } })],
    },
    { check: "linearizability", what: "a stale read", operations: [...writes, get("a", at(1), [10, 11])] },
    { check: "linearizability", what: "a read of the future", operations: [...writes, get("a", at(3), [0.6, 0.7])] },
    {
      check: "linearizability",
      what: "two reads that go back",
      operations: [...writes.slice(0, 3), write(at(3), [3, 20]), get("a", at(3), [4, 5]), get("a", at(1), [6, 7], { client: "other" })],
    },
    { check: "linearizability", what: "an old refusal", operations: [...writes, refused("create", "c", null, "AlreadyExists", [10, 11])] },
    {
      check: "linearizability",
      what: "a conflict for somebody else's change",
      operations: [...writes, refused("update", "b", at(4), "Conflict", [10, 11])],
    },
    {
      check: "linearizability",
      what: "a creation of what is there",
      operations: [writes[0]!, write(at(3), [3, 4], { type: "create", expected: null })],
    },
    {
      check: "linearizability",
      what: "a write judged on an old state",
      operations: [...writes.slice(0, 4), write(at(4), [4, 5], { expected: null, judgedOn: null })],
    },
    { check: "real time", what: "a list that lacks what was acknowledged", operations: [...writes, list(at(4), [10, 11])] },
    {
      check: "real time",
      what: "a write below an answered revision",
      operations: [list(at(3), [0, 1], { at: "cached" }), write(at(2), [2, 3])],
    },
    {
      check: "monotonic reads",
      what: "a client's cached reads going back",
      operations: [list(at(3), [0, 1], { at: "cached" }), list(at(2), [2, 3], { at: "cached" })],
    },
    { check: "writes", what: "an acknowledged write that is not there", operations: [write(at(1), [0, 1], { request: "lost" })] },
    {
      check: "writes",
      what: "an acknowledged write at another revision",
      operations: [write(at(1), [0, 1], { result: { type: "done", revision: at(2), body: "x" } })],
    },
    {
      check: "writes",
      what: "a refused write that is there",
      operations: [write(at(1), [0, 1], { result: { type: "refused", reason: "Conflict" } })],
    },
    {
      check: "writes",
      what: "a write that is said not to have been made",
      operations: [write(at(1), [0, 1], { result: { type: "busy" } })],
    },
    { check: "writes", what: "a write made twice", operations: [], log: changes.map((each) => ({ ...each, request: "same" })) },
    { check: "log", what: "a hole", operations: [], log: changes.toSpliced(3, 1) },
    {
      check: "log",
      what: "a change on a state that was not there",
      operations: [],
      log: changes.map((each) => ({ ...each, previous: null })),
    },
    { check: "log", what: "an id twice", operations: [], log: changes.map((each) => ({ ...each, id: "same" })) },
  ])("$check: finds $what", ({ check, operations, log }) => expect(checksOf(history(operations, [], log))).toContain(check));
});

describe("settling what nobody was told", () => {
  const unknown = (revision: number, call: number) => write(revision, [call, null], { result: { type: "unknown" } });

  it("takes the outcome from the log, and the time from whoever saw it first", () => {
    const operations = [unknown(at(1), 0.5), get("a", at(1), [0.6, 0.7])];
    const [settled] = settle(history(operations));
    expect(settled).toMatchObject({ return: 0.7, result: { type: "done", revision: at(1) } });
    const [seen] = settle(history([unknown(at(1), 0.5)]));
    expect(seen).toMatchObject({ return: at(1) / 1_000 });
  });

  it("leaves out what is not in the log, and reads without an answer", () => {
    const never = write(at(1), [0, null], { request: "never", result: { type: "unknown" } });
    expect(settle(history([never, get("a", at(1), [0, null], { result: { failed: "none" } })]))).toEqual([]);
  });
});
