/**
 * Writes: everything that waits in this process goes into the next slot together, and one claim is in flight at a time (rule 6).
 *
 * Proposals are judged in order, each on the state that the ones before it leave (rule 12). Their verdicts become answers when the
 * slot is won, since that proves that nobody wrote in between; or, when there is nothing to write, when the state they saw was read
 * after they arrived (rule 11).
 */
import type { LogCache } from "./cache.ts";
import { claimSlot } from "./claim.ts";
import { deepFreeze, packText } from "./encoding.ts";
import { type Arrival, objectIn, type ResourceLog } from "./resource-log.ts";
import { passing } from "./retry.ts";
import { maximumObjectBytes } from "./settings.ts";
import { type ChunkRef, type Head, type LoggedChange, maximumChanges, revisionAt, type Slot } from "./slot.ts";
import { changeText, measure, type PackedChanges, slotItem, timeOf } from "./slot-item.ts";
import {
  type Change,
  ObjectTooLargeError,
  type Outcome,
  OutcomeUnknownError,
  type Proposal,
  type Revision,
  StoreBusyError,
  type Stored,
  type Verdict,
} from "./store.ts";
import { SlotsGoneError } from "./tail.ts";
import { undoOf } from "./undo.ts";

/** What a proposal came to, for one state of its object. Good for any slot as long as the object is the same. */
type Decision =
  | {
      readonly type: "write";
      readonly value: Stored["value"];
      readonly deletes: boolean;
      readonly body: ChunkRef | undefined;
      readonly text: string;
      readonly exact: boolean;
      readonly ring: readonly string[];
    }
  | { readonly type: "answer"; readonly verdict: Extract<Verdict, { type: "unchanged" | "refused" }> }
  /** `judge` itself failed. */
  | { readonly type: "threw"; readonly error: unknown };

interface Waiting {
  readonly proposal: Proposal;
  readonly id: string;
  readonly arrival: Arrival;
  /** Milliseconds since 1970, by our clock. */
  readonly since: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  /** The newest verdict, and what it was given for. */
  decided?: { readonly current: Stored | undefined; readonly verdict: Verdict | undefined; readonly decision: Decision };
  /** Answered already, though its claim is open. */
  done?: true;
}

/** A slot in the making. */
interface Draft {
  readonly head: Head;
  /** In slot order. */
  readonly members: Waiting[];
  readonly changes: LoggedChange[];
  /** What each member would be answered if the slot is won. */
  readonly answers: (() => void)[];
  /** Objects that changes of this slot touch. */
  readonly overlay: Map<string, Stored | undefined>;
  readonly texts: string[];
  readonly ring: Set<string>;
  exact: boolean;
  size: number;
}

/** Several judges that look at nothing but their own object may think at the same time. */
const judgesAtOnce = 32;

export interface CommitterParts {
  readonly log: ResourceLog;
  readonly newId: () => string;
  /** Called before the first slot of a log is claimed: writes down that the log exists. */
  readonly beforeFirstSlot: () => Promise<void>;
  /** Called after every commit; its answers wait for what this starts, which never fails (rules 16 and 18). */
  readonly afterCommit: () => Promise<void> | undefined;
}

