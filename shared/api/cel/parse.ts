/** From text to an expression: the grammar is cel-js's, the macros are expanded here as Kubernetes' CEL knows them. */
import { Environment, ParseError } from "@marcbachmann/cel-js";
import { CompileError, type Comprehension, describeError, type Expr } from "./ast.ts";
import { Uint } from "./values.ts";

/** cel-js's node, as far as it is used here. */
interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
  readonly pos: number;
}

/** As cel-go limits them; lists of literals may be longer than cel-js's default. */
const limits = { maxAstNodes: 100_000, maxDepth: 250, maxListElements: 10_000, maxMapEntries: 10_000, maxCallArguments: 32 };
const parser = new Environment({ enableOptionalTypes: true, limits });

/** Operators in a row (`a + a + …`) nest too; everything that walks expressions does so by recursion. */
const deepest = 500;

/** The variable that folds collect their result in; no source can name it. */
const accumulator = "@result";

/** @throws {CompileError} */
export function parse(source: string): Expr {
  try {
    const { text, marks } = withoutOptionalMarks(source);
    return new Reader(source, marks).read(parser.parse(text).ast);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new CompileError(describeError(source, error.range?.start ?? 0, inOurWords(error)), { cause: error });
  }
}

function inOurWords({ code, summary }: ParseError): string {
  if (code === "invalid_macro_argument") return "argument must be a simple name";
  if (code === "reserved_identifier") return summary.replace(/^Reserved/, "reserved");
  return `Syntax error: ${summary}`;
}

const tokens =
  /\/\/[^\n]*|[rRbB]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|[A-Za-z_]\w*|[0-9][\w.]*|\s+|[^]/g;
