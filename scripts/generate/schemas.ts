/** Joins OpenAPI definitions with the Go structs behind them into the schema table. */
import type { FieldFacts, SchemaTable, TypeFacts } from "../../shared/api/schema-table.ts";
import type { GoField, GoStruct, GoType, GoTypes } from "./go-types.ts";
import { type Definitions, isStable, type OpenApiSchema } from "./openapi.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const apiextensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** Types with an encoding of their own; everything else is an object with fields. */
const scalars: Readonly<Record<string, string>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  [`${meta}.Time`]: "time",
  [`${meta}.MicroTime`]: "microtime",
  [`${meta}.FieldsV1`]: "any",
  [`${meta}.Patch`]: "any",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
  [`${apiextensions}.JSON`]: "any",
  [`${apiextensions}.JSONSchemaPropsOrArray`]: "schemaOrList",
  [`${apiextensions}.JSONSchemaPropsOrBool`]: "schemaOrBool",
  [`${apiextensions}.JSONSchemaPropsOrStringArray`]: "schemaOrStrings",
};
const goScalars: Readonly<Record<string, string>> = { bool: "boolean", float64: "number", int: "int64", uint32: "int64", uint64: "int64" };

/** Kinds of `meta.k8s.io`; its other kinds are registered in every group version and in `v1`. */
const metaKinds = new Set(["PartialObjectMetadata", "PartialObjectMetadataList", "TableOptions"]);

