/** Reads OpenAPI v3 documents and keeps the schemas of stable versions. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface OpenApiSchema {
  type?: string;
  format?: string;
  $ref?: string;
  allOf?: OpenApiSchema[];
  oneOf?: OpenApiSchema[];
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  default?: unknown;
  "x-kubernetes-patch-strategy"?: string;
  "x-kubernetes-patch-merge-key"?: string;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}
export type Definitions = Record<string, OpenApiSchema>;

/** Stable means a version without alpha or beta; apimachinery's types carry none. */
export const isStable = (id: string): boolean => !/\.v\d+(alpha|beta)\d+\./.test(id);

export function readOpenApi(folder: string): Definitions {
  const all: Definitions = {};
  for (const file of readdirSync(folder).toSorted()) {
    if (!/\.json(\.gz)?$/.test(file)) continue;
    const raw = readFileSync(join(folder, file));
    const document = JSON.parse((file.endsWith(".gz") ? gunzipSync(raw) : raw).toString("utf8"));
    for (const [id, schema] of Object.entries<OpenApiSchema>(document.components?.schemas ?? {})) {
      if (isStable(id)) all[id] ??= schema;
    }
  }
  return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
