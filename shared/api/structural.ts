/** Structural schemas: what a CustomResourceDefinition says of its objects. */
import type { JSONSchemaProps } from "./generated/types.ts";

/** An OpenAPI schema with the parts that JSON Schema leaves open pinned down. */
export type Structural = Omit<JSONSchemaProps, SchemaParts> & {
  readonly items?: Structural;
  readonly additionalProperties?: Structural | boolean;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly allOf?: readonly Structural[];
  readonly anyOf?: readonly Structural[];
  readonly oneOf?: readonly Structural[];
  readonly not?: Structural;
};

type SchemaParts = "items" | "additionalProperties" | "properties" | "allOf" | "anyOf" | "oneOf" | "not";

/** The schemas directly inside of a schema. */
export function partsOf({
  items,
  properties = {},
  additionalProperties,
  allOf = [],
  anyOf = [],
  oneOf = [],
  not,
}: Structural): Structural[] {
  const parts = [...(items ? [items] : []), ...Object.values(properties), ...allOf, ...anyOf, ...oneOf, ...(not ? [not] : [])];
  return typeof additionalProperties === "object" ? [...parts, additionalProperties] : parts;
}

const text: Structural = { type: "string" };
const resourceMetadata: Structural = { type: "object", properties: { name: text, generateName: text } };

/** Whether a schema says itself what rules may ask of every resource's type and metadata. */
const hasOwnMetadata = ({ properties: { apiVersion, kind, metadata } = {} }: Structural): boolean =>
  kind?.type === "string" &&
  apiVersion?.type === "string" &&
  metadata?.type === "object" &&
  metadata.properties?.name?.type === "string" &&
  metadata.properties.generateName?.type === "string";

/** The schema of a resource as rules see it: type, name and generateName are always there, the rest of the metadata is not. */
export function withResourceFields(schema: Structural): Structural {
  if (hasOwnMetadata(schema)) return schema;
  return { ...schema, properties: { ...schema.properties, kind: text, apiVersion: text, metadata: resourceMetadata } };
}
