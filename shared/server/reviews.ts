/** Questions about identity and rights: answered on the spot, stored nowhere. */
import type { JsonObject } from "../api/objects.ts";
import type { Attributes, Authenticator, Authorizer, UserInfo } from "../auth/auth.ts";
import { unauthorized } from "../auth/token-authenticator.ts";
import { badRequest, invalid, type StatusCause, StatusError } from "../errors/status-error.ts";
import type { Clock } from "../runtime/clock.ts";

export interface ReviewContext {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly cluster: string;
  readonly user: UserInfo;
  /** From the path; empty for cluster-scoped reviews. */
  readonly namespace: string;
}

type Review = (body: JsonObject, context: ReviewContext) => Promise<JsonObject>;

/** Kinds of review by group and plural. */
const reviews: Readonly<Record<string, Review>> = {
  "authorization.k8s.io/selfsubjectaccessreviews": async (body, context) => {
    const spec = specOf(body);
    refuse("SelfSubjectAccessReview", accessProblems(spec));
    return { ...body, status: await decide(context.user, spec, context) };
  },
  "authorization.k8s.io/subjectaccessreviews": async (body, context) => {
    const spec = specOf(body);
    refuse("SubjectAccessReview", [...accessProblems(spec), ...subjectProblems(spec)]);
    return { ...body, status: await decide(subjectOf(spec), spec, context) };
  },
  "authorization.k8s.io/localsubjectaccessreviews": async (body, context) => {
    const spec = specOf(body);
    const namespace = text(object(spec.resourceAttributes), "namespace");
    const problems = [...accessProblems(spec), ...subjectProblems(spec)];
    if (spec.resourceAttributes !== undefined && namespace !== context.namespace)
      problems.push(bad("spec.resourceAttributes.namespace", JSON.stringify(namespace), "must match metadata.namespace"));
    if (spec.nonResourceAttributes !== undefined)
      problems.push(bad("spec.nonResourceAttributes", JSON.stringify(spec.nonResourceAttributes), "disallowed on this kind of request"));
    refuse("LocalSubjectAccessReview", problems);
    return { ...body, status: await decide(subjectOf(spec), spec, context) };
  },
  "authorization.k8s.io/selfsubjectrulesreviews": async (body, { authorizer, user, cluster }) => {
    const namespace = text(specOf(body), "namespace");
    if (namespace === "") throw badRequest("no namespace on request");
    const { resourceRules, nonResourceRules, incomplete } = await authorizer.rules(user, namespace, cluster);
    return { ...body, status: { resourceRules, nonResourceRules, incomplete } };
  },
  "authentication.k8s.io/selfsubjectreviews": async (body, { user, clock }) => ({
    ...body,
    metadata: {
      creationTimestamp: clock
        .now()
        .toISOString()
        .replace(/\.\d+Z$/, "Z"),
    },
    status: { userInfo: describe(user) },
  }),
  "authentication.k8s.io/tokenreviews": async (body, { authenticator, cluster }) => {
    const token = text(specOf(body), "token");
    if (token === "") throw badRequest("token is required for TokenReview in authentication");
    return { ...body, status: await authenticate(token, texts(specOf(body), "audiences"), authenticator, cluster) };
  },
};

/** How a kind is reviewed; undefined for kinds that are stored. */
export const reviewOf = (group: string, plural: string): Review | undefined => reviews[`${group}/${plural}`];

async function authenticate(
  token: string,
  audiences: readonly string[],
  authenticator: Authenticator,
  cluster: string,
): Promise<JsonObject> {
  try {
    const user = await authenticator.authenticate({
      headers: bearer(token),
      cluster,
      ...(audiences.length > 0 && { audiences }),
    });
    if (!user) return { user: {} };
    return { authenticated: true, user: describe(user), ...(user.audiences && { audiences: user.audiences }) };
  } catch (error) {
    if (error instanceof StatusError && error.reason === "Unauthorized") return { user: {}, error: "invalid bearer token" };
    throw error;
  }
}

/** @throws {StatusError} Unauthorized for what no header can carry, and so no client can send */
function bearer(token: string): Headers {
  try {
    return new Headers({ authorization: `Bearer ${token}` });
  } catch {
    throw unauthorized();
  }
}

const describe = ({ username, uid, groups, extra }: UserInfo): JsonObject => ({
  username,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra && { extra }),
});

async function decide(user: UserInfo, spec: JsonObject, { authorizer, cluster }: ReviewContext): Promise<JsonObject> {
  const { allowed, reason } = await authorizer.authorize(user, attributesIn(spec), cluster);
  return { allowed, ...(reason && { reason }) };
}

function attributesIn(spec: JsonObject): Attributes {
  if (spec.resourceAttributes === undefined) {
    const path = object(spec.nonResourceAttributes);
    return { type: "path", verb: text(path, "verb"), path: text(path, "path") };
  }
  const resource = object(spec.resourceAttributes);
  const of = (name: string) => text(resource, name);
  return {
    type: "resource",
    verb: of("verb"),
    group: of("group"),
    version: of("version"),
    resource: of("resource"),
    subresource: of("subresource"),
    namespace: of("namespace"),
    name: of("name"),
  };
}

function subjectOf(spec: JsonObject): UserInfo {
  const uid = text(spec, "uid");
  return {
    username: text(spec, "user"),
    groups: Array.isArray(spec.groups) ? spec.groups.map(String) : [],
    ...(uid && { uid }),
    ...(spec.extra !== undefined && { extra: object(spec.extra) as Record<string, string[]> }),
  };
}

const bad = (field: string, value: string, message: string): StatusCause => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${value}: ${message}`,
});

function accessProblems(spec: JsonObject): StatusCause[] {
  const resource = spec.resourceAttributes !== undefined;
  const path = spec.nonResourceAttributes !== undefined;
  if (resource && path)
    return [
      bad(
        "spec.nonResourceAttributes",
        JSON.stringify(spec.nonResourceAttributes),
        "cannot be specified in combination with resourceAttributes",
      ),
    ];
  if (!resource && !path)
    return [bad("spec.resourceAttributes", "null", "exactly one of nonResourceAttributes or resourceAttributes must be specified")];
  return [];
}

const subjectProblems = (spec: JsonObject): StatusCause[] =>
  text(spec, "user") === "" && !(Array.isArray(spec.groups) && spec.groups.length > 0)
    ? [bad("spec.user", '""', "at least one of user or group must be specified")]
    : [];

function refuse(kind: string, problems: readonly StatusCause[]): void {
  if (problems.length > 0) throw invalid({ group: "authorization.k8s.io", kind }, "", problems);
}

const object = (value: unknown): JsonObject => (typeof value === "object" && value !== null ? (value as JsonObject) : {});
const specOf = (body: JsonObject): JsonObject => object(body.spec);
const texts = (of: JsonObject, name: string): string[] => (Array.isArray(of[name]) ? of[name].map(String) : []);
const text = (of: JsonObject, name: string): string => (typeof of[name] === "string" ? of[name] : "");
