import { describe, expect, it } from "vitest";
import { typedProblems } from "../../../shared/api/apply/typed-problems.ts";
import { builtinSchema } from "../../../shared/api/builtin-schemas.ts";
import type { SchemaNode } from "../../../shared/api/schema.ts";

const deployment = builtinSchema("io.k8s.api.apps.v1.Deployment");
const problems = (spec: object) => typedProblems(deployment, { metadata: { name: "d" }, spec });
const withContainers = (...containers: object[]) => problems({ template: { spec: { containers } } });

const listMap = (keys: Record<string, SchemaNode>): SchemaNode => ({
  type: "list",
  listType: "map",
  listKeys: Object.keys(keys),
  patchMerge: false,
  items: { type: "object", fields: new Map(Object.entries(keys)), required: new Set(), preserveUnknown: true, atomic: false },
});

describe("an applied configuration", () => {
  it("without problems has none", () => {
    expect(problems({ replicas: 3, paused: false, selector: { matchLabels: { a: "b" } }, template: null })).toEqual([]);
    expect(withContainers({ name: "c", ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] })).toEqual([]);
  });

  it("may not name a field that its kind does not know", () => {
    expect(problems({ foo: 1 })).toEqual([".spec.foo: field not declared in schema"]);
    expect(withContainers({ name: "c", bar: 1 })).toEqual(['.spec.template.spec.containers[name="c"].bar: field not declared in schema']);
  });

  it("may not have values of another type", () => {
    expect(problems({ replicas: "3", paused: "yes", selector: [], template: { spec: { containers: {} } } })).toEqual([
      ".spec.replicas: expected numeric (int or float), got string",
      '.spec.paused: expected boolean, got "yes"',
      ".spec.selector: expected map, got list",
      ".spec.template.spec.containers: expected list, got map",
    ]);
  });

  it("may not name an item of a keyed list twice, or without its key", () => {
    expect(withContainers({ name: "c" }, { name: "c" })).toEqual(['.spec.template.spec.containers: duplicate entries for key [name="c"]']);
    expect(withContainers({ name: "c", ports: [{ protocol: "UDP" }] })).toEqual([]);
    const ports = listMap({ port: { type: "scalar", scalar: "int32" } });
    expect(typedProblems(ports, [{ name: "http" }])).toEqual([
      `: element 0: associative list with keys has an element that omits all key fields ["port"] (and doesn't have default values for any key fields)`,
    ]);
  });

  it("may have neither null nor objects in a set", () => {
    const finalizers = (...items: unknown[]) => typedProblems(deployment, { metadata: { name: "d", finalizers: items } });
    const problem = ".metadata.finalizers: element 0: associative list without keys has an element that's";
    expect(finalizers(null)).toEqual([`${problem} an explicit null`]);
    expect(finalizers({})).toEqual([`${problem} a map type`]);
  });

  it("may leave out a name: it is the empty one, and validation's business", () => {
    expect(withContainers({ image: "i" })).toEqual([]);
    expect(withContainers({ image: "i" }, { image: "j" })).toEqual(['.spec.template.spec.containers: duplicate entries for key [name=""]']);
  });
});
