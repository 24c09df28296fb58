/** Definitions of the OpenAPI documents: from the generated tables for built-in kinds, from the owners' schemas for custom ones. */
import { isDeepStrictEqual } from "node:util";
import type { Kind } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import type { FieldFacts } from "../../api/schema-table.ts";
import { typeFacts } from "../../api/type-table.ts";
import { descriptionOf, listMetadata, objectMetadata, typeMeta } from "./descriptions.ts";

/** The two versions of the document differ in where definitions stand and in what a schema may say. */
export type Dialect = "v2" | "v3";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
export const names = {
  status: `${meta}.Status`,
  deleteOptions: `${meta}.DeleteOptions`,
  patch: `${meta}.Patch`,
  apiVersions: `${meta}.APIVersions`,
  apiGroupList: `${meta}.APIGroupList`,
  apiGroup: `${meta}.APIGroup`,
  apiResourceList: `${meta}.APIResourceList`,
  version: "io.k8s.apimachinery.pkg.version.Info",
  watchEvent: `${meta}.WatchEvent`,
  objectMeta: `${meta}.ObjectMeta`,
  listMeta: `${meta}.ListMeta`,
} as const;

/** Scalars that have definitions of their own, which clients show by name. */
const scalarNames: Readonly<Record<string, string>> = {
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  time: `${meta}.Time`,
  microtime: `${meta}.MicroTime`,
};

const time = { type: "string", format: "date-time" };
const scalarDefinitions: Readonly<Record<string, Readonly<Record<Dialect, JsonObject>>>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": {
    v2: { type: "string" },
    v3: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
    v2: { type: "string", format: "int-or-string" },
    v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  [`${meta}.Time`]: { v2: time, v3: time },
  [`${meta}.MicroTime`]: { v2: time, v3: time },
  [names.patch]: { v2: { type: "object" }, v3: { type: "object" } },
};

export const refTo = (name: string, dialect: Dialect): JsonObject => ({
  $ref: `#/${dialect === "v2" ? "definitions" : "components/schemas"}/${name}`,
});

/** Definitions by name, each with everything it refers to. */
export interface Definitions {
  /** Adds a definition and what it needs. */
  add(name: string): void;
  addKind(kind: Kind): void;
  /** By name, sorted. */
  all(): Record<string, JsonObject>;
}

export function collectDefinitions(dialect: Dialect): Definitions {
  const found = new Map<string, JsonObject>();

  const ref = (name: string): JsonObject => {
    add(name);
    return refTo(name, dialect);
  };

  function add(name: string): void {
    if (found.has(name)) return;
    const scalar = scalarDefinitions[name];
    if (scalar) {
      found.set(name, scalar[dialect]);
      return;
    }
    const facts = typeFacts(name);
    if (!facts) return;
    const definition: JsonObject = { type: "object" };
    // Set before its fields are looked at: types refer to themselves.
    found.set(name, definition);
    const fields = Object.entries(facts.f);
    const required = fields.filter(([, field]) => field.r).map(([field]) => field);
    if (fields.length > 0) definition.properties = Object.fromEntries(fields.map(([field, type]) => [field, property(field, type, name)]));
    if (required.length > 0) definition.required = required;
    if (facts.mt) definition["x-kubernetes-map-type"] = facts.mt;
    if (facts.gvk) definition[gvkExtension] = [groupVersionKind(...facts.gvk)];
  }

  function property(name: string, field: FieldFacts, owner: string): JsonObject {
    const description = descriptionOf(owner, name, field.t);
    const extensions: JsonObject = {
      ...(description !== undefined && { description }),
      ...(field.lt && { "x-kubernetes-list-type": field.lt }),
      ...(field.lk && { "x-kubernetes-list-map-keys": field.lk }),
      ...(field.mt && { "x-kubernetes-map-type": field.mt }),
      ...(field.ps && { "x-kubernetes-patch-strategy": field.ps }),
      ...(field.pk && { "x-kubernetes-patch-merge-key": field.pk }),
      ...(field.d !== undefined && dialect === "v3" && { default: field.d }),
    };
    return withMore(typeSchema(field.t, owner), extensions, dialect);
  }

  function typeSchema(type: string, owner: string): JsonObject {
    if (type.startsWith("@")) return ref(type.slice(1));
    if (type.startsWith("[]")) return { type: "array", items: typeSchema(type.slice(2), owner) };
    if (type.startsWith("{}")) return { type: "object", additionalProperties: typeSchema(type.slice(2), owner) };
    const named = scalarNames[type];
    if (named) return ref(named);
    switch (type) {
      case "string":
      case "boolean":
        return { type };
      case "bytes":
        return { type: "string", format: "byte" };
      case "int32":
      case "int64":
        return { type: "integer", format: type };
      case "number":
        return { type: "number", format: "double" };
      default:
        // Free-form JSON: an object, but in schemas of schemas anything at all.
        return owner.endsWith(".JSONSchemaProps") ? {} : { type: "object" };
    }
  }

  function addCustom(kind: Kind): void {
    found.set(kind.definition, customDefinition(kind, dialect, ref));
    found.set(listDefinition(kind), {
      type: "object",
      required: ["items"],
      properties: {
        ...typeMetaProperties(),
        metadata: withMore(ref(names.listMeta), { description: listMetadata }, dialect),
        items: { type: "array", items: refTo(kind.definition, dialect) },
      },
      [gvkExtension]: [groupVersionKind(kind.group, kind.version, kind.listKind)],
    });
  }

  return {
    add,
    addKind: (kind) => {
      if (kind.custom) return addCustom(kind);
      add(kind.definition);
      add(listDefinition(kind));
    },
    all: () => Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

export const gvkExtension = "x-kubernetes-group-version-kind";
export const groupVersionKind = (group: string, version: string, kind: string): JsonObject => ({ group, version, kind });

/** `io.k8s.api.core.v1.PodList` beside `io.k8s.api.core.v1.Pod`. */
export const listDefinition = (kind: Kind): string => `${kind.definition.slice(0, kind.definition.lastIndexOf(".") + 1)}${kind.listKind}`;

const preserve = "x-kubernetes-preserve-unknown-fields";
const embedded = "x-kubernetes-embedded-resource";

/** A reference swallows what stands beside it, except for the readers of the old form. */
const withMore = (schema: JsonObject, more: JsonObject, dialect: Dialect): JsonObject =>
  schema.$ref !== undefined && dialect === "v3" && Object.keys(more).length > 0 ? { allOf: [schema], ...more } : { ...schema, ...more };

const typeMetaProperties = (): JsonObject => ({
  apiVersion: { type: "string", description: typeMeta.apiVersion },
  kind: { type: "string", description: typeMeta.kind },
});

const objectProperties = (dialect: Dialect, ref: (name: string) => JsonObject): JsonObject => ({
  ...typeMetaProperties(),
  metadata: withMore(ref(names.objectMeta), { description: objectMetadata }, dialect),
});

/** A custom resource's own schema, with the three fields that every object has. */
function customDefinition(kind: Kind, dialect: Dialect, ref: (name: string) => JsonObject): JsonObject {
  const gvk = { [gvkExtension]: [groupVersionKind(kind.group, kind.version, kind.kind)] };
  const own = kind.publishedSchema;
  // Old clients take a definition with properties for a complete one, and would refuse whatever else the object has.
  if (!own || (dialect === "v2" && own[preserve] === true)) return { type: "object", ...gvk };
  const schema = withEmbedded(dialect === "v2" ? forOldClients(own) : withAlternatives(own), dialect, ref);
  return {
    ...schema,
    properties: {
      ...(schema.properties as JsonObject | undefined),
      ...objectProperties(dialect, ref),
    },
    ...gvk,
  };
}

/** Every schema below and including this one, changed from the outside in. */
function mapSchemas(schema: JsonObject, change: (schema: JsonObject) => JsonObject): JsonObject {
  const changed = { ...change(schema) };
  const properties = changed.properties as Record<string, JsonObject> | undefined;
  if (properties)
    changed.properties = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, mapSchemas(inner, change)]));
  for (const name of ["items", "additionalProperties"]) {
    const inner = changed[name];
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) changed[name] = mapSchemas(inner as JsonObject, change);
  }
  return changed;
}

