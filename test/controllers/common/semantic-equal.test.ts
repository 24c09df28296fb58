import { describe, expect, it } from "vitest";
import { semanticEqual } from "../../../shared/controllers/common/semantic-equal.ts";

describe("equality as Kubernetes means it", () => {
  it.each([
    { name: "the order of fields does not count", one: { a: 1, b: 2 }, other: { b: 2, a: 1 }, equal: true },
    { name: "the order of lists does", one: [1, 2], other: [2, 1], equal: false },
    { name: "absent, null and empty are alike", one: { a: [], b: {}, c: null }, other: {}, equal: true },
    { name: "also in the depth", one: { a: { b: undefined } }, other: { a: {} }, equal: true },
    { name: "an element more is a difference", one: [1], other: [1, 2], equal: false },
    { name: "a list is no object", one: [1], other: { 0: 1 }, equal: false },
    { name: "false is absence where Go leaves it out", one: { hostNetwork: false }, other: {}, equal: true },
    { name: "and is not where Go keeps a pointer", one: { automountServiceAccountToken: false }, other: {}, equal: false },
    { name: "zero likewise", one: { terminationGracePeriodSeconds: 0 }, other: {}, equal: false },
    { name: "texts differ from numbers", one: { port: "80" }, other: { port: 80 }, equal: false },
  ])("$name", ({ one, other, equal }) => {
    expect(semanticEqual(one, other)).toBe(equal);
    expect(semanticEqual(other, one)).toBe(equal);
  });
});
