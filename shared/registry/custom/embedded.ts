/** Objects inside of objects (`x-kubernetes-embedded-resource`): they have a type, and metadata that is checked as every object's is. */
import { DecodeError, decodeObject, jsonType } from "../../api/codec.ts";
import type { Problem } from "../../api/kind.ts";
import { dns1035LabelProblems } from "../../api/names.ts";
import type { JsonObject } from "../../api/objects.ts";
import type { Structural } from "../../api/structural.ts";
import { validateEmbeddedMetadata } from "../../api/validation/metadata.ts";
import { invalid, required } from "../../api/validation/problems.ts";
import { isObject } from "../values.ts";
import { metadataSchema } from "./schema.ts";

const isEmbedded = (schema: Structural): boolean => schema["x-kubernetes-embedded-resource"] ?? false;

/** Calls for every embedded resource below a value, outermost first. */
function eachEmbedded(value: unknown, schema: Structural, path: string, visit: (resource: JsonObject, path: string) => void): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) for (const [index, item] of value.entries()) eachEmbedded(item, items, `${path}[${index}]`, visit);
    return;
  }
  if (!isObject(value)) return;
  if (isEmbedded(schema)) visit(value, path);
  const { properties = {}, additionalProperties } = schema;
  for (const [name, part] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) {
      eachEmbedded(part, properties[name] as Structural, path === "" ? name : `${path}.${name}`, visit);
    } else if (typeof additionalProperties === "object") eachEmbedded(part, additionalProperties, `${path}[${name}]`, visit);
  }
}

/**
 * Drops what metadata does not have, in place.
 * @returns the paths of what was dropped
 * @throws {DecodeError} where there is no type or metadata to speak of
 */
export function decodeEmbedded(value: JsonObject, schema: Structural): string[] {
  const dropped: string[] = [];
  eachEmbedded(value, schema, "", (resource, path) => {
    for (const name of ["apiVersion", "kind"]) {
      const text = resource[name];
      if (text !== undefined && typeof text !== "string") throw refused(invalid(`${path}.${name}`, text, "must be a string"));
    }
    // Go makes empty metadata of null.
    if (resource.metadata === null) resource.metadata = {};
    dropped.push(...decodeMetadata(resource, path));
  });
  return dropped;
}

/** As {@link decodeEmbedded}, of what is stored: what nobody would let in now is left as it is. */
export function pruneEmbedded(value: JsonObject, schema: Structural): void {
  eachEmbedded(value, schema, "", (resource, path) => {
    try {
      decodeMetadata(resource, path);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  });
}

function decodeMetadata(resource: JsonObject, path: string): string[] {
  const { metadata } = resource;
  if (metadata === undefined) return [];
  const at = `${path}.metadata`;
  if (!isObject(metadata))
    throw refused(invalid(at, metadata, `json: cannot unmarshal ${jsonType(metadata)} into Go value of type v1.ObjectMeta`));
  try {
    const { object, unknownFields } = decodeObject(metadataSchema(), metadata);
    resource.metadata = object;
    return unknownFields.map((field) => `${at}.${field}`);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw refused(invalid(at, metadata, error.message));
  }
}

const refused = ({ field, message }: Problem): DecodeError => new DecodeError(`${field}: ${message}`);

export function embeddedProblems(value: unknown, schema: Structural, path = ""): Problem[] {
  const problems: Problem[] = [];
  eachEmbedded(value, schema, path, (resource, at) => problems.push(...resourceProblems(resource, at)));
  return problems;
}

function resourceProblems(resource: JsonObject, path: string): Problem[] {
  const { apiVersion, kind, metadata } = resource;
  return [
    ...textProblems(apiVersion, `${path}.apiVersion`, versionProblems),
    ...textProblems(kind, `${path}.kind`, (text) => {
      const problems = dns1035LabelProblems(text.toLowerCase());
      return problems.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${problems.join(",")}`];
    }),
    ...(metadata === undefined ? [] : metadataProblems(metadata, `${path}.metadata`)),
  ];
}

function textProblems(value: unknown, path: string, check: (text: string) => readonly string[]): Problem[] {
  if (value === undefined) return [required(path)];
  if (typeof value !== "string") return [invalid(path, value, "must be a string")];
  if (value === "") return [invalid(path, value, "must not be empty")];
  return check(value).map((problem) => invalid(path, value, problem));
}

const versionProblems = (text: string): string[] => (text.split("/").length > 2 ? [`unexpected GroupVersion string: ${text}`] : []);

function metadataProblems(metadata: unknown, path: string): Problem[] {
  if (!isObject(metadata))
    return [invalid(path, metadata, `json: cannot unmarshal ${jsonType(metadata)} into Go value of type v1.ObjectMeta`)];
  try {
    const { object } = decodeObject(metadataSchema(), metadata);
    return validateEmbeddedMetadata(object, path);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [invalid(path, metadata, error.message)];
  }
}
