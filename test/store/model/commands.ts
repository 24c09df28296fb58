/** What is done to a store and to its model, and compared. */
import * as fc from "fast-check";
import { expect } from "vitest";
import { configMaps } from "../../../shared/api/kinds.ts";
import { watchObjects } from "../../../shared/registry/watch.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Outcome, Proposal, ResourceStore } from "../../../shared/store/store.ts";
import { plainKinds } from "../../support/plain-kinds.ts";
import { author, take } from "../../support/stores.ts";
import type { Decision, Model, State, Value, Version, Wish } from "./model.ts";

/** The store under test, as several processes. */
export interface Real {
  readonly clock: Clock;
  readonly processes: ResourceStore[];
  restart(index: number): Promise<void>;
  /** Lets some time pass, in which processes forget whom they compete with. */
  idle(): Promise<void>;
  upkeep(): Promise<void>;
  /** Takes everything away that can be, and makes sure that every process notices. */
  compact(): Promise<void>;
  /** Makes calls to the table fail, or stops doing so. */
  trouble(on: boolean): void;
}

type Command = fc.AsyncCommand<Model, Real>;

const keys = ["a", "a-b/x", "a/x", "a/y", "a.b/x", "ä/😀", "b"];

// ---- writes

interface Intent {
  readonly type: "create" | "update" | "delete" | "put" | "ensure" | "modify";
  readonly key: string;
  /** For updates: this many versions of the object ago. */
  readonly age: number;
  readonly color: "red" | "blue";
  readonly size: number;
}

const intent: fc.Arbitrary<Intent> = fc.record({
  type: fc.constantFrom("create", "update", "delete", "put", "ensure", "modify"),
  key: fc.constantFrom(...keys),
  age: fc.nat({ max: 2 }),
  color: fc.constantFrom("red", "blue"),
  size: fc.oneof({ arbitrary: fc.nat({ max: 200 }), weight: 9 }, { arbitrary: fc.integer({ min: 2_000, max: 120_000 }), weight: 1 }),
});

let serial = 0;

function wishOf({ type, key, age, color, size }: Intent, model: Model): Wish {
  const metadata = { name: key, labels: { color } };
  const value: Value = { metadata, serial: ++serial, text: textOf(size, serial) };
  const own = model.versions.filter(({ state }) => state.key === key);
  const known = own.at(-1 - age)?.state.revision ?? model.start + 1;
  const refused = (reason: string): Decision => ({ type: "refused", reason });
  const decide = (current: State | undefined): Decision => {
    if (type === "put") return { type: "put", value };
    if (type === "create") return current ? refused("AlreadyExists") : { type: "put", value };
    if (!current) return refused("NotFound");
    if (type === "update") return current.revision === known ? { type: "put", value } : refused("Conflict");
    if (type === "delete") return { type: "delete" };
    if (type === "modify") return { type: "put", value: { ...current.value, over: current.revision, serial: value.serial } };
    return (current.value.metadata as typeof metadata).labels.color === color ? { type: "unchanged" } : { type: "put", value };
  };
  return { key, decide };
}

/** Text that does not compress to nothing. */
const textOf = (size: number, seed: number): string => {
  let text = "";
  for (let state = seed + 1; text.length < size; state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) text += state.toString(36);
  return text.slice(0, size);
};

function proposalOf({ key, decide }: Wish): Proposal {
  return {
    key,
    author,
    judge(current) {
      const decision = decide(current);
      if (decision.type === "refused") return { type: "refused", error: new Error(decision.reason) };
      if (decision.type === "delete") return { type: "delete", value: current!.value };
      return decision;
    },
  };
}

const isWritten = (outcome: Outcome): outcome is Extract<Outcome, { type: "committed" | "deleted" }> =>
  outcome.type === "committed" || outcome.type === "deleted";

function expectAnswer(wish: Wish, outcome: Outcome, current: State | undefined): void {
  const decision = wish.decide(current);
  if (outcome.type === "refused") expect(decision).toEqual({ type: "refused", reason: outcome.error.message });
  else expect([decision.type, outcome.object]).toEqual(["unchanged", current]);
}

