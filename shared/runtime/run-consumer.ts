/** One invocation of a consumer: take the turn, work until nothing more changes, give the turn back, arrange the next time. */
import type { Clock } from "./clock.ts";
import type { Consumer, ConsumerEvent, WakeUps } from "./consumer.ts";
import type { Log } from "./log.ts";
import type { Manager } from "./manager.ts";
import type { Turns } from "./turns.ts";

/** Schedules fire with a precision of a minute, and not earlier than that. */
const minWakeUpMs = 60_000;
const renewEveryMs = 20_000;
/** The part of an invocation's time after which nothing new is begun. */
const usableShare = 0.8;

export interface ConsumerOptions {
  readonly turns: Turns;
  readonly wakeUps: WakeUps;
  readonly clock: Clock;
  readonly log: Log;
  /** The manager of a cluster; asked once per cluster and process, and kept. */
  readonly manager: (cluster: string) => Manager | Promise<Manager>;
}

export interface Invocation {
  /** Milliseconds until the function is ended. */
  readonly remainingMs: () => number;
  readonly signal: AbortSignal;
}

export type Ran =
  /** Somebody else is working on it and has been told. */
  | { readonly type: "rung" }
  | { readonly type: "done"; readonly rounds: number }
  /** Time ran out, or the cluster could not be read; a wake-up will go on. */
  | { readonly type: "unfinished"; readonly rounds: number };

export interface ConsumerRunner {
  run(event: ConsumerEvent, invocation: Invocation): Promise<Ran>;
}

export function createConsumerRunner({ turns, wakeUps, clock, log, manager }: ConsumerOptions): ConsumerRunner {
  const managers = new Map<string, Promise<Manager>>();
  /** Minutes already arranged, so that each is asked for once. */
  const arranged = new Map<string, number>();

  const managerOf = (cluster: string): Promise<Manager> => {
    let found = managers.get(cluster);
    if (!found) {
      found = Promise.resolve(manager(cluster));
      found.catch(() => managers.delete(cluster));
      managers.set(cluster, found);
    }
    return found;
  };

  const wakeAt = async (cluster: string, consumer: Consumer, when: Date): Promise<void> => {
    const at = new Date(Math.max(when.getTime(), clock.now().getTime() + minWakeUpMs));
    const minute = Math.ceil(at.getTime() / 60_000);
    const name = `${cluster} ${consumer} ${minute}`;
    if (arranged.has(name)) return;
    try {
      await wakeUps.at(cluster, consumer, at);
      for (const [known, its] of arranged) if (its < minute - 60) arranged.delete(known);
      arranged.set(name, minute);
    } catch (error) {
      log.error("wake-up not arranged: the hourly sweep will look", { cluster, consumer, when: at.toISOString(), error });
    }
  };

  return {
    async run({ cluster, consumer, sweep = false }, { remainingMs, signal }) {
      const turn = await turns.take(cluster, consumer);
      if (!turn) return { type: "rung" };

      const over = new AbortController();
      const renewing = (async () => {
        while (true) {
          await clock.sleep(renewEveryMs, over.signal);
          await turn.renew().catch((error: unknown) => log.warn("turn not renewed", { cluster, consumer, error }));
        }
      })().catch(() => {});
      const deadline = new Date(clock.now().getTime() + remainingMs() * usableShare);
      let rounds = 0;
      try {
        const working = await managerOf(cluster);
        for (let everything = sweep; ; everything = false) {
          const result = await working.run({ sweep: everything, deadline, signal, rung: turn.rung });
          rounds += result.rounds;
          if (result.again) await wakeAt(cluster, consumer, result.again);
          if (!result.quiescent) {
            await wakeAt(cluster, consumer, clock.now());
            await turn.abandon();
            return { type: "unfinished", rounds };
          }
          if (await turn.release()) return { type: "done", rounds };
        }
      } catch (error) {
        log.error("turn ended by an error", { cluster, consumer, error });
        await wakeAt(cluster, consumer, clock.now());
        await turn.abandon().catch((failure: unknown) => log.warn("turn not given back", { cluster, consumer, error: failure }));
        return { type: "unfinished", rounds };
      } finally {
        over.abort();
        await renewing;
      }
    },
  };
}
