/**
 * Runs controllers over cached state until nothing more changes. State is kept between runs: a warm function catches up with what
 * changed instead of reading what exists.
 */
import type { Client, KindRef } from "../api/client.ts";
import type { KubeObject, ObjectKey } from "../api/objects.ts";
import { type Reason, StatusError } from "../errors/status-error.ts";
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Controller, ControllerContext, Lister, Observed } from "./controller.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Fed, Feed } from "./feed.ts";
import { Fights } from "./fights.ts";
import { keyText, kindText } from "./keys.ts";
import { KindCache } from "./kind-cache.ts";
import type { Log } from "./log.ts";
import { isLostRace } from "./lost-race.ts";

/** So many rounds without coming to rest are no progress any more. */
const maxRounds = 200;
/** Nearer times are waited for: a schedule fires with a precision of a minute, and starting again costs more than waiting. */
const nearMs = 60_000;
/** A key that loses this many races in a row has an opponent, not bad luck. */
const maxLostRaces = 5;
const feedAttempts = 5;

/** What is read from the logs' tails, and what is answered from what this process knows: nothing, all but the lazy kinds, or all. */
type Strength = "known" | "eager" | "all";

export interface ManagerOptions {
  readonly controllers: readonly Controller[];
  readonly feed: Feed;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventRecorder;
  readonly random?: () => number;
  /** Reconciles at a time. Their writes share slots, so more is better until memory says otherwise. Default 256. */
  readonly parallelism?: number;
}

export interface RunOptions {
  /** Look at everything, not only at what changed since the last run. A manager's first run always does. */
  readonly sweep: boolean;
  /** No reconcile begins after this. */
  readonly deadline: Date;
  readonly signal: AbortSignal;
  /** Resolves when somebody says that something changed; rejects when the signal it is given aborts. Interrupts waiting. */
  readonly rung?: (signal: AbortSignal) => Promise<void>;
}

export interface RunResult {
  /** Nothing is left to do before `again`. False: the deadline, the signal or the number of rounds ended the run. */
  readonly quiescent: boolean;
  /** The next time that can matter, by itself. */
  readonly again?: Date;
  readonly rounds: number;
}

export interface Manager {
  /** One run at a time. @throws whatever the feed throws, after some attempts; nothing is lost by that */
  run(options: RunOptions): Promise<RunResult>;
}

/** What one controller still has to look at. */
class Work {
  readonly controller: Controller;
  /** Now. */
  readonly dirty = new Map<string, ObjectKey>();
  /** At a time, in milliseconds. */
  readonly later = new Map<string, { readonly key: ObjectKey; readonly at: number }>();
  readonly failures = new Map<string, number>();
  readonly lostRaces = new Map<string, number>();
  /** Kinds of which it has seen every object that there is. */
  readonly acquainted = new Set<string>();

  constructor(controller: Controller) {
    this.controller = controller;
  }

  add(key: ObjectKey): void {
    this.dirty.set(keyText(key), key);
  }

  /** The earlier of two times counts. */
  addAt(key: ObjectKey, at: number): void {
    const text = keyText(key);
    const known = this.later.get(text);
    if (!known || known.at > at) this.later.set(text, { key, at });
  }

  wake(now: number): void {
    for (const [text, { key, at }] of this.later) {
      if (at > now) continue;
      this.later.delete(text);
      this.add(key);
    }
  }
}

