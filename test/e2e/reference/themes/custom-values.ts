/** Values of custom resources: what formats, types and the rest of a schema let in, what is said of the rest, and what becomes of unknown fields. */
import { boat, boats, group, object, served } from "../boats.ts";
import { apply, get, jsonPatch, mergePatch, plain, post, put, type Step, type Theme } from "../requests.ts";

const text = { type: "string" };
const whole = { type: "integer" };

/** Texts to try for each format. */
const formats: Readonly<Record<string, readonly unknown[]>> = {
  date: ["2020-01-01", "2020-02-30", "x", ""],
  "date-time": [
    "2020-01-01T00:00:00Z",
    "2020-01-01",
    "2020-01-01T00:00:00",
    "2020-01-01T25:00:00Z",
    "2020-01-01t00:00:00.123+02:00",
    "2020-01-01 00:00:00Z",
    "2020-01-01T00:00:60Z",
  ],
  datetime: ["2020-01-01"],
  email: ["a@b.c", "a", "A <a@b.c>", "a@b", ""],
  ipv4: ["1.2.3.4", "1.2.3", "::1", "01.2.3.4"],
  ipv6: ["::1", "1.2.3.4", "x", "fe80::1%eth0", "::ffff:1.2.3.4"],
  cidr: ["10.0.0.0/8", "10.0.0.1", "::/0", "10.0.0.0/33"],
  uuid: ["123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000", "x"],
  uuid4: ["123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"],
  byte: ["aGVsbG8=", "a", "", "aGVsbG8", "a-_="],
  duration: ["1s", "1h30m", "x", "1 day", "", "-1s", "1", "0"],
  hostname: ["a.b", "-a", "a_b", "A.B.", "", "x".repeat(64), "é.com"],
  uri: ["http://a", "a", "", "/a", "http://[", "mailto:a@b"],
  password: ["x"],
  bsonobjectid: ["507f1f77bcf86cd799439011", "x"],
  isbn: ["0-306-40615-2", "978-3-16-148410-0", "1"],
  isbn10: ["0306406152", "x"],
  isbn13: ["9783161484100", "1"],
  creditcard: ["4111111111111111", "1"],
  ssn: ["123-45-6789", "1"],
  hexcolor: ["#fff", "fff", "#ggg"],
  rgbcolor: ["rgb(1,2,3)", "rgb(256,0,0)"],
  mac: ["01:02:03:04:05:06", "x"],
  "k8s-short-name": ["a", "A", "a.b"],
  "k8s-long-name": ["a.b", "A"],
};

