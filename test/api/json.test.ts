import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxJsonDepth, parseJson } from "../../shared/api/json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const again = (text: string): string => JSON.stringify(parseJson(text).value);

describe("trap 3: JSON keeps what a double would lose", () => {
  it.each(["12345678901234567890", "9007199254740993", "9223372036854775807", "1.0", "1e3", "-0", "0.10", "1E400", "4611686018427388000"])(
    "writes the number %s back as it stood",
    (number) => {
      expect(again(`{"a":[${number}],"b":"x"}`)).toBe(`{"a":[${number}],"b":"x"}`);
    },
  );

  it.each(["0", "-1", "1.5", "9007199254740991", "1e+21", "123456789012345"])(
    "reads %s as a plain number where nothing is lost",
    (number) => {
      expect(again(`[${number}]`)).toBe(`[${number}]`);
    },
  );
  it("does not take digits in strings for numbers", () => {
    expect(parseJson('{"a":"1.0","b":"x\\"1e5\\\\"}').value).toEqual({ a: "1.0", b: 'x"1e5\\' });
  });

  it("tells which fields were given twice, and the last one counts", () => {
    const { value, duplicates } = parseJson('{"spec":{"a":1,"b":[{"c":1,"c":2}],"a":{"x":1}},"spec ":0}');
    expect(value).toEqual({ spec: { a: { x: 1 }, b: [{ c: 2 }] }, "spec ": 0 });
    expect(duplicates).toEqual(['duplicate field "spec.b[0].c"', 'duplicate field "spec.a"']);
  });

  it("sees through escapes: the same field in two spellings is a duplicate", () => {
    expect(parseJson('{"a":1,"\\u0061":2}')).toEqual({ value: { a: 2 }, duplicates: ['duplicate field "a"'] });
  });

  it("treats __proto__ as a field like any other", () => {
    const { value } = parseJson('{"__proto__":{"x":1.0}}');
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each(["", "{", '{"a":}', "[1,]", "01", "nul", '{"a":1}x'])("refuses %j", (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it("refuses nesting that would exhaust the stack later", () => {
    expect(parseJson(nested(maxJsonDepth)).duplicates).toEqual([]);
    expect(() => parseJson(nested(maxJsonDepth + 1))).toThrow("exceeded max depth");
    expect(() => parseJson(nested(1_000_000))).toThrow("exceeded max depth");
  });

  it("reads what JSON.stringify writes, without duplicates (property)", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const parsed = parseJson(text);
        expect(JSON.stringify(parsed.value)).toBe(text);
        expect(parsed.duplicates).toEqual([]);
      }),
    );
  });

  it("reads indented text as it reads compact text (property)", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = `{"first":1.0,"rest":${JSON.stringify(value, null, 2)}}`;
        expect(again(text)).toBe(`{"first":1.0,"rest":${JSON.stringify(value)}}`);
      }),
    );
  });
});
