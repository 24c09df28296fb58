/** Renders the schema table as TypeScript types. */
import type { SchemaTable } from "../../shared/api/schema-table.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** Types whose hand-written twin in `objects.ts` says more (what the server always sets). */
const handWritten = new Set([`${meta}ObjectMeta`, `${meta}ListMeta`, `${meta}OwnerReference`, `${meta}Status`, `${meta}WatchEvent`]);

export function renderTypes(schemas: SchemaTable): string {
  const names = nameTypes(Object.keys(schemas));
  const imports = [...handWritten].map((id) => id.slice(meta.length)).filter((name) => name !== "WatchEvent" && name !== "Status");
  const lines = [
    'import type { Status } from "../../errors/status-error.ts";',
    `import type { ${imports.toSorted().join(", ")} } from "../objects.ts";\n`,
  ];
  for (const [id, type] of Object.entries(schemas)) {
    if (handWritten.has(id)) continue;
    const isObject = type.gvk !== undefined && type.f.metadata?.t === `@${meta}ObjectMeta`;
    const fields = Object.entries(type.f).map(([name, field]) => {
      const required =
        field.r ||
        (isObject && ["apiVersion", "kind", "metadata", "spec"].includes(name)) ||
        (type.gvk && ["apiVersion", "kind"].includes(name));
      const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
      return `  ${key}${required ? "" : "?"}: ${tsType(field.t, names)}${required ? "" : " | undefined"};`;
    });
    lines.push(
      fields.length > 0
        ? `export interface ${names.get(id)} {\n${fields.join("\n")}\n}\n`
        : `export type ${names.get(id)} = Record<string, never>;\n`,
    );
  }
  return lines.join("\n");
}

function tsType(type: string, names: ReadonlyMap<string, string>): string {
  if (type.startsWith("[]")) return `${wrap(tsType(type.slice(2), names))}[]`;
  if (type.startsWith("{}")) return `Record<string, ${tsType(type.slice(2), names)}>`;
  if (type.startsWith("@")) return names.get(type.slice(1)) ?? "unknown";
  switch (type) {
    case "int32":
    case "int64":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "intOrString":
      return "number | string";
    case "any":
    case "schemaOrBool":
    case "schemaOrList":
    case "schemaOrStrings":
      return "unknown";
    default:
      return "string";
  }
}
const wrap = (type: string) => (type.includes("|") ? `(${type})` : type);

/** Short names; where two groups share one, core keeps it and the others are prefixed by group (and version). */
function nameTypes(ids: readonly string[]): Map<string, string> {
  const byShort = Map.groupBy(ids, (id) => id.slice(id.lastIndexOf(".") + 1));
  const names = new Map<string, string>();
  for (const [short, group] of byShort) {
    const owner =
      group.find((id) => id.startsWith(meta)) ??
      group.find((id) => id.includes(".core.v1.")) ??
      (group.length === 1 ? group[0] : undefined);
    for (const id of group) {
      const parts = id.split(".");
      const prefix = `${capital(parts.at(-3) ?? "")}${group.filter((other) => other.split(".").at(-3) === parts.at(-3)).length > 1 ? capital(parts.at(-2) ?? "") : ""}`;
      names.set(id, id === owner ? short : `${prefix}${short}`);
    }
  }
  return names;
}
const capital = (text: string) =>
  text.charAt(0).toUpperCase() + text.slice(1).replaceAll(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