export function createManager(options: ManagerOptions): Manager {
  const { feed, client, clock, log, events, random = Math.random, parallelism = 256 } = options;
  const works = options.controllers.map((controller) => new Work(controller));
  const caches = new Map<string, KindCache>();
  const fights = new Fights();
  let cold = true;
  let running = false;

  const nowMs = () => clock.now().getTime();

  /** Reads one kind, patiently: a hiccup of the table should not end the turn of a cluster. */
  async function read(kind: KindRef, after: number | undefined, consistent: boolean, signal: AbortSignal): Promise<Fed | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await feed.read(kind, after, { consistent });
      } catch (error) {
        if (error instanceof StatusError && error.reason === "NotFound") return undefined;
        if (attempt >= feedAttempts || signal.aborted) throw error;
        log.warn("reading changes failed, trying again", { kind: kindText(kind), attempt, error });
        await clock.sleep(Math.ceil(backoffMs(attempt, random) / 4), signal);
      }
    }
  }

  /** Brings every cache up to date and notes which keys that concerns. */
  async function refresh(strength: Strength, signal: AbortSignal): Promise<void> {
    const kinds = new Map<string, KindRef>();
    const eager = new Set<string>();
    const following = new Set<string>();
    for (const { controller } of works) {
      for (const { kind, follows } of controller.watches) if (follows) following.add(kindText(kind));
      for (const { kind, lazy } of [...controller.watches, ...(controller.reads ?? []).map((kind) => ({ kind, lazy: false }))]) {
        kinds.set(kindText(kind), kind);
        if (!lazy) eager.add(kindText(kind));
      }
    }
    for (const known of caches.keys()) if (!kinds.has(known)) caches.delete(known);

    const reads = [...kinds].map(async ([name, kind]) => {
      const known = caches.get(name)?.known;
      const consistent = strength === "all" || known === undefined || (strength === "eager" && eager.has(name));
      return { name, fed: await read(kind, known, consistent, signal) };
    });
    const observed = new Map<string, readonly Observed[]>();
    for (const { name, fed } of await Promise.all(reads)) {
      if (!fed) {
        // Not served any more: its objects are not gone, nobody can say anything about them.
        caches.delete(name);
        continue;
      }
      let cache = caches.get(name);
      if (!cache) caches.set(name, (cache = new KindCache()));
      const changes = cache.apply(fed);
      if (changes.length > 0) observed.set(name, changes);
    }
    const fightable = [...observed].filter(([name]) => !following.has(name));
    const avoided = new Map(fightable.map(([name, changes]) => [name, findFights(name, changes)]));

    for (const work of works) {
      const context = { lister: listerFor(work.controller) };
      const watched = new Set(work.controller.watches.map(({ kind }) => kindText(kind)));
      const strange = watched.difference(work.acquainted);
      for (const name of work.acquainted) if (!watched.has(name) || !caches.has(name)) work.acquainted.delete(name);
      for (const watching of work.controller.watches) {
        const name = kindText(watching.kind);
        const waits = avoided.get(name);
        const cache = caches.get(name);
        if (cache) work.acquainted.add(name);
        // Somebody else may have followed the kind before this controller took an interest.
        const changes = strange.has(name) ? everythingIn(cache) : (observed.get(name) ?? []);
        for (const change of changes) {
          const waitMs = waits?.get(objectText(change)) ?? 0;
          for (const key of watching.keys(change, context)) {
            if (waitMs > 0) work.addAt(key, nowMs() + waitMs);
            else work.add(key);
          }
        }
      }
    }
  }

  /** @returns milliseconds to wait, by object */
  function findFights(kind: string, changes: readonly Observed[]): ReadonlyMap<string, number> {
    const waits = new Map<string, number>();
    for (const change of changes) {
      if (!change.previous || !change.next) continue;
      const text = objectText(change);
      const fight = fights.changed(`${kind} ${text}`, change.next, nowMs());
      if (!fight) continue;
      waits.set(text, fight.waitMs);
      log.warn("object is changed back and forth, leaving it alone for a while", { kind, object: text, ...fight });
      const who = fight.managers.map((manager) => `"${manager}"`).join(", ");
      const message = `Changed ${fight.changes} times in a row by ${who || "unknown managers"}; looking again in ${fight.waitMs / 1000}s`;
      events?.record("binnacle", change.next, "Warning", "ChangedBackAndForth", message);
    }
    return waits;
  }

  const listerFor =
    (controller: Controller) =>
    <T extends KubeObject>(kind: KindRef<T>): Lister<T> => {
      const cache = caches.get(kindText(kind));
      if (cache) return cache as unknown as Lister<T>;
      const declared = [...controller.watches.map((watched) => watched.kind), ...(controller.reads ?? [])];
      if (declared.some((known: KindRef) => kindText(known) === kindText(kind))) return new KindCache<T>();
      throw new Error(`${controller.name} reads ${kindText(kind)} without having declared it`);
    };

  /** Every key there is, as if all objects were new. */
  function addEverything(): void {
    for (const work of works) {
      const context = { lister: listerFor(work.controller) };
      for (const watched of work.controller.watches) {
        for (const change of everythingIn(caches.get(kindText(watched.kind)))) {
          for (const key of watched.keys(change, context)) work.add(key);
        }
      }
    }
  }

  /** @returns whether the next look at the cluster must be a strong one, because somebody else was faster */
  async function reconcile(work: Work, key: ObjectKey, context: ControllerContext): Promise<boolean> {
    const text = keyText(key);
    try {
      const result = await work.controller.reconcile(key, context);
      work.failures.delete(text);
      work.lostRaces.delete(text);
      if (result?.again) work.addAt(key, result.again.getTime());
      return false;
    } catch (error) {
      const lost = work.lostRaces.get(text) ?? 0;
      if (isLostRace(error) && lost < maxLostRaces) {
        work.lostRaces.set(text, lost + 1);
        work.add(key);
        return true;
      }
      work.lostRaces.delete(text);
      const failures = (work.failures.get(text) ?? 0) + 1;
      work.failures.set(text, failures);
      const waitMs = Math.max(backoffMs(failures, random), retryAfterMs(error));
      work.addAt(key, nowMs() + waitMs);
      const fields = { controller: work.controller.name, key: text, failures, waitMs };
      if (waitsForOthers(error)) log.info("reconcile refused, trying again later", { ...fields, reason: error.reason, why: error.message });
      else log.warn("reconcile failed, trying again later", { ...fields, error });
      return isLostRace(error);
    }
  }

  /** One round: everything dirty, concurrently, over one state. */
  async function round(stop: () => boolean): Promise<boolean> {
    const tasks = works.flatMap((work) => {
      const keys = [...work.dirty];
      work.dirty.clear();
      const context: ControllerContext = {
        client,
        clock,
        log,
        lister: listerFor(work.controller),
        event: (about, type, reason, message) => events?.record(work.controller.name, about, type, reason, message),
      };
      return keys.map(([text, key]) => ({ work, text, key, context }));
    });
    let strong = false;
    const queue = tasks.values();
    const worker = async () => {
      for (const { work, text, key, context } of queue) {
        // What was not begun stays dirty for the next run.
        if (stop()) work.dirty.set(text, key);
        else if (await reconcile(work, key, context)) strong = true;
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallelism, tasks.length) }, worker));
    return strong;
  }

  const isDirty = () => works.some(({ dirty }) => dirty.size > 0);
  const nextTime = () => Math.min(...works.flatMap(({ later }) => [...later.values()].map(({ at }) => at)));

  /** Waits for a time, a ring, or the end; says whether it is worth looking again. */
  async function wait(until: number, { signal, rung }: RunOptions): Promise<boolean> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.race([clock.sleep(Math.max(0, until - nowMs()), either), ...(rung ? [rung(either)] : [])]);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      over.abort();
    }
  }

  async function run(options: RunOptions): Promise<RunResult> {
    const { signal } = options;
    const deadline = options.deadline.getTime();
    const stop = () => signal.aborted || nowMs() >= deadline;
    let everything = options.sweep || cold;
    let strength: Strength = "all";
    let rounds = 0;
    let restedAfter = 0;
    fights.beginTurn(nowMs());

    const ended = (quiescent: boolean): RunResult => {
      const next = nextTime();
      return { quiescent, rounds, ...(Number.isFinite(next) && { again: new Date(next) }) };
    };

    while (!stop() && rounds - restedAfter < maxRounds) {
      if (strength !== "known") {
        for (const work of works) {
          for (const key of (await work.controller.prepare?.({ everything })) ?? []) work.add(key);
        }
      }
      const read = strength;
      await refresh(read, signal);
      // At a cold start everything is new anyway.
      if (everything && !cold) addEverything();
      everything = false;
      cold = false;
      const now = nowMs();
      for (const work of works) work.wake(now);

      if (isDirty()) {
        rounds++;
        strength = (await round(stop)) ? "all" : "known";
        continue;
      }
      if (read === "known") {
        strength = "eager";
        continue;
      }
      // Quiescent. A time that is near is waited for; whatever happens meanwhile is looked at at once.
      await events?.flush();
      const next = nextTime();
      const rested = nowMs();
      if (next > rested + nearMs || next > deadline) return ended(true);
      if (!(await wait(next, options))) break;
      if (nowMs() > rested) restedAfter = rounds;
      strength = "all";
    }
    return ended(false);
  }

  return {
    async run(options) {
      if (running) throw new Error("a manager runs one turn at a time");
      running = true;
      try {
        return await run(options);
      } finally {
        running = false;
        await events?.flush();
      }
    },
  };
}

/** A cache's objects, as if they were new. */
const everythingIn = (cache: KindCache | undefined): readonly Observed[] =>
  [...(cache?.all() ?? [])].map((next) => ({ previous: undefined, next }));

const dependent: ReadonlySet<Reason> = new Set(["AlreadyExists", "Conflict", "Forbidden", "NotFound", "TooManyRequests"]);

/** Refusals that other objects bring about and end: a quota, or a ServiceAccount that is applied after the Deployment that names it. */
const waitsForOthers = (error: unknown): error is StatusError => error instanceof StatusError && dependent.has(error.reason);

const retryAfterMs = (error: unknown): number => (error instanceof StatusError ? (error.details?.retryAfterSeconds ?? 0) * 1_000 : 0);

const objectText = ({ previous, next }: Observed): string => {
  const metadata = (next ?? previous)?.metadata;
  return keyText({ namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" });
};
