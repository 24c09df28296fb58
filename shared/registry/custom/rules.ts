/** `x-kubernetes-validations`: the rules of a schema, compiled once, and held against objects within a budget. */
import type { Program } from "../../api/cel/evaluate.ts";
import type { Problem } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { type Structural, withResourceFields } from "../../api/structural.ts";
import { duplicate, duplicateWhole, forbidden, invalid, invalidWhole, required } from "../../api/validation/problems.ts";
import { isObject, same } from "../values.ts";
import { correlated, isUnchanged } from "./correlation.ts";
import { engine } from "./engine.ts";
import { FieldPathError, parseFieldPath } from "./field-path.ts";

export type Rule = NonNullable<Structural["x-kubernetes-validations"]>[number];
type Declared = NonNullable<ReturnType<ReturnType<typeof engine>["declare"]>>;

/** A rule that has been compiled, or what is wrong with it. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly error?: string;
  readonly messageError?: string;
  readonly program?: Program;
  readonly message?: Program;
  readonly usesOldSelf: boolean;
  /** The most that the rule, and its message, may cost on one value. */
  readonly worstCost: number;
  readonly worstMessageCost: number;
  /** Relative to the value; empty: the value itself. */
  readonly fieldPath: string;
}

/** @param self what the rules' value may be */
export function compileRule(rule: Rule, self: Declared, schema: Structural): CompiledRule {
  const none: CompiledRule = { rule, usesOldSelf: false, worstCost: 0, worstMessageCost: 0, fieldPath: "" };
  if (rule.rule.trim() === "") return none;
  const options = { optionalOldSelf: rule.optionalOldSelf ?? false };
  const compiled = attempt(rule.rule, self, options, "bool");
  if ("problem" in compiled) {
    const prefix = compiled.isProgram ? "program instantiation failed: " : compiled.isCompilation ? "compilation failed: " : "";
    return { ...none, error: prefix + compiled.problem };
  }
  const made = { ...none, program: compiled.program, usesOldSelf: compiled.usesOldSelf, worstCost: compiled.worstCost };
  const fieldPath = rule.fieldPath === undefined ? "" : pathOf(rule.fieldPath, schema);
  if (!rule.messageExpression) return { ...made, fieldPath };
  const message = attempt(rule.messageExpression, self, options, "string");
  if ("problem" in message) {
    const prefix = message.isProgram
      ? "messageExpression instantiation failed: "
      : message.isCompilation
        ? "messageExpression compilation failed: "
        : "";
    return { ...made, messageError: prefix + message.problem };
  }
  return { ...made, fieldPath, message: message.program, worstMessageCost: message.worstCost };
}

function pathOf(path: string, schema: Structural): string {
  try {
    return parseFieldPath(path, schema, { brackets: true }).text;
  } catch (error) {
    if (error instanceof FieldPathError) return "";
    throw error;
  }
}

function attempt(source: string, self: Declared, options: { readonly optionalOldSelf: boolean }, wanted: "bool" | "string") {
  const { compile, CompileError } = engine();
  try {
    return compile(source, self, { ...options, wanted });
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const problem =
      error.stage === "type" ? `${wanted === "bool" ? "cel expression" : "messageExpression"} ${error.message}` : error.message;
    return { problem, isProgram: error.stage === "program", isCompilation: error.stage === "compilation" };
  }
}

/** The rules of a schema and of the parts of it. */
interface RuleTree {
  readonly schema: Structural;
  readonly rules: readonly CompiledRule[];
  readonly isResource: boolean;
  readonly items: RuleTree | undefined;
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly values: RuleTree | undefined;
  readonly allOf: readonly RuleTree[];
}

const isResource = (schema: Structural): boolean => schema["x-kubernetes-embedded-resource"] ?? false;

/** @param checked where the rules stand: the schema itself, or one of its `allOf` */
function treeOf(checked: Structural, schema: Structural, resource: boolean): RuleTree | undefined {
  const own = checked["x-kubernetes-validations"] ?? [];
  const self = own.length > 0 ? engine().declare(schema, resource) : undefined;
  const rules = self === undefined ? [] : own.map((rule) => compileRule(rule, self, schema));
  const inner = (part: Structural | undefined, of: Structural | undefined) => (part && of ? treeOf(part, of, isResource(of)) : undefined);
  const properties = new Map<string, RuleTree>();
  for (const [name, part] of Object.entries(checked.properties ?? {})) {
    const tree = inner(part, schema.properties?.[name]);
    if (tree !== undefined) properties.set(name, tree);
  }
  const valuesOf = ({ additionalProperties }: Structural) => (typeof additionalProperties === "object" ? additionalProperties : undefined);
  const items = inner(checked.items, schema.items);
  const values = inner(valuesOf(checked), valuesOf(schema));
  const allOf = (checked.allOf ?? []).map((part) => treeOf(part, schema, resource)).filter((tree) => tree !== undefined);
  if (rules.length + properties.size + allOf.length === 0 && items === undefined && values === undefined) return undefined;
  return { schema, rules, isResource: resource, items, properties, values, allOf };
}

