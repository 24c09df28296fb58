/** CustomResourceDefinitions: what their schemas, names, versions and parts may be, and what becomes of them. */
import { boat, boats, definition, definitions, fieldsOf, group, object, served, trying, versionsOf } from "../boats.ts";
import { get, mergePatch, post, remove, type Step, type Theme, until } from "../requests.ts";

const text = { type: "string" };
const whole = { type: "integer" };
const one = object({ b: text });
const intOrString = "x-kubernetes-int-or-string";
const preserve = "x-kubernetes-preserve-unknown-fields";
const embedded = "x-kubernetes-embedded-resource";
const listType = "x-kubernetes-list-type";
const mapKeys = "x-kubernetes-list-map-keys";
const mapType = "x-kubernetes-map-type";
const either = [whole, text];

const roots = (...schemas: readonly object[]): Step[] => trying(...schemas.map((schema): [object] => [schema]));
const specs = (...parts: readonly object[]): Step[] => trying(...parts.map((spec): [object, object] => [object({}), spec]));
const names = (...parts: readonly object[]): Step[] =>
  specs(...parts.map((more) => ({ names: { plural: "boats", kind: "Boat", ...more } })));

const version = (name: string, more: object = {}) => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: object({ spec: one }) },
  ...more,
});
const versions = (...of: readonly (readonly object[])[]): Step[] => specs(...of.map((each) => ({ versions: each })));
const stored = { storage: true };

const keyed = (key: object, items: object = {}) => ({
  type: "array",
  items: object({ b: key }, { required: ["b"], ...items }),
  [listType]: "map",
  [mapKeys]: ["b"],
});
const set = (items: object) => ({ type: "array", items, [listType]: "set" });

const webhook = (clientConfig: object | undefined, conversionReviewVersions: readonly string[] = ["v1"]) => ({
  conversion: { strategy: "Webhook", webhook: { conversionReviewVersions, ...(clientConfig && { clientConfig }) } },
});
const service = (more: object) => webhook({ service: { name: "a", namespace: "b", ...more } });

const column = (more: object) => ({ additionalPrinterColumns: [{ name: "x", type: "string", jsonPath: ".a", ...more }] });
const scale = (more: object) => ({
  subresources: { scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", ...more } },
});
const selecting = (...paths: readonly string[]) => ({ selectableFields: paths.map((jsonPath) => ({ jsonPath })) });
const fields = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);

const itself = `${definitions}/boats.${group}`;
const another = (plural: string, more: object): Step[] => {
  const path = `${definitions}/${plural}.${group}`;
  const conflicting = { ...definition(object({}), { names: { plural, ...more } }), metadata: { name: `${plural}.${group}` } };
  return [
    post(definitions, conflicting),
    until(path, ({ status }) => conditionOf(status, "NamesAccepted")?.status === "False"),
    get(`/apis/${group}/v1/namespaces/{namespace}/${plural}`),
  ];
};
const conditionOf = (status: any, wanted: string) => status?.conditions?.find(({ type }: any) => type === wanted);

