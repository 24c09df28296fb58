/** The part of JSONPath that CustomResourceDefinitions use: printer columns, scale paths, selectable fields. */
import { isObject, show } from "./values.ts";

type Step =
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "index"; readonly index: number }
  | { readonly type: "all" }
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
 * Understands `.a.b`, `['a']`, `[0]`, `[-1]`, `[*]`, `.*` and `[?(@.a=="b")]`.
 * @throws {JsonPathError}
 */
export function parseJsonPath(text: string): JsonPath {
  const steps = parse(text.trim());
  return { find: (root) => walk([root], steps) };
}

const fieldStep = /^\.?((?:[^.[\]\\]|\\.)+)/;
const indexStep = /^\[(-?\d+)\]/;
const quotedStep = /^\[(?:'([^']*)'|"([^"]*)")\]/;
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
  if (match) return [{ type: "field", name: match[1] ?? match[2] ?? "" }, match[0].length];
  match = whereStep.exec(rest);
  if (match) {
    const [whole, path = "", operator, value = ""] = match;
    return [{ type: "where", path: parse(path), operator, value: literal(value) }, whole.length];
  }
  match = fieldStep.exec(rest);
  if (match && !rest.startsWith("..")) return [{ type: "field", name: (match[1] ?? "").replaceAll(/\\(.)/g, "$1") }, match[0].length];
  throw new JsonPathError(`cannot read ${JSON.stringify(rest)} in the path ${JSON.stringify(text)}`);
}

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
  if (step.type === "all" && isObject(value)) return Object.values(value);
  if (!Array.isArray(value)) return [];
  if (step.type === "all") return value;
  if (step.type === "where") return value.filter((item) => holds(walk([item], step.path)[0], step.operator, step.value));
  const item: unknown = value.at(step.index);
  return item === undefined ? [] : [item];
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
