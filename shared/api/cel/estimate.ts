/**
 * What evaluating an expression may cost at most, before there is anything to evaluate it on: what a definition may ask of every write of
 * its objects is limited by it.
 * @see cel-go's checker/cost.go for the model; sizes come from the schema
 */
import type { Call, Comprehension, Expr } from "./ast.ts";
import { type Checked, functionName } from "./check.ts";
import { listCost, mapCost, perCharacter, perPatternCharacter } from "./costs.ts";
import type { Declared } from "./schema-types.ts";
import { type CelType, isOptional, paramAt, sameType } from "./types.ts";
import { codePoints } from "./values.ts";

/** From least to most. Sums saturate at what 64 bits hold. */
interface Range {
  readonly min: number;
  readonly max: number;
}

/** 2^64 − 1 as near as a double comes: everything from here on is "too much". */
export const tooMuch = 2 ** 64;

const capped = (value: number): number => (value >= tooMuch || Number.isNaN(value) ? tooMuch : value);
const fixed = (value: number): Range => ({ min: value, max: value });
const unknownSize: Range = { min: 0, max: tooMuch };
const zero = fixed(0);

const plus = (...ranges: readonly Range[]): Range => ({
  min: capped(ranges.reduce((sum, { min }) => sum + min, 0)),
  max: capped(ranges.reduce((sum, { max }) => sum + max, 0)),
});
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : capped(a * b));
const times = (a: Range, b: Range): Range => ({ min: product(a.min, b.min), max: product(a.max, b.max) });
const scaled = ({ min, max }: Range, factor: number): Range => ({
  min: capped(Math.ceil(product(min, factor))),
  max: capped(Math.ceil(product(max, factor))),
});
const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });

/** Sizes of the keys and values inside of a container. */
interface Entries {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

const unionEntries = (a: Entries | undefined, b: Entries | undefined): Entries | undefined =>
  a && b && { isList: a.isList, key: union(a.key, b.key), value: union(a.value, b.value) };

interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: Entries | undefined;
}

/** A part of an expression as estimates look at it. */
interface Part {
  readonly expr: Expr | undefined;
  readonly type: CelType;
  /** From a variable down to where the part is declared: field names, `@items`, `@values`, `@keys`; empty where it is made. */
  readonly path: readonly string[];
  readonly size: Range | undefined;
}

/** @param root what the variables `self` and `oldSelf` are @returns the most that an evaluation may cost */
export const estimate = (checked: Checked, root: Declared): number => new Estimator(checked, root).cost(checked.expr).max;

class Estimator {
  readonly #checked: Checked;
  readonly #root: Declared;
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, Entries>();
  readonly #locals = new Map<string, Local[]>();

  constructor(checked: Checked, root: Declared) {
    this.#checked = checked;
    this.#root = root;
  }

  cost(expr: Expr): Range {
    const name = this.#checked.nameOf(expr);
    if (name !== undefined && expr.type === "select") {
      this.#paths.set(expr, [name]);
      return fixed(1);
    }
    switch (expr.type) {
      case "literal":
        return zero;
      case "ident":
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name]);
        return fixed(1);
      case "select": {
        const operand = this.cost(expr.operand);
        if (expr.testOnly) return operand;
        this.#paths.set(expr, [...this.#pathOf(expr.operand), expr.field]);
        const { kind } = this.#checked.typeOf(expr.operand);
        return kind === "map" || kind === "object" ? plus(operand, fixed(1)) : operand;
      }
      case "call":
        return this.#call(expr);
      case "list": {
        const costs = expr.elements.map((element) => this.cost(element));
        const value = expr.elements.map((element) => this.#sizeOrUnknown(element));
        this.#entries.set(expr, { isList: true, key: fixed(1), value: value.length === 0 ? zero : value.reduce(union) });
        return plus(...costs, fixed(listCost));
      }
      case "map": {
        const costs = expr.entries.flatMap(([key, value]) => [this.cost(key), this.cost(value)]);
        const sizes = (index: 0 | 1) =>
          expr.entries
            .map((entry) => this.#sizeOrUnknown(entry[index]))
            .reduce(union, expr.entries.length === 0 ? zero : { min: tooMuch, max: 0 });
        this.#entries.set(expr, { isList: false, key: sizes(0), value: sizes(1) });
        return plus(...costs, fixed(mapCost));
      }
      case "comprehension":
        return isBinding(expr) ? this.#binding(expr) : this.#fold(expr);
    }
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #with<T>(name: string, local: Local, work: () => T): T {
    const stack = this.#locals.get(name) ?? [];
    this.#locals.set(name, [...stack, local]);
    const result = work();
    this.#locals.set(name, stack);
    return result;
  }

