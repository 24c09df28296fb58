import { describe, expect, it } from "vitest";
import type { Clock } from "../../../shared/runtime/clock.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import { openStore } from "../../../shared/store/open-store.ts";
import { Head } from "../../../shared/store/slot.ts";
import { CompactedError, OutcomeUnknownError, StoreBusyError, StoreFullError, UnknownClusterError } from "../../../shared/store/store.ts";
import type { Table } from "../../../shared/store/table.ts";
import {
  type Condition,
  type Item,
  TableFullError,
  ThrottledError,
  UnknownOutcomeError,
  type WriteResult,
} from "../../../shared/store/table.ts";
import { dropReply, faultyTable, isSlot, times } from "../../support/faulty-table.ts";
import { auditLog } from "../../support/log-audit.ts";
import { aScene, create, keysOf, leftOf, modify, objectOf, put, remove, type Scene, take, update, wordFor } from "../../support/stores.ts";

const hour = 3_600_000;
const day = 24 * hour;
const slotOf = (revision: number) => Math.floor(revision / 1_000);

/** Every claim that was sent, as the slot's number. */
const claims = ({ table }: Scene): number[] =>
  table.calls.flatMap(({ op, condition, item, pk }) =>
    op === "put" && pk.endsWith("#log") && condition?.type === "absent" ? [Number(item?.sk)] : [],
  );

describe("rule 1: slots are numbered densely, and revisions follow from them", () => {
  it("numbers changes by slot and position, the slots without a hole from the log's birth on", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    const batch = await Promise.all(["b", "c", "d"].map(async (key) => objectOf(await pods.commit(put(key))).revision));
    await pods.commit(put("e"));

    const { birth, entries, changes } = await auditLog(scene.table);
    expect(entries.map(({ number }) => number)).toEqual([birth + 1, birth + 2, birth + 3]);
    expect(batch).toEqual([1, 2, 3].map((position) => (birth + 2) * 1_000 + position));
    expect(changes.map(({ object }) => object.revision % 1_000)).toEqual([1, 1, 2, 3, 1]);
  });

  it("begins with the milliseconds since 2026 at the birth", async () => {
    const scene = await aScene();
    const { birth } = await auditLog(scene.table);
    expect(birth).toBe(scene.clock.now().getTime() - Date.UTC(2026, 0, 1));
  });

  it("puts at most 999 changes into a slot", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await Promise.all(Array.from({ length: 1_500 }, (_, number) => pods.commit(put(`p${number}`))));
    const { entries } = await auditLog(scene.table);
    expect(entries.map(({ count }) => count)).toEqual([999, 501]);
  });
});

describe("rule 2: a head is a slot that was read strongly or won, and only the next slot is claimed", () => {
  it("claims the newest slot plus one, with the condition that it is absent, whatever the size of the slot before", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await Promise.all(Array.from({ length: 5 }, (_, number) => pods.commit(put(`p${number}`))));
    // A revision from the middle of the slot, and one beyond its end, are no heads.
    const { revision } = await pods.list({ prefix: "", at: "newest" });
    await pods.commit(update("p1", revision - 3, { n: 1 }));
    await (await scene.resource()).commit(put("q"));
    const { birth, entries } = await auditLog(scene.table);
    expect(claims(scene)).toEqual([birth + 1, birth + 2, birth + 3]);
    expect(entries).toHaveLength(3);
  });

  it("claims nothing but absent keys", async () => {
    const scene = await aScene();
    const writers = await Promise.all([scene.resource(), scene.resource()]);
    await Promise.all(writers.flatMap((writer) => ["a", "b"].map((key) => writer.commit(put(key)))));
    const slotPuts = scene.table.calls.filter((call) => call.op === "put" && isSlot({ pk: call.pk, sk: "" }));
    expect(slotPuts.every(({ condition }) => condition?.type === "absent")).toBe(true);
  });

  it("makes heads in one place, from slots and births", () => {
    const head = Head.ofSlot({ type: "stub", number: 7, count: 3, time: 1, since: 0, deletions: [] }, new Date(0));
    expect([head.slot, head.next, head.revision]).toEqual([7, 8, 7_003]);
    expect(Head.ofBirth(7, new Date(0)).revision).toBe(7_000);
  });
});

