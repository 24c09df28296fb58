import { assert, jsonValue, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { packText } from "../../../shared/store/encoding.ts";
import { logKeys } from "../../../shared/store/keys.ts";
import { readMarks } from "../../../shared/store/marks.ts";
import type { LogResourceStore } from "../../../shared/store/resource-store.ts";
import { slotItem } from "../../../shared/store/slot-item.ts";
import { CompactedError, type ResourceStore, StoreBusyError } from "../../../shared/store/store.ts";
import { type Item, ThrottledError, UnknownOutcomeError, type WriteResult } from "../../../shared/store/table.ts";
import { applyUndo, undoOf } from "../../../shared/store/undo.ts";
import { type FaultyTable, isSlot, isView, times } from "../../support/faulty-table.ts";
import { auditLog, replay } from "../../support/log-audit.ts";
import { aScene, keysOf, modify, objectOf, put, randomFrom, remove, type Scene, take } from "../../support/stores.ts";

const hour = 3_600_000;
const day = 24 * hour;
const forever = { untilMs: Infinity };
const maintain = (scene: Scene) => scene.process().maintain("default", forever);
/** Applies the log to the view, as the process has it in memory. */
const materialize = (resource: ResourceStore) => (resource as LogResourceStore).log.view.materialize(() => true);
const viewPartition = (pk: string) => isView({ pk, sk: "" });

/** What a process that fell over does: nothing more. */
class Crash extends Error {}

const noise = (length: number, seed = 1) => {
  const random = randomFrom(seed);
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join("");
};

describe("rule 15: the watermark moves only forward, and only after every view write up to it was acknowledged", () => {
  it("is right after a crash between any two writes", async () => {
    for (let crashAt = 0; crashAt < 12; crashAt++) {
      const scene = await aScene();
      const pods = await scene.resource();
      for (let n = 0; n < 4; n++) await pods.commit(put(`p${n}`));
      await maintain(scene);
      await pods.commit(remove("p0"));
      await Promise.all(["p1", "p2", "p4", "p5"].map((key) => pods.commit(put(key, { changed: true }))));
      await pods.commit(put("p5", { changed: "again" }));
      const before = await pods.list({ prefix: "", at: "newest" });

      let writes = 0;
      scene.table.faults.put = async (_item, _condition, real) => {
        if (writes++ >= crashAt) throw new Crash();
        return real();
      };
      await maintain(scene).catch(() => {});
      scene.table.faults = {};
      await auditLog(scene.table);
      expect(await (await scene.resource()).list({ prefix: "", at: "newest" })).toEqual(before);
      await maintain(scene);
      expect(await (await scene.resource()).list({ prefix: "", at: "newest" })).toEqual(before);
    }
  });

  it("waits for view writes whose outcome is unknown", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 5; n++) await pods.commit(put(`p${n}`));
    let failures = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item) && failures++ < 7) throw new UnknownOutcomeError("no answer");
      return real();
    };
    await maintain(scene);
    const { view, watermark, entries } = await auditLog(scene.table);
    expect(watermark).toBe(entries.at(-1)!.number);
    expect(view.size).toBe(5);
  });

  it("is not moved back by a materializer that was slow", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a", { n: 1 }));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    scene.table.faults.put = times(
      1,
      async (_item: Item, _condition, real: () => Promise<WriteResult>) => (await held, real()),
      (_item, _condition, real) => real(),
    );
    const slow = maintain(scene);
    await scene.clock.sleep(10);
    await pods.commit(put("a", { n: 2 }));
    await maintain(scene);
    const { watermark } = await auditLog(scene.table);
    release();
    await slow;
    const after = await auditLog(scene.table);
    expect(after.watermark).toBe(watermark);
    expect(after.view.get("a")?.value).toEqual({ n: 2 });
  });

  it("writes view items on the condition that they are newer", async () => {
    const scene = await aScene();
    await (await scene.resource()).commit(put("a"));
    await maintain(scene);
    const writes = scene.table.calls.filter(({ op, pk }) => op === "put" && (viewPartition(pk) || pk.endsWith("#marks")));
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.every(({ condition }) => condition?.type === "absentOrLess")).toBe(true);
  });
});

