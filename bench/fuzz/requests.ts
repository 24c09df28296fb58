/**
 * One hostile request per number. Every write is a dry run, whatever else is wrong with it: what is accepted by accident must not change
 * the data either.
 */
import { encodeProtobuf } from "../../shared/api/protobuf.ts";
import { accepts, bodies, contentTypes, selectors, spoilBytes, spoilValue, strings, tokens, values } from "./hostile.ts";
import { type Chance, chance } from "./random.ts";
import { samples } from "./samples.ts";

export interface HostileRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

interface Place {
  /** Path of the collection. */
  readonly collection: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
  /** OpenAPI definition, for protobuf; undefined for custom resources. */
  readonly definition: string | undefined;
  readonly subresources: readonly string[];
}

const places: readonly Place[] = samples.map(({ collection, object, definition, subresources = [] }) => ({
  collection,
  name: object.metadata.name,
  object,
  definition,
  subresources,
}));

const otherPaths = [
  "/",
  "/api",
  "/api/v1",
  "/apis",
  "/apis/apps",
  "/apis/apps/v1",
  "/apis/example.com/v1",
  "/version",
  "/healthz",
  "/livez/ping",
  "/readyz",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openapi/v3/apis/apps/v1",
  "/.well-known/openid-configuration",
  "/openid/v1/jwks",
  "/clusters/none/api/v1/pods",
  "/clusters/default/api/v1/namespaces/default/pods",
  "/api/v1/watch/namespaces/default/pods",
  "/api/v1/namespaces/default/pods/web/exec",
  "/api/v1/namespaces/default/pods/web/proxy/x/y",
  "/api/v1/namespaces/default/services/web/proxy",
  "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  "/apis/authentication.k8s.io/v1/tokenreviews",
  "/api/v1/componentstatuses",
];

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const oddMethods = [...methods, "HEAD", "OPTIONS", "PROPFIND", "get"];

export function hostileRequest(seed: number, number: number): HostileRequest {
  const dice = chance(seed, number);
  const method = dice.in(20) ? dice.one(oddMethods) : dice.one(methods);
  const place = dice.one(places);
  const path = dice.in(8) ? dice.one(otherPaths) : pathOf(place, method, dice);
  const headers: Record<string, string> = {};
  const body = method === "GET" || method === "HEAD" ? undefined : bodyOf(place, path, method, headers, dice);
  hostileHeaders(headers, dice);
  return { method, target: `${dice.in(6) ? spoilPath(path, dice) : path}${queryOf(method, dice)}`, headers: sendable(headers), body };
}

function pathOf({ collection, name, subresources }: Place, method: string, dice: Chance): string {
  const isCollection = method === "POST" ? !dice.in(4) : dice.in(3);
  if (isCollection) return collection;
  const subresource = subresources.length > 0 && dice.in(2) ? `/${dice.one(subresources)}` : "";
  return `${collection}/${dice.in(10) ? encodeURIComponent(wellFormed(dice.one(strings))) : name}${subresource}`;
}

const wellFormed = (text: string): string => text.toWellFormed();

function spoilPath(path: string, dice: Chance): string {
  const segments = path.split("/");
  const at = 1 + dice.below(Math.max(1, segments.length - 1));
  switch (dice.below(4)) {
    case 0:
      segments[at] = encodeURIComponent(wellFormed(dice.one(strings)));
      break;
    case 1:
      segments.splice(at, 0, encodeURIComponent(wellFormed(dice.one(strings))));
      break;
    case 2:
      segments.splice(at, 1);
      break;
    default:
      segments[at] = dice.one(["%", "%zz", "%2e%2e", "%2f", "%5c", "%25", "a;b", "%ff%fe"]);
  }
  return segments.join("/").startsWith("/") ? segments.join("/") : `/${segments.join("/")}`;
}

