import { describe, expect, it } from "vitest";
import { readMarks } from "../../../shared/store/marks.ts";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import type { StoreBusyError } from "../../../shared/store/store.ts";
import type { QueryPage } from "../../../shared/store/table.ts";
import { faultyTable, gate, isSlot, isView, onePerPage, times } from "../../support/faulty-table.ts";
import { auditLog, replay } from "../../support/log-audit.ts";
import { aScene, create, keysOf, modify, objectOf, put, remove, take, update, wordFor } from "../../support/stores.ts";

const day = 24 * 3_600_000;
const slotPartition = (pk: string) => isSlot({ pk, sk: "" });
const viewPartition = (pk: string) => isView({ pk, sk: "" });

describe("rule 7: reading the tail proves contiguity", () => {
  /** A log of single changes, and a process that knows none of it. */
  const aLog = async (length = 10) => {
    const scene = await aScene();
    const writer = await scene.resource();
    for (let n = 0; n < length; n++) await writer.commit(put(`p${n}`));
    return { scene, writer, expected: Array.from({ length }, (_, n) => `p${n}`).toSorted() };
  };
  const without = (page: QueryPage, index: number): QueryPage => ({ ...page, items: page.items.toSpliced(index, 1) });

  it.each([0, 1, 5, 8])("reads again when slot %i is hidden and its successors are not", async (hidden) => {
    const { scene, expected } = await aLog();
    scene.table.faults.query = times(
      2,
      async (query, real) => (slotPartition(query.pk) ? without(await real(), hidden) : real()),
      (_query, real) => real(),
    );
    expect(await keysOf(await scene.resource())).toEqual(expected);
  });

  it("follows every page to its end", async () => {
    const { scene, expected } = await aLog();
    scene.table.faults.query = onePerPage;
    expect(await keysOf(await scene.resource())).toEqual(expected);
    await scene.process().maintain("default", { untilMs: Infinity });
    expect(await keysOf(await scene.resource())).toEqual(expected);
  });

  it("follows them for the marks too", async () => {
    const { scene, writer } = await aLog();
    scene.clock.jump(2 * day);
    await writer.commit(put("q"));
    await scene.process().maintain("default", { untilMs: Infinity });
    const { keys, birth, watermark, floor, stubbed } = await auditLog(scene.table);
    expect(stubbed).toBeGreaterThan(birth + 1);
    scene.table.faults.query = onePerPage;
    expect(await readMarks(scene.table, keys, birth)).toMatchObject({ watermark, floor, stubbed });
  });

  it("never takes a hole for the end of the log", async () => {
    const { scene } = await aLog();
    const { entries } = await auditLog(scene.table);
    scene.table.faults.query = async (query, real) => {
      const page = await real();
      return { ...page, items: page.items.filter((item) => !isSlot(item) || Number(item.sk) !== entries[4]!.number) };
    };
    await expect(keysOf(await scene.resource())).rejects.toMatchObject({ name: "StoreUnavailableError" } satisfies Partial<StoreBusyError>);
  });

  it("begins again from the view when a stub stands where it left off", async () => {
    const { scene, writer, expected } = await aLog(3);
    const sleeper = await scene.resource();
    expect(await keysOf(sleeper)).toEqual(expected);
    for (let n = 0; n < 5; n++) await writer.commit(put("q", { n }));
    await writer.commit(remove("p0"));
    scene.clock.jump(2 * day);
    await scene.process().maintain("default", { untilMs: Infinity });
    expect((await auditLog(scene.table)).stubbed).toBeGreaterThan(0);
    expect(await keysOf(sleeper)).toEqual(["p1", "p2", "q"]);
    expect((await sleeper.get("q")).object?.value).toEqual({ n: 4 });
    expect(wordFor(await sleeper.commit(create("p1")))).toBe("AlreadyExists");
  });

  it("begins again from the view when even the stubs are gone", async () => {
    const { scene, writer } = await aLog(3);
    const sleeper = await scene.resource();
    await sleeper.list({ prefix: "", at: "newest" });
    for (let n = 0; n < 5; n++) await writer.commit(put("q", { n }));
    for (let pass = 0; pass < 2; pass++) {
      scene.clock.jump(9 * day);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    expect(await keysOf(sleeper)).toEqual(["p0", "p1", "p2", "q"]);
  });
});

describe("rule 8: a consistent read begins its tail read after the request arrived", () => {
  it("does not join a tail read that is under way", async () => {
    const scene = await aScene();
    const reader = await scene.resource();
    const writer = await scene.resource();
    await writer.commit(put("a", { n: 1 }));
    await reader.get("a");

    const held = gate();
    scene.table.faults.query = times(
      1,
      async (_query, real) => {
        const page = await real();
        await held.pass();
        return page;
      },
      (_query, real) => real(),
    );
    const early = reader.get("a");
    await held.arrived;
    await writer.commit(put("a", { n: 2 }));
    const late = reader.get("a");
    held.open();
    await early;
    expect((await late).object?.value).toEqual({ n: 2 });
  });

  it("lets any number of readers share the next one", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    await pods.list({ prefix: "", at: "newest" });
    scene.table.calls.length = 0;
    await Promise.all(Array.from({ length: 100 }, () => pods.get("a")));
    await Promise.all(Array.from({ length: 100 }, () => pods.list({ prefix: "", at: "newest" })));
    expect(scene.table.calls.length).toBeLessThanOrEqual(4);
  });

  it("costs one tail query for an object or a type that is known", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await Promise.all(Array.from({ length: 50 }, (_, n) => pods.commit(put(`p${n}`))));
    await pods.list({ prefix: "", at: "newest" });
    scene.table.calls.length = 0;
    await pods.get("p1");
    await pods.list({ prefix: "", at: "newest" });
    expect(scene.table.calls.map(({ op, pk }) => [op, slotPartition(pk)])).toEqual([
      ["query", true],
      ["query", true],
    ]);
  });

  it("costs nothing when any known state will do", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a")));
    await pods.list({ prefix: "", at: "newest" });
    scene.table.calls.length = 0;
    await pods.list({ prefix: "", at: "cached" });
    await pods.get("a", "cached");
    await pods.list({ prefix: "", at: { notOlderThan: revision } });
    expect(scene.table.calls).toEqual([]);
  });

  it("reads view, marks and slots strongly: a table whose replicas are behind changes no answer", async () => {
    const scene = await aScene();
    const behind = memoryTable({ clock: scene.clock, lagMs: 5_000 });
    const table = faultyTable(behind);
    await scene.process({}, table).createCluster("default");
    const writer = await scene.resource({ table });
    await writer.commit(put("a", { n: 0 }));
    for (let n = 1; n < 10; n++) {
      await writer.commit(put("a", { n }));
      if (n % 3 === 0) await scene.process({}, table).maintain("default", { untilMs: Infinity });
      const reader = await scene.resource({ table });
      expect((await reader.get("a")).object?.value).toEqual({ n });
      expect((await (await scene.resource({ table })).list({ prefix: "", at: "newest" })).items[0]?.value).toEqual({ n });
    }
    expect(table.calls.filter(({ consistent }) => consistent === false)).toEqual([]);
  });

  it("polls for watchers with eventual reads, and still misses nothing", async () => {
    const scene = await aScene();
    const table = faultyTable(memoryTable({ clock: scene.clock, lagMs: 3_000 }));
    await scene.process({}, table).createCluster("default");
    const watcher = await scene.resource({ table });
    const { revision } = await watcher.list({ prefix: "", at: "newest" });
    const items = take(watcher.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 5);
    const writer = await scene.resource({ table });
    for (let n = 0; n < 5; n++) {
      await writer.commit(put("a", { n }));
      await scene.clock.sleep(700);
    }
    expect((await items).map((item) => item.type === "change" && item.change.object.value.n)).toEqual([0, 1, 2, 3, 4]);
    expect(table.calls.some(({ consistent }) => consistent === false)).toBe(true);
  });

  it("hands out objects that nobody can change", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const value = { labels: { x: "y" }, list: [{ a: 1 }] };
    const written = objectOf(await pods.commit(put("a", value)));
    const read = (await (await scene.resource()).get("a")).object!;
    for (const object of [written, read, (await (await scene.resource()).changes(written.revision - 1)).changes[0]!.object]) {
      expect(() => Object.assign(object.value, { labels: {} })).toThrow(TypeError);
      expect(() => Object.assign(object.value.labels as object, { x: "z" })).toThrow(TypeError);
      expect(() => (object.value.list as unknown[]).push(1)).toThrow(TypeError);
      expect(() => Object.assign(object, { revision: 1 })).toThrow(TypeError);
    }
  });
});

