import { describe, expect, it } from "vitest";
import { labelMatcher, parseFieldSelector, parseLabelSelector } from "../../shared/api/selectors.ts";
import { titled, vectors } from "./vectors/vectors.ts";

const failure = (action: () => unknown): unknown => {
  try {
    action();
    return "no error";
  } catch (error) {
    return error;
  }
};

describe("a label selector", () => {
  const all = titled(vectors("labels"));

  it.each(all.filter(({ answer }) => !answer.error))("matches and prints as in Kubernetes: $title", ({ input, other = "{}", answer }) => {
    const selector = parseLabelSelector(input);
    expect({ text: selector.toString(), value: selector.matches(JSON.parse(other)) }).toEqual(answer);
  });

  it.each(all.filter(({ answer }) => answer.error))("is refused in Kubernetes' words: $title", ({ input, answer }) => {
    expect(failure(() => parseLabelSelector(input))).toMatchObject({ name: "StatusError", reason: "BadRequest", message: answer.error });
  });

  it("of an object: undefined matches nothing, an empty one everything", () => {
    expect(labelMatcher(undefined).matches({ a: "b" })).toBe(false);
    expect(labelMatcher(undefined).empty).toBe(false);
    expect(labelMatcher({}).matches(undefined)).toBe(true);
    expect(labelMatcher({ matchLabels: {} }).empty).toBe(true);
  });

  it("of an object joins labels and expressions", () => {
    const selector = labelMatcher({
      matchLabels: { b: "1" },
      matchExpressions: [
        { key: "a", operator: "NotIn", values: ["z", "y"] },
        { key: "c", operator: "Exists" },
        { key: "d", operator: "DoesNotExist" },
      ],
    });
    expect(selector.toString()).toBe("a notin (y,z),b=1,c,!d");
    expect(selector.matches({ b: "1", c: "" })).toBe(true);
    expect(selector.matches({ b: "1", c: "", a: "y" })).toBe(false);
    expect(selector.matches({ b: "1", c: "", d: "" })).toBe(false);
  });

  it("of an object is refused when an operator does not fit", () => {
    expect(() => labelMatcher({ matchExpressions: [{ key: "a", operator: "Near" }] })).toThrow(
      '"Near" is not a valid label selector operator',
    );
    expect(() => labelMatcher({ matchExpressions: [{ key: "a", operator: "In" }] })).toThrow("values set can't be empty");
  });

  it("does not find labels that every object inherits", () => {
    expect(parseLabelSelector("constructor").matches({})).toBe(false);
  });
});

const escape = (value: string) => value.replaceAll(/[\\,=]/g, "\\$&");

describe("a field selector", () => {
  const all = titled(vectors("fields"));

  it.each(all.filter(({ answer }) => !answer.error))("is read as in Kubernetes: $title", ({ input, answer }) => {
    const terms = parseFieldSelector(input).map(({ field, operator, value }) => `${field}${operator}${escape(value)}`);
    expect(terms.join(",")).toBe(answer.text);
  });

  it.each(all.filter(({ answer }) => answer.error))("is refused in Kubernetes' words: $title", ({ input, answer }) => {
    expect(failure(() => parseFieldSelector(input))).toMatchObject({ reason: "BadRequest", message: answer.error });
  });

  it("keeps escaped commas in values", () => {
    expect(parseFieldSelector("a=b\\,c,d!=e")).toEqual([
      { field: "a", operator: "=", value: "b,c" },
      { field: "d", operator: "!=", value: "e" },
    ]);
  });
});
