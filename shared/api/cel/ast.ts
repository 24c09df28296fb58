/** Expressions of CEL after parsing: macros are expanded, operators are calls. */

interface Node {
  /** Where the compiler points when something is wrong with it: an index into the source, in UTF-16 units. */
  readonly offset: number;
}

export interface Literal extends Node {
  readonly type: "literal";
  /** int: bigint, double: number, bytes: Uint8Array, null; the rest as it is. */
  readonly value: unknown;
}

export interface Ident extends Node {
  readonly type: "ident";
  readonly name: string;
}

export interface Select extends Node {
  readonly type: "select";
  readonly operand: Expr;
  readonly field: string;
  /** `has(operand.field)` */
  readonly testOnly: boolean;
}

export interface Call extends Node {
  readonly type: "call";
  /** Operators by their names in CEL: `_+_`, `_?_:_`, `_[_]`. */
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Node {
  readonly type: "list";
  readonly elements: readonly Expr[];
  /** Elements that are only there when they have a value: `[?x]`. */
  readonly optional: ReadonlySet<Expr>;
}

export interface MapExpr extends Node {
  readonly type: "map";
  readonly entries: readonly (readonly [key: Expr, value: Expr])[];
  /** Values whose entries are only there when they have one: `{?k: x}`. */
  readonly optional: ReadonlySet<Expr>;
}

/** A fold: `accumulator` begins as `initial`, takes `step` for every element while `condition` holds, and ends as `result`. */
export interface Comprehension extends Node {
  readonly type: "comprehension";
  readonly range: Expr;
  /** One name: elements of lists, keys of maps. Two: index and element, or key and value. */
  readonly variables: readonly string[];
  readonly accumulator: string;
  readonly initial: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | Comprehension;

/** The expression cannot be compiled; the message is what Kubernetes answers, with the place it points to. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  /** `type`: it makes another type than it should; `program`: it is understood, but what is written down in it fails already. */
  readonly stage: "compilation" | "type" | "program";

  constructor(message: string, options?: ErrorOptions & { readonly stage?: "type" | "program" }) {
    super(message, options);
    this.stage = options?.stage ?? "compilation";
  }
}

/**
 * What went wrong where, as CEL shows it: position, the line, and a pointer below it.
 * @param offset index into the source, in UTF-16 units
 */
export function describeError(source: string, offset: number, message: string): string {
  const before = source.slice(0, Math.max(offset, 0)).split("\n");
  const column = Array.from(before.at(-1) ?? "");
  const line = (source.split("\n")[before.length - 1] ?? "").replaceAll("\t", " ");
  const characters = Array.from(line);
  const isWide = (character: string | undefined) => character !== undefined && Buffer.byteLength(character) > 1;
  const pointer =
    column.map((_, index) => (isWide(characters[index]) ? "．" : ".")).join("") + (isWide(characters[column.length]) ? "＾" : "^");
  return `ERROR: <input>:${before.length}:${column.length + 1}: ${message}\n | ${line}\n | ${pointer}`;
}
