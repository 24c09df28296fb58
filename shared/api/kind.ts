/** A kind is declared in one place: what it is called, how it is defaulted, checked, printed and deleted. */

import type { CauseReason } from "../errors/status-error.ts";
import type { Moment } from "./durations.ts";
import type { JsonObject, KubeObject, ObjectMeta } from "./objects.ts";
import type { SchemaNode } from "./schema.ts";

/** One thing wrong with an object: Kubernetes' field path, reason and words. */
export interface Problem {
  /** `spec.containers[0].image` */
  readonly field: string;
  readonly reason: CauseReason;
  /** In Kubernetes' words, for example `Invalid value: -1: must be greater than or equal to 0`. */
  readonly message: string;
}

/** A column of `kubectl get`. Cells are strings, numbers or booleans; a priority above 0 shows with `-o wide` only. */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** `name` of the column that holds the name, and in tables of custom resources whatever their definition says. */
  readonly format?: string;
  readonly priority?: number;
  readonly description?: string;
  /**
   * A cell. Pure: of an object that does not change, only a cell that looked at the time becomes another one.
   * @param now for ages
   */
  value(object: T, now: Moment): unknown;
}

/** @see k8s.io/apimachinery/pkg/apis/meta/v1, TableRowCondition */
export interface RowCondition {
  readonly type: "Completed";
  readonly status: "True";
  readonly reason: string;
  readonly message: string;
}

/** How `/scale` maps onto a kind. */
export interface ScaleMapping<T> {
  readonly specReplicas: (object: T) => number;
  readonly statusReplicas: (object: T) => number;
  /** Serialised label selector, as `status.selector` of a Scale holds it. */
  readonly selector: (object: T) => string;
  /** Why an object has no Scale to read, where it has none. */
  readonly unreadable?: (object: T) => string | undefined;
  withReplicas(object: T, replicas: number): T;
}

export type Propagation = "Background" | "Foreground" | "Orphan";

/** How names of a kind are checked. @see k8s.io/apimachinery/pkg/api/validation, NameIsDNSSubdomain … */
export type NameRule = "dnsSubdomain" | "dnsLabel" | "dns1035Label" | "pathSegment";

/** What a kind does beyond what its schema says. Everything is optional; each function is pure. */
export interface KindBehaviour<T extends KubeObject = KubeObject> {
  readonly nameRule?: NameRule;
  /** Fills in defaults, in place, on a draft the caller owns. */
  defaults?(object: T): void;
  /** Clears what a client may not set on create (status) and sets what the server owns. In place. */
  prepareForCreate?(object: T): void;
  /** The same for an update of the main resource; `next` is the caller's. In place. */
  prepareForUpdate?(next: T, previous: T): void;
  /**
   * The same for an update of `/status`. By default everything but status and metadata is taken from `previous`, with custom resources
   * the metadata too. In place.
   */
  prepareForStatusUpdate?(next: T, previous: T, now: Date): void;
  /** Parts besides the status that nobody comes to own by writing the object. */
  readonly ignores?: readonly (readonly string[])[];
  /** The same for an update of `/status`, besides everything outside of status and metadata. */
  readonly statusIgnores?: readonly (readonly string[])[];
  /** All problems of an object that is about to be created or updated. Changes nothing. */
  validate?(object: T): Problem[];
  /** Problems of a new object only, on top of {@link validate}. */
  validateCreate?(object: T): Problem[];
  /** Problems of a change, on top of {@link validate}. */
  validateUpdate?(next: T, previous: T): Problem[];
  validateStatusUpdate?(next: T, previous: T): Problem[];
  /** `Warning:` headers. */
  warnings?(next: T, previous: T | undefined): string[];
  /**
   * What changes `metadata.generation`; default: everything but metadata and status, where the kind has a status. A kind whose
   * function gives undefined for every object has no generation at all.
   */
  generationFields?(object: T): unknown;
  /** Objects begin without a generation, and have one from their first change on. Default: they begin with 1. */
  readonly beginsWithoutGeneration?: boolean;
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** Columns after Name (which is first, unless `ownName`) and before Age, unless `ownAge`. */
  readonly columns?: readonly Column<T>[];
  /** What a Table says of an object's row besides its cells, where there is something to say. */
  rowConditions?(object: T): readonly RowCondition[];
  /** `columns` holds the name itself: it is not the first one, or its cell says more than the name. */
  readonly ownName?: boolean;
  /** `columns` holds the age itself, or the kind shows none. */
  readonly ownAge?: boolean;
  readonly scale?: ScaleMapping<T>;
  /** PUT to a name that does not exist creates it. */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without a resourceVersion is refused when false. Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  readonly defaultPropagation?: Propagation;
  /** Why this object is never deleted, where it is one of those that the server needs. */
  undeletable?(object: T): string | undefined;
  /** `Warning:` of a deletion that leaves {@link defaultPropagation} to decide. */
  readonly unsaidPropagationWarning?: string;
  /** Seconds of grace when this object is deleted; undefined: no graceful deletion for it. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined;
}

/** Names and facts of a served resource in one version. */
export interface KindFacts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Which change log holds it: `pods`, `deployments.apps`. All versions (and both Events APIs) share one. */
  readonly storage: string;
}

