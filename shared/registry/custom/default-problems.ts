/** Defaults have to be values that their own schema would let in. */
import type { Problem } from "../../api/kind.ts";
import type { Structural } from "../../api/structural.ts";
import { invalid } from "../../api/validation/problems.ts";
import { clone, isObject, same } from "../values.ts";
import { embeddedProblems } from "./embedded.ts";
import { prune } from "./prune.ts";
import { ruleProblems } from "./rules.ts";
import { validateValue } from "./validate.ts";

const typeFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** @param path where the schema stands in its definition */
export const defaultProblems = (schema: Structural, path: string): Problem[] =>
  levelProblems({ ...schema, "x-kubernetes-embedded-resource": true }, path, true, false);

function levelProblems(schema: Structural, path: string, isResource: boolean, insideMetadata: boolean): Problem[] {
  const { items, properties = {} } = schema;
  const problems = schema.default === undefined ? [] : valueProblems(schema, path, insideMetadata);
  if (items !== undefined) problems.push(...levelProblems(items, `${path}.items`, isEmbedded(items), insideMetadata && !isEmbedded(items)));
  for (const [name, property] of Object.entries(properties)) {
    const inside = (insideMetadata || (isResource && typeFields.has(name))) && !isEmbedded(property);
    problems.push(...levelProblems(property, `${path}.properties[${name}]`, isEmbedded(property), inside));
  }
  return problems;
}

const isEmbedded = (schema: Structural): boolean => schema["x-kubernetes-embedded-resource"] ?? false;

function valueProblems(schema: Structural, schemaPath: string, insideMetadata: boolean): Problem[] {
  const path = `${schemaPath}.default`;
  const value: unknown = schema.default;
  const problems: Problem[] = [];
  if (!insideMetadata) {
    const pruned = { value: clone(value) };
    prune(pruned, { properties: { value: schema } });
    if (!same(pruned.value, value)) problems.push(invalid(path, value, "must not have unknown fields"));
    const embedded = embeddedProblems(value, schema, path);
    if (embedded.length > 0) return [...problems, ...embedded];
  }
  const wrong = validateValue(value, undefined, schema, "").map((problem) => inside(path, problem));
  if (wrong.length > 0) return [...problems, ...wrong];
  const options = { path, isResource: isEmbedded(schema) && isObject(value), ratchets: false };
  // A default may come into an object that is there already, and into a new one.
  const kept = ruleProblems(value, value, schema, options);
  return [...problems, ...(kept.length > 0 ? kept : ruleProblems(value, undefined, schema, options))];
}

/** A problem of a part, told of the whole that has the part at a path; its message goes on naming the part alone. */
export const inside = (path: string, problem: Problem): Problem => ({
  ...problem,
  field: problem.field === "" ? path : `${path}.${problem.field}`,
});
