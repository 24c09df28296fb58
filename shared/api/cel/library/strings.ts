/** CEL's strings extension, version 2: positions count code points. */
import { type Declaration, fn, method } from "../functions.ts";
import { ArrayList, CelList, codePoints, EvalError, typeName } from "../values.ts";
import { format } from "./formatting.ts";

const outOfRange = (at: bigint): EvalError => new EvalError(`index out of range: ${at}`);

function charAt(text: string, at: bigint): unknown {
  const characters = Array.from(text);
  if (at < 0n || at > BigInt(characters.length)) return outOfRange(at);
  return characters[Number(at)] ?? "";
}

/** The position of an index in UTF-16 units as one in code points. */
const position = (text: string, unit: number): bigint => (unit < 0 ? -1n : BigInt(codePoints(text.slice(0, unit))));

/** Where code point `at` begins, in UTF-16 units. */
const unitOf = (text: string, at: bigint): number => Array.from(text).slice(0, Number(at)).join("").length;

function indexOf(text: string, part: string, from = 0n): unknown {
  if (part === "") return from;
  if (from < 0n) return outOfRange(from);
  if (from >= BigInt(codePoints(text))) return -1n;
  return position(text, text.indexOf(part, unitOf(text, from)));
}

function lastIndexOf(text: string, part: string, from?: bigint): unknown {
  if (part === "") return from ?? BigInt(codePoints(text));
  if (from === undefined) return position(text, text.lastIndexOf(part));
  if (from < 0n) return outOfRange(from);
  if (from >= BigInt(codePoints(text))) return -1n;
  return position(text, text.lastIndexOf(part, unitOf(text, from)));
}

function substring(text: string, start: bigint, end?: bigint): unknown {
  const characters = Array.from(text);
  const length = BigInt(characters.length);
  if (end !== undefined && start > end) return new EvalError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) return outOfRange(start);
  if (end !== undefined && (end < 0n || end > length)) return outOfRange(end);
  return characters.slice(Number(start), end === undefined ? undefined : Number(end)).join("");
}

/** As Go replaces: an empty text stands before every character and at the end. */
function replace(text: string, old: string, by: string, most = -1n): string {
  if (most < 0n)
    return old === ""
      ? Array.from(text)
          .map((character) => by + character)
          .join("") + by
      : text.replaceAll(old, () => by);
  if (old === "") {
    const characters = Array.from(text);
    const limit = Number(most);
    const head = characters.map((character, index) => (index < limit ? by : "") + character).join("");
    return characters.length < limit ? head + by : head;
  }
  const parts = text.split(old);
  const count = Math.min(Number(most), parts.length - 1);
  return [parts.slice(0, count + 1).join(by), ...parts.slice(count + 1)].join(old);
}

/** As Go splits: at most so many parts, the last of which is the rest. */
function split(text: string, separator: string, most = -1n): ArrayList {
  if (most === 0n) return new ArrayList([]);
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  if (most < 0n || parts.length <= most) return new ArrayList(parts);
  const last = Number(most) - 1;
  return new ArrayList([...parts.slice(0, last), parts.slice(last).join(separator)]);
}

function join(list: CelList, separator = ""): unknown {
  const parts = [...list];
  const wrong = parts.find((part) => typeof part !== "string");
  if (wrong !== undefined) return new EvalError(`join: invalid input: ${typeName(wrong)}`);
  return parts.join(separator);
}

/** Spaces as Unicode has them, not JavaScript's (which counts the byte order mark too). */
const trim = (text: string): string => text.replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, "");

const escapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
const escaped = (text: string): string => `"${Array.from(text, (character) => escapes[character] ?? character).join("")}"`;

export const strings: readonly Declaration[] = [
  method("charAt", "string_char_at_int", "(string, int) string", charAt),
  method("indexOf", "string_index_of_string", "(string, string) int", (text: string, part: string) => indexOf(text, part)),
  method("indexOf", "string_index_of_string_int", "(string, string, int) int", indexOf),
  method("lastIndexOf", "string_last_index_of_string", "(string, string) int", (text: string, part: string) => lastIndexOf(text, part)),
  method("lastIndexOf", "string_last_index_of_string_int", "(string, string, int) int", lastIndexOf),
  method("lowerAscii", "string_lower_ascii", "(string) string", (text: string) =>
    text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
  ),
  method("upperAscii", "string_upper_ascii", "(string) string", (text: string) =>
    text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()),
  ),
  method("replace", "string_replace_string_string", "(string, string, string) string", (text: string, old: string, by: string) =>
    replace(text, old, by),
  ),
  method("replace", "string_replace_string_string_int", "(string, string, string, int) string", replace),
  method("split", "string_split_string", "(string, string) list<string>", (text: string, separator: string) => split(text, separator)),
  method("split", "string_split_string_int", "(string, string, int) list<string>", split),
  method("substring", "string_substring_int", "(string, int) string", (text: string, start: bigint) => substring(text, start)),
  method("substring", "string_substring_int_int", "(string, int, int) string", substring),
  method("trim", "string_trim", "(string) string", trim),
  method("join", "list_join", "(list<string>) string", (list: CelList) => join(list)),
  method("join", "list_join_string", "(list<string>, string) string", join),
  method("format", "string_format", "(string, list<dyn>) string", (text: string, values: CelList) => format(text, values)),
  fn("strings.quote", "strings_quote", "(string) string", escaped),
];
