/** The cases that Kubernetes' own code is asked, with one line of reason where the input does not tell. */

export interface Case {
  readonly op: "quantity" | "yaml" | "labels" | "fields" | "strategic" | "merge" | "patch" | "object";
  readonly input: string;
  /** labels to match, or the patch */
  readonly other?: string;
  readonly kind?: { readonly Group: string; readonly Version: string; readonly Kind: string };
}

const words = (text: string): string[] => text.trim().split(/\s+/);
const json = (value: unknown): string => JSON.stringify(value);

const quantities = [
  ...words("0 1 01 00 +1 -1 + m . 1. .5 0.5 1.5 1.500 12.345 0.001 1500m 1000m 1000 1000k 100m 0.1m 1n 0.5n 0.1n 1u -0.5 -0"),
  ...words("1Ki 1024 1024Ki 1024Mi 2048Mi 1.5Gi 0.5Gi 1.1Gi 100Mi 128974848 129M 123Mi 8Ei 7Ei 9Ei 0.0001Ki 1.Mi .5Mi 0Mi -1.5Gi"),
  ...words("1e3 1E3 12e6 1e-3 1.5e-3 1E 2E 1e 1e+2 9223372036854775807 9223372036854775808 99999999999999999999 1.2.3 1x 1KI 1mi 10k5"),
  "",
  " 1",
];

const scalars = [
  ...words("0644 0o644 0x1F 0b11 -0b11 1_000 017 08 09.5 0 00 -0 +5 -5 1e3 1E3 1e+3 1.5e-3 .5 -.5 5. 0.1 1.10 1.0 1:30 190:20:30"),
  ...words("yes Yes YES no No on On off OFF y Y n N true True TRUE tRue false null Null ~ nulL .nan1 -.inf1 1e999 0x 0xg _1 1_ 1__2 - "),
  ...words("9223372036854775807 9223372036854775808 18446744073709551615 -9223372036854775808 12345678901234567890123"),
  ...words("2001-01-01 2001-01-01T00:00:00Z 2001-1-1 12:30:45 abc '5' 'yes' \"null\" \"0x1F\" = a=b 1.2.3"),
  "",
  "!!str 5",
  '!!int "5"',
  "!!float 5",
  "!!bool yes",
  "!!binary aGVsbG8=",
  "!!int x",
  "!!null x",
  "!custom 5",
].map((scalar) => `a: ${scalar}\n`);

const documents = [
  "",
  "---\na: 1\n---\nb: 2\n",
  "a: 1\na: 2\n",
  "spec:\n  x: 1\n  z: 2\n  x:\n    w: 3\nspec: 4\n",
  "a: &x {b: 1}\nc: *x\n",
  "a: &x {b: 1, e: 5}\nc:\n  <<: *x\n  d: 2\n  b: 3\n",
  "a: &x {b: 1}\nb: &z {b: 2, c: 3}\nc:\n  <<: [*x, *z]\n",
  "1: a\n2.5: b\ntrue: c\nno: d\n",
  "? [a]\n: b\n",
  "a: |\n  x\n  z\nb: >-\n  x\n  z\n\n  w\n",
  "- a\n- b: c\n  d: e\n-\n",
  "a: *x\n",
  "a: &x [*x]\n",
  "a:\n\t- b\n",
  '{"a": 1, "b": [1.0, true]}',
  '{"a": 1, "a": 2}',
];

const labelSets = [{}, { a: "b" }, { a: "1", x: "5" }, { a: "", in: "in" }, { "example.com/a": "b" }];
const labelSelectors = [
  "",
  ...words("a !a a=b a==b a!=b a> a>0 a<5 a= a=b,c a, a,,b , a=b=c ! !!a a/b/c=d -a=b a=- a===b a=!b example.com/a=b"),
  "a in (b,c)",
  "a notin (b)",
  "a in ()",
  "a in (,b)",
  "a in (b",
  "a in b",
  "in in (in)",
  "z=1, a = b",
  `a=${"x".repeat(64)}`,
];
const fieldSelectors = ["", ...words("metadata.name=a a==b a!=b a=b,c!=d a a=b=c a=b\\,c a=b\\x a=b\\ ,")];

