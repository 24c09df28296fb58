import { describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/runtime/log.ts";
import { itemBytes, memoryTable } from "../../../shared/store/memory-table.ts";
import { openStore } from "../../../shared/store/open-store.ts";
import type { Outcome, Proposal } from "../../../shared/store/store.ts";
import { faultyTable, isSlot, isView } from "../../support/faulty-table.ts";
import { auditLog } from "../../support/log-audit.ts";
import {
  aScene,
  author,
  create,
  keysOf,
  modify,
  objectOf,
  put,
  randomFrom,
  remove,
  type Scene,
  update,
  wordFor,
} from "../../support/stores.ts";

const hour = 3_600_000;
const chunkPuts = ({ table }: Scene) => table.calls.filter(({ op, pk }) => op === "put" && pk.includes("#chunk#")).length;

/** Text that does not compress. */
function noise(length: number, seed = 1): string {
  const random = randomFrom(seed);
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join("");
}

describe("rule 12: a lost slot costs a re-evaluation of every change, in slot order, each seeing the ones before it", () => {
  it("judges the second change of a slot on what the first one left", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const n = modify("a", ({ n }) => ({ n: Number(n) + 1 }));
    const words = (
      await Promise.all(
        [create("a", { n: 0 }), create("a"), n, n, remove("a"), n, create("a", { n: 7 }), n].map((each) => pods.commit(each)),
      )
    ).map(wordFor);
    expect(words).toEqual(["committed", "AlreadyExists", "committed", "committed", "deleted", "NotFound", "committed", "committed"]);
    const { entries, changes } = await auditLog(scene.table);
    expect(entries).toHaveLength(1);
    expect(changes.map(({ type, object, previous }) => [type, object.value.n, previous?.value.n])).toEqual([
      ["put", 0, undefined],
      ["put", 1, 0],
      ["put", 2, 1],
      ["delete", 2, 2],
      ["put", 7, undefined],
      ["put", 8, 7],
    ]);
  });

  it("gives the outcomes that as many slots of one change each would give", async () => {
    const random = randomFrom(5);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    for (let round = 0; round < 30; round++) {
      const proposals = Array.from({ length: 12 }, (_, index) => {
        const key = pick(["a", "b", "c"]);
        return pick<Proposal>([create(key, { index }), put(key, { index }), remove(key), modify(key, (value) => ({ ...value, index }))]);
      });
      const together = await (await aScene()).resource();
      const apart = await (await aScene()).resource();
      const one = (await Promise.all(proposals.map((each) => together.commit(each)))).map(withoutRevisions);
      const other: unknown[] = [];
      for (const each of proposals) other.push(withoutRevisions(await apart.commit(each)));
      expect(one).toEqual(other);
    }
  });
  const withoutRevisions = (outcome: Outcome) => [wordFor(outcome), outcome.type === "refused" ? undefined : outcome.object.value];

  it("judges everybody again after a lost slot; who fails is answered, the others go on", async () => {
    const scene = await aScene();
    const loser = await scene.resource();
    const winner = await scene.resource();
    const { revision } = objectOf(await loser.commit(put("a", { n: 1 })));
    await loser.commit(put("b", { n: 1 }));
    await winner.commit(update("a", revision, { n: 2 }));
    await winner.commit(create("d"));
    const seen: unknown[] = [];
    const words = await Promise.all(
      [
        update("a", revision, { n: 3 }),
        { ...modify("b", ({ n }) => ({ n: Number(n) + 1 })) },
        {
          key: "a",
          author,
          judge: (current: any) => (seen.push(current?.value.n), { type: "put", value: { n: Number(current?.value.n) + 10 } }) as any,
        },
        create("d"),
        create("e"),
      ].map((each) => loser.commit(each)),
    );
    expect(words.map(wordFor)).toEqual(["Conflict", "committed", "committed", "AlreadyExists", "committed"]);
    expect(seen).toEqual([3, 2]);
    expect((await winner.get("a")).object?.value).toEqual({ n: 12 });
  });

  it("does not judge again what cannot have changed", async () => {
    const scene = await aScene();
    const loser = await scene.resource();
    const winner = await scene.resource();
    await loser.commit(put("a"));
    await winner.commit(put("b"));
    let judged = 0;
    let guarded = 0;
    const slow: Proposal = { ...put("a"), judge: () => (judged++, { type: "put", value: { judged } }) };
    const guard: Proposal = { ...put("c"), volatile: true, judge: () => (guarded++, { type: "put", value: {} }) };
    await Promise.all([loser.commit(slow), loser.commit(guard)]);
    expect([judged, guarded]).toEqual([1, 2]);
  });

  it("lets a slow batch through beside quick writers", async () => {
    const scene = await aScene();
    const latency = 2;
    for (const op of ["put", "query"] as const) {
      scene.table.faults[op] = async (...args: any[]) => {
        await scene.clock.sleep(latency);
        return args.at(-1)();
      };
    }
    const quick = await Promise.all(Array.from({ length: 4 }, () => scene.resource()));
    const batcher = await scene.resource();
    const over = new AbortController();
    const load = quick.map(async (writer, index) => {
      while (!over.signal.aborted) await writer.commit(put(`quick${index}`, { at: scene.clock.now().getTime() }));
    });
    await scene.clock.sleep(50);
    const before = (await auditLog(scene.table)).entries.length;
    const slow = (key: string): Proposal => ({
      key,
      author,
      judge: async () => (await scene.clock.sleep(60), { type: "put", value: { key } }),
    });
    await Promise.all(Array.from({ length: 49 }, (_, n) => batcher.commit(slow(`batch${n}`))));
    over.abort();
    await Promise.all(load);
    const { entries } = await auditLog(scene.table);
    const batch = entries.findIndex(({ count }) => count >= 32);
    expect(batch - before).toBeLessThan(200);
  });

  it("serves every writer of many", async () => {
    const scene = await aScene();
    for (const op of ["put", "query"] as const) {
      scene.table.faults[op] = async (...args: any[]) => {
        await scene.clock.sleep(5);
        return args.at(-1)();
      };
    }
    const writers = await Promise.all(Array.from({ length: 16 }, () => scene.resource()));
    const end = scene.clock.now().getTime() + 10_000;
    const waits = await Promise.all(
      writers.map(async (writer, index) => {
        let longest = 0;
        while (scene.clock.now().getTime() < end) {
          const begun = scene.clock.now().getTime();
          await writer.commit(put(`w${index}`, { begun }));
          longest = Math.max(longest, scene.clock.now().getTime() - begun);
        }
        return longest;
      }),
    );
    expect(Math.max(...waits)).toBeLessThan(5_000);
  });
});

