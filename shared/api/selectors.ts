/** Label and field selectors: parsed once, asked often. Grammar and words are those of k8s.io/apimachinery `labels` and `fields`. */
import { badRequest } from "../errors/status-error.ts";
import type { LabelSelector } from "./generated/types.ts";
import { labelValueProblems, qualifiedNameProblems } from "./names.ts";

export interface LabelMatcher {
  /** True when it matches everything. */
  readonly empty: boolean;
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
  /** The selector as a query parameter holds it, requirements ordered by key. */
  toString(): string;
}

type Operator = "=" | "==" | "!=" | "in" | "notin" | ">" | "<" | "exists" | "!";

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** sorted */
  readonly values: readonly string[];
}

/** What a Requirement of a parsed text may be refused for; becomes the message of a 400. */
class SelectorError extends Error {}

const nothing: LabelMatcher = { empty: false, matches: () => false, toString: () => "" };

/**
 * @param text as in `labelSelector=`; the empty text matches everything
 * @throws {StatusError} BadRequest
 */
export function parseLabelSelector(text: string): LabelMatcher {
  return orBadRequest(() => matcher(new Parser(text).parse()));
}

/**
 * The selector of a Deployment, a Service's match, …
 * @param selector `undefined` matches nothing, `{}` everything
 * @throws {StatusError} BadRequest
 */
export function labelMatcher(selector: LabelSelector | undefined): LabelMatcher {
  if (!selector) return nothing;
  return orBadRequest(() =>
    matcher([
      ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => requirement(key, "=", [value])),
      ...(selector.matchExpressions ?? []).map(({ key, operator, values }) => {
        const symbol = operatorsOfExpressions.get(operator);
        if (!symbol) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
        return requirement(key, symbol, values ?? []);
      }),
    ]),
  );
}

const operatorsOfExpressions = new Map<string, Operator>([
  ["In", "in"],
  ["NotIn", "notin"],
  ["Exists", "exists"],
  ["DoesNotExist", "!"],
]);

function orBadRequest<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message, error);
    throw error;
  }
}

function matcher(requirements: readonly Requirement[]): LabelMatcher {
  const ordered = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tests = ordered.map(test);
  return {
    empty: ordered.length === 0,
    matches: (labels) => tests.every((holds) => holds(labels ?? {})),
    toString: () => ordered.map(show).join(","),
  };
}

function test({ key, operator, values }: Requirement): (labels: Readonly<Record<string, string>>) => boolean {
  const accepted = new Set(values);
  const value = (labels: Readonly<Record<string, string>>): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return (labels) => {
        const found = value(labels);
        return found !== undefined && accepted.has(found);
      };
    case "!=":
    case "notin":
      return (labels) => {
        const found = value(labels);
        return found === undefined || !accepted.has(found);
      };
    case "exists":
      return (labels) => value(labels) !== undefined;
    case "!":
      return (labels) => value(labels) === undefined;
    default: {
      const limit = parseInt64(values[0] ?? "") ?? 0n;
      return (labels) => {
        const found = parseInt64(value(labels) ?? "");
        return found !== undefined && (operator === ">" ? found > limit : found < limit);
      };
    }
  }
}

