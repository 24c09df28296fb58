import { describe, expect, it } from "vitest";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { describeTable } from "../support/table-suite.ts";

describeTable("in memory", async () => memoryTable());

describe("a memory table with lag", () => {
  it("serves the past to reads that need not be consistent, and the present to those that must be", async () => {
    const clock = fakeClock();
    const table = memoryTable({ clock, lagMs: 1_000 });
    const key = { pk: "p", sk: "a" };
    await table.put({ ...key, value: "old" });
    await clock.advance(2_000);
    await table.put({ ...key, value: "new" });
    await table.put({ pk: "p", sk: "b" });

    expect((await table.get(key, { consistent: false })).item).toMatchObject({ value: "old" });
    expect((await table.get(key, { consistent: true })).item).toMatchObject({ value: "new" });
    expect((await table.query({ pk: "p", consistent: false })).items).toHaveLength(1);
    expect((await table.query({ pk: "p", consistent: true })).items).toHaveLength(2);

    await clock.advance(1_000);
    expect((await table.get(key, { consistent: false })).item).toMatchObject({ value: "new" });
  });
});
