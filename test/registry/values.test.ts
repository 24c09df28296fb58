import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import { same } from "../../shared/registry/values.ts";

describe("two JSON values", () => {
  it.each(["constructor", "toString", "__proto__", "plain"])("differ when one of them alone has a key: %s", (name) => {
    const one = JSON.parse(`{"kept":1,"${name}":"x"}`) as JsonObject;
    expect(same(one, { kept: 1 })).toBe(false);
    expect(same({ kept: 1 }, one)).toBe(false);
    expect(same(one, structuredClone(one))).toBe(true);
  });

  it("are the same when a key's value is undefined in one of them", () => {
    expect(same({ a: undefined, b: 1 }, { b: 1 })).toBe(true);
    expect(same({ b: 1 }, { a: undefined, b: 1 })).toBe(true);
  });
});
