/** Validation of custom resources by their OpenAPI schema, in Kubernetes' words. */

import { goFloat } from "../../api/cel/library/floats.ts";
import { codePoints } from "../../api/cel/values.ts";
import type { Problem } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { hasFormat } from "../../api/string-formats.ts";
import type { Structural } from "../../api/structural.ts";
import { invalid, notSupported, required, tooLong, tooMany, typeInvalid } from "../../api/validation/problems.ts";
import { isObject, same } from "../values.ts";
import { correlated } from "./correlation.ts";
import { engine } from "./engine.ts";

/**
 * Problems of a value. A part that an update leaves as it was is not looked at again: a rule that became stricter does not lock
 * objects which broke it before.
 * @param before the part's value before an update; undefined when there was none
 */
export function validateValue(value: unknown, before: unknown, schema: Structural, path: string): Problem[] {
  if (before !== undefined && same(value, before)) return [];
  if (value === null && schema.nullable) return [];
  const wrong = typeProblem(value, schema, path);
  if (wrong) {
    const isFraction = schema.type === "integer" && numeric(value) !== undefined;
    return isFraction ? [wrong, ofWhole(`Checked value must be of type integer (default format) in ${path}`)] : [wrong];
  }
  return [...kindProblems(value, before, schema, path), ...enumProblems(value, schema, path), ...logicProblems(value, schema, path)];
}

type Raw = { readonly rawJSON: string };
const isRaw = (value: unknown): value is Raw => typeof value === "object" && value !== null && JSON.isRawJSON(value);

/** A number as a double: good enough to compare with bounds. */
const numeric = (value: unknown): number | undefined =>
  typeof value === "number" ? value : isRaw(value) ? Number(value.rawJSON) : undefined;

const plain = (value: unknown): unknown => (isRaw(value) ? Number(value.rawJSON) : value);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const number = numeric(value);
  if (number !== undefined) return Number.isInteger(number) ? "integer" : "number";
  return typeof value;
}

function typeProblem(value: unknown, schema: Structural, path: string): Problem | undefined {
  const found = typeOf(value);
  // The value that is shown is its type, as upstream's validator has it.
  const problem = (expected: string) => typeInvalid(path, found, `${inBody(path)} must be of type ${expected}: ${JSON.stringify(found)}`);
  if (schema["x-kubernetes-int-or-string"]) return found === "integer" || found === "string" ? undefined : problem("integer,string");
  if (!schema.type || schema.type === found || (schema.type === "number" && found === "integer")) return undefined;
  return problem(schema.type);
}

/** Some messages name a part, but belong to the whole. */
const ofWhole = (detail: string): Problem => invalid("", "", detail);

/** How messages name a part of the body. */
const inBody = (path: string): string => `${path} in body`;

function kindProblems(value: unknown, before: unknown, schema: Structural, path: string): Problem[] {
  if (typeof value === "string") return stringProblems(value, schema, path);
  if (Array.isArray(value)) return listProblems(value, before, schema, path);
  const number = numeric(value);
  if (number !== undefined) return numberProblems(number, schema, path);
  return isObject(value) ? objectProblems(value, before, schema, path) : [];
}

function stringProblems(value: string, schema: Structural, path: string): Problem[] {
  const { format } = schema;
  const problem = textProblem(value, schema, path);
  const problems = problem === undefined ? [] : [problem];
  if (format !== undefined && !hasFormat(value, format)) {
    problems.push(typeInvalid(path, value, `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`));
  }
  return problems;
}

/** The first thing that is wrong: what is too short is not held against its pattern. */
function textProblem(value: string, { minLength, maxLength, pattern }: Structural, path: string): Problem | undefined {
  const length = codePoints(value);
  if (maxLength !== undefined && length > maxLength) return tooLong(path, maxLength);
  if (minLength !== undefined && length < minLength)
    return invalid(path, value, `${inBody(path)} should be at least ${minLength} chars long`);
  return pattern && !matches(pattern, value) ? invalid(path, value, `${inBody(path)} should match '${pattern}'`) : undefined;
}

/** A pattern that a definition was let in with long ago may be none. */
function matches(pattern: string, text: string): boolean {
  const { matchesPattern, PatternError } = engine();
  try {
    return matchesPattern(pattern, text);
  } catch (error) {
    if (error instanceof PatternError) return true;
    throw error;
  }
}

