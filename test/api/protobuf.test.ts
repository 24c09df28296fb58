import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtinSchema, definitionOf } from "../../shared/api/builtin-schemas.ts";
import { completeObject, decodeObject } from "../../shared/api/codec.ts";
import { parseJson } from "../../shared/api/json.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { decodeProtobuf, encodeProtobuf, isProtobuf, ProtobufError } from "../../shared/api/protobuf.ts";
import { comparable, titled, vectors } from "./vectors/vectors.ts";

const definition = ({ apiVersion, kind }: JsonObject): string => definitionOf(String(apiVersion), String(kind)) ?? "";
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const encoded = (object: JsonObject): Uint8Array => encodeProtobuf(definition(object), object);
const message = (...bytes: number[]): Uint8Array => Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes]);

describe("trap 2: protobuf", () => {
  const all = titled(vectors("object")).filter(({ answer }) => !answer.error);

  it.each(all)("writes the bytes that Go writes: $title", ({ input, answer }) => {
    const body = parseJson(input).value as JsonObject;
    const { object } = decodeObject(builtinSchema(definition(body)), body);
    expect(base64(encoded(object))).toBe(answer.protobuf);
  });

  it.each(all)("reads what Go reads: $title", ({ answer }) => {
    const { object } = decodeProtobuf(Buffer.from(answer.protobuf ?? "", "base64"));
    expect(comparable(completeObject(builtinSchema(definition(object)), object))).toEqual(comparable(answer.value));
    expect(base64(encoded(object))).toBe(answer.protobuf);
  });

  it("is known by its first bytes", () => {
    expect(isProtobuf(encoded({ apiVersion: "v1", kind: "Pod" }))).toBe(true);
    expect(isProtobuf(Buffer.from('{"kind":"Pod"}'))).toBe(false);
    expect(isProtobuf(new Uint8Array())).toBe(false);
  });

  it("tells the type apart from the object", () => {
    expect(decodeProtobuf(encoded({ apiVersion: "apps/v1", kind: "Deployment" }))).toMatchObject({
      apiVersion: "apps/v1",
      kind: "Deployment",
    });
  });

  it("names the type of a definition where the object does not", () => {
    expect(decodeProtobuf(encodeProtobuf("io.k8s.api.batch.v1.Job", {}))).toMatchObject({ apiVersion: "batch/v1", kind: "Job" });
  });

  it("trap 13: reads options under every group version", () => {
    const options = { apiVersion: "networking.k8s.io/v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
    expect(decodeProtobuf(encoded(options)).object).toEqual(options);
  });

  it("skips fields it does not know", () => {
    const known = encoded({ apiVersion: "v1", kind: "Namespace", metadata: { name: "n" }, spec: {}, status: {} });
    const { object } = decodeProtobuf(known);
    // Field 100 as varint, eight bytes, text and four bytes, put in front of the message's own fields.
    const strange = [0xa0, 0x06, 0x05, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 0x06, 1, 65, 0xa5, 0x06, 1, 2, 3, 4];
    const start = Buffer.from(known).indexOf(Buffer.from([0x12]), 4 + 2 + (known[5] ?? 0));
    const length = known[start + 1] ?? 0;
    const grown = Uint8Array.from([...known.subarray(0, start + 1), length + strange.length, ...strange, ...known.subarray(start + 2)]);
    expect(decodeProtobuf(grown).object).toEqual(object);
  });

  it("reads numbers that come packed", () => {
    // PodSecurityContext.supplementalGroups = 4, twice: packed and one by one.
    const context = [0x22, 2, 1, 2, 0x20, 3];
    const spec = [0x72, context.length, ...context];
    const pod = [0x12, spec.length, ...spec];
    const typeMeta = [0x0a, 2, 0x76, 0x31, 0x12, 3, 0x50, 0x6f, 0x64];
    const { object } = decodeProtobuf(message(0x0a, typeMeta.length, ...typeMeta, 0x12, pod.length, ...pod));
    expect(object["spec"]).toEqual({ securityContext: { supplementalGroups: [1, 2, 3] } });
  });

  it("keeps a text of any length and script", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "grapheme", maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 3000 })),
        (data) => {
          const object = { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data };
          const { data: read } = decodeProtobuf(encoded(object)).object;
          expect(read ?? {}).toEqual(data);
        },
      ),
    );
  });

  it("keeps every int64", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const text = `{"apiVersion":"v1","kind":"Pod","metadata":{"generation":${value}}}`;
        const { object } = decodeProtobuf(encoded(parseJson(text).value as JsonObject));
        expect(JSON.stringify((object["metadata"] as JsonObject)["generation"])).toBe(value === 0n ? undefined : String(value));
      }),
    );
  });

  it.each([
    ["no bytes at all", new Uint8Array(), "empty data"],
    ["JSON", Buffer.from('{"kind":"Pod"}'), "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"],
    ["the prefix alone", message(), "empty body"],
    ["a message that ends early", encoded({ apiVersion: "v1", kind: "Pod" }).subarray(0, 16), "unexpected EOF"],
    ["a length beyond the end", message(0x12, 0x7f), "unexpected EOF"],
    ["no kind", message(0x12, 0x00), "Object 'Kind' is missing"],
    ["an unknown kind", message(0x0a, 7, 0x0a, 2, 0x76, 0x31, 0x12, 1, 0x58), 'no kind "X" is registered for version "v1"'],
  ])("refuses %s", (_, bytes, reason) => {
    expect(() => decodeProtobuf(bytes)).toThrow(new ProtobufError(reason));
  });

  it("refuses a time that no calendar holds", () => {
    const metadata = [0x42, 11, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x10];
    const raw = [0x0a, metadata.length + 1, ...metadata, 0x00];
    const typeMeta = [0x0a, 2, 0x76, 0x31, 0x12, 3, 0x50, 0x6f, 0x64];
    expect(() => decodeProtobuf(message(0x0a, typeMeta.length, ...typeMeta, 0x12, raw.length, ...raw))).toThrow(ProtobufError);
  });

  it("refuses garbage with an error of its own and never hangs (property)", () => {
    const valid = encoded({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", labels: { a: "b" } },
      spec: { containers: [{ name: "c" }] },
    });
    fc.assert(
      fc.property(fc.nat(valid.length - 5), fc.nat(255), (place, byte) => {
        const bytes = Uint8Array.from(valid);
        bytes[place + 4] = byte;
        try {
          decodeProtobuf(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