describe("rule 16: a delete leaves a tombstone", () => {
  it("which keeps a slow materializer from bringing the object back", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // One process is about to write the creation to the view, and stops there.
    scene.table.faults.put = times(
      1,
      async (_item: Item, _condition, real: () => Promise<WriteResult>) => (await held, real()),
      (_item, _condition, real) => real(),
    );
    const slow = maintain(scene);
    await scene.clock.sleep(10);
    await pods.commit(remove("a"));
    await pods.commit(put("b"));
    await maintain(scene);
    release();
    await slow;
    expect(await keysOf(await scene.resource())).toEqual(["b"]);
    expect((await (await scene.resource()).get("a")).object).toBeUndefined();
    await auditLog(scene.table);
  });

  it("and stops a materializer that wakes up when the tombstone may be gone", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 40; n++) await pods.commit(put(`p${n}`));
    let asleep = false;
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item) && !asleep) {
        asleep = true;
        scene.clock.jump(10 * day);
      }
      return real();
    };
    await expect(maintain(scene)).rejects.toMatchObject({ name: "StaleMaterializerError" });
    scene.table.faults = {};
    await maintain(scene);
    expect(await keysOf(await scene.resource())).toHaveLength(40);
  });

  it("and one that is asleep between two tries of the same write", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    let tries = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (!isView(item)) return real();
      tries++;
      scene.clock.jump(10 * day);
      throw new UnknownOutcomeError("no answer");
    };
    await expect(materialize(pods)).rejects.toMatchObject({ name: "StaleMaterializerError" });
    expect(tries).toBe(1);
  });

  it("and one that has the slots in memory, and looked long ago how far the view is", async () => {
    const scene = await aScene();
    const sleeper = await scene.resource();
    await sleeper.commit(put("first"));
    await materialize(sleeper);
    await sleeper.commit(put("a"));
    const others = await scene.resource();
    await others.commit(remove("a"));
    await others.commit(put("b"));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asleep = false;
    scene.table.faults.query = async (query, real) => {
      const page = await real();
      if (!query.pk.endsWith("#marks") || asleep) return page;
      asleep = true;
      await held;
      return page;
    };
    const slow = materialize(sleeper);
    await scene.clock.sleep(10);
    for (let pass = 0; pass < 3; pass++) {
      scene.clock.jump(8 * day);
      await maintain(scene);
    }
    const { keys } = await auditLog(scene.table);
    expect((await scene.table.get({ pk: keys.view, sk: "a" }, { consistent: true })).item).toBeUndefined();
    release();
    await expect(slow).rejects.toMatchObject({ name: "StaleMaterializerError" });
    expect(await keysOf(await scene.resource())).toEqual(["b", "first"]);
  });

  it("and stops a sweep that wakes up then, whatever it had read before", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    await pods.commit(remove("a"));
    await pods.commit(put("b"));
    scene.clock.jump(2 * day);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asleep = false;
    scene.table.faults.query = async (query, real) => {
      const page = await real();
      if (!isSlot({ pk: query.pk, sk: "" }) || query.to === undefined || asleep) return page;
      asleep = true;
      await held;
      return page;
    };
    const slow = maintain(scene).catch(() => {});
    await scene.clock.sleep(10);
    for (let pass = 0; pass < 2; pass++) {
      await maintain(scene);
      scene.clock.jump(8 * day);
    }
    await maintain(scene);
    const { keys } = await auditLog(scene.table);
    expect(asleep).toBe(true);
    expect((await scene.table.get({ pk: keys.view, sk: "a" }, { consistent: true })).item).toBeUndefined();
    // It falls over after a first write, so that nothing it would do later makes up for it.
    let writes = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item) && writes++ > 0) throw new Crash();
      return real();
    };
    release();
    await slow;
    expect(await keysOf(await scene.resource())).toEqual(["b"]);
  });

  it("for a day at the least", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    await pods.commit(remove("a"));
    await pods.commit(put("b"));
    const { keys } = await auditLog(scene.table);
    const tombstone = async () => (await scene.table.get({ pk: keys.view, sk: "a" }, { consistent: true })).item;
    for (const wait of [0, 0.9 * day]) {
      scene.clock.jump(wait);
      await maintain(scene);
      expect(await tombstone()).toMatchObject({ gone: true });
    }
    for (let pass = 0; pass < 3; pass++) {
      scene.clock.jump(8 * day);
      await maintain(scene);
    }
    expect(await tombstone()).toBeUndefined();
    expect(await keysOf(await scene.resource())).toEqual(["b"]);
  });

  it("is not removed when the object has come back", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    await pods.commit(remove("a"));
    await pods.commit(put("a", { again: true }));
    for (let pass = 0; pass < 4; pass++) {
      await maintain(scene);
      scene.clock.jump(10 * day);
    }
    expect((await (await scene.resource()).get("a")).object?.value).toEqual({ again: true });
  });

  it("a scrub finds what the view lost, and repairs it while the log still knows", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a", { n: 1 }));
    const { value } = objectOf(await pods.commit(put("b", { n: 1 })));
    await pods.commit(put("c"));
    await maintain(scene);
    const { keys } = await auditLog(scene.table);
    await scene.table.delete({ pk: keys.view, sk: "b" });
    scene.clock.jump(2 * day);
    await maintain(scene);
    expect((await (await scene.resource()).get("b")).object?.value).toEqual(value);
  });
});

