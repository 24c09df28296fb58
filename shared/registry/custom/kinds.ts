/** Kinds made from a CustomResourceDefinition: one for each served version. */
import "../../api/base.ts";
import { compareVersions } from "../../api/api-versions.ts";
import { DecodeError, decodeObject, jsonType } from "../../api/codec.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../../api/generated/types.ts";
import {
  type AnyObject,
  apiVersionOf,
  type Kind,
  type KindBehaviour,
  type KindCodec,
  type Problem,
  type Subresource,
} from "../../api/kind.ts";
import { qualifiedNameProblems } from "../../api/names.ts";
import type { JsonObject } from "../../api/objects.ts";
import type { Structural } from "../../api/structural.ts";
import { quote } from "../../api/validation/problems.ts";
import type { Stored } from "../../store/store.ts";
import { JsonPathError, parseJsonPath } from "../json-path.ts";
import { clone, isObject, show } from "../values.ts";
import { columnsOf } from "./columns.ts";
import { inside } from "./default-problems.ts";
import { setDefaults } from "./defaults.ts";
import { decodeEmbedded, embeddedProblems, pruneEmbedded } from "./embedded.ts";
import { loadEngine } from "./engine.ts";
import { listProblems } from "./lists.ts";
import { prune } from "./prune.ts";
import { hasRules, ruleProblems } from "./rules.ts";
import { scaleMapping, scaleProblems, scaleStatusProblems } from "./scale.ts";
import { metadataSchema, resourceNode, typeFields } from "./schema.ts";
import { validateValue } from "./validate.ts";

const made = new WeakMap<Stored, readonly Kind[]>();

/** The kinds of a stored definition; none until its names are accepted and it is established. The same objects every time. */
export function customKinds(definition: Stored): readonly Kind[] {
  let kinds = made.get(definition);
  if (kinds === undefined) made.set(definition, (kinds = kindsOf(definition.value as unknown as CustomResourceDefinition)));
  return kinds;
}

export const isEstablished = ({ status }: CustomResourceDefinition): boolean => hasCondition(status?.conditions, "Established");

const hasCondition = (conditions: readonly { readonly type: string; readonly status: string }[] = [], wanted: string): boolean =>
  conditions.some(({ type, status }) => type === wanted && status === "True");

function kindsOf(definition: CustomResourceDefinition): Kind[] {
  if (!isEstablished(definition)) return [];
  return definition.spec.versions.filter(({ served }) => served).map((version) => kindOf(definition, version));
}

/** Upstream's order, which discovery shows. */
const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/** What discovery goes on to say of the objects of a definition that is going. */
const lastVerbs = ["delete", "deletecollection", "get", "list", "watch"];

function kindOf({ spec, status, metadata }: CustomResourceDefinition, version: CustomResourceDefinitionVersion): Kind {
  const names = status?.acceptedNames ?? spec.names;
  const isGoing = metadata.deletionTimestamp !== undefined;
  const own = { group: spec.group, version: version.name };
  const stored = spec.versions.find(({ storage }) => storage)?.name ?? version.name;
  const schema = spec.preserveUnknownFields ? undefined : (version.schema?.openAPIV3Schema as Structural | undefined);
  return {
    ...own,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    namespaced: spec.scope === "Namespaced",
    verbs: isGoing ? lastVerbs : verbs,
    ...(isGoing && { isGoing }),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    subresources: subresourcesOf(own, names.kind, version),
    storage: `${names.plural}.${spec.group}`,
    storageVersion: apiVersionOf({ group: spec.group, version: stored }),
    convertsByWebhook: spec.conversion?.strategy === "Webhook",
    schema: resourceNode(schema),
    ...(schema && { publishedSchema: schema }),
    ...(version.deprecated && { deprecation: deprecation(spec, version) }),
    definition: `${spec.group.split(".").toReversed().join(".")}.${version.name}.${names.kind}`,
    custom: true,
    behaviour: behaviourOf(spec, version, schema) as KindBehaviour<any>,
    codec: codecOf(schema, ({ apiVersion }) => {
      const written = spec.versions.find(({ name }) => apiVersion === apiVersionOf({ group: spec.group, version: name }));
      return (written?.schema?.openAPIV3Schema as Structural | undefined) ?? schema;
    }),
    prepareWrites: loadEngine,
  };
}

