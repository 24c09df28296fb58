/** Reading one object. */
import type { AnyObject, Kind } from "../api/kind.ts";
import type { ObjectKey } from "../api/objects.ts";
import { notFound } from "../errors/status-error.ts";
import type { ListQuery, ResourceStore } from "../store/store.ts";
import { parseRevision } from "./errors.ts";
import { present, storeKey } from "./present.ts";
import type { ReadParameters } from "./registry.ts";

/** Unset: the newest state. 0: any. N: not older than N. */
const stateFor = (revision: number | undefined): ListQuery["at"] =>
  revision === undefined ? "newest" : revision === 0 ? "cached" : { notOlderThan: revision };

export async function getObject(store: ResourceStore, kind: Kind, key: ObjectKey, read: ReadParameters): Promise<AnyObject> {
  const at = stateFor(parseRevision(read.resourceVersion));
  const name = storeKey(kind, key);
  let { object } = await store.get(name, at);
  // "Any state" may be one from before the object was made: an absence is only believed when it is fresh.
  if (object === undefined && at === "cached") ({ object } = await store.get(name, "newest"));
  if (object === undefined) throw notFound(kind, key.name);
  return present(kind, object);
}
