/** Counts what a ResourceQuota limits. Pure. @see k8s.io/kubernetes/pkg/controller/resourcequota */
import type { ResourceQuota } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/objects.ts";
import { type Amounts, isSame, keep, plus } from "../../quota/amounts.ts";
import type { Reservation } from "../../quota/reservations.ts";
import { countsUnder, covers, usageUnder } from "../../quota/usage.ts";

/** All objects of one kind in the quota's namespace. */
export interface Content {
  /** `pods`, `deployments.apps` */
  readonly storage: string;
  readonly objects: readonly KubeObject[];
}

export interface Count {
  readonly status: NonNullable<ResourceQuota["status"]>;
  /** The quota says something else so far. */
  readonly isNews: boolean;
  /** Reservations whose objects are there: they count as objects now. */
  readonly settled: readonly Reservation[];
  /** Reservations whose objects are not there yet, or may still change. */
  readonly open: readonly Reservation[];
}

/** Kinds, of those that there are, of which the quota limits something. */
export const countedKinds = ({ spec }: ResourceQuota, storages: readonly string[]): string[] =>
  storages.filter((storage) => Object.keys(spec?.hard ?? {}).some((name) => countsUnder(storage, name)));

/**
 * @param contents of all {@link countedKinds}, read after the quota and the reservations
 * @param isGone whether an object with this uid has been seen and is there no more
 */
export function countQuota(
  quota: ResourceQuota,
  contents: readonly Content[],
  reservations: readonly Reservation[],
  isGone: (uid: string) => boolean,
  now: Date,
): Count {
  const hard: Amounts = quota.spec?.hard ?? {};
  const names = Object.keys(hard).filter((name) => contents.some(({ storage }) => countsUnder(storage, name)));
  const limited = keep(hard, names);
  let used: Amounts = Object.fromEntries(names.map((name) => [name, "0"]));
  for (const { storage, objects } of contents) {
    for (const object of objects) {
      const counted = { storage, object };
      if (covers(quota, counted, hard)) used = plus(used, usageUnder(counted, limited, now));
    }
  }
  const byUid = new Map(contents.flatMap(({ objects }) => objects.map((object) => [object.metadata.uid, object] as const)));
  const isSettled = ({ uid, replaces }: Reservation): boolean => {
    const object = byUid.get(uid);
    return object ? object.metadata.resourceVersion !== replaces : isGone(uid);
  };
  const open = reservations.filter((reservation) => !isSettled(reservation));
  for (const { amounts } of open) used = plus(used, keep(amounts, names));
  return {
    status: { hard, used },
    isNews: !isSame(hard, quota.status?.hard ?? {}) || !isSame(used, quota.status?.used ?? {}) || quota.status?.hard === undefined,
    settled: reservations.filter(isSettled),
    open,
  };
}
