import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys, lowerBound, prefixEnd } from "../../shared/store/order.ts";

describe("the order of keys", () => {
  it("is that of their bytes, as DynamoDB has it", () => {
    const unit = "binary";
    assert(
      property(string({ unit }), string({ unit }), (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it("is not the order of namespace, then name", () => {
    expect(["a/x", "a-b/x", "a.b/x"].sort(compareKeys)).toEqual(["a-b/x", "a.b/x", "a/x"]);
  });

  it("finds where a prefix begins and ends", () => {
    const keys = ["a-b/x", "a/x", "a/y", "a0/x", "b/x"];
    const start = lowerBound(keys, "a/");
    expect(keys.slice(start, prefixEnd(keys, "a/", start))).toEqual(["a/x", "a/y"]);
    expect(prefixEnd(keys, "", 0)).toBe(5);
    expect(prefixEnd(keys, "z", lowerBound(keys, "z"))).toBe(5);
  });
});
