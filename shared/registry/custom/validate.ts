/**
 * Validation of custom resources by their OpenAPI schema, in Kubernetes' words.
 * @see k8s.io/kube-openapi/pkg/validation/validate
 */

import { goFloat } from "../../api/cel/library/floats.ts";
import { codePoints } from "../../api/cel/values.ts";
import type { Problem } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { hasFormat, isRecognizedFormat } from "../../api/string-formats.ts";
import type { Structural } from "../../api/structural.ts";
import { invalid, notSupported, required, tooLong, tooMany, typeInvalid } from "../../api/validation/problems.ts";
import { isObject, same } from "../values.ts";
import { correlated, isUnchanged } from "./correlation.ts";
import { engine } from "./engine.ts";

/**
 * Problems of a value. A part that an update leaves as it was is not looked at again: a rule that became stricter does not lock
 * objects which broke it before.
 * @param before the part's value before an update; undefined when there was none
 */
export const validateValue = (value: unknown, before: unknown, schema: Structural, path: string): Problem[] =>
  // Messages name what stands in a map at the top with a dot before it, problems do not.
  validated(value, before, schema, path).problems.map((problem) => ({ ...problem, field: problem.field.replace(/^\./, "") }));

/** What a schema makes of a value. */
class Outcome {
  readonly problems: Problem[] = [];
  /** How much of the schema was looked at without a problem: of alternatives that all fail, the problems of the best are told. */
  matches = 0;

  /** A problem that is there already is not told again. */
  add(...problems: readonly Problem[]): void {
    for (const problem of problems) if (!this.problems.some((known) => same(known, problem))) this.problems.push(problem);
  }

  merge({ problems, matches }: Outcome): void {
    this.add(...problems);
    this.matches += matches;
  }
}

function validated(value: unknown, before: unknown, schema: Structural, path: string): Outcome {
  if (before !== undefined && isUnchanged(value, before, schema)) return new Outcome();
  return judged(value, before, schema, path);
}

/** The value as its schema sees it, whether or not it was there before; its parts may still be what they were. */
function judged(value: unknown, before: unknown, schema: Structural, path: string): Outcome {
  const outcome = new Outcome();
  const wrong = typeProblem(value, schema, path);
  if (wrong) outcome.add(wrong);
  if (value === null) {
    outcome.matches = wrong ? 0 : 1;
    outcome.add(...enumProblems(value, schema, path));
    return outcome;
  }
  // Every check that is made counts, and most of them once more for what they find in order.
  const hasType = typesOf(schema).length > 0 || recognizedFormat(schema) !== undefined;
  outcome.matches = 3 + (hasType ? 1 : 0) + (hasType && !wrong ? 1 : 0);
  mergeCombined(outcome, value, before, schema, path);
  const number = numberOf(value);
  if (typeof value === "string") {
    outcome.add(...stringProblems(value, schema, path));
    outcome.matches += recognizedFormat(schema) === undefined ? 1 : 2;
  }
  if (number !== undefined) {
    outcome.add(...numberProblems(number, schema, path));
    outcome.matches += 2;
  }
  if (Array.isArray(value)) mergeItems(outcome, value, before, schema, path);
  outcome.add(...enumProblems(value, schema, path));
  if (number === undefined && isObject(value)) mergeFields(outcome, value, before, schema, path);
  return outcome;
}

/** A number, and whether it was written as a whole one that 64 bits hold. */
interface NumberValue {
  readonly value: number;
  readonly isWhole: boolean;
}

type Raw = { readonly rawJSON: string };
const isRaw = (value: unknown): value is Raw => typeof value === "object" && value !== null && JSON.isRawJSON(value);

function numberOf(value: unknown): NumberValue | undefined {
  if (typeof value === "number") return { value, isWhole: Number.isSafeInteger(value) };
  if (!isRaw(value)) return undefined;
  return {
    value: Number(value.rawJSON),
    isWhole: /^-?\d+$/.test(value.rawJSON) && BigInt.asIntN(64, BigInt(value.rawJSON)) === BigInt(value.rawJSON),
  };
}

const plain = (value: unknown): unknown => (isRaw(value) ? Number(value.rawJSON) : value);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const number = numberOf(value);
  if (number !== undefined) return number.isWhole ? "integer" : "number";
  return typeof value;
}

/** The formats that Go's own types of numbers stand for. */
const goFormats: Readonly<Record<string, string>> = { integer: "int64", number: "float64" };

const typesOf = ({ type, "x-kubernetes-int-or-string": isIntOrString }: Structural): readonly string[] =>
  isIntOrString ? ["integer", "string"] : type ? [type] : [];