  #pathOf(expr: Expr): readonly string[] {
    if (expr.type === "ident") {
      const local = this.#local(expr.name);
      if (local !== undefined) return local.path;
    }
    return this.#paths.get(expr) ?? [];
  }

  #part(expr: Expr): Part {
    const path = this.#pathOf(expr);
    // What a fold collects is declared nowhere.
    return { expr, type: this.#checked.typeOf(expr), path: path[0] === "@result" ? [] : path, size: this.#size(expr) };
  }

  /** The size that the schema allows at a path. */
  #declaredSize(path: readonly string[]): Range | undefined {
    if (path.length === 0) return undefined;
    let declared: Declared | undefined = this.#root;
    for (const name of path.slice(1)) {
      declared = name === "@items" || name === "@values" ? declared.element : name === "@keys" ? declared.key : declared.fields?.get(name);
      if (declared === undefined) return undefined;
    }
    return { min: 0, max: declared.most };
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr);
    if (known !== undefined) return known;
    const declared = this.#declaredSize(this.#pathOf(expr));
    if (declared !== undefined) {
      this.#sizes.set(expr, declared);
      return declared;
    }
    if (isScalar(this.#checked.typeOf(expr))) return fixed(1);
    return expr.type === "ident" ? this.#local(expr.name)?.size : undefined;
  }

  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? unknownSize;
  }

  #entriesOf(expr: Expr): Entries | undefined {
    return this.#entries.get(expr) ?? (expr.type === "ident" ? this.#local(expr.name)?.entries : undefined);
  }

  #binding({ range, accumulator, initial, result }: Comprehension): Range {
    const cost = plus(this.cost(range), this.cost(initial));
    const local = { path: this.#pathOf(initial), size: this.#size(initial), entries: this.#entriesOf(initial) };
    return this.#with(accumulator, local, () => plus(cost, this.cost(result)));
  }

  #fold(expr: Comprehension): Range {
    const { range, variables, accumulator, initial, condition, step, result } = expr;
    const before = plus(this.cost(range), this.cost(initial));
    const accumulated = { path: this.#pathOf(initial), size: this.#size(initial), entries: this.#entriesOf(initial) };
    return this.#with(accumulator, accumulated, () => {
      const perElement = this.#withVariables(range, variables, () => plus(this.cost(condition), this.cost(step)));
      const after = this.cost(result);
      const count = this.#sizeOrUnknown(range);
      if (initial.type === "list" || initial.type === "map") {
        this.#sizes.set(expr, count);
        const entries = this.#entriesOf(step);
        if (entries !== undefined) this.#entries.set(expr, entries);
      } else {
        const size = this.#size(initial);
        if (size !== undefined) this.#sizes.set(expr, size);
      }
      return plus(before, after, times(count, perElement));
    });
  }

  #withVariables<T>(range: Expr, variables: readonly string[], work: () => T): T {
    const entries = this.#entriesOf(range);
    const isList = entries?.isList ?? this.#checked.typeOf(range).kind === "list";
    const path = this.#pathOf(range);
    const key: Local = { path: [...path, isList ? "@indices" : "@keys"], size: entries?.key, entries: undefined };
    const value: Local = { path: [...path, isList ? "@items" : "@values"], size: entries?.value, entries: undefined };
    const [first = "", second] = variables;
    if (second === undefined) return this.#with(first, isList ? value : key, work);
    return this.#with(first, key, () => this.#with(second, value, work));
  }

  #call(expr: Call): Range {
    const { args, target } = expr;
    const { name, isMethod } = functionName(expr);
    const argCosts = args.map((arg) => this.cost(arg));
    if (name === "dyn" && args[0] !== undefined) {
      this.#copySizes(expr, args[0]);
      return plus(fixed(1), ...argCosts);
    }
    const parts = args.map((arg) => this.#part(arg));
    const overloads = this.#checked.overloadsOf(expr);
    if (overloads.length === 0) return zero;
    const targetCost = isMethod && target !== undefined ? this.cost(target) : zero;
    const targetPart = isMethod && target !== undefined ? this.#part(target) : undefined;
    let total: Range = { min: tooMuch, max: 0 };
    let size: Range | undefined;
    for (const { id } of overloads) {
      const call: CallParts = { expr, name, id, target: targetPart, args: parts, argCosts };
      const estimated = this.#function(call);
      total = union(total, estimated.cost);
      if (estimated.size !== undefined) size = size === undefined ? estimated.size : union(size, estimated.size);
      const [container] = args;
      if ((id === "index_list" || id === "index_map") && container !== undefined) {
        size = this.#entriesOf(container)?.value;
        this.#paths.set(expr, [...this.#pathOf(container), id === "index_list" ? "@items" : "@values"]);
      }
      size ??= this.#size(expr);
    }
    if (size !== undefined) this.#sizes.set(expr, size);
    return plus(targetCost, total);
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to, size);
    const entries = this.#entriesOf(from);
    if (entries !== undefined) this.#entries.set(to, entries);
  }

  #function(call: CallParts): Estimate {
    const argCost = plus(...call.argCosts);
    const own = functionEstimate(call, (part) => part.size ?? this.#declaredSize(part.path) ?? unknownSize);
    if (own !== undefined) return { ...own, cost: plus(own.cost, argCost) };
    const [first, second, third] = call.args;
    const [firstCost = zero, secondCost = zero, thirdCost = zero] = call.argCosts;
    switch (call.id) {
      case "logical_or":
      case "logical_and":
        return { cost: { min: firstCost.min, max: plus(firstCost, secondCost).max } };
      case "conditional": {
        const cost = plus(firstCost, union(secondCost, thirdCost));
        if (second?.expr === undefined || third?.expr === undefined) return { cost };
        const entries = unionEntries(this.#entriesOf(second.expr), this.#entriesOf(third.expr));
        if (entries !== undefined) this.#entries.set(call.expr, entries);
        return { cost, size: union(second.size ?? unknownSize, third.size ?? unknownSize) };
      }
      case "add_list":
      case "add_string":
      case "add_bytes": {
        const size = plus(first?.size ?? unknownSize, second?.size ?? unknownSize);
        const entries = first?.expr && second?.expr && unionEntries(this.#entriesOf(first.expr), this.#entriesOf(second.expr));
        if (entries !== undefined) this.#entries.set(call.expr, entries);
        return { cost: plus(call.id === "add_list" ? fixed(1) : scaled(size, perCharacter), argCost), size };
      }
      default: {
        const size = convertedSize(call.id, first?.size ?? unknownSize);
        return { cost: plus(standardCost(call) ?? fixed(1), argCost), ...(size && { size }) };
      }
    }
  }
}

/** A character takes up to four bytes, and up to two more characters in quotes. */
function convertedSize(id: string, { min, max }: Range): Range | undefined {
  if (id === "string_to_bytes") return { min, max: capped(max * 4) };
  if (id === "bytes_to_string") return { min: Math.trunc(min / 4), max };
  return id === "strings_quote" ? { min: min + 2, max: capped(max * 2 + 2) } : undefined;
}

interface CallParts {
  readonly expr: Call;
  readonly name: string;
  readonly id: string;
  readonly target: Part | undefined;
  readonly args: readonly Part[];
  readonly argCosts: readonly Range[];
}

interface Estimate {
  readonly cost: Range;
  /** Of the result. */
  readonly size?: Range;
}

const isBinding = ({ range, condition, accumulator }: Comprehension): boolean =>
  accumulator !== "@result" &&
  range.type === "list" &&
  range.elements.length === 0 &&
  condition.type === "literal" &&
  condition.value === false;

function literalSize(expr: Expr): Range | undefined {
  switch (expr.type) {
    case "literal":
      if (typeof expr.value === "string") return fixed(codePoints(expr.value));
      return fixed(expr.value instanceof Uint8Array ? expr.value.length : 1);
    case "list":
      return fixed(expr.elements.length);
    case "map":
      return fixed(expr.entries.length);
    default:
      return undefined;
  }
}

const scalars: ReadonlySet<string> = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);
const isScalar = (type: CelType): boolean => scalars.has(type.kind) || (isOptional(type) && isScalar(paramAt(type, 0)));

