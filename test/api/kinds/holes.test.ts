import { describe, expect, it } from "vitest";
import { columnsOf, created, defaulted, kindOf, updated } from "../../support/kind-pipeline.ts";
import { readVectors, vectorFiles } from "../../support/kind-vectors.ts";

type Path = readonly (string | number)[];

/** Every place below spec, status and the like that something could be missing from. */
function* places(value: unknown, path: Path = []): Generator<Path> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (path.length === 0 && ["apiVersion", "kind", "metadata"].includes(name)) continue;
    const at = [...path, Array.isArray(value) ? Number(name) : name];
    yield at;
    yield* places(part, at);
  }
}

function without(object: object, path: Path): Record<string, unknown> {
  const copy = structuredClone(object) as Record<string | number, unknown>;
  const parent = path.slice(0, -1).reduce((at, name) => at[name] as Record<string | number, unknown>, copy);
  const last = path.at(-1) as string | number;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy;
}

describe("an object that lacks something", () => {
  it.each(vectorFiles())("is checked, described and printed like any other: %s", (file) => {
    const failures: string[] = [];
    const tried = new Set<string>();
    for (const { object, op } of readVectors(file)) {
      if (op !== "create") continue;
      for (const path of places(object)) {
        // One item of a list stands for the others.
        const place = path.map((name) => (typeof name === "number" ? "*" : name)).join(".");
        if (tried.has(place)) continue;
        tried.add(place);
        try {
          const poor = without(object, path);
          created(poor);
          updated(defaulted(object), defaulted(poor));
          updated(defaulted(poor), defaulted(object));
          for (const column of columnsOf(kindOf(poor))) column.value(defaulted(poor), new Date());
        } catch (error) {
          if (error instanceof TypeError) failures.push(`${path.join(".")}: ${error.stack?.split("\n").slice(0, 2).join(" ")}`);
        }
      }
    }
    expect(failures).toEqual([]);
  });
});