/** The format, where it is one for the schema's type. */
function recognizedFormat(schema: Structural): string | undefined {
  const types = typesOf(schema);
  return schema.format && isRecognizedFormat(schema.format, types.length === 1 ? types[0] : undefined) ? schema.format : undefined;
}

function typeProblem(value: unknown, schema: Structural, path: string): Problem | undefined {
  const types = typesOf(schema);
  const format = recognizedFormat(schema);
  const found = typeOf(value);
  // The value that is shown is its type, as upstream's validator has it.
  const problem = (expected: string, shown: string) =>
    typeInvalid(path, shown, `${inBody(path)} must be of type ${expected}: ${JSON.stringify(shown)}`);
  if (value === null) return types.length === 0 || schema.nullable ? undefined : problem(types.join(","), found);
  if (types.length === 0 && format === undefined) return undefined;
  const isFitting = types.includes(found) || fitsAsNumber(value, types);
  const mayHaveFormat = typeof value === "string" || Array.isArray(value);
  if (format !== undefined && !mayHaveFormat && !isFitting && goFormats[found] !== format) return problem(format, goFormats[found] ?? "");
  if (format !== undefined && mayHaveFormat && !types.includes("number") && !types.includes("integer")) return undefined;
  return isFitting ? undefined : problem(types.join(","), found);
}

function fitsAsNumber(value: unknown, types: readonly string[]): boolean {
  const number = numberOf(value);
  if (number === undefined) return false;
  return number.isWhole ? types.includes("number") : types.includes("integer") && isNearlyWhole(number.value);
}

/** Close enough for upstream, which tells whole numbers by their doubles. */
function isNearlyWhole(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  const whole = Math.trunc(value);
  return value === whole || (whole !== 0 && Math.abs(value - whole) / (Math.abs(value) + Math.abs(whole)) < 1e-9);
}

/** Some messages name a part, but belong to the whole. */
const ofWhole = (detail: string): Problem => invalid("", "", detail);

/** How messages name a part of the body. */
const inBody = (path: string): string => `${path} in body`;