function subresourcesOf(
  own: { group: string; version: string },
  kind: string,
  { subresources = {} }: CustomResourceDefinitionVersion,
): Subresource[] {
  const verbs = ["get", "patch", "update"];
  return [
    ...(subresources.status ? [{ ...own, name: "status", kind, verbs }] : []),
    ...(subresources.scale ? [{ group: "autoscaling", version: "v1", name: "scale", kind: "Scale", verbs }] : []),
  ];
}

/** @param schemaOf the schema of the version that a stored object is written in */
function codecOf(schema: Structural | undefined, schemaOf: (stored: JsonObject) => Structural | undefined): KindCodec {
  const pruned = (object: JsonObject): string[] =>
    schema === undefined ? [] : [...prune(object, schema).toSorted(), ...decodeEmbedded(object, schema)];
  return {
    decode: (body) => {
      const object = clone(body);
      const metadata = decodeObject(metadataSchema(), metadataOf(body));
      object.metadata = metadata.object;
      return { object, unknownFields: [...metadata.unknownFields.map((field) => `metadata.${field}`), ...pruned(object)] };
    },
    read: (stored) => {
      if (schema === undefined) return stored;
      const object = clone(stored);
      const written = schemaOf(stored) ?? schema;
      for (const one of new Set([written, schema])) {
        prune(object, one);
        pruneEmbedded(object, one);
        if (one === written) setDefaults(object, one);
      }
      return object;
    },
  };
}

/** @throws {DecodeError} when it is no object */
function metadataOf({ metadata }: JsonObject): JsonObject {
  if (metadata === undefined || metadata === null) return {};
  if (isObject(metadata)) return metadata;
  throw new DecodeError(`json: cannot unmarshal ${jsonType(metadata)} into Go value of type v1.ObjectMeta`);
}

function behaviourOf(
  spec: CustomResourceDefinition["spec"],
  version: CustomResourceDefinitionVersion,
  schema: Structural | undefined,
): KindBehaviour<AnyObject> {
  const hasStatus = version.subresources?.status !== undefined;
  const columns = version.additionalPrinterColumns;
  const scale = version.subresources?.scale;
  const check = (next: AnyObject, previous?: AnyObject) => {
    const unscalable = scale ? scaleProblems(next, scale) : [];
    if (schema === undefined) return unscalable;
    return resourceProblems(next, previous, schema, unscalable);
  };
  return {
    ...(schema && { defaults: (object) => setDefaults(object, schema) }),
    prepareForCreate: (object) => {
      if (hasStatus) delete object.status;
    },
    prepareForUpdate: (next, previous) => {
      if (!hasStatus) return;
      if (previous.status === undefined) delete next.status;
      else next.status = clone(previous.status);
    },
    // An update is only held to what it changes.
    validateCreate: (object) => check(object),
    validateUpdate: check,
    validateStatusUpdate: (next, previous) => [
      ...(schema === undefined ? [] : statusProblems(next, previous, schema)),
      ...(scale ? scaleStatusProblems(next, scale) : []),
    ],
    warnings: (next, previous) => [...(brokenBefore.get(next) ?? []), ...finalizerWarnings(next, previous)],
    generationFields: (object) => ownFields(hasStatus ? { ...object, status: undefined } : object),
    selectableFields: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => [
        jsonPath.replace(/^\./, ""),
        (object: AnyObject) => selectable(object, jsonPath),
      ]),
    ),
    ...(columns && columns.length > 0 && { columns: columnsOf(columns), ownAge: true }),
    ...(scale && { scale: scaleMapping(scale) }),
    // Upstream refuses a PUT of a custom resource that does not say which state it was made from.
    allowUnconditionalUpdate: false,
  };
}

/** Problems that keep rules from being looked at: they could not make sense of the object. */
const blocking: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const notAllChecked: Problem = {
  field: "<nil>",
  reason: "FieldValueInvalid",
  message:
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
};