describe("rule 20: time in a slot is a hybrid logical clock", () => {
  it("never goes back within a log, however wrong its writers' clocks are", async () => {
    const scene = await aScene();
    const skewed = async (ms: number) => {
      const clock = { ...scene.clock, now: () => new Date(scene.clock.now().getTime() + ms) };
      return (await openStore({ table: scene.table, clock, log: silentLog }).cluster("default")).resource("pods");
    };
    const writers = [await skewed(hour), await skewed(-hour), await skewed(0)];
    const times: Date[] = [];
    for (let n = 0; n < 9; n++) {
      const writer = writers[n % 3]!;
      await writer.commit({ ...put("a", { n }), judge: (_current, { now }) => (times.push(now), { type: "put", value: { n } }) });
    }
    const { changes } = await auditLog(scene.table); // checks that time rises
    expect(changes.every(({ time }, index) => index === 0 || time >= changes[index - 1]!.time)).toBe(true);
    expect(times.length).toBeGreaterThanOrEqual(9);
  });

  it("is above the slot before also for a process that begins where the view ends", async () => {
    const scene = await aScene();
    await (await scene.resource()).commit(put("a"));
    const ahead = { ...scene.clock, now: () => new Date(scene.clock.now().getTime() + hour) };
    await (await openStore({ table: scene.table, clock: ahead, log: silentLog }).cluster("default")).resource("pods").commit(put("a"));
    await scene.process().maintain("default", { untilMs: Infinity });
    await (await scene.resource()).commit(put("a"));
    expect((await auditLog(scene.table)).entries).toHaveLength(3); // checks that time rises
  });

  it("is above every slot of other logs that its writer has read", async () => {
    const scene = await aScene();
    const ahead = await scene.resource({ storage: "nodes" });
    // A burst makes the first log's time run ahead of the clock.
    for (let n = 0; n < 50; n++) await ahead.commit(put("a", { n }));
    const store = scene.process();
    const cluster = await store.cluster("default");
    await cluster.resource("nodes").get("a");
    await cluster.resource("pods").commit(put("b"));
    const nodes = await auditLog(scene.table, "nodes");
    const pods = await auditLog(scene.table, "pods");
    expect(pods.entries.at(-1)!.time).toBeGreaterThan(nodes.entries.at(-1)!.time);
  });

  it("judges ages by the table's clock, not by the sweeper's", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    for (let n = 0; n < 5; n++) await pods.commit(put("a", { n }));
    const clock = { ...scene.clock, now: () => new Date(scene.clock.now().getTime() + 100 * 24 * hour) };
    await openStore({ table: scene.table, clock, log: silentLog }).maintain("default", { untilMs: Infinity });
    const { stubbed, floor, birth } = await auditLog(scene.table);
    expect([stubbed, floor]).toEqual([birth + 1, birth + 1]);
  });
});

