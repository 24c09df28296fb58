/** What admission reads of other logs: at most a second old where something is there, fresh where it seems to be missing. */
import type { AdmissionReader } from "../admission/plugin.ts";
import type { KindRef } from "../api/client.ts";
import type { Kind } from "../api/kind.ts";
import type { KubeObject, ObjectKey } from "../api/objects.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ClusterStore } from "../store/store.ts";
import { present, storeKey } from "./present.ts";

/** Upstream's plugins read informers, which are some milliseconds behind; many writes at once share one look. */
const maxAgeMs = 1_000;

export interface ReaderOptions {
  readonly store: ClusterStore;
  readonly clock: Clock;
  /** @throws {StatusError} NotFound when the kind is not served */
  readonly kindOf: (ref: KindRef) => Kind;
}

export function recentReader({ store, clock, kindOf }: ReaderOptions): AdmissionReader {
  /** When the last strong read of a log began, of those that have ended. */
  const readAt = new Map<string, number>();

  const strongly = async <T>(storage: string, read: () => Promise<T>): Promise<T> => {
    const began = clock.now().getTime();
    const result = await read();
    readAt.set(storage, Math.max(readAt.get(storage) ?? 0, began));
    return result;
  };

  const isRecent = (storage: string) => clock.now().getTime() - (readAt.get(storage) ?? Number.NEGATIVE_INFINITY) <= maxAgeMs;

  const fresh = async <T extends KubeObject>(ref: KindRef<T>, key: ObjectKey): Promise<T | undefined> => {
    const kind = kindOf(ref);
    const { object } = await strongly(kind.storage, () => store.resource(kind.storage).get(storeKey(kind, key), "newest"));
    return object && (present(kind, object) as KubeObject as T);
  };

  return {
    fresh,
    get: async (ref, key) => {
      const kind = kindOf(ref);
      if (isRecent(kind.storage)) {
        const { object } = await store.resource(kind.storage).get(storeKey(kind, key), "cached");
        if (object) return present(kind, object) as KubeObject as never;
      }
      return fresh(ref, key);
    },
    list: async (ref, namespace) => {
      const kind = kindOf(ref);
      const prefix = namespace && kind.namespaced ? `${namespace}/` : "";
      const read = (at: "newest" | "cached") => store.resource(kind.storage).list({ prefix, at });
      const { items } = isRecent(kind.storage) ? await read("cached") : await strongly(kind.storage, () => read("newest"));
      return items.map((stored) => present(kind, stored) as KubeObject as never);
    },
  };
}