/** Schemas by the field that has them, and values to try. At most one thing of a map is wrong: Go's maps have no order. */
const fields: Readonly<Record<string, readonly [schema: object, values: readonly unknown[]]>> = {
  int32: [{ type: "integer", format: "int32" }, [1, 2147483647, 2147483648, -2147483649, 1.5, "1", 1e3, true, null]],
  int64: [
    { type: "integer", format: "int64" },
    [JSON.rawJSON("9007199254740993"), JSON.rawJSON("9223372036854775808"), JSON.rawJSON("1.0"), 1e30],
  ],
  float: [{ type: "number", format: "float" }, [1.5, 3.5e38, 1, "x"]],
  double: [{ type: "number", format: "double" }, [1.5, 1e308]],
  numInt: [{ type: "number", format: "int32" }, [1.5, 2147483648]],
  range: [{ type: "integer", minimum: 2, maximum: 4 }, [1, 2, 4, 5]],
  open: [{ type: "number", minimum: 2, maximum: 4, exclusiveMinimum: true, exclusiveMaximum: true }, [2, 2.1, 4, 3.999]],
  fraction: [{ type: "number", minimum: 0.5, maximum: 1e21 }, [0.1, 1e22]],
  mult: [{ type: "integer", multipleOf: 3 }, [3, 4, 0, -6]],
  multf: [{ type: "number", multipleOf: 0.1 }, [0.3, 0.35, 1]],
  ienum: [{ type: "integer", enum: [1, 2] }, [1, 3, 1.0]],
  nenum: [{ type: "number", enum: [1.5, 2] }, [1.5, 3, 2]],
  benum: [{ type: "boolean", enum: [true] }, [false, "true"]],
  senum: [{ type: "string", enum: ["a", ""] }, ["a", "", "b", null]],
  nullenum: [{ type: "string", nullable: true, enum: ["a"] }, [null, "b"]],
  nulls: [{ type: "string", nullable: true, minLength: 2 }, [null, "x"]],
  oenum: [{ type: "object", properties: { b: text }, enum: [{ b: "x" }] }, [{ b: "x" }, { b: "y" }, {}]],
  aenum: [{ type: "array", items: whole, enum: [[1]] }, [[1], [2]]],
  str: [{ type: "string", minLength: 2, maxLength: 3 }, ["a", "ab", "abcd", "é", "😀😀", 5, {}, [], true, 1.5]],
  pat: [{ type: "string", pattern: "^a+$" }, ["a", "b", "ba\n"]],
  arr: [{ type: "array", items: text, minItems: 1, maxItems: 2 }, [[], ["a"], ["a", "b", "c"], [1], "x", {}, [null], null]],
  aint: [{ type: "array", items: whole }, [[1, "a", 1.5]]],
  obj: [
    { type: "object", additionalProperties: whole, minProperties: 1, maxProperties: 2 },
    [{}, { a: 1 }, { a: 1, b: 2, c: 3 }, { a: "x" }, { a: null }, [], "x"],
  ],
  req: [
    object({ b: text, c: object({ d: text }, { required: ["d"] }) }, { required: ["b", "c"] }),
    [{}, { b: "x", c: {} }, { b: null, c: { d: "y" } }, { b: "x", c: { d: null } }],
  ],
  any: [
    object({ b: text, c: text, n: whole }, { anyOf: [{ required: ["b"] }, { required: ["c"], properties: { n: { minimum: 3 } } }] }),
    [{}, { c: "x", n: 1 }, { b: "x" }],
  ],
  one: [object({ b: text, c: text }, { oneOf: [{ required: ["b"] }, { required: ["c"] }] }), [{}, { b: "x", c: "y" }, { b: "x" }]],
  all: [
    object({ b: text, c: text }, { allOf: [{ required: ["b"] }, { properties: { c: { minLength: 2 } } }] }),
    [{}, { b: "x", c: "y" }, { c: "y" }],
  ],
  not: [object({ b: text, c: text }, { not: { required: ["b", "c"] } }), [{ b: "x", c: "y" }, { b: "x" }]],
  notpat: [{ type: "string", not: { pattern: "^x" } }, ["x", "y"]],
  sany: [{ type: "string", anyOf: [{ format: "ipv4" }, { format: "ipv6" }] }, ["x", "::1"]],
  nested: [{ type: "string", anyOf: [{ allOf: [{ minLength: 3 }, { pattern: "^a" }] }, { maxLength: 1 }] }, ["bb", "b", "aaa"]],
  ios: [{ "x-kubernetes-int-or-string": true, pattern: "^a", maximum: 3, maxLength: 2 }, [1, "a", 5, "b", 1.5, true, {}, "aaaa", null]],
  ios2: [{ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }, [1, "x", true, 1.5]],
  ios3: [
    { "x-kubernetes-int-or-string": true, allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }, { pattern: "^[0-9]+%$" }] },
    [1, "5%", "x", true],
  ],
  set: [
    { type: "array", items: text, "x-kubernetes-list-type": "set" },
    [
      ["a", "a"],
      ["a", "b", "a", "a"],
    ],
  ],
  iset: [
    { type: "array", items: { type: "number" }, "x-kubernetes-list-type": "set" },
    [
      [1, 1.0],
      [1, 2],
    ],
  ],
  oset: [
    {
      type: "array",
      items: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: text },
      "x-kubernetes-list-type": "set",
    },
    [[{ a: "b" }, { a: "b" }]],
  ],
  aset: [{ type: "array", items: { type: "array", items: text }, "x-kubernetes-list-type": "set" }, [[["a"], ["a"]]]],
  map: [
    {
      type: "array",
      items: object({ k: text, p: { type: "integer", default: 3 }, v: text }, { required: ["k"] }),
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k", "p"],
    },
    [[{ k: "a" }, { k: "a", p: 3 }], [{ k: "a" }, { k: "a", p: 4 }], [{ p: 1 }], [null], ["x"], [{ k: "a", q: 1 }]],
  ],
  free: [{ "x-kubernetes-preserve-unknown-fields": true }, [1, "x", null, [1, { a: null }], { metadata: 1 }]],
  ofree: [
    { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { b: object({ c: text }) } },
    [{ x: 1, b: { c: "x", d: 1 } }, "x"],
  ],
  emb: [
    { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
    [
      { apiVersion: "v1" },
      { kind: "Pod" },
      { apiVersion: "v1", kind: "Pod" },
      { apiVersion: "", kind: "Pod" },
      { apiVersion: 1, kind: "Pod" },
      { apiVersion: "v1", kind: {} },
      { apiVersion: "a/b/c", kind: "Pod" },
      { apiVersion: "v1", kind: "9_" },
      { apiVersion: "v1", kind: "Pod", metadata: null },
      { apiVersion: "v1", kind: "Pod", metadata: "x" },
      { apiVersion: "v1", kind: "Pod", metadata: { name: "A_", namespace: "B_", labels: { "a b": "x" }, bogus: 1 } },
      { apiVersion: "v1", kind: "Pod", metadata: { labels: { a: 1 } } },
      { apiVersion: "v1", kind: "Pod", metadata: { creationTimestamp: "x", name: "a" } },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { annotations: { a: null }, finalizers: ["x"], ownerReferences: [{}], generateName: "A" },
        spec: { x: 1 },
      },
      { apiVersion: "v1", kind: "Pod", metadata: { name: "a", creationTimestamp: null, managedFields: [], uid: "x" } },
    ],
  ],
  bool: [{ type: "boolean" }, ["true", 1, null, true]],
  strs: [{ type: "array", items: { type: "string", nullable: true, default: "d" } }, [[null, "a"]]],
  strd: [{ type: "array", items: { type: "string", default: "d" } }, [[null, "a"]]],
  mapd: [
    { type: "object", additionalProperties: { type: "object", properties: { b: { type: "string", default: "x" } }, default: { b: "y" } } },
    [{ a: null }, { a: {} }],
  ],
  deep: [
    object({ l: { type: "array", items: object({ m: { type: "object", additionalProperties: object({ b: whole }) } }) } }),
    [{ l: [{ m: { "x.y": { b: "s", z: 1 } } }], q: {} }],
  ],
};

