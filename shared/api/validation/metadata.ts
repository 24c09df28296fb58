/** What every object's metadata must keep, whatever its kind. */
import type { KindBehaviour, Problem } from "../kind.ts";
import { dnsLabelProblems, nameProblems, qualifiedNameProblems } from "../names.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../objects.ts";
import { validateAnnotations, validateLabels } from "./labels.ts";
import { eachItem, forbidden, invalid, invalidEach, isPrintable, quote, required, tooLong } from "./problems.ts";
import { semanticallyEqual } from "./semantic-equality.ts";

const path = "metadata";

/** What the checks need to know of a kind. */
export interface NamedKind {
  readonly namespaced: boolean;
  readonly custom?: boolean;
  readonly behaviour: Pick<KindBehaviour, "nameRule">;
}

/** Problems of the metadata of an object that is about to be created; its name has been generated already. */
export function validateMetadata(kind: NamedKind, metadata: Partial<ObjectMeta>): Problem[] {
  const rule = kind.behaviour.nameRule ?? "dnsSubdomain";
  const problems: Problem[] = [];
  if (metadata.generateName) {
    problems.push(
      ...invalidEach(`${path}.generateName`, metadata.generateName, nameProblems(rule, metadata.generateName, { generate: true })),
    );
  }
  if (!metadata.name) problems.push(required(`${path}.name`, "name or generateName is required"));
  else problems.push(...invalidEach(`${path}.name`, metadata.name, nameProblems(rule, metadata.name)));

  if (!kind.namespaced) {
    if (metadata.namespace) problems.push(forbidden(`${path}.namespace`, "not allowed on this type"));
  } else if (metadata.namespace) {
    problems.push(...invalidEach(`${path}.namespace`, metadata.namespace, dnsLabelProblems(metadata.namespace)));
  } else {
    problems.push(required(`${path}.namespace`));
  }

  if ((metadata.generation ?? 0) < 0) {
    problems.push(invalid(`${path}.generation`, metadata.generation, "must be greater than or equal to 0"));
  }
  return [
    ...problems,
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers, `${path}.finalizers`),
    ...validateManagedFields(metadata.managedFields, `${path}.managedFields`),
    ...(kind.custom ? [] : eachItem(`${path}.finalizers`, metadata.finalizers, validateKnownFinalizer)),
  ];
}

/** Metadata of an object inside of a custom resource: whatever kind it is, and whether or not it has a name. @param at where it stands */
export function validateEmbeddedMetadata(metadata: Partial<ObjectMeta>, at: string): Problem[] {
  const { name, generateName, namespace } = metadata;
  return [
    ...(generateName ? invalidEach(`${at}.generateName`, generateName, nameProblems("pathSegment", generateName, { generate: true })) : []),
    ...(name ? invalidEach(`${at}.name`, name, nameProblems("pathSegment", name)) : []),
    ...(namespace ? invalidEach(`${at}.namespace`, namespace, dnsLabelProblems(namespace)) : []),
    ...validateLabels(metadata.labels, `${at}.labels`),
    ...validateAnnotations(metadata.annotations, `${at}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences, `${at}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers, `${at}.finalizers`),
    ...validateManagedFields(metadata.managedFields, `${at}.managedFields`),
  ];
}

/** What a claim inherits from its template: labels and annotations, nothing else. @param at where the metadata stands */
export function validateTemplateMetadata(metadata: object | undefined, at: string): Problem[] {
  const { labels, annotations, ...rest } = (metadata ?? {}) as {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  return [
    ...validateAnnotations(annotations, `${at}.annotations`),
    ...validateLabels(labels, `${at}.labels`),
    ...Object.entries(rest)
      .filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([field]) => forbidden(`${at}.${field}`, "cannot be set")),
  ];
}

/** Finalizers that need no domain. */
const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

/** Built-in kinds take finalizers without a domain only where Kubernetes itself knows them. */
export const validateKnownFinalizer = (finalizer: string, field: string): Problem[] =>
  finalizer.includes("/") || standardFinalizers.includes(finalizer)
    ? []
    : [invalid(field, finalizer, "name is neither a standard finalizer name nor is it fully qualified")];

