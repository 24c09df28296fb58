/** What the store must do over any table. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { StoreSettings } from "../../shared/store/settings.ts";
import {
  CompactedError,
  FutureRevisionError,
  ObjectTooLargeError,
  type ResourceStore,
  type Store,
  UnknownClusterError,
} from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import { create, inWords, keysOf, modify, objectOf, put, remove, take, update, wordFor } from "./stores.ts";

export interface StoreSuite {
  /** A new table for each test. */
  readonly table: () => Promise<Table>;
  readonly clock: Clock;
}

export function describeStore(name: string, { table: makeTable, clock }: StoreSuite): void {
  describe(`a store over ${name}`, () => {
    let table: Table;
    let store: Store;
    let pods: ResourceStore;
    const process = (settings: Partial<StoreSettings> = {}) =>
      openStore({ table, clock, log: silentLog, settings: { pollBusyMs: 5, pollIdleMs: 20, ...settings } });
    const elsewhere = async (settings?: Partial<StoreSettings>) => (await process(settings).cluster("default")).resource("pods");

    beforeEach(async () => {
      table = await makeTable();
      store = process();
      pods = (await store.createCluster("default")).resource("pods");
    });

    describe("clusters", () => {
      it("are unknown until they are created, and created once", async () => {
        await expect(process().cluster("dev")).rejects.toBeInstanceOf(UnknownClusterError);
        const [one, other] = await Promise.all([process().createCluster("dev"), process().createCluster("dev")]);
        await one.resource("pods").commit(put("a"));
        expect(await keysOf(other.resource("pods"))).toEqual(["a"]);
      });

      it("know nothing of each other, nor do resources", async () => {
        await pods.commit(put("a"));
        expect(await keysOf((await store.createCluster("dev")).resource("pods"))).toEqual([]);
        expect(await keysOf((await store.cluster("default")).resource("nodes"))).toEqual([]);
      });

      it("have names that can stand in a key", async () => {
        for (const name of ["", "a#b", "A", "-a", "a/b", "a".repeat(64)])
          await expect(store.createCluster(name)).rejects.toThrow(RangeError);
      });
    });

    describe("objects", () => {
      it("are read back by every process as they were written", async () => {
        const value = { metadata: { name: "a", labels: { x: "ä😀" } }, list: [1, -2.5, true, null, { deep: [] }], empty: {} };
        const written = objectOf(await pods.commit(put("default/a", value)));
        for (const reader of [pods, await elsewhere()]) {
          const { object, revision } = await reader.get("default/a");
          expect(object).toEqual(written);
          expect(object?.value).toEqual(value);
          expect(revision).toBe(written.revision);
        }
      });

      it("keep numbers that a double cannot hold", async () => {
        const value = { big: JSON.rawJSON("9007199254740993"), float: JSON.rawJSON("1.0"), small: 1 };
        await pods.commit(put("a", value));
        const { object } = await (await elsewhere()).get("a");
        expect(JSON.stringify(object?.value)).toBe('{"big":9007199254740993,"float":1.0,"small":1}');
        await store.maintain("default", { untilMs: Infinity });
        expect(JSON.stringify((await (await elsewhere()).get("a")).object?.value)).toBe('{"big":9007199254740993,"float":1.0,"small":1}');
      });

      it("never carry members that JSON does not know", async () => {
        const big = JSON.rawJSON("9007199254740993");
        const { value } = objectOf(await pods.commit(put("a", { kept: 1, big, dropped: undefined })));
        expect(JSON.stringify(value)).toBe('{"kept":1,"big":9007199254740993}');
        expect(Object.keys(value)).toEqual(["kept", "big"]);
      });

      it.each([1_000, 100_000, 1_500_000])("may be as large as %i bytes, however badly they compress", async (size) => {
        const value = { data: noise(size) };
        await pods.commit(put("a", value));
        await pods.commit(modify("a", (before) => ({ ...before, small: "change" })));
        expect((await (await elsewhere()).get("a")).object?.value).toEqual({ ...value, small: "change" });
        await store.maintain("default", { untilMs: Infinity });
        expect((await (await elsewhere()).get("a")).object?.value).toEqual({ ...value, small: "change" });
      });

      it("may be no larger than 1.5 MiB of JSON", async () => {
        const outcome = await pods.commit(put("a", { data: "x".repeat(1_572_864) }));
        expect(outcome).toMatchObject({ type: "refused", error: expect.any(ObjectTooLargeError) });
        expect((await pods.get("a")).object).toBeUndefined();
      });

      it("come and go", async () => {
        expect(wordFor(await pods.commit(create("a")))).toBe("committed");
        expect(wordFor(await pods.commit(create("a")))).toBe("AlreadyExists");
        const gone = await pods.commit(remove("a"));
        expect(gone).toMatchObject({ type: "deleted", object: { key: "a", value: { key: "a" } } });
        expect(wordFor(await pods.commit(remove("a")))).toBe("NotFound");
        expect((await (await elsewhere()).get("a")).object).toBeUndefined();
        expect(wordFor(await pods.commit(create("a")))).toBe("committed");
      });

      it("are answered as they are when nothing is to be done, without a new revision", async () => {
        const before = objectOf(await pods.commit(put("a")));
        const outcome = await pods.commit({ ...put("a"), judge: () => ({ type: "unchanged" }) });
        expect(outcome).toEqual({ type: "unchanged", object: before });
        expect((await pods.get("a")).revision).toBe(before.revision);
      });
    });

    describe("concurrent writers", () => {
      it("lose no increment of a counter, in one process and in several", async () => {
        await pods.commit(put("counter", { n: 0 }));
        const writers = [pods, await elsewhere(), await elsewhere()];
        await Promise.all(
          writers.flatMap((writer) =>
            Array.from({ length: 10 }, () => writer.commit(modify("counter", ({ n }) => ({ n: Number(n) + 1 })))),
          ),
        );
        expect((await pods.get("counter")).object?.value).toEqual({ n: 30 });
      });

      it("create an object once", async () => {
        const writers = [pods, await elsewhere(), await elsewhere()];
        const words = await Promise.all(
          writers.flatMap((writer) => [1, 2, 3].map(async (by) => wordFor(await writer.commit(create("a", { by }))))),
        );
        expect(words.filter((word) => word === "committed")).toHaveLength(1);
        expect(words.filter((word) => word === "AlreadyExists")).toHaveLength(8);
      });

      it("update a revision once", async () => {
        const { revision } = objectOf(await pods.commit(put("a")));
        const writers = [pods, await elsewhere(), await elsewhere()];
        const words = await Promise.all(writers.map(async (writer, by) => wordFor(await writer.commit(update("a", revision, { by })))));
        expect(words.toSorted()).toEqual(["Conflict", "Conflict", "committed"]);
      });
    });

    describe("lists", () => {
      const names = ["a-b/x", "a.b/x", "a/x", "a/y", "b/x"];
      beforeEach(async () => {
        await Promise.all(names.toReversed().map((name) => pods.commit(put(name))));
      });

      it("are in the order of the keys' bytes, from a warm process, from the log and from the view", async () => {
        expect(await keysOf(pods)).toEqual(names);
        expect(await keysOf(await elsewhere())).toEqual(names);
        await store.maintain("default", { untilMs: Infinity });
        expect(await keysOf(await elsewhere())).toEqual(names);
      });

      it("hold what the prefix asks for", async () => {
        expect(await keysOf(pods, "newest", "a/")).toEqual(["a/x", "a/y"]);
        expect(await keysOf(pods, "newest", "c/")).toEqual([]);
      });

      it("can be read page by page at one revision, exactly, while everything changes", async () => {
        const first = await pods.list({ prefix: "", limit: 2, at: "newest" });
        expect(first).toMatchObject({ remaining: 3, items: [{ key: "a-b/x" }, { key: "a.b/x" }] });
        const before = (await pods.get("b/x")).object;
        await Promise.all([pods.commit(remove("a/x")), pods.commit(put("a/xx")), pods.commit(put("b/x", { changed: true }))]);
        await pods.commit(put("b/x", { changed: "again" }));

        for (const reader of [pods, await elsewhere()]) {
          const second = await reader.list({ prefix: "", limit: 2, after: "a.b/x", at: { exactly: first.revision } });
          expect(second).toMatchObject({ revision: first.revision, remaining: 1, items: [{ key: "a/x" }, { key: "a/y" }] });
          const third = await reader.list({ prefix: "", limit: 2, after: "a/y", at: { exactly: first.revision } });
          expect(third).toEqual({ revision: first.revision, remaining: 0, items: [before] });
          expect((await reader.get("a/x", { exactly: first.revision })).object?.key).toBe("a/x");
          expect((await reader.get("a/xx", { exactly: first.revision })).object).toBeUndefined();
        }
      });

      it("wait for a revision that is on its way, and refuse one that does not come", async () => {
        const reader = await elsewhere();
        const { revision } = await reader.list({ prefix: "", at: "newest" });
        const next = revision + 1_000 - (revision % 1_000) + 1;
        const waiting = reader.list({ prefix: "", at: { notOlderThan: next }, waitMs: 5_000 });
        await pods.commit(put("c/x"));
        expect((await waiting).items).toHaveLength(6);
        await expect(reader.list({ prefix: "", at: { notOlderThan: next + 5_000 }, waitMs: 20 })).rejects.toBeInstanceOf(
          FutureRevisionError,
        );
        await expect(reader.list({ prefix: "", at: { exactly: next + 5_000 }, waitMs: 20 })).rejects.toBeInstanceOf(FutureRevisionError);
      });
    });

    describe("watches", () => {
      it("deliver what any process commits, in order and once", async () => {
        const { revision } = await pods.list({ prefix: "", at: "newest" });
        const stop = new AbortController();
        const items = take(pods.watch({ prefix: "", after: revision, signal: stop.signal }), 6);
        const other = await elsewhere();
        await pods.commit(put("a"));
        await other.commit(put("b"));
        await Promise.all([other.commit(put("c")), other.commit(put("d"))]);
        await pods.commit(remove("a"));
        await pods.commit(put("a"));
        expect((await items).map(inWords)).toEqual(["put a", "put b", "put c", "put d", "delete a", "put a"]);
      });

      it("begin at any revision, also in the middle of a slot", async () => {
        await Promise.all(["a", "b", "c", "d"].map((key) => pods.commit(put(key))));
        const all = (await pods.changes((await pods.get("a")).object!.revision - 1)).changes;
        expect(new Set(all.map(({ object }) => Math.floor(object.revision / 1000))).size).toBe(1);
        for (const reader of [pods, await elsewhere()]) {
          for (const [index, change] of all.entries()) {
            const watch = reader.watch({ prefix: "", after: change.object.revision, signal: new AbortController().signal });
            const rest = await take(watch, all.length - index - 1);
            expect(rest).toMatchObject(all.slice(index + 1).map((each) => ({ type: "change", change: { object: each.object } })));
          }
        }
      });

      it("tell what an object was before, also to a process that never knew it", async () => {
        const first = objectOf(await pods.commit(put("a", { n: 1, list: [1, 2, 3], gone: "x" })));
        const second = objectOf(await pods.commit(put("a", { n: 2, list: [0, 1, 2, 3], new: "y" })));
        await pods.commit(remove("a"));
        for (const reader of [pods, await elsewhere()]) {
          const { changes } = await reader.changes(first.revision - 1);
          expect(changes.map(({ type, previous }) => ({ type, previous }))).toEqual([
            { type: "put", previous: undefined },
            { type: "put", previous: first },
            { type: "delete", previous: second },
          ]);
        }
      });

      it("hold only what the prefix asks for", async () => {
        const { revision } = await pods.list({ prefix: "", at: "newest" });
        await pods.commit(put("b/x"));
        await pods.commit(put("a/x"));
        const watch = pods.watch({ prefix: "a/", after: revision, signal: new AbortController().signal });
        expect((await take(watch, 1)).map(inWords)).toEqual(["put a/x"]);
      });

      it("end when they are aborted", async () => {
        const stop = new AbortController();
        const { revision } = await pods.list({ prefix: "", at: "newest" });
        const items = take(pods.watch({ prefix: "", after: revision, signal: stop.signal }), 1);
        stop.abort();
        expect(await items).toEqual([]);
      });
    });

    describe("upkeep", () => {
      it("changes nothing that can be seen", async () => {
        const first = objectOf(await pods.commit(put("a", { n: 1 })));
        await pods.commit(put("a", { n: 2 }));
        await Promise.all([pods.commit(put("b")), pods.commit(put("c"))]);
        await pods.commit(remove("b"));
        const before = await pods.list({ prefix: "", at: "newest" });
        while (await store.maintain("default", { untilMs: Infinity }));
        for (const reader of [pods, await elsewhere()]) {
          expect(await reader.list({ prefix: "", at: "newest" })).toEqual(before);
          expect((await reader.get("a", { exactly: first.revision })).object).toEqual(first);
          expect((await reader.changes(first.revision)).changes).toHaveLength(4);
        }
      });

      it("takes history away once it is old enough, and says so", async () => {
        const tiny = { tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0 };
        const early = objectOf(await pods.commit(put("a")));
        for (let n = 0; n < 5; n++) await pods.commit(put("a", { n }));
        await clock.sleep(1_100); // DynamoDB's clock has whole seconds.
        await process(tiny).maintain("default", { untilMs: Infinity });
        const reader = await elsewhere();
        expect((await reader.get("a")).object?.value).toEqual({ n: 4 });
        await expect(reader.list({ prefix: "", at: { exactly: early.revision } })).rejects.toBeInstanceOf(CompactedError);
        await expect(reader.changes(early.revision)).rejects.toBeInstanceOf(CompactedError);
        const watch = reader.watch({ prefix: "", after: early.revision, signal: new AbortController().signal });
        await expect(take(watch, 1)).rejects.toBeInstanceOf(CompactedError);
      });
    });

    it("refuses revisions of an earlier life", async () => {
      const watch = pods.watch({ prefix: "", after: 7, signal: new AbortController().signal });
      await expect(take(watch, 1)).rejects.toBeInstanceOf(CompactedError);
      await expect(pods.list({ prefix: "", at: { exactly: 7 } })).rejects.toBeInstanceOf(CompactedError);
    });
  });
}

/** Text that does not compress well. */
function noise(length: number): string {
  let state = 1;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, length);
}
