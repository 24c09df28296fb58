/** Printer columns of custom resources. */

import { humanDuration, type Moment } from "../../api/durations.ts";
import type { CustomResourceColumnDefinition } from "../../api/generated/types.ts";
import type { AnyObject, Column } from "../../api/kind.ts";
import { JsonPathError, parseJsonPath } from "../json-path.ts";
import { show } from "../values.ts";

const types: ReadonlySet<string> = new Set(["string", "integer", "number", "boolean", "date"]);

export const columnsOf = (definitions: readonly CustomResourceColumnDefinition[]): Column<AnyObject>[] => definitions.map(columnOf);

function columnOf({ name, type, format, priority, description, jsonPath }: CustomResourceColumnDefinition): Column<AnyObject> {
  const kind = (types.has(type) ? type : "string") as Column<AnyObject>["type"];
  const find = finder(jsonPath);
  return {
    name,
    type: kind,
    ...(format && { format }),
    ...(priority !== undefined && { priority }),
    ...(description && { description }),
    value: (object, now) => cell(kind, find(object), now),
  };
}

/** The first value at a path; a path that we cannot read shows nothing. */
function finder(path: string): (object: AnyObject) => unknown {
  try {
    const parsed = parseJsonPath(path);
    return (object) => parsed.find(object)[0];
  } catch (error) {
    if (error instanceof JsonPathError) return () => undefined;
    throw error;
  }
}

function cell(type: Column<AnyObject>["type"], value: unknown, now: Moment): unknown {
  if (value === undefined || value === null) return undefined;
  if (type === "string") return show(value);
  if (type === "date") return typeof value === "string" ? ageSince(value, now) : undefined;
  if (type === "boolean") return typeof value === "boolean" ? value : undefined;
  // Clients print it as it is written.
  if (JSON.isRawJSON(value) && type === "integer" && /^-?\d+$/.test(value.rawJSON)) return value;
  if (typeof value !== "number") return undefined;
  return type === "integer" ? Math.trunc(value) : value;
}

function ageSince(text: string, now: Moment): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? "<invalid>" : humanDuration(now.getTime() - time);
}
