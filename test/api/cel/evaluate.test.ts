/** What the evaluator promises beyond the recorded answers of upstream: limits, errors that are swallowed, and values made when asked for. */
import { describe, expect, it } from "vitest";
import { CompileError } from "../../../shared/api/cel/ast.ts";
import { compile } from "../../../shared/api/cel/compile.ts";
import { escapeName, unescapeName } from "../../../shared/api/cel/field-names.ts";
import { declare } from "../../../shared/api/cel/schema-types.ts";
import { valueOf } from "../../../shared/api/cel/schema-values.ts";
import { EvalError } from "../../../shared/api/cel/values.ts";
import { parseJson } from "../../../shared/api/json.ts";
import type { Structural } from "../../../shared/api/structural.ts";

const anyNumber: Structural = {
  type: "object",
  properties: { n: { type: "integer" }, list: { type: "array", items: { type: "integer" } } },
};

function evaluate(expression: string, data: unknown = {}, { schema = anyNumber, limit = 1_000_000 } = {}) {
  const self = declare(schema, false);
  if (self === undefined) throw new Error("the schema cannot be seen by rules");
  const { value, cost, cancelled } = compile(expression, self, { optionalOldSelf: false }).program({ self: valueOf(data, schema) }, limit);
  return { value: value instanceof EvalError ? `error: ${value.message}` : value, cost, cancelled };
}

describe("an expression", () => {
  it("keeps integers that a double cannot hold", () => {
    const { value } = parseJson('{"n": 9007199254740993}');
    expect(evaluate("self.n", value).value).toBe(9007199254740993n);
    expect(evaluate("self.n + 1 == 9007199254740994", value).value).toBe(true);
  });

  it.each([
    ["1 / 0 > 0 || true", true],
    ["true || 1 / 0 > 0", true],
    ["false && 1 / 0 > 0", false],
    ["1 / 0 > 0 && true", "error: division by zero"],
    ["[0, 1].exists(x, 1 / x == 1)", true],
    ["[0, 1].all(x, 1 / x == 1)", "error: division by zero"],
    ["[0, 2].all(x, 1 / x == 1)", false],
  ])("%s gives %s: the side that decides wins over an error", (expression, expected) => {
    expect(evaluate(expression).value).toBe(expected);
  });

  it("stops at its limit, and nothing swallows that", () => {
    const data = { list: Array.from({ length: 1000 }, (_, index) => index) };
    const { value, cancelled, cost } = evaluate("self.list.all(a, self.list.all(b, a + b >= 0)) || true", data, { limit: 500 });
    expect({ value, cancelled }).toEqual({ value: "error: operation cancelled: actual cost limit exceeded", cancelled: true });
    expect(cost).toBeLessThan(520);
  });

  it("makes values of fields only when it asks for them", () => {
    const data = {
      n: 1,
      get list(): number[] {
        throw new Error("nobody asked");
      },
    };
    expect(evaluate("self.n == 1", data).value).toBe(true);
  });

  it("collects long lists without copying them at each step", () => {
    const list = Array.from({ length: 20_000 }, (_, index) => index);
    expect(evaluate("self.list.map(x, x * 2).size()", { list }).value).toBe(20_000n);
    expect(evaluate("self.list.filter(x, x > 19990)[0]", { list }).value).toBe(19_991n);
  });

  it("names every mistake with its place", () => {
    expect(() => evaluate("self.a > 1 && self.n == 'x'")).toThrow(CompileError);
    const message = ((): string => {
      try {
        evaluate("self.a > 1 && self.n == 'x'");
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message.split("\n")).toEqual([
      "ERROR: <input>:1:5: undefined field 'a'",
      " | self.a > 1 && self.n == 'x'",
      " | ....^",
      "ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(int, string)'",
      " | self.a > 1 && self.n == 'x'",
      " | .....................^",
    ]);
  });

  it("keeps long folds cheap: the limit also bounds the time", () => {
    const started = performance.now();
    expect(evaluate("lists.range(100000).map(i, lists.range(10)).size() > 0").cancelled).toBe(true);
    expect(evaluate("lists.range(20000).map(i, i).size()", {}, { limit: 10_000_000 }).value).toBe(20_000n);
    expect(evaluate("lists.range(100000).transformMap(i, v, v).size()", {}, { limit: 10_000_000 }).value).toBe(100_000n);
    // Too much to begin with.
    expect(evaluate("lists.range(1000000000).size()").cancelled).toBe(true);
    expect(evaluate("lists.range(100000).distinct().size()").cancelled).toBe(true);
    expect(evaluate("sets.contains(lists.range(50000), lists.range(50000))").cancelled).toBe(true);
    // Minutes, where every step would look through all before it.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("shows doubles of any size", () => {
    expect(evaluate("'%.1f'.format([1e21])").value).toBe("1,000,000,000,000,000,000,000.0");
    expect(() => evaluate("'%.101f'.format([1.0])")).toThrow(/precision 101 is more than 100/);
    expect(evaluate("('%.101' + 'f').format([1.0])").value).toMatch(/precision 101 is more than 100$/);
  });

  it("nests no deeper than the parser allows", () => {
    expect(() => evaluate(`${"(".repeat(1000)}1${")".repeat(1000)} == 1`)).toThrow(CompileError);
    expect(() => evaluate(`1${" + 1".repeat(20_000)} == 1`)).toThrow(CompileError);
    expect(evaluate(`1${" + 1".repeat(400)}`).value).toBe(401n);
  });
});

describe("names of fields", () => {
  it.each([
    ["plain", "plain"],
    ["a-b", "a__dash__b"],
    ["a.b/c", "a__dot__b__slash__c"],
    ["__x", "__underscores__x"],
    ["namespace", "__namespace__"],
    ["1st", undefined],
    ["ä", undefined],
    ["", undefined],
  ])("%s is written %s", (name, escaped) => {
    expect(escapeName(name)).toBe(escaped);
    if (escaped !== undefined) expect(unescapeName(escaped)).toBe(name);
  });
});
