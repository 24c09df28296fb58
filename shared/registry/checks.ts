/** Validation of a whole object: every problem at once. */
import type { AnyObject, Kind, Problem } from "../api/kind.ts";
import { validateMetadata, validateMetadataUpdate } from "../api/validation/metadata.ts";
import { invalid } from "../errors/status-error.ts";
import { lifecycleOf } from "./lifecycle.ts";

/** An object that has no name yet may be refused for just that. */
const refuse = (kind: Kind, name: string | undefined, problems: readonly Problem[]): void => {
  if (problems.length > 0) throw invalid(kind.storage === "events" ? coreEvent : kind, name ?? "", unique(problems));
};

/** Of Events it is said in the words of the older API, whichever is used. */
const coreEvent = { group: "", kind: "Event" };

/** A field that breaks one rule on create and again on update is named once. */
const unique = (problems: readonly Problem[]): Problem[] => {
  const seen = new Set<string>();
  return problems.filter(({ field, message }) => {
    const id = `${field}\n${message}`;
    return !seen.has(id) && seen.add(id);
  });
};

/** @param foreign what other objects have against it @throws {StatusError} Invalid */
export function checkCreation(kind: Kind, object: AnyObject, foreign: readonly Problem[] = []): void {
  refuse(kind, object.metadata.name, [
    ...foreign,
    ...validateMetadata(kind, object.metadata),
    ...(kind.behaviour.validate?.(object) ?? []),
    ...(kind.behaviour.validateCreate?.(object) ?? []),
    ...(lifecycleOf(kind).problems?.(object, undefined) ?? []),
  ]);
}

/** @throws {StatusError} Invalid */
export function checkUpdate(kind: Kind, next: AnyObject, previous: AnyObject, foreign: readonly Problem[] = []): void {
  refuse(kind, next.metadata.name, [
    ...foreign,
    ...validateMetadata(kind, next.metadata),
    ...validateMetadataUpdate(next.metadata, previous.metadata),
    ...(kind.behaviour.validate?.(next) ?? []),
    ...(kind.behaviour.validateUpdate?.(next, previous) ?? []),
    ...(lifecycleOf(kind).problems?.(next, previous) ?? []),
  ]);
}

/**
 * An update through a subresource is held to that subresource's rules alone: an object that became invalid by new rules can still
 * report its status.
 * @throws {StatusError} Invalid
 */
export function checkSubresourceUpdate(kind: Kind, next: AnyObject, previous: AnyObject, problems: readonly Problem[]): void {
  refuse(kind, next.metadata.name, [
    ...validateMetadata(kind, next.metadata),
    ...validateMetadataUpdate(next.metadata, previous.metadata),
    ...problems,
  ]);
}

/** `Warning:` headers of an accepted create or update. */
export const warningsOf = (kind: Kind, next: AnyObject, previous: AnyObject | undefined): readonly string[] => [
  ...(kind.behaviour.warnings?.(next, previous) ?? []),
  ...(lifecycleOf(kind).warnings?.(next, previous) ?? []),
];
