import { describe, expect, it } from "vitest";
import { silentLog } from "../../shared/runtime/log.ts";
import type { Manager, RunOptions, RunResult } from "../../shared/runtime/manager.ts";
import { createConsumerRunner } from "../../shared/runtime/run-consumer.ts";
import { createTurns } from "../../shared/runtime/turns.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { fakeClock, settled } from "../support/fake-clock.ts";

function world(run: (options: RunOptions, time: number) => Promise<RunResult>) {
  const clock = fakeClock();
  const table = memoryTable({ clock });
  let holders = 0;
  const runs: RunOptions[] = [];
  const wakeUps: string[] = [];
  let made = 0;
  const manager: Manager = {
    run: (options) => {
      runs.push(options);
      return run(options, runs.length);
    },
  };
  const runner = createConsumerRunner({
    turns: createTurns({ table, clock, log: silentLog, holderId: () => `holder-${++holders}` }),
    wakeUps: { at: async (cluster, consumer, when) => void wakeUps.push(`${cluster} ${consumer} ${when.toISOString()}`) },
    clock,
    log: silentLog,
    manager: () => {
      made++;
      return manager;
    },
  });
  const invoke = (sweep?: boolean) =>
    runner.run(
      { cluster: "default", consumer: "reconciler", ...(sweep !== undefined && { sweep }) },
      { remainingMs: () => 120_000, signal: new AbortController().signal },
    );
  return { clock, runs, wakeUps, invoke, made: () => made };
}

const done: RunResult = { quiescent: true, rounds: 1 };

describe("one invocation of a consumer", () => {
  it("works until nothing is left, in four fifths of its time", async () => {
    const here = world(async () => done);
    await expect(here.invoke()).resolves.toEqual({ type: "done", rounds: 1 });
    expect(here.runs).toMatchObject([{ sweep: false, deadline: new Date("2026-01-01T00:01:36Z") }]);
    expect(here.wakeUps).toEqual([]);
    expect(here.clock.sleeping).toBe(0);
  });

  it("keeps what it knows of a cluster for the next", async () => {
    const here = world(async () => done);
    await here.invoke();
    await here.invoke(true);
    expect(here.made()).toBe(1);
    expect(here.runs.map(({ sweep }) => sweep)).toEqual([false, true]);
  });

  it("that finds somebody at work rings, and that one goes on", async () => {
    let finish = (_result: RunResult) => {};
    const here = world((_options, time) => (time === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(done)));
    const first = here.invoke(true);
    await settled();
    await expect(here.invoke()).resolves.toEqual({ type: "rung" });
    finish(done);
    await expect(first).resolves.toEqual({ type: "done", rounds: 2 });
    expect(here.runs.map(({ sweep }) => sweep)).toEqual([true, false]);
  });

  it("arranges to be woken for what is due later, once a minute at most and no sooner than in a minute", async () => {
    const here = world(async () => ({ ...done, again: new Date("2026-01-01T00:00:30Z") }));
    await here.invoke();
    await here.invoke();
    expect(here.wakeUps).toEqual(["default reconciler 2026-01-01T00:01:00.000Z"]);
  });

  it("that runs out of time leaves the rest to a wake-up, and the turn to whoever comes", async () => {
    const here = world(async (_options, time) => (time === 1 ? { quiescent: false, rounds: 200 } : done));
    await expect(here.invoke()).resolves.toEqual({ type: "unfinished", rounds: 200 });
    expect(here.wakeUps).toEqual(["default reconciler 2026-01-01T00:01:00.000Z"]);
    await expect(here.invoke()).resolves.toEqual({ type: "done", rounds: 1 });
  });

  it("that fails does the same", async () => {
    const here = world(async (_options, time) => {
      if (time === 1) throw new Error("the table is gone");
      return done;
    });
    await expect(here.invoke()).resolves.toEqual({ type: "unfinished", rounds: 0 });
    expect(here.wakeUps).toHaveLength(1);
    await expect(here.invoke()).resolves.toEqual({ type: "done", rounds: 1 });
  });

  it("keeps its turn alive however long it works", async () => {
    let finish = (_result: RunResult) => {};
    const here = world((_options, time) => (time === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(done)));
    const first = here.invoke();
    await here.clock.advance(200_000);
    await expect(here.invoke()).resolves.toEqual({ type: "rung" });
    finish(done);
    await first;
    expect(here.clock.sleeping).toBe(0);
  });
});
