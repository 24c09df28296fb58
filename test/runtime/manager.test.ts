import { describe, expect, it } from "vitest";
import { configMaps, events, pods } from "../../shared/api/kinds.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../shared/api/objects.ts";
import { conflict, StatusError } from "../../shared/errors/status-error.ts";
import type { Controller, ControllerContext } from "../../shared/runtime/controller.ts";
import { createEventRecorder } from "../../shared/runtime/event-recorder.ts";
import type { Feed } from "../../shared/runtime/feed.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createManager } from "../../shared/runtime/manager.ts";
import { type FakeApi, fakeApi } from "../support/fake-api.ts";
import { type FakeClock, fakeClock, settled } from "../support/fake-clock.ts";

type Reconcile = Controller["reconcile"];

const watchingConfigMaps = (reconcile: Reconcile, name = "test"): Controller => ({
  name,
  watches: [{ kind: configMaps, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] }],
  reconcile,
});

interface World {
  readonly clock: FakeClock;
  readonly api: FakeApi;
  readonly add: (name: string, data?: Record<string, string>) => Promise<unknown>;
  readonly set: (name: string, data: Record<string, string>) => Promise<unknown>;
}

function world(): World {
  const clock = fakeClock();
  const api = fakeApi(clock);
  return {
    clock,
    api,
    add: (name, data = {}) => api.client.create(configMaps, { metadata: { name, namespace: "default" }, data }),
    set: (name, data) => api.client.modify(configMaps, { namespace: "default", name }, (current) => ({ ...current, data })),
  };
}

function managing({ clock, api }: World, controllers: readonly Controller[], feed: Feed = api.feed, log = silentLog) {
  const events = createEventRecorder({ client: api.client, clock, log: silentLog });
  const manager = createManager({ controllers, feed, client: api.client, clock, log, events, random: () => 0.5 });
  return (given: { sweep?: boolean; deadlineMs?: number; signal?: AbortSignal; rung?: (signal: AbortSignal) => Promise<void> } = {}) =>
    manager.run({
      sweep: given.sweep ?? false,
      deadline: new Date(clock.now().getTime() + (given.deadlineMs ?? 100_000)),
      signal: given.signal ?? new AbortController().signal,
      ...(given.rung && { rung: given.rung }),
    });
}

/** A controller that notes which keys it was asked about. */
function noting(act: (key: ObjectKey, context: ControllerContext) => ReturnType<Reconcile> = async () => {}) {
  const seen: string[] = [];
  const controller = watchingConfigMaps((key, context) => {
    seen.push(key.name);
    return act(key, context);
  });
  return { seen, controller };
}

