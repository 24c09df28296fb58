/** Values that nobody sends by accident, and ways to spoil what was right. */
import type { Chance } from "./random.ts";

const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}${close.repeat(depth)}`;

/** Strings for places where a name, a path segment or a selector belongs. */
export const strings: readonly string[] = [
  "",
  " ",
  ".",
  "..",
  "/",
  "//",
  "%",
  "%2f",
  "%00",
  "\u0000",
  "\n",
  "a\r\nx-injected: 1",
  "-",
  "UPPER",
  "ünïcödé",
  "👻",
  "\ud800",
  "a".repeat(64),
  "a".repeat(254),
  "a".repeat(20_000),
  "a.".repeat(5_000),
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "null",
  "undefined",
  "NaN",
  "-1",
  "0",
  "1e999",
  "9223372036854775807",
  "9223372036854775808",
  "99999999999999999999999999",
  "0x10",
  "true",
  "${jndi:ldap://x}",
  "'; DROP TABLE pods;--",
  "<script>alert(1)</script>",
  "../../etc/passwd",
  "{{7*7}}",
  "(a+)+$",
  "*",
  "?watch=true",
  "system:masters",
];

/** Selectors of labels and fields. */
export const selectors: readonly string[] = [
  ...strings,
  "a in (",
  "a in ()",
  "a in (b,c",
  "a notin ((b))",
  "!",
  "!!a",
  "!a,!b,!c",
  "a=b=c",
  "a==",
  "a>1",
  "a<x",
  ",",
  ",,,,",
  "a,".repeat(5_000),
  `a in (${"b,".repeat(5_000)}b)`,
  "(".repeat(1_000),
  "metadata.name=a,metadata.name=b",
  "metadata.name!=",
  "metadata.nope=1",
  "spec.nodeName==x,status.phase!=y",
  "a\\=b=c\\",
];

/** JSON values for places where something else belongs. */
export const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  "",
  "x",
  "a".repeat(70_000),
  [],
  [null],
  [[]],
  {},
  { a: null },
  { $patch: "delete" },
  { $patch: "nonsense" },
  { $retainKeys: 1 },
  { "": "" },
  JSON.parse('{"__proto__": {"polluted": true}}'),
  { constructor: { prototype: { polluted: true } } },
  ...strings.slice(0, 20),
];

/** Whole bodies that are wrong from the first byte, or expand beyond measure. */
export const bodies: readonly string[] = [
  "",
  " ",
  "null",
  "[]",
  '"text"',
  "42",
  "{",
  "}",
  '{"a":',
  '{"a":1,"a":2}',
  "\u0000\u0001\u0002",
  "k8s\u0000",
  nested('{"a":', "}", 20_000),
  nested("[", "]", 100_000),
  `${'{"a":'.repeat(900)}1${"}".repeat(900)}`,
  "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]",
  "a: &a\n  b: *a",
  "*x",
  "<<: *x",
  "- - - - - - - -",
  "!!js/function 'x'",
  "---\n---\n---",
  `${"- ".repeat(5_000)}x`,
  "? {a: b}\n: c",
  "a: .inf",
  '{"metadata":{"annotations":{"a":1}}}',
  `{"n": ${"9".repeat(5_000)}}`,
  `{"n": 1e${"9".repeat(400)}}`,
  `{"s":"${"\\u0000".repeat(2_000)}"}`,
];

export const contentTypes: readonly string[] = [
  "",
  "application/json",
  "application/json; charset=utf-8",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "text/plain",
  "application/cbor",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  ";",
  '"',
  `application/json; ${"a=b;".repeat(2_000)}`,
];

export const accepts: readonly string[] = [
  "",
  "*/*",
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/vnd.kubernetes.protobuf;stream=watch",
  "application/json;as=Table;g=meta.k8s.io;v=v1",
  "application/json;as=Table;g=meta.k8s.io;v=v9",
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
  "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  "text/html",
  "application/json;q=0",
  "application/json;q=x",
  ",,,,",
  ";;;;",
  '"'.repeat(3_001),
  "a/b,".repeat(3_000),
  'a/b;c="d,e",'.repeat(1_000),
];

export const tokens: readonly string[] = [
  "",
  "wrong",
  "a.b.c",
  "e30.e30.AAAA",
  `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from('{"iss":"https://kubernetes.default.svc.cluster.local","sub":"x"}').toString("base64url")}.AA`,
  `${Buffer.from('{"alg":"ES256","kid":"x"}').toString("base64url")}.${Buffer.from('{"iss":"kubernetes/serviceaccount"}').toString("base64url")}.AA`,
  "x".repeat(100_000),
  "....",
];

/** Swaps, drops and repeats bytes. */
export function spoilBytes(bytes: Uint8Array, dice: Chance): Uint8Array {
  const spoilt = Buffer.from(bytes);
  if (spoilt.length === 0) return Buffer.from([dice.below(256)]);
  switch (dice.below(4)) {
    case 0:
      return spoilt.subarray(0, dice.below(spoilt.length));
    case 1: {
      const at = dice.below(spoilt.length);
      return Buffer.concat([spoilt.subarray(0, at), spoilt.subarray(dice.below(at + 1))]);
    }
    default: {
      for (let times = 1 + dice.below(8); times > 0; times--) spoilt[dice.below(spoilt.length)] = dice.below(256);
      return spoilt;
    }
  }
}

/** A copy in which one part is something else. */
export function spoilValue(value: unknown, dice: Chance): unknown {
  if (typeof value !== "object" || value === null || dice.in(6)) return dice.one(values);
  if (Array.isArray(value)) {
    if (value.length === 0 || dice.in(5)) return [...value, dice.one(values)];
    const at = dice.below(value.length);
    return dice.in(6) ? [...value, ...value] : value.map((item, index) => (index === at ? spoilValue(item, dice) : item));
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || dice.in(8)) return { ...value, [dice.one(strings)]: dice.one(values) };
  const at = dice.one(keys);
  if (dice.in(10)) {
    const { [at]: _dropped, ...rest } = value as Record<string, unknown>;
    return rest;
  }
  return { ...value, [at]: spoilValue((value as Record<string, unknown>)[at], dice) };
}
