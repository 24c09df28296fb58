/** Objects by something that listers do not index: made once per state of a kind, not once per question. */
import type { KubeObject } from "../../api/objects.ts";
import type { Lister } from "../../runtime/controller.ts";

export interface Index<T extends KubeObject> {
  of(lister: Lister<T>, key: string): readonly T[];
}

/** @param keysOf under which an object is found; may be none, or several */
export function indexed<T extends KubeObject>(keysOf: (object: T) => readonly string[]): Index<T> {
  const made = new WeakMap<Lister<T>, { readonly revision: number; readonly groups: ReadonlyMap<string, readonly T[]> }>();
  return {
    of(lister, key) {
      let index = made.get(lister);
      if (index?.revision !== lister.revision) {
        const groups = new Map<string, T[]>();
        for (const object of lister.all()) {
          for (const name of keysOf(object)) {
            const group = groups.get(name);
            if (group) group.push(object);
            else groups.set(name, [object]);
          }
        }
        index = { revision: lister.revision, groups };
        made.set(lister, index);
      }
      return index.groups.get(key) ?? [];
    },
  };
}
