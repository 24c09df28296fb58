/** The type checker: every part of an expression gets a type, every call the overloads that fit, every mistake a message. */

import { checkPattern, PatternError } from "../re2.ts";
import { type Call, CompileError, type Comprehension, describeError, type Expr, type ListExpr, type MapExpr, type Select } from "./ast.ts";
import { overloadsOf, typeNames } from "./environment.ts";
import { spellKeyword } from "./field-names.ts";
import type { Overload } from "./functions.ts";
import { clauseProblem, clausesOf, FormatError } from "./library/formatting.ts";
import { checkedTimestamp, parseDuration, parseTimestamp } from "./library/time.ts";
import {
  assign,
  assignAll,
  type Bindings,
  type CelType,
  isDyn,
  isMoreGeneral,
  isOptional,
  listOf,
  mapOf,
  optionalOf,
  paramAt,
  paramOf,
  sameType,
  showType,
  substitute,
  types,
} from "./types.ts";
import { Duration, EvalError, Timestamp, Uint } from "./values.ts";

export interface Checked {
  readonly expr: Expr;
  readonly type: CelType;
  typeOf(expr: Expr): CelType;
  /** Those that may fit, in order; which one is found out with the values. */
  overloadsOf(call: Call): readonly Overload[];
  /** The name that a chain of selections, or an identifier, stands for: a variable or a type. */
  nameOf(expr: Expr): string | undefined;
  /** Whether the expression mentions a variable. */
  uses(variable: string): boolean;
}

/** @throws {CompileError} with every mistake */
export function check(source: string, expr: Expr, variables: ReadonlyMap<string, CelType>): Checked {
  return new Checker(source, variables).run(expr);
}

interface Scope {
  readonly names: ReadonlyMap<string, CelType>;
  readonly outer: Scope | undefined;
}

/** `a.b.c` of a chain of plain selections. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.type === "ident") return expr.name;
  if (expr.type !== "select" || expr.testOnly) return undefined;
  const outer = qualifiedName(expr.operand);
  return outer === undefined ? undefined : `${outer}.${expr.field}`;
}

/** The name of the function that a call means: `sets.contains(a, b)` is written as if `sets` were a value. */
export function functionName({ name, target }: Call): { readonly name: string; readonly isMethod: boolean } {
  if (target === undefined) return { name, isMethod: false };
  const prefix = qualifiedName(target);
  const full = prefix === undefined ? undefined : `${prefix}.${name}`;
  return full !== undefined && overloadsOf(full) !== undefined ? { name: full, isMethod: false } : { name, isMethod: true };
}

class Checker {
  readonly #source: string;
  readonly #problems: { readonly offset: number; readonly message: string }[] = [];
  readonly #types = new Map<Expr, CelType>();
  readonly #overloads = new Map<Call, readonly Overload[]>();
  readonly #names = new Map<Expr, string>();
  readonly #used = new Set<string>();
  #scope: Scope;
  #bindings: Bindings = new Map();
  #fresh = 0;

  constructor(source: string, variables: ReadonlyMap<string, CelType>) {
    this.#source = source;
    this.#scope = { names: variables, outer: { names: typeNames, outer: undefined } };
  }