describe("rule 11: refusals and no-ops need a fresh head too", () => {
  /** A process that knows the object as it was, and one that has changed it since. */
  const stale = async () => {
    const scene = await aScene();
    const behind = await scene.resource();
    const ahead = await scene.resource();
    const old = objectOf(await behind.commit(put("a", { n: 1 })));
    return { scene, behind, ahead, old };
  };

  it("knows the newest revision before it says Conflict", async () => {
    const { behind, ahead } = await stale();
    const { revision } = objectOf(await ahead.commit(put("a", { n: 2 })));
    expect(wordFor(await behind.commit(update("a", revision, { n: 3 })))).toBe("committed");
  });

  it("knows of the deletion before it says AlreadyExists", async () => {
    const { behind, ahead } = await stale();
    await ahead.commit(remove("a"));
    expect(wordFor(await behind.commit(create("a")))).toBe("committed");
  });

  it("knows of the creation before it says NotFound", async () => {
    const { behind, ahead } = await stale();
    await behind.commit(remove("a"));
    await ahead.commit(create("a"));
    expect(wordFor(await behind.commit(remove("a")))).toBe("deleted");
  });

  it("knows the newest state before it says that nothing is to be done", async () => {
    const { behind, ahead } = await stale();
    await ahead.commit(put("a", { n: 2 }));
    const setToOne = {
      ...put("a"),
      judge: (current: any) => (current?.value.n === 1 ? { type: "unchanged" } : { type: "put", value: { n: 1 } }) as any,
    };
    expect(wordFor(await behind.commit(setToOne))).toBe("committed");
    expect((await ahead.get("a")).object?.value).toEqual({ n: 1 });
  });

  it("does so in company as well: a refusal beside a write of the same slot", async () => {
    const { scene, behind, ahead, old } = await stale();
    const { revision } = objectOf(await ahead.commit(put("a", { n: 2 })));
    const words = await Promise.all([
      behind.commit(put("b")),
      behind.commit(update("a", revision, { n: 3 })),
      behind.commit(update("a", old.revision, { n: 4 })),
    ]);
    expect(words.map(wordFor)).toEqual(["committed", "committed", "Conflict"]);
    expect((await (await scene.resource()).get("a")).object?.value).toEqual({ n: 3 });
  });

  it("reads once for all refusals that wait together", async () => {
    const { scene, behind } = await stale();
    scene.table.calls.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => behind.commit(create("a"))));
    expect(scene.table.calls.length).toBeLessThanOrEqual(2);
  });
});

