import { describe, expect, it } from "vitest";
import { KnownObjects } from "../../../bench/robustness/known-objects.ts";
import { randomFor, weighted } from "../../../bench/robustness/random.ts";
import { averageObjects, keys, nextBatch, nextBody, nextRead, nextWrite, type Profile } from "../../../bench/robustness/traffic.ts";

const known = (count: number) => keys.slice(0, count).map((key, index) => ({ key, revision: 1_000 * (index + 1) }));
const shares = (draws: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...Map.groupBy(draws, (each) => each)].map(([name, own]) => [name, own.length / draws.length]));
const writes = (profile: Profile, count: number, objects: number) => {
  const random = randomFor(1, "writer");
  return Array.from({ length: count }, () => nextWrite(random, profile, known(objects)));
};

describe("traffic", () => {
  it("follows from its seed", () => {
    const draw = (seed: number) => {
      const random = randomFor(seed, "writer");
      return Array.from({ length: 100 }, () => [nextWrite(random, "updates", known(10)), nextRead(random), nextBody(random)]);
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("mixes writes as Kubernetes does", () => {
    const mix = (profile: Profile) => shares(writes(profile, 5_000, averageObjects).map(({ type }) => type));
    const updates = mix("updates");
    expect(updates.update).toBeCloseTo(0.9, 1);
    expect(updates.create).toBeCloseTo(0.05, 1);
    expect(updates.delete).toBeCloseTo(0.05, 1);
    const churn = mix("churn");
    expect(churn.create).toBeCloseTo(0.6, 1);
    expect(churn.delete).toBeCloseTo(0.4, 1);
    expect(churn.update).toBeUndefined();
  });

  it("mixes reads as Kubernetes does", () => {
    const random = randomFor(1, "reader");
    const reads = shares(Array.from({ length: 10_000 }, () => nextRead(random)));
    expect(reads.listAndWatch).toBeCloseTo(0.8, 1);
    expect(Object.keys(reads)).toHaveLength(5);
  });

  it("goes towards the average number of objects", () => {
    expect(new Set(writes("churn", 200, 4).map(({ type }) => type))).toEqual(new Set(["create"]));
    expect(new Set(writes("updates", 200, 16).map(({ type }) => type))).toEqual(new Set(["delete"]));
  });

  it("writes on the revision that it knows, but for a few that take any", () => {
    const changes = writes("updates", 2_000, averageObjects).filter(({ type }) => type !== "create");
    for (const { key, expected } of changes) {
      if (expected !== undefined) expect(known(averageObjects)).toContainEqual({ key, revision: expected });
    }
    expect(changes.filter(({ expected }) => expected === undefined).length / changes.length).toBeCloseTo(0.1, 1);
  });

  it("creates under names that are free, but for a few", () => {
    const taken = new Set(known(averageObjects).map(({ key }) => key));
    const creations = writes("churn", 2_000, averageObjects).filter(({ type }) => type === "create");
    const collisions = creations.filter(({ key }) => taken.has(key));
    expect(collisions.length).toBeGreaterThan(0);
    expect(collisions.length / creations.length).toBeLessThan(0.1);
  });

  it("has batches, and bodies of every size", () => {
    const random = randomFor(1, "writer");
    const batches = Array.from({ length: 100 }, () => nextBatch(random, "updates", known(10)).length);
    expect(Math.min(...batches)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...batches)).toBeLessThanOrEqual(15);
    const sizes = Array.from({ length: 2_000 }, () => JSON.stringify(nextBody(random)).length);
    expect(Math.min(...sizes)).toBeLessThan(300);
    expect(Math.max(...sizes)).toBeGreaterThan(400_000);
    expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  });

  it("draws by weight, and never what has none", () => {
    const random = randomFor(1, "weights");
    const draws = Array.from({ length: 1_000 }, () => weighted(random, { a: 1, b: 3, c: 0 }));
    expect(shares(draws).b).toBeCloseTo(0.75, 1);
    expect(draws).not.toContain("c");
  });
});

describe("what a process knows", () => {
  const object = (key: string, revision: number) => ({ key, revision, value: {} });

  it("follows lists and watches", () => {
    const objects = new KnownObjects();
    expect(objects.listed).toBe(false);
    objects.replace([object("a", 1), object("b", 2)]);
    objects.apply({ type: "put", object: object("a", 3) });
    objects.apply({ type: "delete", object: object("b", 4) });
    objects.apply({ type: "put", object: object("c", 5) });
    expect(objects.all).toEqual([
      { key: "a", revision: 3 },
      { key: "c", revision: 5 },
    ]);
  });

  it("does not go back", () => {
    const objects = new KnownObjects();
    objects.replace([object("a", 5)]);
    objects.apply({ type: "put", object: object("a", 3) });
    expect(objects.all).toEqual([{ key: "a", revision: 5 }]);
  });
});
