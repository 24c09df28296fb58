/** Which element of an old list an element of a new one was: only list maps say. */
import type { JsonObject } from "../../api/objects.ts";
import type { Structural } from "../../api/structural.ts";
import { showValue } from "../../api/validation/problems.ts";
import { isObject } from "../values.ts";

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
