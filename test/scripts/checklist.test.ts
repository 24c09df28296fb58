import { expect, it } from "vitest";
import { allNamedTests, namedTests, withoutTest } from "../../scripts/checklist.ts";

it("every item of the checklist, every trap of the API and every rule of the log has a test named after it", () => {
  expect(withoutTest(allNamedTests())).toEqual([]);
});

it("finds the names of tests, and nothing that only mentions an item", () => {
  const source = [
    'describe("checklist 9, 10: lists", () => {',
    '  it.each(cases)("trap 8, checklist 53: at $place", () => {});',
    "  it.each([",
    '    { name: "rule 3 of something else" },',
    '  ])("rule 25: $name", () => {});',
    '  it("raises no conflict (trap 12)", () => {});',
    '  const text = "trap 1";',
  ];
  expect(namedTests("a.test.ts", source.join("\n")).map(({ list, number, place }) => `${list} ${number} ${place}`)).toEqual([
    "checklist 9 a.test.ts:1",
    "checklist 10 a.test.ts:1",
    "trap 8 a.test.ts:2",
    "checklist 53 a.test.ts:2",
    "rule 25 a.test.ts:5",
    "trap 12 a.test.ts:6",
  ]);
});
