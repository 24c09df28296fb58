/** Events are stored as core/v1; events.k8s.io/v1 names the same fields differently. */
import type { JsonObject } from "../../api/objects.ts";

/** Field of core/v1 by field of events.k8s.io/v1; fields not named here have one name in both. */
const coreName: Readonly<Record<string, string>> = {
  regarding: "involvedObject",
  note: "message",
  deprecatedSource: "source",
  deprecatedFirstTimestamp: "firstTimestamp",
  deprecatedLastTimestamp: "lastTimestamp",
  deprecatedCount: "count",
  reportingController: "reportingComponent",
};
const newName = Object.fromEntries(Object.entries(coreName).map(([now, core]) => [core, now]));

const rename = (object: JsonObject, names: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([field, value]) => [names[field] ?? field, value]));

export const toCoreEvent = (event: JsonObject): JsonObject => rename(event, coreName);

/** What core/v1 always writes, events.k8s.io/v1 leaves out where it is empty. */
export function fromCoreEvent(event: JsonObject): JsonObject {
  const converted = rename(event, newName);
  for (const field of ["reportingController", "reportingInstance"]) if (converted[field] === "") delete converted[field];
  return converted;
}
