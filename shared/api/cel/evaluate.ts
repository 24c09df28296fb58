/**
 * Evaluation. An expression is turned into functions once; each run counts what it costs and stops at its limit.
 *
 * Errors are values on their way up, so that `||` and `&&` can swallow them; passing the limit is an exception, which nothing swallows.
 */
import { checkPattern, PatternError } from "../re2.ts";
import type { Call, Comprehension, Expr, ListExpr, MapExpr, Select } from "./ast.ts";
import { type Checked, functionName } from "./check.ts";
import { callCost, foreseenCost, listCost, mapCost } from "./costs.ts";
import { overload, typeNames } from "./environment.ts";
import type { Overload } from "./functions.ts";
import { lookUp } from "./library/standard.ts";
import { showType } from "./types.ts";
import {
  ArrayList,
  belongs,
  CelList,
  CelMap,
  EntryMap,
  EvalError,
  none,
  noSuchOverload,
  Optional,
  TypeValue,
  typeName,
  Uint,
} from "./values.ts";

/** More than the call may cost. */
export class CostLimitError extends Error {
  override readonly name = "CostLimitError";

  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

/** One run. */
class Run {
  readonly slots: unknown[];
  readonly #limit: number;
  cost = 0;

  constructor(slots: unknown[], limit: number) {
    this.slots = slots;
    this.#limit = limit;
  }

  /** @throws {CostLimitError} */
  /** Ends it where a cost that is still to come is too much. */
  foresee(cost: number): void {
    if (this.cost + cost > this.#limit) this.spend(cost);
  }

  spend(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) throw new CostLimitError();
  }
}

type Step = (run: Run) => unknown;

export interface Outcome {
  /** A value, or an EvalError. */
  readonly value: unknown;
  readonly cost: number;
  /** The limit was passed. */
  readonly cancelled: boolean;
}

export type Program = (variables: Readonly<Record<string, unknown>>, limit: number) => Outcome;

/** A conversion of something written down fails already; the message is CEL's. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** @throws {ProgramError} */
export function makeProgram(checked: Checked, variables: readonly string[]): Program {
  const compiler = new Compiler(checked, variables);
  const step = compiler.step(checked.expr);
  const size = compiler.slots;
  return (values, limit) => {
    const slots: unknown[] = Array.from({ length: size });
    for (const [index, name] of variables.entries()) slots[index] = values[name] ?? new EvalError(`no such attribute(s): ${name}`);
    const run = new Run(slots, limit);
    try {
      return { value: step(run), cost: run.cost, cancelled: false };
    } catch (error) {
      if (!(error instanceof CostLimitError)) throw error;
      return { value: new EvalError(error.message), cost: run.cost, cancelled: true };
    }
  };
}

const conversions: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "duration",
  "dyn",
  "int",
  "string",
  "timestamp",
  "type",
  "uint",
]);

class Compiler {
  readonly #checked: Checked;
  readonly #slotOf = new Map<string, number[]>();
  slots: number;

  constructor(checked: Checked, variables: readonly string[]) {
    this.#checked = checked;
    this.slots = variables.length;
    for (const [index, name] of variables.entries()) this.#slotOf.set(name, [index]);
  }

  step(expr: Expr): Step {
    const known = this.#constant(expr);
    return known === undefined ? this.#made(expr) : () => known;
  }

