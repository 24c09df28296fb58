/**
 * What a CustomResourceDefinition may say in a schema beside being structural: parts of JSON Schema that are not served, lists and maps,
 * defaults in places where they could not be told apart, and rules that compile and cost no more than they may.
 */
import type { Problem } from "../../api/kind.ts";
import type { Structural } from "../../api/structural.ts";
import { forbidden, internal, invalid, notSupported, required } from "../../api/validation/problems.ts";
import { engine } from "./engine.ts";
import { FieldPathError, parseFieldPath } from "./field-path.ts";
import { type CompiledRule, compileRule, type Rule } from "./rules.ts";

/** Of one rule, on everything that one object may hold. */
const ruleLimit = 10_000_000;
/** Of all rules of a schema. */
const schemaLimit = 100_000_000;

const types = ["array", "boolean", "integer", "number", "object", "string"];
const typeFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** What surrounds a schema. */
interface Surroundings {
  /** Why defaults are refused here; undefined: they are not. */
  readonly noDefaults: string | undefined;
  readonly insideMetadata: boolean;
  /** From where on old and new values cannot be told to be the same. */
  readonly uncorrelated: string | undefined;
  /** Rules are looked at here. */
  readonly rules: RuleSurroundings | undefined;
}

interface RuleSurroundings {
  /** How many values of this schema an object may hold at most; undefined: nothing limits them. */
  readonly count: number | undefined;
  readonly isResource: boolean;
}

export interface SchemaOptions {
  /** Rules are held to what they may cost: not where the schema is the one that was there before. */
  readonly limitsRules: boolean;
  /** The schema is structural so far, and its rules can be compiled. */
  readonly checksRules: boolean;
}

/** @param path where the schema stands in its definition */
export function schemaProblems(schema: Structural, path: string, options: SchemaOptions): Problem[] {
  const checker = new Checker(options);
  const { schemaErrors, ruleErrors } = checker.check(schema, path, true, {
    noDefaults: undefined,
    insideMetadata: false,
    uncorrelated: undefined,
    rules: options.checksRules ? { count: 1, isResource: true } : undefined,
  });
  return [...schemaErrors, ...ruleErrors, ...checker.totalProblems(path)];
}

interface Found {
  readonly schemaErrors: Problem[];
  readonly ruleErrors: Problem[];
}

class Checker {
  readonly #options: SchemaOptions;
  #total = 0;
  readonly #costs: { readonly path: string; readonly cost: number }[] = [];

  constructor(options: SchemaOptions) {
    this.#options = options;
  }