const deployment = (spec: object, metadata: object = {}) => json({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
const withContainers = (...containers: object[]) => deployment({ template: { spec: { containers } } });
const containersPatch = (containers: object[], order?: string[]) =>
  json({
    spec: {
      template: { spec: { containers, ...(order && { "$setElementOrder/containers": order.map((name) => ({ name })) }) } },
    },
  });
const two = withContainers({ name: "a", image: "1", env: [{ name: "X", value: "1" }] }, { name: "b", image: "1", args: ["p", "q"] });
const ports = withContainers({
  name: "a",
  ports: [
    { containerPort: 80, protocol: "TCP" },
    { containerPort: 53, protocol: "UDP" },
  ],
});
const finalizers = deployment({}, { finalizers: ["a", "b", "c"], labels: { x: "1", z: "2" } });
const recreate = { type: "Recreate" };
const rolling = deployment({ strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } });
const volumes = deployment({ template: { spec: { volumes: [{ name: "a", emptyDir: {} }] } } });

const strategic: readonly (readonly [object: string, patch: string])[] = [
  [two, containersPatch([{ name: "b", image: "2" }])],
  [two, containersPatch([{ name: "c", image: "2" }])],
  [two, containersPatch([{ name: "a", $patch: "delete" }])],
  [two, containersPatch([{ name: "z" }, { $patch: "replace" }])],
  [two, containersPatch([{ name: "a", $patch: "replace", image: "9" }])],
  [two, containersPatch([{ $patch: "merge", name: "a" }])],
  [two, containersPatch([{ $patch: "burn", name: "a" }])],
  [two, containersPatch([{ image: "2" }])],
  [two, containersPatch([{ name: "b", args: ["r"] }])],
  [
    two,
    containersPatch([
      {
        name: "a",
        env: [
          { name: "Y", value: "2" },
          { name: "X", value: null },
        ],
      },
    ]),
  ],
  [two, containersPatch([{ name: "c" }], ["b", "c", "a"])],
  [two, containersPatch([{ name: "c" }], ["c", "b"])],
  [two, containersPatch([{ name: "c" }, { name: "b" }], ["b", "c"])],
  [two, containersPatch([{ name: "a", $patch: "delete" }, { name: "c" }], ["c"])],
  [two, json({ spec: { template: { spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] } } } })],
  [ports, containersPatch([{ name: "a", ports: [{ containerPort: 80, protocol: "UDP" }] }])],
  [finalizers, json({ metadata: { finalizers: ["d", "a"] } })],
  [finalizers, json({ metadata: { "$deleteFromPrimitiveList/finalizers": ["b", "z"] } })],
  [
    finalizers,
    json({
      metadata: {
        "$deleteFromPrimitiveList/finalizers": ["b"],
        "$setElementOrder/finalizers": ["d", "c", "a"],
        finalizers: ["d"],
      },
    }),
  ],
  [finalizers, json({ metadata: { $deleteFromPrimitiveList: ["b"] } })],
  [finalizers, json({ metadata: { finalizers: null, labels: { x: null, w: "3" } } })],
  [finalizers, json({ metadata: { labels: { $patch: "replace", w: "3" } } })],
  [finalizers, json({ metadata: { labels: { $patch: "delete" } } })],
  [finalizers, json({ metadata: { annotations: { a: "b", c: null } } })],
  [rolling, json({ spec: { strategy: { $retainKeys: ["type"], ...recreate } } })],
  [rolling, json({ spec: { strategy: { ...recreate, rollingUpdate: null } } })],
  [rolling, json({ spec: { strategy: { $retainKeys: ["x"], ...recreate } } })],
  [rolling, json({ spec: { strategy: { $patch: "replace", ...recreate } } })],
  [
    volumes,
    json({ spec: { template: { spec: { volumes: [{ name: "a", $retainKeys: ["name", "secret"], secret: { secretName: "s" } }] } } } }),
  ],
  [volumes, json({ spec: { template: { spec: { tolerations: [{ key: "x" }] } } } })],
];

