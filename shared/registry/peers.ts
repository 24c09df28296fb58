/** All objects of a log, as they stand in front of a slot that is being claimed. */
import type { AnyObject, Kind } from "../api/kind.ts";
import type { Judging, ResourceStore, Stored } from "../store/store.ts";
import { present } from "./present.ts";

/** @param own key of the object that is being judged: not one of its own peers */
export async function peersOf(store: ResourceStore, kind: Kind, own: string, judging: Judging): Promise<readonly AnyObject[]> {
  const state = await stateBefore(store, judging);
  state.delete(own);
  return [...state.values()].map((stored) => present(kind, stored));
}

async function stateBefore(store: ResourceStore, judging: Judging): Promise<Map<string, Stored>> {
  // What this process knows is what the claim is made on; proposals before this one in the slot come on top.
  for (const at of ["cached", "newest"] as const) {
    const { items, revision } = await store.list({ prefix: "", at });
    const changes = judging.changesSince(revision);
    if (changes === undefined) continue;
    const state = new Map(items.map((stored) => [stored.key, stored]));
    for (const { type, object } of changes) {
      if (type === "delete") state.delete(object.key);
      else state.set(object.key, object);
    }
    return state;
  }
  throw new Error("the log moved on while it was being read");
}