function write(process: number, wanted: Intent): Command {
  return {
    check: () => true,
    async run(model, { processes }) {
      const wish = wishOf(wanted, model);
      const before = model.current(wish.key);
      const outcome = await processes[process]!.commit(proposalOf(wish));
      if (!isWritten(outcome)) return expectAnswer(wish, outcome, before);
      expect(outcome.object.revision).toBeGreaterThan(model.newest);
      const { state, previous } = model.apply(wish, outcome.object.revision);
      expect(outcome.object).toEqual(state);
      if (outcome.type === "committed") expect(outcome.previous).toEqual(previous);
    },
    toString: () => `process ${process}: ${JSON.stringify(wanted)}`,
  };
}

/** Writes at the same time: they must have happened one after the other, in the order of their revisions. */
function together(wanted: readonly (readonly [process: number, wanted: Intent])[]): Command {
  return {
    check: () => true,
    async run(model, { processes }) {
      const wishes = wanted.map(([, each]) => wishOf(each, model));
      const begin = model.newest;
      const outcomes = await Promise.all(wishes.map((wish, index) => processes[wanted[index]![0]]!.commit(proposalOf(wish))));
      const written = outcomes
        .flatMap((outcome, index) => (isWritten(outcome) ? [{ object: outcome.object, wish: wishes[index]! }] : []))
        .sort((one, other) => one.object.revision - other.object.revision);
      for (const { object, wish } of written) {
        expect(object.revision).toBeGreaterThan(model.newest);
        expect(object).toEqual(model.apply(wish, object.revision).state);
      }
      // Who was not written was answered for some state in between.
      for (const [index, outcome] of outcomes.entries()) {
        if (isWritten(outcome)) continue;
        const wish = wishes[index]!;
        const moments = model.revisions.filter((revision) => revision >= begin).map((revision) => model.current(wish.key, revision));
        const right = moments.some((current) => {
          const decision = wish.decide(current);
          if (outcome.type === "refused") return decision.type === "refused" && decision.reason === outcome.error.message;
          return decision.type === "unchanged" && current?.revision === outcome.object.revision;
        });
        expect(right, `${wish.key}: ${outcome.type}`).toBe(true);
      }
    },
    toString: () => `together: ${JSON.stringify(wanted)}`,
  };
}

// ---- reads

/** A revision, as a share of the history: 0 is the oldest, 1 the newest. */
const pick = (model: Model, share: number): number => {
  const { revisions } = model;
  return revisions[Math.min(revisions.length - 1, Math.floor(share * revisions.length))]!;
};

/** Answers for revisions that may be gone are right, or none. */
async function unlessCompacted<T>(model: Model, revision: number, read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    expect([(error as Error).name, revision < model.oldest]).toEqual(["CompactedError", true]);
    return undefined;
  }
}

function get(process: number, key: string, share: number | undefined): Command {
  return {
    check: () => true,
    async run(model, { processes }) {
      if (share === undefined) {
        expect(await processes[process]!.get(key)).toEqual({ object: model.current(key), revision: model.newest });
        return;
      }
      const revision = pick(model, share);
      const answer = await unlessCompacted(model, revision, processes[process]!.get(key, { exactly: revision }));
      if (answer) expect(answer).toEqual({ object: model.current(key, revision), revision });
    },
    toString: () => `process ${process}: get ${key} ${share === undefined ? "now" : `at ${share}`}`,
  };
}

type Mode = "newest" | "cached" | "notOlderThan" | "exactly";

