/**
 * Writes: everything that waits in this process goes into the next slot together, and one claim is in flight at a time (rule 6).
 *
 * Proposals are judged in order, each on the state that the ones before it leave (rule 12). Their verdicts become answers when the
 * slot is won, since that proves that nobody wrote in between; or, when there is nothing to write, when the state they saw was read
 * after they arrived (rule 11).
 */
import { claimSlot } from "./claim.ts";
import { type Draft, Drafter, type Waiting, wonSlot } from "./draft.ts";
import { packText } from "./encoding.ts";
import { Packer } from "./packer.ts";
import type { ResourceLog } from "./resource-log.ts";
import { passing, pauseAfter } from "./retry.ts";
import type { Slot } from "./slot.ts";
import { measure, slotItem } from "./slot-item.ts";
import { type Outcome, OutcomeUnknownError, type Proposal, StoreBusyError, StoreFullError, StoreUnavailableError } from "./store.ts";
import { TableFullError } from "./table.ts";
import { SlotsGoneError } from "./tail.ts";

/** Who slept through the end of a wait gives the table this much more time. */
const graceMs = 1_000;

export interface CommitterParts {
  readonly log: ResourceLog;
  readonly newId: () => string;
  /** Called before the first slot of a log is claimed, and before chunks for it are written: writes down that the log exists. */
  readonly beforeFirstSlot: () => Promise<void>;
  /**
   * Called after every commit; its answers wait for what this starts, which never fails (rules 16 and 18).
   * @param stopAt when the first of them is due, in milliseconds since 1970
   */
  readonly afterCommit: (stopAt: number) => Promise<void> | undefined;
}