  run(expr: Expr): Checked {
    this.#check(expr);
    if (this.#problems.length === 0) this.#checkLiterals(expr);
    if (this.#problems.length > 0) {
      const sorted = this.#problems.toSorted((a, b) => a.offset - b.offset);
      throw new CompileError(sorted.map(({ offset, message }) => describeError(this.#source, offset, message)).join("\n"));
    }
    const typeOf = (part: Expr): CelType => substitute(this.#bindings, this.#types.get(part) ?? types.dyn, true);
    return {
      expr,
      type: typeOf(expr),
      typeOf,
      overloadsOf: (call) => this.#overloads.get(call) ?? [],
      nameOf: (part) => this.#names.get(part),
      uses: (variable) => this.#used.has(variable),
    };
  }

  #report(offset: number, message: string): void {
    this.#problems.push({ offset, message });
  }

  #lookUp(name: string): CelType | undefined {
    for (let scope: Scope | undefined = this.#scope; scope !== undefined; scope = scope.outer) {
      const type = scope.names.get(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  #assign(wanted: CelType, given: CelType): boolean {
    const result = assign(this.#bindings, wanted, given);
    if (result !== undefined) this.#bindings = result;
    return result !== undefined;
  }

  #open(): CelType {
    return paramOf(`_${this.#fresh++}`);
  }

  #check(expr: Expr): CelType {
    const type = this.#typed(expr);
    this.#types.set(expr, type);
    return type;
  }

  #typed(expr: Expr): CelType {
    switch (expr.type) {
      case "literal":
        return literalType(expr.value);
      case "ident": {
        const type = this.#lookUp(expr.name);
        if (type !== undefined) return this.#named(expr, expr.name, type);
        this.#report(expr.offset, `undeclared reference to '${expr.name}' (in container '')`);
        return types.error;
      }
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "comprehension":
        return this.#fold(expr);
    }
  }

  #named(expr: Expr, name: string, type: CelType): CelType {
    this.#names.set(expr, name);
    this.#used.add(name);
    return type;
  }

  #select(expr: Select): CelType {
    const name = qualifiedName(expr);
    const type = name === undefined ? undefined : this.#lookUp(name);
    if (name !== undefined && type !== undefined) return this.#named(expr, name, type);
    const field = this.#field(expr.offset, expr.operand, expr.field, false);
    return expr.testOnly ? types.bool : substitute(this.#bindings, field);
  }

  #field(offset: number, operand: Expr, field: string, optional: boolean): CelType {
    const given = substitute(this.#bindings, this.#check(operand));
    const target = isOptional(given) ? paramAt(given, 0) : given;
    const result = this.#fieldOf(offset, target, field);
    return isOptional(given) || optional ? optionalOf(result) : result;
  }

  #fieldOf(offset: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case "map":
        return paramAt(target, 1);
      case "object": {
        const type = target.fields?.get(field) ?? target.fields?.get(spellKeyword(field) ?? "");
        if (type !== undefined) return type;
        this.#report(offset, `undefined field '${field}'`);
        return types.error;
      }
      case "param":
        this.#assign(types.dyn, target);
        return types.dyn;
      default:
        if (!isDyn(target)) this.#report(offset, `type '${showType(target)}' does not support field selection`);
        return types.dyn;
    }
  }

