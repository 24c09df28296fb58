/**
 * YAML as a Kubernetes API server reads it: syntax by the `yaml` package, scalars by the rules of YAML 1.1 as sigs.k8s.io/yaml applies
 * them (`0644` is 420, `yes` is true, dates stay text), the result being JSON.
 */
import "./base.ts";
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { maxJsonDepth, parseJson, type RawJson } from "./json.ts";

export interface ParsedYaml {
  readonly value: unknown;
  /** A problem, in Kubernetes' words, for every repeated key (the last one counts): `line 9: key "foo" already set in map`. */
  readonly duplicates: string[];
}

/**
 * Reads the first document of the text; an empty one is null.
 * @throws {SyntaxError} for what is no YAML, no JSON afterwards (`.inf`, lists as keys), or expands aliases beyond measure
 */
export function parseYaml(text: string): ParsedYaml {
  // Clients send JSON under a YAML content type (server-side apply does); the JSON parser is a hundred times faster.
  const json = text.startsWith("{") ? asPlainJson(text) : undefined;
  if (json) return json;
  if (bracketDepth(text) > maxBracketDepth) throw new SyntaxError(`yaml: exceeded max depth of ${maxJsonDepth}`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      version: "1.1",
      // Every plain scalar stays text: resolving it is this file's work.
      schema: "failsafe",
      resolveKnownTags: false,
      uniqueKeys: false,
      merge: false,
      strict: false,
      prettyErrors: false,
      logLevel: "silent",
      lineCounter: lines,
    });
    const problem = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
    if (problem) throw new SyntaxError(`yaml: line ${lines.linePos(problem.pos[0]).line}: ${problem.message}`);
    const builder = new JsonBuilder(document.contents, lines);
    return { value: builder.build(), duplicates: builder.duplicates };
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError(`yaml: exceeded max depth of ${maxJsonDepth}`, { cause: error });
    throw error;
  }
}

/** More open brackets than this are no document, even where most of them stand in strings: the parser would take seconds to find out. */
const maxBracketDepth = 10 * maxJsonDepth;

/** How many brackets are open at most, whatever they mean where they stand. */
function bracketDepth(text: string): number {
  let level = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 123 /* { */ || code === 91 /* [ */) depth = Math.max(depth, ++level);
    else if (code === 125 /* } */ || code === 93 /* ] */) level--;
  }
  return depth;
}

/** JSON is YAML, except that duplicates are reported by line and numbers resolve differently in rare cases: those take the long way. */
function asPlainJson(text: string): ParsedYaml | undefined {
  try {
    const { value, duplicates } = parseJson(text);
    return duplicates.length === 0 && !holdsRawNumbers(value) ? { value, duplicates } : undefined;
  } catch {
    return undefined;
  }
}

const holdsRawNumbers = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (JSON.isRawJSON(value) || Object.values(value).some(holdsRawNumbers));

/** How much of a document may come from aliases: nearly all of a small one, a tenth of a huge one. */
const smallDocument = 400_000;
const hugeDocument = 4_000_000;
const allowedAliasShare = (nodes: number): number =>
  nodes <= smallDocument ? 0.99 : nodes >= hugeDocument ? 0.1 : 0.99 - (0.89 * (nodes - smallDocument)) / (hugeDocument - smallDocument);

class JsonBuilder {
  readonly duplicates: string[] = [];
  readonly #root: ParsedNode | null;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #open = new Set<ParsedNode>();
  #nodes = 0;
  #aliasedNodes = 0;
  #aliasDepth = 0;
  #depth = 0;

  constructor(root: ParsedNode | null, lines: LineCounter) {
    this.#root = root;
    this.#lines = lines;
  }

  build(): unknown {
    return this.#value(this.#root);
  }