describe("rule 17: compaction removes only what is below both the floor and the watermark", () => {
  it("removes nothing while the view does not follow", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 10; n++) await pods.commit(put("a", { n }));
    scene.clock.jump(30 * day);
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item)) throw new Crash();
      return real();
    };
    await expect(maintain(scene)).rejects.toBeInstanceOf(Crash);
    scene.table.faults = {};
    expect((await auditLog(scene.table)).changes).toHaveLength(10);
  });

  it("serves what was the newest revision until a moment ago, also when slots without changes came after it", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { object, revision } = {
      object: objectOf(await pods.commit(put("a"))),
      revision: objectOf(await pods.commit(put("b"))).revision,
    };
    const { entries } = await auditLog(scene.table);
    const newest = entries.at(-1)!.number;
    const keys = logKeysOf(scene, entries[0]!.number - 1);
    for (const number of [newest + 1, newest + 2]) {
      const content = packText("[]");
      const heading = { number, time: scene.clock.now().getTime() * 1_000 + number, writer: "another", ring: [], holdMs: 10 };
      await scene.table.put(slotItem(keys, heading, { count: 0, exact: false, size: 2, content, bytes: content.length }), {
        type: "absent",
      });
    }
    scene.clock.jump(2 * day);
    const next = objectOf(await (await scene.resource()).commit(put("c")));
    await maintain(scene);
    expect((await auditLog(scene.table)).entries.map(({ type }) => type)).toEqual(["stub", "stub", "stub", "stub", "slot"]);

    const reader = await scene.resource();
    expect((await reader.list({ prefix: "", at: { exactly: revision } })).items.map(({ key }) => key)).toEqual(["a", "b"]);
    const [first] = await take(reader.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 1);
    expect(first).toMatchObject({ change: { object: { key: "c", revision: next.revision } } });
    await expect(reader.list({ prefix: "", at: { exactly: object.revision } })).rejects.toBeInstanceOf(CompactedError);
  });

  it("answers at once for a revision from long before the log began", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    await pods.commit(put("b"));
    scene.clock.jump(2 * day);
    await (await scene.resource()).commit(put("c"));
    await maintain(scene);

    // Slots are numbered from the milliseconds at which a log began: from revision 1 to there are billions that never were.
    const list = (await scene.resource()).list({ prefix: "", at: { exactly: 1 } });
    await expect(list).rejects.toBeInstanceOf(CompactedError);
  });

  it("serves a revision if and only if every slot with a change after it is at or above the floor", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const random = randomFrom(3);
    for (let n = 0; n < 12; n++) {
      const key = `p${Math.floor(random() * 3)}`;
      await Promise.all([
        pods.commit(put(key, { n })),
        ...(n % 3 === 0 ? [pods.commit(remove(key))] : []),
        ...(n % 4 === 0 ? [pods.commit(put("x", { n }))] : []),
      ]);
    }
    const { changes, entries } = await auditLog(scene.table);
    const revisions = changes.map(({ object }) => object.revision);
    // Six slots are old enough to go, the others are not.
    for (let pass = 0; pass < entries.length - 1; pass++) {
      const floor = entries[pass + 1]!.number;
      const table = await copyOf(scene);
      await table.put({ pk: logKeysOf(scene, entries[0]!.number - 1).marks, sk: "floor", at: floor });
      const reader = await scene.resource({ table });
      for (const revision of [revisions[0]! - 1, ...revisions]) {
        const served = changes.every(({ object }) => object.revision <= revision || Math.floor(object.revision / 1000) >= floor);
        const list = reader.list({ prefix: "", at: { exactly: revision } });
        const rest = changes.filter(({ object }) => object.revision > revision);
        const watch = take(reader.watch({ prefix: "", after: revision, signal: new AbortController().signal }), rest.length);
        if (served) {
          expect(new Map((await list).items.map((item) => [item.key, item]))).toEqual(replay(changes, revision));
          expect((await watch).map((item) => item.type === "change" && item.change.object)).toEqual(rest.map(({ object }) => object));
        } else {
          await expect(list).rejects.toBeInstanceOf(CompactedError);
          if (rest.length > 0) await expect(watch).rejects.toBeInstanceOf(CompactedError);
        }
      }
    }
  });

  it("serves exactly what is left at every revision around a deletion, from stubs on", async () => {
    const steps = [
      [put("a", { n: 1 }), put("b")],
      [put("a", { n: 2 }), remove("b"), put("c")],
      [remove("a")],
      [put("a", { n: 3 }), put("b")],
      [remove("c"), remove("b")],
    ];
    for (let old = 0; old < steps.length; old++) {
      const scene = await aScene();
      const pods = await scene.resource();
      for (const [index, step] of steps.entries()) {
        if (index === old) scene.clock.jump(2 * day);
        await Promise.all(step.map((each) => pods.commit(each)));
      }
      const { changes } = await auditLog(scene.table);
      await maintain(scene);
      const left = new Set((await auditLog(scene.table)).changes.map(({ object }) => object.revision));
      expect(left.size).toBe(steps.slice(old).flat().length);
      const reader = await scene.resource();
      for (const { object } of changes) {
        const wanted = changes.filter((change) => change.object.revision > object.revision).map((change) => change.object);
        const answer = reader.changes(object.revision);
        if (wanted.every(({ revision }) => left.has(revision)))
          expect((await answer).changes.map((change) => change.object)).toEqual(wanted);
        else await expect(answer).rejects.toBeInstanceOf(CompactedError);
      }
    }
  });

  it("says so also to a process that has been at the newest slot all the time, when nothing of what it asks for is left", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { windowSlots: 4 } });
    const { revision } = objectOf(await pods.commit(put("a")));
    for (let n = 0; n < 10; n++) await pods.commit(put("a", { n }));
    for (let pass = 0; pass < 2; pass++) {
      scene.clock.jump(9 * day);
      await maintain(scene);
    }
    const { erased, entries } = await auditLog(scene.table);
    expect(erased).toBe(entries.at(-1)!.number);
    await expect(pods.list({ prefix: "", at: { asOf: revision } })).rejects.toBeInstanceOf(CompactedError);
    await expect(pods.changes(revision)).rejects.toBeInstanceOf(CompactedError);
  });

  it("expires tokens after minutes, and keeps history for a day", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a", { n: 1 })));
    await pods.commit(put("a", { n: 2 }));
    await pods.commit(put("a", { n: 3 }));
    scene.clock.jump(hour);
    await maintain(scene);
    const reader = await scene.resource();
    await expect(reader.list({ prefix: "", at: { exactly: revision } })).rejects.toBeInstanceOf(CompactedError);
    expect((await reader.changes(revision)).changes).toHaveLength(2);
  });

  it("goes on where it was interrupted", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 10; n++) await pods.commit(put("a", { n, x: noise(100_000, n) }));
    scene.clock.jump(2 * day);
    for (let crashAt = 1; crashAt < 30; crashAt += 2) {
      let writes = 0;
      const crash = () => {
        if (++writes > crashAt) throw new Crash();
      };
      scene.table.faults.put = async (_item, _condition, real) => (crash(), real());
      scene.table.faults.delete = async (_key, _condition, real) => (crash(), real());
      await maintain(scene).catch((error) => expect(error).toBeInstanceOf(Crash));
      scene.table.faults = {};
      await auditLog(scene.table);
      expect((await (await scene.resource()).get("a")).object?.value.n).toBe(9);
    }
    await maintain(scene);
    expect((await auditLog(scene.table)).changes).toHaveLength(1);
  });
});

