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

const inherited: JsonObject = {};

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
  // A key like "constructor" has a value in every object, which JSON cannot have written.
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === inherited[key]) return false;
  return true;
}

/**
 * A value that is complete, with whatever is written alike in an older one taken from there: what did not change is held once, and is
 * seen to be the same at a glance.
 * @param next the caller's own; changed in place where it is not frozen
 */
export function sharing<T>(next: T, previous: unknown): T {
  if (next === previous || typeof next !== "object" || typeof previous !== "object" || next === null || previous === null) return next;
  if (Array.isArray(next) !== Array.isArray(previous)) return next;
  const names = Object.keys(next);
  const before = Object.keys(previous);
  const isOwn = !Object.isFrozen(next);
  let isAlike = names.length === before.length;
  for (const [index, name] of names.entries()) {
    // Assigned, `__proto__` would be the object's prototype.
    if (name !== before[index] || name === "__proto__") isAlike = false;
    if (!Object.hasOwn(previous, name) || name === "__proto__") continue;
    const part = (next as JsonObject)[name];
    const old = (previous as JsonObject)[name];
    if (part === old) continue;
    const shared = sharing(part, old);
    if (shared !== old) isAlike = false;
    if (shared !== part && isOwn) (next as JsonObject)[name] = shared;
  }
  return isAlike ? (previous as T) : next;
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
