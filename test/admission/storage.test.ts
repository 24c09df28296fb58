import { describe, expect, it } from "vitest";
import { defaultAdmission } from "../../shared/admission/index.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { aRegistry, type TestRegistry } from "../support/registry.ts";

/** A cluster with what it has from the start: its default class is `local`. */
async function aCluster(): Promise<TestRegistry> {
  const api = await aRegistry({ admission: defaultAdmission({ random: () => 0 }) });
  await bootstrap(inProcessClient(api.registry, { cluster: "test", part: "bootstrap" }));
  return api;
}

const aClaim = (name: string, spec: JsonObject = {}, annotations: JsonObject = {}): JsonObject => ({
  metadata: { name, annotations },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
});
const aVolume = (name: string, finalizers: readonly string[] = []): JsonObject => ({
  metadata: { name, finalizers },
  spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/data" } },
});
const classes = "storageclasses.storage.k8s.io";

describe("DefaultStorageClass", () => {
  it.each([
    { name: "a claim that names no class gets the default", spec: {}, annotations: {}, expected: "local" },
    { name: "one that names a class keeps it", spec: { storageClassName: "fast" }, annotations: {}, expected: "fast" },
    { name: "one that wants none keeps that", spec: { storageClassName: "" }, annotations: {}, expected: "" },
    {
      name: "one that names it in the old way, too",
      spec: {},
      annotations: { "volume.beta.kubernetes.io/storage-class": "fast" },
      expected: undefined,
    },
  ])("$name", async ({ spec, annotations, expected }) => {
    const api = await aCluster();
    const claim = await api.create("persistentvolumeclaims", aClaim("data", spec, annotations));
    expect((claim as unknown as { spec: { storageClassName?: string } }).spec.storageClassName).toBe(expected);
  });

  it("of several defaults the youngest counts; without any, a claim is left as it is", async () => {
    const api = await aCluster();
    const marked = { "storageclass.kubernetes.io/is-default-class": "true" };
    await api.clock.advance(5_000);
    await api.create(classes, { metadata: { name: "younger", annotations: marked }, provisioner: "example.com/disk" });
    expect(await api.create("persistentvolumeclaims", aClaim("a"))).toMatchObject({ spec: { storageClassName: "younger" } });
    await api.remove(classes, "younger");
    await api.remove(classes, "local");
    await api.clock.advance(5_000);
    expect((await api.create("persistentvolumeclaims", aClaim("b"))).spec).not.toHaveProperty("storageClassName");
  });
});

describe("trap 18: StorageObjectInUseProtection", () => {
  it("claims and volumes are held from the beginning, once", async () => {
    const api = await aCluster();
    expect((await api.create("persistentvolumeclaims", aClaim("data"))).metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
    expect((await api.create("persistentvolumes", aVolume("a"))).metadata.finalizers).toEqual(["kubernetes.io/pv-protection"]);
    const held = ["kubernetes.io/pv-protection"];
    expect((await api.create("persistentvolumes", aVolume("b", held))).metadata.finalizers).toEqual(held);
  });
});
