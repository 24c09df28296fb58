/**
 * What a strongly consistent Query may return while others write: it is no snapshot, every item is as it was at some moment between the
 * query's beginning and its end.
 */
import { isDeepStrictEqual } from "node:util";
import type { WireItem } from "./dynamodb-call.ts";
import type { ReadReply } from "./lagging-replica.ts";
import type { Random } from "./random.ts";

/**
 * @param before the answer when the query began
 * @param after the answer when it ended
 */
export function tornQuery(before: ReadReply, after: ReadReply, random: Random): { readonly reply: ReadReply; readonly torn: boolean } {
  const seen = new Map((before.Items ?? []).map((item) => [item.sk?.S, item]));
  let torn = false;
  const items: WireItem[] = [];
  for (const item of after.Items ?? []) {
    const old = seen.get(item.sk?.S);
    if (isDeepStrictEqual(old, item) || random() < 0.5) items.push(item);
    else {
      torn = true;
      if (old) items.push(old);
    }
  }
  // A page that has a successor is never empty.
  if (items.length === 0 && after.LastEvaluatedKey) return { reply: after, torn: false };
  return { reply: { ...after, Items: items }, torn };
}