const fieldOf = (format: string): string => `in_${format.replaceAll("-", "_")}`;
const spec = object({
  ...Object.fromEntries(Object.entries(fields).map(([name, [schema]]) => [name, schema])),
  ...Object.fromEntries(Object.keys(formats).map((format) => [fieldOf(format), { type: "string", format }])),
});
const thing = served(object({ spec }));

const tried = `${boats}?dryRun=All`;
const tryEach = (name: string, values: readonly unknown[]): Step[] => values.map((value) => post(tried, boat("a", { [name]: value })));
const validation = (how: string): string => `fieldValidation=${how}`;
const one = `${boats}/a`;

const strayFields = boat(
  "a",
  {
    zz: 1,
    deep: { l: [{ m: { "x.y": { z: 1 } } }, { q: 1 }], q: {} },
    map: [{ k: "a", q: 1 }],
    emb: { apiVersion: "v1", kind: "X", zz: 1, metadata: { bogus: 1 } },
  },
  { bogus: 1 },
);
const repeated = `{"apiVersion":"${group}/v1","kind":"Boat","metadata":{"name":"a","name":"b"},"spec":{"str":"ab","str":"abc","range":3,"range":3,"deep":{"l":[],"l":[{"m":{},"m":{}}]}},"spec":{}}`;

/** Bodies that differ from a good one in this. */
const bodies = (...of: readonly object[]): Step[] => of.map((more) => post(tried, { ...boat("a", {}), ...more }));
const metadata = (...of: readonly object[]): Step[] => bodies(...of.map((more) => ({ metadata: { name: "a", ...more } })));