export class Committer {
  readonly #parts: CommitterParts;
  #queue: Waiting[] = [];
  #running = false;
  /** The tail was read a moment ago, for the slot that was lost. */
  #justRead = false;
  /** Chunks written for a draft that has not been committed yet: good for the same changes in another slot. */
  #overflow: { readonly text: string; readonly content: ChunkRef; readonly bytes: number; readonly members: number } | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
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
    while (this.#queue.length > 0) {
      try {
        await this.#commitNext();
        failures = 0;
      } catch (error) {
        failures++;
        if (!passing(error) && !(error instanceof SlotsGoneError)) this.#rejectAll(error as Error);
        await this.#pause(failures);
      }
      this.#dropOverdue();
    }
    this.#running = false;
  }

  /** One slot: judge, write, answer. Leaves in the queue whoever has no answer yet. */
  async #commitNext(): Promise<void> {
    const { log } = this.#parts;
    // After a lost slot the pause was made, and the tail read, already.
    if (!this.#justRead && (await log.contention.turn())) await log.fresh(log.arrive());
    this.#justRead = false;
    const cache = await log.opened();
    log.assertOpen(cache);
    const draft = await this.#draft(cache);
    // Others may have committed while we were thinking: judge again, on that.
    const outdated = () => log.cache !== cache || cache.head.slot !== draft.head.slot;
    if (outdated()) return;
    if (draft.changes.length === 0) return this.#answerWithoutSlot(draft);
    if (draft.head.slot === log.parts.birth) await this.#parts.beforeFirstSlot();

    const time = log.parts.hybridClock.tick();
    const packed = await this.#pack(draft);
    if (outdated()) return;
    const item = slotItem(log.parts.keys, { number: draft.head.next, time, writer: log.parts.process, ring: [...draft.ring] }, packed);
    const ids = new Set(draft.changes.map(({ id }) => id));
    const result = await claimSlot(log, {
      head: draft.head,
      item,
      ids,
      giveWay: () => log.contention.backOff(this.#oldest(draft.members)),
      isAwaited: () => this.#isAwaited(draft),
    });

    if (result.type === "won") {
      log.contention.won();
      await this.#answerWin(draft, wonSlot(draft, time, log.parts.process, packed), result.date);
    } else if (result.type === "unknown") this.#giveUp(draft, result.cause);
    else this.#afterLoss();
  }

  async #answerWin(draft: Draft, slot: Slot, date: Date): Promise<void> {
    this.#overflow = undefined;
    this.#parts.log.won(slot, date);
    this.#remove(draft.members);
    const answer = () => {
      for (const tell of draft.answers) tell();
    };
    const help = this.#parts.afterCommit();
    if (help) void help.then(answer);
    else answer();
  }

  /** The slot was somebody else's, and has been read: all those who can still wait are judged again. */
  #afterLoss(): void {
    this.#queue = this.#queue.filter(({ done }) => !done);
    this.#justRead = true;
  }

  // ---- judging

  /** Judges everything that waits, and what joins meanwhile, as far as a slot can hold it. */
  async #draft(cache: LogCache): Promise<Draft> {
    const draft: Draft = {
      head: cache.head,
      members: [],
      changes: [],
      answers: [],
      overlay: new Map(),
      texts: [],
      ring: new Set(),
      exact: false,
      size: 0,
    };
    const { batchBytes } = this.#parts.log.parts.settings;
    // A batch with chunks keeps its members, so that a lost slot need not write them again (rule 22).
    const bound = this.#overflow?.members ?? Infinity;
    while (draft.members.length < Math.min(this.#queue.length, bound) && draft.changes.length < maximumChanges && draft.size < batchBytes) {
      const room = Math.min(judgesAtOnce, maximumChanges - draft.changes.length, bound - draft.members.length);
      const group = independent(this.#queue.slice(draft.members.length, draft.members.length + room));
      await Promise.all(group.map(({ proposal }) => this.#parts.log.know(cache, proposal.key)));
      const currents = group.map(({ proposal: { key } }) => (draft.overlay.has(key) ? draft.overlay.get(key) : objectIn(cache, key)));
      const decisions = await Promise.all(group.map((waiting, index) => this.#decide(waiting, currents[index], draft, cache)));
      for (const [index, waiting] of group.entries()) this.#add(draft, waiting, currents[index], decisions[index]!);
    }
    return draft;
  }

  async #decide(waiting: Waiting, current: Stored | undefined, draft: Draft, cache: LogCache): Promise<Decision> {
    const { proposal, decided } = waiting;
    const same = decided !== undefined && decided.current === current && this.#mayClaim(decided.decision, draft.head);
    if (same && !proposal.volatile) return decided.decision;
    let verdict: Verdict | undefined;
    let decision: Decision;
    try {
      verdict = await proposal.judge(current, {
        now: timeOf(this.#parts.log.parts.hybridClock.tick()),
        head: draft.changes.at(-1)?.object.revision ?? draft.head.revision,
        changesSince: (revision) => changesSince(cache, draft, revision),
      });
      decision =
        same && sameVerdict(verdict, decided.verdict) ? decided.decision : await this.#prepare(waiting, verdict, current, draft.head);
    } catch (error) {
      if (passing(error)) throw error;
      decision = { type: "threw", error };
    }
    waiting.decided = { current, verdict, decision };
    return decision;
  }

  /** Whether the chunks that a decision comes with may still be referred to by the next slot (rule 21). */
  #mayClaim(decision: Decision, head: Head): boolean {
    const chunks = decision.type === "write" ? decision.body : undefined;
    return chunks === undefined || head.next - chunks.born <= this.#parts.log.parts.settings.chunkSlots;
  }

  /** Turns a verdict into a change record; large bodies go into chunks at once. */
  async #prepare({ proposal, id }: Waiting, verdict: Verdict, current: Stored | undefined, head: Head): Promise<Decision> {
    if (verdict.type === "refused" || verdict.type === "unchanged") {
      if (verdict.type === "unchanged" && !current) throw new Error(`${proposal.key}: an object that does not exist cannot be unchanged`);
      return { type: "answer", verdict };
    }
    const deletes = verdict.type === "delete";
    if (deletes && !current) throw new Error(`${proposal.key}: an object that does not exist cannot be deleted`);
    const { log, newId } = this.#parts;
    const json = JSON.stringify(verdict.value);
    if (Buffer.byteLength(json) > maximumObjectBytes) {
      const error = new ObjectTooLargeError(`object of ${json.length} bytes is larger than ${maximumObjectBytes}`);
      return { type: "answer", verdict: { type: "refused", error } };
    }
    const traits = deepFreeze(verdict.value);
    const value = traits.impure ? (JSON.parse(json) as Stored["value"]) : verdict.value;
    if (traits.impure) deepFreeze(value);
    const body =
      json.length > log.parts.settings.bodyBytes ? await log.chunks.write(newId(), json, head.slot, traits.exact, proposal.key) : undefined;
    const undo = current && undoOf(value, current.value);
    const draft = {
      id,
      key: proposal.key,
      type: deletes ? ("delete" as const) : ("put" as const),
      previousRevision: current?.revision,
      undo,
      author: proposal.author,
      plan: proposal.plan,
    };
    const ring = proposal.ring?.(value, current?.value) ?? [];
    return { type: "write", value, deletes, body, text: changeText(draft, body ?? json), exact: traits.exact, ring };
  }

  /** Gives a judged proposal its place in the slot. */
  #add(draft: Draft, waiting: Waiting, current: Stored | undefined, decision: Decision): void {
    const { proposal, id, resolve, reject } = waiting;
    draft.members.push(waiting);
    if (decision.type === "threw") {
      draft.answers.push(() => reject(decision.error as Error));
      return;
    }
    if (decision.type === "answer") {
      const { verdict } = decision;
      draft.answers.push(() => resolve(verdict.type === "unchanged" ? { type: "unchanged", object: current! } : verdict));
      return;
    }
    const revision = revisionAt(draft.head.next, draft.changes.length + 1);
    const object: Stored = Object.freeze({ key: proposal.key, revision, value: decision.value });
    draft.changes.push({
      type: decision.deletes ? "delete" : "put",
      object,
      previous: current,
      time: timeOf(0),
      author: proposal.author,
      plan: proposal.plan,
      id,
      body: decision.body,
    });
    draft.overlay.set(proposal.key, decision.deletes ? undefined : object);
    draft.texts.push(decision.text);
    draft.size += decision.text.length;
    draft.exact ||= decision.exact;
    for (const consumer of decision.ring) draft.ring.add(consumer);
    draft.answers.push(() => resolve(decision.deletes ? { type: "deleted", object } : { type: "committed", object, previous: current }));
  }

  /** Nothing to write: the verdicts are answers if the state was read after their proposals arrived (rule 11). */
  async #answerWithoutSlot(draft: Draft): Promise<void> {
    const { log } = this.#parts;
    const stale = draft.members.filter(({ arrival }) => !log.isFresh(arrival));
    if (stale.length > 0) {
      await log.fresh(Math.max(...stale.map(({ arrival }) => arrival)));
      return;
    }
    this.#overflow = undefined;
    this.#remove(draft.members);
    for (const answer of draft.answers) answer();
  }

  // ---- the slot's content

  /** Packs the changes into the item, or into chunks when the item would grow too large (rule 22). */
  async #pack(draft: Draft): Promise<PackedChanges> {
    const { log, newId } = this.#parts;
    const text = `[${draft.texts.join(",")}]`;
    const packed = { count: draft.changes.length, exact: draft.exact, size: text.length };
    const before = this.#overflow;
    if (before?.text === text && draft.head.next - before.content.born <= log.parts.settings.chunkSlots)
      return { ...packed, content: before.content, bytes: before.bytes };
    const content = packText(text);
    const bytes = content.length;
    if (bytes <= log.parts.settings.inlineBytes) return { ...packed, content, bytes };
    const ref = await log.chunks.write(newId(), text, draft.head.slot, draft.exact);
    this.#overflow = { text, content: ref, bytes, members: draft.members.length };
    return { ...packed, content: ref, bytes };
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
    this.#overflow = undefined;
    this.#remove(draft.members);
  }

  #rejectUnknown(draft: Draft, member: Waiting, cause: unknown): void {
    member.done = true;
    const writes = draft.changes.some(({ id }) => id === member.id);
    member.reject(
      writes
        ? new OutcomeUnknownError(`${member.proposal.key}: the write may or may not have been made`, { cause })
        : new StoreBusyError(`${member.proposal.key}: the store did not answer in time`, 1, { cause }),
    );
  }

  /** Those who waited too long in the queue have written nothing. */
  #dropOverdue(claiming: ReadonlySet<Waiting> = new Set()): void {
    const overdue = this.#queue.filter((waiting) => !claiming.has(waiting) && this.#overdue(waiting));
    this.#remove(overdue);
    for (const { reject, proposal } of overdue) reject(new StoreBusyError(`${proposal.key}: too many writes at once`));
  }

  #rejectAll(error: Error): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const { reject } of waiting) reject(error);
  }

  #remove(members: readonly Waiting[]): void {
    const gone = new Set(members);
    this.#queue = this.#queue.filter((waiting) => !gone.has(waiting));
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#parts.log.parts.patience;
    await clock.sleep(random() * Math.min(200, 4 * 2 ** failures));
  }
}

