/**
 * What an eventually consistent read may return: the table as it was a moment ago. DynamoDB's replicas lag; the engines of a laptop do
 * not, and would let a store pass that reads eventually where it must not.
 */
import type { DynamoDbCall, WireItem } from "./dynamodb-call.ts";

/** How far back it can go, in milliseconds. */
const reachMs = 5_000;

interface Write {
  readonly at: number;
  /** The item that the write replaced or removed. */
  readonly before: WireItem | undefined;
}

/** An answer to GetItem or Query, as JSON. */
export interface ReadReply {
  readonly Item?: WireItem;
  readonly Items?: readonly WireItem[];
  readonly LastEvaluatedKey?: WireItem;
}

export class LaggingReplica {
  readonly #now: () => number;
  /** By key, oldest first. */
  readonly #writes = new Map<string, Write[]>();

  /** @param now milliseconds, on any clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A write was carried out. */
  wrote(pk: string, sk: string, before: WireItem | undefined): void {
    const key = keyOf(pk, sk);
    const at = this.#now();
    // Put back at the end, so that the map stays in the order of the newest writes.
    const writes = [...(this.#writes.get(key) ?? []), { at, before }];
    this.#writes.delete(key);
    this.#writes.set(key, writes);
    for (const [old, kept] of this.#writes) {
      if (kept.at(-1)!.at >= at - reachMs) break;
      this.#writes.delete(old);
    }
  }

  /** The answer that a replica would give which has not heard of the last so many milliseconds. What was deleted since stays away. */
  rewind({ pk, sk }: DynamoDbCall, reply: ReadReply, lagMs: number): ReadReply {
    const asOf = this.#now() - lagMs;
    const then = (item: WireItem | undefined, key: string): WireItem | undefined => {
      const first = this.#writes.get(key)?.find(({ at }) => at > asOf);
      return first ? first.before : item;
    };
    if (sk !== undefined) {
      const item = then(reply.Item, keyOf(pk, sk));
      return item ? { ...reply, Item: item } : {};
    }
    const items = (reply.Items ?? []).map((item) => then(item, keyOf(pk, item.sk?.S ?? "")));
    return { ...reply, Items: items.filter((item) => item !== undefined) };
  }
}

const keyOf = (pk: string, sk: string): string => `${pk} ${sk}`;
