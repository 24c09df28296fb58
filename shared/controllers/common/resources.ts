/** Every kind there is, custom ones included: for controllers that concern themselves with all of them. */
import type { KindRef } from "../../api/client.ts";

/** The kinds that the cluster serves now and whose objects can be listed and deleted; several versions of a kind may be among them. */
export type Resources = () => Promise<readonly KindRef[]>;

/** Too many, too short-lived and owned by nobody: they are not followed, only swept. */
const unfollowed = (kind: KindRef): boolean => kind.plural === "events" && (kind.group === "" || kind.group === "events.k8s.io");

/** One version of each kind. Both APIs of Events are the same objects. */
export function distinct(kinds: readonly KindRef[]): KindRef[] {
  const found = new Map<string, KindRef>();
  for (const kind of kinds) {
    const name = unfollowed(kind) ? "events" : `${kind.group}/${kind.kind}`;
    if (!found.has(name)) found.set(name, kind);
  }
  return [...found.values()];
}

export const followed = (kinds: readonly KindRef[]): KindRef[] => distinct(kinds).filter((kind) => !unfollowed(kind));