describe("rule 22: a slot item stays below 4 KB, and a lost claim uploads nothing again", () => {
  it.each([
    { name: "one small object", proposals: [put("a", { x: 1 })] },
    { name: "an object that compresses badly", proposals: [put("a", { x: noise(3_500) })] },
    { name: "an object of 1 MB", proposals: [put("a", { x: noise(1_000_000) })] },
    { name: "300 small objects", proposals: Array.from({ length: 300 }, (_, n) => put(`p${n}`, { x: noise(100, n) })) },
    { name: "20 middling objects", proposals: Array.from({ length: 20 }, (_, n) => put(`p${n}`, { x: noise(40_000, n) })) },
  ])("$name", async ({ proposals }) => {
    const scene = await aScene();
    const pods = await scene.resource();
    const written = await Promise.all(proposals.map(async (proposal) => objectOf(await pods.commit(proposal))));
    await Promise.all(proposals.map(({ key }) => pods.commit(remove(key))));
    for (const { item } of scene.table.calls.filter((call) => call.op === "put" && isSlot({ pk: call.pk, sk: "" }))) {
      expect(itemBytes(item!)).toBeLessThan(4_096);
    }
    const reader = await scene.resource();
    const { changes } = await reader.changes(written[0]!.revision - 1);
    expect(changes.slice(0, written.length).map(({ object }) => object)).toEqual(written);
  });

  it("keeps the revision out of the body", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision, value } = objectOf(await pods.commit(put("a", { metadata: { name: "a" } })));
    expect(JSON.stringify(value)).not.toContain(String(revision));
    expect(value).toEqual({ metadata: { name: "a" } });
  });

  it("writes chunks once, however many slots are lost", async () => {
    const scene = await aScene();
    const loser = await scene.resource();
    const winner = await scene.resource();
    await loser.commit(put("z"));
    await winner.commit(put("z"));
    let stolen = 0;
    scene.table.faults.put = async (item, condition, real) => {
      // Somebody is always a little faster.
      if (isSlot(item) && typeof item.chunks === "string" && stolen++ < 5) await winner.commit(put("z", { stolen }));
      return real();
    };
    scene.table.calls.length = 0;
    const batch = [put("big", { x: noise(200_000) }), ...Array.from({ length: 50 }, (_, n) => put(`p${n}`, { x: noise(200, n) }))];
    await Promise.all(batch.map((proposal) => loser.commit(proposal)));
    expect(stolen).toBeGreaterThan(5);
    expect(chunkPuts(scene)).toBe(2);
    expect(await keysOf(await scene.resource())).toHaveLength(52);
  });
});

describe("rule 23: a batch carries what its plan read as preconditions, checked again at each claim", () => {
  const planned = (plan: string, seen: number, key: string): Proposal => ({
    key,
    author,
    plan,
    volatile: true,
    judge(current, judging) {
      const foreign = judging.changesSince(seen)?.some((change) => change.plan !== plan) ?? true;
      return current || foreign ? { type: "refused", error: new Error("Conflict") } : { type: "put", value: { plan } };
    },
  });

  it("lets one of two plans for the same state through, whole", async () => {
    const scene = await aScene();
    const reconcilers = await Promise.all([scene.resource(), scene.resource()]);
    await reconcilers[0].commit(put("owner"));
    const outcomes = await Promise.all(
      reconcilers.map(async (pods, index) => {
        const { revision } = await pods.list({ prefix: "", at: "newest" });
        return Promise.all(
          ["x", "y", "z"].map(async (name) => wordFor(await pods.commit(planned(`plan${index}`, revision, `${name}${index}`)))),
        );
      }),
    );
    expect(outcomes.toSorted(([one = ""], [other = ""]) => (one < other ? -1 : 1))).toEqual([
      ["Conflict", "Conflict", "Conflict"],
      ["committed", "committed", "committed"],
    ]);
  });

  it("sees what was committed between the plan's read and its claim", async () => {
    const scene = await aScene();
    const planner = await scene.resource();
    const other = await scene.resource();
    await planner.commit(put("owner"));
    const { revision } = await planner.list({ prefix: "", at: "newest" });
    await other.commit(put("other"));
    expect(wordFor(await planner.commit(planned("plan", revision, "x")))).toBe("Conflict");
  });

  it("does not know what was compacted, and says so", async () => {
    const scene = await aScene();
    const pods = await scene.resource({ settings: { windowSlots: 4 } });
    const { revision } = objectOf(await pods.commit(put("a")));
    for (let n = 0; n < 10; n++) await pods.commit(put("a", { n }));
    const answers: unknown[] = [];
    await pods.commit({
      ...put("a"),
      judge: (_current, judging) => (answers.push(judging.changesSince(revision)), { type: "put", value: {} }),
    });
    expect(answers).toEqual([undefined]);
  });
});