export interface Subresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** Reading objects of a kind whose structure its owners wrote down themselves. */
export interface KindCodec {
  /** Prunes a client's body; the result is the caller's own. Fields of a wrong type are left for validation. */
  decode(body: JsonObject): { readonly object: JsonObject; readonly unknownFields: readonly string[] };
  /**
   * Prunes and defaults a stored object, in the version that it is stored in, on its way out: the definition may have changed since. What
   * the kind's own version does not have goes too. Its input is frozen and may be returned.
   */
  read(stored: JsonObject): JsonObject;
}

/** A served kind: facts, structure and behaviour. Built-in kinds and custom resources look the same from outside. */
export interface Kind<T extends KubeObject = KubeObject> extends KindFacts {
  readonly listKind: string;
  /** Structure of the whole object, metadata included. */
  readonly schema: SchemaNode;
  /** OpenAPI definition name (`io.k8s.api.apps.v1.Deployment`, `com.example.stable.v1.CronTab`). */
  readonly definition: string;
  /** True for kinds that come from a CustomResourceDefinition. */
  readonly custom: boolean;
  /** Of a kind with {@link loadBehaviour} only once that has resolved. */
  readonly behaviour: KindBehaviour<T>;
  /** To be awaited before {@link behaviour} is asked for: by changes, by Tables, by selectors of fields (built-in kinds). */
  readonly loadBehaviour?: () => Promise<void>;
  /** Discovery's storageVersionHash, where known. */
  readonly storageVersionHash?: string;
  /** Its definition is going: objects may still change, so that their finalizers go, but none is made (custom resources). */
  readonly isGoing?: boolean;
  /** The apiVersion its objects are stored in, where that is another version (custom resources). */
  readonly storageVersion?: string;
  /** Versions differ in more than `apiVersion`, and a webhook converts between them (custom resources). */
  readonly convertsByWebhook?: boolean;
  /** `openAPIV3Schema` as the definition's owner wrote it, for the published OpenAPI documents (custom resources). */
  readonly publishedSchema?: JsonObject;
  /** `Warning:` of every answer to a request for this version (custom resources). */
  readonly deprecation?: string;
  /** Loads what checking a write takes; to be awaited before one (custom resources). */
  readonly prepareWrites?: () => Promise<void>;
  /** How bodies are read, where the {@link schema} alone does not say (custom resources). */
  readonly codec?: KindCodec;
}

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  group ? `${group}/${version}` : version;

/** The group of an `apiVersion`. */
export const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

export const hasStatus = (kind: KindFacts): boolean => kind.subresources.some(({ name }) => name === "status");

/** An object whose shape is not known at compile time. */
export type AnyObject = KubeObject & JsonObject & { metadata: ObjectMeta };