describe("rule 3: a claimed key is never free again while anyone might claim it", () => {
  /** A process that fell asleep with an old head, and a log that was compacted behind it. */
  const asleep = async (compactAfterMs: number, settings = {}) => {
    const scene = await aScene();
    const sleeper = await scene.resource({ settings });
    await sleeper.commit(put("old"));
    // Asked for once, so that it is known to be absent: a key that is not known would make the sleeper read first.
    await sleeper.get("late");
    const awake = await scene.resource();
    for (let n = 0; n < 5; n++) await awake.commit(put("counter", { n }));
    // The keys that the sleeper would claim go as soon as they may.
    for (const wait of [compactAfterMs, compactAfterMs]) {
      scene.clock.jump(wait);
      await awake.commit(put("clock", { wait }));
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    scene.table.calls.length = 0;
    return { scene, sleeper };
  };

  it("leaves stubs, which refuse the late claim", async () => {
    const { scene, sleeper } = await asleep(2 * day);
    const { entries } = await auditLog(scene.table);
    expect(entries.slice(0, 6).map(({ type }) => type)).toEqual(Array.from({ length: 6 }, () => "stub"));

    const written = objectOf(await sleeper.commit(put("late")));
    expect(claims(scene)[0]).toBe(entries[1]!.number);
    expect((await (await scene.resource()).get("late")).object).toEqual(written);
    expect(slotOf(written.revision)).toBe(entries.at(-1)!.number + 1);
  });

  it("believes a win on a head that is more than an hour old only if the slot is not below the floor", async () => {
    const { scene, sleeper } = await asleep(9 * day);
    const before = await auditLog(scene.table);
    const freed = before.birth + 2;
    expect(before.erased).toBeGreaterThan(freed);

    const written = objectOf(await sleeper.commit(put("late")));
    // The table accepted the claim of the freed key; nobody was told that it had been a commit.
    expect(claims(scene)[0]).toBe(freed);
    const reader = await scene.resource();
    expect((await reader.get("late")).object).toEqual(written);
    const after = await auditLog(scene.table);
    expect(slotOf(written.revision)).toBe(before.entries.at(-1)!.number + 1);
    expect(after.changes.filter(({ object }) => object.key === "late")).toHaveLength(1);
    expect(
      (await scene.table.get({ pk: after.keys.slots, sk: String(freed).padStart(16, "0") }, { consistent: true })).item,
    ).toBeUndefined();
  });

  it("does not take what stands at a freed key for the owner of the slot: the claim may have been carried out", async () => {
    const scene = await aScene();
    const sleeping: (() => void)[] = [];
    let drowsy = false;
    const asleep = <T>(call: () => Promise<T>): Promise<T> =>
      drowsy ? new Promise<void>((wake) => sleeping.push(wake)).then(call) : call();
    const table: Table = {
      ...scene.table,
      // Its claim is carried out, and then it falls asleep before it hears of that.
      async put(item, condition) {
        await scene.table.put(item, condition);
        drowsy = sleeping.length === 0;
        throw new UnknownOutcomeError("no answer");
      },
      query: (query) => asleep(() => scene.table.query(query)),
    };
    const sleeper = await scene.resource({ table, settings: { commitBudgetMs: 100 * day } });
    const stranger = await scene.resource();
    await stranger.commit(put("old"));
    await stranger.get("late");
    await sleeper.get("late");
    const word = sleeper.commit(put("late")).then(wordFor, (error: Error) => error.name);
    await scene.clock.sleep(100);
    const awake = await scene.resource();
    for (let n = 0; n < 5; n++) await awake.commit(put("counter", { n }));
    for (let pass = 0; pass < 2; pass++) {
      scene.clock.jump(9 * day);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    // A stranger who slept as long claims the same key, and falls over before it can take that back.
    scene.table.faults.query = async ({ pk }, real) => {
      if (pk.endsWith("#marks")) throw new Error("the process died");
      return real();
    };
    await stranger.commit(put("late", { by: "a stranger" })).catch(() => {});
    scene.table.faults = {};
    drowsy = false;
    for (const wake of sleeping) wake();
    expect(await word).toBe("OutcomeUnknownError");
    expect((await (await scene.resource()).get("late")).object).toBeDefined();
  });

  it("shows nobody what stands at a freed key, though the next slot follows it", async () => {
    const scene = await aScene();
    const sleeper = await scene.resource();
    await sleeper.list({ prefix: "", at: "newest" });
    await sleeper.commit(put("old"));
    const awake = await scene.resource();
    await awake.commit(put("x"));
    await awake.commit(put("y"));
    for (let pass = 0; pass < 2; pass++) {
      scene.clock.jump(9 * day);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    const { erased, birth } = await auditLog(scene.table);
    expect(erased).toBe(birth + 3);

    // Its claim of the key of "x" was accepted, and it is about to find out what that is worth.
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = false;
    scene.table.faults.query = async (query, real) => {
      if (asked || !query.pk.endsWith("#marks")) return real();
      asked = true;
      await held;
      return real();
    };
    const late = sleeper.commit(put("late"));
    await scene.clock.sleep(100);
    expect(asked).toBe(true);
    expect(await keysOf(sleeper)).toEqual(["old", "x", "y"]);
    await expect((await scene.resource()).changes((birth + 2) * 1_000)).rejects.toBeInstanceOf(CompactedError);
    release();
    const written = objectOf(await late);
    expect(slotOf(written.revision)).toBe(birth + 4);
    expect(await keysOf(sleeper)).toEqual(["late", "old", "x", "y"]);
  });

  it("keeps stubs for a week", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 3; n++) await pods.commit(put("a", { n }));
    const maintain = () => scene.process().maintain("default", { untilMs: Infinity });
    const types = async () => (await auditLog(scene.table)).entries.map(({ type }) => type);
    scene.clock.jump(20 * day);
    await maintain();
    expect(await types()).toEqual(["stub", "stub", "slot"]);
    scene.clock.jump(6.9 * day);
    await maintain();
    expect(await types()).toEqual(["stub", "stub", "slot"]);
    scene.clock.jump(0.2 * day);
    await maintain();
    expect(await types()).toEqual(["slot"]);
  });
});

describe("rule 4: the newest slot is never stubbed or deleted", () => {
  it("lets revisions grow after any idle time", async () => {
    const scene = await aScene();
    const first = objectOf(await (await scene.resource()).commit(put("a")));
    await (await scene.resource()).commit({ ...put("a"), judge: (current) => ({ type: "delete", value: current!.value }) });
    for (let pass = 0; pass < 4; pass++) {
      scene.clock.jump(30 * day);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    const { entries } = await auditLog(scene.table);
    expect(entries).toHaveLength(1);
    const idle = await scene.resource();
    expect((await idle.list({ prefix: "", at: "newest" })).revision).toBe(entries[0]!.number * 1_000 + 1);
    expect(objectOf(await idle.commit(put("b"))).revision).toBeGreaterThan(first.revision + 1_000);
  });

  it("gives a log without a slot the head that the cluster's record says", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { birth } = await auditLog(scene.table);
    expect((await pods.list({ prefix: "", at: "newest" })).revision).toBe(birth * 1_000);
    expect((await pods.get("a")).revision).toBe(birth * 1_000);
  });
});

/** Sleepers wake when they are told to. */
function clockByHand(): { readonly clock: Clock; readonly wake: (afterMs: number) => void } {
  let now = Date.parse("2026-06-01T00:00:00Z");
  let sleepers: (() => void)[] = [];
  return {
    clock: {
      now: () => new Date(now),
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          sleepers.push(resolve);
          signal?.addEventListener("abort", () => reject(signal.reason));
        }),
    },
    wake(afterMs) {
      now += afterMs;
      const all = sleepers;
      sleepers = [];
      for (const each of all) each();
    },
  };
}

