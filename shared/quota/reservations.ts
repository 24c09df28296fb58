/**
 * Reservations: what a write is about to use of a quota, noted before it counts and before the object exists. No invariant spans two
 * logs at once (`log-rules.md` 24), so the order of steps has to do: note, count, create. Whoever counts anew reads the quota, then the
 * notes, then the objects, and writes only if the quota has not changed meanwhile: then an object that was counted in is either noted or
 * listed, and is never overlooked.
 */
import type { ObjectKey } from "../api/objects.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Table } from "../store/table.ts";
import type { Amounts } from "./amounts.ts";

/** Longer than any request takes from its reservation to its commit. */
export const reservationMs = 90_000;

export interface Reservation {
  readonly id: string;
  /** The ResourceQuota. */
  readonly quota: ObjectKey;
  /** The kind of object, and which one it is. */
  readonly storage: string;
  readonly uid: string;
  /** What is reserved. */
  readonly amounts: Amounts;
  /** For a change of an object: the state that it changes. Empty for a creation. */
  readonly replaces: string;
  /** From then on it counts no more: the write has ended, whatever became of it. */
  readonly until: Date;
}

export interface Reservations {
  open(cluster: string, reservation: Reservation): Promise<void>;
  close(cluster: string, reservation: Pick<Reservation, "quota" | "id">): Promise<void>;
  /** Those of one quota that still count. Strongly consistent. Removes what does not. */
  list(cluster: string, quota: ObjectKey): Promise<readonly Reservation[]>;
}

export function tableReservations({ table, clock }: { readonly table: Table; readonly clock: Clock }): Reservations {
  const partition = (cluster: string) => `${cluster}/quota-reservations`;
  const prefix = ({ namespace, name }: ObjectKey) => `${namespace}/${name}/`;

  return {
    async open(cluster, { id, quota, storage, uid, amounts, replaces, until }) {
      const item = { storage, uid, amounts: JSON.stringify(amounts), replaces, until: until.getTime() };
      await table.put({ pk: partition(cluster), sk: `${prefix(quota)}${id}`, ...item });
    },
    async close(cluster, { quota, id }) {
      await table.delete({ pk: partition(cluster), sk: `${prefix(quota)}${id}` });
    },
    async list(cluster, quota) {
      const pk = partition(cluster);
      const from = prefix(quota);
      // "0" is the character after "/".
      const to = `${from.slice(0, -1)}0`;
      const found: Reservation[] = [];
      let cursor;
      do {
        const page = await table.query({ pk, from, to, consistent: true, ...(cursor && { cursor }) });
        for (const { sk, storage, uid, amounts, replaces, until } of page.items) {
          if (Number(until) <= clock.now().getTime()) await table.delete({ pk, sk });
          else
            found.push({
              id: sk.slice(from.length),
              quota,
              storage: String(storage),
              uid: String(uid),
              amounts: JSON.parse(String(amounts)) as Amounts,
              replaces: String(replaces),
              until: new Date(Number(until)),
            });
        }
        ({ cursor } = page);
      } while (cursor);
      return found;
    },
  };
}