describe("a manager", () => {
  it("looks at everything at first, and then only at what changed", async () => {
    const here = world();
    await here.add("one");
    await here.add("two");
    const { seen, controller } = noting();
    const run = managing(here, [controller]);
    await expect(run()).resolves.toEqual({ quiescent: true, rounds: 1 });
    expect(seen.splice(0)).toEqual(["one", "two"]);

    await here.set("two", { changed: "yes" });
    await run();
    expect(seen.splice(0)).toEqual(["two"]);

    await expect(run()).resolves.toEqual({ quiescent: true, rounds: 0 });
    await run({ sweep: true });
    expect(seen).toEqual(["one", "two"]);
  });

  it("goes on until nothing more changes", async () => {
    const here = world();
    await here.add("counter", { n: "0" });
    const run = managing(here, [
      watchingConfigMaps(async (key, { client, lister }) => {
        const counter = lister(configMaps).get(key);
        const n = Number(counter?.data?.["n"]);
        if (counter && n < 7) await client.update(configMaps, { ...counter, data: { n: String(n + 1) } });
      }),
    ]);
    await expect(run()).resolves.toEqual({ quiescent: true, rounds: 8 });
    expect(here.api.get(configMaps, "counter")?.data).toEqual({ n: "7" });
  });

  it("shows one state to all reconciles of a round", async () => {
    const here = world();
    for (const name of ["a", "b", "c"]) await here.add(name);
    const counts: number[] = [];
    const run = managing(here, [
      watchingConfigMaps(async (key, { client, lister }) => {
        counts.push([...lister(configMaps).all()].length);
        if (key.name.length === 1)
          await client.create(configMaps, { metadata: { name: `${key.name}-child`, namespace: "default" } }).catch(() => {});
      }),
    ]);
    await run();
    expect(counts).toEqual([3, 3, 3, 6, 6, 6]);
  });

  it("keeps working through deletions that came while its state was compacted away", async () => {
    const here = world();
    await here.add("one");
    await here.add("two");
    const { seen, controller } = noting();
    const run = managing(here, [controller]);
    await run();
    seen.splice(0);
    await here.api.client.delete(configMaps, { namespace: "default", name: "one" });
    here.api.compact();
    await run();
    expect(seen).toEqual(["one"]);
  });

  it("serves indexes by namespace, controller, owner and orphanage", async () => {
    const here = world();
    const owner = { apiVersion: "v1", kind: "X", name: "x", uid: "x-1" };
    const create = (name: string, ownerReferences: object[]) =>
      here.api.client.create(pods, { metadata: { name, namespace: "default", ownerReferences: ownerReferences as never } } as never);
    await create("owned", [{ ...owner, controller: true }]);
    await create("dependent", [owner]);
    await create("free", []);
    await here.add("key");
    let answers: Record<string, string[]> = {};
    const run = managing(here, [
      {
        ...watchingConfigMaps(async (_key, { lister }) => {
          const list = lister(pods);
          const names = (found: readonly KubeObject[]) => found.map(({ metadata }) => metadata.name);
          answers = {
            namespace: names(list.inNamespace("default")),
            elsewhere: names(list.inNamespace("other")),
            controlled: names(list.ownedBy("x-1")),
            dependents: names(list.dependentsOf("x-1")),
            orphans: names(list.orphansIn("default")),
          };
        }),
        reads: [pods],
      },
    ]);
    await run();
    expect(answers).toEqual({
      namespace: ["owned", "dependent", "free"],
      elsewhere: [],
      controlled: ["owned"],
      dependents: ["owned", "dependent"],
      orphans: ["dependent", "free"],
    });
    await here.api.client.delete(pods, { namespace: "default", name: "owned" });
    await run({ sweep: true });
    expect(answers).toMatchObject({ controlled: [], dependents: ["dependent"], namespace: ["dependent", "free"] });
  });

  it("stays within what a controller has declared", async () => {
    const here = world();
    await here.add("one");
    let failure: unknown;
    const run = managing(here, [
      watchingConfigMaps(async (_key, { lister }) => {
        try {
          lister(pods);
        } catch (error) {
          failure = error;
        }
      }),
    ]);
    await run();
    expect(String(failure)).toContain("test reads /v1/pods without having declared it");
  });
});

describe("a lost race", () => {
  it("is looked at again at once, over newer state", async () => {
    const here = world();
    await here.add("one");
    const states: (string | undefined)[] = [];
    let once = true;
    const run = managing(here, [
      watchingConfigMaps(async (key, { client, lister }) => {
        const seen = lister(configMaps).get(key);
        states.push(seen?.data?.["by"]);
        if (!seen || seen.data?.["done"]) return;
        if (once) {
          once = false;
          await here.set("one", { by: "somebody else" });
        }
        await client.update(configMaps, { ...seen, data: { ...seen.data, done: "yes" } });
      }),
    ]);
    await expect(run()).resolves.toEqual({ quiescent: true, rounds: 3 });
    expect(states).toEqual([undefined, "somebody else", "somebody else"]);
  });

  it("is no reason to spin: who loses time and again waits", async () => {
    const here = world();
    await here.add("one");
    const { seen, controller } = noting(async (key) => {
      throw conflict(configMaps, key.name, "always");
    });
    const running = managing(here, [controller])({ deadlineMs: 900 });
    await settled();
    expect(seen).toHaveLength(6);
    await here.clock.advance(500);
    await expect(running).resolves.toMatchObject({ rounds: 12, again: new Date("2026-01-01T00:00:01.500Z") });
  });
});

