/**
 * Expiry: objects that nobody changed for a while are deleted by ordinary changes, so that caches, views and watches learn of it (rule 17).
 * The log tells what is due: an object expires when the slot that changed it last is old enough. So each change is looked at once, and
 * what is kept costs nothing.
 */
import { firstSlotSince } from "./instants.ts";
import { raiseMark, readMarks } from "./marks.ts";
import type { LogResourceStore } from "./resource-store.ts";
import { insist } from "./retry.ts";
import { agesOf } from "./settings.ts";
import type { SlotEntry } from "./slot.ts";
import type { Proposal, Revision } from "./store.ts";

const slotsAtOnce = 500;

const author = { user: "system:binnacle:expiry" };

/** Somebody changed the object after all. */
class ChangedSinceError extends Error {
  override readonly name = "ChangedSinceError";
}

/** @returns whether something is left to do now */
export async function expire(resource: LogResourceStore, mayGoOn: () => boolean): Promise<boolean> {
  const { log } = resource;
  const { table, keys, birth, patience, settings } = log.parts;
  const { expireMs } = agesOf(settings, keys.storage);
  if (expireMs === undefined) return false;
  const { expired, stubbed, date } = await insist(patience, () => readMarks(table, keys, birth));
  const { head } = await log.fresh(log.arrive());
  let next = Math.max(expired, stubbed);
  const end = await firstSlotSince(log, next, head.next, date.getTime() - expireMs);
  while (next < end) {
    if (!mayGoOn()) return true;
    const { entries } = await log.tail.read(next, { limit: slotsAtOnce, to: end - 1 });
    if (entries.length === 0) return false;
    await Promise.all(lastPuts(entries).map(([key, revision]) => resource.commit(expiryOf(key, revision))));
    next += entries.length;
    await raiseMark(table, keys, "expired", next, patience);
  }
  return false;
}

/** Objects that slots made or changed, each with its newest revision there. */
function lastPuts(entries: readonly SlotEntry[]): readonly (readonly [key: string, revision: Revision])[] {
  const newest = new Map<string, Revision>();
  for (const entry of entries) {
    if (entry.type !== "slot") continue;
    for (const { type, object } of entry.changes) {
      if (type === "put") newest.set(object.key, object.revision);
      else newest.delete(object.key);
    }
  }
  return [...newest];
}

/** Deletes an object that is as it was. */
const expiryOf = (key: string, revision: Revision): Proposal => ({
  key,
  author,
  judge: (current) =>
    current?.revision === revision
      ? { type: "delete", value: current.value }
      : { type: "refused", error: new ChangedSinceError(`${key} was changed after ${revision}`) },
});
