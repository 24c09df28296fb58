import { describe, expect, it } from "vitest";
import type { Proposal, ResourceStore } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import { auditLog } from "../support/log-audit.ts";
import { aScene, put, type Scene } from "../support/stores.ts";

const seconds = 10;

/** Half of the round trip before the table sees a call, and half after. Time is the scene's own, so nothing here depends on the machine. */
function farAway({ clock, table }: Scene, roundTripMs: number): Table {
  const travelling = async <T>(call: () => Promise<T>): Promise<T> => {
    await clock.sleep(roundTripMs / 2);
    const answer = await call();
    await clock.sleep(roundTripMs / 2);
    return answer;
  };
  return {
    get: (key, options) => travelling(() => table.get(key, options)),
    put: (item, condition) => travelling(() => table.put(item, condition)),
    delete: (key, condition) => travelling(() => table.delete(key, condition)),
    query: (query) => travelling(() => table.query(query)),
  };
}

/** Writes one after the other until time is up. @returns how long each took, in milliseconds */
async function writeOn({ clock }: Scene, pods: ResourceStore, next: (count: number) => readonly Proposal[]): Promise<number[]> {
  const until = clock.now().getTime() + seconds * 1_000;
  const times: number[] = [];
  for (let count = 0; clock.now().getTime() < until; count++) {
    const begun = clock.now().getTime();
    await Promise.all(next(count).map((proposal) => pods.commit(proposal)));
    times.push(clock.now().getTime() - begun);
  }
  return times;
}

const percentile = (times: readonly number[], share: number): number =>
  times.toSorted((one, other) => one - other)[Math.floor(times.length * share)] ?? 0;

describe("writers of many processes", () => {
  it.each([
    { roundTripMs: 5, leastPerSecond: 100, p99: 500 },
    { roundTripMs: 30, leastPerSecond: 20, p99: 2_000 },
  ])("all get their turn, $roundTripMs ms away from the table", async ({ roundTripMs, leastPerSecond, p99 }) => {
    const scene = await aScene();
    const through = farAway(scene, roundTripMs);
    const writers = await Promise.all(Array.from({ length: 16 }, () => scene.resource({ table: through })));
    const times = await Promise.all(writers.map((pods, number) => writeOn(scene, pods, (count) => [put(`w${number}`, { count })])));
    const counts = times.map(({ length }) => length);
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect(total / seconds).toBeGreaterThanOrEqual(leastPerSecond);
    expect(percentile(times.flat(), 0.99)).toBeLessThanOrEqual(p99);
    expect(Math.min(...counts)).toBeGreaterThan(total / 16 / 2);
    await auditLog(scene.table);
  });

  it.each([
    { roundTripMs: 1, p99: 500 },
    { roundTripMs: 5, p99: 500 },
    { roundTripMs: 30, p99: 1_500 },
  ])("let a batch through that thinks for 60 ms before each claim, $roundTripMs ms away from the table", async ({ roundTripMs, p99 }) => {
    const scene = await aScene();
    const through = farAway(scene, roundTripMs);
    const [slow, ...quick] = await Promise.all(Array.from({ length: 5 }, () => scene.resource({ table: through })));
    const thinking = (count: number): Proposal[] =>
      Array.from({ length: 49 }, (_, n) => ({
        ...put(`b${n}`, { count }),
        volatile: n === 0,
        async judge() {
          if (n === 0) await scene.clock.sleep(60);
          return { type: "put", value: { count } };
        },
      }));
    const [batch, ...small] = await Promise.all([
      writeOn(scene, slow!, thinking),
      ...quick.map((pods, number) => writeOn(scene, pods, (count) => [put(`w${number}`, { count })])),
    ]);
    expect(Math.max(...batch)).toBeLessThanOrEqual(1_000);
    expect(percentile(small.flat(), 0.99)).toBeLessThanOrEqual(p99);
    await auditLog(scene.table);
  });
});
