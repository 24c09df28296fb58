/** Requests for resources: which kind they are about, and which operation their verb means. */
import type { Kind } from "../api/kind.ts";
import { notFound } from "../errors/status-error.ts";
import type { Catalog, Registry } from "../registry/registry.ts";
import { deprecationWarning } from "./deprecation.ts";
import { methodNotAllowed, pageNotFound, resourceNotFound } from "./errors.ts";
import type { Exchange, KindRequest, ResourceOptions } from "./kind-request.ts";
import { get, list, watch } from "./reads.ts";
import type { ResourcePath } from "./request-info.ts";

let loading: Promise<typeof import("./less-often.ts")> | undefined;

/** What plain reads do not need is loaded with the first request that does. An import takes its time even when all is there, so it is kept. */
const lessOften = () => (loading ??= import("./less-often.ts"));

export function resourceHandler(options: ResourceOptions): (exchange: Exchange) => Promise<Response> {
  return async (exchange) => {
    const { resource, info, context } = exchange;
    const found = await findKind(options.registry, context.cluster, resource);
    if (!found.kind) return found.groupIsBuiltIn ? Promise.reject(resourceNotFound()) : pageNotFound();
    // Another server of upstream's serves custom resources, which knows no path but theirs.
    if (found.kind.custom && isMisplaced(found.kind, resource, exchange.request.method)) return pageNotFound();
    checkShape(found.kind, resource, exchange.request.method);
    const request = { ...exchange, kind: found.kind, options };
    const warning = deprecationWarning(found.kind);
    if (warning) context.warnings.push(warning);
    if (resource.subresource === "") return mainResource(request, info.verb);
    const { subresource } = await lessOften();
    return subresource(request, info.verb);
  };
}

/** A kind that came just now (a CRD and its first object arrive moments apart) is looked for again, strongly consistent. */
async function findKind(
  registry: Registry,
  cluster: string,
  { group, version, plural }: ResourcePath,
): Promise<{ readonly kind: Kind | undefined; readonly groupIsBuiltIn: boolean }> {
  const find = (catalog: Catalog) => catalog.byResource(group, version, plural);
  let catalog = await registry.catalog(cluster);
  let kind = find(catalog);
  if (!kind || kind.custom) {
    catalog = await registry.catalog(cluster, { fresh: true });
    kind = find(catalog);
  }
  return { kind, groupIsBuiltIn: group === "" || catalog.all().some((one) => one.group === group && !one.custom) };
}

/** What can be done with one object: of a question that is only asked there is none. */
const verbsOfOne: ReadonlySet<string> = new Set(["get", "update", "patch", "delete"]);

/** A path that leaves out the namespace where it must not, or has one too many. */
function isMisplaced(kind: Kind, { namespace, name }: ResourcePath, method: string): boolean {
  return kind.namespaced ? namespace === "" && (name !== "" || method !== "GET") : namespace !== "";
}

/** Which paths and methods exist for a kind: what is not routed does not exist, whoever asks. */
function checkShape(kind: Kind, { namespace, name, subresource }: ResourcePath, method: string): void {
  const inNamespace = namespace !== "" && kind.plural !== "namespaces";
  if (inNamespace && !kind.namespaced) throw resourceNotFound();
  if (kind.namespaced && !inNamespace) {
    if (name !== "") throw resourceNotFound();
    if (method !== "GET") throw methodNotAllowed();
  }
  if (name !== "" && subresource === "" && !kind.verbs.some((verb) => verbsOfOne.has(verb))) throw resourceNotFound();
  if (subresource === "" || kind.subresources.some((one) => one.name === subresource)) return;
  throw kind.custom ? notFound(kind, name) : resourceNotFound();
}

async function mainResource(request: KindRequest, verb: string): Promise<Response> {
  const { kind, resource } = request;
  // What discovery says no more of a kind that is going is answered by the registry.
  if (request.request.method === "HEAD" || !(kind.verbs.includes(verb) || kind.isGoing)) throw methodNotAllowed();
  if (verb === "create" && resource.name !== "") throw methodNotAllowed();
  if ((verb === "update" || verb === "patch") && resource.name === "") throw methodNotAllowed();
  switch (verb) {
    case "get":
      return get(request);
    case "list":
      return list(request);
    case "watch":
      return watch(request);
    default:
      return change(request, verb);
  }
}

async function change(request: KindRequest, verb: string): Promise<Response> {
  const { create, patch, remove, removeCollection, update } = await lessOften();
  switch (verb) {
    case "create":
      return create(request);
    case "update":
      return update(request);
    case "patch":
      return patch(request);
    case "delete":
      return remove(request);
    case "deletecollection":
      return removeCollection(request);
    default:
      throw methodNotAllowed();
  }
}