describe("rule 5: keys carry the incarnation, and a log ends with a closing slot", () => {
  it("starts a new life, with higher numbers, under an old name", async () => {
    const scene = await aScene();
    const store = scene.process();
    const before = objectOf(await (await store.cluster("default")).resource("pods").commit(put("a")));
    await store.maintain("default", { untilMs: Infinity });
    await store.deleteCluster("default");
    await expect(store.cluster("default")).rejects.toBeInstanceOf(UnknownClusterError);
    const again = (await store.createCluster("default")).resource("pods");
    expect(await keysOf(again)).toEqual([]);
    expect(objectOf(await again.commit(put("a"))).revision).toBeGreaterThan(before.revision);
  });

  it("starts it also where the old life is still known", async () => {
    const scene = await aScene();
    const late = scene.process();
    await (await late.cluster("default")).resource("pods").commit(put("a"));
    await scene.process().deleteCluster("default");
    const again = await late.createCluster("default");
    expect(wordFor(await again.resource("pods").commit(create("a")))).toBe("committed");
    expect(await late.createCluster("default")).toBe(again);
  });

  it("leaves a new life alone when the upkeep comes late to the end of the old one", async () => {
    const scene = await aScene();
    const operator = scene.process();
    const before = objectOf(await (await operator.cluster("default")).resource("pods").commit(put("a")));
    scene.table.faults.put = async (item, _condition, real) => {
      if (item.state === "deleted") throw new Error("the process died");
      return real();
    };
    await expect(operator.deleteCluster("default")).rejects.toThrow("the process died");
    // The upkeep reads that the cluster is closing; before it goes on, the operator comes back, deletes it and makes it anew.
    scene.table.faults.get = async (key, _consistent, real) => {
      const answer = await real();
      if (answer.item?.state === "closing") {
        scene.table.faults = {};
        const again = scene.process();
        await again.deleteCluster("default");
        await (await again.createCluster("default")).resource("pods").commit(put("b"));
      }
      return answer;
    };
    const upkeep = scene.process();
    await upkeep.maintain("default", { untilMs: Infinity });
    const pods = (await scene.process().cluster("default")).resource("pods");
    expect(await keysOf(pods)).toEqual(["b"]);
    expect((await pods.get("b")).object?.revision).toBeGreaterThan(before.revision);
  });

  it("closes nothing of a cluster whose record somebody else changed, and says so", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    scene.table.faults.put = async (item, _condition, real) => {
      if (item.state !== "closing") return real();
      scene.table.faults = {};
      // The upkeep takes a former life off the record, for instance.
      const { item: record } = await scene.table.get({ pk: item.pk, sk: item.sk }, { consistent: true });
      await scene.table.put({ ...record!, version: "another" });
      return real();
    };
    await expect(scene.process().deleteCluster("default")).rejects.toBeInstanceOf(StoreBusyError);
    expect(wordFor(await pods.commit(put("b")))).toBe("committed");
  });

  it("lets a writer and a watcher of the old life see that it is over", async () => {
    const scene = await aScene();
    const held = await scene.resource();
    const { revision } = objectOf(await held.commit(put("a")));
    const watch = take(held.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 1);
    const store = scene.process();
    await store.deleteCluster("default");
    const again = (await store.createCluster("default")).resource("pods");

    await expect(held.commit(put("b"))).rejects.toBeInstanceOf(UnknownClusterError);
    await expect(held.get("a")).rejects.toBeInstanceOf(UnknownClusterError);
    await expect(watch).rejects.toBeInstanceOf(CompactedError);
    await expect(take(again.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 1)).rejects.toBeInstanceOf(
      CompactedError,
    );
    expect(await keysOf(again)).toEqual([]);
  });

  it("acknowledges nothing after the closing slot, and leaves nothing but the cluster's record", async () => {
    const scene = await aScene();
    const writers = await Promise.all([scene.resource(), scene.resource(), scene.resource({ storage: "nodes" })]);
    const acknowledged: number[] = [];
    let ended = 0;
    const load = writers.map(async (writer, index) => {
      for (let n = 0; ; n++) {
        try {
          acknowledged.push(
            objectOf(await writer.commit(put(`w${index}-${n % 7}`, { data: "x".repeat(n % 5 === 0 ? 80_000 : 10) }))).revision,
          );
          await scene.clock.sleep(1);
        } catch (error) {
          expect(error).toBeInstanceOf(UnknownClusterError);
          ended++;
          return;
        }
      }
    });
    await scene.clock.sleep(40);
    const { keys } = await auditLog(scene.table);
    await scene.process().deleteCluster("default");
    await Promise.all(load);
    expect(ended).toBe(3);
    const { items } = await scene.table.query({ pk: keys.slots, descending: true, limit: 1, consistent: true });
    expect(items[0]).toMatchObject({ closing: true });
    expect(Math.max(...acknowledged)).toBeLessThan(Number(items[0]!.sk) * 1_000);

    await scene.process().createCluster("default");
    const partitions = new Set(scene.table.calls.map(({ pk }) => pk).filter((pk) => pk.includes(keys.slots.split("#")[1]!)));
    for (let pass = 0; pass < 4; pass++) {
      await scene.process().maintain("default", { untilMs: Infinity });
      scene.clock.jump(8 * day);
    }
    expect(await scene.process().maintain("default", { untilMs: Infinity })).toBe(false);
    for (const pk of partitions) expect((await scene.table.query({ pk, consistent: true })).items).toEqual([]);
  });

  it("leaves nothing behind, wherever the removal is cut short", async () => {
    for (let crashAt = 0; ; crashAt++) {
      const scene = await aScene();
      const pods = await scene.resource({ settings: { bodyBytes: 100 } });
      await Promise.all(Array.from({ length: 3 }, (_, n) => pods.commit(put(`p${n}`, { data: "x".repeat(200) }))));
      await pods.commit(remove("p0"));
      const { birth } = await auditLog(scene.table);
      const operator = scene.process();
      await operator.deleteCluster("default");
      const again = (await operator.createCluster("default")).resource("pods");
      const maintain = () => scene.process().maintain("default", { untilMs: Infinity });
      scene.clock.jump(hour);
      await maintain();
      scene.clock.jump(8 * day);
      let writes = 0;
      const crash = async <T>(real: () => Promise<T>) => {
        if (writes++ >= crashAt) throw new RangeError("the process died");
        return real();
      };
      scene.table.faults.put = (_item, _condition, real) => crash(real);
      scene.table.faults.delete = (_key, _condition, real) => crash(real);
      await maintain().catch((error: Error) => expect(error).toBeInstanceOf(RangeError));
      scene.table.faults = {};
      expect(await maintain(), `cut short before write ${crashAt}`).toBe(false);
      expect(await leftOf(scene, birth), `cut short before write ${crashAt}`).toEqual([]);
      expect(wordFor(await again.commit(put("a")))).toBe("committed");
      if (writes <= crashAt) break;
    }
  });

  it("writes no chunks for a log that nobody would find", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    scene.table.faults.put = async (item, _condition, real) => {
      if (item.pk.endsWith("#logs")) throw new RangeError("the process died");
      return real();
    };
    const { birth } = await auditLog(scene.table);
    await expect(pods.commit(put("a", { data: "x".repeat(100_000) }))).rejects.toThrow("the process died");
    expect(await leftOf(scene, birth)).toEqual([]);
  });

  it("leaves nothing behind either of what somebody claimed at a freed key and did not live to take back", async () => {
    const scene = await aScene();
    const sleeper = await scene.resource();
    await sleeper.commit(put("a"));
    const awake = await scene.resource();
    for (let n = 0; n < 3; n++) await awake.commit(put("b", { n }));
    const { birth } = await auditLog(scene.table);
    for (let pass = 0; pass < 2; pass++) {
      scene.clock.jump(9 * day);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    scene.table.faults.get = async () => {
      throw new RangeError("the process died");
    };
    await expect(sleeper.commit(put("a", { n: 1 }))).rejects.toBeInstanceOf(OutcomeUnknownError);
    scene.table.faults = {};
    expect(await leftOf(scene, birth)).toContain(`default#${birth}#pods#log ${String(birth + 2).padStart(16, "0")}`);
    const operator = scene.process();
    await operator.deleteCluster("default");
    for (let pass = 0; pass < 3; pass++) {
      await operator.maintain("default", { untilMs: Infinity });
      scene.clock.jump(9 * day);
    }
    expect(await leftOf(scene, birth)).toEqual([]);
  });

  it("does away with a log that was about to begin when its cluster was deleted", async () => {
    const scene = await aScene();
    const late = await scene.resource({ settings: { bodyBytes: 100 } });
    await late.get("a");
    const { birth } = await auditLog(scene.table);
    const operator = scene.process();
    await operator.deleteCluster("default");
    await expect(late.commit(put("a", { data: "x".repeat(200) }))).rejects.toBeInstanceOf(UnknownClusterError);
    const again = (await operator.createCluster("default")).resource("pods");
    await again.commit(put("b"));
    expect(await operator.maintain("default", { untilMs: Infinity })).toBe(false);
    expect(await leftOf(scene, birth)).toEqual([]);
    expect((await auditLog(scene.table)).view.size).toBe(1);
  });

  it("finds out after any sleep that nothing is left of its life", async () => {
    const scene = await aScene();
    const sleeper = await scene.resource();
    await sleeper.commit(put("a"));
    await scene.process().deleteCluster("default");
    for (let pass = 0; pass < 4; pass++) {
      await scene.process().maintain("default", { untilMs: Infinity });
      scene.clock.jump(8 * day);
    }
    await expect(sleeper.get("a")).rejects.toBeInstanceOf(UnknownClusterError);
    await expect(sleeper.commit(put("b"))).rejects.toBeInstanceOf(UnknownClusterError);
  });

  it("leaves nothing in what is no log any more, and tells what it wrote before the end", async () => {
    const scene = await aScene();
    const sleepers = await Promise.all([scene.resource(), scene.resource()]);
    await sleepers[0].commit(put("a"));
    await sleepers[1].get("a");
    const { birth } = await auditLog(scene.table);
    scene.clock.jump(2 * hour);
    // Its claim is carried out just before the end, and it hears of that just after.
    scene.table.faults.put = async (item, _condition, real) => {
      const result = await real();
      if (isSlot(item)) {
        scene.table.faults = {};
        await scene.process().deleteCluster("default");
      }
      return result;
    };
    expect(wordFor(await sleepers[0].commit(put("a", { n: 2 })))).toBe("committed");
    for (let pass = 0; pass < 4; pass++) {
      await scene.process().maintain("default", { untilMs: Infinity });
      scene.clock.jump(8 * day);
    }
    scene.table.calls.length = 0;
    await expect(sleepers[1].commit(put("a", { n: 3 }))).rejects.toBeInstanceOf(UnknownClusterError);
    expect(claims(scene)).toEqual([birth + 2]);
    expect(await leftOf(scene, birth)).toEqual([]);
  });

  it("finds out also when the end of the log is in the view already, and goes on with the new life", async () => {
    const scene = await aScene();
    const late = scene.process();
    const before = (await late.cluster("default")).resource("pods");
    const store = scene.process();
    await (await store.cluster("default")).resource("pods").commit(put("a"));
    await store.deleteCluster("default");
    await store.maintain("default", { untilMs: Infinity });
    await store.createCluster("default");
    await expect(before.get("a")).rejects.toBeInstanceOf(UnknownClusterError);
    expect(wordFor(await (await late.cluster("default")).resource("pods").commit(create("a")))).toBe("committed");
  });

  it("finds out also where nothing was ever written to a log, so that it has no closing slot", async () => {
    const scene = await aScene();
    const late = scene.process();
    const before = (await late.cluster("default")).resource("pods");
    const { revision } = await before.list({ prefix: "", at: "newest" });
    const watch = take(before.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 2);
    const store = scene.process();
    await store.deleteCluster("default");
    await (await store.createCluster("default")).resource("pods").commit(put("a"));
    await expect(watch).rejects.toBeInstanceOf(CompactedError);
    await expect(before.get("a")).rejects.toBeInstanceOf(UnknownClusterError);
    await expect(before.list({ prefix: "", at: "newest" })).rejects.toBeInstanceOf(UnknownClusterError);
    await expect(take(before.watch({ prefix: "", after: revision, signal: new AbortController().signal }), 1)).rejects.toBeInstanceOf(
      CompactedError,
    );
    expect(await keysOf((await late.cluster("default")).resource("pods"))).toEqual(["a"]);
  });

  it("does not let a log begin in a cluster that is being deleted", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    expect((await pods.get("a")).object).toBeUndefined();
    await scene.process().deleteCluster("default");
    await expect(pods.commit(put("a"))).rejects.toBeInstanceOf(UnknownClusterError);
  });
});

