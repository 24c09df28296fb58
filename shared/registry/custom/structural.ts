/**
 * Whether a schema is structural: every value has a type, and what combines schemas (`allOf`, `anyOf`, `oneOf`, `not`) only narrows what
 * stands outside of it. @see k8s.io/apiextensions-apiserver/pkg/apiserver/schema
 */
import type { Problem } from "../../api/kind.ts";
import { partsOf, type Structural } from "../../api/structural.ts";
import { forbidden, invalid, required } from "../../api/validation/problems.ts";
import { same } from "../values.ts";
import { engine } from "./engine.ts";

const unsupported = ["id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"] as const;

/** A part that no structural schema has, by upstream's name for it; undefined where there is none. */
export function unsupportedPart(schema: Structural): string | undefined {
  const own = unsupported.find((name) => schema[name] !== undefined);
  if (own !== undefined) return own.replace("$schema", "schema");
  if (Array.isArray(schema.items)) return "items";
  for (const part of partsOf(schema)) {
    const strange = unsupportedPart(part);
    if (strange !== undefined) return strange;
  }
  return undefined;
}

/** @param path where the schema stands in its definition */
export function structuralProblems(schema: Structural, path: string): Problem[] {
  const problems = [...levelProblems(schema, path, "root"), ...incompleteParts(schema, schema, path, path)];
  return problems.toSorted((a, b) => (`${a.field}: ${a.message}` < `${b.field}: ${b.message}` ? -1 : 1));
}

type Level = "root" | "field" | "item";

const emptyType = {
  root: "must not be empty at the root",
  field: "must not be empty for specified object fields",
  item: "must not be empty for specified array items",
};

function levelProblems(schema: Structural, path: string, level: Level): Problem[] {
  const { type, items, properties = {}, additionalProperties } = schema;
  const problems: Problem[] = [];
  if (type === "array" && items === undefined) problems.push(required(`${path}.items`, "must be specified"));
  if (items !== undefined) problems.push(...levelProblems(items, `${path}.items`, "item"));
  for (const [name, property] of Object.entries(properties)) {
    problems.push(...levelProblems(property, `${path}.properties[${name}]`, "field"));
  }
  if (additionalProperties !== undefined && level === "root") {
    problems.push(forbidden(`${path}.additionalProperties`, "must not be used at the root"));
  }
  if (typeof additionalProperties === "object") {
    problems.push(...levelProblems(additionalProperties, `${path}.additionalProperties`, "field"));
  }
  problems.push(...extensionProblems(schema, path));
  problems.push(...typeProblems(schema, path, level));
  problems.push(
    ...valueProblems(schema, path, { anyOf: isIntOrString(schema.anyOf), firstAllOf: isIntOrString(schema.allOf?.[0]?.anyOf) }),
  );
  problems.push(...resourceProblems(schema, path, level));
  return problems;
}