const trees = new WeakMap<Structural, RuleTree | "none">();

function rulesOf(schema: Structural, resource: boolean): RuleTree | undefined {
  let tree = trees.get(schema);
  if (tree === undefined) trees.set(schema, (tree = treeOf(schema, schema, resource) ?? "none"));
  return tree === "none" ? undefined : tree;
}

/** Whether a whole resource is held to any rule. */
export const hasRules = (schema: Structural): boolean => rulesOf(schema, true) !== undefined;

/** How far a value and its surroundings are what they were: what did not change is not held against a rule that came later. */
interface History {
  /** The value before; undefined: it cannot be told which it was. */
  readonly before: unknown;
  readonly isUnchanged: boolean;
}

/**
 * Problems of a value that its schema has nothing against.
 * @param before undefined where there was none
 * @param options.path of the value; empty for a whole resource
 * @param options.ratchets values that did not change may break rules that do not look at the state before
 * @param options.warn is told of rules that are broken so
 */
export function ruleProblems(
  value: unknown,
  before: unknown,
  schema: Structural,
  options: {
    readonly path: string;
    readonly isResource: boolean;
    readonly ratchets: boolean;
    readonly warn?: (text: string) => void;
  },
): Problem[] {
  const tree = rulesOf(schema, options.isResource);
  if (tree === undefined) return [];
  const run = new Run(engine().perRequestBudget, options.warn);
  const unchanged = options.ratchets && before !== undefined && same(value, before);
  run.visit(tree, value, before, options.path, { before: options.ratchets ? before : undefined, isUnchanged: unchanged });
  return run.problems;
}

const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";

/** One object, and what is left of its budget. */
class Run {
  readonly problems: Problem[] = [];
  readonly #warn: ((text: string) => void) | undefined;
  #budget: number;
  #isOver = false;

  constructor(budget: number, warn: ((text: string) => void) | undefined) {
    this.#budget = budget;
    this.#warn = warn;
  }