export const customValues: Theme = {
  name: "values of custom resources",
  concurrent: true,
  scenarios: {
    "have formats": [...thing, ...Object.entries(formats).flatMap(([format, values]) => tryEach(fieldOf(format), values))],
    "are held to their schema": [...thing, ...Object.entries(fields).flatMap(([name, [, values]]) => tryEach(name, values))],
    "may have stray fields, or not": [
      ...thing,
      ...["Strict", "Warn", "Ignore", "Bogus"].flatMap((how) => [
        post(`${tried}&${validation(how)}`, strayFields),
        post(`${tried}&${validation(how)}`, repeated),
        post(`${tried}&${validation(how)}`, { ...boat("a", {}), zz: 1, status: { a: 1 } }),
      ]),
      post(boats, boat("a", {})),
      mergePatch(`${one}?${validation("Strict")}`, { spec: { zz: 1 }, yy: 1 }),
      mergePatch(`${one}?${validation("Warn")}`, { spec: { zz: 1 }, metadata: { bogus: 1 } }),
      mergePatch(`${one}?${validation("Strict")}`, '{"spec":{"str":"ab","str":"abc"}}'),
      jsonPatch(`${one}?${validation("Strict")}`, [{ op: "add", path: "/spec/zz", value: 1 }]),
      put(`${one}?${validation("Strict")}`, (earlier) => ({ ...earlier.findLast(({ kind }) => kind === "Boat"), yy: 1 })),
    ],
    "stand in a body with a type and metadata": [
      ...thing,
      ...bodies(
        { metadata: null },
        { metadata: "x" },
        { metadata: [] },
        { metadata: {} },
        { metadata: { generateName: "a-" } },
        { apiVersion: 1 },
        { apiVersion: "" },
        { kind: null },
        { kind: "Boats" },
        { spec: null },
        { spec: "x" },
        { spec: [] },
        { extra: 1 },
      ),
      ...metadata(
        { name: 1 },
        { name: "a".repeat(254) },
        { namespace: "other" },
        { labels: { a: 1 } },
        { labels: [] },
        { labels: { "a b": "x" } },
        { labels: { a: null } },
        { labels: null, annotations: null },
        { annotations: { "A/b/c": "x" } },
        { finalizers: ["x", "a.b", "a.b/c", "orphan"] },
        { ownerReferences: [{ kind: "x" }] },
        { creationTimestamp: "x" },
        { creationTimestamp: null, uid: "x", generation: 5, resourceVersion: "" },
        { managedFields: [{ manager: "x" }] },
        { deletionTimestamp: "2020-01-01T00:00:00Z", selfLink: "x", clusterName: "x" },
      ),
      post(tried, "{}"),
      post(tried, "x", { "content-type": "text/plain" }),
      put(one, boat("a", {})),
      put(one, boat("a", {}, { resourceVersion: "1" })),
      post(boats, boat("a", {})),
      put(one, boat("b", {})),
      put(one, boat("a", {}, { uid: "x" })),
      mergePatch(one, { metadata: { name: "b" } }),
      mergePatch(one, { metadata: { labels: { "x y": "z" } } }),
      mergePatch(one, { metadata: { labels: 1 } }),
      mergePatch(one, { metadata: null }),
      mergePatch(one, { kind: "X" }),
      mergePatch(one, { apiVersion: "x/v1" }),
      jsonPatch(one, [{ op: "remove", path: "/spec" }]),
      jsonPatch(one, [{ op: "remove", path: "/spec/x" }]),
      jsonPatch(one, [{ op: "test", path: "/spec", value: 1 }]),
      jsonPatch(one, [{ op: "replace", path: "/metadata/labels", value: { a: 1 } }]),
      mergePatch(`${one}/status`, {}),
      get(`${one}/status`),
      get(`${one}/scale`),
      get(`${one}/bogus`),
      get(one, { accept: "text/html" }),
      get(one, { accept: "application/vnd.kubernetes.protobuf,application/json" }),
      get(boats, { accept: "application/vnd.kubernetes.protobuf, */*" }),
      plain("PATCH", one, { "content-type": "application/bogus" }, {}),
    ],
    "change their object's generation": [
      ...thing,
      apply(one, "one", boat("a", { str: "ab" })),
      mergePatch(one, { metadata: { labels: { a: "b" } } }),
      mergePatch(one, { spec: { str: "abc" } }),
      mergePatch(one, { spec: { str: "abc" } }),
      mergePatch(one, { spec: { zz: 1 } }),
      mergePatch(one, { metadata: { generation: 77 } }),
      mergePatch(one, { spec: null }),
      get(one),
    ],
  },
};