const sized = (part: Part | undefined): Range => part?.size ?? unknownSize;

/** CEL's own functions, where their cost is not one. */
function standardCost({ id, target, args }: CallParts): Range | undefined {
  const [first, second] = args;
  switch (id) {
    case "string_format":
      return scaled(sized(target), perCharacter);
    case "string_to_bytes":
    case "bytes_to_string":
    case "strings_quote":
    case "starts_with_string":
    case "ends_with_string":
      return scaled(sized(first), perCharacter);
    case "in_list":
      return scaled(sized(second), 1);
    case "matches_string":
      return target && times(scaled(plus(sized(target), fixed(1)), perCharacter), scaled(sized(first), perPatternCharacter));
    case "contains_string":
      return times(scaled(sized(target), perCharacter), scaled(sized(first), perCharacter));
    default:
      return /^(?:less|less_equals|greater|greater_equals)_(?:string|bytes)$|^(?:not_)?equals$/.test(id)
        ? comparison(sized(first), sized(second))
        : undefined;
  }
}

function comparison(left: Range, right: Range): Range {
  const max = Math.min(left.max, right.max);
  return scaled({ min: max > 0 ? 1 : 0, max }, perCharacter);
}

type SizeOf = (part: Part) => Range;

/** The number that is written down at a place, or what else it may be. */
const literalInt = (part: Part | undefined, otherwise: number): number =>
  part?.expr?.type === "literal" && typeof part.expr.value === "bigint" ? Number(part.expr.value) : otherwise;

