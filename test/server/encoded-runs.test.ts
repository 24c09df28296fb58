import { array, assert, constantFrom, integer, nat, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { type ElementForm, EncodedRuns } from "../../shared/server/encoded-runs.ts";

interface Thing {
  readonly name: string;
  readonly bytes: number;
}

const aThing = (name: string, bytes = 1_000): Thing => Object.freeze({ name, bytes });
const textOf = ({ name, bytes }: Thing): string => `${name}${".".repeat(bytes)}`;

/** Encodes things as their name and so many dots, and counts how often. */
function counting() {
  const form = {
    name: "text",
    encoded: 0,
    body(thing: Thing): Uint8Array {
      form.encoded++;
      return Buffer.from(textOf(thing));
    },
  } satisfies ElementForm<Thing> & { encoded: number };
  return form;
}

const read = (runs: EncodedRuns, things: readonly Thing[], form: ElementForm<Thing>): string =>
  Buffer.concat([...runs.runs(things, form)]).toString();
const many = (count: number, bytes?: number) => Array.from({ length: count }, (_, index) => aThing(`thing-${index}`, bytes));

describe("encoded runs", () => {
  it("encode a list once, and then what changed in it", () => {
    const runs = new EncodedRuns(2 ** 26);
    const form = counting();
    const things = many(5_000);
    read(runs, things, form);
    form.encoded = 0;
    things[2_500] = aThing("changed");
    things.splice(1_000, 1);
    things.splice(20, 0, aThing("added"));
    expect(read(runs, things, form)).toBe(things.map(textOf).join(""));
    expect(form.encoded).toBe(2);
  });

  it("go out in few pieces, however often the list has changed", () => {
    const runs = new EncodedRuns(2 ** 26);
    const form = counting();
    const things = many(5_000);
    read(runs, things, form);
    let pieces = 0;
    for (let turn = 0; turn < 2_000; turn++) {
      things[(turn * 617) % things.length] = aThing(`changed-${turn}`);
      pieces = [...runs.runs(things, form)].length;
    }
    // 5 MB.
    expect(pieces).toBeLessThan(160);
    expect(runs.kept).toBeLessThan(20e6);
  });

  it("put together what was asked for one by one", () => {
    const runs = new EncodedRuns(2 ** 26);
    const form = counting();
    const things = many(1_000);
    for (const thing of things) read(runs, [thing], form);
    form.encoded = 0;
    expect([...runs.runs(things, form)].length).toBeLessThan(4);
    expect(form.encoded).toBe(0);
  });

  it("make leads again that have become others, and only those", () => {
    const runs = new EncodedRuns(2 ** 26);
    const bodies = counting();
    const ages = new Map<Thing, string>();
    const form = { ...bodies, lead: (thing: Thing) => `<${ages.get(thing) ?? "ä"}>` };
    const things = many(100);
    read(runs, things, form);
    bodies.encoded = 0;
    ages.set(things[50]!, "älter");
    expect(read(runs, things, form)).toBe(things.map((thing) => `<${ages.get(thing) ?? "ä"}>${textOf(thing)}`).join(""));
    expect(bodies.encoded).toBe(0);
  });

  it("know one object in several forms", () => {
    const runs = new EncodedRuns(2 ** 20);
    const things = many(3, 1);
    const other: ElementForm<Thing> = { name: "other", body: ({ name }) => Buffer.from(name.toUpperCase()) };
    read(runs, things, counting());
    expect(read(runs, things, other)).toBe("THING-0THING-1THING-2");
    expect(read(runs, things, counting())).toBe("thing-0.thing-1.thing-2.");
  });

  it("do not remember what somebody might still change", () => {
    const runs = new EncodedRuns(2 ** 20);
    const thing = { name: "before", bytes: 1 };
    expect(read(runs, [thing], counting())).toBe("before.");
    thing.name = "after";
    expect(read(runs, [thing], counting())).toBe("after.");
  });

  it("keep no more than their budget, and of a list beyond it as much as fits", () => {
    const budget = 2 ** 22;
    const runs = new EncodedRuns(budget);
    const form = counting();
    const things = many(8_000);
    for (let turn = 0; turn < 3; turn++) {
      form.encoded = 0;
      expect(read(runs, things, form)).toBe(things.map(textOf).join(""));
      expect(runs.kept).toBeLessThanOrEqual(budget);
    }
    expect(form.encoded).toBeLessThan(5_500);
  });

  it("give up what was not asked for since", () => {
    const runs = new EncodedRuns(2 ** 21);
    const form = counting();
    const [old, young] = [many(1_500), many(1_500)];
    read(runs, old, form);
    read(runs, young, form);
    form.encoded = 0;
    read(runs, young, form);
    expect(form.encoded).toBe(0);
    read(runs, old, form);
    expect(form.encoded).toBeGreaterThan(1_000);
  });

  it("survive an answer that is given up in the middle, and one that is made meanwhile", () => {
    const runs = new EncodedRuns(2 ** 22);
    const form = counting();
    const things = many(3_000);
    const text = things.map(textOf).join("");
    const [first] = runs.runs(things, form);
    expect(text.startsWith(Buffer.from(first!).toString())).toBe(true);
    const slow = runs.runs(things, form);
    const pieces = [slow.next().value!];
    expect(read(runs, things, form)).toBe(text);
    expect(read(runs, many(3_500, 1_100), form)).toHaveLength(3_500 * 1_100 + many(3_500, 0).map(textOf).join("").length);
    expect(Buffer.concat([...pieces, ...slow]).toString()).toBe(text);
  });

  it("are the elements in order, whatever was listed before", () => {
    const size = oneof({ weight: 8, arbitrary: nat(400) }, { weight: 1, arbitrary: integer({ min: 10_000, max: 300_000 }) });
    const change = record({
      at: nat(),
      type: constantFrom("put", "insert", "delete", "age"),
      size,
      step: integer({ min: 1, max: 7 }),
    });
    assert(
      property(array(size, { maxLength: 60 }), array(change, { maxLength: 40 }), (sizes, changes) => {
        const runs = new EncodedRuns(700_000);
        const ages = new Map<Thing, number>();
        const form: ElementForm<Thing> = {
          name: "text",
          lead: (thing) => `<${ages.get(thing) ?? 0}>`,
          body: (thing) => Buffer.from(textOf(thing)),
        };
        const things = sizes.map((bytes, index) => aThing(`${index}`, bytes));
        for (const [turn, { at, type, size: bytes, step }] of changes.entries()) {
          const index = at % (things.length + 1);
          if (type === "age") for (const thing of things.slice(index, index + step)) ages.set(thing, turn);
          else things.splice(index, type === "insert" ? 0 : 1, ...(type === "delete" ? [] : [aThing(`${turn}`, bytes)]));
          const listed = turn % 3 === 0 ? things.filter((_, position) => position % step === 0) : things;
          expect(read(runs, listed, form)).toBe(listed.map((thing) => `${form.lead?.(thing)}${textOf(thing)}`).join(""));
          expect(runs.kept).toBeLessThanOrEqual(700_000);
        }
      }),
    );
  });
});
