/** Problems in Kubernetes' words: one constructor per way in which a field can be wrong. */
import type { CauseReason } from "../../errors/status-error.ts";
import type { Problem } from "../kind.ts";

/**
 * Text in double quotes with the escapes that Kubernetes' messages use (Go's `%q`): `\n`, `\x01`, `\u00a0`.
 * Letters of any script stay as they are. What is absent is empty, as it is in Go.
 */
export function quote(text: string | undefined = ""): string {
  let quoted = '"';
  for (const character of text) quoted += escapes[character] ?? (isPrintable(character) ? character : codeEscape(character));
  return `${quoted}"`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** Letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrintable = (character: string): boolean => character === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);

function codeEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A value as messages show it: text quoted, numbers and booleans plain, anything else as JSON the way Go writes it. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value === undefined || value === null) return "null";
  return JSON.stringify(value).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");
}

const problem = (field: string, reason: CauseReason, what: string, detail: string): Problem => ({
  field,
  reason,
  message: detail === "" ? what : `${what}: ${detail}`,
});

export const required = (field: string, detail = ""): Problem => problem(field, "FieldValueRequired", "Required value", detail);

export const forbidden = (field: string, detail: string): Problem => problem(field, "FieldValueForbidden", "Forbidden", detail);

export const internal = (field: string, detail: string): Problem => problem(field, "InternalError", "Internal error", detail);

export const invalid = (field: string, value: unknown, detail: string): Problem =>
  problem(field, "FieldValueInvalid", `Invalid value: ${showValue(value)}`, detail);

export const typeInvalid = (field: string, value: unknown, detail: string): Problem =>
  problem(field, "FieldValueTypeInvalid", `Invalid value: ${showValue(value)}`, detail);

export const duplicate = (field: string, value: unknown): Problem =>
  problem(field, "FieldValueDuplicate", `Duplicate value: ${showValue(value)}`, "");

/** Something as a whole is there twice; its value is not repeated. */
export const duplicateWhole = (field: string): Problem => problem(field, "FieldValueDuplicate", "Duplicate value", "");

export const notFoundValue = (field: string, value: unknown): Problem =>
  problem(field, "FieldValueNotFound", `Not found: ${showValue(value)}`, "");

/** @param supported in the order in which the message lists them; empty: not listed */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): Problem =>
  problem(
    field,
    "FieldValueNotSupported",
    `Unsupported value: ${showValue(value)}`,
    supported.length === 0 ? "" : `supported values: ${supported.map(quote).join(", ")}`,
  );

/** More than `max` bytes. The value itself is not repeated. */
export const tooLong = (field: string, max: number): Problem =>
  problem(field, "FieldValueTooLong", "Too long", `may not be more than ${max} ${max === 1 ? "byte" : "bytes"}`);

export const tooMany = (field: string, actual: number, max: number): Problem =>
  problem(field, "FieldValueTooMany", `Too many: ${actual}`, `must have at most ${max} ${max === 1 ? "item" : "items"}`);

/** One `Invalid value` problem per message. */
export const invalidEach = (field: string, value: unknown, messages: readonly string[]): Problem[] =>
  messages.length === 0 ? [] : messages.map((message) => invalid(field, value, message));

/** The problems of every element: `check` gets the element and its path, `path[0]`, `path[1]` … */
export function eachItem<T>(
  path: string,
  items: readonly T[] | undefined,
  check: (item: T, path: string, index: number) => Problem[],
): Problem[] {
  const problems: Problem[] = [];
  if (items) for (let index = 0; index < items.length; index++) problems.push(...check(items[index] as T, `${path}[${index}]`, index));
  return problems;
}

/** Something as a whole is wrong; its value is not repeated. */
export const invalidWhole = (field: string, detail: string): Problem => problem(field, "FieldValueInvalid", "Invalid value", detail);
