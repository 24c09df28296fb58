/** What becomes of custom resources: rules held against them, versions they are read in, Tables, owners of their fields, watches. */
import { boat, boats, definition, definitions, group, object, served } from "../boats.ts";
import {
  apply,
  asMetadata,
  asMetadataList,
  asTable,
  forceApply,
  get,
  jsonPatch,
  mergePatch,
  post,
  put,
  remove,
  strategicPatch,
  type Theme,
  until,
  watch,
} from "../requests.ts";

const text = { type: "string" };
const whole = { type: "integer" };
const rules = (...of: readonly (string | object)[]) => ({
  "x-kubernetes-validations": of.map((rule) => (typeof rule === "string" ? { rule } : rule)),
});

const one = `${boats}/a`;
const tried = `${boats}?dryRun=All`;
const itself = `${definitions}/boats.${group}`;
const ready = until(boats, ({ kind }) => kind === "BoatList");
const latest = (earlier: readonly any[]) => earlier.findLast(({ kind }) => kind === "Boat");

const ruled = object(
  {
    spec: object(
      {
        lm: {
          type: "array",
          maxItems: 5,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["k"],
          items: object(
            { k: { type: "string", maxLength: 9 }, v: { type: "integer", ...rules({ rule: "self >= oldSelf", message: "shrinks" }) } },
            { required: ["k"] },
          ),
        },
        m: {
          type: "object",
          maxProperties: 5,
          additionalProperties: {
            type: "string",
            maxLength: 9,
            ...rules({ rule: "self != 'bad'", message: "bad\tvalue", reason: "FieldValueForbidden" }),
          },
        },
        o: object(
          { x: whole, "a-b": whole },
          rules(
            { rule: "self.x > 1", fieldPath: ".x", message: "x too small" },
            { rule: "!has(self.a__dash__b)", fieldPath: "['a-b']", reason: "FieldValueRequired" },
            { rule: "self.x != 5", reason: "FieldValueDuplicate", fieldPath: ".x" },
          ),
        ),
        e: {
          type: "string",
          maxLength: 20,
          ...rules(
            { rule: "self != 'a'", messageExpression: "self + '\\n'" },
            { rule: "self != 'b'", messageExpression: "''" },
            { rule: "self != 'c'", messageExpression: "'  '", message: "fallback" },
            { rule: "self != 'd'", messageExpression: "string(1 / (self.size() - 1))" },
            { rule: "self != 'e'", messageExpression: "'x' + self", message: "never" },
            {
              rule: "self != 'f'",
              messageExpression:
                "['x'].map(x, 'y'.replace('y', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'.replace('y', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')))[0]",
            },
          ),
        },
        run: {
          type: "string",
          maxLength: 20,
          ...rules(
            "self != 'div' || 1 / (self.size() - 3) == 1",
            "self != 'idx' || [1][self.size()] == 1",
            "self != 'int' || int(self) == 1",
            "self != 'ts' || timestamp(self) > timestamp('2020-01-01T00:00:00Z')",
            "self != 'q' || quantity(self + 'z').asInteger() == 1",
            "self != 'ip' || ip(self).family() == 4",
            "self != 'map' || {'a': 1}[self] == 1",
            "self != 'opt' || optional.ofNonZeroValue(self.size() - 3).value() == 1",
            "self != 're' || 'a'.matches(self + '[')",
          ),
        },
        d: { type: "string", format: "date-time", ...rules("self > timestamp('2020-01-01T00:00:00Z')") },
        du: { type: "string", format: "duration", ...rules("self < duration('1h')") },
        n: { type: "number", ...rules("self != 2.0", "self < 10.5") },
        ios: { "x-kubernetes-int-or-string": true, ...rules("type(self) == int ? self > 1 : self == 'x'") },
        nul: { type: "string", nullable: true, maxLength: 4, ...rules("self == 'x'") },
        by: { type: "string", format: "byte", ...rules("self == b'abc'") },
        emb: object(
          { spec: object({ y: whole }) },
          { "x-kubernetes-embedded-resource": true, ...rules({ rule: "self.metadata.name.startsWith('a')", message: "name" }) },
        ),
        any: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { x: whole }, ...rules("!has(self.x)") },
        opt: {
          type: "string",
          maxLength: 9,
          ...rules({ rule: "oldSelf.hasValue() || self == 'first'", optionalOldSelf: true, message: "first first" }),
        },
        set: {
          type: "array",
          maxItems: 4,
          items: { type: "string", maxLength: 4, ...rules("self != 'bad'") },
          "x-kubernetes-list-type": "set",
        },
        imm: { type: "string", ...rules({ rule: "self == oldSelf", message: "immutable" }) },
        enu: { type: "string", enum: ["x", "y"] },
      },
      rules({ rule: "!has(oldSelf.imm) || has(self.imm)", message: "imm stays" }, { rule: "!has(self.enu) || self.enu != 'y'" }),
    ),
  },
  rules(
    { rule: "self.metadata.name != 'forbidden'", message: "name taken" },
    { rule: "!has(self.metadata.generateName)", message: "no generate" },
  ),
);

