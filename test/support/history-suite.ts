/** What the store must tell about the past, and how it lets go of it, over any table. */
import { beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../shared/runtime/log.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { StoreSettings } from "../../shared/store/settings.ts";
import { CompactedError, type ResourceStore, type Store, UnknownClusterError } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import type { StoreSuite } from "./store-suite.ts";
import { keysOf, modify, objectOf, put, remove, take } from "./stores.ts";

const forever = { untilMs: Infinity };

export function describeHistory(name: string, { table: makeTable, clock }: StoreSuite): void {
  describe(`the history of a store over ${name}`, () => {
    let table: Table;
    let store: Store;
    let pods: ResourceStore;
    const process = (settings: Partial<StoreSettings> = {}) => openStore({ table, clock, log: silentLog, settings });
    const elsewhere = async (settings?: Partial<StoreSettings>, storage = "pods") =>
      (await process(settings).cluster("default")).resource(storage);

    beforeEach(async () => {
      table = await makeTable();
      store = process();
      pods = (await store.createCluster("default")).resource("pods");
    });

    describe("time travel", () => {
      /** Writes four states, some milliseconds apart, and notes the instant after each. */
      const fourStates = async () => {
        const begin = clock.now();
        await clock.sleep(5);
        const instants: Date[] = [];
        const steps = [
          () => pods.commit(put("a", { n: 1 })),
          () => pods.commit(put("b", { n: 1 })),
          () => pods.commit(put("a", { n: 2 })),
          () => pods.commit(remove("b")),
        ];
        for (const step of steps) {
          await step();
          await clock.sleep(5);
          instants.push(clock.now());
          await clock.sleep(5);
        }
        return { begin, instants };
      };
      const stateAt = async (reader: ResourceStore, asOf: Date | number) =>
        (await reader.list({ prefix: "", at: { asOf } })).items.map(({ key, value }) => `${key}${String(value.n)}`);

      it("shows any list and any object as they were at an instant, from every process", async () => {
        const { begin, instants } = await fourStates();
        for (const reader of [pods, await elsewhere()]) {
          expect(await stateAt(reader, begin)).toEqual([]);
          expect(await Promise.all(instants.map((instant) => stateAt(reader, instant)))).toEqual([
            ["a1"],
            ["a1", "b1"],
            ["a2", "b1"],
            ["a2"],
          ]);
          expect((await reader.get("b", { asOf: instants[2]! })).object?.value).toEqual({ n: 1 });
          expect((await reader.get("b", { asOf: instants[3]! })).object).toBeUndefined();
          expect((await reader.get("a", { asOf: instants[1]! })).object?.value).toEqual({ n: 1 });
        }
      });

      it("names the revision that an instant stands for, at which the state can be read again", async () => {
        const { instants } = await fourStates();
        for (const instant of instants) {
          const { items, revision } = await pods.list({ prefix: "", at: { asOf: instant } });
          expect(await pods.list({ prefix: "", at: { asOf: revision } })).toMatchObject({ items, revision });
          expect((await pods.get("a", { asOf: instant })).revision).toBe(revision);
        }
      });

      it("shows the newest state for an instant after the last change", async () => {
        await fourStates();
        const newest = await pods.list({ prefix: "", at: "newest" });
        expect(await pods.list({ prefix: "", at: { asOf: new Date(clock.now().getTime() + 60_000) } })).toEqual(newest);
      });

      it("reaches further back than continue tokens do, until the history is gone", async () => {
        const { instants } = await fourStates();
        const [, second] = instants;
        const { revision } = await pods.list({ prefix: "", at: { asOf: second! } });
        await clock.sleep(1_100); // DynamoDB's clock has whole seconds.
        await process({ tokenAgeMs: 0 }).maintain("default", forever);
        const reader = await elsewhere();
        await expect(reader.list({ prefix: "", at: { exactly: revision } })).rejects.toBeInstanceOf(CompactedError);
        expect(await stateAt(reader, revision)).toEqual(["a1", "b1"]);
        expect(await stateAt(reader, second!)).toEqual(["a1", "b1"]);

        await process({ tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0 }).maintain("default", forever);
        const later = await elsewhere();
        await expect(stateAt(later, revision)).rejects.toBeInstanceOf(CompactedError);
        await expect(stateAt(later, second!)).rejects.toBeInstanceOf(CompactedError);
        expect(await stateAt(later, instants[3]!)).toEqual(["a2"]);
      });

      it("tells of every change who made it, and when", async () => {
        const alice = { user: "alice", userAgent: "kubectl/v1.36.0", auditId: "4c1d" };
        const begin = clock.now().getTime();
        const first = objectOf(await pods.commit({ ...put("a"), author: alice }));
        await pods.commit({ ...modify("a", (value) => ({ ...value, n: 2 })), author: { user: "bob" } });
        await store.maintain("default", forever);
        for (const reader of [pods, await elsewhere()]) {
          const { changes } = await reader.changes(first.revision - 1);
          expect(changes.map(({ author }) => author)).toEqual([alice, { user: "bob" }]);
          expect(changes.every(({ time }) => time.getTime() >= begin && time <= clock.now())).toBe(true);
        }
      });
    });

    describe("expiry", () => {
      const lifetimes = { events: { historyMs: 0, expireMs: 0 } };

      it("deletes what nobody has changed for long enough, as changes that watches and lists see", async () => {
        const events = await elsewhere({}, "events");
        for (const key of ["a", "b", "c"]) await events.commit(put(key));
        const { revision } = await events.list({ prefix: "", at: "newest" });
        const watch = take(events.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 3);
        await clock.sleep(1_100);
        await process({ lifetimes }).maintain("default", forever);
        expect((await watch).map((item) => (item.type === "change" ? [item.change.type, item.change.object.key] : []))).toEqual([
          ["delete", "a"],
          ["delete", "b"],
          ["delete", "c"],
        ]);
        expect(await keysOf(events)).toEqual([]);
        const deletions = (await events.changes(revision)).changes;
        expect(new Set(deletions.map(({ object }) => Math.floor(object.revision / 1_000))).size, "one slot").toBe(1);
      });

      it("leaves alone what is young, what was changed since, and every other type", async () => {
        const expireMs = 60_000;
        const events = await elsewhere({}, "events");
        await events.commit(put("young"));
        await pods.commit(put("pod"));
        await clock.sleep(1_100);
        await process({ lifetimes: { events: { historyMs: 0, expireMs } } }).maintain("default", forever);
        expect(await keysOf(events)).toEqual(["young"]);
        await process({ lifetimes }).maintain("default", forever);
        expect(await keysOf(events)).toEqual([]);
        expect(await keysOf(pods)).toEqual(["pod"]);
      });

      it("is made once, however often the upkeep runs", async () => {
        const events = await elsewhere({}, "events");
        await events.commit(put("a"));
        await clock.sleep(1_100);
        await Promise.all([process({ lifetimes }).maintain("default", forever), process({ lifetimes }).maintain("default", forever)]);
        const { revision } = await events.list({ prefix: "", at: "newest" });
        await process({ lifetimes }).maintain("default", forever);
        expect((await events.list({ prefix: "", at: "newest" })).revision).toBe(revision);
      });
    });

    describe("checkpoints", () => {
      const many = Array.from({ length: 150 }, (_, n) => `p${String(n).padStart(3, "0")}`);
      const readCounts = (real: Table) => {
        const reads = { view: 0 };
        const counting: Table = {
          get: (key, options) => real.get(key, options),
          put: (item, condition) => real.put(item, condition),
          delete: (key, condition) => real.delete(key, condition),
          query(query) {
            if (query.pk.endsWith("#view")) reads.view++;
            return real.query(query);
          },
        };
        return { reads, counting };
      };

      beforeEach(async () => {
        await Promise.all(many.map((key) => pods.commit(put(key, { key, large: JSON.rawJSON("9007199254740993") }))));
        await pods.commit(put("big", { data: "x".repeat(100_000) }));
        await store.maintain("default", forever);
      });

      it("load a whole type without its view, and with what was changed since", async () => {
        await Promise.all([pods.commit(remove("p001")), pods.commit(put("p002", { n: 2 })), pods.commit(put("new"))]);
        await pods.commit(put("big", { data: "y" }));
        const expected = await pods.list({ prefix: "", at: "newest" });
        for (const upkeep of [false, true]) {
          if (upkeep) await store.maintain("default", forever);
          const { reads, counting } = readCounts(table);
          const cold = (await openStore({ table: counting, clock, log: silentLog }).cluster("default")).resource("pods");
          const listed = await cold.list({ prefix: "", at: "newest" });
          expect(JSON.stringify(listed)).toBe(JSON.stringify(expected));
          expect(reads.view).toBe(0);
        }
      });

      it("are left for the view when compaction took what they need", async () => {
        for (const key of many) await pods.commit(remove(key));
        await clock.sleep(1_100);
        const tiny = { tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0, stubMs: 0 };
        while (await process(tiny).maintain("default", forever));
        expect(await keysOf(await elsewhere())).toEqual(["big"]);
      });
    });

    describe("a restore from a backup", () => {
      it("keeps the objects, and begins a new life with higher numbers that refuses everything before it", async () => {
        await pods.commit(put("a", { n: 1 }));
        await pods.commit(put("big", { data: "x".repeat(100_000) }));
        const nodes = (await store.cluster("default")).resource("nodes");
        await nodes.commit(put("node"));
        await pods.commit(put("gone"));
        await pods.commit(remove("gone"));
        const before = await pods.list({ prefix: "", at: "newest" });
        await clock.sleep(5);

        const restored = await process().restoredCluster("default");
        const again = restored.resource("pods");
        const after = await again.list({ prefix: "", at: "newest" });
        expect(after.items.map(({ key, value }) => ({ key, value }))).toEqual(before.items.map(({ key, value }) => ({ key, value })));
        expect(Math.min(...after.items.map(({ revision }) => revision))).toBeGreaterThan(before.revision);
        expect(await keysOf(restored.resource("nodes"))).toEqual(["node"]);

        const watch = again.watch({ prefix: "", after: before.revision, signal: new AbortController().signal });
        await expect(take(watch, 1)).rejects.toBeInstanceOf(CompactedError);
        await expect(again.list({ prefix: "", at: { exactly: before.revision } })).rejects.toBeInstanceOf(CompactedError);
        await expect(pods.commit(put("late"))).rejects.toBeInstanceOf(UnknownClusterError);
        expect(objectOf(await again.commit(put("b"))).revision).toBeGreaterThan(after.revision);
      });

      it("may be made again, and leaves what was written since alone", async () => {
        await pods.commit(put("a", { n: 1 }));
        await clock.sleep(5);
        await (await process().restoredCluster("default")).resource("pods").commit(put("a", { n: 2 }));
        await clock.sleep(5);
        const twice = (await process().restoredCluster("default")).resource("pods");
        expect((await twice.get("a")).object?.value).toEqual({ n: 2 });
        await process().maintain("default", forever);
        expect((await (await elsewhere()).get("a")).object?.value).toEqual({ n: 2 });
      });
    });
  });
}