  #call(expr: Call): CelType {
    const { target, args } = expr;
    if (expr.name === "_?._") {
      const [operand, field] = args as [Expr, Expr];
      const name = field.type === "literal" ? String(field.value) : "";
      this.#check(field);
      this.#overloads.set(expr, overloadsOf("_?._") ?? []);
      return substitute(this.#bindings, this.#field(expr.offset, operand, name, true));
    }
    const given = args.map((arg) => this.#check(arg));
    const { name, isMethod } = functionName(expr);
    if (target !== undefined && isMethod) given.unshift(this.#check(target));
    const overloads = overloadsOf(name);
    if (overloads === undefined) {
      this.#report(expr.offset, `undeclared reference to '${name}' (in container '')`);
      return types.error;
    }
    return this.#resolve(expr, name, overloads, given, isMethod);
  }

  #resolve(expr: Call, name: string, overloads: readonly Overload[], given: readonly CelType[], isMethod: boolean): CelType {
    if (name === "_&&_" || name === "_||_") return this.#logical(expr, overloads, given);
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const candidate of overloads) {
      if (candidate.isMethod !== isMethod) continue;
      const instance: Bindings = new Map(candidate.open.map((param) => [param, this.#open()]));
      const params = candidate.params.map((param) => substitute(instance, param));
      const bound = assignAll(this.#bindings, given, params);
      if (bound === undefined) continue;
      this.#bindings = bound;
      fitting.push(candidate);
      const type = substitute(this.#bindings, substitute(instance, candidate.result));
      if (result === undefined) result = type;
      else if (!isDyn(result) && !sameType(type, result)) result = types.dyn;
    }
    this.#overloads.set(expr, fitting);
    if (result !== undefined) return result;
    this.#mismatch(expr, name, given, isMethod);
    return types.error;
  }

  #mismatch(expr: Call, name: string, given: readonly CelType[], isMethod: boolean): void {
    const shown = given.map((type) => showType(substitute(this.#bindings, type, true)));
    const signature = isMethod ? `${shown[0]}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
    this.#report(expr.offset, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  #logical(expr: Call, overloads: readonly Overload[], given: readonly CelType[]): CelType {
    this.#overloads.set(expr, overloads);
    let isWrong = false;
    for (const [index, type] of given.entries()) {
      if (this.#assign(type, types.bool)) continue;
      isWrong = true;
      const offset = expr.args[index]?.offset ?? expr.offset;
      this.#report(offset, `expected type 'bool' but found '${showType(substitute(this.#bindings, type, true))}'`);
    }
    return isWrong ? types.error : types.bool;
  }

  /** The type that two parts of a literal have in common. */
  #join(before: CelType | undefined, next: CelType): CelType {
    if (before === undefined) return next;
    if (!this.#assign(before, next)) return types.dyn;
    return isMoreGeneral(before, next) ? before : next;
  }

  /** The type of an element; what is optional is looked into. */
  #element(expr: Expr, isOptionalElement: boolean): CelType {
    const type = this.#check(expr);
    if (!isOptionalElement || isDyn(type)) return type;
    if (isOptional(type)) return paramAt(type, 0);
    this.#report(expr.offset, `expected type '${showType(optionalOf(type))}' but found '${showType(type)}'`);
    return type;
  }

  #list({ elements, optional }: ListExpr): CelType {
    let type: CelType | undefined;
    for (const element of elements) type = this.#join(type, this.#element(element, optional.has(element)));
    return listOf(type ?? this.#open());
  }

  #map({ entries, optional }: MapExpr): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const [keyExpr, valueExpr] of entries) {
      key = this.#join(key, this.#check(keyExpr));
      value = this.#join(value, this.#element(valueExpr, optional.has(valueExpr)));
    }
    return mapOf(key ?? this.#open(), value ?? this.#open());
  }

  #fold(expr: Comprehension): CelType {
    const range = substitute(this.#bindings, this.#check(expr.range));
    const accumulated = this.#check(expr.initial);
    const outer = this.#scope;
    this.#scope = { names: new Map([[expr.accumulator, accumulated]]), outer };
    const [first = types.dyn, second = types.dyn] = this.#elements(expr.range, range, expr.variables.length);
    const inner = this.#scope;
    const names = expr.variables.map((name, index) => [name, index === 0 ? first : second] as const);
    this.#scope = { names: new Map(names), outer: inner };
    this.#expect(expr.condition, types.bool);
    this.#expect(expr.step, accumulated);
    this.#scope = inner;
    const result = this.#check(expr.result);
    this.#scope = outer;
    return substitute(this.#bindings, result);
  }

  /** What the variables of a fold over a range are. */
  #elements(expr: Expr, range: CelType, count: number): CelType[] {
    switch (range.kind) {
      case "list":
        return count === 1 ? [paramAt(range, 0)] : [types.int, paramAt(range, 0)];
      case "map":
        return [paramAt(range, 0), paramAt(range, 1)];
      case "dyn":
      case "error":
      case "param":
        this.#assign(types.dyn, range);
        return [];
      default:
        this.#report(
          expr.offset,
          `expression of type '${showType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [types.error, types.error];
    }
  }

  #expect(expr: Expr, wanted: CelType): void {
    const given = this.#check(expr);
    if (this.#assign(wanted, given)) return;
    const shown = (type: CelType) => showType(substitute(this.#bindings, type, true));
    this.#report(expr.offset, `expected type '${shown(wanted)}' but found '${shown(given)}'`);
  }

  /** What is written down is looked at before it is used. @param isFree inside of what may mix types */
  #checkLiterals(expr: Expr, isFree = false): void {
    if (expr.type === "list" && !isFree) this.#checkSameTypes(expr.elements, expr.optional, true);
    if (expr.type === "map" && !isFree) {
      this.#checkSameTypes(
        expr.entries.map(([key]) => key),
        new Set(),
        false,
      );
      this.#checkSameTypes(
        expr.entries.map(([, value]) => value),
        expr.optional,
        false,
      );
    }
    if (expr.type === "call") this.#checkLiteralArguments(expr);
    const inside = isFree || (expr.type === "call" && expr.name === "format");
    for (const part of partsOf(expr)) this.#checkLiterals(part, inside);
  }

  #finalType(expr: Expr): CelType {
    return substitute(this.#bindings, this.#types.get(expr) ?? types.dyn, true);
  }

  /** @param once only the first that differs is named */
  #checkSameTypes([first, ...rest]: readonly Expr[], optional: ReadonlySet<Expr>, once: boolean): void {
    if (first === undefined) return;
    const typeOf = (part: Expr): CelType => (optional.has(part) ? paramAt(this.#finalType(part), 0) : this.#finalType(part));
    const wanted = typeOf(first);
    for (const part of rest) {
      const given = typeOf(part);
      if (sameType(wanted, given)) continue;
      this.#report(part.offset, `expected type '${showType(wanted)}' but found '${showType(given)}'`);
      if (once) return;
    }
  }

  #checkLiteralArguments(expr: Call): void {
    const { name } = functionName(expr);
    const text = expr.args.at(-1);
    if (text === undefined) return;
    if (name === "format") this.#checkFormat(expr, text);
    if (text.type !== "literal") return;
    const { value, offset } = text;
    const isMoment =
      typeof value === "string" ? parseTimestamp(value) : typeof value === "bigint" ? checkedTimestamp(value * 1_000_000_000n) : undefined;
    if (name === "duration" && typeof value === "string" && !(parseDuration(value) instanceof Duration)) {
      this.#report(offset, "invalid duration argument");
    }
    if (name === "timestamp" && !(isMoment instanceof Timestamp)) this.#report(offset, "invalid timestamp argument");
    if (name === "matches" && typeof value === "string") this.#checkPattern(offset, value);
  }

  #checkFormat({ target, offset }: Call, list: Expr): void {
    if (target?.type !== "literal" || typeof target.value !== "string" || list.type !== "list") return;
    try {
      const verbs = clausesOf(target.value);
      for (const [at, verb] of verbs.entries()) {
        const value = list.elements[at];
        if (value === undefined) return this.#report(offset, `index ${at} out of range`);
        const type = this.#finalType(value);
        const problem = isDyn(type) ? undefined : clauseProblem(verb, runtimeName(type));
        if (problem !== undefined) return this.#report(value.offset, problem);
      }
      if (list.elements.length > verbs.length) {
        this.#report(offset, `too many arguments supplied to string.format (expected ${verbs.length}, got ${list.elements.length})`);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#report(offset, error.message);
    }
  }

  #checkPattern(offset: number, pattern: string): void {
    try {
      checkPattern(pattern);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.#report(offset, "invalid matches argument");
    }
  }
}

function literalType(value: unknown): CelType {
  if (value === null) return types.null;
  if (value instanceof Uint8Array) return types.bytes;
  if (value instanceof Uint) return types.uint;
  switch (typeof value) {
    case "bigint":
      return types.int;
    case "number":
      return types.double;
    case "boolean":
      return types.bool;
    default:
      return value instanceof EvalError ? types.error : types.string;
  }
}

/** The name that a value of a type has. */
const runtimeName = (type: CelType): string => (type.kind === "null" ? "null_type" : showType({ ...type, params: [] }));

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.type) {
    case "select":
      return [expr.operand];
    case "call":
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case "list":
      return expr.elements;
    case "map":
      return expr.entries.flat();
    case "comprehension":
      return [expr.range, expr.initial, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}
