/** Objects as rows, the way `kubectl get` prints them. */

import { type Moment, since } from "../api/durations.ts";
import type { Scale } from "../api/generated/types.ts";
import type { AnyObject, Kind, RowCondition } from "../api/kind.ts";
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
  /** Cells of a row, as a JSON array. */
  cellsJson(object: AnyObject): string;
  /** What else the row says of its object; undefined for nothing. */
  conditions(object: AnyObject): readonly RowCondition[] | undefined;
  row(object: AnyObject, include: IncludeObject, metadataVersion: string): JsonObject;
}

/** What stands in one column of an object's row. */
type Cell = (object: AnyObject, now: Moment) => unknown;

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
  const values: Cell[] = [
    ...(hasName ? [({ metadata }: AnyObject) => metadata.name ?? ""] : []),
    ...own.map(
      (column): Cell =>
        (object, at) =>
          cell(() => column.value(object, at)),
    ),
    ...(hasAge ? [({ metadata }: AnyObject, at: Moment) => since(metadata.creationTimestamp, at)] : []),
  ];
  const cells = (object: AnyObject): unknown[] => values.map((value) => value(object, now));
  const conditions = (object: AnyObject) => {
    const all = kind.behaviour.rowConditions?.(object) ?? [];
    return all.length > 0 ? all : undefined;
  };
  return {
    conditions,
    columnDefinitions: [
      ...(hasName ? [define("Name", "string", { format: "name" })] : []),
      ...own.map(({ name, type, format = "", description = "", priority = 0 }) => define(name, type, { format, description, priority })),
      ...(hasAge ? [define("Age", kind.custom ? "date" : "string")] : []),
    ],
    cellsJson: (object) => cellsText(kind, values, object, now),
    row: (object, include, metadataVersion) => {
      const more = conditions(object);
      return { cells: cells(object), ...(more && { conditions: more }), object: embedded(object, include, metadataVersion) };
    },
  };
}

/** A Scale, of whatever kind is scaled. */
export function scaleTable(now: Date): TableRenderer {
  const cells = (object: AnyObject) => {
    const { metadata, spec, status } = object as Partial<Scale> & AnyObject;
    return [metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, since(metadata.creationTimestamp, now)];
  };
  return {
    conditions: () => undefined,
    columnDefinitions: [define("Name", "string"), define("Desired", "integer"), define("Available", "integer"), define("Age", "string")],
    cellsJson: (object) => JSON.stringify(cells(object)),
    row: (object, include, metadataVersion) => ({ cells: cells(object), object: embedded(object, include, metadataVersion) }),
  };
}

const plainCells = ({ metadata }: AnyObject): unknown[] => [metadata.name, metadata.creationTimestamp ?? null];

/** Objects of no kind with columns: their name and when they were made. */
export const plainTable: TableRenderer = {
  conditions: () => undefined,
  columnDefinitions: [define("Name", "string", { format: "name" }), define("Created At", "date")],
  cellsJson: (object) => JSON.stringify(plainCells(object)),
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

/** Text of cells that stay as they are, and between them the numbers of cells that age. */
type LastingCells = readonly (string | number)[];

const lasting = new WeakMap<Kind, WeakMap<AnyObject, LastingCells>>();

/** Cells as a JSON array. Of an object that cannot change, only cells which looked at the time are made again. */
function cellsText(kind: Kind, values: readonly Cell[], object: AnyObject, now: Date): string {
  if (!Object.isFrozen(object)) return textOf(lastingCells(values, object, now), values, object, now);
  let ofKind = lasting.get(kind);
  if (!ofKind) lasting.set(kind, (ofKind = new WeakMap()));
  let known = ofKind.get(object);
  if (!known) ofKind.set(object, (known = lastingCells(values, object, now)));
  return textOf(known, values, object, now);
}

function lastingCells(values: readonly Cell[], object: AnyObject, now: Date): LastingCells {
  const parts: (string | number)[] = [];
  let text = "[";
  for (const [index, value] of values.entries()) {
    if (index > 0) text += ",";
    let looked = false;
    const json = JSON.stringify(value(object, { getTime: () => ((looked = true), now.getTime()) }));
    if (looked) {
      parts.push(text, index);
      text = "";
    } else text += json;
  }
  parts.push(`${text}]`);
  return parts;
}

function textOf(parts: LastingCells, values: readonly Cell[], object: AnyObject, now: Date): string {
  let text = "";
  for (const part of parts) text += typeof part === "string" ? part : JSON.stringify(values[part]?.(object, now) ?? null);
  return text;
}

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