  /** What can be worked out without variables, once and for all; undefined: nothing. @throws {ProgramError} */
  #constant(expr: Expr): unknown {
    switch (expr.type) {
      case "literal":
        return expr.value;
      case "list":
        if (expr.optional.size > 0) return undefined;
        return this.#constants(expr.elements, (items) => new ArrayList(items));
      case "map":
        if (expr.optional.size > 0) return undefined;
        return this.#constants(expr.entries.flat(), (parts) => certain(EntryMap.of(inPairs(parts))));
      case "call": {
        if (expr.target !== undefined || expr.args.length !== 1 || !conversions.has(expr.name)) return undefined;
        return this.#constants(expr.args, (args) => certain(invoke(this.#checked.overloadsOf(expr), args)[1]));
      }
      default:
        return undefined;
    }
  }

  #constants(parts: readonly Expr[], make: (values: readonly unknown[]) => unknown): unknown {
    const values: unknown[] = [];
    for (const part of parts) {
      const value = this.#constant(part);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return make(values);
  }

  #made(expr: Expr): Step {
    const name = this.#checked.nameOf(expr);
    if (name !== undefined) return this.#variable(name);
    switch (expr.type) {
      case "literal": {
        const { value } = expr;
        return () => value;
      }
      case "ident":
        return this.#variable(expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "comprehension":
        return isBinding(expr) ? this.#binding(expr) : this.#fold(expr);
    }
  }

  #variable(name: string): Step {
    const slot = this.#slotOf.get(name)?.at(-1);
    if (slot !== undefined) {
      return (run) => {
        run.spend(1);
        return run.slots[slot];
      };
    }
    const type = typeNames.get(name)?.params?.[0];
    const value = new TypeValue(type === undefined ? name : typeText(type.kind, showType(type)));
    return () => value;
  }

  /** Gives names slots for as long as `work` compiles. */
  #scoped<T>(names: readonly string[], work: (slots: readonly number[]) => T): T {
    const slots = names.map((name) => {
      const slot = this.slots++;
      this.#slotOf.set(name, [...(this.#slotOf.get(name) ?? []), slot]);
      return slot;
    });
    const result = work(slots);
    for (const name of names) this.#slotOf.get(name)?.pop();
    return result;
  }

  #select({ operand, field, testOnly }: Select): Step {
    const target = this.step(operand);
    // The question itself is free.
    if (testOnly) return (run) => hasField(target(run), field);
    const cost = selectionCost(operand);
    return (run) => {
      const value = target(run);
      if (value instanceof EvalError) return value;
      run.spend(cost);
      return fieldOf(value, field);
    };
  }

  #list({ elements, optional }: ListExpr): Step {
    const steps = elements.map((element) => [this.step(element), optional.has(element)] as const);
    return (run) => {
      const items: unknown[] = [];
      for (const [step, isOptional] of steps) {
        const item = step(run);
        if (item instanceof EvalError) return item;
        if (!isOptional) items.push(item);
        else if (!(item instanceof Optional)) return noSuchOverload();
        else if (item.hasValue) items.push(item.value);
      }
      run.spend(listCost);
      return new ArrayList(items);
    };
  }

  #map({ entries, optional }: MapExpr): Step {
    const steps = entries.map(([key, value]) => [this.step(key), this.step(value), optional.has(value)] as const);
    return (run) => {
      const made: [unknown, unknown][] = [];
      for (const [keyStep, valueStep, isOptional] of steps) {
        const key = keyStep(run);
        if (key instanceof EvalError) return key;
        const value = valueStep(run);
        if (value instanceof EvalError) return value;
        if (!isOptional) made.push([key, value]);
        else if (!(value instanceof Optional)) return noSuchOverload();
        else if (value.hasValue) made.push([key, value.value]);
      }
      run.spend(mapCost);
      return EntryMap.of(made);
    };
  }

  #call(expr: Call): Step {
    const { name } = functionName(expr);
    const special = this.#special(expr, name);
    if (special !== undefined) return special;
    const overloads = this.#checked.overloadsOf(expr);
    const args = [...(expr.target && functionName(expr).isMethod ? [expr.target] : []), ...expr.args];
    const [only, pattern] = args;
    if ((name === "find" || name === "findAll") && pattern?.type === "literal") checkLiteralPattern(String(pattern.value));
    if (name === "@in" && only !== undefined && pattern !== undefined) {
      const list = this.#constant(pattern);
      if (list instanceof CelList && [...list].every(isPrimitive)) return member(this.step(only), list, overloads);
    }
    const steps = args.map((arg) => this.step(arg));
    return (run) => {
      const values = steps.map((step) => step(run));
      const error = values.find((value) => value instanceof EvalError);
      // What fails is paid for too.
      const [id, result] = error === undefined ? invoke(overloads, values, run) : [overloads[0]?.id ?? "", error];
      run.spend(callCost(name, id, values, result));
      return result;
    };
  }

  #special({ args, target }: Call, name: string): Step | undefined {
    const [first, second, third] = args.map((arg) => () => this.step(arg));
    switch (name) {
      case "_&&_":
        return first && second && logic(first(), second(), false);
      case "_||_":
        return first && second && logic(first(), second(), true);
      case "_?_:_":
        return first && second && third && choice(first(), this.#branch(args[1] as Expr), this.#branch(args[2] as Expr));
      case "@not_strictly_false":
        return first && orTrue(first());
      case "_[_]":
        return first && second && index(first(), this.#branch(args[1] as Expr), selectionCost(args[0] as Expr));
      case "_?._":
      case "_[?_]":
        return first && second && optionalIndex(first(), this.#branch(args[1] as Expr), selectionCost(args[0] as Expr));
      case "or":
      case "orValue":
        return target && first && alternative(this.step(target), first(), name);
      default:
        return undefined;
    }
  }

  /** A side of a choice, or a key: a name that stands there is read for nothing. */
  #branch(expr: Expr): Step {
    const step = this.step(expr);
    if (!isAttribute(expr)) return step;
    return (run) => {
      const value = step(run);
      run.cost -= 1;
      return value;
    };
  }

  /** A fold without elements only names a value, which is made when it is first asked for. */
  #binding({ accumulator, initial, result }: Comprehension): Step {
    const value = this.step(initial);
    return this.#scoped([accumulator], ([slot = 0]) => {
      const inner = this.step(result);
      return (run) => {
        run.slots[slot] = value(run);
        return inner(run);
      };
    });
  }

  #fold({ range, variables, accumulator, initial, condition, step, result }: Comprehension): Step {
    const rangeStep = this.step(range);
    const initialStep = this.step(initial);
    return this.#scoped([accumulator], ([accumulated = 0]) => {
      const [conditionStep, nextStep, names] = this.#scoped(variables, (slots) => [this.step(condition), this.step(step), slots] as const);
      const resultStep = this.step(result);
      const [first = 0, second] = names;
      return (run) => {
        const over = rangeStep(run);
        if (over instanceof EvalError) return over;
        if (!(over instanceof CelList) && !(over instanceof CelMap)) return noSuchOverload();
        run.slots[accumulated] = initialStep(run);
        for (const [one, other] of second === undefined ? single(over) : pairs(over)) {
          run.slots[first] = one;
          if (second !== undefined) run.slots[second] = other;
          if (conditionStep(run) !== true) break;
          run.slots[accumulated] = nextStep(run);
        }
        return resultStep(run);
      };
    });
  }
}