describe("rule 6: one claim is in flight per log and process", () => {
  it("claims the next slot only when the owner of this one is known", async () => {
    const scene = await aScene();
    let inFlight = 0;
    let most = 0;
    scene.table.faults.put = async (item, _condition, real) => {
      if (!isSlot(item)) return real();
      most = Math.max(most, ++inFlight);
      await scene.clock.sleep(20);
      const result = await real();
      await scene.clock.sleep(20);
      inFlight--;
      return result;
    };
    const pods = await scene.resource();
    const writes = [];
    for (let n = 0; n < 30; n++) {
      writes.push(pods.commit(put(`p${n}`)));
      await scene.clock.sleep(7);
    }
    await Promise.all(writes);
    expect(most).toBe(1);
    expect(await keysOf(await scene.resource())).toHaveLength(30);
  });

  it("does not move on while a claim's outcome is unknown", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    const { entries } = await auditLog(scene.table);
    scene.table.calls.length = 0;
    scene.table.faults.put = times(
      6,
      async (_item: Item, _condition: Condition | undefined, _real: () => Promise<WriteResult>): Promise<WriteResult> => {
        throw new UnknownOutcomeError("no answer");
      },
      (_item, _condition, real) => real(),
    );
    await Promise.all([pods.commit(put("b")), scene.clock.sleep(5).then(() => pods.commit(put("c")))]);
    const next = entries.at(-1)!.number + 1;
    expect(claims(scene)).toEqual([...Array.from({ length: 7 }, () => next), next + 1]);
  });
});

