/**
 * Counts what a table's calls cost, in DynamoDB's units, from the sizes of the items: an engine may leave the figures out or have them wrong.
 * A write costs a unit per KB of the larger of the old and the new item, also when its condition fails; a strong read costs a unit per
 * 4 KB of what it looks at, an eventual one half of that.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
import { itemBytes } from "../../shared/store/memory-table.ts";
import type { Item, ItemKey, Table } from "../../shared/store/table.ts";

export interface Units {
  readonly wru: number;
  readonly rru: number;
}

export interface Meter extends Table {
  /** What was used since the last call of this. */
  read(): Units;
}

const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));
const readUnits = (bytes: number, consistent: boolean): number => Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);

export function metered(real: Table): Meter {
  /** Sizes of the items that passed through here. */
  const sizes = new Map<string, number>();
  let wru = 0;
  let rru = 0;
  const nameOf = ({ pk, sk }: ItemKey) => `${pk}\n${sk}`;
  const charge = (name: string, size: number, existing: Item | undefined) => {
    wru += writeUnits(Math.max(size, sizes.get(name) ?? 0, existing ? itemBytes(existing) : 0));
  };
  return {
    async get(key, options) {
      const answer = await real.get(key, options);
      rru += readUnits(answer.item ? itemBytes(answer.item) : 0, options.consistent);
      return answer;
    },
    async query(query) {
      const page = await real.query(query);
      rru += readUnits(
        page.items.reduce((sum, item) => sum + itemBytes(item), 0),
        query.consistent,
      );
      return page;
    },
    async put(item, condition) {
      const answer = await real.put(item, condition);
      const size = itemBytes(item);
      charge(nameOf(item), size, answer.done ? undefined : answer.existing);
      if (answer.done) sizes.set(nameOf(item), size);
      return answer;
    },
    async delete(key, condition) {
      const answer = await real.delete(key, condition);
      charge(nameOf(key), 0, answer.done ? undefined : answer.existing);
      if (answer.done) sizes.delete(nameOf(key));
      return answer;
    },
    read() {
      const used = { wru, rru };
      wru = 0;
      rru = 0;
      return used;
    },
  };
}