  #line(node: ParsedNode | null): number {
    return this.#lines.linePos(node?.range[0] ?? 0).line;
  }

  #fail(node: ParsedNode | null, why: string): never {
    throw new SyntaxError(`yaml: line ${this.#line(node)}: ${why}`);
  }

  #value(node: ParsedNode | null): unknown {
    this.#nodes++;
    if (this.#aliasDepth > 0) this.#aliasedNodes++;
    if (this.#aliasedNodes > 100 && this.#nodes > 1000 && this.#aliasedNodes / this.#nodes > allowedAliasShare(this.#nodes)) {
      throw new SyntaxError("yaml: document contains excessive aliasing");
    }
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node);
    if (node.anchor) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    if (++this.#depth > maxJsonDepth) throw new SyntaxError(`yaml: exceeded max depth of ${maxJsonDepth}`);
    this.#open.add(node);
    let value: unknown;
    if (isSeq(node)) {
      value = node.items.map((item) => this.#value(item as ParsedNode | null));
    } else {
      const entries = new Map<string, unknown>();
      this.#fill(node, entries);
      // Go marshals maps with sorted keys, and problems of the body are reported in that order.
      value = Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    }
    this.#open.delete(node);
    this.#depth--;
    return value;
  }

  #alias(node: Alias.Parsed): unknown {
    const target = this.#target(node);
    this.#aliasDepth++;
    const value = this.#value(target);
    this.#aliasDepth--;
    return value;
  }

  #target(node: Alias.Parsed): ParsedNode {
    const target = this.#anchors.get(node.source);
    if (!target) this.#fail(node, `unknown anchor '${node.source}' referenced`);
    if (this.#open.has(target)) this.#fail(node, `anchor '${node.source}' value contains itself`);
    return target;
  }

  #fill(map: YAMLMap.Parsed, entries: Map<string, unknown>): void {
    for (const { key, value } of map.items) {
      if (isScalar(key) && key.source === "<<" && (key.type === "PLAIN" || key.tag?.endsWith("merge"))) {
        this.#merge(value, entries);
        continue;
      }
      const { name, shown } = this.#key(key);
      if (entries.has(name)) this.duplicates.push(`line ${this.#line(value ?? key)}: key ${shown} already set in map`);
      entries.set(name, this.#value(value));
    }
  }

  #merge(node: ParsedNode | null, entries: Map<string, unknown>): void {
    const sources = isSeq(node) ? node.items.toReversed() : [node];
    for (const source of sources as (ParsedNode | null)[]) {
      const isReference = isAlias(source);
      const map = isReference ? this.#target(source) : source;
      if (!isMap(map)) this.#fail(node, "map merge requires map or sequence of maps as the value");
      if (isReference) this.#aliasDepth++;
      this.#fill(map, entries);
      if (isReference) this.#aliasDepth--;
    }
  }

  /** Keys that are numbers or booleans become text. */
  #key(node: ParsedNode): { readonly name: string; readonly shown: string } {
    const key = this.#value(node);
    if (typeof key === "string") return { name: key, shown: JSON.stringify(key) };
    const name = JSON.isRawJSON(key) ? key.rawJSON : typeof key === "boolean" || typeof key === "number" ? String(key) : undefined;
    if (name !== undefined) return { name, shown: name };
    return this.#fail(node, `unsupported map key: ${JSON.stringify(key)}`);
  }

  #scalar(node: Scalar.Parsed): unknown {
    const text = typeof node.value === "string" ? node.value : node.source;
    if (!node.tag && node.type !== "PLAIN") return text;
    const tag = node.tag?.replace(/^tag:yaml\.org,2002:/, "!!");
    if (tag === "!!binary") return this.#binary(node, text);
    // Tags of applications mean nothing here.
    if (tag === "!!str" || (tag && !["!!bool", "!!int", "!!float", "!!null", "!!timestamp"].includes(tag))) return text;
    const { tag: found, value } = resolveScalar(text);
    if (tag && tag !== found && !(tag === "!!float" && found === "!!int"))
      this.#fail(node, `cannot decode ${found} \`${text}\` as a ${tag}`);
    if (typeof value === "number" && !Number.isFinite(value)) throw new SyntaxError(`json: unsupported value: ${text}`);
    return value;
  }

  #binary(node: ParsedNode, text: string): string {
    const compact = text.replaceAll(/[\r\n]/g, "");
    if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
      this.#fail(node, "!!binary value contains invalid base64 data");
    return Buffer.from(compact, "base64").toString("utf8");
  }
}

type Resolved = { readonly tag: string; readonly value: string | number | boolean | null | RawJson };

const words = new Map<string, Resolved>(
  (
    [
      [true, "!!bool", "y Y yes Yes YES true True TRUE on On ON"],
      [false, "!!bool", "n N no No NO false False FALSE off Off OFF"],
      [null, "!!null", " ~ null Null NULL"],
      [Number.NaN, "!!float", ".nan .NaN .NAN"],
      [Infinity, "!!float", ".inf .Inf .INF +.inf +.Inf +.INF"],
      [-Infinity, "!!float", "-.inf -.Inf -.INF"],
    ] as const
  ).flatMap(([value, tag, texts]) => texts.split(" ").map((text): [string, Resolved] => [text, { tag, value }])),
);

const maxUint64 = 2n ** 64n - 1n;
const minInt64 = -(2n ** 63n);

/** What a plain scalar means. Everything that is nothing else is a string. */
function resolveScalar(text: string): Resolved {
  const word = words.get(text);
  if (word) return word;
  if (isTimestamp(text)) return { tag: "!!timestamp", value: text };
  if (!/^[-+.]?\.?\d/.test(text)) return { tag: "!!str", value: text };

  const plain = text.replaceAll("_", "");
  const integer = parseInteger(plain);
  if (integer !== undefined && integer >= minInt64 && integer <= maxUint64) {
    const value = Number(integer);
    return { tag: "!!int", value: Number.isSafeInteger(value) ? value : JSON.rawJSON(String(integer)) };
  }
  if (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain)) {
    const value = Number(plain);
    if (Number.isFinite(value)) return { tag: "!!float", value: Object.is(value, -0) ? JSON.rawJSON("-0") : value };
  }
  return { tag: "!!str", value: text };
}

/** Integers in Go's notations: `0x1f`, `0o17`, `017`, `0b11`, `42`, each with a sign. */
function parseInteger(text: string): bigint | undefined {
  const match = /^([-+]?)(?:(0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)|0([0-7]+)|(0|[1-9]\d*))$/.exec(text);
  if (!match) return undefined;
  const [, sign, prefixed, octal, decimal] = match;
  const magnitude = BigInt(prefixed ?? (octal === undefined ? (decimal ?? "0") : `0o${octal}`));
  // Only values up to 2^63 may carry a sign.
  if (sign && magnitude > -minInt64) return undefined;
  if (sign === "+" && magnitude === -minInt64) return undefined;
  return sign === "-" ? -magnitude : magnitude;
}

/** Dates stay text, but an explicit tag asks whether the text is one. */
const isTimestamp = (text: string): boolean =>
  /^\d{4}-\d{1,2}-\d{1,2}([Tt]\d{1,2}:\d{1,2}:\d{1,2}([.,]\d+)?(Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}([.,]\d+)?)?$/.test(text);