describe("rule 9: every answer to a claim other than success is unknown until that slot has been read", () => {
  const trouble = [
    { name: "a reply that is lost after the commit", made: true, error: new UnknownOutcomeError("connection reset") },
    { name: "a request that never arrives", made: false, error: new UnknownOutcomeError("connection refused") },
    { name: "a throttle", made: false, error: new ThrottledError("slow down") },
    { name: "an error that nobody foresaw", made: true, error: new Error("what was that") },
  ];

  it.each(trouble)("settles $name by reading: the write is made once", async ({ made, error }) => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("counter", { n: 0 }));
    scene.table.faults.put = times(
      3,
      async (item, _condition, real) => {
        if (made && isSlot(item)) await real();
        throw error;
      },
      (_item, _condition, real) => real(),
    );
    const outcome = await pods.commit(modify("counter", ({ n }) => ({ n: Number(n) + 1 })));
    expect(outcome.type).toBe("committed");
    expect((await (await scene.resource()).get("counter")).object?.value).toEqual({ n: 1 });
    expect((await auditLog(scene.table)).changes).toHaveLength(2);
  });

  it("does not take its own slot for somebody else's when the retry finds it there", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    // Somewhere on the way the request is sent twice, and the second answer is the one that comes back.
    scene.table.faults.put = async (item, _condition, real) => {
      if (isSlot(item)) await real();
      return real();
    };
    expect(wordFor(await pods.commit(create("a")))).toBe("committed");
    expect(wordFor(await pods.commit(create("a")))).toBe("AlreadyExists");
    expect((await auditLog(scene.table)).changes).toHaveLength(1);
  });

  it("knows its own slot by what stood in the way, also when only a stub is left by the time it reads", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const other = await scene.resource();
    await pods.commit(put("counter", { n: 0 }));
    scene.table.faults.put = times(
      1,
      async (_item, _condition, real) => {
        await real();
        const second = await real();
        for (const wait of [2 * day, 0]) {
          await other.commit(put("clock", { wait }));
          scene.clock.jump(wait);
        }
        await scene.process().maintain("default", { untilMs: Infinity });
        return second;
      },
      (_item, _condition, real) => real(),
    );
    expect(wordFor(await pods.commit(modify("counter", ({ n }) => ({ n: Number(n) + 1 }))))).toBe("committed");
    expect((await auditLog(scene.table)).entries[1]?.type).toBe("stub");
    expect((await (await scene.resource()).get("counter")).object?.value).toEqual({ n: 1 });
  });

  it("knows by a stub's time that the slot was not its own, though its first request was lost", async () => {
    const scene = await aScene();
    const sleeper = await scene.resource();
    const awake = await scene.resource();
    await sleeper.commit(put("a", { n: 0 }));
    for (let n = 1; n < 4; n++) await awake.commit(put("a", { n }));
    scene.clock.jump(2 * day);
    await scene.process().maintain("default", { untilMs: Infinity });
    scene.table.faults.put = times(
      1,
      async (_item: Item, _condition: Condition | undefined, _real: () => Promise<WriteResult>): Promise<WriteResult> => {
        throw new UnknownOutcomeError("lost on the way there");
      },
      (_item, _condition, real) => real(),
    );
    expect(wordFor(await sleeper.commit(modify("a", ({ n }) => ({ n: `${Number(n)} and more` }))))).toBe("committed");
    expect((await awake.get("a")).object?.value).toEqual({ n: "3 and more" });
  });

  it("says that nobody knows when time is up, never that it failed", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { commitBudgetMs: 1_000 } });
    await pods.commit(put("a", { n: 0 }));
    scene.table.faults.put = async () => {
      throw new UnknownOutcomeError("no answer");
    };
    await expect(pods.commit(put("a", { n: 1 }))).rejects.toBeInstanceOf(OutcomeUnknownError);
    scene.table.faults = {};
    expect((await pods.get("a")).object?.value).toEqual({ n: 0 });
    expect(wordFor(await pods.commit(put("a", { n: 2 })))).toBe("committed");
  });

  it("never says that nothing was written in the moment in which the answer comes and time is up", async () => {
    for (let steps = 0; steps < 30; steps++) {
      const { clock, wake } = clockByHand();
      const table = faultyTable(memoryTable());
      const pods = (
        await openStore({ table, clock, log: silentLog, settings: { commitBudgetMs: 1_000 } }).createCluster("default")
      ).resource("pods");
      await pods.commit(put("a", { n: 0 }));
      const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
      table.faults.put = async (_item, _condition, real) => {
        const result = await real();
        await answered;
        return result;
      };
      const word = pods.commit(put("a", { n: 1 })).then(wordFor, (error: Error) => error.name);
      await new Promise(setImmediate);
      answer();
      for (let step = 0; step < steps; step++) await Promise.resolve();
      wake(1_002);
      expect(["committed", "OutcomeUnknownError"], `${steps} steps after the answer`).toContain(await word);
    }
  });

  it.each([
    { what: "a slot", value: { n: 1 } },
    { what: "what lies beside it", value: { n: "x".repeat(900_000) } },
  ])("says at once that there is no room for $what, and goes on when there is", async ({ value }) => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a", { n: 0 }));
    const begun = scene.clock.now().getTime();
    scene.table.faults.put = async () => {
      throw new TableFullError("database or disk is full");
    };
    const refused = [pods.commit(put("a", value)), pods.commit(put("b", { n: 2 }))];
    for (const one of await Promise.allSettled(refused)) expect(one).toMatchObject({ reason: expect.any(StoreFullError) });
    expect(scene.clock.now().getTime() - begun).toBeLessThan(1_000);
    expect((await pods.get("a")).object?.value).toEqual({ n: 0 });
    scene.table.faults = {};
    expect(wordFor(await pods.commit(put("b", { n: 2 })))).toBe("committed");
    expect((await auditLog(scene.table)).changes.map(({ object }) => object.value.n)).toEqual([0, 2]);
  });

  it("survives a packet that arrives after its writer gave up: the log stays in order", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { commitBudgetMs: 500 } });
    await pods.commit(put("a", { n: 0 }));
    const late: (() => Promise<WriteResult>)[] = [];
    scene.table.faults.put = async (_item, _condition, real) => {
      late.push(real);
      throw new UnknownOutcomeError("no answer");
    };
    await expect(pods.commit(put("a", { n: "late" }))).rejects.toBeInstanceOf(OutcomeUnknownError);
    scene.table.faults = {};
    await late[0]!();
    const seen = await pods.commit(modify("a", ({ n }) => ({ n: `after ${String(n)}` })));
    expect(objectOf(seen).value).toEqual({ n: "after late" });
    // The others find the key taken.
    for (const packet of late.slice(1)) expect(await packet()).toMatchObject({ done: false });
    expect((await auditLog(scene.table)).changes.map(({ object }) => object.value.n)).toEqual([0, "late", "after late"]);
  });

  it("says so in time when the table does not answer at all", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { commitBudgetMs: 1_000 } });
    await pods.commit(put("a", { n: 0 }));
    const begun = scene.clock.now().getTime();
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    scene.table.faults.put = async (_item, _condition, real) => (await held, real());
    const claimed = pods.commit(put("a", { n: 1 }));
    await scene.clock.sleep(500);
    const waiting = pods.commit(put("b"));
    await expect(claimed).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(waiting).rejects.toBeInstanceOf(StoreBusyError);
    expect(scene.clock.now().getTime() - begun).toBeLessThan(1_600);
    answer();
    expect(wordFor(await pods.commit(modify("a", ({ n }) => ({ n: `after ${String(n)}` }))))).toBe("committed");
    expect((await auditLog(scene.table)).changes.map(({ object }) => object.value.n)).toEqual([0, 1, "after 1"]);
  });

  it("writes nothing for somebody who was told so while it was being judged", async () => {
    const scene = await aScene();
    await (await scene.resource()).commit(put("a", { n: 0 }));
    const pods = await scene.resource({ settings: { commitBudgetMs: 1_000 } });
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    scene.table.faults.get = async (_key, _consistent, real) => (await held, real());
    const first = pods.commit(put("b"));
    await scene.clock.sleep(500);
    const second = pods.commit(put("a", { n: 1 }));
    await expect(first).rejects.toBeInstanceOf(StoreBusyError);
    answer();
    expect(wordFor(await second)).toBe("committed");
    expect((await auditLog(scene.table)).changes.map(({ object }) => object.key)).toEqual(["a", "a"]);
  });

  it("tells those who only waited that nothing was written", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { commitBudgetMs: 500 } });
    scene.table.faults.query = async () => {
      throw new ThrottledError("slow down");
    };
    await expect(pods.commit(put("a"))).rejects.toBeInstanceOf(StoreBusyError);
  });
});

