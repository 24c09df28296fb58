/** Joins OpenAPI definitions with protobuf messages into the schema table. */
import type { FieldFacts, SchemaTable, TypeFacts } from "../../shared/api/schema-table.ts";
import { type Definitions, isStable, type OpenApiSchema } from "./openapi.ts";
import type { Messages, ProtoField } from "./protos.ts";

const refName = (ref: string) => ref.slice(ref.lastIndexOf("/") + 1);

/** Definitions that are scalars on the wire; everything else is an object with fields. */
const scalars: Record<string, string> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
};

/** JSON names which differ from the protobuf field's. */
const protoNames: Record<string, string> = {
  $ref: "ref",
  $schema: "schema",
  "x-kubernetes-preserve-unknown-fields": "xKubernetesPreserveUnknownFields",
  "x-kubernetes-embedded-resource": "xKubernetesEmbeddedResource",
  "x-kubernetes-int-or-string": "xKubernetesIntOrString",
  "x-kubernetes-list-map-keys": "xKubernetesListMapKeys",
  "x-kubernetes-list-type": "xKubernetesListType",
  "x-kubernetes-map-type": "xKubernetesMapType",
  "x-kubernetes-validations": "xKubernetesValidations",
};

export function buildSchemas(definitions: Definitions, messages: Messages): SchemaTable {
  const table: Record<string, TypeFacts> = {};
  for (const [id, schema] of Object.entries(definitions)) {
    if (id in scalars) continue;
    const message = messages.get(id.replace(/^io\.k8s\./, "k8s.io."));
    const numbers = message ? jsonNumbers(message, messages, new Set(Object.keys(schema.properties ?? {}))) : new Map<string, number[]>();
    const fields: Record<string, FieldFacts> = {};
    for (const [name, property] of Object.entries(schema.properties ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const proto = numbers.get(protoNames[name] ?? name);
      const fallback = isZero(property.default) ? undefined : property.default;
      const strategy = property["x-kubernetes-patch-strategy"] as FieldFacts["ps"];
      fields[name] = {
        t: fieldType(property),
        ...(schema.required?.includes(name) && { r: 1 as const }),
        ...(fallback !== undefined && { d: fallback }),
        ...(proto && { n: proto }),
        ...(strategy && { ps: strategy }),
        ...(property["x-kubernetes-patch-merge-key"] && { pk: property["x-kubernetes-patch-merge-key"] }),
        ...(property["x-kubernetes-list-type"] && { lt: property["x-kubernetes-list-type"] as NonNullable<FieldFacts["lt"]> }),
        ...(property["x-kubernetes-list-map-keys"] && { lk: property["x-kubernetes-list-map-keys"] }),
        ...(property["x-kubernetes-map-type"] && { mt: property["x-kubernetes-map-type"] as NonNullable<FieldFacts["mt"]> }),
      };
    }
    const gvks = schema["x-kubernetes-group-version-kind"] ?? [];
    const gvk = gvks.length === 1 ? gvks[0] : undefined;
    table[id] = {
      f: fields,
      ...(schema["x-kubernetes-map-type"] && { mt: schema["x-kubernetes-map-type"] as NonNullable<TypeFacts["mt"]> }),
      ...(gvk && isStable(`.${gvk.version}.`) && { gvk: [gvk.group, gvk.version, gvk.kind] as const }),
    };
  }
  return table;
}

/** Zero values of required fields are OpenAPI noise, not defaulting. */
const isZero = (value: unknown) =>
  value === undefined ||
  value === "" ||
  value === 0 ||
  value === false ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** Field numbers by JSON name; an embedded message (its fields appear in JSON without it) gives paths. */
function jsonNumbers(message: readonly ProtoField[], messages: Messages, properties: ReadonlySet<string>): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const jsonNames = new Set([...properties].map((name) => protoNames[name] ?? name));
  const walk = (fields: readonly ProtoField[], path: number[]): void => {
    for (const field of fields) {
      if (jsonNames.has(field.name) && !found.has(field.name)) found.set(field.name, [...path, field.number]);
      else if (!field.repeated && messages.has(field.type) && !jsonNames.has(field.name))
        walk(messages.get(field.type) ?? [], [...path, field.number]);
    }
  };
  walk(message, []);
  return found;
}

function fieldType(schema: OpenApiSchema): string {
  if (schema.$ref) return refType(refName(schema.$ref));
  if (schema.allOf?.[0]?.$ref) return refType(refName(schema.allOf[0].$ref));
  if (schema.oneOf && schema.format === "int-or-string") return "intOrString";
  switch (schema.type) {
    case "string":
      return schema.format === "byte" ? "bytes" : schema.format === "date-time" ? "time" : "string";
    case "integer":
      return schema.format === "int64" ? "int64" : "int32";
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return `[]${fieldType(schema.items ?? {})}`;
    case "object":
      return schema.additionalProperties ? `{}${fieldType(schema.additionalProperties)}` : "any";
    default:
      return "any";
  }
}

const refType = (id: string) => scalars[id] ?? `@${id}`;
