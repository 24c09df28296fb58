import { describe, expect, it } from "vitest";
import { LogCache } from "../../shared/store/cache.ts";
import { Head, type LoggedChange, revisionAt, type Slot } from "../../shared/store/slot.ts";

const date = new Date(0);
const birth = 100;

/** A slot of changes, as `put a` or `delete a`. */
function slot(number: number, ...steps: string[]): Slot {
  const changes = steps.map((step, index): LoggedChange => {
    const [type, key] = step.split(" ") as ["put" | "delete", string];
    const object = { key, revision: revisionAt(number, index + 1), value: { step } };
    return {
      type,
      object,
      previous: undefined,
      time: date,
      author: { user: "a" },
      plan: undefined,
      id: `${number}-${index}`,
      body: undefined,
      exact: false,
    };
  });
  return { type: "slot", number, time: number, count: steps.length, writer: "w", changes, size: 10, bytes: 10, overflow: undefined };
}

const aCache = (slots = 4) => new LogCache(Head.ofBirth(birth, date), { slots, bytes: 1_000 });
const apply = (cache: LogCache, each: Slot) => cache.apply(each, Head.ofSlot(each, date));
const stored = (key: string, revision: number) => ({ key, revision, value: {} });

describe("a log's cache", () => {
  it("takes the next slot only", () => {
    const cache = aCache();
    expect(apply(cache, slot(102, "put a"))).toBe(false);
    expect(apply(cache, slot(101, "put a"))).toBe(true);
    expect(apply(cache, slot(101, "put b"))).toBe(false);
    expect(cache.head.revision).toBe(101_001);
    expect(cache.known("b")).toBeUndefined();
  });

  it("knows what it was told, and no more until all is known", () => {
    const cache = aCache();
    apply(cache, slot(101, "put a", "put b", "delete b"));
    cache.learn("c", stored("c", 50_001));
    cache.learn("d", { gone: 0 });
    expect(cache.known("a")).toMatchObject({ object: { revision: 101_001 } });
    expect(cache.known("b")).toEqual({ gone: 101_003 });
    expect(cache.known("c")).toMatchObject({ object: { revision: 50_001 } });
    expect(cache.known("d")).toEqual({ gone: 0 });
    expect(cache.known("e")).toBeUndefined();
    cache.completed();
    expect(cache.known("e")).toEqual({ gone: 0 });
    expect(cache.keys).toEqual(["a", "c"]);
  });

  it("believes the newer of log and view, whichever comes first", () => {
    const cache = aCache();
    cache.learn("a", stored("a", 102_001));
    apply(cache, slot(101, "put a"));
    expect(cache.object("a")?.revision).toBe(102_001);
    apply(cache, slot(102, "put a"));
    apply(cache, slot(103, "delete a"));
    cache.learn("a", stored("a", 102_001));
    expect(cache.known("a")).toEqual({ gone: 103_001 });
  });

  it("ignores answers of the view that come after all is known: they may be older than a deletion", () => {
    const cache = aCache();
    cache.learn("a", stored("a", 50_001));
    cache.completed();
    apply(cache, slot(101, "delete a"));
    cache.learn("a", stored("a", 50_001));
    expect(cache.known("a")).toEqual({ gone: 0 });
    expect(cache.keys).toEqual([]);
  });

  it("keeps its keys in order while objects come and go", () => {
    const cache = aCache();
    cache.completed();
    apply(cache, slot(101, "put b", "put a/x", "put a-b/x"));
    apply(cache, slot(102, "delete b", "put a", "put c"));
    expect(cache.keys).toEqual(["a", "a-b/x", "a/x", "c"]);
  });

  it("keeps the newest slots, and says when it has too few", () => {
    const cache = aCache(4);
    for (let number = 101; number <= 110; number++) apply(cache, slot(number, "put a", "put b"));
    expect(cache.slotsAfter(109)?.map((each) => each.number)).toEqual([110]);
    expect(cache.slotsAfter(110)).toEqual([]);
    expect(cache.slotsAfter(101)).toBeUndefined();
    const first = cache.windowStart + 1;
    expect(cache.slotsSince(revisionAt(first, 1))?.[0]?.number).toBe(first);
    expect(cache.slotsSince(revisionAt(first - 1, 2))?.[0]?.number).toBe(first);
    expect(cache.slotsSince(revisionAt(first - 1, 1))).toBeUndefined();
  });
});
