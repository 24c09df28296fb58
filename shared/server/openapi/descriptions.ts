/**
 * What the fields that every object has are for, in a sentence each: `kubectl explain` shows them with any kind, custom ones included.
 * The other fields of built-in kinds come without prose (ADR 0003); the author of a custom resource's schema brings the rest.
 */
import { typeGvk } from "../../api/type-table.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Fields that say what an object is; each kind has them. */
export const typeMeta = {
  apiVersion: "APIVersion defines in which version of its API the object is written, as group/version.",
  kind: "Kind names what the object is, in CamelCase. It never changes.",
} as const;

export const objectMetadata = "Standard object's metadata: its name, and what the API keeps about every object.";
export const listMetadata = "Standard list metadata: the revision the list was read at, and how to ask for the next page.";

const fields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [`${meta}.ObjectMeta`]: {
    annotations: "Annotations are free-form values by key, for people and tools. They cannot be selected by.",
    creationTimestamp: "CreationTimestamp is a timestamp of the server, from when it made the object. Read-only.",
    deletionGracePeriodSeconds: "Seconds the object has to end gracefully once it is being deleted. May only become shorter. Read-only.",
    deletionTimestamp: "DeletionTimestamp is when the object is to be gone; set by the server when a deletion was asked for. Read-only.",
    finalizers: "Names of those who have something to do before the object may go. It is removed when the last one is taken off the list.",
    generateName: "GenerateName is what a name begins with that the server completes; used where there is no name.",
    generation: "How many times the desired state has changed. Read-only.",
    labels: "Labels are short values by key that objects are selected by.",
    managedFields: "ManagedFields says who set which fields last. The server keeps it.",
    name: "Name is unique among objects of one kind in one namespace. It never changes.",
    namespace: "Namespace is where the name is unique; empty for what belongs to the whole cluster. It never changes.",
    ownerReferences: "The objects that this one depends on: when all of them are gone, it is removed. At most one is its controller.",
    resourceVersion: "Revision of the object's last change. Sent along with a write, it makes sure that nobody else was first.",
    selfLink: "Deprecated: no longer set by the server.",
    uid: "UID tells this object from all others there have ever been, also from those with its name. Read-only.",
  },
  [`${meta}.ListMeta`]: {
    continue: "What to send along to get the next page; empty on the last one.",
    remainingItemCount: "How many items follow this page. Left out when a selector is given.",
    resourceVersion: "Revision of the whole list, from which a watch can go on.",
    selfLink: "Deprecated: no longer set by the server.",
  },
};

/** @returns nothing for fields that come without prose */
export function descriptionOf(type: string, field: string, fieldType: string): string | undefined {
  if (fieldType === `@${meta}.ObjectMeta` && field === "metadata") return objectMetadata;
  if (fieldType === `@${meta}.ListMeta` && field === "metadata") return listMetadata;
  if (typeGvk(type) && Object.hasOwn(typeMeta, field)) return typeMeta[field as keyof typeof typeMeta];
  return fields[type]?.[field];
}