const document = json({ a: 1, b: [{ k: 1 }, "x", null], c: { d: [1], "/x": 1, "~y": 2 }, e: null });
const operations: readonly (readonly object[])[] = [
  [{ op: "add", path: "/b/1", value: 7 }],
  [{ op: "add", path: "/b/-", value: 7 }],
  [{ op: "add", path: "/b/-1", value: 7 }],
  [{ op: "add", path: "/b/9", value: 7 }],
  [{ op: "add", path: "/x/y", value: 7 }],
  [{ op: "add", path: "/new", value: { a: null } }],
  [{ op: "add", path: "/new" }],
  [{ op: "remove", path: "/c/d/0" }],
  [{ op: "remove", path: "/nothing" }],
  [{ op: "replace", path: "/c/~1x", value: 2 }],
  [{ op: "replace", path: "/c/~0y", value: 2 }],
  [{ op: "replace", path: "/missing", value: 2 }],
  [{ op: "replace", path: "/b/9", value: 2 }],
  [{ op: "replace", path: "", value: { whole: true } }],
  [{ op: "move", from: "/c/d", path: "/b/0/moved" }],
  [{ op: "move", from: "/nothing", path: "/b" }],
  [{ op: "copy", from: "/c", path: "/b/0" }],
  [{ op: "test", path: "/c", value: { "~y": 2, "/x": 1, d: [1] } }],
  [{ op: "test", path: "/a", value: 2 }],
  [{ op: "test", path: "/e", value: null }],
  [{ op: "test", path: "/nothing" }],
  [{ op: "bogus", path: "/a" }],
  [{ op: "add", value: 1 }],
];

const merges: readonly (readonly [object, object])[] = [
  [
    { a: 1, b: { c: 2, d: 3 } },
    { a: null, b: { c: null, e: 4 } },
  ],
  [{ a: [1, 2] }, { a: { b: null, c: [null, { d: null }] } }],
  [{ a: { b: 1 } }, { a: [{ c: null }] }],
  [{}, { a: { b: null, c: { d: null } }, e: null }],
  [{ a: "x" }, { a: { b: null } }],
];

const pod = (spec: object, metadata: object = {}) => json({ apiVersion: "v1", kind: "Pod", metadata: { name: "p", ...metadata }, spec });
const rawPod = (spec: string) => `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":${spec}}`;
const schema = {
  type: "object",
  required: ["a"],
  properties: {
    a: { type: "string", minLength: 0, default: "x", enum: ["x", 1, null, { b: 1.5 }], nullable: true },
    b: { type: "array", items: { type: "integer", minimum: 0, maximum: 1.5 }, "x-kubernetes-list-type": "set" },
    c: { additionalProperties: true, "x-kubernetes-preserve-unknown-fields": true },
    d: { additionalProperties: false },
    e: { additionalProperties: { type: "string" }, $ref: "r" },
    f: { items: [{ type: "string" }, { type: "integer" }], dependencies: { x: ["a", "b"], z: { type: "object" } } },
    g: { "x-kubernetes-int-or-string": true, "x-kubernetes-validations": [{ rule: "self > 0", optionalOldSelf: false }] },
  },
};