/**
 * What a schema has against a whole resource, its type and metadata included: a schema may require them, and restrict names.
 * @param more problems that are told next to those of the schema itself
 */
function resourceProblems(next: AnyObject, previous: AnyObject | undefined, schema: Structural, more: readonly Problem[]): Problem[] {
  const problems = [
    ...validateValue(next, previous, schema, ""),
    ...more,
    ...embeddedProblems(next, schema),
    // Lists that were wrong before may stay so.
    ...(previous !== undefined && listProblems(previous, schema).length > 0 ? [] : listProblems(next, schema)),
  ];
  if (hasRules(schema) && problems.some(({ reason }) => blocking.has(reason))) return named([...problems, notAllChecked]);
  const broken: string[] = [];
  const options = { path: "", isResource: true, ratchets: true, warn: (text: string) => broken.push(text) };
  const wrong = named([...problems, ...ruleProblems(next, previous, schema, options)]);
  if (broken.length > 0) brokenBefore.set(next, broken);
  return wrong;
}

/** Rules that an object may go on breaking, as warnings: they are found by its validation, and told after it. */
const brokenBefore = new WeakMap<AnyObject, readonly string[]>();

/** The same of the status alone, which is all that its own endpoint changes. */
function statusProblems(next: AnyObject, previous: AnyObject, schema: Structural): Problem[] {
  const status = schema.properties?.status;
  // Messages name parts of the status as if it were all there is.
  const problems =
    status === undefined || next.status === undefined
      ? []
      : validateValue(next.status, previous.status, status, "").map((problem) => inside("status", problem));
  const embedded = status === undefined ? [] : embeddedProblems(next.status, status, "status");
  const hadWrongLists = listProblems(previous, schema).length > 0;
  const all = [...problems, ...embedded, ...(hadWrongLists ? [] : listProblems(next, schema))];
  if (hasRules(schema) && all.some(({ reason }) => blocking.has(reason))) return named([...all, notAllChecked]);
  return named([...all, ...ruleProblems(next, previous, schema, { path: "", isResource: true, ratchets: true })]);
}

/** A problem of the whole has no field: Go's word for it. */
const named = (problems: readonly Problem[]): Problem[] =>
  problems.map((problem) => (problem.field === "" ? { ...problem, field: "<nil>" } : problem));

/** What an object's generation counts changes of. */
const ownFields = (object: AnyObject): JsonObject => Object.fromEntries(Object.entries(object).filter(([name]) => !typeFields.has(name)));

function deprecation({ group, names, versions }: CustomResourceDefinition["spec"], version: CustomResourceDefinitionVersion): string {
  if (version.deprecationWarning) return version.deprecationWarning;
  const [newest] = versions
    .filter(({ name, served, deprecated }) => served && !deprecated && compareVersions(name, version.name) > 0)
    .toSorted((a, b) => compareVersions(b.name, a.name));
  const instead = newest === undefined ? "" : `; use ${group}/${newest.name} ${names.kind}`;
  return `${group}/${version.name} ${names.kind} is deprecated${instead}`;
}

const standardFinalizers: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

/** Names of new finalizers that others might choose, too. */
function finalizerWarnings({ metadata }: AnyObject, previous?: AnyObject): string[] {
  const known = previous?.metadata.finalizers ?? [];
  const added = new Set((metadata.finalizers ?? []).filter((name) => !known.includes(name)));
  return [...added].toSorted().flatMap((name) => {
    const said = (what: string) => `metadata.finalizers: ${quote(name)}: ${what}`;
    const problems = qualifiedNameProblems(name).map(said);
    if (name.includes("/") || standardFinalizers.has(name)) return problems;
    const prefer = `prefer a domain-qualified finalizer name ${name.includes(".") ? "including a path (/) " : ""}`;
    return [...problems, said(`${prefer}to avoid accidental conflicts with other finalizer writers`)];
  });
}

function selectable(object: AnyObject, path: string): string {
  const value = valueAt(object, path);
  return show(value);
}

function valueAt(object: AnyObject, path: string): unknown {
  try {
    return parseJsonPath(path).find(object)[0];
  } catch (error) {
    if (error instanceof JsonPathError) return undefined;
    throw error;
  }
}
