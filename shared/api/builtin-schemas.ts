/** Structure of the built-in kinds as schema nodes, made from the generated table when first asked for. */
import type { AnyNode, ListNode, MapNode, ObjectNode, ScalarType, SchemaNode } from "./schema.ts";
import type { FieldFacts, TypeFacts } from "./schema-table.ts";
import { hasType, typeFacts, typeGvk, typeNames } from "./type-table.ts";

const shapes = new Map<string, Shape>();
const roots = new Map<string, ObjectNode>();

/** What all nodes of one type share, whichever field they stand for. */
interface Shape {
  readonly fields: ReadonlyMap<string, SchemaNode>;
  readonly required: ReadonlySet<string>;
}

/**
 * The schema of a built-in type.
 * @param definition OpenAPI definition name: `io.k8s.api.apps.v1.Deployment`
 * @throws {RangeError} for a name that the generated table does not hold
 */
export function builtinSchema(definition: string): ObjectNode {
  let root = roots.get(definition);
  if (!root) {
    root = objectNode(definition, {});
    roots.set(definition, root);
  }
  return root;
}

/** Whether {@link builtinSchema} knows the type. */
export const hasBuiltinSchema = (definition: string): boolean => hasType(definition);

function factsOf(definition: string): TypeFacts {
  const type = typeFacts(definition);
  if (!type) throw new RangeError(`no built-in type ${definition}`);
  return type;
}

/** Fields are made on first use: types refer to each other in circles (JSONSchemaProps). */
function shapeOf(definition: string): Shape {
  let shape = shapes.get(definition);
  if (!shape) {
    const entries = Object.entries(factsOf(definition).f);
    shape = {
      fields: new Map(entries.map(([name, field]) => [name, fieldNode(name, field)])),
      required: new Set(entries.filter(([, field]) => field.r).map(([name]) => name)),
    };
    shapes.set(definition, shape);
  }
  return shape;
}

type FieldExtras = Pick<SchemaNode, "default" | "implicit" | "zero" | "goType" | "goPath">;

function objectNode(definition: string, field: Partial<FieldFacts>, extras: FieldExtras = {}): ObjectNode {
  const facts = factsOf(definition);
  let shape: Shape | undefined;
  return {
    type: "object",
    get fields() {
      return (shape ??= shapeOf(definition)).fields;
    },
    get required() {
      return (shape ??= shapeOf(definition)).required;
    },
    preserveUnknown: false,
    atomic: (field.mt ?? facts.mt) === "atomic",
    ...(field.ps?.includes("retainKeys") && { retainKeys: true }),
    ...extras,
    goType: extras.goType ?? goTypeOf(`@${definition}`),
  };
}

function fieldNode(name: string, field: FieldFacts): SchemaNode {
  const isStructure = field.t.startsWith("@") || field.t.startsWith("[]");
  // What Go keeps as it was sent is there even where it is an empty object.
  const isKept = field.p || field.t === "any";
  return typeNode(field.t, field, {
    ...(field.d !== undefined && { default: field.d }),
    ...(field.z && isStructure && { implicit: true }),
    ...(!isKept && { zero: field.z ? ("fill" as const) : ("drop" as const) }),
    goType: field.g ?? goTypeOf(field.t),
    ...(field.e && { goPath: [...field.e, name].join(".") }),
  });
}

function typeNode(type: string, field: Partial<FieldFacts>, extras: FieldExtras): SchemaNode {
  if (type.startsWith("@")) return objectNode(type.slice(1), field, extras);
  if (type.startsWith("[]")) return listNode(type.slice(2), field, extras);
  if (type.startsWith("{}")) return mapNode(type.slice(2), field, extras);
  if (type === "any") return { type: "any", ...extras };
  const either = eitherNodes[type];
  if (either) return { ...either(), ...extras };
  return { type: "scalar", scalar: type as ScalarType, ...extras };
}

function listNode(items: string, field: Partial<FieldFacts>, extras: FieldExtras): ListNode {
  return {
    type: "list",
    items: typeNode(items, field.ps?.includes("retainKeys") ? { ps: "retainKeys" } : {}, elementExtras(items, extras, "[]")),
    listType: field.lt ?? "atomic",
    listKeys: field.lk ?? [],
    patchMerge: field.ps?.includes("merge") ?? false,
    ...(field.pk && { patchMergeKey: field.pk }),
    ...extras,
  };
}

function mapNode(values: string, field: Partial<FieldFacts>, extras: FieldExtras): MapNode {
  return {
    type: "map",
    values: typeNode(values, {}, elementExtras(values, extras, "map[")),
    atomic: field.mt === "atomic",
    ...extras,
  };
}

/** Elements of `[]v1.Protocol` are `v1.Protocol`. */
function elementExtras(type: string, { goType = "" }: FieldExtras, prefix: "[]" | "map["): FieldExtras {
  const spelled = prefix === "[]" ? /^\[\](.+)$/.exec(goType)?.[1] : /^map\[[^\]]+\](.+)$/.exec(goType)?.[1];
  return { goType: spelled ?? goTypeOf(type) };
}

const goScalars: Readonly<Record<string, string>> = {
  boolean: "bool",
  number: "float64",
  bytes: "[]uint8",
  time: "v1.Time",
  microtime: "v1.MicroTime",
  quantity: "resource.Quantity",
  intOrString: "intstr.IntOrString",
};

/** `@io.k8s.api.core.v1.PodSpec` → `v1.PodSpec` */
function goTypeOf(type: string): string {
  if (type.startsWith("[]")) return `[]${goTypeOf(type.slice(2))}`;
  if (type.startsWith("{}")) return `map[string]${goTypeOf(type.slice(2))}`;
  if (type.startsWith("@")) return type.split(".").slice(-2).join(".");
  return goScalars[type] ?? type;
}

const jsonSchemaProps = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
const schema = (): ObjectNode => builtinSchema(jsonSchemaProps);
const eitherNodes: Readonly<Record<string, () => AnyNode>> = {
  schemaOrBool: () => ({
    type: "any",
    get object() {
      return schema();
    },
    elseBoolean: "boolean or JSON schema expected",
  }),
  schemaOrList: () => ({
    type: "any",
    get object() {
      return schema();
    },
    get items() {
      return schema();
    },
  }),
  schemaOrStrings: () => ({
    type: "any",
    get object() {
      return schema();
    },
    items: { type: "scalar", scalar: "string", goType: "string" },
  }),
};

/** `group/version/kind` → definition name, for every kind of the table. */
let definitionsByKind: Map<string, string> | undefined;

/** Options that may come under any group version. @see `AddToGroupVersion` in k8s.io/apimachinery/pkg/apis/meta/v1 */
const everywhere = new Set(["DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "GetOptions", "ListOptions", "WatchEvent"]);

/** The definition name of a built-in kind, `undefined` when there is none: `("apps/v1", "Deployment")`. */
export function definitionOf(apiVersion: string, kind: string): string | undefined {
  definitionsByKind ??= new Map(
    [...typeNames()].flatMap((name): [string, string][] => {
      const [group, version, kind] = typeGvk(name) ?? [];
      return kind === undefined ? [] : [[`${group ? `${group}/` : ""}${version}/${kind}`, name]];
    }),
  );
  return definitionsByKind.get(`${apiVersion}/${kind}`) ?? (everywhere.has(kind) ? definitionsByKind.get(`v1/${kind}`) : undefined);
}
