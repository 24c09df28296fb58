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
  /** Go writes it even when nothing is in it (a struct that is no pointer, a list without omitempty): its presence says nothing. */
  readonly implicit?: boolean;
  /**
   * What Go does with a zero value of this field (built-in kinds only): leaves it out when it writes, or writes it even when it was
   * not given. Absent: zero is a value like any other.
   */
  readonly zero?: "drop" | "fill";
  /** The Go type as error messages show it: `int32`, `[]v1.Container` (built-in kinds only). */
  readonly goType?: string;
  /** The field as error messages show it, where an embedded struct stands before its name: `VolumeSource.emptyDir`. */
  readonly goPath?: string;
}

export interface ScalarNode extends NodeFacts {
  readonly type: "scalar";
  readonly scalar: ScalarType;
}

/** Free-form JSON: kept as it is. */
export interface AnyNode extends NodeFacts {
  readonly type: "any";
  /** Structure of the value where it is an object (the either-or fields of JSONSchemaProps). */
  readonly object?: SchemaNode;
  /** Structure of the items where it is a list. */
  readonly items?: SchemaNode;
  /** A value that is no object must be a boolean; else this is the error. */
  readonly elseBoolean?: string;
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
