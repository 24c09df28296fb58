/**
 * What Kubernetes' own code makes of definitions, custom resources and rules, recorded by `scripts/custom-vectors`: checklist 60 to the
 * letter.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { CompileError } from "../../../shared/api/cel/ast.ts";
import { compile } from "../../../shared/api/cel/compile.ts";
import { declare } from "../../../shared/api/cel/schema-types.ts";
import { valueOf } from "../../../shared/api/cel/schema-values.ts";
import { EvalError } from "../../../shared/api/cel/values.ts";
import { parseJson } from "../../../shared/api/json.ts";
import type { AnyObject, Problem } from "../../../shared/api/kind.ts";
import type { JsonObject } from "../../../shared/api/objects.ts";
import { type Structural, withResourceFields } from "../../../shared/api/structural.ts";
import { loadEngine } from "../../../shared/registry/custom/engine.ts";
import { customKinds } from "../../../shared/registry/custom/kinds.ts";
import type { Stored } from "../../../shared/store/store.ts";
import { aRegistry, refusal } from "../../support/registry.ts";

interface Answer {
  readonly object?: JsonObject;
  readonly unknown?: readonly string[];
  readonly problems?: readonly { readonly field: string; readonly reason: string; readonly message: string }[];
  readonly warnings?: readonly string[];
  readonly compile?: string;
  readonly estimated?: number | { readonly rawJSON: string };
  readonly cost?: number;
  readonly value?: string;
}

/** What the cases of a file share, and the cases. */
function read(name: string): { readonly shared: JsonObject; readonly cases: readonly unknown[] } {
  const text = readFileSync(new URL(`./vectors/${name}.jsonl`, import.meta.url), "utf8");
  const [shared, ...cases] = text
    .trimEnd()
    .split("\n")
    .map((line) => parseJson(line).value);
  return { shared: shared as JsonObject, cases };
}

/**
 * Which syntax error it is says each parser in its own words, and only the first counts; whole lists of versions and whole schemas are
 * shown as the API writes them, not as Go's structs.
 */
const settled = (text: string): string =>
  text
    .replace(/Syntax error: [^]*/, "Syntax error")
    .replaceAll(/error parsing regexp: .*/g, "error parsing regexp")
    .replace(/Invalid value: [[{].*[\]}](?=: (?:must have exactly|must contain unique|only \[))/, "Invalid value");

/** Each problem once, in an order of its own: maps in Go have none. */
const sorted = (problems: readonly Problem[] = []): string[] =>
  [...new Set(problems.map(({ field, reason, message }) => settled(`${field} | ${reason} | ${message}`)))].toSorted();

const definitions = "customresourcedefinitions.apiextensions.k8s.io";

describe("checklist 60: a definition is judged as by Kubernetes", () => {
  const cases = read("definitions").cases as readonly { readonly name: string; readonly object: JsonObject; readonly answer: Answer }[];

  it.each(cases)("$name", async ({ object, answer }) => {
    const api = await aRegistry();
    const warnings: string[] = [];
    const expected = sorted(answer.problems as readonly Problem[]);
    if (expected.length === 0) {
      await api.create(definitions, object, { warnings });
      expect(warnings.toSorted()).toEqual(answer.warnings ?? []);
      return;
    }
    const status = await refusal(api.create(definitions, object));
    expect(sorted(status.details?.causes as readonly Problem[])).toEqual(expected);
  });
});

describe("checklist 60: a custom resource is judged as by Kubernetes", () => {
  beforeAll(loadEngine);
  const { shared, cases } = read("resources");
  const schemas = shared.schemas as readonly JsonObject[];

  interface Case {
    readonly name: string;
    readonly schema: number;
    readonly object: JsonObject;
    readonly old?: JsonObject;
    readonly answer: Answer;
  }

  const kindOf = (schema: JsonObject | undefined) => {
    const value = {
      metadata: { name: "things.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "things", kind: "Thing" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
      status: { conditions: [{ type: "Established", status: "True" }] },
    };
    const [kind] = customKinds({ value } as unknown as Stored);
    if (!kind?.codec) throw new Error("the definition makes no kind");
    return { ...kind, codec: kind.codec };
  };

  it.each(cases as readonly Case[])("$name", ({ schema, object, old, answer }) => {
    const kind = kindOf(schemas[schema]);
    const decoded = (body: JsonObject) => {
      const { object: made, unknownFields } = kind.codec.decode(body);
      kind.behaviour.defaults?.(made as AnyObject);
      return { made: made as AnyObject, unknownFields };
    };
    const { made, unknownFields } = decoded(object);
    const problems = old ? kind.behaviour.validateUpdate?.(made, decoded(old).made) : kind.behaviour.validateCreate?.(made);
    const expected = (answer.problems ?? []).filter(({ field }) => !field.startsWith("metadata."));
    expect(sorted(problems)).toEqual(sorted(expected as readonly Problem[]));
    expect([...unknownFields].toSorted()).toEqual([...(answer.unknown ?? [])].toSorted());
    expect(made).toEqual(answer.object);
  });
});

describe("checklist 60: a rule means what it means to Kubernetes", () => {
  const { shared, cases } = read("rules");
  const data = shared.data as readonly { readonly schema: Structural; readonly object: JsonObject }[];

  interface Case {
    readonly rule: string;
    readonly schema: number;
    readonly answer: Answer;
  }

  const asked = (rule: string, index: number): Answer => {
    const { schema, object } = data[index] ?? { schema: {}, object: {} };
    const self = declare(schema, true);
    if (self === undefined) throw new Error("the schema cannot be seen by rules");
    try {
      const { type, program, worstCost } = compile(rule, self, { optionalOldSelf: false });
      if (type.kind !== "bool") return { compile: "cel expression must evaluate to a bool" };
      const { value, cost } = program({ self: valueOf(object, withResourceFields(schema)) }, 1_000_000);
      return { estimated: worstCost, cost, value: value instanceof EvalError ? `error: ${value.message}` : String(value) };
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
      return { compile: `${error.stage === "program" ? "program instantiation" : "compilation"} failed: ${error.message}` };
    }
  };

  it.each(cases as readonly Case[])("$rule", ({ rule, schema, answer }) => {
    const found = asked(rule, schema);
    if (answer.compile !== undefined) {
      expect(settled(found.compile ?? "it compiles")).toBe(settled(answer.compile));
      return;
    }
    expect({ compile: found.compile, value: found.value, cost: found.cost }).toEqual({ value: answer.value, cost: answer.cost });
    const { estimated = 0 } = answer;
    const wanted = typeof estimated === "number" ? estimated : Number(estimated.rawJSON);
    // Beyond what doubles hold exactly, "too much" is all that matters.
    expect((found.estimated as number) / (wanted || 1)).toBeCloseTo(wanted === 0 ? 0 : 1, 9);
  });
});