describe("rule 17: also where the removal of stubs was interrupted", () => {
  it("goes on with those that are left", async () => {
    for (let crashAt = 0; crashAt < 6; crashAt++) {
      const scene = await aScene();
      const pods = await scene.resource();
      for (let n = 0; n < 5; n++) await pods.commit(put("a", { n }));
      scene.clock.jump(2 * day);
      await maintain(scene);
      scene.clock.jump(8 * day);
      let deletes = 0;
      scene.table.faults.delete = async (_key, _condition, real) => {
        if (deletes++ === crashAt) throw new Crash();
        return real();
      };
      scene.table.faults.put = async (_item, _condition, real) => {
        if (crashAt === 5 && deletes > 3) throw new Crash();
        return real();
      };
      await maintain(scene).catch((error) => expect(error).toBeInstanceOf(Crash));
      scene.table.faults = {};
      expect(await maintain(scene)).toBe(false);
      const { entries, erased } = await auditLog(scene.table);
      expect(entries.map(({ type }) => type)).toEqual(["slot"]);
      expect(erased).toBe(entries[0]!.number);
    }
  });
});

describe("rule 18: lag is bounded by the writers", () => {
  const settings = { helpSlots: 20 };

  it("makes whoever commits on a long tail help", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings });
    for (let n = 0; n < 100; n++) await pods.commit(put(`p${n % 7}`, { n }));
    const { watermark, entries } = await auditLog(scene.table);
    expect(entries.at(-1)!.number - watermark).toBeLessThanOrEqual(20);
  });

  it("counts bytes as well as slots", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { helpBytes: 300_000 } });
    for (let n = 0; n < 10; n++) await pods.commit(put("a", { x: noise(100_000, n) }));
    const { watermark, entries } = await auditLog(scene.table);
    expect(entries.at(-1)!.number - watermark).toBeLessThanOrEqual(4);
  });

  it("applies what this process has in memory without reading it again, and what others wrote as well", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("first"));
    await materialize(pods);
    for (let n = 0; n < 20; n++) await pods.commit(put(`p${n % 7}`, { n, huge: JSON.rawJSON("12345678901234567890") }));
    await pods.commit(remove("p3"));
    await (await scene.resource()).commit(put("other"));
    scene.table.calls.length = 0;
    const { done } = await materialize(pods);
    expect(done).toBe(true);
    // What the others wrote, and with it that there is no more.
    const reads = scene.table.calls.filter(({ op, pk }) => op === "query" && isSlot({ pk, sk: "" }));
    expect(reads).toHaveLength(1);
    const { view, entries, watermark } = await auditLog(scene.table);
    expect(watermark).toBe(entries.at(-1)!.number);
    expect([...view.keys()].sort()).toEqual(["first", "other", "p0", "p1", "p2", "p4", "p5", "p6"]);
    expect(JSON.stringify((await (await scene.resource()).get("p5")).object?.value)).toBe('{"n":19,"huge":12345678901234567890}');
  });

  it("writes nothing from memory into a log that was erased with its cluster", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 5; n++) await pods.commit(put(`p${n}`));
    await scene.process().deleteCluster("default");
    for (let pass = 0; pass < 3; pass++) {
      scene.clock.jump(10 * day);
      await maintain(scene);
    }
    scene.table.calls.length = 0;
    await materialize(pods);
    expect(scene.table.calls.filter(({ op }) => op === "put")).toEqual([]);
  });

  it("applies the log once when it is asked twice at the same time", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 10; n++) await pods.commit(put(`p${n}`));
    scene.table.calls.length = 0;
    await Promise.all([materialize(pods), materialize(pods)]);
    expect(scene.table.calls.filter(({ op, pk }) => op === "put" && viewPartition(pk))).toHaveLength(10);
  });

  it("lets one of many processes help at a time: a view write in vain costs as much as any", async () => {
    const scene = await aScene();
    const helpSlots = 400;
    const writers = await Promise.all(Array.from({ length: 16 }, () => scene.resource({ settings: { helpSlots } })));
    const written = { done: 0, inVain: 0 };
    scene.table.faults.put = async (item, _condition, real) => {
      await scene.clock.sleep(5);
      const result = await real();
      if (isView(item)) written[result.done ? "done" : "inVain"]++;
      return result;
    };
    const lasted: number[] = [];
    const write = async (pods: ResourceStore, number: number) => {
      for (let n = 0; n < 100; n++) {
        const begun = scene.clock.now().getTime();
        await pods.commit(put(`w${number}-${n % 50}`, { n }));
        lasted.push(scene.clock.now().getTime() - begun);
      }
    };
    await Promise.all(writers.map(write));
    const { watermark, entries } = await auditLog(scene.table);
    expect(entries.at(-1)!.number - watermark).toBeLessThanOrEqual(1.5 * helpSlots);
    expect(written.done).toBeGreaterThan(500);
    expect(written.inVain).toBeLessThan(written.done / 10);
    expect(Math.max(...lasted)).toBeLessThan(1_500);
  });

  it("helps all the same when whoever was at it is no more", async () => {
    const scene = await aScene();
    const gone = await scene.resource({ settings: { helpSlots: 10_000 } });
    await Promise.all(Array.from({ length: 400 }, (_, n) => gone.commit(put(`p${n}`))));
    let writes = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item) && ++writes > 200) throw new Crash();
      return real();
    };
    await expect(materialize(gone)).rejects.toBeInstanceOf(Crash);
    scene.table.faults = {};
    const pods = await scene.resource({ settings });
    for (let n = 0; n < 60; n++) await pods.commit(put("last", { n }));
    const { watermark, entries } = await auditLog(scene.table);
    expect(entries.at(-1)!.number - watermark).toBeLessThanOrEqual(40);
  });

  it("answers a write only when the help it gave is done", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings });
    let open = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (!isView(item)) return real();
      open++;
      await scene.clock.sleep(50);
      const result = await real();
      open--;
      return result;
    };
    for (let n = 0; n < 60; n++) {
      await pods.commit(put(`p${n}`));
      expect(open).toBe(0);
    }
    expect((await auditLog(scene.table)).view.size).toBeGreaterThan(0);
  });

  it("answers a write in time, however little the view takes", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { ...settings, commitBudgetMs: 2_000 } });
    scene.table.faults.put = async (item, _condition, real) => {
      if (!isView(item)) return real();
      await scene.clock.sleep(100);
      throw new ThrottledError("slow down");
    };
    for (let n = 0; n < 30; n++) {
      const begun = scene.clock.now().getTime();
      expect((await pods.commit(put(`p${n}`))).type).toBe("committed");
      expect(scene.clock.now().getTime() - begun).toBeLessThan(2_500);
    }
  });

  it("comes to an end however little time each writer has for helping", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { ...settings, commitBudgetMs: 300 } });
    let writes = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (!isView(item)) return real();
      writes++;
      await scene.clock.sleep(100);
      return real();
    };
    await Promise.all(Array.from({ length: 150 }, (_, n) => pods.commit(put(`p${n}`))));
    for (let n = 0; n < 40; n++) await pods.commit(put("last", { n }));
    const { watermark, entries } = await auditLog(scene.table);
    expect(entries.at(-1)!.number - watermark).toBeLessThanOrEqual(25);
    expect(writes).toBeLessThan(170);
  });

  it("turns writers away when the view is ten times as far behind, until it follows again", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings });
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item)) throw new Crash();
      return real();
    };
    const write = async () => {
      for (let n = 0; n < 220; n++) await pods.commit(put("a", { n }));
    };
    await expect(write()).rejects.toBeInstanceOf(StoreBusyError);
    expect((await auditLog(scene.table)).changes.length).toBeGreaterThan(190);
    scene.table.faults = {};
    expect((await pods.commit(put("a", { n: "again" }))).type).toBe("committed");
  });

  it("reads a checkpoint in place of the view, also where nobody heard that it was written", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await Promise.all(Array.from({ length: 200 }, (_, n) => pods.commit(put(`p${n}`))));
    let lost = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      const result = await real();
      if (item.pk.endsWith("#checkpoint") && lost++ === 0) throw new UnknownOutcomeError("no answer");
      return result;
    };
    await maintain(scene);
    expect(lost).toBe(2);
    scene.table.calls.length = 0;
    expect(await keysOf(await scene.resource())).toHaveLength(200);
    expect(scene.table.calls.filter(({ pk }) => viewPartition(pk))).toEqual([]);
  });

  it("reads one view item and the tail for a get, never the whole type", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await Promise.all(Array.from({ length: 300 }, (_, n) => pods.commit(put(`p${n}`))));
    await maintain(scene);
    const cold = await scene.resource();
    scene.table.calls.length = 0;
    expect((await cold.get("p7")).object).toBeDefined();
    expect(scene.table.calls.map(({ op, pk }) => `${op} ${pk.split("#").at(-1)}`)).toEqual(["query marks", "query log", "get view"]);
    scene.table.calls.length = 0;
    await cold.get("p8");
    await cold.commit(modify("p9", (value) => ({ ...value, changed: true })));
    expect(scene.table.calls.some(({ op, pk }) => op === "query" && viewPartition(pk))).toBe(false);
    expect(scene.table.calls).toHaveLength(4);
  });
});

