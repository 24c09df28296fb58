import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, canonicalQuantity, compare, formatQuantity, parseQuantity, subtract, toMilli, toNumber } from "../../shared/api/quantity.ts";
import { titled, vectors } from "./vectors/vectors.ts";

const outcome = (action: () => string): { text?: string; error?: string } => {
  try {
    return { text: action() };
  } catch (error) {
    return { error: (error as Error).message };
  }
};

describe("a quantity", () => {
  it.each(titled(vectors("quantity")))("is read and written as Kubernetes does: $title", ({ input, answer }) => {
    expect(outcome(() => formatQuantity(parseQuantity(input)))).toEqual(answer);
  });

  it("is one in a body even with spaces around it, or as a number", () => {
    expect(canonicalQuantity(" 1024Mi ")).toBe("1Gi");
    expect(canonicalQuantity(0.5)).toBe("500m");
  });

  it("is compared by value, whatever its format", () => {
    expect(compare(parseQuantity("1Gi"), parseQuantity("1073741824"))).toBe(0);
    expect(compare(parseQuantity("999m"), parseQuantity("1"))).toBeLessThan(0);
    expect(compare(parseQuantity("1G"), parseQuantity("900Mi"))).toBeGreaterThan(0);
  });

  it("keeps the format of the first when added, unless that is zero", () => {
    expect(formatQuantity(add(parseQuantity("512Mi"), parseQuantity("512M")))).toBe("1024288Ki");
    expect(formatQuantity(add(parseQuantity("512Mi"), parseQuantity("512Mi")))).toBe("1Gi");
    expect(formatQuantity(add(parseQuantity("0"), parseQuantity("1Gi")))).toBe("1Gi");
    expect(formatQuantity(subtract(parseQuantity("1"), parseQuantity("100m")))).toBe("900m");
  });

  it("rounds up, never down, to whole units and to thousandths", () => {
    expect(toNumber("100m")).toBe(1);
    expect(toNumber("1.5Gi")).toBe(1_610_612_736);
    expect(toMilli("0.1m")).toBe(1n);
    expect(toMilli("2")).toBe(2000n);
  });

  it("is refused rather than computed when its exponent is absurd", () => {
    expect(() => parseQuantity("1e999999999")).toThrow("unable to parse quantity's suffix");
  });

  it("adding and subtracting the same leaves the value (property)", () => {
    const quantity = fc
      .tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.constantFrom("", "m", "k", "Ki", "Mi", "G", "n", "e3"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const sum = subtract(add(parseQuantity(a), parseQuantity(b)), parseQuantity(b));
        expect(compare(sum, parseQuantity(a))).toBe(0);
      }),
    );
  });

  it("written and read again is the same (property)", () => {
    const text = fc
      .tuple(fc.stringMatching(/^[0-9]{1,12}(\.[0-9]{0,9})?$/), fc.constantFrom("", "m", "k", "Ki", "Mi", "Gi", "n", "e2"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (input) => {
        const once = canonicalQuantity(input);
        expect(canonicalQuantity(once)).toBe(once);
        expect(compare(parseQuantity(once), parseQuantity(input))).toBe(0);
      }),
    );
  });
});
