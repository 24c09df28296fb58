/** Options in the query string, checked in Kubernetes' words. */
import { quote } from "../api/validation/problems.ts";
import { badRequest, invalid, type StatusCause } from "../errors/status-error.ts";
import type { ListParameters, Match, ReadParameters, WatchParameters, WriteParameters } from "../registry/registry.ts";
import { isTrue } from "./request-info.ts";

const meta = (kind: string) => ({ group: "meta.k8s.io", kind });

/** All problems of an options kind at once. */
export function check(kind: string, problems: readonly (StatusCause | undefined)[]): void {
  const causes = problems.filter((problem) => problem !== undefined);
  if (causes.length > 0) throw invalid(meta(kind), "", causes);
}

export const problem = (reason: NonNullable<StatusCause["reason"]>, field: string, message: string): StatusCause => ({
  reason,
  field,
  message,
});

export const unsupported = (field: string, value: string, supported: readonly string[]): StatusCause =>
  problem(
    "FieldValueNotSupported",
    field,
    `Unsupported value: ${value}: supported values: ${supported.map((one) => JSON.stringify(one)).join(", ")}`,
  );

const forbiddenField = (field: string, why: string): StatusCause => problem("FieldValueForbidden", field, `Forbidden: ${why}`);

/** An integer as Go's `strconv.ParseInt` reads it. Undefined when the parameter is absent. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ""));
  if (BigInt.asIntN(64, value) !== value) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return Number(value);
}

export const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };

const readParameters = (query: URLSearchParams): ReadParameters => ({
  ...optional("resourceVersion", query.get("resourceVersion") || undefined),
  ...optional("resourceVersionMatch", (query.get("resourceVersionMatch") as Match | null) || undefined),
});

/** @throws {StatusError} BadRequest */
export function getOptions(query: URLSearchParams): ReadParameters {
  if (query.has("export")) {
    if (isTrue(query.get("export"))) throw badRequest("the export parameter, deprecated since v1.14, is no longer supported");
  }
  return optional("resourceVersion", query.get("resourceVersion") || undefined);
}

/** Selectors of a collection; a name in the path is the same as a field selector. */
function selectors(query: URLSearchParams, name: string): { labelSelector: string; fieldSelector: string } {
  const labelSelector = query.get("labelSelector") ?? "";
  const fieldSelector = query.get("fieldSelector") ?? "";
  if (name === "") return { labelSelector, fieldSelector };
  const named = `metadata.name=${name}`;
  if (fieldSelector === "") return { labelSelector, fieldSelector: named };
  const selected = /(?:^|,)metadata\.name==?([^,]*)(?:,|$)/.exec(fieldSelector)?.[1];
  if (selected !== name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
  return { labelSelector, fieldSelector };
}

/**
 * Which `resourceVersionMatch` goes with what is the registry's to judge.
 * @throws {StatusError} BadRequest, Invalid
 */
export function listOptions(query: URLSearchParams, namespace: string): ListParameters {
  const limit = integer(query, "limit");
  integer(query, "timeoutSeconds");
  check("ListOptions", [
    query.has("sendInitialEvents") ? forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list") : undefined,
  ]);
  return {
    namespace,
    ...selectors(query, ""),
    ...readParameters(query),
    ...optional("limit", limit),
    ...optional("continue", query.get("continue") || undefined),
  };
}

export interface WatchOptions {
  readonly parameters: WatchParameters;
  /** How long the client wants to watch; undefined when it does not say. */
  readonly timeoutSeconds: number | undefined;
}

/** @throws {StatusError} BadRequest */
export function watchOptions(query: URLSearchParams, namespace: string, name: string): WatchOptions {
  integer(query, "limit");
  return {
    parameters: {
      namespace,
      ...selectors(query, name),
      ...readParameters(query),
      allowWatchBookmarks: isTrue(query.get("allowWatchBookmarks")),
      ...(query.has("sendInitialEvents") && { sendInitialEvents: isTrue(query.get("sendInitialEvents")) }),
    },
    timeoutSeconds: integer(query, "timeoutSeconds"),
  };
}

const fieldManagerLimit = 128;
const validations = ["", "Ignore", "Strict", "Warn"];
const unprintable = /[\p{C}\p{Zl}\p{Zp}]|[^\S ]/u;

/** `"All"` and nothing else makes a dry run. */
export const dryRunProblem = (values: readonly string[]): StatusCause | undefined =>
  values.every((value) => value === "All") ? undefined : unsupported("dryRun", JSON.stringify(values), ["All"]);

export interface WriteOptions extends WriteParameters {
  readonly force: boolean | undefined;
}

/**
 * Options of create, update and patch.
 * @param apply the patch is an apply patch, for which the manager must be named
 * @throws {StatusError} Invalid
 */
export function writeOptions(
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  query: URLSearchParams,
  userAgent: string,
  apply = false,
): WriteOptions {
  const manager = query.get("fieldManager") ?? "";
  const dryRun = query.getAll("dryRun");
  const validation = query.get("fieldValidation") ?? "";
  const force = query.get("force");
  const bad = unprintable.exec(manager);
  check(kind, [
    apply && manager === "" ? problem("FieldValueRequired", "fieldManager", "Required value: is required for apply patch") : undefined,
    kind === "PatchOptions" && !apply && force !== null ? forbiddenField("force", "may not be specified for non-apply patch") : undefined,
    Buffer.byteLength(manager) > fieldManagerLimit
      ? problem("FieldValueTooLong", "fieldManager", `Too long: may not be more than ${fieldManagerLimit} bytes`)
      : undefined,
    bad
      ? problem(
          "FieldValueInvalid",
          "fieldManager",
          `Invalid value: ${quote(manager)}: invalid character ${unicodeName(bad[0])} (at position ${Buffer.byteLength(manager.slice(0, bad.index))})`,
        )
      : undefined,
    dryRunProblem(dryRun),
    validations.includes(validation) ? undefined : unsupported("fieldValidation", JSON.stringify(validation), validations),
  ]);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager || managerFromUserAgent(userAgent),
    fieldValidation: (validation || "Warn") as WriteParameters["fieldValidation"],
    force: force === null ? undefined : isTrue(force),
  };
}

const unicodeName = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Who writes when the client does not say: the User-Agent up to its first slash, printable characters only. */
export function managerFromUserAgent(userAgent: string): string {
  let manager = "";
  for (const character of userAgent.split("/", 1)[0] ?? "") {
    if (unprintable.test(character)) continue;
    if (Buffer.byteLength(manager + character) > fieldManagerLimit) break;
    manager += character;
  }
  return manager;
}

const badDuration = (why: string) => badRequest(`invalid timeout specified in the request URL - time: ${why}`);

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A duration as Go's `time.ParseDuration` reads it (`1m30s`).
 * @returns milliseconds
 * @throws {StatusError} BadRequest in Go's words
 */
export function durationMs(text: string): number {
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0;
  if (unsigned === "") throw badDuration(`invalid duration ${JSON.stringify(text)}`);
  let total = 0;
  let rest = unsigned;
  while (rest !== "") {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) throw badDuration(`invalid duration ${JSON.stringify(text)}`);
    rest = rest.slice(number.length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (unit === undefined) throw badDuration(`missing unit in duration ${JSON.stringify(text)}`);
    const factor = unitMs[unit];
    if (factor === undefined) throw badDuration(`unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(number) * factor;
    rest = rest.slice(unit.length);
  }
  return text.startsWith("-") ? -total : total;
}