describe("rule 10: every change has an id that survives retries and regrouping", () => {
  it("finds its changes again after any number of lost replies, among other writers", async () => {
    const scene = await aScene();
    let calls = 0;
    scene.table.faults.put = (item, condition, real) =>
      isSlot(item) && calls++ % 3 !== 0 ? dropReply(new UnknownOutcomeError("no answer"))(item, condition, real) : real();
    const writers = await Promise.all(Array.from({ length: 3 }, () => scene.resource()));
    await writers[0]!.commit(put("counter", { n: 0 }));
    const add = modify("counter", ({ n }) => ({ n: Number(n) + 1 }));
    await Promise.all(
      writers.map(async (writer) => {
        for (let round = 0; round < 5; round++) await Promise.all([writer.commit(add), writer.commit(add)]);
      }),
    );
    expect((await writers[0]!.get("counter")).object?.value).toEqual({ n: 30 });
    expect((await auditLog(scene.table)).changes).toHaveLength(31);
  });

  it("answers from the slot that it is found in", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    scene.table.faults.put = times(2, dropReply(new UnknownOutcomeError("no answer")), (_item, _condition, real) => real());
    const outcomes = await Promise.all(["a", "b", "c"].map(async (key) => objectOf(await pods.commit(put(key))).revision));
    const { changes } = await auditLog(scene.table);
    expect(outcomes).toEqual(changes.map(({ object }) => object.revision));
  });
});
