import { describe, expect, it } from "vitest";
import { SlowReaderError, type WatchItem } from "../../shared/store/store.ts";
import { isSlot } from "../support/faulty-table.ts";
import { aScene, inWords, objectOf, put, take } from "../support/stores.ts";

const slotPartition = (pk: string) => isSlot({ pk, sk: "" });
const never = () => new AbortController().signal;

describe("a watch", () => {
  it("hears of its own process' commits at once, without a poll", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = await pods.list({ prefix: "", at: "newest" });
    const watch = pods.watch({ prefix: "", after: revision, signal: never() })[Symbol.asyncIterator]();
    const first = watch.next();
    await pods.get("a"); // the watch has begun
    const before = scene.clock.now().getTime();
    await pods.commit(put("a"));
    expect(await first).toMatchObject({ value: { type: "change", change: { object: { key: "a" } } } });
    expect(scene.clock.now().getTime() - before).toBeLessThan(100);
    await watch.return?.();
  });

  it("hears of other processes within a second when idle, and sooner when things are moving", async () => {
    const scene = await aScene();
    const watcher = await scene.resource();
    const writer = await scene.resource();
    const { revision } = await watcher.list({ prefix: "", at: "newest" });
    const delays: number[] = [];
    let written = 0;
    const watching = (async () => {
      for await (const item of watcher.watch({ prefix: "", after: revision, signal: never() })) {
        if (item.type === "change") delays.push(scene.clock.now().getTime() - written);
        if (delays.length === 8) return;
      }
    })();
    await scene.clock.sleep(5_550);
    for (let n = 0; n < 8; n++) {
      written = scene.clock.now().getTime();
      await writer.commit(put("a", { n }));
      await scene.clock.sleep(n === 0 ? 1_100 : 370);
    }
    await watching;
    expect(delays[0]).toBeLessThanOrEqual(1_000);
    expect(delays[1]).toBeLessThanOrEqual(250);
    expect(Math.max(...delays.slice(2))).toBeLessThanOrEqual(100);
  });

  it("polls once for all watches, and not at all when nobody watches", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a")));
    const stop = new AbortController();
    const watches = Array.from({ length: 50 }, () => take(pods.watch({ prefix: "", after: revision, signal: stop.signal }), 1_000));
    await scene.clock.sleep(3_000);
    scene.table.calls.length = 0;
    await scene.clock.sleep(10_000);
    const polls = scene.table.calls.length;
    expect(polls).toBeGreaterThanOrEqual(9);
    expect(polls).toBeLessThanOrEqual(11);
    stop.abort();
    await Promise.all(watches);
    scene.table.calls.length = 0;
    await scene.clock.sleep(10_000);
    expect(scene.table.calls).toEqual([]);
  });

  it("says every ten seconds how far it is", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a")));
    const begun = scene.clock.now().getTime();
    const items: [number, WatchItem][] = [];
    const watching = (async () => {
      for await (const item of pods.watch({ prefix: "b/", after: revision, signal: never() })) {
        items.push([scene.clock.now().getTime() - begun, item]);
        if (items.length === 3) return;
      }
    })();
    await scene.clock.sleep(15_000);
    const other = objectOf(await pods.commit(put("a")));
    await watching;
    expect(items.map(([, item]) => item)).toEqual([
      { type: "progress", revision },
      { type: "progress", revision: other.revision },
      { type: "progress", revision: other.revision },
    ]);
    for (const [index, [after]] of items.entries()) {
      expect(after).toBeGreaterThanOrEqual((index + 1) * 10_000 - 1);
      expect(after).toBeLessThanOrEqual((index + 1) * 10_000 + 3_000);
    }
  });

  it("is ended, never skipped, when its reader does not keep up", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { windowSlots: 20 } });
    const { revision } = await pods.list({ prefix: "", at: "newest" });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of pods.watch({ prefix: "", after: revision, signal: never() })) {
        if (item.type !== "change") continue;
        seen.push(item.change.object.value.n as number);
        await scene.clock.sleep(100);
      }
    })();
    const failed = expect(reading).rejects.toBeInstanceOf(SlowReaderError);
    for (let n = 0; n < 200; n++) {
      await pods.commit(put("a", { n }));
      await scene.clock.sleep(10);
    }
    await failed;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => n));
    // From its last revision on, another watch has it all.
    const rest = await take(pods.watch({ prefix: "", after: revision, signal: never() }), 200);
    expect(rest.map((item) => item.type === "change" && item.change.object.value.n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it("starts far back without being called slow", async () => {
    const scene = await aScene();
    const writer = await scene.resource();
    const { revision } = objectOf(await writer.commit(put("a")));
    for (let n = 0; n < 1_200; n++) await writer.commit(put("a", { n }));
    const cold = await scene.resource({ settings: { windowSlots: 10 } });
    const items = await take(cold.watch({ prefix: "", after: revision, signal: never() }), 1_200);
    expect(items.map((item) => item.type === "change" && item.change.object.value.n)).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
  });

  it("waits for a revision in the future, and delivers nothing before it", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a")));
    const items = take(pods.watch({ prefix: "", after: revision + 2_000, signal: never() }), 1);
    for (const key of ["b", "c", "d", "e"]) await pods.commit(put(key));
    expect((await items).map(inWords)).toEqual(["put d"]);
  });

  it("survives a table that is in trouble for a while", async () => {
    const scene = await aScene();
    const watcher = await scene.resource();
    const writer = await scene.resource();
    const { revision } = await watcher.list({ prefix: "", at: "newest" });
    const items = take(watcher.watch({ prefix: "", after: revision, signal: never() }), 2);
    await writer.commit(put("a"));
    scene.table.faults.query = async () => {
      throw new Error("down");
    };
    await scene.clock.sleep(3_000);
    scene.table.faults = {};
    await writer.commit(put("b"));
    expect((await items).map(inWords)).toEqual(["put a", "put b"]);
  });

  it("costs an eventual read a poll, and nothing more while nothing happens", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    const { revision } = await pods.list({ prefix: "", at: "newest" });
    const stop = new AbortController();
    const watching = take(pods.watch({ prefix: "", after: revision, signal: stop.signal }), 100);
    await scene.clock.sleep(2_000);
    scene.table.calls.length = 0;
    await scene.clock.sleep(5_000);
    expect(scene.table.calls.every(({ op, pk, consistent }) => op === "query" && slotPartition(pk) && consistent === false)).toBe(true);
    stop.abort();
    await watching;
  });
});