function list(process: number, prefix: string, mode: Mode, share: number): Command {
  return {
    check: () => true,
    async run(model, { processes }) {
      const store = processes[process]!;
      const revision = pick(model, share);
      const at = mode === "exactly" ? { exactly: revision } : mode === "notOlderThan" ? { notOlderThan: revision } : mode;
      const answer = await unlessCompacted(model, mode === "exactly" ? revision : model.newest, store.list({ prefix, at }));
      if (!answer) return;
      expect(answer).toEqual({ items: model.list(prefix, answer.revision), revision: answer.revision, remaining: 0 });
      if (mode === "newest") expect(answer.revision).toBe(model.newest);
      if (mode === "exactly") expect(answer.revision).toBe(revision);
      if (mode === "notOlderThan") expect(answer.revision).toBeGreaterThanOrEqual(revision);
      expect(model.revisions).toContain(answer.revision);
    },
    toString: () => `process ${process}: list ${prefix} ${mode} ${share}`,
  };
}

/** A list in pages by several processes in turn, with a write between any two pages. */
function pages(prefix: string, limit: number, between: readonly Intent[]): Command {
  return {
    check: () => true,
    async run(model, real) {
      const first = await real.processes[0]!.list({ prefix, limit, at: "newest" });
      const expected = model.list(prefix, model.newest);
      const items = [...first.items];
      let { remaining } = first;
      for (let page = 1; remaining > 0; page++) {
        expect(remaining).toBe(expected.length - items.length);
        await write(page % 2, between[page % between.length]!).run(model, real);
        const process = real.processes[page % real.processes.length]!;
        const next = await process.list({ prefix, limit, after: items.at(-1)!.key, at: { exactly: first.revision } });
        expect(next.revision).toBe(first.revision);
        expect(next.items.length).toBe(Math.min(limit, remaining));
        items.push(...next.items);
        ({ remaining } = next);
      }
      expect(items).toEqual(expected);
    },
    toString: () => `pages of ${limit} of ${prefix}, and between them ${JSON.stringify(between)}`,
  };
}

function watch(process: number, prefix: string, share: number): Command {
  return {
    check: () => true,
    async run(model, { processes }) {
      const after = pick(model, share);
      const expected = model.after(after, prefix);
      const watching = take(
        processes[process]!.watch({ prefix, after, signal: new AbortController().signal }),
        Math.max(1, expected.length),
      );
      if (after >= model.oldest && expected.length === 0) {
        watching.catch(() => {});
        return;
      }
      const items = await unlessCompacted(model, after, watching);
      if (!items) return;
      const seen = items.flatMap((item) => (item.type === "change" ? [versionOf(item.change)] : []));
      expect(seen).toEqual(expected);
    },
    toString: () => `process ${process}: watch ${prefix} from ${share}`,
  };
}

/** A watch from a revision that is some slots ahead: it hears of what comes after that, and of nothing before. */
function watchFuture(process: number, slots: number, meanwhile: readonly Intent[]): Command {
  return {
    check: () => true,
    async run(model, real) {
      const after = model.newest + slots * 1_000;
      const stop = new AbortController();
      const seen: Version[] = [];
      const watching = (async () => {
        for await (const item of real.processes[process]!.watch({ prefix: "", after, signal: stop.signal })) {
          if (item.type === "change") seen.push(versionOf(item.change));
        }
      })();
      for (const each of meanwhile) await write((process + 1) % real.processes.length, each).run(model, real);
      await real.clock.sleep(60);
      stop.abort();
      await watching;
      // What it has heard of by now is where such a watch begins; how far it has come is not ours to say.
      expect(seen).toEqual(model.after(after).slice(0, seen.length));
    },
    toString: () => `process ${process}: watch from ${slots} slots ahead, and meanwhile ${JSON.stringify(meanwhile)}`,
  };
}

const versionOf = ({ type, object, previous }: { type: string; object: unknown; previous: unknown }) =>
  ({ type, state: object, previous }) as Version;

const kind = { ...plainKinds().find(({ kind: name }) => name === configMaps.kind)!, namespaced: false };

