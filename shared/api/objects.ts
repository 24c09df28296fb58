/** What every Kubernetes object has in common, as the server hands it out. */

/** Any JSON object. */
export type JsonObject = { [key: string]: unknown };

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean | undefined;
  blockOwnerDeletion?: boolean | undefined;
}

export interface ManagedFieldsEntry {
  manager?: string | undefined;
  operation?: "Apply" | "Update" | undefined;
  apiVersion?: string | undefined;
  time?: string | undefined;
  fieldsType?: "FieldsV1" | undefined;
  fieldsV1?: JsonObject | undefined;
  subresource?: string | undefined;
}

/** Metadata of an object that exists. The server sets `uid`, `resourceVersion` and `creationTimestamp`. */
export interface ObjectMeta {
  name: string;
  generateName?: string | undefined;
  /** Absent for cluster-scoped kinds. */
  namespace?: string | undefined;
  uid: string;
  /** Decimal integer; see `store/revision.ts`. Never part of what is stored. */
  resourceVersion: string;
  generation?: number | undefined;
  creationTimestamp: string;
  deletionTimestamp?: string | undefined;
  deletionGracePeriodSeconds?: number | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  ownerReferences?: OwnerReference[] | undefined;
  finalizers?: string[] | undefined;
  managedFields?: ManagedFieldsEntry[] | undefined;
  selfLink?: string | undefined;
}

export interface ListMeta {
  resourceVersion?: string | undefined;
  continue?: string | undefined;
  remainingItemCount?: number | undefined;
  selfLink?: string | undefined;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** An object as a client writes it: the server fills in the rest of the metadata. */
export type Draft<T extends KubeObject = KubeObject> = Omit<T, "metadata" | "apiVersion" | "kind"> & {
  apiVersion?: string;
  kind?: string;
  metadata: Partial<ObjectMeta>;
};

export interface ObjectList<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: T[];
}

/** Namespace and name; the namespace is empty for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

export const keyOf = (object: { readonly metadata: Partial<ObjectMeta> }): ObjectKey => ({
  namespace: object.metadata.namespace ?? "",
  name: object.metadata.name ?? "",
});

/** The object's controller, if it has one. */
export const controllerOf = (object: { readonly metadata: Partial<ObjectMeta> }): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true);
