import { describe, expect, it } from "vitest";
import { hasFormat } from "../../shared/api/string-formats.ts";
import { setDefaults } from "../../shared/registry/custom/defaults.ts";
import { prune } from "../../shared/registry/custom/prune.ts";
import { interleave } from "../../shared/registry/interleave.ts";
import { JsonPathError, parseJsonPath } from "../../shared/registry/json-path.ts";
import { clone, same, sharing } from "../../shared/registry/values.ts";
import { fakeClock, settled } from "../support/fake-clock.ts";

const raw = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);

describe("JSON values", () => {
  it("are the same whatever the order of their keys, and an undefined one is none", () => {
    expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1, d: undefined })).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same(null, {})).toBe(false);
  });

  it("keep numbers as they were written", () => {
    const value = { big: raw("9007199254740993"), list: [raw("1.0")] };
    expect(JSON.stringify(clone(value))).toBe('{"big":9007199254740993,"list":[1.0]}');
    expect(same(value, clone(value))).toBe(true);
    expect(same({ n: raw("1.0") }, { n: raw("1.00") })).toBe(false);
  });

  it("are taken from an older value where they are written alike", () => {
    const older = { spec: { list: [{ name: "a", at: 1 }, { name: "b" }] }, status: { phase: "Pending" } };
    const newer = { spec: { list: [{ name: "a", at: 1 }, { name: "c" }] }, status: { phase: "Pending" } };
    const shared = sharing(newer, older);
    expect(shared).toEqual({ spec: { list: [{ name: "a", at: 1 }, { name: "c" }] }, status: { phase: "Pending" } });
    expect(shared.status).toBe(older.status);
    expect(shared.spec.list[0]).toBe(older.spec.list[0]);
    expect(sharing(clone(older), older)).toBe(older);
  });

  it.each([
    { name: "another order of members", newer: '{"b":1,"a":{"x":1}}' },
    { name: "one member less", newer: '{"a":{"x":1}}' },
    { name: "one member more", newer: '{"a":{"x":1},"b":1,"c":[]}' },
    { name: "a list in place of an object", newer: '{"a":[1],"b":1}' },
    { name: "null", newer: '{"a":null,"b":1}' },
    { name: "a member called __proto__", newer: '{"a":{"__proto__":{"x":1}},"b":1}' },
  ])("stay as they are written when there is $name", ({ newer }) => {
    expect(JSON.stringify(sharing(JSON.parse(newer), JSON.parse('{"a":{"x":1},"b":1}')))).toBe(newer);
    expect(JSON.stringify(sharing(JSON.parse(newer), JSON.parse('{"a":{"__proto__":{"x":1}},"b":1}')))).toBe(newer);
  });
});

describe("JSONPath", () => {
  const pod = {
    metadata: { labels: { "app.kubernetes.io/name": "web" } },
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Other", status: "False" },
      ],
      count: 3,
    },
  };

  it.each([
    [".status.count", [3]],
    [".status.conditions[0].type", ["Ready"]],
    [".status.conditions[-1].type", ["Other"]],
    [".status.conditions[*].type", ["Ready", "Other"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type!='Ready')].status", ["False"]],
    ["['metadata']['labels']['app\\.kubernetes\\.io/name']", ["web"]],
    ["['metadata']['labels']['app.kubernetes.io/name']", []],
    [".status['conditions','count'][0].type", ["Ready"]],
    [".status.conditions[0:1].type", ["Ready"]],
    ["..type", ["Ready", "Other"]],
    [".metadata.labels.app\\.kubernetes\\.io/name", ["web"]],
    [".status.missing.deeper", []],
  ])("%s", (path, found) => {
    expect(parseJsonPath(path).find(pod)).toEqual(found);
  });

  it("says so when it cannot read a path", () => {
    expect(() => parseJsonPath(".spec.list[")).toThrow(JsonPathError);
  });
});

describe("structural schemas", () => {
  it("prune what they do not declare, but not below what keeps everything", () => {
    const object = { apiVersion: "v1", kind: "X", metadata: {}, spec: { known: 1, other: 2, free: { any: 1 }, list: [{ a: 1, b: 2 }] } };
    const dropped = prune(object, {
      type: "object",
      properties: {
        spec: {
          type: "object",
          properties: {
            known: { type: "integer" },
            free: { "x-kubernetes-preserve-unknown-fields": true },
            list: { type: "array", items: { type: "object", properties: { a: { type: "integer" } } } },
          },
        },
      },
    });
    expect(dropped).toEqual(["spec.other", "spec.list[0].b"]);
    expect(object.spec).toEqual({ known: 1, free: { any: 1 }, list: [{ a: 1 }] });
  });

  it("embedded resources keep their type and metadata", () => {
    const object = { template: { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: {}, junk: 1 } };
    prune(object, {
      type: "object",
      properties: { template: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } } },
    });
    expect(object.template).toEqual({ apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: {} });
  });

  it("set defaults all the way down, into those that they set themselves", () => {
    const object = { list: [{}, { b: "own" }] };
    setDefaults(object, {
      type: "object",
      properties: {
        inner: { type: "object", default: {}, properties: { a: { type: "string", default: "x" } } },
        list: { type: "array", items: { type: "object", properties: { b: { type: "string", default: "y" } } } },
      },
    });
    expect(object).toEqual({ inner: { a: "x" }, list: [{ b: "y" }, { b: "own" }] });
  });
});

describe("string formats", () => {
  it.each([
    ["date-time", "2026-01-31T12:00:00Z", "2026-02-31T12:00:00Z"],
    ["date", "2026-01-31", "2026-13-01"],
    ["ipv4", "10.0.0.1", "10.0.0.256"],
    ["cidr", "10.0.0.0/8", "10.0.0.0/64"],
    ["uuid", "123e4567-e89b-12d3-a456-426614174000", "123"],
    ["byte", "aGk=", "a"],
    ["duration", "1h30m", "soon"],
    ["email", "a@example.com", "a"],
    ["hostname", "a.example.com", "-a"],
  ])("%s", (format, good, bad) => {
    expect([hasFormat(good, format), hasFormat(bad, format)]).toEqual([true, false]);
  });

  it("unknown ones are not enforced", () => {
    expect(hasFormat("anything", "made-up")).toBe(true);
  });
});

describe("interleaved ticks", () => {
  it("come while nothing else does, and after each pause anew", async () => {
    const clock = fakeClock();
    const stop = new AbortController();
    const waiting: ((value: number) => void)[] = [];
    const push = (value: number) => waiting.shift()?.(value);
    async function* source() {
      for (;;) yield await new Promise<number>((resolve) => waiting.push(resolve));
    }
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const item of interleave(source(), { clock, everyMs: 1_000, signal: stop.signal })) {
        seen.push(item);
        if (seen.length === 4) break;
      }
    })();
    await settled();
    push(1);
    await clock.advance(1_000);
    await clock.advance(1_000);
    push(2);
    await settled();
    await reading;
    expect(seen).toEqual([1, "tick", "tick", 2]);
    expect(clock.sleeping).toBe(0);
  });
});
