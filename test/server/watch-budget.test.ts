import { describe, expect, it } from "vitest";
import { silentLog } from "../../shared/runtime/log.ts";
import { processWatchBudget, tableWatchBudget, type WatchBudget } from "../../shared/server/watch-budget.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import type { Table } from "../../shared/store/table.ts";
import { fakeClock } from "../support/fake-clock.ts";

const minute = 60_000;

function describeBudget(name: string, make: (maxOpenWatches: number) => WatchBudget) {
  describe(`a budget for watches (${name})`, () => {
    it("ends, for each cluster and user", async () => {
      const budget = make(2);
      expect(await budget.open("a", "ann", minute)).toBeDefined();
      expect(await budget.open("a", "ann", minute)).toBeDefined();
      expect(await budget.open("a", "ann", minute)).toBeUndefined();
      expect(await budget.open("a", "bob", minute)).toBeDefined();
      expect(await budget.open("b", "ann", minute)).toBeDefined();
    });

    it("takes back what was given, once", async () => {
      const budget = make(1);
      const giveBack = await budget.open("a", "ann", minute);
      await giveBack?.();
      await giveBack?.();
      expect(await budget.open("a", "ann", minute)).toBeDefined();
      expect(await budget.open("a", "ann", minute)).toBeUndefined();
    });
  });
}

describeBudget("in one process", (maxOpenWatches) => processWatchBudget({ maxOpenWatches }));
describeBudget("in the table", (maxOpenWatches) =>
  tableWatchBudget({ table: memoryTable(), clock: fakeClock(), log: silentLog, maxOpenWatches }),
);

const fail = () => Promise.reject(new Error("throttled"));

describe("a budget in the table", () => {
  it("is shared by all who use the table", async () => {
    const [table, clock] = [memoryTable(), fakeClock()];
    const [one, other] = [1, 2].map(() => tableWatchBudget({ table, clock, log: silentLog, maxOpenWatches: 1 }));
    expect(await one?.open("a", "ann", minute)).toBeDefined();
    expect(await other?.open("a", "ann", minute)).toBeUndefined();
  });

  it("forgets a watch that nobody gave back", async () => {
    const [table, clock] = [memoryTable(), fakeClock()];
    const budget = tableWatchBudget({ table, clock, log: silentLog, maxOpenWatches: 1 });
    await budget.open("a", "ann", minute);
    await clock.advance(minute - 1);
    expect(await budget.open("a", "ann", minute)).toBeUndefined();
    await clock.advance(1);
    expect(await budget.open("a", "ann", minute)).toBeDefined();
    const { items } = await table.query({ pk: "a/watches", consistent: true });
    expect(items).toHaveLength(1);
  });

  it("refuses nobody while the table does not answer", async () => {
    const table: Table = { get: fail, put: fail, delete: fail, query: fail };
    const budget = tableWatchBudget({ table, clock: fakeClock(), log: silentLog, maxOpenWatches: 1 });
    const giveBack = await budget.open("a", "ann", minute);
    await expect(giveBack?.()).resolves.toBeUndefined();
  });
});