function extensionProblems(schema: Structural, path: string): Problem[] {
  if (!schema["x-kubernetes-int-or-string"]) return [];
  return (["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const)
    .filter((name) => schema[name])
    .map((name) => invalid(`${path}.${name}`, true, "must be false if x-kubernetes-int-or-string is true"));
}

function typeProblems(schema: Structural, path: string, level: Level): Problem[] {
  const { type = "" } = schema;
  const problems: Problem[] = [];
  if (schema["x-kubernetes-embedded-resource"] && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    problems.push(type === "" ? required(`${path}.type`, why) : invalid(`${path}.type`, type, why));
  } else if (type === "" && !schema["x-kubernetes-int-or-string"] && !schema["x-kubernetes-preserve-unknown-fields"]) {
    problems.push(required(`${path}.type`, emptyType[level]));
  }
  if (level === "root" && type !== "" && type !== "object") problems.push(invalid(`${path}.type`, type, "must be object at the root"));
  return problems;
}

const intOrString = [{ type: "integer" }, { type: "string" }];
const isIntOrString = (parts: unknown): boolean => same(parts, intOrString);

/** The type and metadata of a resource are given: a schema can say little about them. */
function resourceProblems(schema: Structural, path: string, level: Level): Problem[] {
  const isEmbedded = schema["x-kubernetes-embedded-resource"] ?? false;
  const isResource = level === "root" || isEmbedded;
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const problems: Problem[] = [];
  if (isEmbedded && schema.additionalProperties !== undefined) {
    problems.push(forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"));
  }
  for (const [name, property] of [
    ["kind", kind],
    ["apiVersion", apiVersion],
  ] as const) {
    if (isResource && property !== undefined && property.type !== "string") {
      problems.push(invalid(`${path}.properties[${name}].type`, property.type ?? "", "must be string"));
    }
  }
  if (metadata !== undefined) {
    const at = `${path}.properties[metadata]`;
    if (isResource && metadata.type !== "object") problems.push(invalid(`${at}.type`, metadata.type ?? "", "must be object"));
    if (level === "root" && !namesOnly(metadata)) {
      problems.push(forbidden(at, "must not specify anything other than name and generateName, but metadata is implicitly specified"));
    }
  }
  if (isEmbedded && !schema["x-kubernetes-preserve-unknown-fields"] && Object.keys(schema.properties ?? {}).length === 0) {
    problems.push(
      required(
        `${path}.properties`,
        "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
      ),
    );
  }
  return problems;
}

function namesOnly({ type: _type, properties = {}, default: _default, ...rest }: Structural): boolean {
  return Object.keys(properties).every((name) => name === "name" || name === "generateName") && Object.keys(rest).length === 0;
}

/** The schemas inside of a schema that combine, with where they stand. */
function combined(schema: Structural, path: string): (readonly [part: Structural, path: string, name: string, index: number])[] {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema;
  const lists = [
    ["anyOf", anyOf],
    ["allOf", allOf],
    ["oneOf", oneOf],
  ] as const;
  const parts = lists.flatMap(([name, list]) => list.map((part, index) => [part, `${path}.${name}[${index}]`, name, index] as const));
  return not === undefined ? parts : [...parts, [not, `${path}.not`, "not", 0] as const];
}

interface Skipped {
  /** The one way in which a combination may name types: integer or string. */
  readonly anyOf: boolean;
  readonly firstAllOf: boolean;
}

function valueProblems(schema: Structural, path: string, skipped: Skipped): Problem[] {
  const problems: Problem[] = [];
  for (const [part, at, name, index] of combined(schema, path)) {
    if (name === "anyOf" && skipped.anyOf) continue;
    problems.push(...nestedProblems(part, at, name === "allOf" && index === 0 && skipped.firstAllOf));
  }
  if (schema.pattern) problems.push(...patternProblems(schema.pattern, `${path}.pattern`));
  return problems;
}

function patternProblems(pattern: string, path: string): Problem[] {
  const { checkPattern, PatternError } = engine();
  try {
    checkPattern(pattern);
    return [];
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return [invalid(path, pattern, `must be a valid regular expression, but isn't: ${error.message}`)];
  }
}

/** What a schema may not say inside of a combination. */
const forbiddenInside: readonly (readonly [name: keyof Structural, problem: string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function nestedProblems(schema: Structural, path: string, skipAnyOf: boolean): Problem[] {
  const problems = valueProblems(schema, path, { anyOf: skipAnyOf, firstAllOf: false });
  if (schema.items) problems.push(...nestedProblems(schema.items, `${path}.items`, false));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    problems.push(...nestedProblems(property, `${path}.properties[${name}]`, false));
  }
  for (const [name, problem] of forbiddenInside) {
    const value: unknown = schema[name];
    const isEmpty = value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty || (name === "additionalProperties" && value !== undefined)) problems.push(forbidden(`${path}.${name}`, problem));
  }
  if (schema.properties?.metadata) {
    problems.push(forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context"));
  }
  return problems;
}

/** Fields and items that a combination speaks of have to be declared outside of it. */
function incompleteParts(checked: Structural, schema: Structural, schemaPath: string, checkedPath: string): Problem[] {
  return combined(checked, checkedPath).flatMap(([part, at]) => incomplete(part, schema, schemaPath, at));
}

function incomplete(part: Structural, schema: Structural | undefined, schemaPath: string, partPath: string): Problem[] {
  if (schema === undefined) return [required(schemaPath, `because it is defined in ${partPath}`)];
  const problems = incompleteParts(part, schema, schemaPath, partPath);
  if (part.items) problems.push(...incomplete(part.items, schema.items, `${schemaPath}.items`, `${partPath}.items`));
  for (const [name, property] of Object.entries(part.properties ?? {})) {
    const at = `.properties[${name}]`;
    problems.push(...incomplete(property, schema.properties?.[name], schemaPath + at, partPath + at));
  }
  return problems;
}