const objects = [
  pod({ containers: [{ name: "c", image: "i" }] }),
  // canonical values
  pod({ containers: [{ name: "c", resources: { limits: { cpu: "0.5", memory: "1024Mi" }, requests: { cpu: 1, memory: "1e3" } } }] }),
  // zero values, nulls and empty collections
  pod(
    {
      containers: [{ name: "", env: [], args: null, stdin: false, ports: [{ containerPort: 0 }], livenessProbe: {} }],
      volumes: [{ name: "v", emptyDir: {} }],
      hostNetwork: false,
      terminationGracePeriodSeconds: 0,
      nodeSelector: {},
      priority: null,
    },
    { labels: { a: null }, annotations: {}, creationTimestamp: null, generation: 0 },
  ),
  // unknown fields
  pod(
    { bogus: 1, containers: [{ name: "c", zz: {}, env: [{ name: "a", q: 1 }] }], volumes: [{ name: "v", secret: { x: 1 } }] },
    { foo: 1 },
  ),
  // integers beyond what a double holds
  rawPod('{"containers":[],"activeDeadlineSeconds":9223372036854775807,"terminationGracePeriodSeconds":-9007199254740993}'),
  rawPod('{"containers":[],"activeDeadlineSeconds":9223372036854775808}'),
  rawPod('{"containers":[],"priority":1.0}'),
  rawPod('{"containers":[],"priority":1e3}'),
  rawPod('{"containers":[],"priority":3000000000}'),
  // duplicate fields
  rawPod('{"containers":[{"name":"a","name":"b"}],"nodeName":"x","nodeName":"y"}'),
  // wrong types
  pod({ containers: {} }),
  pod({ containers: ["x"] }),
  pod({ containers: [{ name: 5 }] }),
  pod({ containers: [{ name: "c", imagePullPolicy: true }] }),
  pod({ containers: [{ name: "c", resources: { limits: { cpu: "much" } } }] }),
  pod({ containers: [{ name: "c", resources: { limits: { cpu: "1zi" } } }] }),
  pod({ containers: [{ name: "c", resources: { limits: { cpu: true } } }] }),
  pod({ containers: [{ name: "c", livenessProbe: { httpGet: { port: false } } }] }),
  pod({ containers: [], volumes: [{ name: "v", emptyDir: "x" }] }),
  pod({ containers: [], nodeSelector: { a: 1 } }),
  pod({ containers: [], hostNetwork: "yes" }),
  pod({ containers: [], nodeName: ["x"] }),
  pod("spec" as unknown as object),
  pod({}, { creationTimestamp: "yesterday" }),
  pod({}, { creationTimestamp: "2026-02-30T00:00:00Z" }),
  pod({}, { creationTimestamp: 5 }),
  // times
  pod({ containers: [] }, { creationTimestamp: "2026-01-02T03:04:05.999+02:00", deletionTimestamp: "2026-01-02T03:04:05Z" }),
  json({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "l" },
    spec: { acquireTime: "2026-01-02T03:04:05.123456+01:00", renewTime: "2026-01-02T03:04:05.000000Z", leaseDurationSeconds: 0 },
  }),
  json({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", spec: { renewTime: "2026-01-02T03:04:05Z" } }),
  json({ apiVersion: "events.k8s.io/v1", kind: "Event", metadata: { name: "e" }, eventTime: "2026-01-02T03:04:05.100000Z" }),
  // bytes
  json({ apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "aGk=", b: "", c: "a\nGk=" }, type: "Opaque" }),
  json({ apiVersion: "v1", kind: "Secret", data: { a: "aGk" } }),
  json({ apiVersion: "v1", kind: "Secret", data: { a: "a*k=" } }),
  json({ apiVersion: "v1", kind: "Secret", data: { a: 5 } }),
  // other encodings
  deployment({
    replicas: 0,
    minReadySeconds: 0,
    selector: { matchLabels: { a: "b" } },
    strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
    template: {
      metadata: { labels: { z: "ü", a: "a text that is longer than twenty-four characters: ☃" } },
      spec: { containers: [{ name: "c" }] },
    },
  }),
  json({ apiVersion: "apps/v1", kind: "ControllerRevision", metadata: { name: "r" }, data: { b: 1, a: null }, revision: 5 }),
  json({ apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { ports: [{ port: 80, targetPort: "http" }, { port: 81 }] } }),
  json({
    apiVersion: "v1",
    kind: "PodList",
    metadata: { resourceVersion: "5", remainingItemCount: 3 },
    items: [{ metadata: { name: "a" } }],
  }),
  json({ apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0, preconditions: { uid: "u" }, propagationPolicy: "Background" }),
  json({ apiVersion: "apps/v1", kind: "DeleteOptions", orphanDependents: false }),
  json({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" }, deleteOptions: { dryRun: ["All"] } }),
  json({ apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { kind: "Node", name: "n" } }),
  json({ apiVersion: "autoscaling/v1", kind: "Scale", spec: { replicas: 3 }, status: { replicas: 0, selector: "a=b" } }),
  json({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: ["a"], expirationSeconds: 600 } }),
  json({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user: "u", extra: { b: ["1", "2"], a: [] }, resourceAttributes: { verb: "get", resource: "pods" } },
  }),
  json({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "NotFound", details: { name: "x" }, code: 404 }),
  json({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "as.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "as", kind: "A" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } }],
    },
  }),
  json({
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: "v1.x" },
    spec: { group: "x", version: "v1", versionPriority: 2, groupPriorityMinimum: 0 },
  }),
];

const deploymentKind = { Group: "apps", Version: "v1", Kind: "Deployment" };

export const cases: readonly Case[] = [
  ...quantities.map((input) => ({ op: "quantity" as const, input })),
  ...[...scalars, ...documents].map((input) => ({ op: "yaml" as const, input })),
  ...labelSelectors.flatMap((input) => labelSets.map((set) => ({ op: "labels" as const, input, other: json(set) }))),
  ...fieldSelectors.map((input) => ({ op: "fields" as const, input })),
  ...strategic.map(([input, other]) => ({ op: "strategic" as const, input, other, kind: deploymentKind })),
  ...operations.map((each) => ({ op: "patch" as const, input: document, other: json(each) })),
  ...merges.map(([input, other]) => ({ op: "merge" as const, input: json(input), other: json(other) })),
  ...objects.map((input) => ({ op: "object" as const, input })),
];