export class Committer {
  readonly #parts: CommitterParts;
  readonly #drafter: Drafter;
  readonly #packer: Packer;
  #queue: Waiting[] = [];
  #running = false;
  /** What the open claim is for. */
  #claiming: Draft | undefined;
  /** The tail was read a moment ago, for the slot that was lost. */
  #justRead = false;
  /** How long it took to judge and pack what was last meant for a slot. */
  #thoughtMs = 0;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#drafter = new Drafter(parts.log, parts.newId, parts.beforeFirstSlot);
    this.#packer = new Packer(parts.log, parts.newId);
  }

  commit(proposal: Proposal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const { log, newId } = this.#parts;
      this.#queue.push({ proposal, id: newId(), arrival: log.arrive(), since: this.#now(), resolve, reject });
      if (!this.#running) {
        this.#running = true;
        // Whatever else is written in the same turn joins the first slot.
        void Promise.resolve().then(() => this.#run());
      }
    });
  }

  async #run(): Promise<void> {
    let failures = 0;
    const idle = new AbortController();
    void this.#watchTime(idle.signal);
    while (this.#queue.length > 0) {
      try {
        await this.#commitNext();
        failures = 0;
      } catch (error) {
        if (passing(error) || error instanceof SlotsGoneError) await this.#pause(++failures);
        else this.#rejectAll(error as Error);
      }
      this.#dropOverdue();
    }
    // With a reason of its own: the default one is an exception whose stack nobody reads.
    idle.abort("idle");
    this.#running = false;
  }

  /** Answers in time whoever waits too long, whatever is being waited for. */
  async #watchTime(idle: AbortSignal): Promise<void> {
    const { patience, settings } = this.#parts.log.parts;
    try {
      for (;;) {
        const oldest = this.#oldest(this.#queue.filter((waiting) => !waiting.done));
        const due = Math.min(oldest, this.#now()) + settings.commitBudgetMs + 1;
        await patience.clock.sleep(Math.max(due - this.#now(), 1), idle);
        // A process that was frozen has not waited in earnest: the answer may be there already.
        if (this.#now() - due > graceMs) await patience.clock.sleep(graceMs, idle);
        if (this.#claiming) this.#isAwaited(this.#claiming);
        else this.#dropOverdue();
      }
    } catch {
      // Nobody waits any more.
    }
  }

  /** One slot: judge, write, answer. Leaves in the queue whoever has no answer yet. */
  async #commitNext(): Promise<void> {
    const { log } = this.#parts;
    // After a lost slot the pause was made, and the tail read, already.
    if (!this.#justRead && (await log.contention.turn())) await log.fresh(log.arrive());
    this.#justRead = false;
    while (await log.contention.yielded()) await log.fresh(log.arrive());
    const holdMs = log.contention.holdWanted(this.#thoughtMs);
    if (holdMs !== undefined && !(await this.#askForNext(holdMs))) return;
    const cache = await log.opened();
    log.assertOpen(cache);
    const draft = await this.#drafter.draft(cache, this.#queue, this.#packer.bound);
    // Others may have committed while we were thinking, or somebody was told that nothing was written: judge again.
    const outdated = () => {
      if (draft.members.some(({ done }) => done)) return true;
      const isOutdated = log.cache !== cache || cache.head.slot !== draft.head.slot;
      if (isOutdated) log.contention.lost();
      return isOutdated;
    };
    this.#thoughtMs = draft.thoughtMs;
    if (outdated()) return;
    if (draft.changes.length === 0) return this.#answerWithoutSlot(draft);
    if (draft.head.slot === log.parts.birth) await this.#parts.beforeFirstSlot();

    const time = log.parts.hybridClock.tick();
    const packing = this.#now();
    const packed = await this.#packer.pack(draft);
    this.#thoughtMs += this.#now() - packing;
    if (outdated()) return;
    const item = slotItem(log.parts.keys, { number: draft.head.next, time, writer: log.parts.process, ring: [...draft.ring] }, packed);
    const ids = new Set(draft.changes.map(({ id }) => id));
    this.#claiming = draft;
    try {
      const result = await claimSlot(log, {
        head: draft.head,
        item,
        ids,
        giveWay: () => log.contention.backOff(this.#oldest(draft.members)),
        isAwaited: () => this.#isAwaited(draft),
      });
      if (result.type === "won") {
        log.contention.won();
        this.#answerWin(draft, wonSlot(draft, time, log.parts.process, packed), result.date);
      } else if (result.type === "unknown") this.#giveUp(draft, result.cause);
      else this.#afterLoss();
    } finally {
      // Not a moment before the outcome is dealt with: whoever is overdue then would be told that nothing was written.
      this.#claiming = undefined;
    }
  }

  #answerWin(draft: Draft, slot: Slot, date: Date): void {
    this.#packer.forget();
    this.#parts.log.won(slot, date, draft.bodies);
    this.#remove(draft.members);
    const answer = () => {
      for (const tell of draft.answers) tell();
    };
    const help = this.#parts.afterCommit(this.#oldest(draft.members) + this.#parts.log.parts.settings.commitBudgetMs);
    if (help) void help.then(answer);
    else answer();
  }

  /**
   * Claims a slot without changes, which asks the others for the one after it. It takes no judging, so it is won as quickly as anything.
   * @returns whether it is ours, or else has been read
   */
  async #askForNext(holdMs: number): Promise<boolean> {
    const { log } = this.#parts;
    const { keys, hybridClock, process } = log.parts;
    const cache = await log.opened();
    log.assertOpen(cache);
    const { head } = cache;
    const heading = { number: head.next, time: hybridClock.tick(), writer: process, ring: [], holdMs };
    const content = packText("[]");
    const packed = { count: 0, exact: false, size: content.length, content, bytes: content.length };
    const result = await claimSlot(log, {
      head,
      item: slotItem(keys, heading, packed),
      ids: new Set(),
      giveWay: () => log.contention.backOff(this.#oldest(this.#queue)),
      isAwaited: () => this.#queue.some((waiting) => !this.#overdue(waiting)),
    });
    if (result.type !== "won") {
      if (result.type === "unknown" && result.cause instanceof TableFullError) throw result.cause;
      this.#justRead = result.type === "lost";
      return false;
    }
    const { number, time } = heading;
    const slot: Slot = { type: "slot", number, time, count: 0, writer: process, changes: [], ...measure(2, 2, []), overflow: undefined };
    log.won(slot, result.date, []);
    return true;
  }

  /** The slot was somebody else's, and has been read: all those who can still wait are judged again. */
  #afterLoss(): void {
    this.#queue = this.#queue.filter(({ done }) => !done);
    this.#justRead = true;
    this.#parts.log.contention.lost();
  }

  /** Nothing to write: the verdicts are answers if the state was read after their proposals arrived (rule 11). */
  async #answerWithoutSlot(draft: Draft): Promise<void> {
    const { log } = this.#parts;
    const stale = draft.members.filter(({ arrival }) => !log.isFresh(arrival));
    if (stale.length > 0) {
      await log.fresh(Math.max(...stale.map(({ arrival }) => arrival)));
      return;
    }
    this.#packer.forget();
    this.#remove(draft.members);
    for (const answer of draft.answers) answer();
  }

  // ---- time

  #now(): number {
    return this.#parts.log.parts.patience.clock.now().getTime();
  }

  #overdue = ({ since }: Waiting): boolean => this.#now() - since > this.#parts.log.parts.settings.commitBudgetMs;

  /** Tells those who waited too long for a claim that nobody knows. @returns whether anybody is left */
  #isAwaited(draft: Draft): boolean {
    for (const member of draft.members) if (!member.done && this.#overdue(member)) this.#rejectUnknown(draft, member, undefined);
    this.#dropOverdue(new Set(draft.members));
    return draft.members.some((member) => !member.done);
  }

  #oldest(waiting: readonly Waiting[]): number {
    return Math.min(...waiting.map(({ since }) => since));
  }

  /** Nobody waits for the claim any more, or nobody will ever know. */
  #giveUp(draft: Draft, cause: unknown): void {
    for (const member of draft.members) if (!member.done) this.#rejectUnknown(draft, member, cause);
    this.#packer.forget();
    this.#remove(draft.members);
  }

  #rejectUnknown(draft: Draft, member: Waiting, cause: unknown): void {
    member.done = true;
    if (cause instanceof TableFullError) return member.reject(full(member, cause));
    const writes = draft.changes.some(({ id }) => id === member.id);
    member.reject(
      writes
        ? new OutcomeUnknownError(`${member.proposal.key}: the write may or may not have been made`, { cause })
        : new StoreUnavailableError(`${member.proposal.key}: the store did not answer in time`, 1, { cause }),
    );
  }

  /** Those who waited too long in the queue have written nothing. */
  #dropOverdue(claiming: ReadonlySet<Waiting> = new Set()): void {
    const overdue = this.#queue.filter((waiting) => !claiming.has(waiting) && this.#overdue(waiting));
    this.#remove(overdue);
    for (const waiting of overdue) {
      waiting.done = true;
      waiting.reject(new StoreBusyError(`${waiting.proposal.key}: too many writes at once`));
    }
  }

  #rejectAll(error: Error): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const one of waiting) one.reject(error instanceof TableFullError ? full(one, error) : error);
  }

  #remove(members: readonly Waiting[]): void {
    const gone = new Set(members);
    this.#queue = this.#queue.filter((waiting) => !gone.has(waiting));
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#parts.log.parts.patience;
    await clock.sleep(pauseAfter(failures, random));
  }
}

const full = ({ proposal }: Waiting, cause: TableFullError) =>
  new StoreFullError(`${proposal.key}: there is no room for the write`, { cause });