/** What an object is made with, and the stricter schema that comes later. */
const loose = object({
  spec: object({
    a: text,
    b: object({ c: text, d: whole }),
    l: {
      type: "array",
      items: object({ k: text, v: text }, { required: ["k"] }),
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
    },
    at: { type: "array", items: object({ v: text }) },
    m: { type: "object", additionalProperties: text },
  }),
});
const strict = object({
  spec: object(
    {
      a: { type: "string", maxLength: 3, enum: ["x", "y"] },
      b: object({ c: { type: "string", pattern: "^z" }, d: whole }, { required: ["d"] }),
      l: {
        type: "array",
        maxItems: 1,
        items: object({ k: text, v: { type: "string", maxLength: 1 } }, { required: ["k"] }),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
      },
      at: { type: "array", items: object({ v: { type: "string", maxLength: 1 } }) },
      m: { type: "object", additionalProperties: { type: "string", maxLength: 1 } },
    },
    { ...rules("!has(self.a) || self.a != 'long'") },
  ),
});

const shared = object({
  spec: object({
    lm: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k", "p"],
      items: object({ k: text, p: { type: "string", default: "TCP" }, v: text }, { required: ["k"] }),
    },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    at: { type: "array", items: object({ v: text }) },
    am: object({ x: text, y: text }, { "x-kubernetes-map-type": "atomic" }),
    m: { type: "object", additionalProperties: text },
    any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    o: object({ x: text, d: { type: "string", default: "dd" } }),
    od: object({ x: { type: "string", default: "1" } }, { default: {} }),
    nul: { type: "string", nullable: true },
    emb: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
    ios: { "x-kubernetes-int-or-string": true },
    free: { "x-kubernetes-preserve-unknown-fields": true },
  }),
  status: object({
    r: whole,
    conditions: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: object({ type: text, status: text }, { required: ["type"] }),
    },
  }),
});
const sharing = served(shared, { subresources: { status: {} } });
const mine = (spec: unknown, more: object = {}) => ({ ...boat("a", spec), ...more });

const inVersion = (version: string): string => one.replace("/v1/", `/${version}/`);
const older = object({ spec: object({ a: text, b: text }), status: object({ x: text }) });
const newer = object({ spec: object({ a: text, b: text, c: { type: "string", default: "cc" } }), status: object({ x: text }) });
const several = definition(undefined, {
  versions: [
    { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: newer }, subresources: { status: {} } },
    { name: "v2", served: true, storage: false, schema: { openAPIV3Schema: older }, subresources: { status: {} } },
    {
      name: "v1beta1",
      served: true,
      storage: false,
      schema: { openAPIV3Schema: older },
      deprecated: true,
      additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".spec.a" }],
    },
    { name: "v1alpha1", served: true, storage: false, schema: { openAPIV3Schema: older }, deprecated: true, deprecationWarning: "too old" },
    { name: "v10", served: false, storage: false, schema: { openAPIV3Schema: older } },
  ],
});

