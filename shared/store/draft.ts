/**
 * A slot in the making: proposals judged in order, each on the state that the ones before it leave (rule 12). A verdict is good for any
 * slot as long as its object is the same, so a lost slot costs little.
 */
import type { LogCache } from "./cache.ts";
import { deepFreeze, parseValue } from "./encoding.ts";
import { type Arrival, objectIn, type ResourceLog } from "./resource-log.ts";
import { passing } from "./retry.ts";
import { maximumObjectBytes } from "./settings.ts";
import { type ChunkRef, type Head, type LoggedChange, maximumChanges, revisionAt, type Slot } from "./slot.ts";
import { changeText, measure, type PackedChanges, timeOf } from "./slot-item.ts";
import { type Change, ObjectTooLargeError, type Outcome, type Proposal, type Revision, type Stored, type Verdict } from "./store.ts";
import { TableFullError } from "./table.ts";
import { undoOf } from "./undo.ts";

/** What a proposal came to, for one state of its object. Good for any slot as long as the object is the same. */
type Decision =
  | {
      readonly type: "write";
      readonly value: Stored["value"];
      readonly deletes: boolean;
      readonly body: ChunkRef | undefined;
      /** The object's JSON, unless it is in chunks. */
      readonly json: string | undefined;
      readonly text: string;
      readonly exact: boolean;
      readonly ring: readonly string[];
    }
  | { readonly type: "answer"; readonly verdict: Extract<Verdict, { type: "unchanged" | "refused" }> }
  /** `judge` itself failed. */
  | { readonly type: "threw"; readonly error: unknown };

export interface Waiting {
  readonly proposal: Proposal;
  readonly id: string;
  readonly arrival: Arrival;
  /** Milliseconds since 1970, by our clock. */
  readonly since: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  /** The newest verdict, and what it was given for. */
  decided?: { readonly current: Stored | undefined; readonly verdict: Verdict | undefined; readonly decision: Decision };
  /** Answered already, because its time was up: its claim may be open still, and it is in no other. */
  done?: true;
}

/** A slot in the making. */
export interface Draft {
  readonly head: Head;
  /** In slot order. */
  readonly members: Waiting[];
  readonly changes: LoggedChange[];
  /** What each member would be answered if the slot is won. */
  readonly answers: (() => void)[];
  /** Objects that changes of this slot touch. */
  readonly overlay: Map<string, Stored | undefined>;
  readonly texts: string[];
  /** JSON of the objects, as the changes have them; undefined where it is in chunks. */
  readonly bodies: (string | undefined)[];
  readonly ring: Set<string>;
  exact: boolean;
  size: number;
  /** How long judging took. Looking up objects is not counted: nobody does it twice. */
  thoughtMs: number;
}

/** Several judges that look at nothing but their own object may think at the same time. */
const judgesAtOnce = 32;

export class Drafter {
  readonly #log: ResourceLog;
  readonly #newId: () => string;
  readonly #beforeFirstSlot: () => Promise<void>;

  /** @param beforeFirstSlot writes down that the log exists, so that chunks which no slot comes to refer to are found */
  constructor(log: ResourceLog, newId: () => string, beforeFirstSlot: () => Promise<void>) {
    this.#log = log;
    this.#newId = newId;
    this.#beforeFirstSlot = beforeFirstSlot;
  }

