/** Objects as rows, the way `kubectl get` prints them. */
import { since } from "../api/durations.ts";
import type { AnyObject, Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { badRequest } from "../errors/status-error.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

/** @throws {StatusError} BadRequest */
export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** Columns of a kind and how one object fills them. */
export interface TableRenderer {
  readonly columnDefinitions: readonly ColumnDefinition[];
  cells(object: AnyObject): readonly unknown[];
  row(object: AnyObject, include: IncludeObject, metadataVersion: string): JsonObject;
}

const define = (name: string, type: string, more: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  name,
  type,
  format: "",
  description: "",
  priority: 0,
  ...more,
});

/** Name first and Age last, unless the kind has its own; its columns between. */
export function tableFor(kind: Kind, now: Date): TableRenderer {
  const own = kind.behaviour.columns ?? [];
  const hasName = kind.behaviour.ownName !== true;
  const hasAge = kind.behaviour.ownAge !== true;
  const cells = (object: AnyObject): unknown[] => [
    ...(hasName ? [object.metadata.name ?? ""] : []),
    ...own.map((column) => cell(() => column.value(object, now))),
    ...(hasAge ? [since(object.metadata.creationTimestamp, now)] : []),
  ];
  return {
    columnDefinitions: [
      ...(hasName ? [define("Name", "string", { format: "name" })] : []),
      ...own.map(({ name, type, format = "", description = "", priority = 0 }) => define(name, type, { format, description, priority })),
      ...(hasAge ? [define("Age", kind.custom ? "date" : "string")] : []),
    ],
    cells,
    row: (object, include, metadataVersion) => ({ cells: cells(object), object: embedded(object, include, metadataVersion) }),
  };
}

const plainCells = ({ metadata }: AnyObject): unknown[] => [metadata.name, metadata.creationTimestamp ?? null];

/** Objects of no kind with columns (Scale): their name and when they were made. */
export const plainTable: TableRenderer = {
  columnDefinitions: [define("Name", "string", { format: "name" }), define("Created At", "date")],
  cells: plainCells,
  row: (object, include, metadataVersion) => ({ cells: plainCells(object), object: embedded(object, include, metadataVersion) }),
};

/** A cell that cannot be computed is empty: one odd object must not hide a whole list. */
const cell = (value: () => unknown): unknown => {
  try {
    return value() ?? null;
  } catch {
    return null;
  }
};

function embedded(object: AnyObject, include: IncludeObject, metadataVersion: string): unknown {
  if (include === "None") return null;
  return include === "Object" ? object : partialMetadata(object, metadataVersion);
}

/** @param version of meta.k8s.io */
export const partialMetadata = (object: AnyObject, version: string): JsonObject => ({
  kind: "PartialObjectMetadata",
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
});
