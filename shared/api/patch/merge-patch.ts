/** JSON merge patch (RFC 7386): null deletes, objects merge, everything else replaces. */
import { badRequest } from "../../errors/status-error.ts";
import type { JsonObject } from "../objects.ts";
import { copyOf, field, isObject, setField } from "./values.ts";

/**
 * The patched value; target and patch stay as they are.
 * @throws {StatusError} BadRequest when the patch is no object
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw badRequest("Invalid JSON Patch");
  return isObject(target) ? merge(target, patch) : withoutNulls(patch);
}

function merge(target: JsonObject, patch: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(target)) {
    const change = field(patch, key);
    if (change === null) continue;
    setField(result, key, change === undefined ? target[key] : mergeValue(target[key], change));
  }
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null && !Object.hasOwn(target, key)) setField(result, key, withoutNulls(patch[key]));
  }
  return result;
}

function mergeValue(value: unknown, change: unknown): unknown {
  if (!isObject(value)) return withoutNulls(change);
  return isObject(change) ? merge(value, change) : copyOf(change);
}

/** Of a value that replaces nothing: its nulls have nothing to delete. Items of lists that are null stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setField(result, key, withoutNulls(value[key]));
  return result;
}
