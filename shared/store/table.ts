/**
 * What the store needs of a table: single-item writes with a condition, strong reads, and queries in key order. Nothing more, so
 * that DynamoDB tables with multi-Region strong consistency can hold it (no transactions, TTL or LSI; `log-rules.md` 25).
 */

export interface ItemKey {
  /** Partition key. */
  readonly pk: string;
  /** Sort key; ordered by its UTF-8 bytes. */
  readonly sk: string;
}

export type AttributeValue = string | number | boolean | Uint8Array | readonly string[] | readonly Uint8Array[];

/** An item: its key and flat attributes. Items are at most 400 KB, names and values together. */
export interface Item extends ItemKey {
  readonly [attribute: string]: AttributeValue | undefined;
}

/** A condition on the item that is there now. */
export type Condition =
  /** No item has this key. */
  | { readonly type: "absent" }
  /** The item exists and the attribute has this value. */
  | { readonly type: "equals"; readonly attribute: string; readonly value: string | number }
  /** The item is absent, or its attribute is a number less than this one. */
  | { readonly type: "absentOrLess"; readonly attribute: string; readonly value: number };

export type WriteResult =
  | { readonly done: true; readonly date: Date }
  /** The condition did not hold; nothing was written. `existing` is the item that stood in the way. */
  | { readonly done: false; readonly date: Date; readonly existing: Item | undefined };

export interface Query {
  readonly pk: string;
  /** Inclusive bounds of the sort key. */
  readonly from?: string;
  readonly to?: string;
  readonly descending?: boolean;
  /** Upper bound on the items of one page; a page may hold fewer and still have a successor. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: ItemKey;
  readonly consistent: boolean;
}

export interface QueryPage {
  readonly items: readonly Item[];
  /** Present when there may be more: the end is only where it is absent. */
  readonly cursor?: ItemKey;
  readonly date: Date;
}

/**
 * One table. Writes are **not** retried by implementations: an error other than {@link ThrottledError} and
 * {@link TableRefusedError} means that the outcome is unknown (`log-rules.md` 9). `date` is the table's own clock (DynamoDB's `Date` header).
 */
export interface Table {
  get(key: ItemKey, options: { readonly consistent: boolean }): Promise<{ readonly item: Item | undefined; readonly date: Date }>;
  put(item: Item, condition?: Condition): Promise<WriteResult>;
  delete(key: ItemKey, condition?: Condition): Promise<WriteResult>;
  query(query: Query): Promise<QueryPage>;
}

/** The table refused for now; nothing was written. */
export class ThrottledError extends Error {
  override readonly name = "ThrottledError";
}

/** The table refused for good (rights, no such table, an item that cannot be): nothing was written, and trying again is in vain. */
export class TableRefusedError extends Error {
  override readonly name = "TableRefusedError";
}

/** The outcome of a write is not known: the request may or may not have been carried out. */
export class UnknownOutcomeError extends Error {
  override readonly name: string = "UnknownOutcomeError";
}

/** The same, from a table that has no room left, as an engine on a full disk: trying again is in vain until somebody makes room. */
export class TableFullError extends UnknownOutcomeError {
  override readonly name = "TableFullError";
}

/** A read failed, and may simply be made again. */
export class TableUnavailableError extends Error {
  override readonly name = "TableUnavailableError";
}
