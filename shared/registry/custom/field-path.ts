/** Paths of fields as rules and definitions write them (`.spec.items['a.b']`), checked against a schema. */
import type { Structural } from "../../api/structural.ts";

export interface FieldPath {
  /** As problems name it: `spec.labels[key]`. */
  readonly text: string;
  /** The first name. */
  readonly root: string;
  /** What the schema says of the field. */
  readonly schema: Structural | undefined;
}

/** The path is none, or leads nowhere; the message is Kubernetes'. */
export class FieldPathError extends Error {
  override readonly name = "FieldPathError";
}

const tokens = /'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]']+/g;
const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function fail(message: string): never {
  throw new FieldPathError(message);
}

/** @param options.brackets `['name']` is understood @throws {FieldPathError} */
export function parseFieldPath(path: string, root: Structural, options: { readonly brackets: boolean }): FieldPath {
  const parts = path.match(tokens) ?? [];
  let schema: Structural | undefined = root;
  let text = "";
  let first = "";
  for (let at = 0; at < parts.length; at++) {
    const token = parts[at];
    let name: string;
    if (token === ".") name = parts[++at] ?? fail("unexpected end of JSON path");
    else if (token === "[") {
      if (!options.brackets) fail("array notation is not allowed");
      name = unquoted(parts[++at] ?? fail("unexpected end of JSON path"));
      const closing = parts[++at] ?? fail("unexpected end of JSON path");
      if (closing !== "]") fail(`expected ] but got ${closing}`);
    } else return fail(`expected [ or . but got: ${token}`);
    const { properties, additionalProperties }: Structural = schema ?? {};
    if (properties !== undefined) {
      schema = (Object.hasOwn(properties, name) ? properties[name] : undefined) ?? fail("does not refer to a valid field");
      text = text === "" ? name : `${text}.${name}`;
    } else if (additionalProperties !== undefined) {
      schema = typeof additionalProperties === "object" ? additionalProperties : undefined;
      text = `${text}[${name}]`;
    } else fail("does not refer to a valid field");
    if (first === "") first = name;
  }
  return { text, root: first, schema };
}

function unquoted(token: string): string {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) fail(`expected single quoted string but got ${token}`);
  return token
    .slice(1, -1)
    .replaceAll(/\\(.)/g, (whole, letter: string) => escapes[letter] ?? fail(`invalid string literal: invalid escape char ${whole}`));
}
