/** What the rules of a FlowSchema may say: who asks, and for what. */
import type {
  FlowcontrolSubject,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
} from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../names.ts";
import type { Given } from "./given.ts";
import { eachItem, forbidden, invalid, invalidEach, notSupported, required } from "./problems.ts";

const everything = "*";
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

export function validateFlowRule(
  { subjects = [], resourceRules = [], nonResourceRules = [] }: Given<PolicyRulesWithSubjects>,
  at: string,
): Problem[] {
  return [
    ...(subjects.length === 0 ? [required(`${at}.subjects`, "subjects must contain at least one value")] : []),
    ...eachItem(`${at}.subjects`, subjects, validateSubject),
    ...(resourceRules.length + nonResourceRules.length === 0
      ? [required(at, "at least one of resourceRules and nonResourceRules has to be non-empty")]
      : []),
    ...eachItem(`${at}.resourceRules`, resourceRules, validateResourceRule),
    ...eachItem(`${at}.nonResourceRules`, nonResourceRules, validateNonResourceRule),
  ];
}

/** The field in which a subject of each kind says who it is. */
const subjectFields: Readonly<Record<string, "group" | "serviceAccount" | "user">> = {
  Group: "group",
  ServiceAccount: "serviceAccount",
  User: "user",
};

function validateSubject(subject: Given<FlowcontrolSubject>, at: string): Problem[] {
  const { kind = "" } = subject;
  if (!Object.hasOwn(subjectFields, kind)) return [notSupported(`${at}.kind`, kind, Object.keys(subjectFields))];
  return [
    ...(kind === "ServiceAccount" ? validateServiceAccount(subject.serviceAccount, `${at}.serviceAccount`) : []),
    ...(kind === "User" ? validateNamed(subject.user, "user", kind, at) : []),
    ...(kind === "Group" ? validateNamed(subject.group, "group", kind, at) : []),
    ...Object.entries(subjectFields)
      .filter(([other, field]) => other !== kind && subject[field])
      .map(([other, field]) => forbidden(`${at}.${field}`, `${field} is forbidden when subject kind is not '${other}'`)),
  ];
}

function validateServiceAccount(account: Given<ServiceAccountSubject> | undefined, at: string): Problem[] {
  if (!account) return [required(at, "serviceAccount is required when subject kind is 'ServiceAccount'")];
  const { name, namespace } = account;
  return [
    ...(name ? invalidEach(`${at}.name`, name, name === everything ? [] : dnsSubdomainProblems(name)) : [required(`${at}.name`)]),
    ...(namespace
      ? invalidEach(`${at}.namespace`, namespace, dnsLabelProblems(namespace))
      : [required(`${at}.namespace`, "must specify namespace for service account")]),
  ];
}

function validateNamed(named: { name?: string | undefined } | undefined, field: string, kind: string, at: string): Problem[] {
  if (!named) return [required(`${at}.${field}`, `${field} is required when subject kind is '${kind}'`)];
  return named.name ? [] : [required(`${at}.${field}.name`)];
}

function validateVerbs(given: readonly string[] = [], at: string): Problem[] {
  if (given.length === 0) return [required(at, "verbs must contain at least one value")];
  if (given.includes(everything)) return validateAlone(given, at, "verbs");
  return given.every((verb) => verbs.includes(verb)) ? [] : [notSupported(at, given, verbs)];
}

/** Nothing stands beside what stands for everything. */
const validateAlone = (values: readonly string[], at: string, what: string): Problem[] =>
  values.length > 1 && values.includes(everything) ? [invalid(at, values, `if '*' is present, must not specify other ${what}`)] : [];

const atLeastOne = (values: readonly string[] = [], at: string, one: string, others: string): Problem[] =>
  values.length === 0 ? [required(at, `resource rules must supply at least one ${one}`)] : validateAlone(values, at, others);

function validateResourceRule(rule: Given<ResourcePolicyRule>, at: string): Problem[] {
  return [
    ...validateVerbs(rule.verbs, `${at}.verbs`),
    ...atLeastOne(rule.apiGroups, `${at}.apiGroups`, "api group", "api groups"),
    ...atLeastOne(rule.resources, `${at}.resources`, "resource", "resources"),
    ...validateNamespaces(rule, `${at}.namespaces`),
  ];
}

function validateNamespaces({ namespaces = [], clusterScope }: Given<ResourcePolicyRule>, at: string): Problem[] {
  if (namespaces.length === 0 && !clusterScope) {
    return [required(at, "resource rules that are not cluster scoped must supply at least one namespace")];
  }
  if (namespaces.includes(everything)) return validateAlone(namespaces, at, "namespaces");
  const rule = "each member of this list must be '*' or a DNS-1123 label; ";
  return eachItem(at, namespaces, (namespace, field) =>
    invalidEach(
      field,
      namespace,
      dnsLabelProblems(namespace).map((problem) => rule + problem),
    ),
  );
}

function validateNonResourceRule({ verbs: given, nonResourceURLs = [] }: Given<NonResourcePolicyRule>, at: string): Problem[] {
  const field = `${at}.nonResourceURLs`;
  return [
    ...validateVerbs(given, `${at}.verbs`),
    ...(nonResourceURLs.length === 0 ? [required(field, "nonResourceURLs must contain at least one value")] : []),
    ...(nonResourceURLs.includes(everything)
      ? validateAlone(nonResourceURLs, field, "non-resource URLs")
      : eachItem(field, nonResourceURLs, (path, one) => {
          const problem = pathProblem(path);
          return problem === undefined ? [] : [invalid(one, path, problem)];
        })),
  ];
}

function pathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path === "/") return undefined;
  if (!path.startsWith("/")) return "must start with slash";
  if (path.includes(" ")) return "must not contain white-space";
  if (path.includes("//")) return "must not contain double slash";
  const wildcards = path.split(everything).length - 1;
  return wildcards > 1 || (wildcards === 1 && !path.endsWith("/*")) ? "wildcard can only do suffix matching" : undefined;
}