describe("rule 24: no invariant spans two logs", () => {
  it("writes one log only: what another one holds can be read strongly, not relied upon", async () => {
    const scene = await aScene();
    const cluster = await scene.process().cluster("default");
    const [owners, children] = [cluster.resource("owners"), cluster.resource("children")];
    await owners.commit(put("owner"));
    await children.commit(put("child"));
    scene.table.calls.length = 0;
    await children.commit(modify("child", (value) => ({ ...value, changed: true })));
    expect(new Set(scene.table.calls.map(({ pk }) => pk.split("#")[2]))).toEqual(new Set(["children"]));
  });

  it("lets a collector look for the owner after it has read the child", async () => {
    const scene = await aScene();
    const frozen = await scene.process().cluster("default");
    const awake = await scene.process().cluster("default");
    expect((await frozen.resource("owners").get("owner")).object).toBeUndefined();
    await awake.resource("owners").commit(put("owner"));
    await awake.resource("children").commit(put("child"));
    const { object: child } = await frozen.resource("children").get("child");
    expect(child).toBeDefined();
    expect((await frozen.resource("owners").get("owner")).object).toBeDefined();
  });
});

describe("rule 25: single items only, and slots alone ring", () => {
  it("uses nothing but get, put, query and conditional deletes", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await Promise.all(
      [put("a", { x: noise(200_000) }), ...Array.from({ length: 50 }, (_, n) => put(`p${n}`, { x: noise(200, n) }))].map((each) =>
        pods.commit(each),
      ),
    );
    await pods.commit(remove("a"));
    await pods.commit(put("b"));
    for (let pass = 0; pass < 3; pass++) {
      scene.clock.jump(10 * 24 * hour);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    await scene.process().deleteCluster("default");
    for (let pass = 0; pass < 3; pass++) {
      scene.clock.jump(10 * 24 * hour);
      await scene.process().maintain("default", { untilMs: Infinity });
    }
    const deletes = scene.table.calls.filter(({ op }) => op === "delete");
    expect(deletes.length).toBeGreaterThan(0);
    expect(deletes.every(({ condition }) => condition?.type === "equals")).toBe(true);
  });

  it("names the consumers to ring in the slot, and nowhere else", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const ringing = (key: string, consumers: readonly string[]): Proposal => ({
      ...put(key, { x: noise(100_000) }),
      ring: () => consumers,
    });
    await Promise.all([pods.commit(ringing("a", ["kubelet"])), pods.commit(ringing("b", ["reconciler", "kubelet"]))]);
    await pods.commit(ringing("c", []));
    await pods.commit(put("d"));
    await scene.process().maintain("default", { untilMs: Infinity });
    scene.clock.jump(48 * hour);
    await scene.process().maintain("default", { untilMs: Infinity });

    const puts = scene.table.calls.flatMap(({ op, item }) => (op === "put" && item ? [item] : []));
    const slots = puts.filter((item) => isSlot(item) && item.stub === undefined);
    expect(slots.map(({ ring }) => ring)).toEqual(["kubelet,reconciler", undefined, undefined]);
    expect(slots.every(({ cluster }) => cluster === "default")).toBe(true);
    expect(puts.filter((item) => !slots.includes(item)).every(({ ring }) => ring === undefined)).toBe(true);
    expect(puts.some(isView)).toBe(true);
  });

  it("tells whom to ring by what was decided", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a", { n: 1 }));
    const seen: unknown[] = [];
    await pods.commit({ ...put("a", { n: 2 }), ring: (next, previous) => (seen.push([next.n, previous?.n]), []) });
    await pods.commit({ ...remove("a"), ring: (next, previous) => (seen.push([next.n, previous?.n]), []) });
    expect(seen).toEqual([
      [2, 1],
      [2, 2],
    ]);
  });

  it("begins every key of a cluster with the cluster's name", async () => {
    const table = faultyTable(memoryTable());
    const scene = await aScene();
    const store = scene.process({}, table);
    const pods = (await store.createCluster("dev")).resource("pods");
    await pods.commit(put("a", { x: noise(200_000) }));
    await store.maintain("dev", { untilMs: Infinity });
    const written = table.calls.filter(({ op, pk }) => op === "put" && pk !== "#clusters");
    expect(written.every(({ pk }) => pk.startsWith("dev#"))).toBe(true);
  });
});