describe("a failing key", () => {
  it("backs off and never holds up other keys", async () => {
    const here = world();
    await here.add("bad");
    await here.add("good");
    const { seen, controller } = noting(async (key) => {
      if (key.name === "bad") throw new StatusError("Invalid", "will never work");
    });
    const running = managing(here, [controller])({ deadlineMs: 10_000 });
    await settled();
    expect(seen.splice(0)).toEqual(["bad", "good"]);
    // Half of 1, 2, 4 and 8 seconds: the jitter of this test is one half.
    for (const wait of [500, 1_000, 2_000, 4_000]) {
      await here.clock.advance(wait - 1);
      expect(seen).toEqual([]);
      await here.clock.advance(1);
      expect(seen.splice(0)).toEqual(["bad"]);
    }
    await here.clock.advance(10_000);
    const result = await running;
    expect(result.again?.getTime()).toBeGreaterThan(0);
  });

  it.each([
    { name: "that waits for another object is mentioned", reason: "Forbidden", expected: ["info reconcile refused, trying again later"] },
    { name: "that is wrong is warned of", reason: "Invalid", expected: ["warn reconcile failed, trying again later"] },
  ] as const)("$name", async ({ reason, expected }) => {
    const here = world();
    await here.add("one");
    const { controller } = noting(async () => {
      throw new StatusError(reason, "no", { details: { retryAfterSeconds: 90 } });
    });
    const said: string[] = [];
    const note = (level: string) => (message: string) => void said.push(`${level} ${message}`);
    await managing(here, [controller], here.api.feed, { ...silentLog, info: note("info"), warn: note("warn") })();
    expect(said).toEqual(expected);
  });

  it("waits at least as long as the server asks", async () => {
    const here = world();
    await here.add("one");
    const { seen, controller } = noting(async () => {
      throw new StatusError("TooManyRequests", "slow down", { details: { retryAfterSeconds: 90 } });
    });
    const { again, quiescent } = await managing(here, [controller])();
    expect({ quiescent, again, seen }).toEqual({ quiescent: true, again: new Date("2026-01-01T00:01:30Z"), seen: ["one"] });
  });

  it("starts afresh after a success", async () => {
    const here = world();
    await here.add("one");
    let fails = 1;
    const { seen, controller } = noting(async () => {
      if (fails-- > 0) throw new Error("hiccup");
    });
    const run = managing(here, [controller]);
    const running = run();
    await here.clock.advance(500);
    await running;
    expect(seen.splice(0)).toEqual(["one", "one"]);
    fails = 1;
    await here.set("one", { n: "2" });
    const second = run();
    await here.clock.advance(500);
    await second;
    expect(seen).toEqual(["one", "one"]);
  });
});

