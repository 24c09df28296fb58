import { describe, expect, it } from "vitest";
import type { Problem } from "../../../shared/api/kind.ts";
import type { ObjectMeta } from "../../../shared/api/objects.ts";
import { validateFieldManager, validateMetadata, validateMetadataUpdate } from "../../../shared/api/validation/metadata.ts";
import { created, updated } from "../../support/kind-pipeline.ts";

const namespaced = { namespaced: true, behaviour: {} };
const clusterScoped = { namespaced: false, behaviour: {} };

const someMetadata = (more: Partial<ObjectMeta> = {}): ObjectMeta => ({ name: "web", namespace: "default", ...more }) as ObjectMeta;
const stored = (more: Partial<ObjectMeta> = {}): ObjectMeta =>
  someMetadata({ uid: "u1", creationTimestamp: "2026-01-01T00:00:00Z", resourceVersion: "1", ...more });

const texts = (problems: readonly Problem[]): string[] => problems.map(({ field, message }) => `${field}: ${message}`);

describe("metadata of a new object", () => {
  const problems = (more: Partial<ObjectMeta>, kind = namespaced) => texts(validateMetadata(kind, someMetadata(more)));

  it("is fine with a name and a namespace", () => {
    expect(problems({})).toEqual([]);
  });

  it("needs a name", () => {
    expect(problems({ name: "" })).toEqual(["metadata.name: Required value: name or generateName is required"]);
  });

  it("has a namespace exactly where its kind has", () => {
    expect(texts(validateMetadata(namespaced, { name: "web" }))).toEqual(["metadata.namespace: Required value"]);
    expect(problems({}, clusterScoped)).toEqual(["metadata.namespace: Forbidden: not allowed on this type"]);
  });

  it("names every problem at once", () => {
    const found = validateMetadata(
      namespaced,
      someMetadata({ name: "A", labels: { "a b": "c d" }, annotations: { "x y": "" }, generation: -1 }),
    );
    expect(found.map(({ field }) => field)).toEqual([
      "metadata.name",
      "metadata.generation",
      "metadata.labels",
      "metadata.labels",
      "metadata.annotations",
    ]);
  });

  it("holds at most 262,144 bytes of annotations", () => {
    const fits = { a: "x".repeat(262_143) };
    expect(problems({ annotations: fits })).toEqual([]);
    expect(problems({ annotations: { ...fits, b: "" } })).toEqual(["metadata.annotations: Too long: may not be more than 262144 bytes"]);
  });

  it("counts bytes of annotations, not characters", () => {
    expect(problems({ annotations: { a: "ä".repeat(131_072) } })).toHaveLength(1);
  });

  it("takes finalizers without a domain only where Kubernetes knows them", () => {
    expect(problems({ finalizers: ["example.com/x", "orphan"] })).toEqual([]);
    expect(problems({ finalizers: ["x"] })).toEqual([
      'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ]);
    expect(texts(validateMetadata({ ...namespaced, custom: true }, someMetadata({ finalizers: ["x"] })))).toEqual([]);
  });

  it("is not both orphaning and deleting its dependents", () => {
    expect(problems({ finalizers: ["orphan", "foregroundDeletion"] })).toHaveLength(1);
  });

  it("has owners that are complete, and at most one controller", () => {
    const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "d", uid: "u", controller: true };
    expect(problems({ ownerReferences: [owner] })).toEqual([]);
    expect(problems({ ownerReferences: [owner, { ...owner, kind: "ReplicaSet", name: "r" }] })).toEqual([
      expect.stringContaining('Found "true" in references for Deployment/d and ReplicaSet/r'),
    ]);
    expect(problems({ ownerReferences: [{ apiVersion: "", kind: "", name: "", uid: "" }] })).toHaveLength(4);
    expect(problems({ ownerReferences: [{ ...owner, apiVersion: "v1", kind: "Event" }] })).toEqual([
      expect.stringContaining("disallowed from being an owner"),
    ]);
  });
});

describe("metadata of a change", () => {
  const problems = (next: Partial<ObjectMeta>, previous: Partial<ObjectMeta> = {}) =>
    texts(validateMetadataUpdate(stored({ ...previous, ...next }), stored(previous)));

  it("may change labels, annotations, finalizers and owners", () => {
    expect(problems({ labels: { a: "b" }, annotations: { c: "d" }, finalizers: ["example.com/x"] })).toEqual([]);
  });

  it.each(["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"] as const)("keeps %s", (field) => {
    expect(problems({ [field]: "2027-01-01T00:00:00Z" })).toContain(
      `metadata.${field}: Invalid value: "2027-01-01T00:00:00Z": field is immutable`,
    );
  });

  it("gains no finalizers once it is being deleted", () => {
    const deleted = { deletionTimestamp: "2026-01-02T00:00:00Z", finalizers: ["example.com/x"] };
    expect(problems({ finalizers: ["example.com/x", "example.com/y"] }, deleted)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/y"}',
    ]);
    expect(problems({ finalizers: [] }, deleted)).toEqual([]);
  });

  it("never counts back its generation", () => {
    expect(problems({ generation: 1 }, { generation: 2 })).toEqual(["metadata.generation: Invalid value: 1: must not be decremented"]);
  });
});

describe("field managers", () => {
  it("are printable and short", () => {
    expect(validateFieldManager("kubectl-client-side-apply", "f")).toEqual([]);
    expect(validateFieldManager("x".repeat(129), "f")).toHaveLength(1);
    expect(texts(validateFieldManager("a\nb", "f"))).toEqual(['f: Invalid value: "a\\nb": invalid character U+000A (at position 1)']);
  });
});

const aMegabyte = 1024 * 1024;
const base64 = (bytes: number): string => Buffer.alloc(bytes).toString("base64");

describe("data of ConfigMaps and Secrets", () => {
  const configMap = (data: object) => created({ apiVersion: "v1", kind: "ConfigMap", metadata: someMetadata(), ...data }).problems;
  const secret = (data: object) => created({ apiVersion: "v1", kind: "Secret", metadata: someMetadata(), ...data }).problems;

  it("fits into 1 MiB", () => {
    expect(configMap({ data: { a: "x".repeat(aMegabyte) } })).toEqual([]);
    expect(secret({ data: { a: base64(aMegabyte) } })).toEqual([]);
  });

  it("is refused beyond", () => {
    expect(texts(configMap({ data: { a: "x".repeat(aMegabyte) }, binaryData: { b: base64(1) } }))).toEqual([
      "[]: Too long: may not be more than 1048576 bytes",
    ]);
    expect(texts(secret({ data: { a: base64(aMegabyte), b: base64(1) } }))).toEqual(["data: Too long: may not be more than 1048576 bytes"]);
  });

  it("does not change once it is immutable", () => {
    const before = { apiVersion: "v1", kind: "ConfigMap", metadata: stored(), immutable: true, data: { a: "b" } };
    expect(texts(updated({ ...before, data: { a: "c" } }, before).problems)).toEqual([
      "data: Forbidden: field is immutable when `immutable` is set",
    ]);
  });
});
