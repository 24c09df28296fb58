/** Rules in CEL as clients meet them: on creation, on changes, on the status, and when they cost too much. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../shared/api/objects.ts";
import { aRegistry, refusal, type TestRegistry } from "../../support/registry.ts";

const definitions = "customresourcedefinitions.apiextensions.k8s.io";
const things = "things.example.com";

const definition = (schema: JsonObject, version: JsonObject = {}): JsonObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: things },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "things", kind: "Thing" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
  },
});

async function withThings(spec: JsonObject, version: JsonObject = {}, status: JsonObject = {}): Promise<TestRegistry> {
  const api = await aRegistry();
  const schema = { type: "object", properties: { spec: { type: "object", ...spec }, status: { type: "object", ...status } } };
  await api.create(definitions, definition(schema, version));
  return api;
}

const rule = (text: string, more: JsonObject = {}): JsonObject => ({ "x-kubernetes-validations": [{ rule: text, ...more }] });
const thing = (name: string, spec: JsonObject): JsonObject => ({ apiVersion: "example.com/v1", kind: "Thing", metadata: { name }, spec });
const update = (spec: JsonObject) => ({ type: "merge", body: { spec } }) as const;

describe("checklist 60: rules of a custom resource", () => {
  it("are held against it when it is made, and say why in its owner's words", async () => {
    const api = await withThings({
      properties: { min: { type: "integer" }, max: { type: "integer" } },
      ...rule("self.min <= self.max", { messageExpression: "'%d is more than %d'.format([self.min, self.max])" }),
    });
    await api.create(things, thing("right", { min: 1, max: 2 }));
    const status = await refusal(api.create(things, thing("wrong", { min: 3, max: 2 })));
    expect(status.code).toBe(422);
    expect(status.message).toBe('Thing.example.com "wrong" is invalid: spec: Invalid value: 3 is more than 2');
  });

  it("see what it was before: a field may be set once", async () => {
    const api = await withThings({ properties: { size: { type: "string", ...rule("self == oldSelf", { message: "may not change" }) } } });
    await api.create(things, thing("a", { size: "small" }));
    const status = await refusal(api.patch(things, "a", update({ size: "large" })));
    expect(status.details?.causes).toEqual([
      { reason: "FieldValueInvalid", field: "spec.size", message: 'Invalid value: "large": may not change' },
    ]);
  });

  it("that look back with optionalOldSelf also see that there was nothing", async () => {
    const grows = rule("!oldSelf.hasValue() || self > oldSelf.value()", { optionalOldSelf: true, message: "has to grow" });
    const api = await withThings({ properties: { size: { type: "integer", ...grows } } });
    await api.create(things, thing("a", { size: 1 }));
    expect(await refusal(api.patch(things, "a", update({ size: 0 })))).toMatchObject({
      message: 'Thing.example.com "a" is invalid: spec.size: Invalid value: 0: has to grow',
    });
  });

  it("that came later are not held against what does not change", async () => {
    const properties = { mode: { type: "string" }, size: { type: "integer" } };
    const api = await withThings({ properties });
    await api.create(things, thing("a", { mode: "odd", size: 1 }));
    const strict = { ...properties, mode: { type: "string", ...rule("self in ['fast', 'slow']", { message: "unknown mode" }) } };
    const schema = { type: "object", properties: { spec: { type: "object", properties: strict } } };
    await api.patch(definitions, things, { type: "merge", body: definition(schema) });
    const warnings: string[] = [];
    expect(await api.patch(things, "a", update({ size: 2 }), { warnings })).toMatchObject({ spec: { mode: "odd", size: 2 } });
    expect(warnings).toEqual(['spec.mode: Invalid value: "odd": unknown mode']);
    expect(await refusal(api.patch(things, "a", update({ mode: "even" })))).toMatchObject({ code: 422 });
  });

  it("are held against a status where it has one of its own", async () => {
    const api = await withThings(
      { properties: { replicas: { type: "integer" } } },
      { subresources: { status: {} } },
      { properties: { ready: { type: "integer", ...rule("self >= 0", { message: "below zero" }) } } },
    );
    await api.create(things, thing("a", { replicas: 1 }));
    const status = { type: "merge", body: { status: { ready: -1 } } } as const;
    expect(await refusal(api.patch(things, "a", status, { subresource: "status" }))).toMatchObject({
      message: 'Thing.example.com "a" is invalid: status.ready: Invalid value: -1: below zero',
    });
  });

  it("are not looked at where the schema has something against the object already", async () => {
    const api = await withThings({ required: ["min"], properties: { min: { type: "integer" } }, ...rule("self.min > 0") });
    const status = await refusal(api.create(things, thing("a", {})));
    expect(status.details?.causes?.map(({ field }) => field)).toEqual(["spec.min", "<nil>"]);
    expect(status.message).toContain("some validation rules were not checked because the object was invalid");
  });

  it("stop where they cost more than one request may", async () => {
    const api = await withThings({
      properties: { list: { type: "array", maxItems: 600, items: { type: "string", maxLength: 5 } } },
      "x-kubernetes-validations": [{ rule: "self.list.all(a, self.list.all(b, a != b || a == b))" }],
    });
    const list = Array.from({ length: 600 }, (_, index) => `i${index}`);
    const message = (await refusal(api.create(things, thing("a", { list })))).message;
    expect(message).toContain("operation cancelled: actual cost limit exceeded': no further validation rules will be run");
  });

  it("that could cost too much are refused with their definition", async () => {
    const api = await aRegistry();
    const list = { type: "array", items: { type: "string" }, ...rule("self.all(a, self.all(b, self.exists(c, a + b == c)))") };
    const status = await refusal(api.create(definitions, definition({ type: "object", properties: { list } })));
    expect(status.message).toContain("estimated rule cost exceeds budget by factor of more than 100x");
  });
});

describe("an update", () => {
  it("may put items of a list map in another order that break a limit which came later", async () => {
    const items = { type: "object", required: ["key"], properties: { key: { type: "string" } } };
    const list = { type: "array", items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"] };
    const api = await withThings({ properties: { list } });
    await api.create(things, thing("a", { list: [{ key: "one" }, { key: "two" }] }));
    const schema = { type: "object", properties: { spec: { type: "object", properties: { list: { ...list, maxItems: 1 } } } } };
    await api.patch(definitions, things, { type: "merge", body: definition(schema) });
    await api.patch(things, "a", update({ list: [{ key: "two" }, { key: "one" }] }));
    expect(await refusal(api.patch(things, "a", update({ list: [{ key: "two" }, { key: "three" }] })))).toMatchObject({ code: 422 });
  });

  it("is told which alternative came closest", async () => {
    const alternatives = [{ required: ["name"] }, { required: ["id"], properties: { id: { minimum: 3 } } }];
    const api = await withThings({ properties: { id: { type: "integer" }, name: { type: "string" } }, anyOf: alternatives });
    const status = await refusal(api.create(things, thing("a", { id: 1 })));
    expect(status.details?.causes?.map(({ message }) => message)).toEqual([
      'Invalid value: "": "spec" must validate at least one schema (anyOf)',
      "Invalid value: 1: spec.id in body should be greater than or equal to 3",
    ]);
  });
});

describe("a hostile pattern", () => {
  it("takes no longer than its text is long", async () => {
    const api = await withThings({ properties: { text: { type: "string", pattern: "^(a+)+$" } } });
    // Backtracking would take 2^40 steps here.
    const status = await refusal(api.create(things, thing("a", { text: `${"a".repeat(40)}b` })));
    expect(status.details?.causes?.map(({ message }) => message)).toEqual([
      `Invalid value: "${"a".repeat(40)}b": spec.text in body should match '^(a+)+$'`,
    ]);
  });

  it("in a rule neither", async () => {
    const api = await withThings({ properties: { text: { type: "string", maxLength: 100, ...rule("self.matches('(x+x+)+y')") } } });
    expect(await refusal(api.create(things, thing("a", { text: "x".repeat(60) })))).toMatchObject({ code: 422 });
  });

  it("is refused where Kubernetes' own expressions do not know it", async () => {
    const api = await aRegistry();
    const schema = { type: "object", properties: { text: { type: "string", pattern: "(?=lookahead)" } } };
    const status = await refusal(api.create(definitions, definition(schema)));
    expect(status.details?.causes?.map(({ field }) => field)).toEqual(["spec.validation.openAPIV3Schema.properties[text].pattern"]);
  });
});
