import { describe, expect, it } from "vitest";
import { parseYaml } from "../../shared/api/yaml.ts";
import { comparable, titled, vectors } from "./vectors/vectors.ts";

describe("trap 11: YAML is read by the rules of YAML 1.1", () => {
  const all = titled(vectors("yaml"));

  it.each(all.filter(({ answer }) => answer.error === undefined))("reads $title as Kubernetes does", ({ input, answer }) => {
    const { value, duplicates } = parseYaml(input);
    expect(comparable(value)).toEqual(comparable(answer.value));
    expect(duplicates.length > 0 ? `yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}` : undefined).toEqual(answer.problems?.[0]);
  });

  it.each(all.filter(({ answer }) => answer.error !== undefined))("refuses $title", ({ input }) => {
    expect(() => parseYaml(input)).toThrow(SyntaxError);
  });

  it.each([
    ["0644", 420],
    ["0x1F", 31],
    ["0b11", 3],
    ["1_000", 1000],
    ["1e3", 1000],
    ["yes", true],
    ["off", false],
    ["~", null],
    ["", null],
    ["2001-01-01", "2001-01-01"],
    ["1:30", "1:30"],
    ["'0644'", "0644"],
    ["1.10", 1.1],
    ["08", 8],
  ])("takes the scalar %s for %j", (scalar, value) => {
    expect(parseYaml(`mode: ${scalar}\n`).value).toEqual({ mode: value });
  });

  it("names the line of each repeated key", () => {
    expect(parseYaml("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n").duplicates).toEqual([
      'line 4: key "c" already set in map',
      'line 5: key "a" already set in map',
    ]);
  });

  it("keeps integers beyond what a double holds", () => {
    expect(JSON.stringify(parseYaml("a: 9223372036854775807\n").value)).toBe('{"a":9223372036854775807}');
  });

  it("refuses an alias bomb, and quickly", () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level}: &l${level} [${Array.from({ length: 9 }, () => (level === 0 ? "x" : `*l${level - 1}`)).join(",")}]`,
    );
    expect(() => parseYaml(levels.join("\n"))).toThrow("yaml: document contains excessive aliasing");
  });

  it("refuses what has no place in JSON", () => {
    expect(() => parseYaml("a: .inf\n")).toThrow("unsupported value");
    expect(() => parseYaml("? {a: b}\n: c\n")).toThrow("unsupported map key");
  });

  it("refuses nesting without end instead of failing on it", () => {
    expect(() => parseYaml(`a: ${"[".repeat(100_000)}`)).toThrow(SyntaxError);
  });

  it("reads JSON that comes under a YAML content type", () => {
    expect(parseYaml('{"apiVersion":"v1","n":1.5}').value).toEqual({ apiVersion: "v1", n: 1.5 });
    expect(parseYaml('{"a":1,\n"a":2}').duplicates).toEqual(['line 2: key "a" already set in map']);
  });
});
