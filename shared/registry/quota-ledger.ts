/** Books what is about to be used into `status.used` of ResourceQuotas: noted first, then counted by a commit to the quotas' own log. */
import { randomUUID } from "node:crypto";
import type { Charge, QuotaLedger } from "../admission/resource-quota.ts";
import { builtinKinds } from "../api/builtin-kinds.ts";
import type { ResourceQuota } from "../api/generated/types.ts";
import type { AnyObject, Kind } from "../api/kind.ts";
import { systemUser } from "../auth/auth.ts";
import { type Amounts, keep, minus, plus } from "../quota/amounts.ts";
import { type Reservation, type Reservations, reservationMs } from "../quota/reservations.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Store } from "../store/store.ts";
import { present } from "./present.ts";
import type { RequestContext } from "./registry.ts";
import { clone } from "./values.ts";
import { toStorage } from "./versions.ts";
import { commit } from "./write.ts";

export interface QuotaLedgerOptions {
  readonly store: Store;
  readonly reservations: Reservations;
  readonly clock: Clock;
}

const storage = "resourcequotas";

export function quotaLedger({ store, reservations, clock }: QuotaLedgerOptions): QuotaLedger {
  const kind = builtinKinds().find((one) => one.storage === storage) as Kind;
  const user = systemUser("quota");

  const book = async (cluster: string, { quota: key }: Charge, next: (quota: ResourceQuota) => Amounts): Promise<void> => {
    const log = (await store.cluster(cluster)).resource(storage);
    const signal = new AbortController().signal;
    const context: RequestContext = { cluster, user, userAgent: "binnacle/quota", auditId: randomUUID(), signal, warnings: [] };
    await commit({ store: log, kind, key, context, clock, parameters: { dryRun: false } }, (current) => {
      // Gone meanwhile: it limits nothing any more.
      if (current === undefined) return { type: "refused", error: new QuotaGoneError() };
      const changed = clone(present(kind, current)) as AnyObject & { status?: object };
      const used = next(changed as unknown as ResourceQuota);
      changed.status = { ...changed.status, used };
      return { type: "put", value: toStorage(kind, changed) };
    }).catch((error: unknown) => {
      if (!(error instanceof QuotaGoneError)) throw error;
    });
  };

  return {
    async charge(cluster, charge, check) {
      const { quota, counted, amounts } = charge;
      const until = new Date(clock.now().getTime() + reservationMs);
      const reservation: Reservation = { id: randomUUID(), quota, ...counted, amounts, until };
      await reservations.open(cluster, reservation);
      try {
        await book(cluster, charge, (newest) => {
          check(newest);
          return plus(newest.status?.used ?? {}, keep(amounts, Object.keys(newest.status?.hard ?? {})));
        });
      } catch (error) {
        await reservations.close(cluster, reservation);
        throw error;
      }
      return async () => {
        // In this order: as long as the note is there, whoever counts anew counts too much rather than too little.
        await book(cluster, charge, (newest) => minus(newest.status?.used ?? {}, amounts));
        await reservations.close(cluster, reservation);
      };
    },
  };
}

class QuotaGoneError extends Error {
  override readonly name = "QuotaGoneError";
}
