/**
 * Whether a history of overlapping operations can be put in an order that respects real time and that a sequential model allows: the
 * search of Wing and Gong with Lowe's memory of configurations, as in porcupine.
 * @see https://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/paper.pdf
 */

/** One object that knows no concurrency. States are values: equal ones have the same name. */
export interface Model<State, Step> {
  readonly initial: State;
  /** The state after an operation with the answer it got; undefined when the model would not have given that answer. */
  step(state: State, step: Step): State | undefined;
  name(state: State): string;
}

export interface TimedStep<Step> {
  readonly step: Step;
  readonly call: number;
  /** Infinity: it may take effect at any time after the call, or never. */
  readonly return: number;
}

export type Linearized<State, Step> =
  | { readonly linearizable: true }
  /** `stuck` could not be put anywhere in the longest order that was found; `state` was there then. */
  | { readonly linearizable: false; readonly stuck: TimedStep<Step>; readonly state: State; readonly before: readonly TimedStep<Step>[] };

/** A call or a return, in a list from which operations are taken as they find their place. */
interface Entry<Step> {
  readonly operation: TimedStep<Step>;
  /** Place among the calls. */
  readonly index: number;
  /** The return that belongs to a call; undefined in a return, and in a call that never returns. */
  readonly end: Entry<Step> | undefined;
  readonly isCall: boolean;
  previous: Entry<Step> | undefined;
  next: Entry<Step> | undefined;
}

interface Placed<State, Step> {
  readonly entry: Entry<Step>;
  /** The state that it found. */
  readonly before: State;
  /** Highest index among it and those placed before it. */
  readonly highest: number;
}

export function linearize<State, Step>(model: Model<State, Step>, operations: readonly TimedStep<Step>[]): Linearized<State, Step> {
  const head = linked(operations);
  const seen = new Set<string>();
  const placed: Placed<State, Step>[] = [];
  let state = model.initial;
  let longest: { readonly stuck: TimedStep<Step>; readonly state: State; readonly before: readonly TimedStep<Step>[] } | undefined;
  let entry = head.next;
  while (entry) {
    if (entry.isCall) {
      const next = model.step(state, entry.operation.step);
      const highest = Math.max(entry.index, placed.at(-1)?.highest ?? 0);
      const place: string | undefined = next === undefined ? undefined : `${passedOver(head, entry, highest)}|${model.name(next)}`;
      if (next === undefined || place === undefined || seen.has(place)) {
        entry = entry.next;
        continue;
      }
      seen.add(place);
      placed.push({ entry, before: state, highest });
      state = next;
      lift(entry);
      entry = head.next;
      continue;
    }
    // The operation ended here at the latest, and has no place yet: whatever was placed last was wrong.
    if (!longest || placed.length > longest.before.length) {
      longest = { stuck: entry.operation, state, before: placed.slice(-5).map((each) => each.entry.operation) };
    }
    const last = placed.pop();
    if (!last) return { linearizable: false, ...longest };
    state = last.before;
    unlift(last.entry);
    entry = last.entry.next;
  }
  return { linearizable: true };
}

/** Calls and returns in order of time. At the same moment calls come first: who overlaps in a point overlaps. */
function linked<Step>(operations: readonly TimedStep<Step>[]): Entry<Step> {
  const calls = operations.toSorted((one, other) => one.call - other.call);
  const entries: (Entry<Step> & { readonly at: number })[] = calls.flatMap((operation, index) => {
    const base = { operation, index, previous: undefined, next: undefined };
    const end = operation.return === Infinity ? undefined : { ...base, end: undefined, isCall: false, at: operation.return };
    return [{ ...base, end, isCall: true, at: operation.call }, ...(end ? [end] : [])];
  });
  entries.sort((one, other) => one.at - other.at || Number(other.isCall) - Number(one.isCall) || one.index - other.index);
  const head = {
    operation: undefined as never,
    index: -1,
    end: undefined,
    isCall: false,
    previous: undefined,
    next: undefined,
  } as Entry<Step>;
  let last = head;
  for (const entry of entries) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

/**
 * Names the set of operations that have their place once this one has: all up to the highest, apart from those that are passed over.
 * Short, because few overlap.
 */
function passedOver<Step>(head: Entry<Step>, placing: Entry<Step>, highest: number): string {
  const open: number[] = [];
  for (let entry = head.next; entry && entry.index < highest; entry = entry.next) {
    if (entry.isCall && entry !== placing) open.push(entry.index);
  }
  return `${highest}:${open.join(",")}`;
}

function lift<Step>(call: Entry<Step>): void {
  for (const entry of [call, call.end]) {
    if (!entry) continue;
    entry.previous!.next = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
  }
}

function unlift<Step>(call: Entry<Step>): void {
  for (const entry of [call.end, call]) {
    if (!entry) continue;
    entry.previous!.next = entry;
    if (entry.next) entry.next.previous = entry;
  }
}
