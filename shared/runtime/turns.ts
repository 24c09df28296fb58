/**
 * Who works on a cluster now: one item per cluster and consumer. A turn is an economy, not a lock: every write is conditional on what
 * its plan saw, so two holders are correct, only wasteful; and a holder that dies is forgotten after a minute.
 */
import { type Item, type Table, ThrottledError, UnknownOutcomeError } from "../store/table.ts";
import type { Clock } from "./clock.ts";
import { type Consumer, consumers } from "./consumer.ts";
import type { Log } from "./log.ts";

/** How long a turn lasts without being renewed, by the table's clock. */
const lifeMs = 60_000;
const renewBelowMs = 40_000;
/** How often a waiting holder looks whether another process rang. Within a process a ring is heard at once. */
const pollMs = 500;
const attempts = 10;

export interface Turn {
  /** Resolves when somebody rang since the turn began or last heard a ring; rejects with the signal's reason. Keeps the turn alive. */
  readonly rung: (signal: AbortSignal) => Promise<void>;
  /** Prolongs the turn. @returns false when it was given back, or somebody else holds it now, which is no reason to stop at once */
  renew(): Promise<boolean>;
  /**
   * Gives the turn back, unless somebody rang since it was last known that nobody did.
   * @returns false when there is more to look at; the turn goes on then
   */
  release(): Promise<boolean>;
  /** Gives the turn back whatever rang: for a holder that cannot go on. */
  abandon(): Promise<void>;
}

export interface Turns {
  /** @returns undefined when somebody else holds it: that holder has been rung instead */
  take(cluster: string, consumer: Consumer): Promise<Turn | undefined>;
}

const turnKey = (cluster: string, consumer: Consumer) => ({ pk: `${cluster}#turns`, sk: consumer });

interface TurnItem extends Item {
  readonly holder: string;
  /** Milliseconds since 1970 by the table's clock; 0: free. */
  readonly until: number;
  /** Grows with every ring during a turn. */
  readonly rung: number;
  /** Grows with every write: what conditional puts compare. */
  readonly version: number;
}

/** @param holderId unique per call: names a turn's holder */
export function createTurns({
  table,
  clock,
  log,
  holderId,
}: {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly holderId: () => string;
}): Turns {
  /** What to call when somebody in this process rings the holder of a turn in this process. */
  const ears = new Map<string, () => void>();

  return {
    async take(cluster, consumer) {
      const holder = holderId();
      const key = turnKey(cluster, consumer);
      /** The holder that this call first tried to ring. */
      let ringing: TurnItem | undefined;
      for (let attempt = 1; ; attempt++) {
        const { item, date } = await table.get(key, { consistent: true });
        const found = item as TurnItem | undefined;
        // An earlier attempt went through after all.
        if (found?.holder === holder) return heldTurn(found);
        const live = found !== undefined && found.until > date.getTime();
        // Somebody else rang the same holder since we first looked: the holder has yet to hear it, and one ring is as good as two.
        if (live && ringing?.holder === found.holder && found.rung > ringing.rung) {
          ears.get(found.holder)?.();
          return undefined;
        }
        const next: TurnItem = live
          ? { ...found, rung: found.rung + 1, version: found.version + 1 }
          : { ...key, holder, until: date.getTime() + lifeMs, rung: found?.rung ?? 0, version: (found?.version ?? 0) + 1 };
        const written = await put(table, next, found);
        if (live) ringing ??= found;
        if (written?.done) {
          if (!live) return heldTurn(next);
          ears.get(found.holder)?.();
          return undefined;
        }
        if (attempt >= attempts) throw new Error(`the turn of ${consumer} in ${cluster} changes faster than it can be read`);
        if (!written) await clock.sleep(50 * attempt);
      }
    },
  };

  function heldTurn(taken: TurnItem): Turn {
    const { pk, sk, holder } = taken;
    /** The item as this holder knows it, and the ring count up to which it has looked. */
    let known = taken;
    let heard = taken.rung;
    let untilMs = taken.until;
    let rangHere = false;
    let wakeUp: (() => void) | undefined;
    ears.set(holder, () => {
      rangHere = true;
      wakeUp?.();
    });

    const look = async (): Promise<Date> => {
      const { item, date } = await table.get({ pk, sk }, { consistent: true });
      if (item) known = item as TurnItem;
      return date;
    };
    const isMine = () => known.holder === holder;

    const renew = async (): Promise<boolean> => {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const date = await look();
        // Given back meanwhile: prolonging it now would leave a turn that others ring and nobody listens to.
        if (!isMine() || known.until === 0) return false;
        const next: TurnItem = { ...known, until: date.getTime() + lifeMs, version: known.version + 1 };
        const written = await put(table, next, known);
        if (!written?.done) continue;
        known = next;
        untilMs = next.until;
        return true;
      }
      return true;
    };

    const free = async (evenIfRung: boolean): Promise<boolean> => {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        await look();
        if (!isMine() || known.until === 0) break;
        if (!evenIfRung && known.rung !== heard) {
          heard = known.rung;
          rangHere = false;
          return false;
        }
        const next: TurnItem = { ...known, until: 0, version: known.version + 1 };
        if ((await put(table, next, known))?.done) break;
      }
      ears.delete(holder);
      return true;
    };

    /** Looks at the table now and then. @returns once somebody rang */
    const listen = async (signal: AbortSignal): Promise<void> => {
      while (true) {
        await clock.sleep(pollMs, signal);
        try {
          const date = await look();
          if (isMine() && known.rung !== heard) return;
          if (isMine() && untilMs - date.getTime() < renewBelowMs) await renew();
        } catch (error) {
          if (signal.aborted) throw error;
          log.warn("looking at the turn failed", { turn: pk, consumer: sk, error });
        }
      }
    };

    return {
      renew,
      async rung(signal) {
        const over = new AbortController();
        const heardHere = Promise.withResolvers<void>();
        wakeUp = heardHere.resolve;
        if (rangHere) heardHere.resolve();
        try {
          await Promise.race([heardHere.promise, listen(AbortSignal.any([signal, over.signal]))]);
        } finally {
          over.abort();
          // A look at the table may end after the next listener has begun.
          if (wakeUp === heardHere.resolve) wakeUp = undefined;
        }
        // Whoever rang until now is answered by the look that follows; there is none when the listener has gone on meanwhile.
        await look();
        signal.throwIfAborted();
        rangHere = false;
        heard = known.rung;
      },
      release: () => free(false),
      async abandon() {
        await free(true);
      },
    };
  }
}

/** @returns undefined when it is not known whether the item was written: look again */
async function put(table: Table, next: TurnItem, previous: TurnItem | undefined) {
  try {
    return await table.put(next, previous ? { type: "equals", attribute: "version", value: previous.version } : { type: "absent" });
  } catch (error) {
    if (error instanceof ThrottledError || error instanceof UnknownOutcomeError) return undefined;
    throw error;
  }
}

/**
 * Frees every turn of a cluster, whoever holds it: for somebody who knows that all holders are gone, because no function runs.
 * Without it a turn that a killed process held would keep others waiting until it expires.
 */
export async function freeTurns(table: Table, cluster: string): Promise<void> {
  for (const consumer of consumers) {
    const { item } = await table.get(turnKey(cluster, consumer), { consistent: true });
    const found = item as TurnItem | undefined;
    if (found && found.until > 0) await put(table, { ...found, until: 0, version: found.version + 1 }, found);
  }
}
