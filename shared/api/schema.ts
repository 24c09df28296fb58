/**
 * One view on the structure of objects, for built-in kinds (generated tables) and custom resources (structural schemas) alike.
 * Decoding, pruning, strategic merge and server-side apply all walk these nodes.
 */

export type ScalarType = "string" | "int32" | "int64" | "number" | "boolean" | "bytes" | "time" | "microtime" | "quantity" | "intOrString";

interface NodeFacts {
  /** Set by the schema itself when the field is absent. */
  readonly default?: unknown;
  /** JSON null is a value of this field, not its absence (custom resources only). */
  readonly nullable?: boolean;
}

export interface ScalarNode extends NodeFacts {
  readonly type: "scalar";
  readonly scalar: ScalarType;
}

/** Free-form JSON: kept as it is. */
export interface AnyNode extends NodeFacts {
  readonly type: "any";
}

export interface ObjectNode extends NodeFacts {
  readonly type: "object";
  readonly fields: ReadonlyMap<string, SchemaNode>;
  readonly required: ReadonlySet<string>;
  /** Keep fields that are not declared (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown: boolean;
  /** Server-side apply owns it as one value. */
  readonly atomic: boolean;
  /** Carries apiVersion, kind and metadata of its own (`x-kubernetes-embedded-resource`). */
  readonly embedded?: boolean;
  /** Strategic merge: fields not named in the patch are cleared. */
  readonly retainKeys?: boolean;
}

export interface MapNode extends NodeFacts {
  readonly type: "map";
  readonly values: SchemaNode;
  readonly atomic: boolean;
}

export interface ListNode extends NodeFacts {
  readonly type: "list";
  readonly items: SchemaNode;
  /** Server-side apply. */
  readonly listType: "atomic" | "set" | "map";
  /** Keys of a list map, in declared order; empty otherwise. */
  readonly listKeys: readonly string[];
  /** Strategic merge: merge the lists instead of replacing them. */
  readonly patchMerge: boolean;
  readonly patchMergeKey?: string;
}

export type SchemaNode = ScalarNode | AnyNode | ObjectNode | MapNode | ListNode;
