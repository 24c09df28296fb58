/** Questions about identity and rights: answered on the spot, stored nowhere. */
import type { JsonObject } from "../api/objects.ts";
import type { Attributes, Authenticator, Authorizer, UserInfo } from "../auth/auth.ts";
import { unauthorized } from "../auth/token-authenticator.ts";
import { badRequest, invalid, type StatusCause, StatusError } from "../errors/status-error.ts";
import type { Clock } from "../runtime/clock.ts";
import { accessProblems, localProblems, metadataProblems, selectionProblems, subjectProblems } from "./review-problems.ts";

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
    refuse([...accessProblems(body), ...selectionProblems(body), ...metadataProblems(body)]);
    const spec = specOf(body);
    return { ...body, status: await decide(context.user, spec, context) };
  },
  "authorization.k8s.io/subjectaccessreviews": async (body, context) => {
    refuse([...accessProblems(body), ...subjectProblems(body), ...selectionProblems(body), ...metadataProblems(body)]);
    const spec = specOf(body);
    return { ...body, status: await decide(subjectOf(spec), spec, context) };
  },
  "authorization.k8s.io/localsubjectaccessreviews": async (body, context) => {
    refuse([
      ...accessProblems(body),
      ...subjectProblems(body),
      ...selectionProblems(body),
      ...metadataProblems(body, ["namespace"]),
      ...localProblems(body, context.namespace),
    ]);
    const spec = specOf(body);
    return { ...body, status: await decide(subjectOf(spec), spec, context) };
  },
  // The answer is about who asks, and repeats nothing of the question.
  "authorization.k8s.io/selfsubjectrulesreviews": async ({ kind, apiVersion, spec }, { authorizer, user, cluster }) => {
    const namespace = text(object(spec), "namespace");
    if (namespace === "") throw badRequest("no namespace on request");
    const { resourceRules, nonResourceRules, incomplete } = await authorizer.rules(user, namespace, cluster);
    return { kind, apiVersion, metadata: {}, spec: {}, status: { resourceRules, nonResourceRules, incomplete } };
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

/** Upstream does not say which kind of review it is. */
function refuse(problems: readonly StatusCause[]): void {
  if (problems.length > 0) throw invalid({ group: "authorization.k8s.io", kind: "" }, "", problems);
}

const object = (value: unknown): JsonObject => (typeof value === "object" && value !== null ? (value as JsonObject) : {});
const specOf = (body: JsonObject): JsonObject => object(body.spec);
const texts = (of: JsonObject, name: string): string[] => (Array.isArray(of[name]) ? of[name].map(String) : []);
const text = (of: JsonObject, name: string): string => (typeof of[name] === "string" ? of[name] : "");
