/**
 * What keeps an applied configuration from being read by its schema. Server-side apply cannot own a field that it does not know, so these
 * are refused whatever `fieldValidation` says.
 * @see sigs.k8s.io/structured-merge-diff, typed/validate.go
 */
import type { JsonObject } from "../objects.ts";
import type { ListNode, ObjectNode, ScalarType, SchemaNode } from "../schema.ts";
import { keyValue } from "./typed.ts";

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !("rawJSON" in value);

/** A number may be kept as its text, where a double would change it. */
const isNumber = (value: unknown): boolean =>
  typeof value === "number" || (typeof value === "object" && value !== null && "rawJSON" in value);

const shown = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value));

/** Problems as `.spec.replicas: expected numeric (int or float), got string`, in the order of the configuration's fields. */
export const typedProblems = (schema: SchemaNode, value: unknown): string[] => (fits(schema, value) ? [] : problemsOf(schema, value, ""));

/** Whether there is no problem, which is usual: nothing is said, and nothing written down. */
function fits(schema: SchemaNode, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  switch (schema.type) {
    case "any":
      return true;
    case "scalar":
      return fitsScalar(schema.scalar, value);
    case "list":
      return Array.isArray(value) && fitsList(schema, value);
    case "map":
    case "object":
      if (!isObject(value)) return false;
      for (const name of Object.keys(value)) {
        const node = schema.type === "map" ? schema.values : fieldNode(schema, name);
        if (!node || !fits(node, value[name])) return false;
      }
      return true;
  }
}

function fitsList(schema: ListNode, items: readonly unknown[]): boolean {
  const seen = new Set<string>();
  return items.every((item, index) => {
    if (schema.listType !== "atomic") {
      const element = elementOf(schema, item, index);
      if ("problem" in element || seen.has(element.name)) return false;
      seen.add(element.name);
    }
    return fits(schema.items, item);
  });
}

function problemsOf(schema: SchemaNode, value: unknown, path: string): string[] {
  if (value === null || value === undefined) return [];
  switch (schema.type) {
    case "any":
      return [];
    case "scalar":
      return fitsScalar(schema.scalar, value) ? [] : [`${path}: ${scalarProblem(schema.scalar, value)}`];
    case "list":
      return Array.isArray(value) ? listProblems(schema, value, path) : [`${path}: expected list, got ${goType(value)}`];
    case "map":
    case "object":
      if (!isObject(value)) return [`${path}: expected map, got ${goType(value)}`];
      return Object.entries(value).flatMap(([name, field]) => {
        const at = `${path}.${name}`;
        const node = schema.type === "map" ? schema.values : fieldNode(schema, name);
        return node ? problemsOf(node, field, at) : [`${at}: field not declared in schema`];
      });
  }
}

const anything: SchemaNode = { type: "any" };

function fieldNode(schema: ObjectNode, name: string): SchemaNode | undefined {
  const declared = schema.fields.get(name);
  if (declared) return declared;
  const typed = schema.embedded && (name === "apiVersion" || name === "kind" || name === "metadata");
  return schema.preserveUnknown || typed ? anything : undefined;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (isNumber(value)) return "number";
  return isObject(value) ? "map" : typeof value;
}

function fitsScalar(scalar: ScalarType, value: unknown): boolean {
  switch (scalar) {
    case "int32":
    case "int64":
    case "number":
      return isNumber(value);
    case "boolean":
      return typeof value === "boolean";
    case "quantity":
    case "intOrString":
      return typeof value === "string" || typeof value === "boolean" || isNumber(value);
    default:
      return typeof value === "string";
  }
}

function scalarProblem(scalar: ScalarType, value: unknown): string {
  switch (scalar) {
    case "int32":
    case "int64":
    case "number":
      return `expected numeric (int or float), got ${goType(value)}`;
    case "boolean":
      return `expected boolean, got ${shown(value)}`;
    case "quantity":
    case "intOrString":
      return `expected any scalar, got ${goType(value)}`;
    default:
      return `expected string, got ${shown(value)}`;
  }
}

function listProblems(schema: ListNode, items: readonly unknown[], path: string): string[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const element = elementOf(schema, item, index);
    if ("problem" in element) return [`${path}: element ${index}: ${element.problem}`];
    const twice = schema.listType !== "atomic" && seen.has(element.name) ? [`${path}: duplicate entries for key ${element.name}`] : [];
    seen.add(element.name);
    return [...twice, ...problemsOf(schema.items, item, `${path}${element.name}`)];
  });
}

function elementOf(schema: ListNode, item: unknown, index: number): { readonly name: string } | { readonly problem: string } {
  if (schema.listType === "atomic") return { name: `[${index}]` };
  if (schema.listType === "set") {
    if (Array.isArray(item)) return { problem: "not supported: associative list with lists as elements" };
    const strange = item === null ? "an explicit null" : isObject(item) ? "a map type" : undefined;
    if (strange !== undefined) return { problem: `associative list without keys has an element that's ${strange}` };
    return { name: `[=${shown(item)}]` };
  }
  if (!isObject(item)) return { problem: "associative list with keys may not have non-map elements" };
  const keys: string[] = [];
  for (const key of schema.listKeys) {
    const value = keyValue(schema, item, key);
    if (value !== undefined) keys.push(`${key}=${JSON.stringify(value)}`);
  }
  if (keys.length > 0) return { name: `[${keys.join(",")}]` };
  const names = `[${schema.listKeys.map((key) => JSON.stringify(key)).join(" ")}]`;
  return {
    problem: `associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)`,
  };
}
