/**
 * Reads the Go structs behind the API types. OpenAPI says what a field is; only the structs say how it travels: its protobuf number
 * and the messages it is embedded in, whether it is a pointer (so that zero differs from absent), and whether JSON leaves zero out.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface GoField {
  /** JSON name */
  readonly name: string;
  /** Go's spelling of the type without the pointer, for example `[]v1.Container` */
  readonly goType: string;
  readonly type: GoType;
  readonly pointer: boolean;
  readonly omitEmpty: boolean;
  readonly omitZero: boolean;
  /** field numbers from the outermost message inwards; empty when the field has none */
  readonly numbers: readonly number[];
  /** Go names of the embedded structs that lead to the field */
  readonly embedded: readonly string[];
}

export type GoType =
  | { readonly is: "struct"; readonly id: string }
  | { readonly is: "scalar"; readonly scalar: string }
  | { readonly is: "list"; readonly of: GoType; readonly wrapped: boolean }
  | { readonly is: "map"; readonly of: GoType };

/** A struct that is a kind of its own: it embeds TypeMeta. */
export interface GoStruct {
  readonly id: string;
  readonly isKind: boolean;
  readonly fields: readonly GoField[];
}

interface Source {
  readonly imports: ReadonlyMap<string, string>;
  readonly text: string;
}
interface Declaration extends Source {
  readonly pkg: string;
}

const primitives = new Set(["string", "bool", "int", "int8", "int32", "int64", "uint32", "uint64", "float64", "byte"]);

export class GoTypes {
  readonly #moduleFolders = new Map<string, string>();
  readonly #packages = new Map<string, Map<string, Declaration>>();

  /** @param folders unpacked Go modules: each has a `go.mod` */
  constructor(folders: readonly string[]) {
    for (const folder of folders) {
      const name = /^module\s+(\S+)/m.exec(readFileSync(join(folder, "go.mod"), "utf8"))?.[1];
      if (!name) throw new Error(`${folder}/go.mod names no module`);
      this.#moduleFolders.set(name, folder);
    }
  }

  /** Import paths of the packages that have protobuf messages. */
  packages(): string[] {
    return [...this.#moduleFolders].flatMap(([name, folder]) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith("/generated.proto"))
        .map((file) => `${name}/${file.slice(0, -"/generated.proto".length)}`),
    );
  }

