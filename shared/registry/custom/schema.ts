/** Structural schemas, as CustomResourceDefinitions write them down, and as the nodes that patches and apply walk. */
import { builtinSchema } from "../../api/builtin-schemas.ts";
import type { ScalarType, SchemaNode } from "../../api/schema.ts";
import type { Structural } from "../../api/structural.ts";

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

export const metadataSchema = (): SchemaNode => builtinSchema(objectMeta);

const text: SchemaNode = { type: "scalar", scalar: "string" };
const any: SchemaNode = { type: "any" };

/** Fields that every object has, whatever its schema says of them. */
export const typeFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** The schema of a whole resource; without one, anything goes. */
export function resourceNode(schema: Structural | undefined): SchemaNode {
  const node = schema === undefined ? undefined : objectNode(schema, true);
  if (node !== undefined) return node;
  return { type: "object", fields: new Map(metaFields()), required: new Set(), preserveUnknown: true, atomic: false };
}

const metaFields = (): [string, SchemaNode][] => [
  ["apiVersion", text],
  ["kind", text],
  ["metadata", metadataSchema()],
];

function nodeOf(schema: Structural): SchemaNode {
  const facts = { ...(schema.default !== undefined && { default: schema.default }), ...(schema.nullable && { nullable: true }) };
  return { ...bareNode(schema), ...facts };
}

function bareNode(schema: Structural): SchemaNode {
  if (schema["x-kubernetes-int-or-string"]) return { type: "scalar", scalar: "intOrString" };
  switch (schema.type) {
    case "object":
      return objectNode(schema, schema["x-kubernetes-embedded-resource"] ?? false);
    case "array":
      return {
        type: "list",
        items: schema.items === undefined ? any : nodeOf(schema.items),
        listType: listType(schema),
        listKeys: schema["x-kubernetes-list-map-keys"] ?? [],
        patchMerge: false,
      };
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return { type: "scalar", scalar: scalars[schema.type] };
    default:
      return any;
  }
}

const scalars = { string: "string", integer: "int64", number: "number", boolean: "boolean" } as const satisfies Record<string, ScalarType>;

function listType(schema: Structural): "atomic" | "set" | "map" {
  const given = schema["x-kubernetes-list-type"];
  return given === "set" || given === "map" ? given : "atomic";
}

function objectNode(schema: Structural, hasMetadata: boolean): SchemaNode {
  const atomic = schema["x-kubernetes-map-type"] === "atomic";
  const { additionalProperties, properties } = schema;
  if (additionalProperties && properties === undefined && !hasMetadata) {
    return { type: "map", values: additionalProperties === true ? any : nodeOf(additionalProperties), atomic };
  }
  const fields = new Map(Object.entries(properties ?? {}).map(([name, property]) => [name, nodeOf(property)]));
  if (hasMetadata) for (const [name, node] of metaFields()) fields.set(name, node);
  return {
    type: "object",
    fields,
    required: new Set(schema.required),
    preserveUnknown: schema["x-kubernetes-preserve-unknown-fields"] ?? false,
    atomic,
    ...(hasMetadata && { embedded: true }),
  };
}
