import { describe, expect, it } from "vitest";
import { columnsOf, created, kindOf, type Prepared, row, statusUpdated, updated } from "../../support/kind-pipeline.ts";
import { problemTexts, readVectors, type Vector, vectorFiles } from "../../support/kind-vectors.ts";

/** When the vectors were made. Their objects are so old that their ages are told in years. */
const now = new Date("2026-11-20T12:00:00Z");

const run = ({ op, object, old }: Vector): Prepared => {
  if (op === "create") return created(object);
  return op === "update" ? updated(object, old ?? {}) : statusUpdated(object, old ?? {});
};

/** Generation and resourceVersion are the registry's business. */
const withoutRegistryFields = (object: unknown): unknown => {
  const copy = JSON.parse(JSON.stringify(object));
  delete copy.metadata.generation;
  delete copy.metadata.resourceVersion;
  if (copy.metadata.labels && Object.keys(copy.metadata.labels).length === 0) delete copy.metadata.labels;
  return copy;
};

describe.each(vectorFiles())("%s, as Kubernetes 1.36 treats them", (file) => {
  const vectors = readVectors(file);

  it.each(vectors.filter(({ op }) => op !== "table"))("$op: $name", (vector) => {
    const actual = run(vector);
    expect(problemTexts(actual.problems)).toEqual(problemTexts(vector.expected.problems));
    expect(actual.warnings.toSorted()).toEqual((vector.expected.warnings ?? []).toSorted());
    if (vector.expected.object) expect(withoutRegistryFields(actual.object)).toEqual(withoutRegistryFields(vector.expected.object));
  });

  it.each(vectors.filter(({ op }) => op === "table"))("columns: $name", ({ object, expected }) => {
    expect(columnsOf(kindOf(object)).map(({ name, type, priority = 0 }) => [name, type, priority])).toEqual(expected.columns);
    expect(row(object, now)).toEqual(expected.cells);
  });
});