const parameters: Readonly<Record<string, readonly string[]>> = {
  labelSelector: selectors,
  fieldSelector: selectors,
  limit: ["0", "-1", "1", "2", "x", "1e3", "99999999999999999999", " 1"],
  continue: [...strings, "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4ifQ", Buffer.from('{"v":"x"}').toString("base64url")],
  resourceVersion: ["0", "1", "-1", "x", "99999999999999999999", "9007199254740993", "01"],
  resourceVersionMatch: ["Exact", "NotOlderThan", "Nonsense", ""],
  sendInitialEvents: ["true", "x"],
  allowWatchBookmarks: ["true"],
  watch: ["true", "1", "false", "x"],
  timeoutSeconds: ["0", "1", "-1", "x", "99999999999"],
  timeout: ["1s", "-1s", "x", "1", "1h1h1h", "1h".repeat(2_000)],
  pretty: ["true", "x"],
  fieldManager: [...strings, "me"],
  fieldValidation: ["Strict", "Warn", "Ignore", "Nonsense"],
  force: ["true", "x"],
  dryRun: ["None", "All", ""],
  gracePeriodSeconds: ["0", "-1", "x", "99999999999999999999"],
  propagationPolicy: ["Orphan", "Background", "Foreground", "Nonsense"],
  orphanDependents: ["true", "x"],
  includeObject: ["None", "Object", "Metadata", "Nonsense"],
  container: strings,
  tailLines: ["-1", "x", "0"],
  sinceSeconds: ["-1", "x"],
  follow: ["x"],
  hash: strings,
  exclude: strings,
  verbose: [""],
  shardSelector: strings,
};

function queryOf(method: string, dice: Chance): string {
  const query = new URLSearchParams();
  if (dice.in(2)) {
    for (let times = 1 + dice.below(4); times > 0; times--) {
      const name = dice.one(Object.keys(parameters));
      query.append(name, wellFormed(dice.one(parameters[name] ?? strings)));
    }
    if (dice.in(20)) query.append(wellFormed(dice.one(strings)), wellFormed(dice.one(strings)));
  }
  if (method !== "GET" && method !== "HEAD") query.append("dryRun", "All");
  if (dice.in(50)) for (let times = 0; times < 2_000; times++) query.append("a", "b");
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value) ?? "null");

function bodyOf(place: Place, path: string, method: string, headers: Record<string, string>, dice: Chance): Uint8Array {
  if (dice.in(6)) {
    headers["content-type"] = method === "PATCH" ? dice.one(patchTypes) : dice.one(contentTypes);
    return Buffer.from(dice.one(bodies));
  }
  if (method === "PATCH") return patchOf(place, headers, dice);
  const object = bodyFor(place, path, method);
  if (place.definition && object === place.object && dice.in(4)) {
    headers["content-type"] = "application/vnd.kubernetes.protobuf";
    return spoilBytes(encodeProtobuf(place.definition, { ...place.object }), dice);
  }
  headers["content-type"] = dice.in(12) ? dice.one(contentTypes) : "application/json";
  if (dice.in(5)) return spoilBytes(json(object), dice);
  let spoilt: unknown = object;
  for (let times = 1 + dice.below(3); times > 0; times--) spoilt = spoilValue(spoilt, dice);
  return json(spoilt);
}

/** What would be right here. */
function bodyFor({ object, name }: Place, path: string, method: string): unknown {
  if (method === "DELETE") return { kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"], propagationPolicy: "Background" };
  const metadata = { name, namespace: "default" };
  if (path.endsWith("/scale")) return { kind: "Scale", apiVersion: "autoscaling/v1", metadata, spec: { replicas: 2 } };
  if (path.endsWith("/eviction")) return { kind: "Eviction", apiVersion: "policy/v1", metadata, deleteOptions: { dryRun: ["All"] } };
  if (path.endsWith("/binding")) return { kind: "Binding", apiVersion: "v1", metadata, target: { kind: "Node", name: "n" } };
  if (path.endsWith("/token"))
    return {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      spec: { audiences: ["a"], expirationSeconds: 600, boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "web" } },
    };
  if (path.endsWith("accessreviews"))
    return { spec: { resourceAttributes: { verb: "get", resource: "pods" }, nonResourceAttributes: undefined } };
  if (path.endsWith("tokenreviews")) return { spec: { token: "a.b.c", audiences: ["x"] } };
  return object;
}

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

