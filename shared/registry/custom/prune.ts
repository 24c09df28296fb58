/** Pruning: fields that a custom resource's schema does not declare are dropped, as unknown fields of built-in kinds are. */
import type { JsonObject } from "../../api/objects.ts";
import type { Structural } from "../../api/structural.ts";
import { isObject } from "../values.ts";
import { typeFields } from "./schema.ts";

/**
 * Drops undeclared fields, in place.
 * @returns the paths of what was dropped: `spec.foo`, `spec.list[0].bar`
 */
export function prune(object: JsonObject, schema: Structural): string[] {
  const dropped: string[] = [];
  pruneObject(object, schema, "", true, dropped);
  return dropped;
}

function pruneValue(value: unknown, schema: Structural, path: string, dropped: string[]): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) for (const [index, item] of value.entries()) pruneValue(item, items, `${path}[${index}]`, dropped);
    return;
  }
  if (isObject(value)) pruneObject(value, schema, path, schema["x-kubernetes-embedded-resource"] ?? false, dropped);
}

function pruneObject(object: JsonObject, schema: Structural, path: string, isResource: boolean, dropped: string[]): void {
  const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] ?? false;
  for (const [name, value] of Object.entries(object)) {
    if (isResource && typeFields.has(name)) continue;
    const inner = path === "" ? name : `${path}.${name}`;
    const declared = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (declared !== undefined) pruneValue(value, declared, inner, dropped);
    else if (schema.additionalProperties === true) continue;
    else if (schema.additionalProperties) pruneValue(value, schema.additionalProperties, inner, dropped);
    else if (!keepsUnknown) {
      delete object[name];
      dropped.push(inner);
    }
  }
}
