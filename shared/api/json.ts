/**
 * JSON without losses: numbers keep their text where a double would change it, and duplicate fields are found.
 *
 * Such numbers are `JSON.rawJSON` values: `JSON.stringify` writes them back verbatim. They survive neither `structuredClone` nor a
 * second, plain `JSON.parse`; whatever stores objects must read them with {@link parseJson}.
 */

/** A number whose text counts; see `JSON.rawJSON`. */
export interface RawJson {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}

/**
 * A whole number to reckon with: what a double cannot hold exactly becomes the nearest that it can. The codec keeps such numbers as their
 * text wherever 64 bits are allowed, whatever the types of Kubernetes' objects say.
 */
export const wholeNumber = (value: number): number => {
  const number = JSON.isRawJSON(value) ? Number((value as RawJson).rawJSON) : value;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(number, Number.MAX_SAFE_INTEGER));
};

export interface ParsedJson {
  readonly value: unknown;
  /**
   * A problem, in Kubernetes' words, for every field that was given again (the last one counts), in the order of the text:
   * `duplicate field "spec.containers[0].image"`.
   */
  readonly duplicates: string[];
}

/** Deeper nesting is refused: recursion over it (also V8's own `JSON.stringify`) would exhaust the stack. */
export const maxJsonDepth = 1000;

/**
 * @throws {SyntaxError} when the text is no JSON or nests deeper than {@link maxJsonDepth}
 */
export function parseJson(text: string): ParsedJson {
  const value: unknown = JSON.parse(text);
  const facts = scan(text);
  if (facts.depth > maxJsonDepth) throw new SyntaxError("exceeded max depth");
  // The native parser is several times faster than any of ours, so it does the work; a glance at the text proves that nothing was lost.
  if (facts.numbersSurvive && facts.keys === countKeys(value)) return { value, duplicates: [] };
  return new LosslessParser(text).parse();
}

/** Would `JSON.stringify` write this number as it stands? */
const survives = (text: string): boolean => {
  const value = Number(text);
  return String(value) === text && !(Number.isInteger(value) && !Number.isSafeInteger(value));
};

const quote = 34;
const backslash = 92;

/** Where the string that opens at `start` ends: the index of its closing quote. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
}

/** @param text valid JSON */
function scan(text: string): { readonly keys: number; readonly depth: number; readonly numbersSurvive: boolean } {
  let keys = 0;
  let level = 0;
  let depth = 0;
  let numbersSurvive = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      i = endOfString(text, i);
    } else if (code === 58 /* : */) {
      keys++;
    } else if (code === 123 /* { */ || code === 91 /* [ */) {
      if (++level > depth) depth = level;
    } else if (code === 125 /* } */ || code === 93 /* ] */) {
      level--;
    } else if (code === 45 /* - */ || (code >= 48 && code <= 57)) {
      const start = i;
      let plain = code !== 45;
      for (;;) {
        const next = text.charCodeAt(i + 1);
        if (next >= 48 && next <= 57) i++;
        else if (next === 46 /* . */ || next === 101 /* e */ || next === 69 /* E */ || next === 43 /* + */ || next === 45 /* - */) {
          plain = false;
          i++;
        } else break;
      }
      if (!(plain && i - start < 15)) numbersSurvive &&= survives(text.slice(start, i + 1));
    }
  }
  return { keys, depth, numbersSurvive };
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  for (const key of Object.keys(value)) count += 1 + countKeys((value as Record<string, unknown>)[key]);
  return count;
}

/** Parses text which is known to be valid JSON. */
class LosslessParser {
  readonly #text: string;
  readonly #duplicates: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): ParsedJson {
    return { value: this.#value(""), duplicates: this.#duplicates };
  }

  #skipSpace(): void {
    while (this.#text.charCodeAt(this.#at) <= 32) this.#at++;
  }

  #value(path: string): unknown {
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(path);
      case "[":
        return this.#array(path);
      case '"':
        return this.#string();
      case "t":
        this.#at += 4;
        return true;
      case "f":
        this.#at += 5;
        return false;
      case "n":
        this.#at += 4;
        return null;
      default:
        return this.#number();
    }
  }

  #object(path: string): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    for (;;) {
      this.#skipSpace();
      const next = this.#text[this.#at];
      if (next === "}") break;
      if (next === ",") {
        this.#at++;
        continue;
      }
      const key = this.#string();
      const field = path === "" ? key : `${path}.${key}`;
      if (Object.hasOwn(object, key)) this.#duplicates.push(`duplicate field ${JSON.stringify(field)}`);
      this.#skipSpace();
      this.#at++;
      const value = this.#value(field);
      if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      else object[key] = value;
    }
    this.#at++;
    return object;
  }

  #array(path: string): unknown[] {
    const array: unknown[] = [];
    this.#at++;
    for (;;) {
      this.#skipSpace();
      const next = this.#text[this.#at];
      if (next === "]") break;
      if (next === ",") this.#at++;
      else array.push(this.#value(`${path}[${array.length}]`));
    }
    this.#at++;
    return array;
  }

  #string(): string {
    const start = this.#at;
    const end = endOfString(this.#text, start);
    this.#at = end + 1;
    const inner = this.#text.slice(start + 1, end);
    return inner.includes("\\") ? (JSON.parse(this.#text.slice(start, end + 1)) as string) : inner;
  }

  #number(): number | RawJson {
    const start = this.#at;
    while (this.#at < this.#text.length && "+-.0123456789eE".includes(this.#text.charAt(this.#at))) this.#at++;
    const text = this.#text.slice(start, this.#at);
    return survives(text) ? Number(text) : JSON.rawJSON(text);
  }
}