export const definitionsTheme: Theme = {
  name: "custom resource definitions",
  concurrent: true,
  scenarios: {
    "at their root": roots(
      { type: "object", additionalProperties: text },
      { type: "object", nullable: true },
      { type: "array", items: text },
      { [preserve]: true },
      object({ a: text }, { [preserve]: true }),
      object({ a: text }, { default: { a: "x" } }),
      object({ a: text }, { required: ["b"] }),
      object({ a: text }, { [embedded]: true }),
      object({ a: text }, { [intOrString]: true }),
      object({ a: text }, { [mapType]: "atomic" }),
      object({ a: text }, { anyOf: [{ required: ["z"] }] }),
      object({ a: text }, { anyOf: [{ properties: { z: { minLength: 1 } } }] }),
      object({ metadata: text }),
      object({ metadata: { type: "object", description: "x" } }),
      object({ metadata: object({ name: { type: "string", pattern: "^a" } }) }),
      object({ metadata: object({ name: { type: "string", default: "a" } }) }),
      object({ metadata: object({ labels: { type: "object", additionalProperties: text } }) }),
      object({ metadata: { type: "object", default: {} } }),
      object({ apiVersion: whole, kind: { type: "string", enum: ["Boat"] } }),
      object({ apiVersion: { type: "string", default: "x" } }),
      object({ kind: { type: "string", default: "y" } }),
    ),
    "with parts that no schema has": fieldsOf(
      { type: "null" },
      { type: "" },
      { type: ["string"] },
      { type: "object", items: text },
      { type: "array", items: [text] },
      { type: "array", items: text, additionalItems: false },
      { type: "object", patternProperties: { a: text } },
      { type: "object", definitions: { a: text } },
      { type: "object", dependencies: { a: ["b"] } },
      { type: "string", $ref: "#/x" },
      { type: "string", id: "x" },
      { type: "string", $schema: "x" },
      { type: "string", anyOf: [{ $ref: "#/a" }, { type: "bogus" }] },
      { type: "string", title: 3 },
      { type: "string", "x-foo": 1 },
    ),
    "with values and patterns": fieldsOf(
      { type: "string", nullable: true, enum: ["a"] },
      { type: "string", enum: [1, null] },
      { type: "string", enum: [] },
      { type: "string", minimum: 3, maxLength: -1, minLength: -3 },
      { type: "integer", multipleOf: 0 },
      { type: "integer", minimum: 5, maximum: 2 },
      { type: "integer", exclusiveMaximum: true },
      { type: "integer", exclusiveMinimum: 3 },
      { type: "integer", format: "bogus" },
      { type: "string", format: "int32" },
      { type: "integer", format: "int32" },
      { type: "string", pattern: "^(?!x)" },
      { type: "string", pattern: "[" },
      { type: "string", pattern: "\\p{Greek}" },
      { type: "string", pattern: "a{1001}" },
      { type: "string", pattern: "*" },
      { type: "string", pattern: "\\8" },
      { type: "integer", pattern: "(" },
      { type: "object", additionalProperties: false },
      { type: "object", additionalProperties: {} },
      { type: "object", additionalProperties: { type: "bogus" } },
      { type: "object", properties: { b: text }, additionalProperties: true },
      { type: "object", properties: {}, additionalProperties: text },
    ),
    "with Kubernetes' own extensions": fieldsOf(
      { [intOrString]: true },
      { [intOrString]: true, anyOf: either },
      { [intOrString]: true, anyOf: either.toReversed() },
      { [intOrString]: true, allOf: [{ anyOf: either }, { pattern: "^a" }] },
      { [intOrString]: true, allOf: [{ pattern: "^a" }, { anyOf: either }] },
      { anyOf: either },
      { [intOrString]: true, [preserve]: true },
      { [intOrString]: true, [embedded]: true },
      { [intOrString]: true, [mapType]: "atomic" },
      { [preserve]: true },
      { [preserve]: true, type: "array", items: text },
      { [preserve]: true, anyOf: [{ properties: { b: { minimum: 2 } } }] },
      { [preserve]: true, [listType]: "set" },
      { [preserve]: true, "x-kubernetes-validations": [{ rule: "self == 1" }] },
      { [embedded]: true },
      { type: "object", [embedded]: true, [preserve]: true },
      { type: "object", [embedded]: true, additionalProperties: text },
      { ...one, [embedded]: true },
      object({ metadata: text, kind: whole }, { [embedded]: true }),
      object({ metadata: object({ x: { ...one, [embedded]: true } }) }, { [embedded]: true }),
      { type: "string", [mapType]: "atomic" },
      { type: "object", [mapType]: "atomic", [listType]: "atomic" },
    ),
    "that combine schemas": fieldsOf(
      { type: "string", anyOf: [{ title: "x", description: "y", nullable: true, default: "a", type: "string" }] },
      { ...one, allOf: [{ properties: { b: text } }, { properties: { c: { minLength: 1 } } }] },
      { ...one, not: { properties: { c: {} } } },
      { ...one, not: { additionalProperties: { minLength: 1 } } },
      { type: "object", additionalProperties: text, anyOf: [{ properties: { c: { minLength: 1 } } }] },
      { type: "array", items: text, oneOf: [{ items: { pattern: "a" } }, { maxItems: 2 }] },
      { type: "string", oneOf: [{ items: { pattern: "a" } }] },
      { type: "string", allOf: [{ [preserve]: true, [embedded]: true, [intOrString]: true, [listType]: "set", [mapType]: "atomic" }] },
      { type: "string", allOf: [{ "x-kubernetes-validations": [{ rule: "true" }] }] },
      { type: "string", allOf: [{ not: { anyOf: [{ pattern: "(" }] } }] },
      { type: "string", anyOf: [{ enum: ["a"] }, { uniqueItems: true }] },
      object({ metadata: text }, { anyOf: [{ properties: { metadata: { maxLength: 3 } } }] }),
      { type: "string", anyOf: [{}] },
    ),
    "of lists": fieldsOf(
      keyed(one),
      keyed(text, { nullable: true }),
      keyed({ type: "string", nullable: true }),
      keyed({ type: "string", default: "x" }, { required: [] }),
      keyed({ [intOrString]: true }),
      { ...keyed(text), [mapKeys]: ["x"] },
      { ...keyed(text), [mapKeys]: ["b", "b"] },
      { type: "array", items: text, [mapKeys]: ["b"] },
      { type: "array", items: text, [listType]: "atomic", [mapKeys]: ["b"] },
      { type: "array", [listType]: "map", [mapKeys]: ["b"] },
      set({ type: "string", nullable: true }),
      set({ type: "array", items: text }),
      set(set(text)),
      set({ type: "object", [mapType]: "atomic" }),
      set({ type: "object", [mapType]: "granular" }),
    ),
    "whose defaults do not fit": fieldsOf(
      { type: "integer", default: 1.5 },
      { type: "integer", default: 2 ** 63 },
      { type: "boolean", default: "true" },
      { type: "string", enum: ["a", "b"], default: "c" },
      { type: "string", maxLength: 1, default: "cc" },
      { type: "string", pattern: "^a", default: "b" },
      { type: "string", format: "date", default: "b" },
      { type: "string", anyOf: [{ pattern: "^a" }], default: "b" },
      { type: "string", nullable: true, default: null, enum: ["a"] },
      { type: "string", not: { default: "x" } },
      { type: "integer", maximum: 2, default: 3 },
      { type: "array", items: text, default: [1] },
      { type: "array", items: text, default: [null] },
      { type: "array", items: text, default: {} },
      { type: "array", items: text, maxItems: 1, default: ["a", "b"] },
      { type: "array", items: { type: "string", default: "x" } },
      { ...set(text), default: ["a", "a"] },
      { ...keyed(text), default: [{ b: "x" }, { b: "x" }] },
      { ...one, default: { b: null } },
      { ...one, required: ["b"], default: {} },
      { type: "object", properties: { b: { type: "string", default: "x" } }, required: ["b"], default: {} },
      { type: "object", additionalProperties: whole, default: { x: "y" } },
      { type: "object", additionalProperties: { ...one, default: {} }, default: { x: { q: 1 } } },
      { type: "object", [preserve]: true, default: "x" },
      { ...object({ spec: one }), [embedded]: true, default: { spec: { b: "x" } } },
      {
        ...object({ spec: one }),
        [embedded]: true,
        default: { apiVersion: "v1", kind: "Foo", metadata: { name: "A_" }, spec: { b: "x" } },
      },
      { ...object({ metadata: object({ name: { type: "string", default: "x" } }) }), [embedded]: true },
      { type: "string", "x-kubernetes-validations": [{ rule: "self == 'a'" }], default: "b" },
      { type: "integer", "x-kubernetes-validations": [{ rule: "self == oldSelf" }], default: 1 },
    ),
    "and their versions": versions(
      [version("V1", stored)],
      [version("1", stored)],
      [version("", stored)],
      [version("v1".repeat(40), stored)],
      [version("v1", { ...stored, served: false })],
      [version("v1", { ...stored, served: undefined })],
      [version("v1", stored), version("v2", { schema: undefined })],
      [version("v1", { ...stored, deprecated: true, deprecationWarning: "x\ny" }), version("v2")],
      [version("v1", { ...stored, deprecated: true, deprecationWarning: "x".repeat(257) })],
      [version("v1", { ...stored, ...column({ jsonPath: "x" }) }), version("v2", column({ jsonPath: "y" }))],
      [version("v1", { ...stored, ...column({ jsonPath: "x" }) }), version("v2", column({ jsonPath: "x" }))],
    ),
    "and their names": [
      ...names(
        { listKind: "boat_list" },
        { categories: ["All", "all", "a.b"] },
        { shortNames: ["b", "b", ""] },
        { kind: "9Boat" },
        { plural: "x".repeat(64), kind: "X".repeat(64) },
        { singular: "boats" },
      ),
      ...specs(
        { names: {} },
        { names: { plural: "boats" } },
        { names: { kind: "Boat" } },
        { group: "" },
        { group: "A.b" },
        { group: "a..b" },
        { group: "x.k8s.io" },
        { scope: undefined },
        { scope: "Cluster" },
        { unknown: 1 },
        { preserveUnknownFields: false },
      ),
      ...trying(
        [object({}), { group: "apps.kubernetes.io" }, {}, { annotations: { "api-approved.kubernetes.io": "unapproved, x" } }],
        [object({}), { group: "apps.kubernetes.io" }, {}, { annotations: { "api-approved.kubernetes.io": "foo" } }],
        [object({}), {}, {}, { name: "Boats.{namespace}.example.com" }],
        [object({}), {}, {}, { namespace: "default" }],
        [object({}), {}, {}, { labels: { "A B": "x" } }],
      ),
    ],
    "that convert": specs(
      { conversion: {} },
      { conversion: { strategy: "None", webhook: { conversionReviewVersions: ["v1"] } } },
      { conversion: { strategy: "Webhook" } },
      webhook(undefined, []),
      webhook({}),
      webhook({ url: "x" }, ["v1", "v1", "B_"]),
      webhook({ url: "http://x.com" }),
      webhook({ url: "https://u@x.com?a=b#c" }),
      service({ name: "", namespace: "" }),
      service({ port: 0, path: "x//y" }),
      service({ path: "/x/y" }),
      service({}),
    ),
    "with columns, scales and fields to select by": versionsOf(
      column({ format: "bogus" }),
      column({ jsonPath: "{.a}" }),
      column({ jsonPath: ".a[" }),
      column({ description: "", priority: -1 }),
      column({ type: "integer", format: "int32", jsonPath: ".metadata.annotations['a.b/c']" }),
      { additionalPrinterColumns: [{}] },
      scale({ specReplicasPath: "spec.replicas", labelSelectorPath: "status.x" }),
      scale({ specReplicasPath: ".spec.replicas[0]", labelSelectorPath: ".metadata.x" }),
      scale({ specReplicasPath: ".spec.", statusReplicasPath: ".status", labelSelectorPath: "" }),
      { subresources: { status: { a: 1 } } },
      { subresources: { bogus: {} } },
      selecting(".spec.y", ".spec.y"),
      selecting("spec.y"),
      selecting(".spec['y']"),
      selecting(".spec.y[0]"),
      selecting(".spec"),
      selecting(".spec.y."),
      selecting(".spec..y"),
      selecting(".kind"),
      selecting(".metadata.labels"),
      { selectableFields: [{}] },
      {
        schema: { openAPIV3Schema: object({ spec: object(Object.fromEntries(fields(9).map((name) => [name, text]))) }) },
        ...selecting(...fields(9).map((name) => `.spec.${name}`)),
      },
    ),
    "keep what objects depend on": [
      ...served(object({ spec: one })),
      mergePatch(itself, { spec: { scope: "Cluster" } }),
      mergePatch(itself, { spec: { group: "x.y" } }),
      mergePatch(itself, { spec: { names: { kind: "Ship" } } }),
      mergePatch(itself, { spec: { names: { plural: "ships" } } }),
      mergePatch(itself, { spec: { versions: [version("v2", stored)] } }),
      mergePatch(`${itself}/status`, { status: { storedVersions: [] } }),
      mergePatch(itself, {
        spec: { versions: [version("v1", stored), version("v2")], names: { shortNames: ["bt"], categories: ["all"] } },
      }),
      until(`/apis/${group}/v1`, ({ resources }) => resources?.[0]?.shortNames?.includes("bt")),
      until(`/apis/${group}`, (answer) => answer.versions?.length === 2),
      get(`/apis/${group}`),
      get(`/apis/${group}/v1`),
    ],
    "do not get a name that another has": [
      ...served(object({})),
      ...another("ships", { kind: "Boat" }),
      until(
        `${definitions}/ships.${group}`,
        ({ status }) =>
          status.acceptedNames.plural === "ships" &&
          status.acceptedNames.kind === "" &&
          conditionOf(status, "NamesAccepted").reason === "ListKindConflict",
      ),
      ...another("cogs", { kind: "Cog", singular: "boat" }),
      until(
        `${definitions}/cogs.${group}`,
        ({ status }) => status.acceptedNames.kind === "Cog" && conditionOf(status, "NamesAccepted").message === '"boat" is already in use',
      ),
      ...another("arks", { kind: "Ark", listKind: "BoatList" }),
    ],
    "that are deleted wait for their objects": [
      ...served(object({ spec: one })),
      post(boats, boat("a", {}, { finalizers: ["x.y/z"] })),
      remove(itself),
      // Upstream's handler hears of it a moment later, and discovery after that.
      until(`/apis/${group}/v1`, ({ resources }) => !resources?.[0]?.verbs.includes("create")),
      post(boats, boat("b", {})),
      get(`/apis/${group}/v1`),
    ],
  },
};
