/** What of an old value a part of a new one was, and whether it still is that: of lists, only list maps say. */
import type { JsonObject } from "../../api/objects.ts";
import type { Structural } from "../../api/structural.ts";
import { showValue } from "../../api/validation/problems.ts";
import { isObject, same } from "../values.ts";

/** The keys of a list map's item, defaults included. */
export function keyOf(item: unknown, { items, "x-kubernetes-list-map-keys": keys = [] }: Structural): JsonObject {
  const object = isObject(item) ? item : {};
  const entries = keys.map((key) => [key, object[key] ?? items?.properties?.[key]?.default] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** @returns the old item for a new one; undefined where there is none */
export function correlated(before: unknown, schema: Structural): (item: unknown) => unknown {
  if (!Array.isArray(before) || schema["x-kubernetes-list-type"] !== "map") return () => undefined;
  const byKey = new Map(before.map((item) => [showValue(keyOf(item, schema)), item as unknown]));
  return (item) => byKey.get(showValue(keyOf(item, schema)));
}

/** Whether nothing has changed as far as a schema can tell: items of list maps may stand in another order. */
export function isUnchanged(value: unknown, before: unknown, schema: Structural): boolean {
  if (Array.isArray(value) && Array.isArray(before)) {
    if (schema["x-kubernetes-list-type"] !== "map") return same(value, before);
    const { items = {} } = schema;
    const earlier = correlated(before, schema);
    return value.length === before.length && value.every((item) => isUnchanged(item, earlier(item), items));
  }
  if (!isObject(value) || !isObject(before)) return same(value, before);
  const { properties = {}, additionalProperties } = schema;
  const others = typeof additionalProperties === "object" ? additionalProperties : undefined;
  const names = Object.keys(value);
  if (names.length !== Object.keys(before).length) return false;
  return names.every((name) => {
    const part = Object.hasOwn(properties, name) ? properties[name] : others;
    // Of what no schema speaks nothing is known.
    return part !== undefined && Object.hasOwn(before, name) && isUnchanged(value[name], before[name], part);
  });
}