describe("rule 19: every change can be undone", () => {
  it("brings back any state that an object was in, from what is after it", () => {
    const json = jsonValue({ maxDepth: 5 });
    assert(
      property(json, json, (before, after) => {
        const undo = undoOf(after, before);
        const text = JSON.stringify(undo);
        const back = undo === undefined ? after : applyUndo(after, JSON.parse(text));
        expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(before)));
      }),
      { numRuns: 500 },
    );
  });

  it("knows numbers that a double cannot hold, also when the object has none any more", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const wide = JSON.rawJSON("9007199254740993") as unknown as number;
    const { revision } = objectOf(await pods.commit(put("a", { n: wide })));
    await pods.commit(put("a", { n: 1 }));
    const { object } = await (await scene.resource()).get("a", { exactly: revision });
    expect(JSON.stringify(object?.value)).toBe(`{"n":9007199254740993}`);
  });

  it("is small for the usual update", () => {
    const pod = (phase: string, conditions: readonly object[]) => ({
      metadata: { name: "a", labels: { app: "x" } },
      spec: { containers: [{ name: "c", image: "nginx" }] },
      status: { phase, conditions },
    });
    const undo = undoOf(
      pod("Running", [{ type: "Ready", status: "True" }, { type: "Initialized" }]),
      pod("Pending", [{ type: "Initialized" }]),
    );
    expect(JSON.stringify(undo).length).toBeLessThan(100);
  });

  it("knows an object's state before its last change when the view has moved on and everything else is gone", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const old = objectOf(await pods.commit(put("a", { n: "old", big: noise(200_000) })));
    const { revision } = objectOf(await pods.commit(put("b")));
    await maintain(scene);
    scene.clock.jump(2 * day);
    await pods.commit(put("z"));
    await maintain(scene);
    expect((await auditLog(scene.table)).stubbed).toBeGreaterThan(revision / 1000);
    const first = await (await scene.resource()).list({ prefix: "", limit: 1, at: "newest" });

    await pods.commit(modify("a", (value) => ({ ...value, n: "new" })));
    await pods.commit(remove("a"));
    await maintain(scene);
    const page = await (await scene.resource()).list({ prefix: "", at: { exactly: first.revision } });
    expect(page.items[0]).toEqual(old);
    expect(page.items.map(({ key }) => key)).toEqual(["a", "b", "z"]);
  });
});

