/** Sets and list maps hold every item, or key, once. */
import type { Problem } from "../../api/kind.ts";
import type { Structural } from "../../api/structural.ts";
import { duplicate, invalid, showValue } from "../../api/validation/problems.ts";
import { isObject } from "../values.ts";

export function listProblems(value: unknown, schema: Structural, path = ""): Problem[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    const inner = items === undefined ? [] : value.flatMap((item, index) => listProblems(item, items, `${path}[${index}]`));
    return [...repeated(value, schema, path), ...inner];
  }
  if (!isObject(value)) return [];
  const { properties, additionalProperties } = schema;
  return Object.entries(value).flatMap(([name, part]) => {
    if (properties !== undefined && Object.hasOwn(properties, name)) {
      return listProblems(part, properties[name] as Structural, path === "" ? name : `${path}.${name}`);
    }
    return typeof additionalProperties === "object" ? listProblems(part, additionalProperties, `${path}[${name}]`) : [];
  });
}

function repeated(value: readonly unknown[], schema: Structural, path: string): Problem[] {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") return duplicates(value, value, path);
  if (type !== "map") return [];
  const stray = value.findIndex((item) => item !== null && !isObject(item));
  if (stray >= 0) return [invalid(`${path}[${stray}]`, value[stray], "must be an object for an array of list-type map")];
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  const keys = value.map((item) => {
    const object = isObject(item) ? item : {};
    return Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]));
  });
  return duplicates(keys, keys, path);
}

/** The second of its kind is named, the third no more. */
function duplicates(identities: readonly unknown[], shown: readonly unknown[], path: string): Problem[] {
  const counts = new Map<string, number>();
  return identities.flatMap((identity, index) => {
    const id = showValue(identity);
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return count === 2 ? [duplicate(`${path}[${index}]`, shown[index])] : [];
  });
}
