/** The type that a patch left an object with: upstream reads the result as what it says it is, and not as what it was. */
import { builtinKinds } from "../api/builtin-kinds.ts";
import { DecodeError } from "../api/codec.ts";
import { apiVersionOf, groupOf, type Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { badRequest, invalid } from "../errors/status-error.ts";
import { typeProblem } from "./decode.ts";
import { show } from "./values.ts";

/**
 * The kind that the result of a JSON or merge patch is to be read as: another version of the same resource, where the patch says so.
 * @param name of the object
 * @param subresource empty for the object itself
 * @throws {DecodeError | StatusError} when the result cannot become an object of `kind` again
 */
export function typeLeftBy(kind: Kind, name: string, subresource: string, { apiVersion, kind: type }: JsonObject): Kind {
  for (const [field, value] of Object.entries({ apiVersion, kind: type }))
    if (value !== undefined && value !== null && typeof value !== "string")
      throw new DecodeError(`.${field} accessor error: ${show(value)} is not of the type string`);
  if (kind.custom) return customTypeLeft(kind, name, subresource, show(apiVersion), show(type));
  const own = apiVersionOf(kind);
  // Without a version it is read as Kubernetes' internal one, which has no `metadata` to find a name in.
  if (!apiVersion) throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (apiVersion === own && (!type || type === kind.kind)) return kind;
  const wanted = show(type) || kind.kind;
  const named = builtinKinds().find((one) => one.kind === wanted && apiVersionOf(one) === apiVersion);
  if (!named) throw new DecodeError(`no kind ${JSON.stringify(wanted)} is registered for version ${JSON.stringify(apiVersion)}`);
  if (named.storage === kind.storage) return named;
  throw new DecodeError(`converting (${named.version}.${wanted}) to (${internalPackage(kind)}.${kind.kind}): unknown conversion`);
}

/** Go's package for the internal types of a group: `rbac` for `rbac.authorization.k8s.io`. */
const internalPackage = ({ group }: Kind): string => (group === "" ? "core" : (group.split(".")[0] ?? group));

function customTypeLeft(kind: Kind, name: string, subresource: string, apiVersion: string, type: string): Kind {
  if (type === "") throw new DecodeError("Object 'Kind' is missing");
  // Of what a patch of the status made, only the status is kept.
  if (subresource === "status") return kind;
  const own = apiVersionOf(kind);
  const problems = [
    ...(type === kind.kind ? [] : [typeProblem("kind", type, kind.kind)]),
    ...(apiVersion === own ? [] : [typeProblem("apiVersion", apiVersion, own)]),
  ];
  if (problems.length === 0) return kind;
  throw invalid({ group: groupOf(apiVersion), kind: type }, name, problems);
}
