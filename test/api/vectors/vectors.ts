/** What Kubernetes' own Go code answered to the cases of `scripts/vectors/cases.ts`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "../../../scripts/vectors/cases.ts";
import { parseJson } from "../../../shared/api/json.ts";

export interface Vector extends Case {
  readonly answer: {
    /** JSON value; numbers keep their text */
    readonly value?: unknown;
    readonly text?: string;
    /** base64 */
    readonly protobuf?: string;
    readonly problems?: readonly string[];
    readonly error?: string;
  };
}

const [, ...lines] = readFileSync(join(import.meta.dirname, "kubernetes-1.36.jsonl"), "utf8")
  .trimEnd()
  .split("\n");
const all = lines.map((line) => parseJson(line).value as Vector);

export const vectors = (op: Case["op"]): Vector[] => all.filter((vector) => vector.op === op);

/** A title for `it.each`: the input, short and in one line. */
export const titled = (each: readonly Vector[]): (Vector & { readonly title: string })[] =>
  each.map((vector) => ({
    ...vector,
    title: JSON.stringify(vector.input).slice(0, 90) + (vector.other ? ` with ${vector.other.slice(0, 120)}` : ""),
  }));

/**
 * JSON in which only meaning counts: sorted fields, numbers as their text. What Go writes as null is absent here, and so are empty
 * lists and maps, which Go writes as null or not at all.
 */
export function comparable(value: unknown): unknown {
  if (JSON.isRawJSON(value)) return { number: value.rawJSON };
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) return { number: String(value) };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && !(Array.isArray(inner) && inner.length === 0));
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, comparable(inner)]));
}
