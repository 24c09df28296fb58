/** What a request's method and path mean, before anything is known about the kinds a cluster serves. */
import { badRequest } from "../errors/status-error.ts";

/** The cluster that is served at `/`; others are at `/clusters/NAME/`. */
export const defaultCluster = "default";

/** A request for a resource, by its path's shape alone: the resource need not exist. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** Empty for cluster-scoped resources and across all namespaces. */
  readonly namespace: string;
  readonly plural: string;
  /** Empty for collections. */
  readonly name: string;
  readonly subresource: string;
  /** Path segments after the subresource (`proxy` has them). */
  readonly rest: readonly string[];
  /** The deprecated `/watch/` form, which watches without asking for it in the query. */
  readonly watchPath: boolean;
}

export interface RequestInfo {
  readonly cluster: string;
  /** Decoded, without the cluster's prefix. */
  readonly path: string;
  /** What to put in front of a path so that it stays in the same cluster: empty or `/clusters/NAME`. */
  readonly prefix: string;
  /** Kubernetes' verb for resources, the method in lower case otherwise. */
  readonly verb: string;
  readonly resource: ResourcePath | undefined;
}

/** Third path segments of `/namespaces/NAME/…` which are subresources of the Namespace, not resources in it. */
const namespaceSubresources = new Set(["status", "finalize"]);

const verbByMethod: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/**
 * Segments of a path, decoded once. A trailing slash is ignored.
 * @throws {StatusError} BadRequest for anything that could be read as another path than the one which was authorised
 */
export function decodePath(pathname: string): string[] {
  const trimmed = pathname.replace(/^\//, "").replace(/\/$/, "");
  if (trimmed === "") return [];
  return trimmed.split("/").map((raw) => {
    const segment = decode(raw);
    if (segment === "" || segment === "." || segment === ".." || /[%/\\]/.test(segment))
      throw badRequest(`the request path is not usable: the segment ${JSON.stringify(segment)} is not allowed`);
    return segment;
  });
}

const decode = (raw: string): string => {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw badRequest(`the request path is not usable: ${JSON.stringify(raw)} is not percent-encoded UTF-8`);
  }
};

/** @throws {StatusError} BadRequest when the path is ambiguous */
export function requestInfo(method: string, pathname: string, query: URLSearchParams): RequestInfo {
  const all = decodePath(pathname);
  const inCluster = all[0] === "clusters" && all.length >= 2;
  const cluster = inCluster ? (all[1] ?? "") : defaultCluster;
  const segments = inCluster ? all.slice(2) : all;
  const base = { cluster, path: `/${segments.join("/")}`, prefix: inCluster ? `/clusters/${cluster}` : "" };
  const resource = resourcePath(segments);
  return { ...base, resource, verb: resource ? resourceVerb(method, resource, query) : method.toLowerCase() };
}

function resourcePath(segments: readonly string[]): ResourcePath | undefined {
  const grouped = segments[0] === "apis";
  if (!grouped && segments[0] !== "api") return undefined;
  const [group, version, ...parts] = grouped ? segments.slice(1) : ["", ...segments.slice(1)];
  if (group === undefined || version === undefined || parts.length === 0) return undefined;

  const watchPath = parts[0] === "watch" && parts.length > 1;
  if (watchPath) parts.shift();
  const inNamespace = parts[0] === "namespaces" && parts.length > 1;
  const namespace = inNamespace ? (parts[1] ?? "") : "";
  if (inNamespace && parts.length > 2 && !namespaceSubresources.has(parts[2] ?? "")) parts.splice(0, 2);

  const [plural = "", name = "", subresource = "", ...rest] = parts;
  return { group, version, namespace, plural, name, subresource, rest, watchPath };
}

function resourceVerb(method: string, { name, watchPath }: ResourcePath, query: URLSearchParams): string {
  if (watchPath) return "watch";
  const verb = verbByMethod[method] ?? "";
  if (verb === "get" && name === "") return isTrue(query.get("watch")) ? "watch" : "list";
  // A watch on one object: `/pods/NAME?watch=true` is not a watch in Kubernetes either; the query is ignored there.
  if (verb === "delete" && name === "") return "deletecollection";
  return verb;
}

/** A query parameter as Kubernetes reads booleans: present and neither `0` nor `false`. */
export const isTrue = (value: string | null): boolean => value !== null && value !== "0" && value.toLowerCase() !== "false";
