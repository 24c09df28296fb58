/** Which incarnation and which state of an object a request is about. */

import type { Kind } from "../api/kind.ts";
import type { ObjectMeta } from "../api/objects.ts";
import { conflict, type GroupResource } from "../errors/status-error.ts";

export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** In the words of deletions, which name the kind instead of the resource. @throws {StatusError} Conflict */
export function checkDeletable({ group, kind }: Kind, metadata: ObjectMeta, { uid, resourceVersion }: Preconditions): void {
  const resource = { group, plural: kind };
  if (uid && uid !== metadata.uid) {
    throw conflict(
      resource,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      resource,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** In the words of other writes. @throws {StatusError} Conflict */
export function checkWritable(resource: GroupResource, metadata: ObjectMeta, { uid, resourceVersion }: Preconditions): void {
  if (uid && uid !== metadata.uid) throw uidMismatch(resource, metadata.name, uid, metadata.uid);
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      resource,
      metadata.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    );
  }
}

export const uidMismatch = (resource: GroupResource, name: string, wanted: string, found: string) =>
  conflict(resource, name, `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`);

/** What the body was made from is not what is there now. */
export const modified = (resource: GroupResource, name: string) =>
  conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");
