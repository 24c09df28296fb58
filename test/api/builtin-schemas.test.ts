import { describe, expect, it } from "vitest";
import { builtinSchema, definitionOf, hasBuiltinSchema } from "../../shared/api/builtin-schemas.ts";
import { resources } from "../../shared/api/generated/resources.ts";
import type { SchemaNode } from "../../shared/api/schema.ts";
import type { TypeFacts } from "../../shared/api/schema-table.ts";
import { hasType, typeFacts, typeGvk, typeNames } from "../../shared/api/type-table.ts";

/** The node at a path: `spec.containers[].image`, `data{}`. */
function at(definition: string, path: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = builtinSchema(definition);
  for (const part of path.split(/\.|(?=\[\]|\{\})/)) {
    if (node?.type === "list" && part === "[]") node = node.items;
    else if (node?.type === "map" && part === "{}") node = node.values;
    else node = node?.type === "object" ? node.fields.get(part) : undefined;
  }
  return node;
}
const pod = "io.k8s.api.core.v1.Pod";

describe("the schema of a built-in kind", () => {
  it.each([
    ["io.k8s.api.coordination.v1.Lease", "spec.acquireTime", "microtime"],
    ["io.k8s.api.events.v1.Event", "eventTime", "microtime"],
    ["io.k8s.api.core.v1.Event", "eventTime", "microtime"],
    [pod, "metadata.creationTimestamp", "time"],
    [pod, "spec.containers[].resources.limits{}", "quantity"],
    [pod, "spec.containers[].livenessProbe.httpGet.port", "intOrString"],
    [pod, "spec.activeDeadlineSeconds", "int64"],
    ["io.k8s.api.core.v1.Secret", "data{}", "bytes"],
  ])("%s knows %s as %s", (definition, path, scalar) => {
    expect(at(definition, path)).toMatchObject({ type: "scalar", scalar });
  });

  it("keeps apart what server-side apply and what strategic merge go by", () => {
    expect(at("io.k8s.api.core.v1.Service", "spec.ports")).toMatchObject({
      type: "list",
      listType: "map",
      listKeys: ["port", "protocol"],
      patchMerge: true,
      patchMergeKey: "port",
    });
  });

  it("knows lists that are replaced, merged without keys, and retained by keys", () => {
    expect(at(pod, "spec.containers[].args")).toMatchObject({ listType: "atomic", patchMerge: false });
    expect(at(pod, "metadata.finalizers")).toMatchObject({ listType: "set", patchMerge: true });
    expect(at(pod, "spec.volumes[]")).toMatchObject({ retainKeys: true });
  });

  it("knows what is owned as a whole", () => {
    expect(at(pod, "spec.nodeSelector")).toMatchObject({ type: "map", atomic: true });
    expect(at(pod, "spec.containers[].env[].valueFrom.secretKeyRef")).toMatchObject({ type: "object", atomic: true });
    expect(at(pod, "metadata.labels")).toMatchObject({ type: "map", atomic: false });
  });

  it("says what zero means", () => {
    const deployment = "io.k8s.api.apps.v1.Deployment";
    expect(at(deployment, "spec.replicas")?.zero).toBeUndefined();
    expect(at(deployment, "spec.minReadySeconds")?.zero).toBe("drop");
    expect(at(deployment, "spec.strategy")).toMatchObject({ zero: "fill", implicit: true });
  });

  it("carries only defaults that are no zero values", () => {
    expect(at(pod, "spec.containers[].ports[].protocol")?.default).toBe("TCP");
    expect(at(pod, "spec.containers[].name")?.default).toBeUndefined();
  });

  it("is the same object each time, and circles do not hurt", () => {
    expect(builtinSchema(pod)).toBe(builtinSchema(pod));
    const props = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
    expect(at(props, "properties{}.properties{}.allOf[].not.type")).toMatchObject({ scalar: "string" });
    expect(at(props, "properties{}")).toMatchObject({ type: "object" });
  });

  it("is refused for a name nobody knows", () => {
    expect(() => builtinSchema("io.k8s.api.core.v1.Nonsense")).toThrow(RangeError);
    expect(() => builtinSchema("constructor")).toThrow(RangeError);
    expect(hasBuiltinSchema("constructor")).toBe(false);
  });
});

const schemas = new Map([...typeNames()].map((name) => [name, typeFacts(name) as TypeFacts]));

describe("the generated tables", () => {
  it("give every field its protobuf number", () => {
    const missing = [...schemas]
      .filter(([id]) => id !== "io.k8s.apimachinery.pkg.version.Info")
      .flatMap(([id, type]) => Object.entries(type.f).map(([name, field]) => ({ id, type, name, field })))
      .filter(({ name, field, type }) => !field.n && !(type.gvk && ["apiVersion", "kind"].includes(name)));
    expect(missing.map(({ id, name }) => `${id}.${name}`)).toEqual([]);
  });

  it("are read type by type", () => {
    expect(typeFacts("io.k8s.api.apps.v1.Deployment")).toMatchObject({
      f: { spec: { t: "@io.k8s.api.apps.v1.DeploymentSpec" } },
      gvk: ["apps", "v1", "Deployment"],
    });
    expect(typeFacts("io.k8s.api.apps.v1.Deployment")).toBe(typeFacts("io.k8s.api.apps.v1.Deployment"));
    expect(typeGvk("io.k8s.api.core.v1.Pod")).toEqual(["", "v1", "Pod"]);
    expect(typeGvk("io.k8s.api.core.v1.PodSpec")).toBeUndefined();
    for (const name of ["constructor", "", "io.k8s.api.core.v1.Nonsense"]) {
      expect(typeFacts(name)).toBeUndefined();
      expect(typeGvk(name)).toBeUndefined();
      expect(hasType(name)).toBe(false);
    }
  });

  it("refer only to types they hold", () => {
    const references = [...schemas.values()].flatMap(({ f }) => Object.values(f).map(({ t }) => t.replace(/^(\[\]|\{\})*/, "")));
    const unknown = references.filter((type) => type.startsWith("@") && !schemas.has(type.slice(1)));
    expect(unknown).toEqual([]);
  });

  it("find the definition of every resource, list, option and review by its type", () => {
    for (const { group, version, kind, type } of resources) {
      const apiVersion = group ? `${group}/${version}` : version;
      expect(definitionOf(apiVersion, kind)).toBe(type);
    }
    expect(definitionOf("v1", "PodList")).toBe("io.k8s.api.core.v1.PodList");
    expect(definitionOf("apps/v1", "DeleteOptions")).toBe("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
    expect(definitionOf("meta.k8s.io/v1", "PartialObjectMetadataList")).toContain("PartialObjectMetadataList");
    expect(definitionOf("authorization.k8s.io/v1", "SelfSubjectRulesReview")).toContain("SelfSubjectRulesReview");
    expect(definitionOf("example.com/v1", "Pod")).toBeUndefined();
  });
});
