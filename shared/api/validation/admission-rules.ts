/** What admission webhooks and admission policies have in common: rules that say which requests they are about. */
import type { LabelSelector, MatchCondition, MatchResources, ParamKind, ParamRef, RuleWithOperations } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { dns1035LabelProblems, dnsSubdomainProblems, pathSegmentProblems, qualifiedNameProblems } from "../names.ts";
import type { Given } from "./given.ts";
import { validateLabelSelector } from "./labels.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notSupported, required, tooMany } from "./problems.ts";
import { oneOf } from "./values.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

export function validateRule(rule: RuleWithOperations, path: string): Problem[] {
  const problems: Problem[] = [];
  const list = (field: "operations" | "apiGroups" | "apiVersions", what: string): readonly string[] => {
    const values = rule[field] ?? [];
    if (values.length === 0) problems.push(required(`${path}.${field}`));
    if (values.length > 1 && values.includes("*")) {
      problems.push(invalid(`${path}.${field}`, values, `if '*' is present, must not specify other ${what}`));
    }
    return values;
  };
  problems.push(
    ...eachItem(`${path}.operations`, list("operations", "operations"), (operation, at) =>
      operations.includes(operation) ? [] : [notSupported(at, operation, operations)],
    ),
  );
  list("apiGroups", "API groups");
  problems.push(
    ...eachItem(`${path}.apiVersions`, list("apiVersions", "API versions"), (version, at) => (version === "" ? [required(at)] : [])),
    ...validateResources(rule.resources ?? [], `${path}.resources`),
    ...(rule.scope === undefined || ["*", "Cluster", "Namespaced"].includes(rule.scope)
      ? []
      : [notSupported(`${path}.scope`, rule.scope, ["*", "Cluster", "Namespaced"])]),
  );
  return problems;
}

/** Resources and their subresources, any of them a wildcard: none may make another one superfluous. */
function validateResources(resources: readonly string[], path: string): Problem[] {
  const problems: Problem[] = resources.length === 0 ? [required(path)] : [];
  const openResources = new Set<string>();
  const openSubresources = new Set<string>();
  let endsPlain = false;
  for (const [index, name] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (name === "") {
      problems.push(required(at));
      continue;
    }
    const slash = name.indexOf("/");
    if (slash < 0) {
      endsPlain = name !== "*";
      continue;
    }
    const [resource, subresource] = [name.slice(0, slash), name.slice(slash + 1)];
    if (openResources.has(resource)) problems.push(invalid(at, name, `if '${resource}/*' is present, must not specify ${name}`));
    if (openSubresources.has(subresource)) problems.push(invalid(at, name, `if '*/${subresource}' is present, must not specify ${name}`));
    if (subresource === "*") openResources.add(resource);
    if (resource === "*") openSubresources.add(subresource);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    problems.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && endsPlain) {
    problems.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"));
  }
  return problems;
}

const mostConditions = 64;

/** The expressions themselves are not evaluated by this server, so nothing is said about them. */
export function validateMatchConditions(conditions: readonly MatchCondition[] | undefined, path: string): Problem[] {
  const names = new Set<string>();
  const count = (conditions ?? []).length;
  return [
    ...(count > mostConditions ? [tooMany(path, count, mostConditions)] : []),
    ...eachItem(path, conditions, ({ name = "", expression = "" }: Given<MatchCondition>, at) => {
      const twin = name !== "" && names.has(name);
      names.add(name);
      return [
        ...(expression.trim() === "" ? [required(`${at}.expression`)] : []),
        ...(name === "" ? [required(`${at}.name`)] : invalidEach(`${at}.name`, name, qualifiedNameProblems(name))),
        ...(twin ? [duplicate(`${at}.name`, name)] : []),
      ];
    }),
  ];
}

export const matchPolicies = ["Equivalent", "Exact"];
export const failurePolicies = ["Fail", "Ignore"];

interface Selecting {
  matchPolicy?: string | undefined;
  namespaceSelector?: LabelSelector | undefined;
  objectSelector?: LabelSelector | undefined;
}

interface Scoped {
  scope?: string | undefined;
}

/** What a webhook or a policy matches by when it does not say: everything. */
export function defaultSelection(matching: Selecting, ...rules: readonly (readonly Scoped[] | undefined)[]): void {
  matching.matchPolicy ??= "Equivalent";
  matching.namespaceSelector ??= {};
  matching.objectSelector ??= {};
  for (const list of rules) for (const rule of list ?? []) rule.scope ??= "*";
}

export function validateMatchResources(match: MatchResources | undefined, path: string): Problem[] {
  if (!match) return [];
  const rules = (field: "resourceRules" | "excludeResourceRules"): Problem[] =>
    eachItem(`${path}.${field}`, match[field], (rule, at) => {
      const seen = new Set<string>();
      return [
        ...eachItem(`${at}.resourceNames`, rule.resourceNames, (name, field) => {
          const twin = seen.has(name);
          seen.add(name);
          return [...invalidEach(field, name, pathSegmentProblems(name)), ...(twin ? [duplicate(field, name)] : [])];
        }),
        ...validateRule(rule, at),
      ];
    });
  return [
    ...oneOf(match.matchPolicy, matchPolicies, `${path}.matchPolicy`, true),
    ...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`),
    ...rules("resourceRules"),
    ...rules("excludeResourceRules"),
  ];
}

/** The kind of the objects that parameterise a policy. */
export function validateParamKind(kind: ParamKind | undefined, path: string): Problem[] {
  if (!kind) return [];
  const field = `${path}.apiVersion`;
  const [group = "", version = ""] = kind.apiVersion?.includes("/") ? kind.apiVersion.split("/") : ["", kind.apiVersion ?? ""];
  const problems: Problem[] = [];
  if (!kind.apiVersion) problems.push(required(field));
  else if (kind.apiVersion.split("/").length > 2) {
    problems.push(invalid(field, kind.apiVersion, `unexpected GroupVersion string: ${kind.apiVersion}`));
  } else {
    const groupProblems = group ? dnsSubdomainProblems(group) : [];
    if (groupProblems.length > 0) problems.push(invalid(field, group, groupProblems.join(",")));
    const versionProblems = version ? dns1035LabelProblems(version) : [];
    if (version === "") problems.push(invalid(field, kind.apiVersion, "version must be specified"));
    else if (versionProblems.length > 0) problems.push(invalid(field, version, versionProblems.join(",")));
  }
  if (!kind.kind) problems.push(required(`${path}.kind`));
  else {
    const kindProblems = dns1035LabelProblems(kind.kind.toLowerCase());
    const detail = `may have mixed case, but should otherwise match: ${kindProblems.join(",")}`;
    if (kindProblems.length > 0) problems.push(invalid(`${path}.kind`, kind.kind, detail));
  }
  return problems;
}

export function validateParamRef(reference: ParamRef | undefined, path: string): Problem[] {
  if (!reference) return [];
  const { name, selector, parameterNotFoundAction: action } = reference;
  const exclusive = "name and selector are mutually exclusive";
  return [
    ...(name ? invalidEach(`${path}.name`, name, pathSegmentProblems(name)) : []),
    ...(name && selector ? [forbidden(`${path}.name`, exclusive)] : []),
    ...validateLabelSelector(selector, `${path}.selector`),
    ...(name && selector ? [forbidden(`${path}.selector`, exclusive)] : []),
    ...(!name && !selector ? [required(path, "one of name or selector must be specified")] : []),
    ...oneOf(action, ["Deny", "Allow"], `${path}.parameterNotFoundAction`, true),
  ];
}
