import { describe, expect, it } from "vitest";
import type { RawJson } from "../../../shared/api/json.ts";
import { columnsOf, created, defaulted, kindOf, updated } from "../../support/kind-pipeline.ts";
import { readVectors, vectorFiles } from "../../support/kind-vectors.ts";

/** Fields of 64 bits in the specs of built-in kinds, beside what is not the client's to set. */
const wideFields = new Set([
  "activeDeadlineSeconds",
  "expirationSeconds",
  "fsGroup",
  "nodeAllocatableUpdatePeriodSeconds",
  "runAsGroup",
  "runAsUser",
  "startingDeadlineSeconds",
  "supplementalGroups",
  "terminationGracePeriodSeconds",
  "tolerationSeconds",
]);

/** What the codec makes of a number that JavaScript's cannot hold. */
const widened = (value: unknown, wide: RawJson): unknown => {
  if (Array.isArray(value)) return value.map((item) => widened(item, wide));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
    if (!wideFields.has(name)) return [name, widened(field, wide)];
    return [name, Array.isArray(field) ? field.map(() => wide) : wide];
  });
  return Object.fromEntries(fields);
};

describe("a number of 64 bits", () => {
  it.each(vectorFiles())("is checked and printed like a smaller one: %s", (file) => {
    const failures = new Set<string>();
    for (const { object, op } of readVectors(file)) {
      if (op !== "create") continue;
      for (const digits of ["9223372036854775807", "-9223372036854775808"]) {
        try {
          const wide = widened(object, JSON.rawJSON(digits)) as typeof object;
          created(wide);
          updated(defaulted(object), defaulted(wide));
          updated(defaulted(wide), defaulted(object));
          for (const column of columnsOf(kindOf(wide))) column.value(defaulted(wide), new Date());
        } catch (error) {
          if (error instanceof TypeError) failures.add(error.stack?.split("\n").slice(0, 3).join(" ") ?? "");
        }
      }
    }
    expect([...failures]).toEqual([]);
  });
});
