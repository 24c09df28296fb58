/**
 * What the generated table says of every built-in type. Facts are read type by type as they are asked for: there are many, a request needs
 * few of them, and a function that starts has none to wait for.
 */
import { typeLines } from "./generated/schemas.ts";
import type { TypeFacts } from "./schema-table.ts";

interface Line {
  /** `group/version/kind`; empty for a type that is no kind. */
  readonly gvk: string;
  readonly json: string;
}

let lines: ReadonlyMap<string, Line> | undefined;
const known = new Map<string, TypeFacts>();

function allLines(): ReadonlyMap<string, Line> {
  lines ??= new Map(
    typeLines.split("\n").map((line) => {
      const [name = "", gvk = "", json = ""] = line.split("\t");
      return [name, { gvk, json }];
    }),
  );
  return lines;
}

/** @param definition OpenAPI definition name: `io.k8s.api.apps.v1.Deployment` */
export function typeFacts(definition: string): TypeFacts | undefined {
  const read = known.get(definition);
  if (read) return read;
  const line = allLines().get(definition);
  if (!line) return undefined;
  const gvk = gvkOf(line);
  const facts: TypeFacts = { ...(JSON.parse(line.json) as TypeFacts), ...(gvk && { gvk }) };
  known.set(definition, facts);
  return facts;
}

export const hasType = (definition: string): boolean => allLines().has(definition);

/** Group, version and kind of a type, which may be no kind. */
export function typeGvk(definition: string): TypeFacts["gvk"] {
  const line = allLines().get(definition);
  return line && gvkOf(line);
}

/** Definition names of all types. */
export const typeNames = (): IterableIterator<string> => allLines().keys();

function gvkOf({ gvk }: Line): TypeFacts["gvk"] {
  if (gvk === "") return undefined;
  const [group = "", version = "", kind = ""] = gvk.split("/");
  return [group, version, kind];
}
