/** What the server keeps of every object's metadata, whatever its kind. */
import type { AnyObject, Kind } from "../api/kind.ts";
import type { OwnerReference } from "../api/objects.ts";
import { badRequest } from "../errors/status-error.ts";
import { same } from "./values.ts";

/** The namespace of a body must be the request's; left out it is filled in. @throws {StatusError} BadRequest */
export function placeInNamespace(kind: Kind, object: AnyObject, namespace: string): void {
  const { metadata } = object;
  if (!kind.namespaced) delete metadata.namespace;
  else if (!metadata.namespace) metadata.namespace = namespace;
  else if (metadata.namespace !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** @throws {StatusError} BadRequest */
export function checkName(object: AnyObject, name: string): void {
  if (!object.metadata.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (object.metadata.name !== name) {
    throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
  }
}

/** Fields that only the server sets. */
export function wipeSystemFields({ metadata }: AnyObject): void {
  delete (metadata as Partial<typeof metadata>).creationTimestamp;
  delete (metadata as Partial<typeof metadata>).uid;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** An update can neither move an object in time nor take back its deletion. */
export function keepSystemFields(next: AnyObject, previous: AnyObject): void {
  const { metadata: now } = next;
  const { metadata: before } = previous;
  now.uid ||= before.uid;
  now.creationTimestamp = before.creationTimestamp;
  if (before.deletionTimestamp !== undefined) now.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined) now.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  delete now.selfLink;
}

const duplicates = (when: string, uids: readonly string[]) =>
  `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids.join(", ")}`;

/** Drops owner references that are there twice, with a warning. */
export function dedupeOwners({ metadata }: AnyObject, warn: (text: string) => void, afterAdmission = false): void {
  const owners = metadata.ownerReferences;
  if (owners === undefined || owners.length < 2) return;
  const kept: OwnerReference[] = [];
  const dropped: string[] = [];
  for (const owner of owners) {
    if (kept.some((other) => same(other, owner))) dropped.push(owner.uid);
    else kept.push(owner);
  }
  if (dropped.length === 0) return;
  metadata.ownerReferences = kept;
  warn(duplicates(afterAdmission ? " after mutating admission happens" : "", dropped));
}

/** What `metadata.generation` counts the changes of; undefined for kinds without a generation. */
function counted(kind: Kind, object: AnyObject): unknown {
  if (kind.behaviour.generationFields) return kind.behaviour.generationFields(object);
  const { apiVersion: _, kind: __, metadata: ___, status, ...rest } = object;
  return kind.subresources.some(({ name }) => name === "status") ? rest : { ...rest, status };
}

export function setFirstGeneration(kind: Kind, object: AnyObject): void {
  if (counted(kind, object) === undefined || kind.behaviour.beginsWithoutGeneration) delete object.metadata.generation;
  else object.metadata.generation = 1;
}

/** The generation goes up when what it counts changed; a client never sets it. */
export function advanceGeneration(kind: Kind, next: AnyObject, previous: AnyObject): void {
  const { generation } = previous.metadata;
  const fields = counted(kind, next);
  const isSame = fields === undefined || same(fields, counted(kind, previous));
  if (fields === undefined || (isSame && kind.behaviour.beginsWithoutGeneration)) return keepGeneration(next, previous);
  next.metadata.generation = isSame ? (generation ?? 1) : (generation ?? 0) + 1;
}

/** What a status says is no wish of anybody's. */
export function keepGeneration(next: AnyObject, previous: AnyObject): void {
  const { generation } = previous.metadata;
  if (generation === undefined) delete next.metadata.generation;
  else next.metadata.generation = generation;
}