describe("a time that was asked for", () => {
  const againIn = (ms: number) => {
    let asked = false;
    return noting(async (_key, { clock }) => {
      if (asked) return {};
      asked = true;
      return { again: new Date(clock.now().getTime() + ms) };
    });
  };

  it("is waited for when it is near", async () => {
    const here = world();
    await here.add("one");
    const { seen, controller } = againIn(5_000);
    const running = managing(here, [controller])();
    await here.clock.advance(4_999);
    expect(seen).toHaveLength(1);
    await here.clock.advance(1);
    await expect(running).resolves.toEqual({ quiescent: true, rounds: 2 });
    expect(seen).toHaveLength(2);
  });

  it("is handed back when it is far, and kept for the next run", async () => {
    const here = world();
    await here.add("one");
    const { seen, controller } = againIn(600_000);
    const run = managing(here, [controller]);
    await expect(run()).resolves.toEqual({ quiescent: true, rounds: 1, again: new Date("2026-01-01T00:10:00Z") });
    await here.clock.advance(600_000);
    await run();
    expect(seen).toHaveLength(2);
  });

  it("is handed back when it is beyond the deadline", async () => {
    const here = world();
    await here.add("one");
    const { controller } = againIn(30_000);
    await expect(managing(here, [controller])({ deadlineMs: 20_000 })).resolves.toMatchObject({
      quiescent: true,
      again: new Date("2026-01-01T00:00:30Z"),
    });
  });

  it("does not keep a ring waiting", async () => {
    const here = world();
    await here.add("one");
    const { seen, controller } = againIn(50_000);
    let ring = () => {};
    const running = managing(here, [controller])({
      rung: (signal) =>
        new Promise((resolve, reject) => {
          ring = resolve;
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    await settled();
    seen.splice(0);
    await here.add("two");
    ring();
    await settled();
    expect(seen).toEqual(["two"]);
    await here.clock.advance(50_000);
    await running;
    expect(here.clock.sleeping).toBe(0);
  });

  it("does not keep the end waiting", async () => {
    const here = world();
    await here.add("one");
    const { controller } = againIn(50_000);
    const stop = new AbortController();
    const running = managing(here, [controller])({ signal: stop.signal });
    await settled();
    stop.abort();
    await expect(running).resolves.toEqual({ quiescent: false, rounds: 1, again: new Date("2026-01-01T00:00:50Z") });
  });
});

describe("a turn is bounded", () => {
  it("not by rounds, as long as it comes to rest in between", async () => {
    const here = world();
    await here.add("one");
    let looks = 0;
    const { controller } = noting(async () => (++looks < 300 ? { again: new Date(here.clock.now().getTime() + 250) } : undefined));
    const running = managing(here, [controller])();
    await here.clock.advance(90_000);
    await expect(running).resolves.toEqual({ quiescent: true, rounds: 300 });
  });

  it("by rounds, for changes without an end", async () => {
    const here = world();
    await here.add("0");
    const endless = watchingConfigMaps(async ({ name }, { client }) => {
      await client.create(configMaps, { metadata: { name: `${Number(name) + 1}`, namespace: "default" } });
    });
    await expect(managing(here, [endless])()).resolves.toEqual({ quiescent: false, rounds: 200 });
  });

  it("by its deadline: what was not begun is left to the next run", async () => {
    const here = world();
    for (const name of ["one", "two", "three"]) await here.add(name);
    const seen: string[] = [];
    const controller = watchingConfigMaps(async (key, { clock }) => {
      seen.push(key.name);
      if (key.name === "one") await clock.sleep(1_000);
    });
    const manager = createManager({
      controllers: [controller],
      feed: here.api.feed,
      client: here.api.client,
      clock: here.clock,
      log: silentLog,
      parallelism: 1,
    });
    const run = (deadlineMs: number) =>
      manager.run({ sweep: false, deadline: new Date(here.clock.now().getTime() + deadlineMs), signal: new AbortController().signal });
    const running = run(500);
    await here.clock.advance(1_000);
    await expect(running).resolves.toMatchObject({ quiescent: false });
    expect(seen.splice(0)).toEqual(["one"]);
    await expect(run(500)).resolves.toMatchObject({ quiescent: true });
    expect(seen).toEqual(["two", "three"]);
  });

  it("for an object that is changed back and forth, which is left alone for a while and says so", async () => {
    const here = world();
    await here.add("torn", { color: "red" });
    await here.add("quiet");
    const wants = (color: string, name: string) =>
      watchingConfigMaps(async (key, { client }) => {
        if (key.name === "torn")
          await client.modify(configMaps, key, (map) => (map.data?.["color"] === color ? map : { ...map, data: { color } }));
      }, name);
    const running = managing(here, [wants("red", "one"), wants("blue", "two")])({ deadlineMs: 20_000 });
    await settled();
    expect(here.api.writes.filter((write) => write === "update configmaps default/torn").length).toBeLessThan(30);
    await here.clock.advance(20_000);
    await running;
    const event = here.api.all(events).find(({ reason }) => reason === "ChangedBackAndForth");
    expect(event).toMatchObject({ type: "Warning", involvedObject: { kind: "ConfigMap", name: "torn" } });
  });

  it("but not for one that follows others, however often it comes back to an earlier state", async () => {
    const here = world();
    await here.add("count", { used: "0" });
    let flips = 0;
    const controller = watchingConfigMaps(async (key, { client }) => {
      if (++flips <= 20) await client.modify(configMaps, key, (map) => ({ ...map, data: { used: String(flips % 2) } }));
    });
    const following = { ...controller, watches: controller.watches.map((watched) => ({ ...watched, follows: true })) };
    await expect(managing(here, [following])()).resolves.toMatchObject({ quiescent: true });
    expect(flips).toBe(21);
    expect(here.api.all(events)).toEqual([]);
  });
});

describe("a kind that comes and goes", () => {
  it("is followed while it is served, and says nothing about its objects when it is not", async () => {
    const here = world();
    await here.add("one");
    const { seen, controller } = noting();
    const run = managing(here, [controller]);
    await run();
    here.api.withdraw(configMaps);
    await expect(run()).resolves.toEqual({ quiescent: true, rounds: 0 });
    expect(seen).toEqual(["one"]);
  });

  it("can be found out in prepare, which hands over keys as well", async () => {
    const here = world();
    await here.add("one");
    const seen: string[] = [];
    const asked: boolean[] = [];
    let inbox = [{ namespace: "", name: "letter" }];
    const run = managing(here, [
      {
        name: "test",
        watches: [],
        async prepare({ everything }) {
          asked.push(everything);
          return inbox.splice(0);
        },
        async reconcile(key) {
          seen.push(key.name);
        },
      },
    ]);
    await run();
    expect({ seen, asked }).toEqual({ seen: ["letter"], asked: [true, false] });
    inbox = [{ namespace: "", name: "second" }];
    await run();
    expect(seen).toEqual(["letter", "second"]);
  });
});

describe("reading", () => {
  it("is strong at first and before the end; lazy kinds are read again only after a ring or a wait", async () => {
    const here = world();
    await here.add("one", { n: "0" });
    const reads: string[] = [];
    const feed: Feed = {
      read: (kind, after, options) => {
        reads.push(`${kind.plural}${options.consistent ? " strongly" : ""}`);
        return here.api.feed.read(kind, after, options);
      },
    };
    const once = watchingConfigMaps(async (key, { client }) => {
      await client.modify(configMaps, key, (map) => (map.data?.["n"] === "1" ? map : { ...map, data: { n: "1" } }));
    });
    await managing(here, [{ ...once, watches: [...once.watches, { kind: pods, lazy: true, keys: () => [] }] }], feed)();
    expect(reads).toEqual([
      "configmaps strongly",
      "pods strongly",
      "configmaps",
      "pods",
      "configmaps",
      "pods",
      "configmaps strongly",
      "pods",
    ]);
  });
});

describe("a hiccup of the table", () => {
  it("does not end the turn", async () => {
    const here = world();
    await here.add("one");
    let failures = 2;
    const feed: Feed = {
      read: async (...parameters) => {
        if (failures-- > 0) throw new Error("throttled");
        return here.api.feed.read(...parameters);
      },
    };
    const { seen, controller } = noting();
    const running = managing(here, [controller], feed)();
    await here.clock.advance(10_000);
    await running;
    expect(seen).toEqual(["one"]);
  });
});
