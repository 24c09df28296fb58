/** Printer columns of custom resources. */

import { humanDuration, type Moment } from "../../api/durations.ts";
import type { CustomResourceColumnDefinition } from "../../api/generated/types.ts";
import type { AnyObject, Column } from "../../api/kind.ts";
import { JsonPathError, parseJsonPath } from "../json-path.ts";
import { show } from "../values.ts";

const types: ReadonlySet<string> = new Set(["string", "integer", "number", "boolean", "date"]);

/** Up to the first whose path cannot be read. */
export function columnsOf(definitions: readonly CustomResourceColumnDefinition[]): Column<AnyObject>[] {
  const columns: Column<AnyObject>[] = [];
  for (const definition of definitions) {
    const column = columnOf(definition);
    if (column === undefined) break;
    columns.push(column);
  }
  return columns;
}

function columnOf({ name, type, format, priority, description, jsonPath }: CustomResourceColumnDefinition): Column<AnyObject> | undefined {
  const kind = (types.has(type) ? type : "string") as Column<AnyObject>["type"];
  const find = finder(jsonPath);
  if (find === undefined) return undefined;
  return {
    name,
    type: kind,
    ...(format && { format }),
    ...(priority !== undefined && { priority }),
    ...(description && { description }),
    value: (object, now) => cell(kind, find(object), now),
  };
}

/** The first value at a path; undefined: the path cannot be read. */
function finder(path: string): ((object: AnyObject) => unknown) | undefined {
  try {
    const parsed = parseJsonPath(path);
    return (object) => parsed.find(object)[0];
  } catch (error) {
    if (error instanceof JsonPathError) return undefined;
    throw error;
  }
}

function cell(type: Column<AnyObject>["type"], value: unknown, now: Moment): unknown {
  if (value === undefined) return undefined;
  // As Go prints it.
  if (type === "string") return value === null ? "<no value>" : show(value);
  if (type === "date") return typeof value === "string" ? ageSince(value, now) : undefined;
  if (type === "boolean") return typeof value === "boolean" ? value : undefined;
  // Clients print it as it is written.
  if (JSON.isRawJSON(value) && type === "integer" && /^-?\d+$/.test(value.rawJSON)) return value;
  if (typeof value !== "number") return undefined;
  return type === "integer" ? Math.trunc(value) : value;
}

function ageSince(text: string, now: Moment): string {
  if (text === "") return "<unknown>";
  const time = Date.parse(text);
  return Number.isNaN(time) ? "<invalid>" : humanDuration(now.getTime() - time);
}