describe("rule 13: a snapshot is watermark, view pages, and the tail to a head read last", () => {
  it("is a state that was, whatever is written and materialized between its pages", async () => {
    const scene = await aScene();
    const table = faultyTable(memoryTable({ clock: scene.clock, pageBytes: 300 }));
    await scene.process({}, table).createCluster("default");
    const writer = await scene.resource({ table });
    const keys = Array.from({ length: 20 }, (_, n) => `p${String(n).padStart(2, "0")}`);
    for (const key of keys) await writer.commit(put(key, { n: 0 }));
    const upkeep = scene.process({}, table);
    await upkeep.maintain("default", { untilMs: Infinity });

    // Between any two pages of the view, objects at both ends change together, come and go, and the view follows.
    let round = 0;
    let reading = false;
    table.faults.query = async (query, real) => {
      const page = await real();
      if (!viewPartition(query.pk) || reading || round > 30) return page;
      reading = true;
      round++;
      const n = round;
      await Promise.all([...keys.slice(0, 3), ...keys.slice(-3)].map((key) => writer.commit(modify(key, () => ({ n })))));
      await writer.commit(n % 2 ? remove("p10") : put("p10", { n }));
      await writer.commit(n % 2 ? put("p055", { n }) : remove("p055"));
      await upkeep.maintain("default", { untilMs: Infinity });
      reading = false;
      return page;
    };
    const reader = await scene.resource({ table });
    const { items, revision } = await reader.list({ prefix: "", at: "newest" });
    table.faults = {};
    expect(round).toBeGreaterThan(3);

    const { changes } = await auditLog(table);
    expect(new Map(items.map((item) => [item.key, item]))).toEqual(replay(changes, revision));
    // And it goes on from there without a gap.
    await writer.commit(put("q"));
    const rest = await reader.changes(revision);
    expect(rest.changes.map(({ object }) => object.revision)).toEqual(
      changes.flatMap(({ object }) => (object.revision > revision ? [object.revision] : [])).concat(rest.revision),
    );
  });

  it("holds nothing that is newer than the head it names, though the view told of such a thing while the type was loaded", async () => {
    const scene = await aScene();
    const writer = await scene.resource();
    for (const key of ["a", "b"]) await writer.commit(put(key));
    await scene.process().maintain("default", { untilMs: Infinity });
    const { revision } = await writer.list({ prefix: "", at: "newest" });

    // The last tail read of the load has its answer, which is on its way for a while.
    const reader = await scene.resource();
    await reader.get("none");
    const held = gate();
    scene.table.faults.query = async (query, real) => {
      const page = await real();
      if (slotPartition(query.pk) && query.consistent) await held.pass();
      return page;
    };
    const list = reader.list({ prefix: "", at: { notOlderThan: revision } });
    await held.arrived;
    scene.table.faults = {};
    await writer.commit(put("c"));
    await writer.commit(remove("a"));
    await scene.process().maintain("default", { untilMs: Infinity });
    const single = Promise.all(["a", "c"].map((key) => reader.get(key)));
    await scene.clock.sleep(10);
    held.open();

    const answer = await list;
    const { changes } = await auditLog(scene.table);
    expect(new Map(answer.items.map((item) => [item.key, item]))).toEqual(replay(changes, answer.revision));
    expect((await single).map(({ object }) => object?.key)).toEqual([undefined, "c"]);
  });
});

