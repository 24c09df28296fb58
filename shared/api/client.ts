/** The API as controllers, scheduler and kubelet use it: in process, through admission and validation like any other client. */
import type { Draft, KubeObject, ObjectKey } from "./objects.ts";

/** Names a kind and carries its TypeScript type: `kinds.pods`. */
export interface KindRef<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Type only; never set. */
  readonly __type?: T;
}

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A list and the revision at which it was true. Items are shared and frozen. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly revision: number;
}

/**
 * What a plan relied on, checked again at the moment of the commit (`log-rules.md` 23): nothing that belongs to `owner` changed in
 * this kind's log after `revision`, other than by writes that carry the same `plan`.
 */
export interface PlanGuard {
  /** Unique per plan. */
  readonly plan: string;
  /** uid of the controller owner whose objects the plan counted. */
  readonly owner: string;
  /** Revision of the list which the plan read. */
  readonly revision: number;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly guard?: PlanGuard;
}

export interface DeleteOptions extends WriteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/**
 * Every write goes through the registry; concurrent writes to one kind share a slot, so issue them with `Promise.all`.
 * Failures are `StatusError`s: `Conflict` and `AlreadyExists` mean "look again soon".
 */
export interface Client {
  /** Strongly consistent. Undefined when it does not exist. */
  get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T | undefined>;
  /** Strongly consistent, from the process' cache and the log's tail. */
  list<T extends KubeObject>(kind: KindRef<T>, options?: ListOptions): Promise<Listed<T>>;
  create<T extends KubeObject>(kind: KindRef<T>, draft: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Conditional on `object.metadata.resourceVersion`. */
  update<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T>;
  /**
   * Reads the newest object, lets `change` return the next one (or the same one: nothing is written), and writes it; again on a lost
   * race. For fields which the caller alone owns. Undefined when the object does not exist.
   */
  modify<T extends KubeObject>(
    kind: KindRef<T>,
    key: ObjectKey,
    change: (current: T) => T,
    /** `finalize`: of namespaces, the only way to change `spec.finalizers`. */
    options?: WriteOptions & { readonly subresource?: "status" | "finalize" },
  ): Promise<T | undefined>;
  delete(kind: KindRef, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource: `binding`, `eviction`, `token`. @returns the answer, mostly a Status */
  createSubresource(kind: KindRef, key: ObjectKey, subresource: string, body: object, options?: WriteOptions): Promise<object>;
}
