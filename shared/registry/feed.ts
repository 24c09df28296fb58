/** Feeds the controllers' listers from the change logs. */
import type { KindRef } from "../api/client.ts";
import type { Kind } from "../api/kind.ts";
import type { KubeObject } from "../api/objects.ts";
import type { Feed } from "../runtime/feed.ts";
import { type Change, type ClusterStore, CompactedError } from "../store/store.ts";
import { unknownResource } from "./errors.ts";
import { present } from "./present.ts";
import type { Registry } from "./registry.ts";

/** @param registry knows which kinds are served, custom ones included */
export function changeFeed(store: ClusterStore, registry: Pick<Registry, "catalog">): Feed {
  const kindOf = async ({ group, version, plural }: KindRef): Promise<Kind> => {
    const known = (await registry.catalog(store.cluster)).byResource(group, version, plural);
    const kind = known ?? (await registry.catalog(store.cluster, { fresh: true })).byResource(group, version, plural);
    if (kind === undefined) throw unknownResource();
    return kind;
  };

  return {
    read: async <T extends KubeObject>(ref: KindRef<T>, after: number | undefined, { consistent }: { readonly consistent: boolean }) => {
      const kind = await kindOf(ref);
      const log = store.resource(kind.storage);
      const shown = (stored: Change["object"]) => present(kind, stored) as KubeObject as T;
      if (after !== undefined) {
        try {
          const { changes, revision } = await log.changes(after, { consistent });
          const observed = changes.map(({ type, object, previous }) => ({
            previous: previous && shown(previous),
            next: type === "put" ? shown(object) : undefined,
          }));
          return { changes: observed, revision };
        } catch (error) {
          if (!(error instanceof CompactedError)) throw error;
        }
      }
      const { items, revision } = await log.list({ prefix: "", at: consistent ? "newest" : "cached" });
      return { all: items.map(shown), revision };
    },
  };
}