  /**
   * Judges everything that waits, and what joins meanwhile, as far as a slot can hold it.
   * @param queue may grow while this runs
   * @param bound no more members than this
   */
  async draft(cache: LogCache, queue: readonly Waiting[], bound: number): Promise<Draft> {
    const draft: Draft = {
      head: cache.head,
      members: [],
      changes: [],
      answers: [],
      overlay: new Map(),
      texts: [],
      bodies: [],
      ring: new Set(),
      exact: false,
      size: 0,
      thoughtMs: 0,
    };
    const { settings, patience } = this.#log.parts;
    const { batchBytes } = settings;
    while (draft.members.length < Math.min(queue.length, bound) && draft.changes.length < maximumChanges && draft.size < batchBytes) {
      const room = Math.min(judgesAtOnce, maximumChanges - draft.changes.length, bound - draft.members.length);
      const group = independent(queue.slice(draft.members.length, draft.members.length + room));
      await Promise.all(group.map(({ proposal }) => this.#log.know(cache, proposal.key)));
      const currents = group.map(({ proposal: { key } }) => (draft.overlay.has(key) ? draft.overlay.get(key) : objectIn(cache, key)));
      const begun = patience.clock.now().getTime();
      const decisions = await Promise.all(group.map((waiting, index) => this.#decide(waiting, currents[index], draft, cache)));
      draft.thoughtMs += patience.clock.now().getTime() - begun;
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
        now: timeOf(this.#log.parts.hybridClock.tick()),
        head: draft.changes.at(-1)?.object.revision ?? draft.head.revision,
        changesSince: (revision) => changesSince(cache, draft, revision),
      });
      decision =
        same && sameVerdict(verdict, decided.verdict) ? decided.decision : await this.#prepare(waiting, verdict, current, draft.head);
    } catch (error) {
      // Trouble with the table is nobody's own.
      if (passing(error) || error instanceof TableFullError) throw error;
      decision = { type: "threw", error };
    }
    waiting.decided = { current, verdict, decision };
    return decision;
  }

  /** Whether the chunks that a decision comes with may still be referred to by the next slot (rule 21). */
  #mayClaim(decision: Decision, head: Head): boolean {
    const chunks = decision.type === "write" ? decision.body : undefined;
    return chunks === undefined || head.next - chunks.born <= this.#log.parts.settings.chunkSlots;
  }

  /** Turns a verdict into a change record; large bodies go into chunks at once. */
  async #prepare({ proposal, id }: Waiting, verdict: Verdict, current: Stored | undefined, head: Head): Promise<Decision> {
    if (verdict.type === "refused" || verdict.type === "unchanged") {
      if (verdict.type === "unchanged" && !current) throw new Error(`${proposal.key}: an object that does not exist cannot be unchanged`);
      return { type: "answer", verdict };
    }
    const deletes = verdict.type === "delete";
    if (deletes && !current) throw new Error(`${proposal.key}: an object that does not exist cannot be deleted`);
    const json = JSON.stringify(verdict.value);
    if (Buffer.byteLength(json) > maximumObjectBytes) {
      const error = new ObjectTooLargeError(`object of ${json.length} bytes is larger than ${maximumObjectBytes}`);
      return { type: "answer", verdict: { type: "refused", error } };
    }
    const traits = deepFreeze(verdict.value);
    const value = traits.impure ? (parseValue(json, traits.exact) as Stored["value"]) : verdict.value;
    if (traits.impure) deepFreeze(value);
    const isLarge = json.length > this.#log.parts.settings.bodyBytes;
    if (isLarge && head.slot === this.#log.parts.birth) await this.#beforeFirstSlot();
    const body = isLarge ? await this.#log.chunks.write(this.#newId(), json, head.slot, traits.exact, proposal.key) : undefined;
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
    return {
      type: "write",
      value,
      deletes,
      body,
      json: body ? undefined : json,
      text: changeText(draft, body ?? json),
      // The former state may hold such numbers where the new one does not.
      exact: traits.exact || (undo !== undefined && deepFreeze(undo).exact),
      ring,
    };
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
      time: timeOf(this.#log.parts.hybridClock.tick()),
      author: proposal.author,
      plan: proposal.plan,
      id,
      body: decision.body,
      exact: decision.exact,
    });
    draft.overlay.set(proposal.key, decision.deletes ? undefined : object);
    draft.texts.push(decision.text);
    draft.bodies.push(decision.json);
    draft.size += decision.text.length;
    draft.exact ||= decision.exact;
    for (const consumer of decision.ring) draft.ring.add(consumer);
    draft.answers.push(() => resolve(decision.deletes ? { type: "deleted", object } : { type: "committed", object, previous: current }));
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

/** The slot that a draft has become. */
export const wonSlot = (draft: Draft, time: number, writer: string, packed: PackedChanges): Slot => ({
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