/** A watch of the objects of one colour, as clients of the API see it. */
function watchColor(process: number, color: "red" | "blue", share: number): Command {
  return {
    check: () => true,
    async run(model, { processes, clock }) {
      const after = pick(model, share);
      const expected = model.after(after).flatMap((version) => seenBy(color, version) ?? []);
      if (after < model.oldest || after === model.start || expected.length === 0) return;
      const parameters = {
        namespace: "",
        labelSelector: `color=${color}`,
        fieldSelector: "",
        resourceVersion: String(after),
        allowWatchBookmarks: false,
      };
      const stop = new AbortController();
      const events = await watchObjects(processes[process]!, kind, parameters, { clock, signal: stop.signal });
      const seen: (readonly [type: string, revision: string, serial: unknown])[] = [];
      for await (const event of events) {
        if (event.type === "BOOKMARK" || event.type === "ERROR") throw new Error(event.type);
        seen.push([event.type, event.object.metadata.resourceVersion, (event.object as Value).serial]);
        if (seen.length === expected.length) break;
      }
      stop.abort();
      expect(seen).toEqual(expected);
    },
    toString: () => `process ${process}: watch ${color} from ${share}`,
  };
}

const isColored = (color: string, state: State | undefined): state is State =>
  (state?.value.metadata as { labels: { color: string } } | undefined)?.labels.color === color;

function seenBy(color: string, { type, state, previous }: Version): (readonly [string, string, unknown])[] {
  const before = isColored(color, previous);
  const event = (name: string, of: State) => [[name, String(state.revision), of.value.serial] as const];
  if (type === "put" && isColored(color, state)) return event(before ? "MODIFIED" : "ADDED", state);
  return before ? event("DELETED", type === "delete" ? state : previous) : [];
}

/** Everything that every process can still tell of every revision. */
function everything(process: number): Command {
  return {
    check: () => true,
    async run(model, real) {
      const count = model.revisions.length;
      for (let index = 0; index < count; index++) {
        const share = (index + 0.5) / count;
        await list(process, "", "exactly", share).run(model, real);
        await watch(process, "", share).run(model, real);
      }
    },
    toString: () => `process ${process}: everything`,
  };
}

// ---- what happens to the store

const act = (name: string, run: (real: Real, model: Model) => Promise<void> | void): Command => ({
  check: () => true,
  run: async (model, real) => run(real, model),
  toString: () => name,
});

const process = fc.nat({ max: 2 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const prefix = fc.constantFrom("", "a", "a/", "b", "zzz");

export const commands = (maxCommands: number): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    [
      fc.tuple(process, intent).map((each) => write(...each)),
      fc.tuple(process, intent).map((each) => write(...each)),
      fc.tuple(process, intent).map((each) => write(...each)),
      fc.array(fc.tuple(process, intent), { minLength: 2, maxLength: 8 }).map(together),
      fc.array(fc.tuple(process, intent), { minLength: 2, maxLength: 8 }).map(together),
      fc.tuple(process, fc.constantFrom(...keys), fc.option(share, { nil: undefined })).map((each) => get(...each)),
      fc.tuple(process, prefix, fc.constantFrom<Mode>("newest", "cached", "notOlderThan", "exactly"), share).map((each) => list(...each)),
      fc.tuple(prefix, fc.integer({ min: 1, max: 3 }), fc.array(intent, { minLength: 1, maxLength: 3 })).map((each) => pages(...each)),
      fc.tuple(process, prefix, share).map((each) => watch(...each)),
      fc.tuple(process, fc.constantFrom("red" as const, "blue" as const), share).map((each) => watchColor(...each)),
      fc
        .tuple(process, fc.integer({ min: 1, max: 3 }), fc.array(intent, { minLength: 1, maxLength: 6 }))
        .map((each) => watchFuture(...each)),
      process.map((index) => everything(index)),
      process.map((index) => act(`process ${index} starts anew`, (real) => real.restart(index))),
      fc.constant(act("a while passes", (real) => real.idle())),
      fc.constant(act("upkeep", (real) => real.upkeep())),
      fc.constant(
        act("compaction", async (real, model) => {
          await real.compact();
          model.compacted();
        }),
      ),
      fc.boolean().map((on) => act(on ? "trouble begins" : "trouble ends", (real) => real.trouble(on))),
    ],
    { maxCommands, size: "max" },
  );
