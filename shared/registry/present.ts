/** Stored objects as clients see them: in the version asked for, with their resourceVersion, frozen and shared. */
import type { AnyObject, Kind } from "../api/kind.ts";
import type { JsonObject, ObjectKey } from "../api/objects.ts";
import type { Revision, Stored } from "../store/store.ts";
import { fromStorage } from "./versions.ts";

/** One answer per stored state and version, so that a warm object costs a lookup. */
const presented = new WeakMap<Kind, WeakMap<Stored, AnyObject>>();

export function present(kind: Kind, stored: Stored): AnyObject {
  let ofKind = presented.get(kind);
  if (ofKind === undefined) presented.set(kind, (ofKind = new WeakMap()));
  let object = ofKind.get(stored);
  if (object === undefined) ofKind.set(stored, (object = stamped(kind, stored.value, stored.revision)));
  return object;
}

/** An older state under a newer revision: what a watcher gets when an object leaves its selection. */
export const presentAt = (kind: Kind, state: Stored, revision: Revision): AnyObject => stamped(kind, state.value, revision);

function stamped(kind: Kind, value: JsonObject, revision: Revision): AnyObject {
  const object = fromStorage(kind, kind.codec?.read(value) ?? value);
  const metadata = Object.freeze({ ...(object.metadata as object), resourceVersion: String(revision) });
  return Object.freeze({ ...object, metadata }) as AnyObject;
}

/** The store's key: its byte order is the order of lists. */
export const storeKey = (kind: Pick<Kind, "namespaced">, { namespace, name }: ObjectKey): string =>
  kind.namespaced ? `${namespace}/${name}` : name;
