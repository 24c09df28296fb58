/** How many watches may be open at once. A watch costs a running function for as long as it is open. */
import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Table } from "../store/table.ts";

export interface WatchBudget {
  /**
   * Takes one watch from the budget of a cluster and user.
   * @param forMs how long the watch may last; after that it counts no more, even if nobody gave it back
   * @returns what gives it back; undefined when all are taken
   */
  open(cluster: string, user: string, forMs: number): Promise<(() => Promise<void>) | undefined>;
}

/** Counts the watches of this process: all of them where one process serves everybody. */
export function processWatchBudget({ maxOpenWatches }: { readonly maxOpenWatches: number }): WatchBudget {
  const open = new Map<string, Set<symbol>>();
  return {
    async open(cluster, user) {
      const key = JSON.stringify([cluster, user]);
      const taken = open.get(key) ?? new Set();
      if (taken.size >= maxOpenWatches) return undefined;
      const mine = Symbol(key);
      open.set(key, taken.add(mine));
      return async () => {
        taken.delete(mine);
        if (taken.size === 0) open.delete(key);
      };
    },
  };
}

export interface TableWatchBudgetOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxOpenWatches: number;
  readonly newId?: () => string;
}

/**
 * Counts the watches of all functions: on AWS a process serves one request at a time. Each open watch is a small item; one that its
 * function could not take away stops counting when its time is over. Watches that open at the same moment may pass together, and when
 * the table does not answer nobody is refused: this protects a bill, not data.
 */
export function tableWatchBudget({ table, clock, log, maxOpenWatches, newId = randomUUID }: TableWatchBudgetOptions): WatchBudget {
  async function countOpen(pk: string, prefix: string): Promise<number> {
    const now = clock.now().getTime();
    // "0" is the character after "/".
    const { items } = await table.query({ pk, from: `${prefix}/`, to: `${prefix}0`, limit: 10 * maxOpenWatches, consistent: true });
    const over = items.filter(({ until }) => Number(until) <= now);
    await Promise.all(over.map(({ pk: itsPk, sk }) => table.delete({ pk: itsPk, sk })));
    return items.length - over.length;
  }

  return {
    async open(cluster, user, forMs) {
      const pk = `${cluster}/watches`;
      const prefix = createHash("sha256").update(user).digest("hex").slice(0, 32);
      const key = { pk, sk: `${prefix}/${newId()}` };
      try {
        if ((await countOpen(pk, prefix)) >= maxOpenWatches) return undefined;
        await table.put({ ...key, until: clock.now().getTime() + forMs });
      } catch (error) {
        log.warn("open watches could not be counted", { cluster, error });
      }
      return async () => {
        await table.delete(key).catch((error: unknown) => log.warn("a watch could not be given back", { cluster, error }));
      };
    },
  };
}
