/** The shape of the generated tables: what Kubernetes' OpenAPI and protobuf documents say of every stable type, without prose. */

/**
 * A field's type: a scalar, `@` + type id for an object, `[]` + type for a list, `{}` + type for a map with string keys.
 * `any` is free-form JSON (RawExtension, JSON, FieldsV1); `number` a double; `bytes` base64 text; `time` RFC 3339 in whole
 * seconds; `microtime` with six fractional digits. `schemaOrBool`, `schemaOrList` and `schemaOrStrings` are the three places of a
 * CustomResourceDefinition's schema where JSON allows either.
 */
export type FieldType = string;

/** One field of a type. Keys are short because the table is bundled into every function. */
export interface FieldFacts {
  /** type */
  readonly t: FieldType;
  /** 1 when required */
  readonly r?: 1;
  /** default that the schema itself declares (never a zero value) */
  readonly d?: unknown;
  /** protobuf field numbers: one, or the path through embedded messages whose fields JSON flattens */
  readonly n?: readonly number[];
  /** 1 when the Go type is a string list wrapped in a message of its own (protobuf `items = 1`) */
  readonly w?: 1;
  /** 1 when the Go type is a pointer: zero is a value, not absence */
  readonly p?: 1;
  /** 1 when Go writes the field always, be it zero; without `p` and `z` zero is left out */
  readonly z?: 1;
  /** names of the embedded structs that lead to the field, as Go's error messages show them */
  readonly e?: readonly string[];
  /** Go's name of the type, where it is not the obvious one for `t` */
  readonly g?: string;
  /** strategic merge patch: strategy */
  readonly ps?: "merge" | "replace" | "retainKeys" | "merge,retainKeys";
  /** strategic merge patch: merge key */
  readonly pk?: string;
  /** server-side apply: list type (default atomic) */
  readonly lt?: "atomic" | "map" | "set";
  /** server-side apply: keys of a list map */
  readonly lk?: readonly string[];
  /** server-side apply: map or struct type (default granular) */
  readonly mt?: "atomic" | "granular";
}

/** One type: its fields by JSON name; `mt` when the whole type is atomic; `gvk` when it is a kind of its own. */
export interface TypeFacts {
  readonly f: Readonly<Record<string, FieldFacts>>;
  readonly mt?: "atomic" | "granular";
  /** group, version and kind, for kinds and lists */
  readonly gvk?: readonly [group: string, version: string, kind: string];
}

/** Types by OpenAPI definition name, for example `io.k8s.api.apps.v1.Deployment`. */
export type SchemaTable = Readonly<Record<string, TypeFacts>>;

/** A subresource as discovery lists it; its kind may belong to another group (`Scale`, `Eviction`, `TokenRequest`). */
export interface SubresourceFacts {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** A resource of a stable group version as discovery lists it. */
export interface ResourceFacts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
  readonly subresources: readonly SubresourceFacts[];
  /** key into the {@link SchemaTable} */
  readonly type: string;
}

export type ResourceTable = readonly ResourceFacts[];
