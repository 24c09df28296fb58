/** DeleteOptions: in the query, or in a body that must not say otherwise. */
import { isDeepStrictEqual } from "node:util";
import { badRequest } from "../errors/status-error.ts";
import type { DeleteParameters } from "../registry/registry.ts";
import { check, dryRunProblem, integer, optional, problem, unsupported } from "./query.ts";
import { isTrue } from "./request-info.ts";

type Propagation = NonNullable<DeleteParameters["propagationPolicy"]>;

/** DeleteOptions as they stand in a body. */
interface DeleteOptionsBody {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: Propagation;
  readonly orphanDependents?: boolean;
  readonly dryRun?: readonly string[];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** DeleteOptions from the query, which counts only when there is no body. */
function deleteOptionsInQuery(query: URLSearchParams): DeleteOptionsBody {
  const uid = query.get("uid") ?? "";
  const resourceVersion = query.get("resourceVersion") ?? "";
  const orphan = query.get("orphanDependents");
  return {
    ...optional("gracePeriodSeconds", integer(query, "gracePeriodSeconds")),
    ...optional("propagationPolicy", (query.get("propagationPolicy") as Propagation | null) ?? undefined),
    ...optional("orphanDependents", orphan === null ? undefined : isTrue(orphan)),
    dryRun: query.getAll("dryRun"),
    ...((uid || resourceVersion) && {
      preconditions: { ...optional("uid", uid || undefined), ...optional("resourceVersion", resourceVersion || undefined) },
    }),
  };
}

/**
 * @param body decoded DeleteOptions; undefined when the request had no body
 * @throws {StatusError} BadRequest, Invalid
 */
export function deleteOptions(query: URLSearchParams, body: DeleteOptionsBody | undefined): DeleteParameters {
  const inQuery = deleteOptionsInQuery(query);
  if (body) refuseContradiction(inQuery, body);
  const options = body ?? inQuery;
  const { propagationPolicy: policy, orphanDependents: orphan } = options;
  check("DeleteOptions", [
    orphan !== undefined && policy !== undefined
      ? problem(
          "FieldValueInvalid",
          "propagationPolicy",
          `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
        )
      : undefined,
    policy === undefined || ["Foreground", "Background", "Orphan"].includes(policy)
      ? undefined
      : unsupported("propagationPolicy", JSON.stringify(policy), ["Foreground", "Background", "Orphan", "nil"]),
    dryRunProblem(options.dryRun ?? []),
  ]);
  return {
    dryRun: (options.dryRun ?? []).length > 0,
    ...optional("gracePeriodSeconds", options.gracePeriodSeconds),
    ...optional("propagationPolicy", policy),
    ...optional("orphanDependents", orphan),
    ...optional("preconditions", options.preconditions),
  };
}

/**
 * The same for a collection, whose query also says which list is read: beside a body, `resourceVersion` is that list's.
 * @throws {StatusError} BadRequest, Invalid
 */
export function collectionDeleteOptions(query: URLSearchParams, body: DeleteOptionsBody | undefined): DeleteParameters {
  const options = new URLSearchParams(query);
  if (body) options.delete("resourceVersion");
  return deleteOptions(options, body);
}

/** Whoever asks for a dry run in the query and not in the body must not lose the object: what the query says, the body must say too. */
function refuseContradiction(query: DeleteOptionsBody, body: DeleteOptionsBody): void {
  for (const [name, value] of Object.entries(query)) {
    const given = Array.isArray(value) ? value.length > 0 : true;
    if (given && !isDeepStrictEqual(value, body[name as keyof DeleteOptionsBody]))
      throw badRequest(`the delete option ${name} differs between the query parameters and the request body`);
  }
}
