/** CEL's types, and which of them fit where another is wanted. */

export interface CelType {
  readonly kind: Kind;
  /** Of objects, opaque types and parameters. */
  readonly name?: string;
  /** Element; key and value; what an optional holds; what a type is the type of. */
  readonly params?: readonly CelType[];
  /** Of objects: what a selection finds. Kubernetes' own objects (quantities, URLs) have none. */
  readonly fields?: ReadonlyMap<string, CelType>;
}

type Kind =
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "null"
  | "duration"
  | "timestamp"
  | "dyn"
  /** Of what did not check: fits everywhere, so that one mistake is reported once. */
  | "error"
  | "list"
  | "map"
  | "type"
  | "object"
  | "opaque"
  | "param";

const scalar = (kind: Kind): CelType => ({ kind });

export const types = {
  bool: scalar("bool"),
  int: scalar("int"),
  uint: scalar("uint"),
  double: scalar("double"),
  string: scalar("string"),
  bytes: scalar("bytes"),
  null: scalar("null"),
  duration: scalar("duration"),
  timestamp: scalar("timestamp"),
  dyn: scalar("dyn"),
  error: scalar("error"),
} as const;

export const listOf = (element: CelType): CelType => ({ kind: "list", params: [element] });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: "map", params: [key, value] });
export const optionalOf = (value: CelType): CelType => ({ kind: "opaque", name: "optional_type", params: [value] });
export const typeOf = (type: CelType): CelType => ({ kind: "type", params: [type] });
export const paramOf = (name: string): CelType => ({ kind: "param", name });

/** The n-th parameter of a type; `dyn` where it has none. */
export const paramAt = ({ params }: CelType, index: number): CelType => params?.[index] ?? types.dyn;

export const isOptional = ({ kind, name }: CelType): boolean => kind === "opaque" && name === "optional_type";
export const isDyn = ({ kind }: CelType): boolean => kind === "dyn" || kind === "error";

const shownNames: Readonly<Partial<Record<Kind, string>>> = {
  null: "null",
  error: "!error!",
};

/** The type as messages show it: `map(string, list(int))`. */
export function showType(type: CelType): string {
  const { kind, name, params = [] } = type;
  const base = name ?? shownNames[kind] ?? kind;
  return params.length === 0 ? base : `${base}(${params.map(showType).join(", ")})`;
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name) return false;
  const left = a.params ?? [];
  const right = b.params ?? [];
  return left.length === right.length && left.every((param, index) => sameType(param, right[index] as CelType));
}

/** What type parameters stand for. Never changed: a failed attempt leaves no trace. */
export type Bindings = ReadonlyMap<string, CelType>;

/** The type with its parameters replaced; @param close what is left open becomes `dyn` */
export function substitute(bindings: Bindings, type: CelType, close = false): CelType {
  if (type.kind === "param") {
    const bound = bindings.get(type.name ?? "");
    if (bound !== undefined) return substitute(bindings, bound, close);
    return close ? types.dyn : type;
  }
  if (type.params === undefined) return type;
  return { ...type, params: type.params.map((param) => substitute(bindings, param, close)) };
}

const nullable: ReadonlySet<Kind> = new Set(["null", "object", "opaque", "duration", "timestamp"]);

/** The bindings under which a value of type `given` fits where `wanted` is declared; undefined: under none. */
export function assign(bindings: Bindings, wanted: CelType, given: CelType): Bindings | undefined {
  if (wanted.kind === "param") {
    const result = bind(bindings, wanted, given);
    if (result !== null) return result;
  }
  if (given.kind === "param") {
    const result = bind(bindings, given, wanted);
    return result === null ? undefined : result;
  }
  if (wanted.kind === "param") return undefined;
  if (isDyn(wanted) || isDyn(given)) return bindings;
  if (wanted.kind === "null") return nullable.has(given.kind) ? bindings : undefined;
  if (given.kind === "null") return nullable.has(wanted.kind) ? bindings : undefined;
  if (wanted.kind !== given.kind || wanted.name !== given.name) return undefined;
  if (wanted.kind === "type") return bindings;
  return assignAll(bindings, wanted.params ?? [], given.params ?? []);
}

export function assignAll(bindings: Bindings, wanted: readonly CelType[], given: readonly CelType[]): Bindings | undefined {
  if (wanted.length !== given.length) return undefined;
  let result: Bindings | undefined = bindings;
  for (const [index, type] of wanted.entries()) {
    result = assign(result, type, given[index] as CelType);
    if (result === undefined) return undefined;
  }
  return result;
}

/** Binds a parameter; undefined: it cannot stand for that; null: it might, but the other side has to be asked. */
function bind(bindings: Bindings, param: CelType, type: CelType): Bindings | undefined | null {
  const name = param.name ?? "";
  if (type.kind === "param" && type.name === name) return bindings;
  const bound = bindings.get(name);
  if (bound !== undefined) {
    const result = assign(bindings, bound, type);
    if (result === undefined) return null;
    const actual = substitute(bindings, bound);
    // What was concrete so far has to make room for anything.
    if (actual.kind !== "param" && isMoreGeneral(type, actual)) return new Map(result).set(name, type);
    return result;
  }
  return mentions(bindings, name, type) ? undefined : new Map(bindings).set(name, type);
}

/** A type may not stand for something that it is part of. */
function mentions(bindings: Bindings, name: string, type: CelType): boolean {
  if (type.kind === "param") {
    if (type.name === name) return true;
    const bound = bindings.get(type.name ?? "");
    return bound !== undefined && mentions(bindings, name, bound);
  }
  return (type.params ?? []).some((param) => mentions(bindings, name, param));
}

/** Whether every value of `b` is one of `a`, as far as `dyn` and null are concerned. */
export function isMoreGeneral(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (b.kind === "null") return nullable.has(a.kind);
  if (a.kind !== b.kind || a.name !== b.name) return false;
  const left = a.params ?? [];
  const right = b.params ?? [];
  return left.length === right.length && left.every((param, index) => isMoreGeneral(param, right[index] as CelType));
}