  /** Problems of all rules together. */
  totalProblems(path: string): Problem[] {
    if (this.#total <= schemaLimit) return [];
    const expensive = this.#costs
      .filter(({ cost }) => cost >= schemaLimit / 100)
      .toSorted((a, b) => b.cost - a.cost)
      .slice(0, 4);
    const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const whole = tooExpensive("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", this.#total, schemaLimit);
    return [...expensive.map(({ path: at }) => forbidden(at, why)), forbidden(path, whole)];
  }

  check(schema: Structural, path: string, isRoot: boolean, around: Surroundings): Found {
    const schemaErrors = [...partProblems(schema, path, around), ...shapeProblems(schema, path), ...listProblems(schema, path)];
    const ruleErrors: Problem[] = [];
    const inner = (part: Structural, at: string, surroundings: Surroundings) => {
      const found = this.check(part, at, false, surroundings);
      schemaErrors.push(...found.schemaErrors);
      ruleErrors.push(...found.ruleErrors);
    };
    this.#checkFields(schema, path, isRoot, around, inner);
    const { items } = schema;
    if (items !== undefined && !Array.isArray(items)) {
      const isKeyed = schema["x-kubernetes-list-type"] === "map";
      inner(items, `${path}.items`, {
        ...around,
        uncorrelated: around.uncorrelated ?? (isKeyed ? undefined : path),
        rules: innerRules(around, items, schema.maxItems),
      });
    }
    for (const name of ["allOf", "oneOf", "anyOf"] as const) {
      for (const [index, part] of (schema[name] ?? []).entries()) {
        inner(part, `${path}.${name}[${index}]`, { ...around, rules: undefined });
      }
    }
    if (schema.not) inner(schema.not, `${path}.not`, { ...around, rules: undefined });
    const rules = schema["x-kubernetes-validations"] ?? [];
    for (const [index, rule] of rules.entries())
      schemaErrors.push(...ruleTextProblems(rule, schema, `${path}.x-kubernetes-validations[${index}]`));
    // What is wrong with a schema would only be said again, and worse, by its rules.
    if (rules.length > 0 && schemaErrors.length === 0 && around.rules)
      ruleErrors.push(...this.#ruleProblems(schema, path, around, around.rules));
    return { schemaErrors, ruleErrors };
  }

  #checkFields(
    schema: Structural,
    path: string,
    isRoot: boolean,
    around: Surroundings,
    inner: (part: Structural, at: string, surroundings: Surroundings) => void,
  ): void {
    const { properties = {}, additionalProperties } = schema;
    if (typeof additionalProperties === "object") {
      inner(additionalProperties, `${path}.additionalProperties`, {
        ...around,
        noDefaults: around.insideMetadata ? "inside additionalProperties applying to object metadata" : around.noDefaults,
        rules: innerRules(around, additionalProperties, schema.maxProperties),
      });
    }
    for (const [name, property] of Object.entries(properties)) {
      const isMeta = (isRoot || schema["x-kubernetes-embedded-resource"]) && typeFields.has(name);
      inner(property, `${path}.properties[${name}]`, {
        ...around,
        insideMetadata: around.insideMetadata || Boolean(isMeta),
        noDefaults: isMeta && isRoot ? `in top-level ${name}` : around.noDefaults,
        rules: innerRules(around, property, 1),
      });
    }
  }

  #ruleProblems(schema: Structural, path: string, { uncorrelated }: Surroundings, around: RuleSurroundings): Problem[] {
    const { declare, maxRequestBytes } = engine();
    const self = declare(schema, around.isResource);
    if (self === undefined) {
      const why =
        "failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
      return [internal(`${path}.x-kubernetes-validations`, `internal error: ${why}`)];
    }
    // Without a limit, as many as one request can carry.
    const count = around.count ?? Math.floor(maxRequestBytes / (self.least + 1));
    const rules = schema["x-kubernetes-validations"] ?? [];
    return rules.flatMap((rule, index) => {
      const at = `${path}.x-kubernetes-validations[${index}]`;
      return this.#problemsOf(compileRule(rule, self, schema), at, count, uncorrelated);
    });
  }

  #problemsOf(compiled: CompiledRule, path: string, count: number, uncorrelated: string | undefined): Problem[] {
    const { rule, error, messageError, message, usesOldSelf, worstCost, worstMessageCost } = compiled;
    const problems = this.#observe("estimated rule cost", worstCost * count, `${path}.rule`);
    if (error !== undefined) problems.push(invalid(`${path}.rule`, ruleOf(rule), error));
    if (messageError !== undefined) problems.push(invalid(`${path}.messageExpression`, ruleOf(rule), messageError));
    else if (message !== undefined) {
      problems.push(...this.#observe("estimated messageExpression cost", worstMessageCost, `${path}.messageExpression`));
    }
    if (usesOldSelf) {
      if (uncorrelated !== undefined) {
        const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
        problems.push(invalid(`${path}.rule`, rule.rule, why));
      }
    } else if (rule.optionalOldSelf !== undefined && rule.optionalOldSelf !== null) {
      problems.push(invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"));
    }
    return problems;
  }

  #observe(name: string, cost: number, path: string): Problem[] {
    this.#total += cost;
    this.#costs.push({ path, cost });
    return this.#options.limitsRules && cost > ruleLimit ? [forbidden(path, tooExpensive(name, cost, ruleLimit))] : [];
  }
}

/** A rule as messages show it: with every field that the API's type has. */
const ruleOf = (rule: Rule): unknown => ({
  Rule: rule.rule,
  Message: rule.message ?? "",
  MessageExpression: rule.messageExpression ?? "",
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? "",
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});

/** @param most values of the inner schema per value of the outer one */
function innerRules({ rules }: Surroundings, schema: Structural, most: number | undefined): RuleSurroundings | undefined {
  if (rules === undefined) return undefined;
  const count = rules.count === undefined || most === undefined ? undefined : rules.count * Math.max(most, 0);
  return { count, isResource: schema["x-kubernetes-embedded-resource"] ?? false };
}

function tooExpensive(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${name} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

const notServed = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;

/** Parts of JSON Schema that no definition may use, or not here. */
function partProblems(schema: Structural, path: string, { noDefaults, insideMetadata }: Surroundings): Problem[] {
  const problems: Problem[] = [];
  const { type } = schema;
  if (type && !types.includes(type)) problems.push(notSupported(`${path}.type`, type, types));
  if (schema.default !== undefined && noDefaults !== undefined)
    problems.push(forbidden(`${path}.default`, `must not be set ${noDefaults}`));
  for (const name of notServed) if (schema[name] !== undefined) problems.push(forbidden(`${path}.${name}`, `${name} is not supported`));
  if (type === "null") problems.push(forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
  if (Array.isArray(schema.items)) problems.push(forbidden(`${path}.items`, "items must be a schema object and not an array"));
  if (insideMetadata && schema["x-kubernetes-embedded-resource"]) {
    problems.push(forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"));
  }
  return problems;
}

function shapeProblems(schema: Structural, path: string): Problem[] {
  const problems: Problem[] = [];
  const { properties = {}, additionalProperties, type } = schema;
  if (schema.uniqueItems) {
    problems.push(forbidden(`${path}.uniqueItems`, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
  }
  if (additionalProperties !== undefined && additionalProperties !== true && Object.keys(properties).length > 0) {
    problems.push(forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    problems.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined && type !== "object") {
    const why = "must be object if x-kubernetes-map-type is specified";
    problems.push(type ? invalid(`${path}.type`, type, why) : required(`${path}.type`, why));
  }
  if (mapType !== undefined && mapType !== "atomic" && mapType !== "granular") {
    problems.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  }
  return problems;
}

function listProblems(schema: Structural, path: string): Problem[] {
  const problems: Problem[] = [];
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const { type, items } = schema;
  if (listType !== undefined && type !== "array") {
    const why = "must be array if x-kubernetes-list-type is specified";
    problems.push(type ? invalid(`${path}.type`, type, why) : required(`${path}.type`, why));
  } else if (listType === "set" && items !== undefined) problems.push(...setItemProblems(items, `${path}.items`));
  if (listType !== undefined && !["atomic", "set", "map"].includes(listType)) {
    problems.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ["atomic", "set", "map"]));
  }
  if (keys.length > 0 && listType !== "map") {
    const at = `${path}.x-kubernetes-list-type`;
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    problems.push(listType === undefined ? required(at, why) : invalid(at, listType, why));
  }
  if (listType === "map") problems.push(...mapProblems(schema, keys, path));
  if ((listType === "set" || listType === "map") && items?.nullable) {
    problems.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  }
  return problems;
}

/** What is in a set has to be equal or not as a whole. */
function setItemProblems(items: Structural, path: string): Problem[] {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic")
    return [invalid(`${path}.x-kubernetes-list-type`, listType, why)];
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    return [invalid(`${path}.x-kubernetes-map-type`, listType, why)];
  }
  return [];
}

function mapProblems({ items }: Structural, keys: readonly string[], path: string): Problem[] {
  const problems: Problem[] = [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) problems.push(required(at, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) return [...problems, required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map")];
  if (items.type !== "object") {
    return [...problems, invalid(`${path}.items.type`, items.type ?? "", "must be object if parent array's x-kubernetes-list-type is map")];
  }
  for (const [index, key] of keys.entries()) {
    const property = items.properties?.[key];
    if (property === undefined) problems.push(invalid(at, keys, "entries must all be names of item properties"));
    else problems.push(...keyProblems(items, key, property, `${path}.items.properties[${key}]`));
    if (keys.indexOf(key) < index) problems.push(invalid(at, keys, "must not contain duplicate entries"));
  }
  return problems;
}

function keyProblems(items: Structural, key: string, property: Structural, path: string): Problem[] {
  const problems: Problem[] = [];
  if (property.type === "array" || property.type === "object") {
    problems.push(invalid(`${path}.type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
  }
  if (!items.required?.includes(key) && property.default === undefined) {
    const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
    problems.push(required(`${path}.default`, why));
  }
  if (property.nullable) {
    problems.push(forbidden(`${path}.nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
  }
  return problems;
}

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const hasLineBreak = (text: string): boolean => /[\n\r]/.test(text);

/** What is wrong with a rule before anybody tries to understand it. */
function ruleTextProblems(given: Rule, schema: Structural, path: string): Problem[] {
  const { rule, message = "", messageExpression = "", reason, fieldPath = "" } = given;
  const problems: Problem[] = [];
  if (rule.trim() === "") problems.push(required(`${path}.rule`, "rule is not specified"));
  else if (message !== "" && message.trim() === "") problems.push(invalid(`${path}.message`, message, "must be non-empty if specified"));
  else if (hasLineBreak(message.trim())) problems.push(invalid(`${path}.message`, message, "must not contain line breaks"));
  else if (hasLineBreak(rule.trim()) && message.trim() === "") {
    problems.push(required(`${path}.message`, "message must be specified if rule contains line breaks"));
  }
  if (messageExpression !== "" && messageExpression.trim() === "") {
    problems.push(required(`${path}.messageExpression`, "messageExpression must be non-empty if specified"));
  }
  if (reason !== undefined && !reasons.includes(reason)) problems.push(notSupported(`${path}.reason`, reason, reasons));
  if (fieldPath !== "" && fieldPath.trim() === "") problems.push(invalid(`${path}.fieldPath`, fieldPath, "must be non-empty if specified"));
  if (hasLineBreak(fieldPath)) problems.push(invalid(`${path}.fieldPath`, fieldPath, "must not contain line breaks"));
  if (fieldPath !== "" && !leadsSomewhere(fieldPath, schema))
    problems.push(invalid(`${path}.fieldPath`, fieldPath, "must be a valid path"));
  return problems;
}

function leadsSomewhere(path: string, schema: Structural): boolean {
  try {
    parseFieldPath(path, schema, { brackets: true });
    return true;
  } catch (error) {
    if (error instanceof FieldPathError) return false;
    throw error;
  }
}