/** Problems of a change of metadata. `next` carries the resourceVersion that the update is conditional on. */
export function validateMetadataUpdate(next: ObjectMeta, previous: ObjectMeta): Problem[] {
  const problems: Problem[] = [];
  if (previous.deletionTimestamp !== undefined) {
    const known = new Set(previous.finalizers);
    const added = [...new Set(next.finalizers)].filter((finalizer) => !known.has(finalizer)).toSorted();
    if (added.length > 0) {
      problems.push(
        forbidden(
          `${path}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(quote).join(", ")}}`,
        ),
      );
    }
  }
  if (!next.resourceVersion) problems.push(invalid(`${path}.resourceVersion`, "", "must be specified for an update"));
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    problems.push(invalid(`${path}.generation`, next.generation ?? 0, "must not be decremented"));
  }
  return [
    ...problems,
    ...immutableFields.flatMap((field) => validateImmutable(next[field], previous[field], `${path}.${field}`)),
    ...validateLabels(next.labels, `${path}.labels`),
    ...validateAnnotations(next.annotations, `${path}.annotations`),
    ...validateOwnerReferences(next.ownerReferences, `${path}.ownerReferences`),
    ...validateFinalizers(next.finalizers, `${path}.finalizers`),
    ...validateManagedFields(next.managedFields, `${path}.managedFields`),
  ];
}

const immutableFields = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;

/** Empty when both are semantically equal: nothing, an empty list and an empty text are the same. */
export const validateImmutable = (next: unknown, previous: unknown, field: string): Problem[] =>
  semanticallyEqual(next, previous) ? [] : [invalid(field, next, "field is immutable")];

export function validateOwnerReferences(owners: readonly OwnerReference[] | undefined, field: string): Problem[] {
  const problems: Problem[] = [];
  let controller: string | undefined;
  for (const owner of owners ?? []) {
    problems.push(...validateOwnerReference(owner, field));
    if (owner.controller !== true) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = name;
    else {
      problems.push(
        invalid(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
        ),
      );
    }
  }
  return problems;
}

function validateOwnerReference(owner: OwnerReference, field: string): Problem[] {
  const problems: Problem[] = [];
  const parts = (owner.apiVersion ?? "").split("/");
  // More than one slash is no group and version at all.
  const version = parts.length > 2 ? "" : (parts.at(-1) ?? "");
  if (version === "") problems.push(invalid(`${field}.apiVersion`, owner.apiVersion ?? "", "version must not be empty"));
  for (const name of ["kind", "name", "uid"] as const) {
    if (!owner[name]) problems.push(invalid(`${field}.${name}`, "", "must not be empty"));
  }
  if (owner.apiVersion === "v1" && owner.kind === "Event") {
    problems.push(invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
  }
  return problems;
}

/** Finalizers without a domain that Kubernetes itself knows. */
const orphan = "orphan";
const foregroundDeletion = "foregroundDeletion";

export function validateFinalizers(finalizers: readonly string[] | undefined, field: string): Problem[] {
  const names = finalizers ?? [];
  const problems = names.flatMap((name) => invalidEach(field, name, qualifiedNameProblems(name)));
  if (names.includes(orphan) && names.includes(foregroundDeletion)) {
    problems.push(invalid(field, names, `finalizer ${orphan} and ${foregroundDeletion} cannot be both set`));
  }
  return problems;
}

/** Field managers are at most 128 bytes of printable characters. */
export function validateFieldManager(manager: string, field: string): Problem[] {
  const problems: Problem[] = [];
  if (Buffer.byteLength(manager) > 128) problems.push(tooLong(field, 128));
  let position = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      problems.push(invalid(field, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
  return problems;
}

const validateManagedFields = (entries: readonly ManagedFieldsEntry[] | undefined, field: string): Problem[] =>
  eachItem(field, entries, (entry, at) => {
    const problems: Problem[] = [];
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      problems.push(invalid(`${at}.operation`, entry.operation ?? "", "must be `Apply` or `Update`"));
    }
    if (entry.fieldsType && entry.fieldsType !== "FieldsV1") {
      problems.push(invalid(`${at}.fieldsType`, entry.fieldsType, "must be `FieldsV1`"));
    }
    problems.push(...validateFieldManager(entry.manager ?? "", `${at}.manager`));
    if (Buffer.byteLength(entry.subresource ?? "") > 256) problems.push(tooLong(`${at}.subresource`, 256));
    return problems;
  });
