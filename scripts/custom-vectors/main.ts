/**
 * Rebuilds `test/registry/custom/vectors/`: asks Kubernetes' own Go code (`main.go`, built here) what it makes of the definitions, objects and
 * rules in `cases/`. Needs Go and its module proxy. Usage: node scripts/custom-vectors/main.ts
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";

type Json = Record<string, any>;

const here = import.meta.dirname;
const vectors = join(here, "../../test/registry/custom/vectors");
const cases = (name: string): Json[] =>
  parse(readFileSync(join(here, "cases", `${name}.yaml`), "utf8"), { merge: true, maxAliasCount: -1 }) as Json[];

const plainDefinition: Json = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "things", kind: "Thing" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
};
const plainObject: Json = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a", namespace: "default" } };

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const merged = (under: any, over: any): any => {
  if (!isObject(under) || !isObject(over)) return over ?? under;
  return Object.fromEntries(
    [...new Set([...Object.keys(under), ...Object.keys(over)])].map((key) => [
      key,
      key in over ? merged(under[key], over[key]) : under[key],
    ]),
  );
};

function definitionOf({ metadata = {}, spec = {}, schema }: Json): Json {
  const definition = merged(plainDefinition, { metadata, spec });
  if (schema === undefined) return definition;
  return merged(definition, { spec: { versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }] } });
}

/** An object with its type and name; `repeat` makes lists of so many short texts. */
function objectOf(given: Json, repeat: Json = {}): Json {
  const lists = Object.fromEntries(
    Object.entries(repeat).map(([field, count]) => [field, Array.from({ length: count as number }, (_, index) => `i${index}`)]),
  );
  return { ...merged(plainObject, given), ...lists };
}

/** One answer per question, in order. */
async function ask(program: string, questions: readonly Json[]): Promise<Json[]> {
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
  const answers: Json[] = [];
  for (const question of questions) child.stdin.write(`${JSON.stringify(question)}\n`);
  child.stdin.end();
  for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line) as Json);
  return answers;
}

/** Names of types that carry a time of day are not the same twice. */
const settled = (text: string): string => text.replaceAll(/selfType[0-9]+/g, "selfType");

/** A case with its answer instead of its question. */
const recorded = (one: Json, answer: Json | undefined): Json =>
  Object.fromEntries([...Object.entries(one).filter(([name]) => name !== "question"), ["answer", answer]]);

const folder = mkdtempSync(join(tmpdir(), "custom-vectors-"));
try {
  const program = join(folder, "custom-vectors");
  execFileSync("go", ["build", "-o", program, "."], { cwd: here, stdio: "inherit" });

  const definitions = cases("definitions").map((one) => ({ name: one.name as string, object: definitionOf(one) }));
  const resources = cases("resources").flatMap(({ schema, cases: of }, index) =>
    (of as Json[]).map(({ name, object, old, repeat }) => ({
      name: name as string,
      schema: index,
      object: objectOf(object as Json, repeat as Json),
      ...(old && { old: objectOf(old as Json) }),
      question: { op: "resource", schema },
    })),
  );
  const rules = cases("rules").flatMap(({ schema, object, rules: of }, index) =>
    (of as string[]).map((rule) => ({ rule, schema: index, question: { op: "rule", schema, object, rule } })),
  );
  const answers = await ask(program, [
    ...definitions.map(({ object }) => ({ op: "definition", object })),
    ...resources.map(({ question, object, old }) => ({ ...question, object, ...(old && { old }) })),
    ...rules.map(({ question }) => question),
  ]);
  // The first line holds what the cases share; one case a line follows.
  const write = (name: string, shared: Json, lines: readonly Json[]) => {
    const text = [shared, ...lines].map((line) => settled(JSON.stringify(line))).join("\n");
    writeFileSync(join(vectors, `${name}.jsonl`), `${text}\n`);
    console.log(name, lines.length);
  };
  const [first, second] = [definitions.length, definitions.length + resources.length];
  write(
    "definitions",
    {},
    definitions.map((one, index) => recorded(one, answers[index])),
  );
  write(
    "resources",
    { schemas: cases("resources").map(({ schema }) => schema as Json) },
    resources.map((one, index) => recorded(one, answers[first + index])),
  );
  write(
    "rules",
    { data: cases("rules").map(({ schema, object }) => ({ schema, object })) },
    rules.map((one, index) => recorded(one, answers[second + index])),
  );
} finally {
  rmSync(folder, { recursive: true });
}