const printed = {
  s: "x",
  n: 1.5,
  i: 5,
  b: true,
  l: [
    { k: "a", v: 1 },
    { k: "b", v: 2 },
  ],
  ls: ["p", "q"],
  o: { x: { y: "z" } },
  d: "2020-01-01T00:00:00Z",
  neg: -3,
  big: 12_345_678_901,
  "a.b": "dot",
  em: "",
  z: null,
  f: false,
  zero: 0,
};
const paths = [
  ".spec.l[*].k",
  ".spec.l[0].k",
  ".spec.l[-1].k",
  '.spec.l[?(@.k=="b")].v',
  ".spec.l[?(@.v>1)].k",
  ".spec.l[?(@.k=='zz')].v",
  ".spec.l[0:1].k",
  ".spec.l[7].k",
  ".spec['s']",
  ".spec['a.b']",
  ".spec['s','n']",
  ".spec.none.x",
  ".spec.o.*.y",
  "..y",
  ".spec.ls",
  ".spec.ls[*]",
  ".metadata.labels['a/b']",
  ".metadata.labels.a\\.b",
  ".metadata.creationTimestamp",
  ".metadata.name",
  ".spec.x[",
  ".metadata.name",
];
const columns = [
  ...["string", "integer", "number", "boolean", "date"].flatMap((type) =>
    Object.keys(printed).map((name) => ({ type, jsonPath: `.spec.${name.replace(".", "\\.")}` })),
  ),
  ...paths.map((jsonPath) => ({ type: "string", jsonPath })),
];
const printing = {
  additionalPrinterColumns: columns.map((column, index) => ({ ...column, name: `C${index}`, ...(index % 7 === 0 && { priority: index }) })),
};