const allocating = (size: Range, factor = 1): Estimate => ({ cost: plus(scaled(size, factor), fixed(1 + listCost)), size });

/** Elements of a list, with the path on which their own size is declared. */
function elementOf(list: Part): Part | undefined {
  const type = list.type.params?.[0];
  if (type === undefined) return undefined;
  return { expr: undefined, type, path: list.path.length === 0 ? [] : [...list.path, "@items"], size: undefined };
}

const isText = ({ kind }: CelType): boolean => kind === "string" || kind === "bytes";

/** Functions of Kubernetes and of CEL's extensions; undefined: one of CEL's own. */
function functionEstimate(call: CallParts, sizeOf: SizeOf): Estimate | undefined {
  const { id, target, args } = call;
  const [first] = args;
  switch (id) {
    case "list_slice": {
      if (target === undefined) return undefined;
      const length = capped(literalInt(args[1], sizeOf(target).max) - literalInt(first, 0));
      return allocating(fixed(Math.max(length, 0)));
    }
    case "lists_range":
      return allocating(fixed(literalInt(first, tooMuch)));
    case "list_reverse":
      return target && allocating(sizeOf(target));
    case "list_flatten":
      return target && allocating(sizeOf(target));
    case "list_flatten_int":
      return target && allocating(sizeOf(target), literalInt(first, tooMuch));
    case "list_distinct":
      return target && allocating(times(sizeOf(target), sizeOf(target)), 2);
    case "list_sets_contains_list":
    case "list_sets_intersects_list":
    case "list_sets_equivalent_list": {
      const [, second] = args;
      if (first === undefined || second === undefined) return undefined;
      const factor = id === "list_sets_equivalent_list" ? 2 : 1;
      return { cost: plus(scaled(times(sizeOf(first), sizeOf(second)), factor), fixed(1)) };
    }
    default:
      return sortEstimate(call, sizeOf) ?? namedEstimate(call, sizeOf);
  }
}

function sortEstimate({ name, id, target, args }: CallParts, sizeOf: SizeOf): Estimate | undefined {
  const keys = name === "sort" ? target : name === "@sortByAssociatedKeys" ? args[0] : undefined;
  if (keys === undefined) return undefined;
  const size = sizeOf(keys);
  return allocating(times(size, size), /^list_(?:string|bytes)_/.test(id) ? 2 + perCharacter : 2);
}

const ones: ReadonlySet<string> = new Set(
  "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery".split(
    " ",
  ),
);

/** Bytes of an address: four or sixteen. */
const addressBytes: Range = { min: 4, max: 16 };

