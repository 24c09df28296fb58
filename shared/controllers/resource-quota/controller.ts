/** Counts anew what ResourceQuotas limit, whenever something that they count comes, goes or changes its size. */
import type { KindRef } from "../../api/client.ts";
import type { Pod, ResourceQuota } from "../../api/generated/types.ts";
import { resourceQuotas } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import { isSame } from "../../quota/amounts.ts";
import type { Reservations } from "../../quota/reservations.ts";
import { isCounted, isTerminating, usageOf } from "../../quota/usage.ts";
import type { Controller, ControllerContext, Observed, Result, Watched } from "../../runtime/controller.ts";
import { keyText } from "../../runtime/keys.ts";
import { distinct, type Resources } from "../common/resources.ts";
import { countedKinds, countQuota } from "./plan.ts";

export interface ResourceQuotaControllerOptions {
  readonly resources: Resources;
  readonly cluster: string;
  /** What writes under way are about to use. */
  readonly reservations: Reservations;
}

/** Deleted objects whose uid is remembered, to tell that a reservation for one of them has had its time. */
const rememberedUids = 10_000;

const storageOf = ({ group, plural }: KindRef): string => (group ? `${plural}.${group}` : plural);

export function resourceQuotaController({ resources, cluster, reservations }: ResourceQuotaControllerOptions): Controller {
  let kinds = new Map<string, KindRef>();
  let watched: ReadonlySet<string> = new Set();
  /** Kinds that each quota counts. */
  const counted = new Map<string, { readonly key: ObjectKey; readonly storages: readonly string[] }>();
  const gone = new Set<string>();

  const remember = ({ previous, next }: Observed): void => {
    if (!previous || previous.metadata.uid === next?.metadata.uid) return;
    gone.add(previous.metadata.uid);
    for (const oldest of gone) {
      if (gone.size <= rememberedUids) return;
      gone.delete(oldest);
    }
  };

  const ownWatch: Watched<ResourceQuota> = {
    kind: resourceQuotas,
    follows: true,
    keys(change, { lister }) {
      const { previous, next } = change;
      const quota = next ?? previous;
      remember(change);
      if (!quota) return [];
      // Quotas count quotas, too.
      const others = previous && next ? [] : lister(resourceQuotas).inNamespace(quota.metadata.namespace ?? "");
      return [quota, ...others].map(keyOf);
    },
  };

  let watches: readonly Watched<any>[] = [ownWatch];

  const watch = (storage: string, kind: KindRef): Watched => ({
    kind,
    keys(change, { lister }) {
      const { namespace } = (change.next ?? change.previous)?.metadata ?? {};
      const quotas = namespace === undefined ? [] : lister(resourceQuotas).inNamespace(namespace);
      if (quotas.length === 0) return [];
      remember(change);
      return isSameUse(storage, change) ? [] : quotas.map(keyOf);
    },
  });

  return {
    name: "resourcequota-controller",
    get watches() {
      return watches;
    },

    async prepare() {
      // Where nothing is limited nobody needs to know which kinds there are.
      if (counted.size === 0 && watched.size === 0 && kinds.size > 0) return [];
      const before = kinds;
      const served = distinct(await resources()).filter(({ namespaced }) => namespaced);
      kinds = new Map(served.map((kind): [string, KindRef] => [storageOf(kind), kind]).filter(([storage]) => isCounted(storage)));
      const isNewKind = [...kinds.keys()].some((storage) => !before.has(storage));
      const wanted = new Set([...counted.values()].flatMap(({ storages }) => storages));
      const added = [...wanted].filter((storage) => !watched.has(storage));
      const again = [...counted.values()].filter(({ storages }) => isNewKind || storages.some((storage) => added.includes(storage)));
      if (added.length > 0 || wanted.size !== watched.size) {
        watched = wanted;
        watches = [
          ownWatch,
          ...[...wanted].flatMap((storage) => {
            const kind = kinds.get(storage);
            return kind && storage !== storageOf(resourceQuotas) ? [watch(storage, kind)] : [];
          }),
        ];
      }
      // What came and went before anybody watched was not seen.
      return again.map(({ key }) => key);
    },

    async reconcile(key, context) {
      if (!context.lister(resourceQuotas).get(key)) {
        counted.delete(keyText(key));
        return;
      }
      return count(key, context);
    },
  };

  /** The order of reads is what makes this safe: quota, reservations, objects (`quota/reservations.ts`). */
  async function count(key: ObjectKey, { client, clock }: ControllerContext): Promise<Result | void> {
    const quota = await client.get(resourceQuotas, key);
    if (!quota) return;
    const storages = countedKinds(quota, [...kinds.keys()]);
    counted.set(keyText(key), { key, storages });
    const reserved = await reservations.list(cluster, key);
    const contents = await Promise.all(
      storages.map(async (storage) => {
        const kind = kinds.get(storage);
        const { items } = kind ? await client.list(kind, { namespace: key.namespace }) : { items: [] };
        return { storage, objects: items };
      }),
    );
    const { status, isNews, settled, open } = countQuota(quota, contents, reserved, (uid) => gone.has(uid), clock.now());
    if (isNews) await client.updateStatus(resourceQuotas, { ...quota, status });
    await Promise.all(settled.map((reservation) => reservations.close(cluster, reservation)));
    const next = open.map(({ until }) => until.getTime()).toSorted((one, other) => one - other)[0];
    return next === undefined ? undefined : { again: new Date(next) };
  }
}

/** Whether a change leaves everything as it was, as far as quotas can see. */
function isSameUse(storage: string, { previous, next }: Observed): boolean {
  if (!previous || !next || previous.metadata.uid !== next.metadata.uid) return false;
  if (storage === "pods" && isTerminating(previous as Pod) !== isTerminating(next as Pod)) return false;
  // Only whether a deadline has passed depends on the time; the sweep looks at that.
  const now = new Date(0);
  return isSame(usageOf({ storage, object: previous }, now), usageOf({ storage, object: next }, now));
}