const either: readonly JsonObject[] = [{ type: "integer" }, { type: "string" }];

/** Says in JSON Schema's own words what may be a number or a text, where the definition's owner has not. */
const withAlternatives = (schema: JsonObject): JsonObject =>
  mapSchemas(schema, (one) => {
    const { anyOf = [], allOf = [] } = one as { readonly anyOf?: readonly JsonObject[]; readonly allOf?: readonly JsonObject[] };
    const isSaid = isDeepStrictEqual(anyOf, either) || isDeepStrictEqual(allOf[0]?.anyOf, either);
    if (one["x-kubernetes-int-or-string"] !== true || isSaid) return one;
    return anyOf.length === 0 ? { ...one, anyOf: either } : { ...one, allOf: [{ anyOf: either }, ...allOf] };
  });

const withEmbedded = (schema: JsonObject, dialect: Dialect, ref: (name: string) => JsonObject): JsonObject =>
  mapSchemas(schema, (one) => {
    if (one[embedded] !== true || (dialect === "v2" && one[preserve] === true)) return one;
    const required = new Set([...((one.required as string[] | undefined) ?? []), "kind", "apiVersion"]);
    return {
      ...one,
      properties: {
        ...(one.properties as JsonObject | undefined),
        ...objectProperties(dialect, ref),
      },
      required: [...required],
    };
  });

/** What OpenAPI v2 cannot say is left unsaid, as upstream does: a looser schema refuses nothing that is valid. */
const forOldClients = (schema: JsonObject): JsonObject =>
  mapSchemas(schema, (one) => {
    const { allOf: _allOf, oneOf: _oneOf, anyOf: _anyOf, not: _not, nullable, ...kept } = one;
    const open = kept[preserve] === true;
    if (nullable === true || open) {
      delete kept.items;
      delete kept.properties;
    }
    if (nullable === true || (open && kept.type === "object") || (kept.type === "array" && kept.items === undefined)) delete kept.type;
    const properties = (kept.properties ?? {}) as Record<string, JsonObject>;
    const required = ((kept.required as string[] | undefined) ?? []).filter((name) => properties[name]?.nullable !== true);
    if (required.length > 0) kept.required = required;
    else delete kept.required;
    return kept;
  });

/** `apps/v1` for messages and tags. */
export const tagOf = (group: string, version: string): string => `${camel(groupWords(group))}_${version}`;

/** `rbac.authorization.k8s.io` as words: what stands before `k8s.io`. */
export const groupWords = (group: string): string[] => (group === "" ? ["core"] : group.replace(/\.k8s\.io$/, "").split(/[.-]/));

export const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
export const camel = (words: readonly string[]): string => words.map((word, index) => (index === 0 ? word : capitalised(word))).join("");
