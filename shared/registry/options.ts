/** Rules about the options of lists and watches, before anything is read. */
import { invalid, type StatusCause } from "../errors/status-error.ts";
import type { ListParameters, Match, WatchParameters } from "./registry.ts";

const field = "resourceVersionMatch";
const forbidden = (message: string): StatusCause => ({ reason: "FieldValueForbidden", field, message: `Forbidden: ${message}` });

const unsupported = (match: string, supported: readonly string[]): StatusCause => ({
  reason: "FieldValueNotSupported",
  field,
  message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported.map((value) => JSON.stringify(value)).join(", ")}`,
});

function refuse(causes: readonly StatusCause[]): void {
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", causes);
}

/** @throws {StatusError} Invalid */
export function checkListOptions({ resourceVersion, resourceVersionMatch: match, continue: token }: ListParameters): void {
  if (match === undefined) return;
  const causes: StatusCause[] = [];
  if (!resourceVersion) causes.push(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
  if (token) causes.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
  if (!isMatch(match)) causes.push(unsupported(match, ["Exact", "NotOlderThan", ""]));
  if (match === "Exact" && resourceVersion === "0") {
    causes.push(forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  refuse(causes);
}

/** The server hands on what the client wrote: the type is a promise that only this check keeps. */
const isMatch = (match: string): match is Match => match === "Exact" || match === "NotOlderThan";

/** @throws {StatusError} Invalid */
export function checkWatchOptions({ resourceVersionMatch: match, sendInitialEvents }: WatchParameters): void {
  const causes: StatusCause[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    causes.push(forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (match !== undefined) {
    if (sendInitialEvents === undefined)
      causes.push(forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    if (match !== "NotOlderThan") causes.push(unsupported(match, ["NotOlderThan"]));
  }
  refuse(causes);
}
