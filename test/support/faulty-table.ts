/** A table between the store and the real one, in which a test makes things go wrong. */
import type { Condition, Item, ItemKey, Query, QueryPage, Table, WriteResult } from "../../shared/store/table.ts";

/** Each handler may do what it likes around the real call, or instead of it. */
export interface Faults {
  get?: (key: ItemKey, consistent: boolean, real: () => ReturnType<Table["get"]>) => ReturnType<Table["get"]>;
  put?: (item: Item, condition: Condition | undefined, real: () => Promise<WriteResult>) => Promise<WriteResult>;
  delete?: (key: ItemKey, condition: Condition | undefined, real: () => Promise<WriteResult>) => Promise<WriteResult>;
  query?: (query: Query, real: (query?: Query) => Promise<QueryPage>) => Promise<QueryPage>;
}

export interface Call {
  readonly op: "get" | "put" | "delete" | "query";
  readonly pk: string;
  readonly consistent?: boolean;
  readonly condition?: Condition;
  readonly item?: Item;
}

export interface FaultyTable extends Table {
  /** Set and unset at any time. */
  faults: Faults;
  /** Every call so far; tests empty it when they like. */
  calls: Call[];
}

export function faultyTable(real: Table, faults: Faults = {}): FaultyTable {
  const table: FaultyTable = {
    faults,
    calls: [],
    get(key, { consistent }) {
      table.calls.push({ op: "get", pk: key.pk, consistent });
      const call = () => real.get(key, { consistent });
      return table.faults.get ? table.faults.get(key, consistent, call) : call();
    },
    put(item, condition) {
      table.calls.push({ op: "put", pk: item.pk, item, ...(condition && { condition }) });
      const call = () => real.put(item, condition);
      return table.faults.put ? table.faults.put(item, condition, call) : call();
    },
    delete(key, condition) {
      table.calls.push({ op: "delete", pk: key.pk, ...(condition && { condition }) });
      const call = () => real.delete(key, condition);
      return table.faults.delete ? table.faults.delete(key, condition, call) : call();
    },
    query(query) {
      table.calls.push({ op: "query", pk: query.pk, consistent: query.consistent });
      const call = (other = query) => real.query(other);
      return table.faults.query ? table.faults.query(query, call) : call();
    },
  };
  return table;
}

export const isSlot = ({ pk }: ItemKey): boolean => pk.endsWith("#log");
export const isView = ({ pk }: ItemKey): boolean => pk.endsWith("#view");

/** The write is carried out, but its answer does not arrive. */
export const dropReply =
  (error: Error): NonNullable<Faults["put"]> =>
  async (_item, _condition, real) => {
    await real();
    throw error;
  };

/** Every page holds one item. */
export const onePerPage: NonNullable<Faults["query"]> = (query, real) => real({ ...query, limit: 1 });

/** Does something for the first calls that match, and nothing afterwards. */
export function times<Arguments extends unknown[], Result>(
  count: number,
  fault: (...args: Arguments) => Result,
  otherwise: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  let left = count;
  return (...args) => (left-- > 0 ? fault(...args) : otherwise(...args));
}

/** Lets a test hold a call back, and know that it has begun. */
export function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: arrived, resolve: reached } = Promise.withResolvers<void>();
  return { open, arrived, pass: async () => (reached(), opened) };
}