describe("rule 21: a chunk may be referenced by one of the next slots only, and the sweep waits for that", () => {
  const settings = { chunkSlots: 20, tombstoneMs: 0, historyMs: 0, tokenAgeMs: 0 };
  const chunks = async (table: FaultyTable, birth: number) =>
    (await table.query({ pk: logKeys("default", birth, "pods").chunkIndex, consistent: true })).items.length;

  it("keeps the chunks of a slow writer, which commits after all", async () => {
    const scene = await aScene();
    const slow = await scene.resource({ settings: { ...settings, commitBudgetMs: day } });
    const quick = await scene.resource({ settings });
    await slow.commit(put("a"));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    scene.table.faults.put = async (item, _condition, real) => {
      if (isSlot(item)) await held;
      return real();
    };
    const big = { x: noise(300_000) };
    // The writer has put its chunks, and is held before the claim.
    const writing = slow.commit(put("big", big));
    await scene.clock.sleep(10);
    scene.table.faults = {};
    for (let n = 0; n < 10; n++) await quick.commit(put("a", { n }));
    scene.clock.jump(60_000);
    await scene.process(settings).maintain("default", forever);
    release();
    await writing;
    expect((await (await scene.resource()).get("big")).object?.value).toEqual(big);
    await auditLog(scene.table);
  });

  it("removes what no slot came to refer to, once it cannot be referred to any more", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings });
    await pods.commit(put("a"));
    const { birth } = await auditLog(scene.table);
    scene.table.faults.put = async (item, _condition, real) => {
      if (isSlot(item)) throw new UnknownOutcomeError("no answer");
      return real();
    };
    await expect(
      (await scene.resource({ settings: { ...settings, commitBudgetMs: 100 } })).commit(put("orphan", { x: noise(100_000) })),
    ).rejects.toThrow();
    scene.table.faults = {};
    const sweep = async () => {
      scene.clock.jump(60_000);
      await scene.process(settings).maintain("default", forever);
      return chunks(scene.table, birth);
    };
    expect(await chunks(scene.table, birth)).toBe(1);
    for (let n = 0; n < 15; n++) await pods.commit(put("a", { n }));
    expect(await sweep()).toBe(1);
    for (let n = 0; n < 15; n++) await pods.commit(put("a", { n }));
    expect(await sweep()).toBe(0);
  });

  it("writes its chunks again when they have become too old to be referred to", async () => {
    const scene = await aScene();
    const quick = await scene.resource({ settings });
    const slow = await scene.resource({ settings });
    await slow.commit(put("a"));
    const big = { x: noise(300_000) };
    let others = 0;
    const proposal = { ...put("big", big) };
    scene.table.faults.put = async (item, _condition, real) => {
      // While the writer is about to claim, more slots pass than its chunks may wait for.
      if (isSlot(item) && others === 0 && scene.table.calls.some(({ pk }) => pk.includes("#chunk#"))) {
        for (others = 1; others < 30; others++) await quick.commit(put("a", { others }));
      }
      return real();
    };
    const { revision } = objectOf(await slow.commit(proposal));
    scene.table.faults = {};
    const { changes } = await auditLog(scene.table);
    const change = changes.find(({ object }) => object.key === "big")!;
    expect(Math.floor(revision / 1000) - change.body!.born).toBeLessThanOrEqual(20);
  });

  it("keeps chunks that the view shares, and lets go of those that it has left", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings });
    const { birth } = await auditLog(scene.table);
    const kept = { x: noise(300_000, 1) };
    await pods.commit(put("kept", kept));
    for (let n = 0; n < 3; n++) await pods.commit(put("replaced", { x: noise(300_000, n) }));
    await pods.commit(put("deleted", { x: noise(300_000, 9) }));
    await pods.commit(remove("deleted"));
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 20; n++) await pods.commit(put("a", { n }));
      scene.clock.jump(60_000);
      await scene.process(settings).maintain("default", forever);
    }
    expect(await chunks(scene.table, birth)).toBe(2);
    const reader = await scene.resource();
    expect((await reader.get("kept")).object?.value).toEqual(kept);
    expect((await reader.get("replaced")).object?.value).toEqual({ x: noise(300_000, 2) });
  });

  it("reads again when a chunk is missing or is not what was written", async () => {
    const scene = await aScene();
    const value = { x: noise(800_000) };
    await (await scene.resource()).commit(put("a", value));
    for (const spoil of [undefined, Uint8Array.of(1, 2, 3)]) {
      let spoiled = 0;
      scene.table.faults.get = async (key, _consistent, real) => {
        const answer = await real();
        if (!key.pk.includes("#chunk#") || spoiled++ > 1) return answer;
        return { ...answer, item: answer.item && spoil ? { ...answer.item, data: spoil } : undefined };
      };
      expect((await (await scene.resource()).get("a")).object?.value).toEqual(value);
      await maintain(scene);
      spoiled = 0;
      expect((await (await scene.resource()).get("a")).object?.value).toEqual(value);
    }
  });

  it("never hands out a short body", async () => {
    const scene = await aScene();
    await (await scene.resource()).commit(put("a", { x: noise(800_000) }));
    scene.table.faults.get = async (key, _consistent, real) =>
      key.pk.includes("#chunk#") ? { item: undefined, date: new Date(0) } : real();
    await expect((await scene.resource()).get("a")).rejects.toThrow();
  });
});

