import { describe, expect, it } from "vitest";
import { hasStatus } from "../../../shared/api/kind.ts";
import { columnsOf, created, defaulted, kindOf, updated } from "../../support/kind-pipeline.ts";
import { readVectors, vectorFiles } from "../../support/kind-vectors.ts";

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}

/** Kubernetes' cases again, this time to see that nobody is changed who only is looked at. */
const vectors = vectorFiles().flatMap(readVectors);

describe("behaviours", () => {
  it("change nothing when they check, describe or print", () => {
    for (const { op, object: input, old } of vectors) {
      const { behaviour } = kindOf(input);
      const object = freeze(op === "create" ? created(input).object : defaulted(input));
      const previous = freeze(defaulted(old ?? input));
      behaviour.validate?.(object);
      behaviour.validateCreate?.(object);
      behaviour.validateUpdate?.(object, previous);
      behaviour.validateStatusUpdate?.(object, previous);
      behaviour.warnings?.(object, previous);
      behaviour.generationFields?.(object);
      for (const select of Object.values(behaviour.selectableFields ?? {})) select(object);
      for (const column of columnsOf(kindOf(input))) column.value(object, new Date());
      behaviour.scale?.withReplicas(object, 3);
    }
    expect(vectors.length).toBeGreaterThan(500);
  });

  it("leave the object before an update as it was", () => {
    for (const { op, object, old } of vectors) {
      if (op === "create" || op === "table" || !old) continue;
      const kind = kindOf(object);
      const next = defaulted(object);
      const previous = freeze(defaulted(old));
      if (op === "update") kind.behaviour.prepareForUpdate?.(next, previous);
      else if (hasStatus(kind)) kind.behaviour.prepareForStatusUpdate?.(next, previous, new Date(0));
      // Nothing is shared: what happens to the new object does not reach the old one.
      expect(sharedParts(next, previous)).toEqual([]);
    }
  });

  it("set defaults once", () => {
    for (const { object } of vectors) {
      const once = defaulted(object);
      const text = JSON.stringify(once);
      kindOf(object).behaviour.defaults?.(once);
      expect(JSON.stringify(once)).toBe(text);
    }
  });

  it("accept what they have prepared, unchanged", () => {
    for (const { op, object, expected } of vectors) {
      if (op !== "create" || expected.problems) continue;
      const first = created(object).object;
      const stored = { ...first, metadata: { ...first.metadata, resourceVersion: "1" } };
      const { problems } = updated(structuredClone(stored), structuredClone(stored));
      expect(problems, JSON.stringify(object)).toEqual([]);
    }
  });
});

/** Paths of objects that stand in both. */
function sharedParts(next: unknown, previous: unknown): string[] {
  const known = new Set<object>();
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    known.add(value);
    for (const part of Object.values(value)) collect(part);
  };
  collect(previous);
  const find = (value: unknown, path: string): string[] => {
    if (typeof value !== "object" || value === null) return [];
    if (known.has(value)) return [path];
    return Object.entries(value).flatMap(([key, part]) => find(part, `${path}.${key}`));
  };
  return find(next, "");
}