function namedEstimate(call: CallParts, sizeOf: SizeOf): Estimate | undefined {
  const { name, id, target, args } = call;
  const [first, second] = args;
  if (ones.has(name)) return { cost: fixed(1) };
  const traverse = (part: Part, factor = perCharacter): Range => scaled(sizeOf(part), factor);
  switch (name) {
    case "isSorted":
    case "sum":
    case "max":
    case "min":
    case "indexOf":
    case "lastIndexOf":
      return target && { cost: searchCost(target, sizeOf) };
    case "url":
      return first && { cost: traverse(first), size: sizeOf(first) };
    case "lowerAscii":
    case "upperAscii":
    case "substring":
    case "trim":
      return target && { cost: traverse(target), size: sizeOf(target) };
    case "replace":
      return (
        target &&
        first &&
        second && { cost: traverse(target, 2 * perCharacter), size: replacedSize(sizeOf(target), sizeOf(first), sizeOf(second)) }
      );
    case "split":
      return target && { cost: traverse(target, 2 * perCharacter), size: { min: 0, max: literalInt(second, sizeOf(target).max) } };
    case "join": {
      if (target === undefined) return undefined;
      const size = joinedSize(target, first, sizeOf);
      return { cost: scaled(size, perCharacter), size };
    }
    case "find":
    case "findAll": {
      if (target === undefined || first === undefined) return undefined;
      const text = scaled(plus(sizeOf(target), fixed(1)), perCharacter);
      return { cost: times(text, traverse(first, perPatternCharacter)), size: { min: 0, max: sizeOf(target).max } };
    }
    case "ip":
      if (id === "cidr_ip") return { cost: fixed(1) };
      return first && { cost: traverse(first) };
    case "cidr":
    case "isIP":
    case "isCIDR":
    case "quantity":
    case "isQuantity":
    case "semver":
    case "isSemver":
      return first && { cost: traverse(first) };
    case "ip.isCanonical":
      return first && { cost: traverse(first, 2 * perCharacter) };
    case "containsIP":
    case "containsCIDR": {
      if (first === undefined) return undefined;
      const parsed = id.endsWith("_string") ? traverse(first) : zero;
      const compare = scaled(plus(addressBytes, addressBytes), perCharacter);
      return { cost: name === "containsIP" ? plus(compare, parsed) : plus(compare, scaled(addressBytes, perCharacter), fixed(1), parsed) };
    }
    case "validate":
      return first && { cost: scaled(traverse(first), 128 * perPatternCharacter) };
    case "_==_":
      return first && second && equalityEstimate(first, second);
    default:
      return undefined;
  }
}

function equalityEstimate(first: Part, second: Part): Estimate | undefined {
  if (!sameType(first.type, second.type)) return undefined;
  switch (first.type.name) {
    case "net.IP":
    case "net.CIDR":
    case "kubernetes.Quantity":
    case "kubernetes.Semver":
      return { cost: fixed(1) };
    case "kubernetes.NamedFormat":
      return { cost: scaled({ min: 1, max: 64 }, perCharacter) };
    case "kubernetes.URL":
      return { cost: scaled({ min: 1, max: second.size?.max ?? 1 }, perCharacter) };
    default:
      return undefined;
  }
}

/** Every element is looked at once; texts are looked at whole. */
function searchCost(target: Part, sizeOf: SizeOf): Range {
  const element = elementOf(target);
  if (element === undefined) return scaled(sizeOf(target), perCharacter);
  const each = isText(element.type) ? plus(fixed(1), scaled(sizeOf(element), perCharacter)) : fixed(1);
  return times(sizeOf(target), each);
}

function joinedSize(target: Part, separator: Part | undefined, sizeOf: SizeOf): Range {
  const list = sizeOf(target);
  const element = elementOf(target);
  const elements = element === undefined ? zero : times(list, sizeOf(element));
  if (separator === undefined) return elements;
  return plus(elements, times(sizeOf(separator), { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) }));
}

/** How long a text may get and has to stay when parts of it are replaced. */
function replacedSize(text: Range, old: Range, by: Range): Range {
  // An empty text stands before and after every character.
  const [mostCount, mostKept] =
    old.min === 0 ? [capped(text.max + 1), text.max] : by.max <= old.min ? [0, text.max] : [Math.ceil(text.max / old.min), 0];
  const [leastCount, leastKept] =
    old.max === 0 ? [capped(text.min + 1), text.min] : old.max <= by.min ? [0, text.min] : [Math.ceil(text.min / old.max), 0];
  return plus(times({ min: leastCount, max: mostCount }, by), { min: leastKept, max: mostKept });
}