  /** OpenAPI ids of all structs of a package. */
  structIds(pkg: string): string[] {
    return [...this.#load(pkg)].filter(([, { text }]) => text.startsWith("struct")).map(([name]) => idOf(pkg, name));
  }

  /** The API group a package is registered for. */
  group(pkg: string): string | undefined {
    const folder = this.#folder(pkg);
    const file = folder && join(folder, "register.go");
    return file && existsSync(file) ? /GroupName\s*=\s*"([^"]*)"/.exec(readFileSync(file, "utf8"))?.[1] : undefined;
  }

  struct(id: string): GoStruct | undefined {
    const { pkg, name } = splitId(id);
    const declaration = this.#folder(pkg) ? this.#load(pkg).get(name) : undefined;
    if (!declaration?.text.startsWith("struct")) return undefined;
    const fields: GoField[] = [];
    const isKind = this.#collect(declaration, fields, [], []);
    return { id, isKind, fields };
  }

  #collect(declaration: Declaration, fields: GoField[], numbers: readonly number[], embedded: readonly string[]): boolean {
    let isKind = false;
    for (const line of declaration.text.split("\n")) {
      const match = /^\t(?:(\w+)\s+)?([\w.*[\]]+)\s+`([^`]*)`/.exec(line);
      if (!match) continue;
      const [, goName, spelled = "", tags = ""] = match;
      const json = /json:"([^"]*)"/.exec(tags)?.[1]?.split(",") ?? [];
      const number = /protobuf:"\w+,(\d+)/.exec(tags)?.[1];
      const path = number ? [...numbers, Number(number)] : [];
      const type = spelled.replace(/^\*/, "");
      if (json.includes("inline") || (goName === undefined && !json[0])) {
        const name = type.slice(type.indexOf(".") + 1);
        const inner = this.#resolve(type, declaration);
        const from = fields.length;
        if (inner) this.#collect(inner, fields, path, [...embedded, name]);
        if (name === "TypeMeta") {
          isKind = true;
          // The envelope carries apiVersion and kind; the message does not.
          fields.splice(from, Infinity, ...fields.slice(from).map((field) => ({ ...field, numbers: [] })));
        }
      } else if (json[0] && json[0] !== "-") {
        fields.push({
          name: json[0],
          goType: this.#spell(type, declaration),
          type: this.#type(type, declaration),
          pointer: spelled.startsWith("*"),
          omitEmpty: json.includes("omitempty"),
          omitZero: json.includes("omitzero"),
          numbers: path,
          embedded,
        });
      }
    }
    return isKind;
  }

  #type(spelled: string, at: Declaration): GoType {
    if (spelled === "[]byte") return { is: "scalar", scalar: "bytes" };
    if (spelled.startsWith("*")) return this.#type(spelled.slice(1), at);
    if (spelled.startsWith("[]")) return { is: "list", of: this.#type(spelled.slice(2), at), wrapped: false };
    const map = /^map\[[\w.]+\](.+)$/.exec(spelled);
    if (map?.[1]) return { is: "map", of: this.#type(map[1], at) };
    if (primitives.has(spelled)) return { is: "scalar", scalar: spelled };
    const named = this.#resolve(spelled, at);
    if (!named) throw new Error(`${at.pkg}: unknown Go type ${spelled}`);
    const name = spelled.slice(spelled.indexOf(".") + 1);
    if (named.text.startsWith("struct")) return { is: "struct", id: idOf(named.pkg, name) };
    const underlying = this.#type(named.text.trim(), named);
    // A named list is a message of its own: protobuf knows no `map<string, repeated string>`.
    return underlying.is === "list" && underlying.of.is === "scalar" ? { ...underlying, wrapped: true } : underlying;
  }

  /** As Go's reflection prints it: names carry the last part of their package. */
  #spell(spelled: string, at: Declaration): string {
    return spelled
      .replaceAll("[]byte", "[]uint8")
      .replaceAll(/(?<![\w.])([A-Z]\w*)/g, `${at.pkg.slice(at.pkg.lastIndexOf("/") + 1)}.$1`)
      .replaceAll(/(\w+)\.(\w+)/g, (_, alias: string, name: string) => {
        const imported = at.imports.get(alias);
        return `${imported ? imported.slice(imported.lastIndexOf("/") + 1) : alias}.${name}`;
      });
  }

  #resolve(spelled: string, at: Declaration): Declaration | undefined {
    const dot = spelled.indexOf(".");
    const pkg = dot < 0 ? at.pkg : at.imports.get(spelled.slice(0, dot));
    return pkg === undefined || !this.#folder(pkg) ? undefined : this.#load(pkg).get(spelled.slice(dot + 1));
  }

  #folder(pkg: string): string | undefined {
    for (const [name, folder] of this.#moduleFolders) {
      const inside = pkg.startsWith(`${name}/`) ? join(folder, pkg.slice(name.length + 1)) : undefined;
      if (inside && existsSync(inside)) return inside;
    }
    return undefined;
  }

  #load(pkg: string): Map<string, Declaration> {
    const known = this.#packages.get(pkg);
    if (known) return known;
    const found = new Map<string, Declaration>();
    this.#packages.set(pkg, found);
    const folder = this.#folder(pkg);
    if (!folder) return found;
    for (const file of readdirSync(folder)) {
      if (!file.endsWith(".go") || /_test\.go$|^zz_generated|^generated\.pb|swagger_doc/.test(file)) continue;
      const text = readFileSync(join(folder, file), "utf8").replaceAll(/^[\t ]*\/\/.*\n/gm, "");
      const imports = new Map<string, string>();
      for (const [, alias, path = ""] of text.matchAll(/^(?:import )?\t?(\w+ )?"([\w./-]+)"$/gm)) {
        imports.set(alias?.trim() ?? path.slice(path.lastIndexOf("/") + 1), path);
      }
      for (const [, name = "", body = ""] of text.matchAll(/^type (\w+) (struct \{\n[\s\S]*?^\}|[[\]\w.*]+)/gm)) {
        found.set(name, { pkg, imports, text: body });
      }
    }
    return found;
  }
}

const idOf = (pkg: string, name: string) => `${pkg.replace(/^k8s\.io\//, "io.k8s.").replaceAll("/", ".")}.${name}`;
const splitId = (id: string) => {
  const dot = id.lastIndexOf(".");
  return { pkg: `k8s.io/${id.slice("io.k8s.".length, dot).replaceAll(".", "/")}`, name: id.slice(dot + 1) };
};