export function buildSchemas(definitions: Definitions, go: GoTypes): SchemaTable {
  const table: Record<string, TypeFacts> = {};
  for (const [id, schema] of Object.entries(definitions)) {
    if (!(id in scalars)) table[id] = fromOpenApi(id, schema, go.struct(id));
  }
  for (const struct of unpublishedKinds(definitions, go)) addStruct(struct, table, go);
  return Object.fromEntries(Object.entries(table).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function fromOpenApi(id: string, schema: OpenApiSchema, struct: GoStruct | undefined): TypeFacts {
  const goFields = new Map(struct?.fields.map((field) => [field.name, field]));
  const fields: Record<string, FieldFacts> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const goField = goFields.get(name);
    if (struct && !goField) throw new Error(`${id}.${name}: not in the Go struct`);
    const fallback = isZero(property.default) ? undefined : property.default;
    fields[name] = {
      t: goField ? fieldType(goField.type) : openApiType(property),
      ...(schema.required?.includes(name) && { r: 1 as const }),
      ...(fallback !== undefined && { d: fallback }),
      ...(goField && goFacts(goField)),
      ...pick<FieldFacts, "ps">("ps", property["x-kubernetes-patch-strategy"]),
      ...pick<FieldFacts, "pk">("pk", property["x-kubernetes-patch-merge-key"]),
      ...pick<FieldFacts, "lt">("lt", property["x-kubernetes-list-type"]),
      ...pick<FieldFacts, "lk">("lk", property["x-kubernetes-list-map-keys"]),
      ...pick<FieldFacts, "mt">("mt", property["x-kubernetes-map-type"]),
    };
  }
  const gvks = schema["x-kubernetes-group-version-kind"] ?? [];
  const gvk = gvks.find(({ group, version }) => group === "" && version === "v1") ?? gvks[0];
  return {
    f: fields,
    ...pick<TypeFacts, "mt">("mt", schema["x-kubernetes-map-type"]),
    ...(gvk && isStable(`.${gvk.version}.`) && { gvk: [gvk.group, gvk.version, gvk.kind] as const }),
  };
}

/** Stable kinds that travel as protobuf but that no path of the published OpenAPI mentions: AdmissionReview, GetOptions, … */
function unpublishedKinds(definitions: Definitions, go: GoTypes): GoStruct[] {
  return go
    .packages()
    .filter((pkg) => /\/v\d+$/.test(pkg) && !/\/(testapigroup|example)/.test(pkg))
    .flatMap((pkg) => go.structIds(pkg))
    .filter((id) => !(id in definitions))
    .map((id) => go.struct(id))
    .filter((struct) => struct?.isKind && struct.fields.some(({ numbers }) => numbers.length > 0))
    .map((struct) => struct as GoStruct);
}

function addStruct(struct: GoStruct, table: Record<string, TypeFacts>, go: GoTypes): void {
  if (struct.id in table || struct.id in scalars) return;
  const fields: Record<string, FieldFacts> = {};
  const kind = struct.id.slice(struct.id.lastIndexOf(".") + 1);
  const pkg = struct.id.slice(0, -kind.length - 1);
  const group = pkg === meta && !metaKinds.has(kind) ? "" : go.group(`k8s.io/${pkg.replace(/^io\.k8s\./, "").replaceAll(".", "/")}`);
  table[struct.id] = {
    f: fields,
    ...(struct.isKind && group !== undefined && { gvk: [group, pkg.slice(pkg.lastIndexOf(".") + 1), kind] as const }),
  };
  for (const field of struct.fields.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    fields[field.name] = { t: fieldType(field.type), ...goFacts(field) };
    const inner = structOf(field.type);
    const nested = inner && !(inner in scalars) ? go.struct(inner) : undefined;
    if (nested) addStruct(nested, table, go);
  }
}

function goFacts(field: GoField): Pick<FieldFacts, "n" | "e" | "g" | "p" | "z" | "w"> {
  const type = fieldType(field.type);
  const always = !field.omitZero && (!field.omitEmpty || isGoStruct(field.type)) && !["any", "time", "microtime"].includes(type);
  return {
    ...(field.numbers.length > 0 && { n: field.numbers }),
    ...(field.embedded.length > 0 && !field.embedded.includes("TypeMeta") && { e: field.embedded }),
    ...(field.goType !== goName(type) && { g: field.goType }),
    ...(field.pointer ? { p: 1 as const } : always && { z: 1 as const }),
    ...(innermost(field.type).wrapped && { w: 1 as const }),
  };
}

/** Go's `omitempty` never leaves out a struct. */
const isGoStruct = (type: GoType) => type.is === "struct";

const innermost = (type: GoType): { wrapped: boolean } =>
  type.is === "list" && type.wrapped
    ? { wrapped: true }
    : type.is === "map" || type.is === "list"
      ? innermost(type.of)
      : { wrapped: false };

const structOf = (type: GoType): string | undefined =>
  type.is === "struct" ? type.id : type.is === "scalar" ? undefined : structOf(type.of);

function fieldType(type: GoType): string {
  if (type.is === "struct") return refType(type.id);
  if (type.is === "scalar") return goScalars[type.scalar] ?? type.scalar;
  return `${type.is === "list" ? "[]" : "{}"}${fieldType(type.of)}`;
}

/** How Go prints a type that has no name of its own; the table holds only the others. */
function goName(type: string): string {
  if (type.startsWith("[]")) return `[]${goName(type.slice(2))}`;
  if (type.startsWith("{}")) return `map[string]${goName(type.slice(2))}`;
  if (type.startsWith("@")) return type.split(".").slice(-2).join(".");
  return (
    {
      boolean: "bool",
      number: "float64",
      bytes: "[]uint8",
      quantity: "resource.Quantity",
      time: "v1.Time",
      microtime: "v1.MicroTime",
      intOrString: "intstr.IntOrString",
    }[type] ?? type
  );
}

/** Zero values of required fields are OpenAPI noise, not defaulting. */
const isZero = (value: unknown) =>
  value === undefined ||
  value === "" ||
  value === 0 ||
  value === false ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

const pick = <Facts, Key extends keyof Facts>(key: Key, value: unknown): { readonly [K in Key]?: NonNullable<Facts[Key]> } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]: NonNullable<Facts[Key]> });

/** For the few definitions without a Go struct in these modules (`version.Info`). */
function openApiType(schema: OpenApiSchema): string {
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (ref) return refType(ref.slice(ref.lastIndexOf("/") + 1));
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
      return `[]${openApiType(schema.items ?? {})}`;
    case "object":
      return schema.additionalProperties ? `{}${openApiType(schema.additionalProperties)}` : "any";
    default:
      return "any";
  }
}

const refType = (id: string) => scalars[id] ?? `@${id}`;
