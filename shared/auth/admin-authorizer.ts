/**
 * The authorizer of a deployment without role-based access control: administrators and Binnacle's own parts may do everything,
 * other authenticated users may look at what the API consists of and ask about themselves, everybody may ask after its health.
 * These are what Kubernetes' default roles `system:discovery`, `system:basic-user`, `system:public-info-viewer` and, for ServiceAccounts,
 * `system:service-account-issuer-discovery` allow.
 */
import type { Attributes, Authorizer, Decision, Rules, UserInfo } from "./auth.ts";

const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
const discoveryPaths = ["/api", "/api/*", "/apis", "/apis/*", ...publicPaths, "/openapi", "/openapi/*"];
/** Where the keys are that ServiceAccount tokens are verified with. */
const issuerPaths = ["/.well-known/openid-configuration", "/openid/v1/jwks"];
const selfReviews = [
  { group: "authorization.k8s.io", resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"] },
  { group: "authentication.k8s.io", resources: ["selfsubjectreviews"] },
];

const denied: Decision = { allowed: false, reason: "" };
const allowed = (reason: string): Decision => ({ allowed: true, reason });

const isAdministrator = ({ groups }: UserInfo) => groups.includes("system:masters");
const isAuthenticated = ({ groups }: UserInfo) => groups.includes("system:authenticated");

export function adminAuthorizer(): Authorizer {
  return {
    async authorize(user, attributes) {
      if (isAdministrator(user)) return allowed("");
      return attributes.type === "path" ? judgePath(user, attributes) : judgeResource(user, attributes);
    },

    async rules(user): Promise<Rules> {
      if (isAdministrator(user))
        return {
          resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
          nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
          incomplete: false,
        };
      return {
        resourceRules: isAuthenticated(user)
          ? selfReviews.map(({ group, resources }) => ({ verbs: ["create"], apiGroups: [group], resources }))
          : [],
        nonResourceRules: [{ verbs: ["get"], nonResourceURLs: pathsOf(user) }],
        incomplete: false,
      };
    },
  };
}

const pathsOf = (user: UserInfo): string[] => [
  ...(isAuthenticated(user) ? discoveryPaths : publicPaths),
  ...(user.groups.includes("system:serviceaccounts") ? issuerPaths : []),
];

function judgePath(user: UserInfo, { verb, path }: Extract<Attributes, { type: "path" }>): Decision {
  const patterns = pathsOf(user);
  const matches = (pattern: string) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern);
  return verb === "get" && patterns.some(matches) ? allowed("") : denied;
}

function judgeResource(user: UserInfo, { verb, group, resource, subresource }: Extract<Attributes, { type: "resource" }>): Decision {
  const own = selfReviews.some((review) => review.group === group && review.resources.includes(resource));
  return isAuthenticated(user) && verb === "create" && own && subresource === "" ? allowed("") : denied;
}
