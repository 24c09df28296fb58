import { describe, expect, it } from "vitest";
import { builtinSchema, definitionOf } from "../../shared/api/builtin-schemas.ts";
import { completeObject, type DecodedObject, DecodeError, decodeObject } from "../../shared/api/codec.ts";
import { parseJson } from "../../shared/api/json.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import type { ObjectNode } from "../../shared/api/schema.ts";
import { comparable, titled, vectors } from "./vectors/vectors.ts";

const schemaOf = ({ apiVersion, kind }: JsonObject): ObjectNode => builtinSchema(definitionOf(String(apiVersion), String(kind)) ?? "");
const decode = (text: string): DecodedObject & { schema: ObjectNode; duplicates: readonly string[] } => {
  const { value, duplicates } = parseJson(text);
  const schema = schemaOf(value as JsonObject);
  return { ...decodeObject(schema, value as JsonObject), schema, duplicates };
};
const pod = (spec: object, metadata: object = {}): string => JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec });

describe("decoding a body", () => {
  const all = titled(vectors("object"));

  it.each(all.filter(({ answer }) => !answer.error))("gives what Go's types give: $title", ({ input, answer }) => {
    const { object, schema, unknownFields, duplicates } = decode(input);
    expect(comparable(completeObject(schema, object))).toEqual(comparable(answer.value));
    const problems = [...unknownFields.map((path) => `unknown field "${path}"`), ...duplicates];
    expect(problems.toSorted()).toEqual((answer.problems ?? []).toSorted());
  });

  it.each(all.filter(({ answer }) => answer.error))("refuses a wrong type in Go's words: $title", ({ input, answer }) => {
    expect(() => decode(input)).toThrow(new DecodeError(answer.error));
  });

  it("leaves the body as it was", () => {
    const body = parseJson(pod({ containers: [{ name: "a", env: null, zz: 1, resources: { limits: { cpu: "0.5" } } }] }))
      .value as JsonObject;
    const before = JSON.stringify(body);
    decodeObject(schemaOf(body), body);
    expect(JSON.stringify(body)).toBe(before);
  });

  it("names unknown fields by their path, in the order of the body", () => {
    const { unknownFields } = decode(
      pod({ foo: 1, containers: [{ name: "a" }, { name: "b", bar: {} }], volumes: [{ name: "v", csi: { x: 1 } }] }, { y: 1 }),
    );
    expect(unknownFields).toEqual(["metadata.y", "spec.foo", "spec.containers[1].bar", "spec.volumes[0].csi.x"]);
  });

  it("keeps the order of fields", () => {
    const text = '{"kind":"ConfigMap","apiVersion":"v1","data":{"b":"1","a":"2"},"metadata":{"name":"x"}}';
    expect(JSON.stringify(decode(text).object)).toBe(text);
  });

  it("keeps zero where Go has a pointer and drops it where it has none", () => {
    const { object } = decode(
      JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", spec: { replicas: 0, minReadySeconds: 0, paused: false } }),
    );
    expect(object["spec"]).toEqual({ replicas: 0 });
  });

  it("keeps free-form JSON as it is, nulls and numbers included", () => {
    const text = '{"apiVersion":"apps/v1","kind":"ControllerRevision","data":{"b":null,"a":[1.0,{}]},"revision":1}';
    expect(JSON.stringify(decode(text).object)).toBe(text);
  });

  it("keeps what is unknown where a schema says so", () => {
    const schema: ObjectNode = { type: "object", fields: new Map(), required: new Set(), preserveUnknown: true, atomic: false };
    expect(decodeObject(schema, { a: null, b: 1 })).toEqual({ object: { a: null, b: 1 }, unknownFields: [] });
  });
});

describe("trap 3: a canonical form for every value", () => {
  it.each([
    [
      "a quantity",
      { containers: [{ name: "c", resources: { limits: { cpu: "0.5", memory: "1024Mi" } } }] },
      "spec.containers.0.resources.limits",
      { cpu: "500m", memory: "1Gi" },
    ],
    [
      "an integer or text",
      { containers: [{ name: "c", livenessProbe: { tcpSocket: { port: "http" } } }] },
      "spec.containers.0.livenessProbe.tcpSocket",
      { port: "http" },
    ],
  ])("%s", (_, spec, path, expected) => {
    const found = path.split(".").reduce<unknown>((value, key) => (value as JsonObject)[key], decode(pod(spec)).object);
    expect(found).toEqual(expected);
  });

  it("times in whole seconds of UTC", () => {
    const { object } = decode(pod({}, { creationTimestamp: "2026-01-02T03:04:05.999+02:00" }));
    expect(object["metadata"]).toEqual({ creationTimestamp: "2026-01-02T01:04:05Z" });
  });

  it("MicroTimes in six digits (Lease, events.k8s.io)", () => {
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", spec: { renewTime: "2026-01-02T03:04:05.123456+01:00" } };
    expect(decode(JSON.stringify(lease)).object["spec"]).toEqual({ renewTime: "2026-01-02T02:04:05.123456Z" });
  });
});

describe("completing an object", () => {
  it("adds the structs and zeros that Go always writes", () => {
    const { object, schema } = decode(pod({ containers: [{ name: "a" }] }));
    expect(completeObject(schema, object)).toEqual({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {},
      spec: { containers: [{ name: "a", resources: {} }] },
      status: {},
    });
  });

  it("returns the same object when nothing is missing, and never changes it", () => {
    const { object, schema } = decode(pod({ containers: [{ name: "a" }] }));
    const before = JSON.stringify(object);
    const complete = completeObject(schema, object);
    expect(JSON.stringify(object)).toBe(before);
    expect(completeObject(schema, complete)).toBe(complete);
  });
});