function show({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    default:
      return `${key}${operator}${values.join(",")}`;
  }
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

/** @throws {SelectorError} naming everything that is wrong with the requirement */
function requirement(key: string, operator: Operator, given: readonly string[]): Requirement {
  const problems: string[] = [];
  const refuse = (field: string, value: unknown, why: string) => problems.push(`${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
  const keyProblems = qualifiedNameProblems(key);
  if (keyProblems.length > 0) refuse("key", key, keyProblems.join("; "));
  if ((operator === "in" || operator === "notin") && given.length === 0) {
    refuse("values", null, "for 'in', 'notin' operators, values set can't be empty");
  }
  if ((operator === "exists" || operator === "!") && given.length > 0) {
    refuse("values", given, "values set must be empty for exists and does not exist");
  }
  for (const [index, value] of given.entries()) {
    if ((operator === ">" || operator === "<") && parseInt64(value) === undefined) {
      refuse(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer");
    }
    const valueProblems = labelValueProblems(value);
    if (valueProblems.length > 0) refuse(`values[${index}][${key}]`, value, valueProblems.join("; "));
  }
  if (problems.length > 0) throw new SelectorError(problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
  return { key, operator, values: given.toSorted() };
}

type TokenKind = "identifier" | "end" | ")" | "," | "!" | "==" | "=" | ">" | "in" | "<" | "!=" | "notin" | "(";
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const end: Token = { kind: "end", text: "" };

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [word = ""] of text.matchAll(/==|!=|[=!(),<>]|[^\s=!(),<>]+/g)) {
    const isKeyword = /^([=!(),<>]|==|!=|in|notin)$/.test(word);
    tokens.push({ kind: isKeyword ? (word as TokenKind) : "identifier", text: word });
  }
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next.kind === "end") return requirements;
      if (next.kind !== "identifier" && next.kind !== "!") {
        throw new SelectorError(`found '${next.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after.kind === "end") return requirements;
      if (after.kind !== ",") throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (following.kind !== "identifier" && following.kind !== "!") {
        throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  /** `in` and `notin` are words like others wherever no operator can stand. */
  #peek(operatorExpected = false): Token {
    const token = this.#tokens[this.#at] ?? end;
    return !operatorExpected && (token.kind === "in" || token.kind === "notin") ? { kind: "identifier", text: token.text } : token;
  }

  #take(operatorExpected = false): Token {
    const token = this.#peek(operatorExpected);
    this.#at++;
    return token;
  }

  #requirement(): Requirement {
    try {
      return this.#parseRequirement();
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #parseRequirement(): Requirement {
    let token = this.#take();
    const negated = token.kind === "!";
    if (negated) token = this.#take();
    if (token.kind !== "identifier") throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problems = qualifiedNameProblems(key);
    if (problems.length > 0) throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join("; ")}`);
    if (negated) return requirement(key, "!", []);
    const next = this.#peek();
    if (next.kind === "end" || next.kind === ",") return requirement(key, "exists", []);

    const operator = this.#take(true);
    switch (operator.kind) {
      case "in":
      case "notin":
        return requirement(key, operator.kind, this.#values());
      case "=":
      case "==":
      case "!=":
      case ">":
      case "<":
        return requirement(key, operator.kind, [this.#exactValue()]);
      default:
        throw new SelectorError(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.kind === "end" || next.kind === ",") return "";
    const token = this.#take();
    if (token.kind !== "identifier") throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  /** `(a, b)`; empty places are the empty value. */
  #values(): string[] {
    const open = this.#take();
    if (open.kind !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const values: string[] = [];
    let afterValue = false;
    for (;;) {
      const token = this.#take();
      if (token.kind === ")") {
        if (!afterValue) values.push("");
        return [...new Set(values)].sort();
      }
      if (token.kind === ",") {
        if (!afterValue) values.push("");
        afterValue = false;
      } else if (token.kind === "identifier" && !afterValue) {
        values.push(token.text);
        afterValue = true;
      } else {
        const expected = afterValue ? "',' or ')'" : values.length === 0 ? "',', ')' or identifier" : "',', or identifier";
        throw new SelectorError(`found '${token.text}', expected: ${expected}`);
      }
    }
  }
}

export interface FieldRequirement {
  /** Path as the client wrote it: `metadata.name`. */
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/**
 * @param text as in `fieldSelector=`; in values `\`, `,` and `=` stand behind a backslash
 * @throws {StatusError} BadRequest
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .sort()
    .filter((term) => term !== "")
    .map((term) => {
      const match = /^(.*?)(!=|==|=)(.*)$/su.exec(term);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = "", operator, value = ""] = match;
      return { field, operator: operator === "!=" ? ("!=" as const) : ("=" as const), value: unescapeValue(value) };
    })
    .filter(({ field, value }) => field !== "" || value !== "");
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function unescapeValue(text: string): string {
  let value = "";
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (letter === "\\") {
      const next = text.charAt(++i);
      if (!["\\", ",", "="].includes(next)) throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`);
      value += next;
    } else if (letter === "," || letter === "=") {
      throw badRequest(`invalid field selector: unescaped character in value: ${letter.charCodeAt(0)}`);
    } else value += letter;
  }
  return value;
}
