/** The part of JSONPath that CustomResourceDefinitions use: printer columns, scale paths, selectable fields. */
import { isObject, show } from "./values.ts";

type Step =
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "slice"; readonly from: number | undefined; readonly to: number | undefined; readonly by: number }
  | { readonly type: "index"; readonly index: number }
  | { readonly type: "all" }
  /** Itself, and every list and object inside of it. */
  | { readonly type: "below" }
  | { readonly type: "each"; readonly paths: readonly (readonly Step[])[] }
  | { readonly type: "where"; readonly path: readonly Step[]; readonly operator: string | undefined; readonly value: unknown };

export interface JsonPath {
  /** Every value that the path leads to, in order. */
  find(root: unknown): unknown[];
}

/** The path is not one that we understand. */
export class JsonPathError extends Error {
  override readonly name = "JsonPathError";
}

/**
 * Understands `.a.b`, `['a']`, `['a','b']`, `[0]`, `[-1]`, `[0:2]`, `[*]`, `.*`, `..a` and `[?(@.a=="b")]`. Dots in quotes lead on, too,
 * unless a backslash stands before them.
 * @throws {JsonPathError}
 */
export function parseJsonPath(text: string): JsonPath {
  const steps = parse(text.trim());
  return { find: (root) => walk([root], steps) };
}

const fieldStep = /^\.?((?:[^.[\]\\]|\\.)+)/;
const indexStep = /^\[(-?\d+)\]/;
const quotedStep = /^\[(?:'([^']*)'|"([^"]*)")\]/;
const sliceStep = /^\[(-?\d*):(-?\d*)(?::(\d*))?\]/;
const unionStep = /^\[((?:'[^']*'|"[^"]*"|-?\d+)(?:\s*,\s*(?:'[^']*'|"[^"]*"|-?\d+))+)\]/;
const belowStep = /^\.\.(?=[^.])/;
const allStep = /^(?:\[\*\]|\.\*)/;
const whereStep = /^\[\?\(\s*@((?:[^=!<>()]|\\.)*?)\s*(?:(==|!=|<=|>=|<|>)\s*((?:"[^"]*"|'[^']*'|[^)\s]+)))?\s*\)\]/;

function parse(text: string): Step[] {
  const steps: Step[] = [];
  let rest = text.startsWith("$") ? text.slice(1) : text;
  while (rest !== "") {
    const [step, length] = next(rest, text);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

function next(rest: string, text: string): [step: Step, length: number] {
  let match = allStep.exec(rest);
  if (match) return [{ type: "all" }, match[0].length];
  match = indexStep.exec(rest);
  if (match) return [{ type: "index", index: Number(match[1]) }, match[0].length];
  match = quotedStep.exec(rest);
  if (match) return [{ type: "each", paths: [parse(`.${match[1] ?? match[2] ?? ""}`)] }, match[0].length];
  match = sliceStep.exec(rest);
  if (match) {
    const [whole, from, to, by] = match;
    return [{ type: "slice", from: bound(from), to: bound(to), by: bound(by) ?? 1 }, whole.length];
  }
  match = unionStep.exec(rest);
  if (match) {
    const parts = (match[1] ?? "").match(/'[^']*'|"[^"]*"|-?\d+/g) ?? [];
    return [{ type: "each", paths: parts.map((part) => parse(`[${part}]`)) }, match[0].length];
  }
  // What follows is a field without a dot, or something in brackets.
  match = belowStep.exec(rest);
  if (match) return [{ type: "below" }, match[0].length];
  match = whereStep.exec(rest);
  if (match) {
    const [whole, path = "", operator, value = ""] = match;
    return [{ type: "where", path: parse(path), operator, value: literal(value) }, whole.length];
  }
  match = fieldStep.exec(rest);
  if (match && !rest.startsWith("..")) return [{ type: "field", name: (match[1] ?? "").replaceAll(/\\(.)/g, "$1") }, match[0].length];
  throw new JsonPathError(`cannot read ${JSON.stringify(rest)} in the path ${JSON.stringify(text)}`);
}

const bound = (text: string | undefined): number | undefined => (text ? Number(text) : undefined);

function literal(text: string): unknown {
  if (/^(".*"|'.*')$/.test(text)) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function walk(roots: readonly unknown[], steps: readonly Step[]): unknown[] {
  let values = [...roots];
  for (const step of steps) values = values.flatMap((value) => follow(value, step));
  return values;
}

function follow(value: unknown, step: Step): unknown[] {
  if (step.type === "field") return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
  if (step.type === "each") return step.paths.flatMap((path) => walk([value], path));
  if (step.type === "below") return below(value);
  if (step.type === "all" && isObject(value)) return Object.values(value);
  if (!Array.isArray(value)) return [];
  if (step.type === "all") return value;
  if (step.type === "where") return value.filter((item) => holds(walk([item], step.path)[0], step.operator, step.value));
  if (step.type === "slice") return value.slice(step.from, step.to).filter((_, index) => index % step.by === 0);
  const item: unknown = value.at(step.index);
  return item === undefined ? [] : [item];
}

function below(value: unknown): unknown[] {
  const parts = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  return parts.length === 0 ? [] : [value, ...parts.flatMap(below)];
}

function holds(found: unknown, operator: string | undefined, wanted: unknown): boolean {
  if (operator === undefined) return found !== undefined;
  if (found === undefined) return false;
  const left = typeof found === "number" && typeof wanted === "number" ? found : show(found);
  const right = typeof left === "number" ? (wanted as number) : show(wanted);
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default:
      return left >= right;
  }
}