describe("the upkeep of a cluster", () => {
  it("looks after every log, whatever trouble it has with one, and says that it had some", async () => {
    const scene = await aScene();
    for (const storage of ["a", "b", "c"]) await (await scene.resource({ storage })).commit(put("x"));
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item) && item.pk.includes("#a#")) throw new Crash();
      return real();
    };
    await expect(maintain(scene)).rejects.toBeInstanceOf(Crash);
    const sizes = await Promise.all(["a", "b", "c"].map(async (storage) => (await auditLog(scene.table, storage)).view.size));
    expect(sizes).toEqual([0, 1, 1]);
  });

  it("comes to every log in the end, though the first always takes all of its time", async () => {
    const scene = await aScene();
    const storages = ["a", "b", "c"];
    for (const storage of storages) await (await scene.resource({ storage })).commit(put("x"));
    scene.table.faults.put = async (item, _condition, real) => {
      if (isView(item)) scene.clock.jump(1_000);
      return real();
    };
    const busy = await scene.resource({ storage: "a" });
    for (let turn = 0; turn < 30; turn++) {
      await busy.commit(put("x", { turn }));
      await scene.process().maintain("default", { untilMs: scene.clock.now().getTime() + 500 });
    }
    const sizes = await Promise.all(storages.map(async (storage) => (await auditLog(scene.table, storage)).view.size));
    expect(sizes).toEqual([1, 1, 1]);
  });
});

/** A copy of everything in the table, so that a test can try something else with it. */
async function copyOf(scene: Scene): Promise<FaultyTable> {
  const { memoryTable } = await import("../../../shared/store/memory-table.ts");
  const { faultyTable } = await import("../../support/faulty-table.ts");
  const copy = faultyTable(memoryTable({ clock: scene.clock }));
  for (const pk of new Set(scene.table.calls.map((call) => call.pk))) {
    for (const item of (await scene.table.query({ pk, consistent: true })).items) await copy.put(item);
  }
  return copy;
}

const logKeysOf = (_scene: Scene, birth: number) => logKeys("default", birth, "pods");

describe("a log's marks", () => {
  it("stand at its birth when there are none", async () => {
    const scene = await aScene();
    const { birth } = await auditLog(scene.table);
    expect(await readMarks(scene.table, logKeysOf(scene, birth), birth)).toMatchObject({
      watermark: birth,
      floor: birth + 1,
      stubbed: birth + 1,
      erased: birth + 1,
    });
  });
});