  #stop(path: string, { type }: Structural, why: string): void {
    this.problems.push(invalid(path, type ?? "", why));
    this.#isOver = true;
  }

  visit(tree: RuleTree, value: unknown, before: unknown, path: string, history: History): void {
    if (this.#isOver || value === null || value === undefined) return;
    this.#check(tree, value, before, path, history);
    for (const part of tree.allOf) this.visit(part, value, before, path, { before: undefined, isUnchanged: history.isUnchanged });
    if (Array.isArray(value)) this.#visitItems(tree, value, before, path, history);
    else if (isObject(value)) this.#visitFields(tree, value, before, path, history);
  }

  #visitItems({ items, schema }: RuleTree, value: readonly unknown[], before: unknown, path: string, history: History): void {
    if (items === undefined) return;
    const earlier = correlated(before, schema);
    const known = correlated(history.before, schema);
    for (const [index, item] of value.entries()) {
      this.visit(items, item, earlier(item), `${path}[${index}]`, next(history, item, known(item), items.schema));
    }
  }

  #visitFields({ properties, values, schema }: RuleTree, value: JsonObject, before: unknown, path: string, history: History): void {
    for (const [name, part] of Object.entries(value)) {
      const isField = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
      const tree = isField ? properties.get(name) : values;
      if (tree === undefined) continue;
      const partPath = isField ? (path === "" ? name : `${path}.${name}`) : `${path}[${name}]`;
      this.visit(tree, part, fieldOf(before, name), partPath, next(history, part, fieldOf(history.before, name), tree.schema));
    }
  }

  #check({ rules, schema, isResource: resource }: RuleTree, value: unknown, before: unknown, path: string, history: History): void {
    if (rules.length === 0) return;
    if (this.#budget <= 0) return this.#stop(path, schema, outOfBudget);
    const { valueOf } = engine();
    const seen = resource ? withResourceFields(schema) : schema;
    const self = valueOf(value, seen);
    const oldSelf = before === undefined || before === null ? undefined : valueOf(before, seen);
    for (const compiled of rules) {
      this.#apply(compiled, { self, oldSelf, value, path, schema, isUnchanged: history.isUnchanged });
      if (this.#isOver) return;
    }
  }

  #apply({ rule, error, program, message, usesOldSelf, fieldPath }: CompiledRule, at: Place): void {
    const { path, schema } = at;
    if (error !== undefined) {
      this.problems.push(invalid(path, schema.type ?? "", `rule compile error: ${error}`));
      return;
    }
    if (program === undefined) return;
    const isOptional = rule.optionalOldSelf ?? false;
    // A rule about a change has nothing to say where there was nothing before.
    if (usesOldSelf && at.oldSelf === undefined && !isOptional) return;
    const variables = variablesOf(at, isOptional);
    const { EvalError, perCallLimit } = engine();
    const { value, cost, cancelled } = program(variables, perCallLimit);
    if (!this.#pay(cost)) return this.#stop(path, schema, outOfBudget);
    if (value === true) return;
    if (value instanceof EvalError) return this.#failed(value.message, cancelled, rule, at);
    const text = message === undefined ? undefined : this.#message(message, rule, variables, at);
    if (this.#isOver) return;
    const where = fieldPath === "" ? path : path === "" || fieldPath.startsWith("[") ? path + fieldPath : `${path}.${fieldPath}`;
    const problem = problemOf(where, at, text ?? (rule.message ? rule.message.trim() : `failed rule: ${rule.rule.trim()}`), rule);
    if (usesOldSelf || !at.isUnchanged) this.problems.push(problem);
    else this.#warn?.(`${problem.field || "<nil>"}: ${problem.message}`);
  }

  /** @returns whether the budget allows it */
  #pay(cost: number): boolean {
    if (cost > this.#budget) return false;
    this.#budget -= cost;
    return true;
  }

  #failed(problem: string, cancelled: boolean, rule: Rule, { path, schema }: Place): void {
    const named = ruleText(rule);
    if (problem.startsWith("no such overload")) {
      const why = `'${problem}': call arguments did not match a supported operator, function or macro signature for rule: ${named}`;
      this.problems.push(invalid(path, schema.type ?? "", why));
    } else if (cancelled) {
      this.#stop(path, schema, `'${problem}': no further validation rules will be run due to call cost exceeds limit for rule: ${named}`);
    } else this.problems.push(invalid(path, schema.type ?? "", `${problem} evaluating rule: ${named}`));
  }

  /** What the rule's own expression says; undefined where it says nothing that can be shown. */
  #message(program: Program, rule: Rule, variables: Readonly<Record<string, unknown>>, { path, schema }: Place): string | undefined {
    const { value, cost, cancelled } = program(variables, engine().perCallLimit);
    const stop = (why: string): undefined => this.#stop(path, schema, why) as undefined;
    if (!this.#pay(cost)) {
      return stop("messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run");
    }
    if (cancelled) {
      const quoted = JSON.stringify(rule.messageExpression);
      return stop(`no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quoted}`);
    }
    const text = typeof value === "string" ? value.trim() : "";
    return text === "" || text.includes("\n") || Buffer.byteLength(text) > longestMessage ? undefined : text;
  }
}

/** Of what an expression makes, in bytes. */
const longestMessage = 5 * 1024;

interface Place {
  readonly self: unknown;
  readonly oldSelf: unknown;
  readonly value: unknown;
  readonly path: string;
  readonly schema: Structural;
  readonly isUnchanged: boolean;
}

function variablesOf({ self, oldSelf }: Place, isOptional: boolean): Record<string, unknown> {
  const { none, Optional } = engine();
  if (isOptional) return { self, oldSelf: oldSelf === undefined ? none : new Optional(oldSelf) };
  return oldSelf === undefined ? { self } : { self, oldSelf };
}

const ruleText = ({ rule, message }: Rule): string => (message ? message.trim() : rule.trim());

const fieldOf = (object: unknown, name: string): unknown => (isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined);

/** The history of a part. A part whose own past is unknown is what it was when the whole is. */
function next(history: History, part: unknown, before: unknown, schema: Structural): History {
  if (history.before === undefined) return history;
  return { before, isUnchanged: before === undefined ? history.isUnchanged : isUnchanged(part, before, schema) };
}

function problemOf(path: string, { value, schema }: Place, detail: string, { reason }: Rule): Problem {
  const isWhole = schema.type === "object" || schema.type === "array";
  switch (reason) {
    case "FieldValueForbidden":
      return forbidden(path, detail);
    case "FieldValueRequired":
      return required(path, detail);
    case "FieldValueDuplicate":
      return isWhole ? duplicateWhole(path) : duplicate(path, value);
    default:
      return isWhole ? invalidWhole(path, detail) : invalid(path, value, detail);
  }
}