function patchOf({ object }: Place, headers: Record<string, string>, dice: Chance): Uint8Array {
  const type = dice.one(patchTypes);
  headers["content-type"] = dice.in(15) ? dice.one(contentTypes) : type;
  if (type !== "application/json-patch+json") {
    const spoilt = spoilValue(object, dice);
    return dice.in(8) ? spoilBytes(json(spoilt), dice) : json(spoilt);
  }
  const path = () =>
    dice.one([
      "",
      "/",
      "/metadata",
      "/metadata/name",
      "/metadata/labels",
      "/spec",
      "/spec/-",
      "/spec/containers/0",
      "/a~2b",
      "/a/b/c/~1",
      ...strings,
    ]);
  const operation = () => ({
    op: dice.in(10) ? dice.one(strings) : dice.one(["add", "remove", "replace", "move", "copy", "test"]),
    path: path(),
    ...(dice.in(2) && { from: path() }),
    ...(dice.in(2) && { value: dice.one(values) }),
  });
  const count = dice.in(30) ? 10_001 : 1 + dice.below(6);
  const operations =
    count > 10_000 ? Array.from({ length: count }, () => ({ op: "test", path: "/a" })) : Array.from({ length: count }, operation);
  return json(dice.in(12) ? spoilValue(operations, dice) : operations);
}

function hostileHeaders(headers: Record<string, string>, dice: Chance): void {
  headers.authorization = dice.in(12) ? dice.one(["Bearer", "bearer ", "Basic eDp5", `Bearer ${dice.one(tokens)}`]) : "Bearer fuzz-admin";
  if (dice.in(4)) headers.accept = dice.one(accepts);
  if (dice.in(10)) headers["accept-encoding"] = dice.one(["gzip", "gzip;q=0", "br", "", "gzip, gzip, x"]);
  if (dice.in(12)) headers["user-agent"] = dice.one(strings);
  if (dice.in(12)) headers["impersonate-user"] = dice.one(strings);
  if (dice.in(20)) headers["impersonate-group"] = dice.one(strings);
  if (dice.in(20)) headers["impersonate-uid"] = dice.one(strings);
  if (dice.in(20)) headers[`impersonate-extra-${encodeURIComponent(wellFormed(dice.one(strings)).slice(0, 50))}`] = dice.one(strings);
  if (dice.in(20)) headers["if-none-match"] = dice.one(['"x"', "*", 'W/"x"', ...strings]);
  if (dice.in(20)) headers["audit-id"] = dice.one(strings);
  if (dice.in(30)) headers["content-length"] = dice.one(["-1", "0", "99999999999", "x"]);
  if (dice.in(40)) headers["x-http-method-override"] = "DELETE";
}

/** What no HTTP client could send does not reach a server. */
function sendable(headers: Readonly<Record<string, string>>): Record<string, string> {
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    try {
      sent.set(name, value);
    } catch {
      // Left out.
    }
  }
  return Object.fromEntries(sent);
}

/** The same request as a shell would send it. */
export function asCurl({ method, target, headers, body }: HostileRequest): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const shown = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value.slice(0, 300)}`)}`);
  const data = body === undefined ? [] : [`--data-binary @<(echo ${Buffer.from(body.subarray(0, 3_000)).toString("base64")} | base64 -d)`];
  return ["curl", "-X", quoted(method), ...shown, ...data, quoted(`https://127.0.0.1:6443${target.slice(0, 2_000)}`)].join(" ");
}
