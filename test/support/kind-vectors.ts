/** Vectors made by Kubernetes' own code: what it does with an object, to be compared with what we do. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../shared/api/kind.ts";

const folder = join(import.meta.dirname, "../api/kinds/vectors");

/** One case: an operation, its input, and Kubernetes' answer. */
export interface Vector {
  readonly name: string;
  readonly op: "create" | "update" | "status" | "table";
  readonly object: { readonly [key: string]: unknown };
  /** The object before an update. */
  readonly old?: { readonly [key: string]: unknown };
  readonly expected: {
    readonly object?: { readonly [key: string]: unknown };
    readonly problems?: readonly Problem[];
    readonly warnings?: readonly string[];
    readonly columns?: readonly (readonly [name: string, type: string, priority: number])[];
    readonly cells?: readonly unknown[];
  };
}

export const vectorFiles = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => file.slice(0, -".jsonl".length));

export const readVectors = (file: string): readonly Vector[] =>
  readFileSync(join(folder, `${file}.jsonl`), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/**
 * Problems as text, each once, in a fixed order: Kubernetes repeats some and walks maps in any order. The description of what
 * changed, which some have in further lines, is our own, and so is how a whole structure is shown.
 */
export const problemTexts = (problems: readonly Problem[] | undefined): string[] =>
  [...new Set((problems ?? []).map(({ field, reason, message }) => `${field} [${reason}] ${shortened(message)}`))].toSorted();

const shortened = (message: string): string => (message.split("\n")[0] ?? "").replace(/^(\w+ value: )[{[].*[\]}]/, "$1{…}");
