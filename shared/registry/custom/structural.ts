/** Whether a schema is structural: every value has a type, and what combines schemas adds no fields. */
import type { Problem } from "../../api/kind.ts";
import { forbidden, invalid, required } from "../../api/validation/problems.ts";
import type { Structural } from "./schema.ts";
import { patternOf } from "./validate.ts";

/** @param path where the schema stands in its definition */
export function structuralProblems(schema: Structural, path: string): Problem[] {
  const problems = levelProblems(schema, path, "root");
  if (schema.type && schema.type !== "object") problems.push(invalid(`${path}.type`, schema.type, "must be object at the root"));
  return problems;
}

type Level = "root" | "field" | "item";

const emptyType = {
  root: "must not be empty at the root",
  field: "must not be empty for specified object fields",
  item: "must not be empty for specified array items",
};

function levelProblems(schema: Structural, path: string, level: Level): Problem[] {
  const problems: Problem[] = [];
  const isOpen = schema["x-kubernetes-int-or-string"] || schema["x-kubernetes-preserve-unknown-fields"];
  if (!schema.type && !isOpen) problems.push(required(`${path}.type`, emptyType[level]));
  if (!schema.type && level === "root" && isOpen) problems.push(required(`${path}.type`, emptyType.root));
  if (schema["x-kubernetes-embedded-resource"] && schema.type !== "object") {
    problems.push(invalid(`${path}.type`, schema.type ?? "", "must be object if x-kubernetes-embedded-resource is true"));
  }
  if (schema["x-kubernetes-int-or-string"] && schema.type) {
    problems.push(invalid(`${path}.type`, schema.type, "must be empty if x-kubernetes-int-or-string is true"));
  }
  problems.push(...forbiddenParts(schema, path));
  if (schema.type === "array" && schema.items === undefined) problems.push(required(`${path}.items`, "must be specified"));
  if (schema.pattern !== undefined && patternOf(schema.pattern) === undefined) {
    problems.push(invalid(`${path}.pattern`, schema.pattern, "is no regular expression that this server can read"));
  }
  problems.push(...listProblems(schema, path));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    problems.push(...levelProblems(property, `${path}.properties[${name}]`, "field"));
  }
  if (schema.items) problems.push(...levelProblems(schema.items, `${path}.items`, "item"));
  if (typeof schema.additionalProperties === "object") {
    if (schema.properties) {
      problems.push(forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
    }
    problems.push(...levelProblems(schema.additionalProperties, `${path}.additionalProperties`, "field"));
  }
  return problems;
}

const neverAllowed = ["definitions", "dependencies", "patternProperties", "additionalItems", "$ref", "id", "$schema"] as const;

function forbiddenParts(schema: Structural, path: string): Problem[] {
  const problems = neverAllowed
    .filter((name) => schema[name] !== undefined)
    .map((name) => forbidden(`${path}.${name}`, `${name} is not supported`));
  if (schema.uniqueItems)
    problems.push(forbidden(`${path}.uniqueItems`, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
  if (schema.additionalProperties === false) {
    problems.push(forbidden(`${path}.additionalProperties`, "additionalProperties cannot be set to false"));
  }
  return problems;
}

function listProblems(schema: Structural, path: string): Problem[] {
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (type === undefined) return [];
  const problems: Problem[] = [];
  if (schema.type !== "array")
    problems.push(invalid(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"));
  if (type !== "map") return problems;
  if (keys.length === 0)
    problems.push(required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map"));
  for (const [index, key] of keys.entries()) {
    const property = schema.items?.properties?.[key];
    const at = `${path}.x-kubernetes-list-map-keys[${index}]`;
    if (property === undefined) {
      problems.push(invalid(at, key, "entries must all be names of item properties"));
    } else if (!schema.items?.required?.includes(key) && property.default === undefined) {
      problems.push(
        required(
          `${path}.items.properties[${key}].default`,
          "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ),
      );
    }
  }
  return problems;
}