/** What an operand can end with: a bracket behind it is an index. */
const operandEnd = /[\w"')\]}]$/;

/**
 * cel-js does not know `[?x]` and `{?k: v}`: the marks are taken out, and told by their places.
 * Places in the text stay what they are.
 */
function withoutOptionalMarks(source: string): { readonly text: string; readonly marks: readonly number[] } {
  if (!source.includes("?")) return { text: source, marks: [] };
  const marks: number[] = [];
  let last = "";
  let isLiteral = false;
  const text = source.replaceAll(tokens, (token, offset: number) => {
    if (/^(?:\s|\/\/)/.test(token)) return token;
    const isMark = token === "?" && isLiteral && (last === "[" || last === "{" || last === ",");
    if (token === "[" || token === "{") isLiteral = token === "{" || !operandEnd.test(last);
    else if (token === ",") isLiteral = true;
    if (isMark) marks.push(offset);
    else last = token;
    return isMark ? " " : token;
  });
  return { text, marks };
}

const binaryOperators: ReadonlySet<string> = new Set(["||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]);
const maxInt = 2n ** 63n - 1n;

class Reader {
  readonly #source: string;
  /** Where elements and entries of literals are marked as optional. */
  readonly #marks: readonly number[];
  #depth = 0;

  constructor(source: string, marks: readonly number[]) {
    this.#source = source;
    this.#marks = marks;
  }

  /** Whether only spaces stand between a mark and a node. */
  #isMarked({ start }: Node): boolean {
    return this.#marks.some((mark) => mark < start && this.#source.slice(mark + 1, start).trim() === "");
  }

  #fail(offset: number, message: string): never {
    throw new CompileError(describeError(this.#source, offset, message));
  }

  /** Where a token stands that follows what ends at `from`; only spaces and brackets are between them. */
  #after(from: number, token: string): number {
    const found = this.#source.indexOf(token, from);
    return found < 0 ? from : found;
  }

  /** @throws {CompileError} */
  read(node: Node): Expr {
    if (++this.#depth > deepest) this.#fail(node.start, "Syntax error: expression nests too deeply");
    const expr = this.#read(node);
    this.#depth--;
    return expr;
  }

  #read(node: Node): Expr {
    const { op, args, start } = node;
    if (op === "value") return { type: "literal", value: this.#literal(args, start), offset: start };
    if (op === "id") return { type: "ident", name: args as string, offset: start };
    if (op === "!_") return this.#call("!_", start, args as Node);
    if (op === "-_") return this.#negated(node);
    if (op === "list") {
      const optional = new Set<Expr>();
      const elements = (args as Node[]).map((element) => this.#element(element, this.#isMarked(element), optional));
      return { type: "list", elements, optional, offset: start };
    }
    if (op === "map") {
      const optional = new Set<Expr>();
      const entries = (args as [Node, Node][]).map(
        ([key, value]) => [this.read(key), this.#element(value, this.#isMarked(key), optional)] as const,
      );
      return { type: "map", entries, optional, offset: start };
    }
    if (op === "call") {
      const [name, list] = args as [string, Node[]];
      return this.#global(name, list, this.#after(start, "("));
    }
    if (op === "rcall") {
      const [name, target, list] = args as [string, Node, Node[]];
      return this.#method(name, target, list, this.#after(this.#after(target.end, name), "("));
    }
    const [left, right, third] = args as [Node, Node | string, Node];
    if (op === "?:") return this.#call("_?_:_", this.#after(left.end, "?"), left, right as Node, third);
    if (op === ".") {
      return { type: "select", operand: this.read(left), field: right as string, testOnly: false, offset: this.#after(left.end, ".") };
    }
    if (op === ".?") {
      const offset = this.#after(left.end, ".");
      const field: Expr = { type: "literal", value: right, offset };
      return { type: "call", name: "_?._", args: [this.read(left), field], offset };
    }
    if (op === "[]" || op === "[?]") return this.#call(op === "[]" ? "_[_]" : "_[?_]", this.#after(left.end, "["), left, right as Node);
    if (!binaryOperators.has(op)) throw new Error(`unknown node ${op}`);
    return this.#call(op === "in" ? "@in" : `_${op}_`, this.#after(left.end, op), left, right as Node);
  }

  #element(node: Node, isOptional: boolean, optional: Set<Expr>): Expr {
    const expr = this.read(node);
    if (isOptional) optional.add(expr);
    return expr;
  }

  #all(nodes: readonly Node[]): Expr[] {
    return nodes.map((node) => this.read(node));
  }

  #call(name: string, offset: number, ...args: Node[]): Expr {
    return { type: "call", name, args: this.#all(args), offset };
  }

  #literal(value: unknown, offset: number, least = -maxInt): unknown {
    if (typeof value === "bigint" && (value > maxInt || value < least)) this.#fail(offset, "invalid int literal");
    if (typeof value === "object" && value !== null && !(value instanceof Uint8Array) && "value" in value) {
      return new Uint(value.value as bigint);
    }
    return value;
  }

  /** The least integer has no positive counterpart: the sign belongs to the literal. */
  #negated({ args, start }: Node): Expr {
    const inner = args as Node;
    const isNumber = inner.op === "value" && (typeof inner.args === "bigint" || typeof inner.args === "number");
    if (!isNumber || inner.start !== start + 1) return this.#call("-_", start, inner);
    const value = typeof inner.args === "bigint" ? -inner.args : -inner.args;
    return { type: "literal", value: this.#literal(value, start, -maxInt - 1n), offset: start };
  }

  #global(name: string, args: readonly Node[], offset: number): Expr {
    if (name === "has" && args.length === 1) {
      const operand = this.read(args[0] as Node);
      if (operand.type !== "select") this.#fail(operand.offset, "invalid argument to has() macro");
      return { ...operand, testOnly: true, offset };
    }
    return { type: "call", name, args: this.#all(args), offset };
  }

  #method(name: string, target: Node, args: readonly Node[], offset: number): Expr {
    return this.#macro(name, target, args, offset) ?? { type: "call", name, target: this.read(target), args: this.#all(args), offset };
  }

  /** Names the range is walked with. */
  #names(nodes: readonly Node[]): string[] {
    const names = nodes.map((node) =>
      node.op === "id" ? (node.args as string) : this.#fail(node.start, "argument must be a simple name"),
    );
    if (names.length === 2 && names[0] === names[1]) this.#fail((nodes[1] as Node).start, `duplicate variable name: ${names[0]}`);
    return names;
  }

  #macro(name: string, target: Node, args: readonly Node[], offset: number): Expr | undefined {
    const fold = folds[name]?.[args.length];
    if (fold !== undefined) {
      const names = this.#names(args.slice(0, fold.names));
      const parts = new Parts(offset);
      const made = fold.make(parts, this.#all(args.slice(fold.names)), names);
      return { type: "comprehension", range: this.read(target), variables: names, accumulator, offset, result: parts.accumulated, ...made };
    }
    if (name === "sortBy" && args.length === 2)
      return sortedBy(this.read(target), this.#names(args.slice(0, 1)), this.read(args[1] as Node), offset);
    const isFlat = name === "optFlatMap";
    if ((name !== "optMap" && !isFlat) || args.length !== 2) return undefined;
    const [variable = ""] = this.#names(args.slice(0, 1));
    return optionalMap(this.read(target), variable, this.read(args[1] as Node), isFlat, offset);
  }
}

const nothing: ReadonlySet<Expr> = new Set();

/** Makes the pieces of a fold. */
class Parts {
  readonly #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  literal = (value: unknown): Expr => ({ type: "literal", value, offset: this.#offset });
  call = (name: string, ...args: Expr[]): Expr => ({ type: "call", name, args, offset: this.#offset });
  list = (...elements: Expr[]): Expr => ({ type: "list", elements, optional: nothing, offset: this.#offset });
  map = (): Expr => ({ type: "map", entries: [], optional: nothing, offset: this.#offset });
  ident = (name: string): Expr => ({ type: "ident", name, offset: this.#offset });

  get accumulated(): Expr {
    return this.ident(accumulator);
  }
}

type Fold = Pick<Comprehension, "initial" | "condition" | "step"> & Partial<Pick<Comprehension, "result">>;
interface FoldMacro {
  /** How many arguments are names. */
  readonly names: number;
  make(parts: Parts, rest: readonly Expr[], names: readonly string[]): Fold;
}

const all = (parts: Parts, [predicate]: readonly Expr[]): Fold => ({
  initial: parts.literal(true),
  condition: parts.call("@not_strictly_false", parts.accumulated),
  step: parts.call("_&&_", parts.accumulated, predicate as Expr),
});

const exists = (parts: Parts, [predicate]: readonly Expr[]): Fold => ({
  initial: parts.literal(false),
  condition: parts.call("@not_strictly_false", parts.call("!_", parts.accumulated)),
  step: parts.call("_||_", parts.accumulated, predicate as Expr),
});

const existsOne = (parts: Parts, [predicate]: readonly Expr[]): Fold => ({
  initial: parts.literal(0n),
  condition: parts.literal(true),
  step: parts.call("_?_:_", predicate as Expr, parts.call("_+_", parts.accumulated, parts.literal(1n)), parts.accumulated),
  result: parts.call("_==_", parts.accumulated, parts.literal(1n)),
});

/** A step that is only taken where the filter, if there is one, holds. */
const filtered = (parts: Parts, filter: Expr | undefined, step: Expr): Expr =>
  filter === undefined ? step : parts.call("_?_:_", filter, step, parts.accumulated);

const collect = (parts: Parts, filter: Expr | undefined, element: Expr): Fold => ({
  initial: parts.list(),
  condition: parts.literal(true),
  step: filtered(parts, filter, parts.call("_+_", parts.accumulated, parts.list(element))),
});

/** `(filter,) transform` */
const split = (rest: readonly Expr[]): [filter: Expr | undefined, transform: Expr] =>
  rest.length === 2 ? [rest[0], rest[1] as Expr] : [undefined, rest[0] as Expr];

const map = (parts: Parts, rest: readonly Expr[]): Fold => collect(parts, ...split(rest));
const filter = (parts: Parts, rest: readonly Expr[], [name = ""]: readonly string[]): Fold => collect(parts, rest[0], parts.ident(name));

function transformMap(parts: Parts, rest: readonly Expr[], [key = ""]: readonly string[]): Fold {
  const [condition, value] = split(rest);
  const step = parts.call("cel.@mapInsert", parts.accumulated, parts.ident(key), value);
  return { initial: parts.map(), condition: parts.literal(true), step: filtered(parts, condition, step) };
}

function transformMapEntry(parts: Parts, rest: readonly Expr[]): Fold {
  const [condition, entry] = split(rest);
  const step = parts.call("cel.@mapInsert", parts.accumulated, entry);
  return { initial: parts.map(), condition: parts.literal(true), step: filtered(parts, condition, step) };
}

/** By name and number of arguments. */
const folds: Readonly<Record<string, Readonly<Record<number, FoldMacro>> | undefined>> = {
  all: { 2: { names: 1, make: all }, 3: { names: 2, make: all } },
  exists: { 2: { names: 1, make: exists }, 3: { names: 2, make: exists } },
  exists_one: { 2: { names: 1, make: existsOne }, 3: { names: 2, make: existsOne } },
  existsOne: { 2: { names: 1, make: existsOne }, 3: { names: 2, make: existsOne } },
  map: { 2: { names: 1, make: map }, 3: { names: 1, make: map } },
  filter: { 2: { names: 1, make: filter } },
  transformList: { 3: { names: 2, make: map }, 4: { names: 2, make: map } },
  transformMap: { 3: { names: 2, make: transformMap }, 4: { names: 2, make: transformMap } },
  transformMapEntry: { 3: { names: 2, make: transformMapEntry }, 4: { names: 2, make: transformMapEntry } },
};

/** Gives a value a name for one expression: a fold without elements. */
const bound = (parts: Parts, name: string, value: Expr, result: Expr): Comprehension => ({
  type: "comprehension",
  range: parts.list(),
  variables: ["#unused"],
  accumulator: name,
  initial: value,
  condition: parts.literal(false),
  step: parts.ident(name),
  result,
  offset: value.offset,
});

const sortInput = "@__sortBy_input__";

/** The list in the order of what an expression makes of its elements. */
function sortedBy(target: Expr, variables: readonly string[], key: Expr, offset: number): Expr {
  const parts = new Parts(offset);
  const input = parts.ident(sortInput);
  const keys: Comprehension = {
    type: "comprehension",
    range: input,
    variables,
    accumulator,
    offset,
    result: parts.accumulated,
    ...map(parts, [key]),
  };
  const sorted: Expr = { type: "call", name: "@sortByAssociatedKeys", target: parts.ident(sortInput), args: [keys], offset };
  return bound(parts, sortInput, target, sorted);
}

/** `target.hasValue() ? optional.of(transform) : optional.none()`, the value being bound to a name for the transform. */
function optionalMap(target: Expr, variable: string, transform: Expr, isFlat: boolean, offset: number): Expr {
  const parts = new Parts(offset);
  const method = (name: string, on: Expr): Expr => ({ type: "call", name, target: on, args: [], offset });
  const value = bound(parts, variable, method("value", target), transform);
  return parts.call("_?_:_", method("hasValue", target), isFlat ? value : parts.call("optional.of", value), parts.call("optional.none"));
}
