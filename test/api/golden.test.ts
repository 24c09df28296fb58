import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { builtinSchema, definitionOf } from "../../shared/api/builtin-schemas.ts";
import { decodeObject } from "../../shared/api/codec.ts";
import { parseJson } from "../../shared/api/json.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { decodeProtobuf, encodeProtobuf } from "../../shared/api/protobuf.ts";
import { kubernetesData } from "../support/shared-data.ts";

/** Beside the repository, not in it: one fully populated object per stable kind, as JSON and as protobuf. */
const archive = kubernetesData("vectors/golden-v1.36.tar.gz");

/** Regular files of a tar archive by name. */
function untar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const text = (start: number, length: number) => bytes.toString("latin1", at + start, at + start + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12).trim() || "0", 8);
    if (["", "0"].includes(text(156, 1))) files.set(text(0, 100), bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** The archive was made from a development version of 1.37: kinds that were beta in 1.36, and fields that 1.36 has not. */
const newerKinds = ["ClusterTrustBundle", "PodCertificateRequest", "DeviceTaintRule", "StorageVersionMigration"];
const newerFields = new Set(
  `emptyDir.mode items.user secret.defaultUser downwardAPI.defaultUser configMap.defaultUser serviceAccountToken.user
  clusterTrustBundle.user podCertificate.user projected.defaultUser volumeMounts.bindMountOptions httpGet.protocol grpc.mode
  spec.evictionResponders status.healthStatus spec.attestations conditions.observedGeneration spec.scheduling spec.podPreemptionPolicy
  nodeAllocatableResourceClaimStatuses.mapping nodeAllocatableResourceClaimStatuses.overhead status.volumeHealth
  results.skipNodeOperations devices.nodeAllocatableResources spec.partitionTypeAttribute spec.skipNodeOperations status`.split(/\s+/),
);
const ofAKind = ({ body }: { readonly body: JsonObject }) => body["kind"] !== undefined;
const lastTwo = (path: string): string =>
  path
    .replaceAll(/\[\d+\]/g, "")
    .split(".")
    .slice(-2)
    .join(".");

describe.skipIf(archive === undefined)("Kubernetes' golden vectors", () => {
  const files = archive ? untar(gunzipSync(readFileSync(archive))) : new Map<string, Buffer>();
  const golden = [...files.keys()]
    .filter((name) => name.endsWith(".json"))
    .map((name) => {
      const body = parseJson(files.get(name)?.toString("utf8") ?? "").value as JsonObject;
      const kind = /\.v\d+\.(\w+)\.json$/.exec(name)?.[1] ?? "";
      const { apiVersion = "v1" } = body as { apiVersion?: string };
      const definition = definitionOf(apiVersion, kind);
      return { kind, body, protobuf: Buffer.from(files.get(name.replace(/json$/, "pb")) ?? []), definition: definition ?? "" };
    });
  const known = golden
    .filter(({ definition }) => definition !== "")
    .map((each) => ({ ...each, ...decodeObject(builtinSchema(each.definition), each.body) }));
  const exact = known.filter(({ unknownFields }) => unknownFields.length === 0);

  it("are there for every stable kind", () => {
    expect(golden.length).toBeGreaterThan(90);
    expect(golden.filter(({ definition }) => definition === "").map(({ kind }) => kind)).toEqual(newerKinds);
    expect(exact.length).toBeGreaterThanOrEqual(74);
    expect(known.flatMap(({ unknownFields }) => unknownFields.map(lastTwo)).filter((path) => !newerFields.has(path))).toEqual([]);
  });

  it.each(exact)("$kind: the JSON passes unchanged", ({ body, object }) => {
    expect(JSON.stringify(object)).toBe(JSON.stringify(body));
  });

  it.each(known.filter(ofAKind))("$kind: the protobuf says what the JSON says", ({ protobuf, object }) => {
    expect(decodeProtobuf(protobuf).object).toEqual(object);
  });

  it.each(exact.filter(ofAKind))("$kind: read and written again, the protobuf is the same to the byte", ({ protobuf, definition }) => {
    const written = encodeProtobuf(definition, decodeProtobuf(protobuf).object);
    expect(Buffer.from(written).equals(protobuf)).toBe(true);
  });

  it.each(exact.filter(ofAKind))("$kind: the JSON becomes the same protobuf", ({ object, protobuf, definition }) => {
    expect(Buffer.from(encodeProtobuf(definition, object)).equals(protobuf)).toBe(true);
  });
});
