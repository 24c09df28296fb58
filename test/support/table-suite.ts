/** What every table must do, whatever stands behind it. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Item, Query, Table } from "../../shared/store/table.ts";

const bytesOf = (item: Item | undefined): readonly number[] => (item?.bytes instanceof Uint8Array ? [...item.bytes] : []);

const strongly = { consistent: true } as const;

export function describeTable(name: string, makeTable: () => Promise<Table>): void {
  describe(`a table: ${name}`, () => {
    let table: Table;
    let partitions = 0;
    const freshPartition = () => `default#${++partitions}`;
    beforeAll(async () => {
      table = await makeTable();
    });

    const fill = async (count: number, size = 0) => {
      const pk = freshPartition();
      for (let number = 0; number < count; number++) {
        await table.put({ pk, sk: String(number).padStart(4, "0"), filling: "x".repeat(size) });
      }
      return pk;
    };
    const readAll = async (query: Query) => {
      const items: Item[] = [];
      let pages = 0;
      let page = await table.query(query);
      for (;;) {
        pages++;
        items.push(...page.items);
        if (!page.cursor) return { sortKeys: items.map(({ sk }) => sk), pages };
        page = await table.query({ ...query, cursor: page.cursor });
      }
    };

    it("gives back what was put, with every type of attribute", async () => {
      const pk = freshPartition();
      const item = { pk, sk: "a", text: "ä", number: 28_000_000_000_123, yes: true, bytes: Uint8Array.of(0, 1, 255), list: ["x", "y"] };
      await table.put({ ...item, left: undefined });
      const { item: found } = await table.get({ pk, sk: "a" }, strongly);
      expect({ ...found, bytes: bytesOf(found) }).toEqual({ ...item, bytes: [0, 1, 255] });
    });

    it("has nothing at a key that was never put, or was deleted", async () => {
      const pk = freshPartition();
      await table.put({ pk, sk: "a" });
      expect(await table.delete({ pk, sk: "a" })).toMatchObject({ done: true });
      expect((await table.get({ pk, sk: "a" }, strongly)).item).toBeUndefined();
      expect((await table.get({ pk, sk: "b" }, strongly)).item).toBeUndefined();
    });

    it("tells its own time with every answer", async () => {
      const pk = freshPartition();
      const answers = [
        await table.put({ pk, sk: "a" }),
        await table.put({ pk, sk: "a" }, { type: "absent" }),
        await table.get({ pk, sk: "a" }, strongly),
        await table.query({ pk, ...strongly }),
        await table.delete({ pk, sk: "a" }),
      ];
      for (const { date } of answers) expect(Math.abs(date.getTime() - Date.now())).toBeLessThan(60_000);
    });

    describe("conditions", () => {
      it("absent: the first put wins, and the second is shown what stands there", async () => {
        const pk = freshPartition();
        expect(await table.put({ pk, sk: "a", by: "first" }, { type: "absent" })).toMatchObject({ done: true });
        const second = await table.put({ pk, sk: "a", by: "second" }, { type: "absent" });
        expect(second).toMatchObject({ done: false, existing: { pk, sk: "a", by: "first" } });
        expect((await table.get({ pk, sk: "a" }, strongly)).item).toMatchObject({ by: "first" });
      });

      it("absent: of many at once exactly one wins", async () => {
        const pk = freshPartition();
        const results = await Promise.all(Array.from({ length: 10 }, (_, by) => table.put({ pk, sk: "a", by }, { type: "absent" })));
        expect(results.filter(({ done }) => done)).toHaveLength(1);
      });

      it("equals: holds for the same value only, and never for an item that is absent", async () => {
        const pk = freshPartition();
        const condition = { type: "equals", attribute: "version", value: "1" } as const;
        expect(await table.put({ pk, sk: "a", version: "2" }, condition)).toMatchObject({ done: false, existing: undefined });
        await table.put({ pk, sk: "a", version: "1" });
        expect(await table.put({ pk, sk: "a", version: "2" }, condition)).toMatchObject({ done: true });
        expect(await table.put({ pk, sk: "a", version: "3" }, condition)).toMatchObject({ done: false, existing: { version: "2" } });
      });

      it("equals guards deletions too", async () => {
        const pk = freshPartition();
        await table.put({ pk, sk: "a", revision: 7 });
        expect(await table.delete({ pk, sk: "a" }, { type: "equals", attribute: "revision", value: 6 })).toMatchObject({ done: false });
        expect(await table.delete({ pk, sk: "a" }, { type: "equals", attribute: "revision", value: 7 })).toMatchObject({ done: true });
      });

      it("absentOrLess: only ever forward", async () => {
        const pk = freshPartition();
        const put = (at: number) => table.put({ pk, sk: "a", at }, { type: "absentOrLess", attribute: "at", value: at });
        const results = [];
        for (const at of [5, 4, 5, 28_000_000_000_123, 6]) results.push((await put(at)).done);
        expect(results).toEqual([true, false, false, true, false]);
      });
    });

    describe("queries", () => {
      it("answer in the order of the sort key's bytes, whatever the order of the puts", async () => {
        const pk = freshPartition();
        const sorted = ["A", "a", "a-b/x", "a.b/x", "a/x", "a0", "é", "\u{ff5e}", "\u{1f600}"];
        for (const sk of sorted.toReversed()) await table.put({ pk, sk });
        expect((await readAll({ pk, ...strongly })).sortKeys).toEqual(sorted);
        expect((await readAll({ pk, ...strongly, descending: true })).sortKeys).toEqual(sorted.toReversed());
      });

      it("keep to their bounds, both included", async () => {
        const pk = await fill(10);
        expect((await readAll({ pk, from: "0003", to: "0005", ...strongly })).sortKeys).toEqual(["0003", "0004", "0005"]);
        expect((await readAll({ pk, from: "0008", ...strongly })).sortKeys).toEqual(["0008", "0009"]);
        expect((await readAll({ pk, to: "0001", ...strongly })).sortKeys).toEqual(["0000", "0001"]);
        expect((await readAll({ pk, from: "0005", to: "0004", ...strongly })).sortKeys).toEqual([]);
      });

      it.each([1, 3, 10, 11])("reach the end in pages of %i", async (limit) => {
        const pk = await fill(10);
        const { sortKeys, pages } = await readAll({ pk, limit, ...strongly });
        expect(sortKeys).toHaveLength(10);
        expect(new Set(sortKeys).size).toBe(10);
        expect(pages).toBeGreaterThanOrEqual(Math.ceil(10 / limit));
        const back = await readAll({ pk, limit, descending: true, from: "0002", ...strongly });
        expect(back.sortKeys).toEqual(sortKeys.slice(2).toReversed());
      });

      it("cut pages at about a megabyte", async () => {
        const pk = await fill(5, 300_000);
        const { sortKeys, pages } = await readAll({ pk, ...strongly });
        expect(sortKeys).toHaveLength(5);
        expect(pages).toBeGreaterThan(1);
      });

      it("see nothing of other partitions", async () => {
        const pk = await fill(2);
        await fill(3);
        expect((await readAll({ pk, ...strongly })).sortKeys).toEqual(["0000", "0001"]);
        expect((await table.query({ pk: `${pk}-nobody`, ...strongly })).items).toEqual([]);
      });
    });

    it("refuses items above 400 KB, and keys that are empty", async () => {
      const pk = freshPartition();
      await expect(table.put({ pk, sk: "a", data: new Uint8Array(410_000) })).rejects.toThrow();
      await expect(table.put({ pk, sk: "", data: "x" })).rejects.toThrow();
      expect((await table.query({ pk, ...strongly })).items).toEqual([]);
      expect(await table.put({ pk, sk: "a", data: new Uint8Array(400_000) })).toMatchObject({ done: true });
    });

    it("keeps what it was given: later changes to the caller's bytes do not reach it", async () => {
      const pk = freshPartition();
      const bytes = Uint8Array.of(1, 2, 3);
      await table.put({ pk, sk: "a", bytes });
      bytes[0] = 9;
      const { item } = await table.get({ pk, sk: "a" }, strongly);
      expect(bytesOf(item)).toEqual([1, 2, 3]);
    });
  });
}
