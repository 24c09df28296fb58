import { describe, expect, it } from "vitest";
import { builtinSchema } from "../../../shared/api/builtin-schemas.ts";
import type { JsonObject } from "../../../shared/api/objects.ts";
import { applyJsonPatch } from "../../../shared/api/patch/json-patch.ts";
import { applyMergePatch } from "../../../shared/api/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "../../../shared/api/patch/strategic-merge.ts";
import { comparable, titled, vectors } from "../vectors/vectors.ts";

const deployment = builtinSchema("io.k8s.api.apps.v1.Deployment");
const parse = (text: string | undefined) => JSON.parse(text ?? "null") as JsonObject;
const strategic = (target: object, patch: object) => applyStrategicMergePatch(target as JsonObject, patch as JsonObject, deployment);

describe.each([
  { op: "patch", name: "a JSON patch", apply: applyJsonPatch },
  { op: "merge", name: "a merge patch", apply: applyMergePatch },
  {
    op: "strategic",
    name: "a strategic merge patch",
    apply: (target: unknown, patch: unknown) => strategic(target as object, patch as object),
  },
] as const)("$name", ({ op, apply }) => {
  const all = titled(vectors(op));

  it.each(all.filter(({ answer }) => !answer.error))("does what Kubernetes does: $title", ({ input, other, answer }) => {
    // Order of items counts, order of fields does not.
    expect(comparable(apply(parse(input), parse(other)))).toEqual(comparable(answer.value));
  });

  it.each(all.filter(({ answer }) => answer.error))("is refused where Kubernetes refuses it: $title", ({ input, other }) => {
    expect(() => apply(parse(input), parse(other))).toThrow(expect.objectContaining({ name: "StatusError", code: expect.any(Number) }));
  });

  it.each(all)("changes neither the object nor itself: $title", ({ input, other }) => {
    const target = parse(input);
    const patch = parse(other);
    try {
      apply(deepFreeze(target), deepFreeze(patch));
    } catch (error) {
      expect(error).toMatchObject({ name: "StatusError" });
    }
    expect([target, patch]).toEqual([parse(input), parse(other)]);
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

const tests = (count: number) => Array.from({ length: count }, () => ({ op: "test", path: "/a", value: 1 }));

describe("a JSON patch", () => {
  it("applies its operations one after the other, or not at all", () => {
    const operations = [
      { op: "add", path: "/a", value: [1] },
      { op: "add", path: "/a/-", value: 2 },
      { op: "test", path: "/a/1", value: 2 },
    ];
    expect(applyJsonPatch({}, operations)).toEqual({ a: [1, 2] });
    expect(() => applyJsonPatch({}, [...operations, { op: "test", path: "/a/1", value: 3 }])).toThrow("testing value /a/1 failed");
  });

  it("has at most 10,000 operations", () => {
    expect(applyJsonPatch({ a: 1 }, tests(10_000))).toEqual({ a: 1 });
    expect(() => applyJsonPatch({ a: 1 }, tests(10_001))).toThrow(
      expect.objectContaining({
        reason: "RequestEntityTooLarge",
        message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
      }),
    );
  });

  it("copies at most 3 MiB, so that doubling does not end the server", () => {
    const operations = Array.from({ length: 20 }, () => ({ op: "copy", from: "/a", path: "/a/-" }));
    expect(() => applyJsonPatch({ a: ["x".repeat(1000)] }, operations)).toThrow("the accumulated size increase of copy is");
  });

  it("tells what is no patch from what does not apply", () => {
    expect(() => applyJsonPatch({}, {})).toThrow(expect.objectContaining({ reason: "BadRequest" }));
    expect(() => applyJsonPatch({}, ["x"])).toThrow(expect.objectContaining({ reason: "BadRequest" }));
    expect(() => applyJsonPatch({}, [{ op: "remove", path: "/a" }])).toThrow(expect.objectContaining({ reason: "Invalid", details: {} }));
  });

  it("compares numbers by their text, as they would be written", () => {
    const target = { a: JSON.rawJSON("1.0") };
    expect(applyJsonPatch(target, [{ op: "test", path: "/a", value: JSON.rawJSON("1.0") }])).toEqual(target);
    expect(() => applyJsonPatch(target, [{ op: "test", path: "/a", value: 1 }])).toThrow("failed");
  });

  it("cannot reach what every object inherits", () => {
    expect(() => applyJsonPatch({}, [{ op: "add", path: "/constructor/x", value: 1 }])).toThrow("missing path");
    const patched = applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { x: 1 } }]) as JsonObject;
    expect(Object.keys(patched)).toEqual(["__proto__"]);
  });
});

describe("a merge patch", () => {
  it("must be an object", () => {
    expect(() => applyMergePatch({}, [])).toThrow(expect.objectContaining({ reason: "BadRequest" }));
  });

  it("keeps numbers as text, in the target and from the patch", () => {
    const patched = applyMergePatch({ a: JSON.rawJSON("1.0"), b: 1 }, { b: JSON.rawJSON("12345678901234567890") });
    expect(JSON.stringify(patched)).toBe('{"a":1.0,"b":12345678901234567890}');
  });
});

const containers = (...names: string[]) => names.map((name) => ({ name, image: "1" }));
const inTemplate = (spec: object) => ({ spec: { template: { spec } } });
const namesOf = (object: JsonObject) =>
  (object as unknown as { spec: { template: { spec: { containers: { name: string }[] } } } }).spec.template.spec.containers.map(
    ({ name }) => name,
  );
const order = (...names: string[]) => names.map((name) => ({ name }));

describe("a strategic merge patch", () => {
  it("orders containers as $setElementOrder asks, and keeps the server's near their neighbours", () => {
    const target = inTemplate({ containers: containers("a", "injected", "b") });
    const patch = inTemplate({ containers: [{ name: "c", image: "1" }], "$setElementOrder/containers": order("b", "c", "a") });
    expect(namesOf(strategic(target, patch))).toEqual(["injected", "b", "c", "a"]);
  });

  it("takes merge keys from the schema: ports merge by containerPort alone", () => {
    const target = inTemplate({ containers: [{ name: "a", ports: [{ containerPort: 80, protocol: "TCP" }] }] });
    const patch = inTemplate({ containers: [{ name: "a", ports: [{ containerPort: 80, protocol: "UDP" }] }] });
    expect(strategic(target, patch)).toEqual(inTemplate({ containers: [{ name: "a", ports: [{ containerPort: 80, protocol: "UDP" }] }] }));
  });

  it.each([
    ["an unknown directive", inTemplate({ containers: [{ $patch: "burn", name: "a" }] }), "unknown patch type: burn"],
    ["an item without its merge key", inTemplate({ containers: [{ image: "2" }] }), "does not contain declared merge key: name"],
    [
      "a field outside $retainKeys",
      inTemplate({ $retainKeys: ["containers"], restartPolicy: "Always" }),
      "invalid patch format of retainKeys",
    ],
    [
      "an order that contradicts the list",
      inTemplate({ containers: containers("b", "a"), "$setElementOrder/containers": order("a", "b") }),
      "doesn't match",
    ],
  ])("refuses %s", (_, patch, reason) => {
    const action = () => strategic(inTemplate({ containers: containers("a", "b") }), patch);
    expect(action).toThrow(expect.objectContaining({ reason: "BadRequest" }));
    expect(action).toThrow(reason);
  });
});