const selector = object(
  {
    matchLabels: { type: "object", additionalProperties: text },
    matchExpressions: {
      type: "array",
      "x-kubernetes-list-type": "atomic",
      items: object(
        { key: text, operator: text, values: { type: "array", items: text, "x-kubernetes-list-type": "atomic" } },
        { required: ["key", "operator"] },
      ),
    },
  },
  { "x-kubernetes-map-type": "atomic" },
);
const quantity = {
  anyOf: [{ type: "integer" }, { type: "string" }],
  pattern: "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
  "x-kubernetes-int-or-string": true,
};
const conditions = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["type"],
  items: object(
    {
      type: {
        type: "string",
        maxLength: 316,
        pattern: "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
      },
      status: { type: "string", enum: ["True", "False", "Unknown"] },
      reason: { type: "string", minLength: 1, maxLength: 1024, pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" },
      message: { type: "string", maxLength: 32768 },
      lastTransitionTime: { type: "string", format: "date-time" },
      observedGeneration: { type: "integer", format: "int64", minimum: 0 },
    },
    { required: ["lastTransitionTime", "message", "reason", "status", "type"] },
  ),
};
/** As controller-gen writes it. */
const generated = object(
  {
    apiVersion: text,
    kind: text,
    metadata: { type: "object" },
    spec: object(
      {
        replicas: { type: "integer", format: "int32", default: 1, minimum: 0 },
        selector,
        size: quantity,
        maxUnavailable: { anyOf: [{ type: "integer" }, { type: "string" }], default: "25%", "x-kubernetes-int-or-string": true },
        resources: object({
          limits: { type: "object", additionalProperties: quantity },
          requests: { type: "object", additionalProperties: quantity },
        }),
        template: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        env: {
          type: "array",
          items: object({ name: text, value: text }, { required: ["name"] }),
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
        },
        ports: {
          type: "array",
          items: object(
            { port: { type: "integer", format: "int32" }, protocol: { type: "string", default: "TCP" } },
            { required: ["port"] },
          ),
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        paused: { type: "boolean" },
        strategy: object({ type: { type: "string", enum: ["A", "B"], default: "A" } }, { default: {} }),
      },
      { required: ["size"] },
    ),
    status: object({ replicas: whole, selector: text, conditions, observedGeneration: { type: "integer", format: "int64" } }),
  },
  { required: ["spec"] },
);
const generatedParts = {
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.selector" },
  },
  additionalPrinterColumns: [
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason', priority: 1 },
    { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
    { name: "Size", type: "string", jsonPath: ".spec.size" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};
const isReady = (status: string, more: object = {}) => ({
  type: "Ready",
  status,
  reason: "Ok",
  message: "",
  lastTransitionTime: "2020-01-01T00:00:00Z",
  ...more,
});
const inCluster = `/apis/${group}/v1/boats`;

export const customObjects: Theme = {
  name: "objects of custom resources",
  concurrent: true,
  scenarios: {
    "are held to rules": [
      ...served(ruled),
      ...[
        { e: "a" },
        { e: "b" },
        { e: "c" },
        { e: "d" },
        { e: "e" },
        { e: "f" },
        ...["div", "idx", "int", "ts", "q", "ip", "map", "opt", "re"].map((run) => ({ run })),
        { m: { "x.y": "bad" } },
        { m: { a: "ok", b: "bad" } },
        { o: { x: 1 } },
        { o: {} },
        { o: { x: 5 } },
        { o: { x: 3, "a-b": 1 } },
        { d: "2019-01-01T00:00:00Z" },
        { d: "x" },
        { du: "2h" },
        { n: 2 },
        { n: 2.0 },
        { n: 11 },
        { ios: 1 },
        { ios: "y" },
        { ios: true },
        { nul: null },
        { nul: "y" },
        { by: "YWJj" },
        { by: "YWI=" },
        { emb: { apiVersion: "v1", kind: "X", metadata: { name: "b" } } },
        { emb: { apiVersion: "v1", kind: "X" } },
        { emb: { apiVersion: "v1", kind: "X", metadata: { generateName: "a" } } },
        { any: { x: 1 } },
        { any: { y: 1 } },
        { opt: "second" },
        { opt: "first" },
        { set: ["a", "bad"] },
        { enu: "z", e: "a" },
        { enu: "y" },
      ].map((spec) => post(tried, boat("a", spec))),
      post(tried, boat("forbidden", {})),
      post(
        boats,
        boat("a", {
          lm: [
            { k: "x", v: 3 },
            { k: "y", v: 3 },
          ],
          imm: "1",
          opt: "first",
        }),
      ),
      mergePatch(one, {
        spec: {
          lm: [
            { k: "y", v: 2 },
            { k: "x", v: 4 },
          ],
        },
      }),
      mergePatch(one, { spec: { lm: [{ k: "z", v: 0 }] } }),
      mergePatch(one, { spec: { imm: "2" } }),
      mergePatch(one, { spec: { imm: null } }),
      mergePatch(one, { spec: null }),
      mergePatch(one, { spec: { opt: "third" } }),
    ],
    "are written by operators": [
      ...served(generated, generatedParts),
      get(boats, asMetadataList),
      post(boats, boat("a")),
      post(boats, boat("a", {})),
      post(boats, boat("a", { size: "1Gi", resources: { requests: { cpu: "x" } } })),
      post(
        boats,
        boat("a", {
          size: "1Gi",
          selector: { matchLabels: { a: "b" } },
          resources: { limits: { cpu: 1, memory: "1Gi" } },
          template: { metadata: { creationTimestamp: null }, spec: { containers: [{ name: "c" }] } },
          env: [{ name: "A", value: "1" }],
          ports: [{ port: 80 }],
        }),
      ),
      get(one, asTable),
      get(`${one}/scale`),
      put(`${one}/status`, (earlier) => ({ ...latest(earlier), status: { replicas: 1, selector: "a=b", conditions: [isReady("False")] } })),
      put(`${one}/status`, (earlier) => ({ ...latest(earlier), status: { conditions: [isReady("True"), isReady("True")] } })),
      mergePatch(`${one}/status`, { status: { conditions: [isReady("True", { lastTransitionTime: "x" })] } }),
      mergePatch(`${one}/status`, { status: { conditions: [isReady("True", { reason: "not ok" })] } }),
      mergePatch(`${one}/status`, { status: { conditions: [{ type: "Ready" }] } }),
      get(boats, asTable),
      get(`${one}/scale`),
      put(one, (earlier) => ({ ...latest(earlier), spec: { ...latest(earlier).spec, replicas: 5 } })),
      put(one, (earlier) => earlier.find(({ kind }) => kind === "Boat")),
      put(one, (earlier) => ({ ...latest(earlier), spec: {} })),
      apply(one, "operator", boat("a", { size: "1Gi", env: [{ name: "B", value: "2" }], ports: [{ port: 80, protocol: "UDP" }] })),
      forceApply(one, "operator", boat("a", { size: "2Gi", env: [{ name: "B", value: "2" }], selector: { matchLabels: { c: "d" } } })),
      apply(`${one}/status`, "operator", { ...boat("a"), status: { conditions: [isReady("True")] } }),
      forceApply(`${one}/status`, "operator", { ...boat("a"), status: { conditions: [isReady("True")] } }),
      apply(`${one}/status`, "operator", { ...boat("a"), status: {} }),
      mergePatch(one, { metadata: { finalizers: ["x.y/z"] } }),
      remove(one, { propagationPolicy: "Foreground" }),
      mergePatch(one, { spec: { replicas: 9 } }),
      mergePatch(one, { metadata: { finalizers: ["a.b/c", "foregroundDeletion", "x.y/z"] } }),
      mergePatch(`${one}/status`, { status: { replicas: 7 } }),
    ],
    "stand in the whole cluster": [
      post(definitions, definition(object({ spec: object({ a: text }) }), { scope: "Cluster" })),
      until(inCluster, ({ kind }) => kind === "BoatList"),
      apply(`${inCluster}/a`, "one", boat("a", { a: "x" })),
      post(inCluster, boat("b", {}, { namespace: "default" })),
      post(boats, boat("c", {})),
      get(one),
      get(`${inCluster}/a`),
      get(inCluster, asTable),
      get(`/apis/${group}/v1`),
      mergePatch(`${inCluster}/a`, { spec: { a: "y" } }),
      remove(`${inCluster}/a`),
    ],
    "stand in a namespace": [
      ...served(object({ spec: object({ a: text }) })),
      post(inCluster, boat("a")),
      get(`${inCluster}/a`),
      remove(inCluster),
      get(inCluster),
    ],
    "are not held to a later schema where they do not change": [
      ...served(loose),
      apply(
        one,
        "one",
        boat("a", {
          a: "long",
          b: { c: "y" },
          l: [
            { k: "1", v: "long" },
            { k: "2", v: "long" },
          ],
          at: [{ v: "long" }, { v: "x" }],
          m: { a: "long", b: "x" },
        }),
      ),
      mergePatch(itself, { spec: { versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: strict } }] } }),
      until(`/openapi/v3/apis/${group}/v1`, ({ components }) => JSON.stringify(components).includes('"maxItems":1')),
      mergePatch(one, { metadata: { labels: { a: "b" } } }),
      mergePatch(one, { spec: { a: "x" } }),
      mergePatch(one, { spec: { a: "longer" } }),
      mergePatch(one, { spec: { b: { d: 3 } } }),
      mergePatch(one, { spec: { b: { c: "q" } } }),
      mergePatch(one, {
        spec: {
          l: [
            { k: "2", v: "long" },
            { k: "1", v: "long" },
          ],
        },
      }),
      mergePatch(one, { spec: { l: [{ k: "2", v: "long" }] } }),
      mergePatch(one, { spec: { l: [{ k: "2", v: "longer" }] } }),
      mergePatch(one, { spec: { l: [{ k: "3", v: "long" }] } }),
      mergePatch(one, { spec: { at: [{ v: "long" }] } }),
      mergePatch(one, { spec: { at: [{ v: "long" }, { v: "x" }, { v: "y" }] } }),
      mergePatch(one, { spec: { m: { b: "y" } } }),
      mergePatch(one, { spec: { m: { c: "long" } } }),
      mergePatch(one, { spec: { m: { a: "longer" } } }),
    ],
    "are read in every version": [
      post(definitions, several),
      ready,
      get(`/apis/${group}`),
      ...["v1", "v2", "v1beta1", "v10"].map((version) => get(`/apis/${group}/${version}`)),
      apply(one, "one", boat("a", { a: "1", b: "2" })),
      get(inVersion("v2")),
      get(inVersion("v10")),
      get(inVersion("v1alpha1")),
      get(boats.replace("/v1/", "/v1beta1/"), asTable),
      mergePatch(inVersion("v2"), { spec: { a: "2" } }),
      get(one),
      apply(inVersion("v2"), "two", { ...boat("a", { a: "3" }), apiVersion: `${group}/v2` }),
      forceApply(inVersion("v2"), "two", { ...boat("a", { a: "3" }), apiVersion: `${group}/v2` }),
      mergePatch(`${inVersion("v2")}/status`, { status: { x: "y" } }),
      mergePatch(inVersion("v1beta1"), { spec: { b: "4" } }),
      get(one),
      post(boats, { ...boat("b", {}), apiVersion: `${group}/v2` }),
      remove(inVersion("v1beta1")),
    ],
    "are printed": [
      post(
        definitions,
        definition(
          object({ spec: object({ z: { type: "string", nullable: true } }, { "x-kubernetes-preserve-unknown-fields": true }) }),
          {},
          printing,
        ),
      ),
      ready,
      apply(one, "one", boat("a", printed, { labels: { "a/b": "lab", "a.b": "dot" } })),
      apply(`${boats}/e`, "one", boat("e", {})),
      get(boats, asTable),
      get(`${boats}?includeObject=None`, asTable),
      get(`${boats}?includeObject=Object`, asTable),
      get(one, asTable),
      get(one, asMetadata),
      get(boats, asMetadataList),
    ],
    "share their fields": [
      ...sharing,
      apply(
        one,
        "one",
        mine({
          lm: [{ k: "a" }, { k: "a", p: "UDP", v: "1" }],
          set: ["x", "y"],
          at: [{ v: "1" }],
          am: { x: "1" },
          m: { q: "1" },
          any: { z: { y: [1] } },
          o: { x: "1" },
          nul: null,
          emb: { apiVersion: "v1", kind: "Pod", metadata: { name: "e", labels: { a: "b" } }, spec: { z: 1 } },
          ios: "5",
          free: { a: [1] },
        }),
      ),
      apply(one, "two", mine({ lm: [{ k: "a", p: "TCP", v: "2" }], set: ["z"], m: { r: "2" }, o: {} })),
      apply(one, "two", mine({ at: [{ v: "2" }], am: { y: "2" } })),
      forceApply(one, "two", mine({ at: [{ v: "2" }], am: { y: "2" }, any: { z: { w: 1 } } })),
      apply(one, "one", mine({ set: ["y"], lm: [{ k: "a" }] })),
      apply(one, "bad", mine({ ios: true })),
      apply(one, "three", mine({ lm: null, set: null })),
      apply(`${one}/status`, "first", mine({ o: { x: "9" } }, { status: { r: 1, conditions: [{ type: "A", status: "True" }] } })),
      apply(`${one}/status`, "second", mine(undefined, { status: { conditions: [{ type: "A", status: "False" }] } })),
      apply(`${one}/status`, "second", mine(undefined, { status: { conditions: [{ type: "B", status: "False" }] } })),
      apply(one, "four", mine({ o: { x: "1" } }, { status: { r: 7 } })),
      mergePatch(`${one}/status`, { status: { r: 3 } }),
      mergePatch(one, { spec: { set: ["y", "n"], lm: [{ k: "a", v: "u" }] } }),
      put(one, (earlier) => ({ ...latest(earlier), spec: { m: { a: "b" } } })),
      apply(one, "", mine({})),
      apply(one, "one", { ...mine({}), metadata: { name: "b" } }),
      apply(one, "one", { ...mine({}), kind: "Bar" }),
      apply(one, "one", { ...mine({}), apiVersion: "v1" }),
      apply(one, "one", mine({}, { metadata: { name: "a", labels: { a: "b" }, annotations: { c: "d" }, finalizers: ["x.y/z"] } })),
      apply(one, "one", mine({}, { metadata: { name: "a", resourceVersion: "1" } })),
      apply(one, "one", mine({}, { metadata: { name: "a", uid: "1" } })),
      mergePatch(one, { metadata: { managedFields: [{}] } }),
      apply(one, "one", mine({ m: { z: "1" } })),
    ],
    "lose what nobody names": [
      ...served(
        object({
          spec: object({
            keyed: { type: "object", additionalProperties: object({ x: text, d: { type: "string", default: "dd" } }) },
            o: object({ x: text, d: { type: "string", default: "dd" }, p: object({ q: text, e: { type: "string", default: "ee" } }) }),
            any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          }),
          other: text,
        }),
      ),
      apply(
        one,
        "one",
        mine({ keyed: { k: { x: "1" }, l: {} }, o: { p: { q: "1" } }, any: { a: { b: { c: 1 } }, l: [{ x: 1 }], e: {}, n: null } }),
      ),
      apply(one, "two", mine({ keyed: { k: { d: "z" } } })),
      forceApply(one, "two", mine({ keyed: { k: { d: "z" } }, any: { a: { b: { d: 2 } } } })),
      apply(one, "one", mine({ keyed: { l: { x: "2" } }, any: { a: {} } })),
      apply(one, "one", mine(undefined, { other: "x" })),
      apply(one, "two", mine(undefined)),
      apply(one, "one", mine(undefined)),
    ],
    "are patched in all their parts": [
      ...served(shared, {
        subresources: { status: {}, scale: { specReplicasPath: ".spec.any.replicas", statusReplicasPath: ".status.r" } },
      }),
      post(boats, boat("a", { set: ["x"], nul: "x", any: { replicas: 2 } })),
      mergePatch(one, { spec: { nul: null, set: null, m: { a: null, b: "1" } } }),
      mergePatch(one, { spec: { lm: [{ k: "x" }], od: null, o: {} } }),
      jsonPatch(one, [
        { op: "add", path: "/spec/set", value: ["q"] },
        { op: "add", path: "/spec/set/-", value: "r" },
        { op: "test", path: "/spec/set/0", value: "q" },
      ]),
      jsonPatch(one, [
        { op: "copy", from: "/spec/set", path: "/spec/free" },
        { op: "move", from: "/spec/nul", path: "/spec/ios" },
      ]),
      jsonPatch(one, [{ op: "bogus", path: "/x" }]),
      jsonPatch(one, [{ op: "add", path: "/spec/q/r/s", value: 1 }]),
      jsonPatch(one, [{ op: "add", path: "/status", value: { r: 4 } }]),
      jsonPatch(`${one}/status`, [
        { op: "add", path: "/status", value: { r: 4 } },
        { op: "add", path: "/spec/m", value: { g: "h" } },
      ]),
      mergePatch(`${one}/status`, { status: { r: "x" } }),
      mergePatch(`${one}/status`, { status: null }),
      put(`${one}/status`, (earlier) => ({ ...latest(earlier), status: { r: 1, zz: 1 }, spec: {} })),
      get(`${one}/scale`),
      mergePatch(`${one}/scale`, { spec: { replicas: 7 } }),
      jsonPatch(`${one}/scale`, [{ op: "replace", path: "/spec/replicas", value: 8 }]),
      strategicPatch(`${one}/scale`, { spec: { replicas: 3 } }),
      put(`${one}/scale`, { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "b" }, spec: { replicas: 4 } }),
      put(`${one}/scale`, { metadata: { name: "a", resourceVersion: "1" }, spec: { replicas: 4 } }),
      mergePatch(`${one}/scale`, { spec: { replicas: "x" } }),
      mergePatch(one, { spec: { any: null } }),
      get(`${one}/scale`),
      get(`${one}/scale`, asTable),
      get(`${one}/status`, asTable),
      post(`${one}/status`, {}),
      remove(`${one}/status`),
    ],
    "are watched and selected": [
      ...served(shared, {
        subresources: { status: {} },
        selectableFields: [{ jsonPath: ".spec.o.x" }, { jsonPath: ".spec.nul" }],
        additionalPrinterColumns: [{ name: "N", type: "string", jsonPath: ".spec.nul" }],
      }),
      watch(boats, 3, [post(boats, boat("a", { nul: "1" })), mergePatch(one, { spec: { nul: "2" } }), remove(one)]),
      watch(`${boats}?fieldSelector=spec.nul%3D1`, 3, [
        post(boats, boat("a", { nul: "1" })),
        mergePatch(one, { spec: { nul: "2" } }),
        mergePatch(one, { spec: { nul: "1" } }),
      ]),
      watch(boats, 3, [post(boats, boat("b", { nul: "1" })), mergePatch(`${boats}/b`, { spec: { nul: "2" } })], asTable),
      watch(boats, 3, [post(boats, boat("c", { nul: "1" }))], asMetadata),
      post(boats, boat("d", { nul: "dd", o: { x: "y" } })),
      get(`${boats}?fieldSelector=spec.o.x%3Dy`),
      get(`${boats}?fieldSelector=spec.o.x!%3Dy,spec.nul!%3Ddd`),
      get(`${boats}?fieldSelector=spec.o.x%3D`),
      get(`${boats}?fieldSelector=spec.o.d%3Dy`),
      get(`${boats}?fieldSelector=spec.nul`),
      get(`/apis/${group}/v1/boats?fieldSelector=spec.nul%3Ddd`),
      remove(`${boats}?fieldSelector=spec.nul%3Ddd`),
      remove(`${boats}?dryRun=All`),
      remove(boats, { propagationPolicy: "Bogus" }),
      remove(boats, { gracePeriodSeconds: 0, propagationPolicy: "Foreground" }),
      get(boats),
      remove(`${boats}/zz`),
    ],
  },
};