/** The first of these that do not look at each other's work. One that looks at other keys is judged alone. */
function independent(candidates: readonly Waiting[]): readonly Waiting[] {
  const keys = new Set<string>();
  const group: Waiting[] = [];
  for (const waiting of candidates) {
    const { key, volatile } = waiting.proposal;
    if (volatile) return group.length > 0 ? group : [waiting];
    if (keys.has(key)) break;
    keys.add(key);
    group.push(waiting);
  }
  return group;
}

const wonSlot = (draft: Draft, time: number, writer: string, packed: PackedChanges): Slot => ({
  type: "slot",
  number: draft.head.next,
  time,
  count: draft.changes.length,
  changes: draft.changes.map((change) => withTime(change, time)),
  ...measure(packed.size, packed.bytes, draft.changes),
  writer,
  overflow: packed.content instanceof Uint8Array ? undefined : packed.content,
});

const withTime = (change: LoggedChange, time: number): LoggedChange => ({ ...change, time: timeOf(time) });

const sameVerdict = (a: Verdict, b: Verdict | undefined): boolean =>
  a.type === b?.type && "value" in a && "value" in b && a.value === b.value;

/** Changes after a revision that are in memory, and those of the slot in the making. */
function changesSince(cache: LogCache, draft: Draft, revision: Revision): readonly Change[] | undefined {
  const slots = revision >= cache.head.revision ? [] : cache.slotsSince(revision);
  if (!slots) return undefined;
  return [...slots.flatMap(({ changes }) => changes), ...draft.changes].filter(({ object }) => object.revision > revision);
}