function stringProblems(value: string, schema: Structural, path: string): Problem[] {
  const format = recognizedFormat(schema);
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

/** Of whole numbers, bounds count without their fractions. */
function numberProblems({ value, isWhole }: NumberValue, schema: Structural, path: string): Problem[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const shown = isWhole ? String(value) : goFloat(value);
  const problem = (why: string): Problem => ({
    field: path,
    reason: "FieldValueInvalid",
    message: `Invalid value: ${shown}: ${inBody(path)} ${why}`,
  });
  const problems = rangeProblems(value, schema, path, "Checked value");
  if (multipleOf !== undefined) {
    const unfit = rangeProblems(multipleOf, schema, path, "MultipleOf value");
    const factor = isWhole && unfit.length === 0 ? Math.trunc(multipleOf) : multipleOf;
    problems.push(...unfit);
    if (factor <= 0) problems.push(invalid(path, factor, `factor MultipleOf declared for ${path} must be positive: ${goFloat(factor)}`));
    else if (!isNearlyWhole(factor < 1 ? (1 / factor) * value : value / factor))
      problems.push(problem(`should be a multiple of ${goFloat(factor)}`));
  }
  if (minimum !== undefined) {
    const unfit = rangeProblems(minimum, schema, path, "Minimum boundary value");
    const bound = isWhole && unfit.length === 0 ? Math.trunc(minimum) : minimum;
    problems.push(...unfit);
    if (exclusiveMinimum ? value <= bound : value < bound) {
      problems.push(problem(`should be greater than ${exclusiveMinimum ? "" : "or equal to "}${goFloat(bound)}`));
    }
  }
  if (maximum !== undefined) {
    const unfit = rangeProblems(maximum, schema, path, "Maximum boundary value");
    const bound = isWhole && unfit.length === 0 ? Math.trunc(maximum) : maximum;
    problems.push(...unfit);
    if (exclusiveMaximum ? value >= bound : value > bound) {
      problems.push(problem(`should be less than ${exclusiveMaximum ? "" : "or equal to "}${goFloat(bound)}`));
    }
  }
  return problems;
}

/** Whether a number is one that its type and format can hold. */
function rangeProblems(value: number, schema: Structural, path: string, what: string): Problem[] {
  const [type, ...others] = typesOf(schema);
  if (type === undefined || others.length > 0) return [];
  const format = recognizedFormat(schema);
  const isHeld =
    type === "integer" ? Number.isInteger(value) && holds(format, value) : format !== "float" || Number.isFinite(Math.fround(value));
  if (isHeld) return [];
  const which = format === undefined ? "(default format)" : `with format ${format}`;
  return [ofWhole(`${what} must be of type ${type} ${which} in ${path}`)];
}

const holds = (format: string | undefined, value: number): boolean =>
  format === "int32" ? value >= -(2 ** 31) && value < 2 ** 31 : value >= -(2 ** 63) && value < 2 ** 63;

function mergeItems(outcome: Outcome, value: readonly unknown[], before: unknown, schema: Structural, path: string): void {
  const { items, minItems, maxItems, uniqueItems } = schema;
  if (items !== undefined) {
    const earlier = correlated(before, schema);
    for (const [index, item] of value.entries()) outcome.merge(validated(item, earlier(item), items, `${path}[${index}]`));
  }
  if (minItems !== undefined && value.length < minItems) {
    outcome.add(invalid(path, value.length, `${inBody(path)} should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && value.length > maxItems) outcome.add(tooMany(path, value.length, maxItems));
  if (uniqueItems && value.some((item, index) => value.slice(0, index).some((other) => same(item, other)))) {
    outcome.add(invalid(path, "", `${inBody(path)} shouldn't contain duplicates`));
  }
  outcome.matches += 2;
}

function mergeFields(outcome: Outcome, value: JsonObject, before: unknown, schema: Structural, path: string): void {
  const { properties = {}, additionalProperties, minProperties, maxProperties } = schema;
  const earlier = isObject(before) ? before : {};
  const count = Object.keys(value).length;
  if (minProperties !== undefined && count < minProperties) {
    outcome.add(invalid(path, count, `${inBody(path)} should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && count > maxProperties) outcome.add(tooMany(path, count, maxProperties));
  for (const [name, part] of Object.entries(value)) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const partSchema = declared ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    if (partSchema === undefined) continue;
    const partPath = declared !== undefined && path === "" ? name : `${path}.${name}`;
    outcome.merge(validated(part, Object.hasOwn(earlier, name) ? earlier[name] : undefined, partSchema, partPath));
  }
  for (const name of schema.required ?? []) if (value[name] === undefined) outcome.add(required(`${path}.${name}`));
  outcome.matches += 1;
}

function enumProblems(value: unknown, { enum: allowed }: Structural, path: string): Problem[] {
  if (allowed === undefined || allowed.length === 0) return [];
  if (value !== null && allowed.some((one) => same(plain(one), plain(value)))) return [];
  return [
    notSupported(
      path,
      plain(value),
      allowed.map((one) => (typeof one === "string" ? one : JSON.stringify(one))),
    ),
  ];
}

/** `allOf`, `anyOf`, `oneOf` and `not`: their schemas say only what values may be, never which fields there are. */
function mergeCombined(outcome: Outcome, value: unknown, before: unknown, schema: Structural, path: string): void {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema;
  const isValid = ({ problems }: Outcome) => problems.length === 0;
  const quoted = JSON.stringify(path);
  const problem = (why: string) => ofWhole(`${quoted} ${why}`);
  const judge = (part: Structural) => judged(value, before, part, path);
  if (anyOf.length > 0) {
    const outcomes = anyOf.map(judge);
    const valid = outcomes.find(isValid);
    if (valid === undefined) outcome.add(problem("must validate at least one schema (anyOf)"));
    outcome.merge(valid ?? closest(outcomes));
  }
  if (oneOf.length > 0) {
    const outcomes = oneOf.map(judge);
    const [valid, ...more] = outcomes.filter(isValid);
    if (valid === undefined) {
      outcome.add(problem("must validate one and only one schema (oneOf). Found none valid"));
      outcome.merge(closest(outcomes));
    } else if (more.length > 0) {
      outcome.add(problem(`must validate one and only one schema (oneOf). Found ${more.length + 1} valid alternatives`));
    } else outcome.merge(valid);
  }
  if (allOf.length > 0) {
    const outcomes = allOf.map(judge);
    for (const one of outcomes) outcome.merge(one);
    if (!outcomes.every(isValid)) {
      outcome.add(problem(`must validate all the schemas (allOf)${outcomes.some(isValid) ? "" : ". None validated"}`));
    }
  }
  if (not && isValid(judge(not))) outcome.add(problem("must not validate the schema (not)"));
  outcome.matches++;
}

/** The first of those of which most is in order. */
const closest = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.reduce((best, one) => (one.matches > best.matches ? one : best), outcomes[0] ?? new Outcome());
