/** How functions are declared: by the signatures that the checker matches, each with what it does. */
import { type CelType, listOf, mapOf, optionalOf, paramOf, typeOf, types } from "./types.ts";

export interface Overload {
  /** CEL's identifier of the overload: costs depend on it. */
  readonly id: string;
  /** Called on its first argument: `text.size()`. */
  readonly isMethod: boolean;
  readonly params: readonly CelType[];
  readonly result: CelType;
  /** Names of type parameters in the signature. */
  readonly open: readonly string[];
  /** Gets values of the declared types, never an error; gives a value or an EvalError. */
  readonly call: (...args: any[]) => unknown;
  /** Looks at its arguments itself. */
  readonly isUnguarded?: boolean;
}

export interface Declaration {
  readonly name: string;
  readonly overload: Overload;
}

/** @param signature `(list<A>, int) A` */
export const fn = (name: string, id: string, signature: string, call: Overload["call"]): Declaration =>
  declare(name, id, signature, call, false);
export const method = (name: string, id: string, signature: string, call: Overload["call"]): Declaration =>
  declare(name, id, signature, call, true);

/** The same for a method that takes whatever comes at run time. */
export function unguarded({ name, overload }: Declaration): Declaration {
  return { name, overload: { ...overload, isUnguarded: true } };
}

function declare(name: string, id: string, signature: string, call: Overload["call"], isMethod: boolean): Declaration {
  const reader = new SignatureReader(signature);
  const params = reader.params();
  const result = reader.type();
  return { name, overload: { id, isMethod, params, result, open: [...reader.open], call } };
}

/** Kubernetes' own types. */
const objects: Readonly<Record<string, CelType>> = Object.fromEntries(
  ["kubernetes.Quantity", "kubernetes.URL", "kubernetes.Semver", "kubernetes.NamedFormat"].map((name) => [name, { kind: "object", name }]),
);
const opaque: Readonly<Record<string, CelType>> = Object.fromEntries(
  ["net.IP", "net.CIDR"].map((name) => [name, { kind: "opaque", name }]),
);

class SignatureReader {
  readonly open = new Set<string>();
  readonly #tokens: string[];

  constructor(text: string) {
    this.#tokens = text.match(/[\w.]+|[<>(),]/g) ?? [];
  }

  params(): CelType[] {
    this.#take("(");
    const params: CelType[] = [];
    while (this.#next() !== ")") {
      params.push(this.type());
      if (this.#next() === ",") this.#tokens.shift();
    }
    this.#take(")");
    return params;
  }

  type(): CelType {
    const name = this.#tokens.shift() ?? "";
    const params: CelType[] = [];
    if (this.#next() === "<") {
      this.#take("<");
      params.push(this.type());
      while (this.#next() === ",") {
        this.#take(",");
        params.push(this.type());
      }
      this.#take(">");
    }
    const [first = types.dyn, second = types.dyn] = params;
    switch (name) {
      case "list":
        return listOf(first);
      case "map":
        return mapOf(first, second);
      case "optional":
        return optionalOf(first);
      case "type":
        return typeOf(first);
      default:
        if (!/^[A-Z]$/.test(name)) return named(name);
        this.open.add(name);
        return paramOf(name);
    }
  }

  #next(): string {
    return this.#tokens[0] ?? "";
  }

  #take(token: string): void {
    if (this.#tokens.shift() !== token) throw new Error(`expected ${token}`);
  }
}

function named(name: string): CelType {
  const type = (types as Readonly<Record<string, CelType>>)[name] ?? objects[name] ?? opaque[name];
  if (type === undefined) throw new Error(`unknown type ${name}`);
  return type;
}
