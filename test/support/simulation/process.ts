/**
 * A process as the rest of the world sees it: its calls to the table take their time and get lost, and it can be frozen, cut off and
 * killed between any two steps.
 */
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Item, Query, QueryPage, Table, WriteResult } from "../../../shared/store/table.ts";
import { isSlot } from "../faulty-table.ts";
import type { StoreBuild } from "./build.ts";

export interface World {
  readonly clock: Clock;
  readonly table: Table;
  readonly random: () => number;
  readonly build: StoreBuild;
  /** How often each thing goes wrong, from 0 to 1. */
  trouble: number;
}

const never = new Promise<never>(() => {});

/** Calls take up to this long each way; a few take much longer. */
const latencyMs = 4;
const longLatencyMs = 250;

/** A request that was signed so long ago is refused. Shorter than stubs and tombstones live, as AWS' five minutes are. */
const signatureMs = 3_000;

/** So many of the requests that nobody answers are carried out all the same, much later. */
const lateShare = 0.3;

export class SimulatedProcess {
  readonly name: string;
  readonly #world: World;
  /** Until when it stands still. */
  #frozenUntil = 0;
  /** Until when its calls do not get through, or only late. */
  #cutOffUntil = 0;
  /** Until when its commits do not. */
  #stalledUntil = 0;
  #dead = false;
  readonly #skewMs: number;

  constructor(name: string, world: World, skewMs = 0) {
    this.name = name;
    this.#world = world;
    this.#skewMs = skewMs;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Whether nothing keeps it from working. */
  get awake(): boolean {
    return !this.#dead && this.#frozenUntil <= this.#now();
  }

  freeze(ms: number): void {
    this.#frozenUntil = this.#now() + ms;
  }

  /** What it sends meanwhile may arrive long after it was given up. */
  cutOff(ms: number): void {
    this.#cutOffUntil = this.#now() + ms;
  }

  /** The same for its commits alone: it sees what happens, and cannot take part. */
  stall(ms: number): void {
    this.#stalledUntil = this.#now() + ms;
  }

  /** Nothing it waits for ever comes. */
  kill(): void {
    this.#dead = true;
  }

  /** Ends what holds it up. */
  release(): void {
    this.#frozenUntil = 0;
    this.#cutOffUntil = 0;
    this.#stalledUntil = 0;
  }

  readonly clock: Clock = {
    now: () => new Date(this.#now() + this.#skewMs),
    sleep: async (ms, signal) => {
      await this.#world.clock.sleep(ms, signal);
      await this.#awake();
    },
  };

  readonly table: Table = {
    get: (key, options) =>
      this.#read(
        () => this.#world.table.get(key, options),
        (answer) => answer,
      ),
    query: (query) =>
      this.#read(
        () => this.#world.table.query(this.#happens(0.3) ? { ...query, limit: 1 } : query),
        (page) => this.#torn(query, page),
      ),
    put: (item, condition) => this.#write(() => this.#world.table.put(item, condition), isSlot(item) ? item : undefined),
    delete: (key, condition) => this.#write(() => this.#world.table.delete(key, condition)),
  };

  async #read<T>(call: () => Promise<T>, arrive: (answer: T) => T): Promise<T> {
    const { build } = this.#world;
    await this.#travel();
    if (this.#cutOff) throw new build.ThrottledError("nobody answers");
    if (this.#happens(0.05)) throw new build.ThrottledError("slow down");
    const answer = arrive(await call());
    await this.#travel();
    return answer;
  }

  async #write(call: () => Promise<WriteResult>, slot?: Item): Promise<WriteResult> {
    const { build, clock, random } = this.#world;
    const signedAt = this.#now();
    await this.#travel();
    if (this.#now() - signedAt > signatureMs) throw new build.UnknownOutcomeError("the signature has expired");
    if (this.#cutOff || (slot && this.#stalledUntil > this.#now())) {
      // What was held back somewhere arrives when the way is free again.
      const heldMs = Math.max(this.#cutOffUntil, this.#stalledUntil) - this.#now() + random() * 30;
      if (random() < lateShare && heldMs < signatureMs) void clock.sleep(heldMs).then(call, () => {});
      throw new build.UnknownOutcomeError("nobody answers");
    }
    if (this.#happens(0.05)) throw new build.ThrottledError("slow down");
    if (this.#happens(0.05)) throw new build.UnknownOutcomeError("lost on the way there");
    // Somewhere on the way the request is sent twice, and the second answer is the one that comes back.
    if (slot && this.#happens(0.05)) await call();
    const answer = await call();
    await this.#travel();
    if (this.#happens(0.1)) throw new build.UnknownOutcomeError("lost on the way back");
    return answer;
  }

  /** A slot that is committed while a query passes by may be missing from it, though its successors are there. */
  #torn(query: Query, page: QueryPage): QueryPage {
    if (page.items.length < 2 || !isSlot({ pk: query.pk, sk: "" }) || !this.#happens(0.1)) return page;
    return { ...page, items: page.items.toSpliced(Math.floor(this.#world.random() * (page.items.length - 1)), 1) };
  }

  async #travel(): Promise<void> {
    await this.#awake();
    const { random, clock } = this.#world;
    await clock.sleep(random() * (this.#happens(0.05) ? longLatencyMs : latencyMs));
    await this.#awake();
  }

  async #awake(): Promise<void> {
    while (!this.#dead && this.#frozenUntil > this.#now()) await this.#world.clock.sleep(this.#frozenUntil - this.#now());
    if (this.#dead) await never;
  }

  get #cutOff(): boolean {
    return this.#cutOffUntil > this.#now();
  }

  #happens(share: number): boolean {
    return this.#world.random() < share * this.#world.trouble;
  }

  #now(): number {
    return this.#world.clock.now().getTime();
  }
}
