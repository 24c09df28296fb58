/** The registry's interface: generic create, read, update, patch and delete for every kind, between `server/` and `store/`. */
import type { AdmissionReader } from "../admission/plugin.ts";
import type { AnyObject, Kind } from "../api/kind.ts";
import type { JsonObject, ObjectKey } from "../api/objects.ts";
import type { UserInfo } from "../auth/auth.ts";

/** One request's circumstances. */
export interface RequestContext {
  readonly cluster: string;
  readonly user: UserInfo;
  readonly userAgent: string;
  readonly auditId: string;
  readonly signal: AbortSignal;
  /** `Warning:` headers of the answer; push to it. */
  readonly warnings: string[];
}

export interface WriteParameters {
  readonly dryRun: boolean;
  /** Already defaulted from the User-Agent by the server. */
  readonly fieldManager: string;
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  /** What parsing the body found (duplicate keys), for `fieldValidation`. */
  readonly bodyProblems?: readonly string[];
}

export type Match = "Exact" | "NotOlderThan";

export interface ReadParameters {
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: Match;
}

export interface ListParameters extends ReadParameters {
  /** Empty: all namespaces, or a cluster-scoped kind. */
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface WatchParameters {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: Match;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents?: boolean;
}

export interface ListAnswer {
  readonly items: readonly AnyObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: AnyObject }
  /** `initialEventsEnd` marks the end of a WatchList's initial events. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  | { readonly type: "ERROR"; readonly error: Error };

export type PatchType = "json" | "merge" | "strategic" | "apply";

export interface Patch {
  readonly type: PatchType;
  /** Parsed body: operations for `json`, else an object. */
  readonly body: unknown;
  /** `apply` only: take fields that others own. */
  readonly force?: boolean;
}

export interface DeleteParameters {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type DeleteAnswer =
  /** Gone. */
  | { readonly type: "deleted"; readonly object: AnyObject }
  /** Still there, with a deletionTimestamp: finalizers or a grace period hold it. */
  | { readonly type: "marked"; readonly object: AnyObject };

/** Internal callers may add what no HTTP client can. */
export interface InternalParameters {
  readonly guard?: { readonly plan: string; readonly owner: string; readonly revision: number };
  /** The consumer whose turn this write belongs to: it need not be rung. */
  readonly consumer?: string;
}

export interface Created {
  readonly object: AnyObject;
  /** False when a PUT or apply changed an object that was there. */
  readonly created: boolean;
}

/**
 * Bodies are plain JSON values: syntax was the server's business, everything else (decoding by schema, admission, defaulting,
 * validation) is the registry's. Objects that come back carry `metadata.resourceVersion`, are frozen and shared.
 * Failures are `StatusError`s.
 */
export interface Registry {
  /** Built-in kinds of a cluster as admission and authentication look at them: cheap, and a second old at most. */
  reader(cluster: string): Promise<AdmissionReader>;
  /** The kinds that a cluster serves now, custom resources included. Strongly consistent when `fresh`. */
  catalog(cluster: string, options?: { readonly fresh: boolean }): Promise<Catalog>;
  get(kind: Kind, key: ObjectKey, read: ReadParameters, context: RequestContext): Promise<AnyObject>;
  list(kind: Kind, parameters: ListParameters, context: RequestContext): Promise<ListAnswer>;
  /** The promise rejects for a bad request; once it resolved, failures are ERROR events. */
  watch(kind: Kind, parameters: WatchParameters, context: RequestContext): Promise<AsyncIterable<WatchEvent>>;
  create(
    kind: Kind,
    namespace: string,
    body: JsonObject,
    write: WriteParameters & InternalParameters,
    context: RequestContext,
  ): Promise<AnyObject>;
  update(
    kind: Kind,
    key: ObjectKey,
    subresource: "" | "status",
    body: JsonObject,
    write: WriteParameters & InternalParameters,
    context: RequestContext,
  ): Promise<Created>;
  patch(
    kind: Kind,
    key: ObjectKey,
    subresource: string,
    patch: Patch,
    write: WriteParameters & InternalParameters,
    context: RequestContext,
  ): Promise<Created>;
  delete(kind: Kind, key: ObjectKey, parameters: DeleteParameters & InternalParameters, context: RequestContext): Promise<DeleteAnswer>;
  /** The answer is the list, as it was before anything was deleted. */
  deleteCollection(kind: Kind, list: ListParameters, parameters: DeleteParameters, context: RequestContext): Promise<ListAnswer>;
  /** GET of a subresource that has a representation of its own (`scale`). */
  getSubresource(kind: Kind, key: ObjectKey, subresource: string, context: RequestContext): Promise<AnyObject>;
  /** PUT of such a subresource. */
  updateSubresource(
    kind: Kind,
    key: ObjectKey,
    subresource: string,
    body: JsonObject,
    write: WriteParameters,
    context: RequestContext,
  ): Promise<AnyObject>;
  /** POST to a subresource (`binding`, `eviction`, `token`). */
  createSubresource(
    kind: Kind,
    key: ObjectKey,
    subresource: string,
    body: JsonObject,
    write: WriteParameters & InternalParameters,
    context: RequestContext,
  ): Promise<AnyObject>;
}

/** The kinds of one cluster. */
export interface Catalog {
  /** Changes whenever a kind comes, goes or changes: for ETags and caches. */
  readonly version: string;
  /** By group, version and plural. */
  byResource(group: string, version: string, plural: string): Kind | undefined;
  byKind(group: string, version: string, kind: string): Kind | undefined;
  all(): readonly Kind[];
}
