/** Defaults of a structural schema, and nulls that stand for "not given". */
import type { JsonObject } from "../../api/objects.ts";
import type { Structural } from "../../api/structural.ts";
import { clone, isObject } from "../values.ts";

/** Sets what is missing and has a default; drops nulls that a field cannot hold. In place. */
export function setDefaults(value: unknown, schema: Structural): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) {
      if (isUnwantedNull(item, items) && items.default !== undefined) value[index] = clone(items.default);
      setDefaults(value[index], items);
    }
    return;
  }
  if (!isObject(value)) return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) setField(value, name, property);
  const { additionalProperties } = schema;
  if (typeof additionalProperties !== "object") return;
  for (const name of Object.keys(value)) {
    if (schema.properties === undefined || !Object.hasOwn(schema.properties, name)) setField(value, name, additionalProperties);
  }
}

function setField(object: JsonObject, name: string, schema: Structural): void {
  if (isUnwantedNull(object[name], schema)) delete object[name];
  if (object[name] === undefined && schema.default !== undefined) object[name] = clone(schema.default);
  if (object[name] !== undefined) setDefaults(object[name], schema);
}

const isUnwantedNull = (value: unknown, schema: Structural): boolean => value === null && !schema.nullable;
