/** JSON values as trees: copies and comparisons that keep numbers written as raw JSON text exactly. */
import type { JsonObject } from "../api/objects.ts";

type RawJson = { readonly rawJSON: string };

/** A number that a double cannot hold, kept as its text. */
const isRaw = (value: object): value is RawJson => JSON.isRawJSON(value);

/** A deep copy that nobody else holds and that may be changed. */
export function clone<T>(value: T): T {
  if (typeof value !== "object" || value === null || isRaw(value)) return value;
  if (Array.isArray(value)) return value.map(clone) as T;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    const part = (value as JsonObject)[key];
    if (part === undefined) continue;
    // Assigned, it would be the copy's prototype.
    if (key === "__proto__") Object.defineProperty(copy, key, { value: clone(part), enumerable: true, writable: true, configurable: true });
    else copy[key] = clone(part);
  }
  return copy as T;
}

/** Whether two JSON values are equal; a key whose value is undefined is the same as no key, and the order of keys does not matter. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (isRaw(left) || isRaw(right)) return isRaw(left) && isRaw(right) && left.rawJSON === right.rawJSON;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => same(item, right[index]));
  }
  const a = left as JsonObject;
  const b = right as JsonObject;
  for (const key of Object.keys(a)) if (!same(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRaw(value);

/** The object without one of its fields. */
export function without<T extends object, K extends keyof T>(object: T, field: K): Omit<T, K> {
  const { [field]: _, ...rest } = object;
  return rest;
}

/** Text of a value that a message shows: anything but text, numbers and booleans as JSON. */
export const show = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);

/** Seconds are the finest that `metav1.Time` knows: `2026-01-31T12:00:00Z`. */
export const seconds = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
