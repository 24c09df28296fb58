/** Types of data that a structural schema describes, with how large it may grow. @see k8s.io/apiserver/pkg/cel/common */
import { type Structural, withResourceFields } from "../structural.ts";
import { escapeName } from "./field-names.ts";
import { type CelType, listOf, mapOf, types } from "./types.ts";

export interface Declared {
  readonly type: CelType;
  /** Characters of a text, elements of a list, entries of a map: at most so many. */
  readonly most: number;
  /** Bytes of JSON, at least so many. */
  readonly least: number;
  readonly key?: Declared;
  /** Of lists and maps. */
  readonly element?: Declared;
  /** By the names that expressions use. */
  readonly fields?: ReadonlyMap<string, Declared>;
}

/** What one request can carry, in bytes. */
export const maxRequestBytes = 3 * 1024 * 1024;
/** A quoted text that may be as long as a request. */
const longestText = maxRequestBytes - 2;

/** Numbers, booleans and objects have no size of their own. */
const simple = (type: CelType, least: number, most = 0): Declared => ({ type, least, most });
const notNegative = (value: number): number => Math.max(value, 0);

/**
 * Undefined for what no rule can see: values without a type.
 * @param name of the type, where it is an object: messages show it
 */
export function declare(given: Structural, isResource: boolean, name = "selfType"): Declared | undefined {
  if (given["x-kubernetes-int-or-string"]) {
    return simple(types.dyn, 1, given.maxLength === undefined ? longestText : notNegative(given.maxLength) * 4);
  }
  const schema = isResource ? withResourceFields(given) : given;
  switch (schema.type) {
    case "array":
      return declareList(schema, name);
    case "object":
      return declareObject(schema, name);
    case "string":
      return declareText(schema);
    case "boolean":
      return simple(types.bool, 4);
    case "number":
      return simple(types.double, 1);
    case "integer":
      return simple(types.int, 1);
    default:
      return undefined;
  }
}

const isResource = (schema: Structural): boolean => schema["x-kubernetes-embedded-resource"] ?? false;

function declareList({ items, maxItems }: Structural, name: string): Declared | undefined {
  const element = items && declare(items, isResource(items), `${name}.@idx`);
  if (element === undefined) return undefined;
  const most = maxItems === undefined ? Math.floor((maxRequestBytes - 2) / (element.least + 1)) : notNegative(maxItems);
  return { type: listOf(element.type), least: 2, most, element };
}

function declareObject(schema: Structural, name: string): Declared | undefined {
  const { additionalProperties } = schema;
  if (typeof additionalProperties !== "object") return declareFields(schema, name);
  const element = declare(additionalProperties, isResource(additionalProperties), `${name}.@elem`);
  if (element === undefined) return undefined;
  const { maxProperties } = schema;
  // A key in quotes, a colon and a comma stand beside each value.
  const most = maxProperties === undefined ? Math.floor((maxRequestBytes - 2) / (element.least + 6)) : notNegative(maxProperties);
  return { type: mapOf(types.string, element.type), least: 2, most, element, key: simple(types.string, 2) };
}

function declareFields({ properties = {}, required = [] }: Structural, typeName: string): Declared {
  const fields = new Map<string, Declared>();
  let least = 2;
  for (const [name, property] of Object.entries(properties)) {
    const field = declare(property, isResource(property), `${typeName}.${escapeName(name) ?? name}`);
    if (field === undefined) continue;
    const escaped = escapeName(name);
    if (escaped !== undefined) fields.set(escaped, field);
    if (required.includes(name) && property.default === undefined) least += Buffer.byteLength(name) + field.least + 4;
  }
  const visible = new Map([...fields].map(([name, { type }]) => [name, type]));
  return { type: { kind: "object", name: typeName, fields: visible }, least, most: 0, fields };
}

function declareText({ format, maxLength, enum: values = [] }: Structural): Declared {
  switch (format) {
    case "byte":
      return simple(types.bytes, 2, maxLength === undefined ? longestText : notNegative(maxLength));
    case "duration":
      return simple(types.duration, 3, 32);
    case "date":
      return simple(types.timestamp, 12, 12);
    case "date-time":
      return simple(types.timestamp, 21, 32);
    default:
      if (maxLength !== undefined) return simple(types.string, 2, notNegative(maxLength) * 4);
      if (values.length === 0) return simple(types.string, 2, longestText);
      return simple(types.string, 2, Math.max(...values.map((value) => (typeof value === "string" ? Buffer.byteLength(value) : 0))));
  }
}