/** @throws {ProgramError} what is wrong already stays wrong */
function certain(value: unknown): unknown {
  if (value instanceof EvalError) throw new ProgramError(value.message);
  return value;
}

/** @throws {ProgramError} */
function checkLiteralPattern(pattern: string): void {
  try {
    checkPattern(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw new ProgramError(error.message, { cause: error });
    throw error;
  }
}

const inPairs = (parts: readonly unknown[]): (readonly [unknown, unknown])[] =>
  Array.from({ length: parts.length / 2 }, (_, at) => [parts[at * 2], parts[at * 2 + 1]] as const);

const isPrimitive = (value: unknown): boolean =>
  value === null || ["string", "bigint", "number", "boolean"].includes(typeof value) || value instanceof Uint;

/** Membership in a list that is known is no search. */
const member =
  (value: Step, list: CelList, overloads: readonly Overload[]): Step =>
  (run) => {
    if (list.size === 0) return false;
    const found = value(run);
    return found instanceof EvalError ? found : invoke(overloads, [found, list])[1];
  };

const typeText = (kind: string, shown: string): string =>
  kind === "list" || kind === "map" || kind === "type" ? kind : kind === "null" ? "null_type" : shown.replace(/\(.*$/, "");

const isBinding = ({ range, condition, accumulator }: Comprehension): boolean =>
  accumulator !== "@result" &&
  range.type === "list" &&
  range.elements.length === 0 &&
  condition.type === "literal" &&
  condition.value === false;

/** A name, or what is selected from one. */
function isAttribute(expr: Expr): boolean {
  if (expr.type === "ident") return true;
  if (expr.type === "select") return !expr.testOnly && isAttribute(expr.operand);
  return expr.type === "call" && expr.name === "_[_]" && expr.args[0] !== undefined && isAttribute(expr.args[0]);
}

/** Of selecting from something: what is no name, nor selected from one, is looked at first. */
function selectionCost(operand: Expr): number {
  const isSelection = operand.type === "select" ? !operand.testOnly : operand.type === "call" && /^_(?:\[\??_\]|\?\._)$/.test(operand.name);
  return operand.type === "ident" || isSelection ? 1 : 2;
}

const single = (range: CelList | CelMap): Iterable<readonly [unknown, unknown]> => {
  const elements = range instanceof CelList ? [...range] : [...range.keys()];
  return elements.map((element) => [element, undefined] as const);
};

const pairs = (range: CelList | CelMap): Iterable<readonly [unknown, unknown]> =>
  range instanceof CelList
    ? [...range].map((item, at) => [BigInt(at), item] as const)
    : [...range.keys()].map((key) => [key, range.get(key)] as const);

/** The overload for these values, and what it makes of them. */
function invoke(overloads: readonly Overload[], values: readonly unknown[], run?: Run): [id: string, result: unknown] {
  for (const { id, params, call, isUnguarded } of overloads) {
    if (params.length !== values.length) continue;
    if (isUnguarded || params.every((param, at) => belongs(values[at], param))) {
      run?.foresee(foreseenCost(id, values));
      return [id, call(...values)];
    }
  }
  return [overloads[0]?.id ?? "", noSuchOverload()];
}

/** `&&` and `||`: the side that decides wins, even over an error on the other. */
function logic(left: Step, right: Step, decisive: boolean): Step {
  return (run) => {
    const first = left(run);
    if (first === decisive) return first;
    const second = right(run);
    if (second === decisive) return second;
    if (first instanceof EvalError) return first;
    if (second instanceof EvalError) return second;
    return typeof first === "boolean" && typeof second === "boolean" ? !decisive : noSuchOverload();
  };
}

const choice =
  (condition: Step, yes: Step, no: Step): Step =>
  (run) => {
    const value = condition(run);
    if (value === true) return yes(run);
    if (value === false) return no(run);
    return value instanceof EvalError ? value : noSuchOverload();
  };

/** What ends a fold is a certain answer: errors may still be swallowed. */
const orTrue =
  (value: Step): Step =>
  (run) => {
    const result = value(run);
    run.spend(1);
    return result instanceof EvalError ? true : result;
  };

function fieldOf(value: unknown, field: string): unknown {
  if (value instanceof Optional) return value.hasValue ? optionalField(value.value, field) : none;
  if (value instanceof CelMap) return lookUp(value, field);
  return noSuchOverload();
}

function optionalField(value: unknown, field: unknown): unknown {
  const found = find(value, field);
  return found instanceof EvalError ? found : found === undefined ? none : new Optional(found);
}

/** Undefined where there is none. */
function find(value: unknown, key: unknown): unknown {
  if (value instanceof Optional) return value.hasValue ? find(value.value, key) : undefined;
  if (value instanceof CelMap) return value.get(key);
  if (value instanceof CelList && typeof key === "bigint") return key >= 0n && key < BigInt(value.size) ? value.at(Number(key)) : undefined;
  return noSuchOverload();
}

function hasField(value: unknown, field: string): unknown {
  if (value instanceof EvalError) return value;
  const found = find(value, field);
  return found instanceof EvalError ? found : found !== undefined;
}

const indexOverloads = ["index_list", "index_map"].map((id) => overload(id)).filter((one) => one !== undefined);

/** Whole doubles index like ints. */
const indexed = (target: unknown, key: unknown): unknown =>
  target instanceof CelList && typeof key === "number" && Number.isInteger(key) ? BigInt(key) : key;

const index =
  (target: Step, key: Step, cost: number): Step =>
  (run) => {
    const value = target(run);
    if (value instanceof EvalError) return value;
    const given = key(run);
    if (given instanceof EvalError) return given;
    run.spend(cost);
    const at = indexed(value, given);
    if (value instanceof Optional) return value.hasValue ? optionalField(value.value, at) : none;
    if (value instanceof CelMap) return lookUp(value, at);
    return invoke(indexOverloads, [value, at])[1];
  };

const optionalIndex =
  (target: Step, key: Step, cost: number): Step =>
  (run) => {
    const value = target(run);
    if (value instanceof EvalError) return value;
    const given = key(run);
    if (given instanceof EvalError) return given;
    const found = optionalField(value, indexed(value, given));
    // What is not there costs nothing itself.
    run.spend(found === none ? cost - 1 : cost);
    return found;
  };

const alternative =
  (target: Step, other: Step, name: "or" | "orValue"): Step =>
  (run) => {
    const value = target(run);
    if (value instanceof EvalError) return value;
    if (!(value instanceof Optional))
      return new EvalError(`no such overload: ${typeName(value)}.${name}(${name === "or" ? "optional_type" : "dyn"})`);
    if (!value.hasValue) return other(run);
    return name === "or" ? value : value.value;
  };