describe("rule 13: also for a single object", () => {
  it("reads the tail for an object that the view has already, also when another request has learned of it", async () => {
    const scene = await aScene();
    const writer = await scene.resource();
    const { revision } = objectOf(await writer.commit(put("a")));
    const reader = await scene.resource();
    await reader.get("none");
    await writer.commit(put("b"));
    await scene.process().maintain("default", { untilMs: Infinity });
    scene.table.faults.query = async ({ pk }, real) => {
      if (slotPartition(pk)) await scene.clock.sleep(50);
      return real();
    };
    const newest = reader.get("b", "cached");
    await scene.clock.sleep(5);
    // A loop that waits for nothing would never let the tail's answer arrive.
    expect((await reader.get("b", { exactly: revision })).object).toBeUndefined();
    expect((await newest).object?.key).toBe("b");
  });

  it.each([
    { days: 2, left: "a tombstone" },
    { days: 20, left: "nothing" },
  ])("never names an old state after a view that was read $days days later, when $left is left", async ({ days }) => {
    const scene = await aScene();
    const writer = await scene.resource();
    const first = objectOf(await writer.commit(put("a")));
    await scene.process().maintain("default", { untilMs: Infinity });
    const held = gate();
    const reads = await scene.resource();
    scene.table.faults.get = async (key, _consistent, real) => {
      if (isView(key)) await held.pass();
      return real();
    };
    const answer = reads.get("a");
    await held.arrived;
    scene.table.faults = {};
    await writer.commit(remove("a"));
    for (const key of ["b", "c"]) await writer.commit(put(key));
    for (let pass = 0; pass < 2; pass++) {
      scene.clock.jump((days / 2) * day);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    const { revision } = await writer.list({ prefix: "", at: "newest" });
    held.open();
    expect(await answer).toEqual({ object: undefined, revision });
    expect(revision).toBeGreaterThan(first.revision);
  });
});

describe("rule 14: one order everywhere, and pages of one snapshot", () => {
  it("reads pages from warm and cold processes in turn, without a gap or a repetition", async () => {
    const scene = await aScene();
    const warm = await scene.resource();
    const keys = ["a-b/x", "a-b/y", "a.b/x", "a/x", "a/y", "a/z", "a0/x", "ab/x"];
    await Promise.all(keys.toReversed().map((key) => warm.commit(put(key))));
    await scene.process().maintain("default", { untilMs: Infinity });
    const read: string[] = [];
    const remaining: number[] = [];
    const { revision } = await warm.list({ prefix: "", at: "newest" });
    for (let page = 0; read.length < keys.length; page++) {
      const reader = page % 2 ? await scene.resource() : warm;
      const after = read.at(-1);
      const list = await reader.list({ prefix: "", limit: 3, at: { exactly: revision }, ...(after && { after }) });
      read.push(...list.items.map(({ key }) => key));
      remaining.push(list.remaining);
      await warm.commit(put(`a/new${page}`));
      await warm.commit(remove(keys[page]!));
    }
    expect(read).toEqual(keys);
    expect(remaining).toEqual([5, 2, 0]);
  });
});