function numberProblems(value: number, schema: Structural, path: string): Problem[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema;
  // Fractions are shown as Go writes them.
  const shown = Number.isInteger(value) ? String(value) : goFloat(value);
  const problem = (why: string): Problem => ({
    field: path,
    reason: "FieldValueInvalid",
    message: `Invalid value: ${shown}: ${inBody(path)} ${why}`,
  });
  const problems: Problem[] = [];
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    problems.push(problem(`should be less than ${exclusiveMaximum ? "" : "or equal to "}${goFloat(maximum)}`));
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    problems.push(problem(`should be greater than ${exclusiveMinimum ? "" : "or equal to "}${goFloat(minimum)}`));
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf))
    problems.push(problem(`should be a multiple of ${goFloat(multipleOf)}`));
  if (format === "int32" && (value < -(2 ** 31) || value >= 2 ** 31)) {
    problems.push(ofWhole(`Checked value must be of type integer with format int32 in ${path}`));
  }
  return problems;
}

function listProblems(value: readonly unknown[], before: unknown, schema: Structural, path: string): Problem[] {
  const { items, minItems, maxItems, uniqueItems } = schema;
  const problems: Problem[] = [];
  if (maxItems !== undefined && value.length > maxItems) problems.push(tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems) {
    problems.push(invalid(path, value.length, `${inBody(path)} should have at least ${minItems} items`));
  }
  if (uniqueItems && value.some((item, index) => value.slice(0, index).some((other) => same(item, other)))) {
    problems.push(invalid(path, value, `${inBody(path)} shouldn't contain duplicates`));
  }
  if (items !== undefined) {
    const earlier = correlated(before, schema);
    for (const [index, item] of value.entries()) problems.push(...validateValue(item, earlier(item), items, `${path}[${index}]`));
  }
  return problems;
}

function objectProblems(value: JsonObject, before: unknown, schema: Structural, path: string): Problem[] {
  const { properties = {}, additionalProperties, minProperties, maxProperties } = schema;
  const earlier = isObject(before) ? before : {};
  const inner = (name: string) => (path === "" ? name : `${path}.${name}`);
  const count = Object.keys(value).length;
  const problems: Problem[] = [];
  if (maxProperties !== undefined && count > maxProperties) problems.push(tooMany(path, count, maxProperties));
  if (minProperties !== undefined && count < minProperties) {
    problems.push(invalid(path, count, `${inBody(path)} should have at least ${minProperties} properties`));
  }
  for (const name of schema.required ?? []) if (value[name] === undefined) problems.push(required(inner(name)));
  for (const [name, part] of Object.entries(value)) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const partSchema = declared ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    if (partSchema === undefined) continue;
    const partPath = declared === undefined ? `${path}.${name}` : inner(name);
    problems.push(...validateValue(part, earlier[name], partSchema, partPath));
  }
  return problems;
}

function enumProblems(value: unknown, { enum: allowed }: Structural, path: string): Problem[] {
  if (allowed === undefined || allowed.length === 0 || allowed.some((one) => same(plain(one), plain(value)))) return [];
  return [
    notSupported(
      path,
      plain(value),
      allowed.map((one) => (typeof one === "string" ? one : JSON.stringify(one))),
    ),
  ];
}

/** `allOf`, `anyOf`, `oneOf` and `not`: their schemas say only what values may be, never which fields there are. */
function logicProblems(value: unknown, schema: Structural, path: string): Problem[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const failures = (parts: readonly Structural[]) => parts.map((part) => validateValue(value, undefined, part, path));
  const quoted = JSON.stringify(path);
  const problem = (why: string) => ofWhole(`${quoted} ${why}`);
  const problems: Problem[] = [];
  if (anyOf && anyOf.length > 0) {
    const failed = failures(anyOf);
    if (failed.every((one) => one.length > 0)) problems.push(problem("must validate at least one schema (anyOf)"), ...fewest(failed));
  }
  if (oneOf && oneOf.length > 0) {
    const failed = failures(oneOf);
    const valid = failed.filter((one) => one.length === 0).length;
    if (valid === 0) {
      problems.push(problem("must validate one and only one schema (oneOf). Found none valid"), ...fewest(failed));
    } else if (valid > 1) problems.push(problem(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`));
  }
  if (allOf && allOf.length > 0) {
    const failed = failures(allOf);
    const valid = failed.filter((one) => one.length === 0).length;
    if (valid < allOf.length) {
      problems.push(...failed.flat(), problem(`must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`));
    }
  }
  if (not && validateValue(value, undefined, not, path).length === 0) problems.push(problem("must not validate the schema (not)"));
  return problems;
}

/** The problems of the alternative that came closest. */
const fewest = (failed: readonly (readonly Problem[])[]): readonly Problem[] => failed.toSorted((a, b) => a.length - b.length)[0] ?? [];
