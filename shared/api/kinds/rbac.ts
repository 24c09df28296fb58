/** Roles, ClusterRoles and their bindings. */
import type { ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef } from "../generated/types.ts";
import type { KindBehaviour, Problem } from "../kind.ts";
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "../kinds.ts";
import { dnsSubdomainProblems, pathSegmentProblems } from "../names.ts";
import type { Given } from "../validation/given.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { eachItem, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { age, createdAt, text, wide } from "./cells.ts";

const group = "rbac.authorization.k8s.io";

function validateRule(rule: PolicyRule, path: string, isNamespaced: boolean): Problem[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const problems: Problem[] = [];
  if ((verbs ?? []).length === 0) problems.push(required(`${path}.verbs`, "verbs must contain at least one value"));
  if (nonResourceURLs.length > 0) {
    const field = `${path}.nonResourceURLs`;
    if (isNamespaced) problems.push(invalid(field, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      problems.push(invalid(field, nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs"));
    }
    return problems;
  }
  if (apiGroups.length === 0) problems.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  if (resources.length === 0) problems.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  return problems;
}

const shared = { nameRule: "pathSegment", generationFields: noGeneration, allowCreateOnUpdate: true } as const;

export const roleBehaviour = behaviour(roles, {
  ...shared,
  validate: ({ rules }) => eachItem("rules", rules, (rule, at) => validateRule(rule, at, true)),
  ownAge: true,
  columns: [createdAt],
});

export const clusterRoleBehaviour = behaviour(clusterRoles, {
  ...shared,
  validate: ({ rules, aggregationRule }) => {
    const path = "aggregationRule.clusterRoleSelectors";
    const selectors = aggregationRule?.clusterRoleSelectors ?? [];
    return [
      ...eachItem("rules", rules, (rule, at) => validateRule(rule, at, false)),
      ...(aggregationRule && selectors.length === 0
        ? [required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")]
        : []),
      ...eachItem(path, selectors, (selector, at) => {
        const problems = validateLabelSelector(selector, at);
        return problems.length > 0 ? [...problems, invalid(at, null, "invalid label selector.")] : [];
      }),
    ];
  },
  ownAge: true,
  columns: [createdAt],
});

type Binding = RoleBinding | ClusterRoleBinding;
type Subject = NonNullable<Binding["subjects"]>[number];

function validateSubject({ kind = "", name, apiGroup = "", namespace }: Given<Subject>, at: string, isNamespaced: boolean): Problem[] {
  const problems: Problem[] = name ? [] : [required(`${at}.name`)];
  if (kind === "ServiceAccount") {
    if (name) problems.push(...invalidEach(`${at}.name`, name, dnsSubdomainProblems(name)));
    if (apiGroup) problems.push(notSupported(`${at}.apiGroup`, apiGroup, [""]));
    if (!isNamespaced && !namespace) problems.push(required(`${at}.namespace`));
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== group) problems.push(notSupported(`${at}.apiGroup`, apiGroup, [group]));
  } else problems.push(notSupported(`${at}.kind`, kind, ["ServiceAccount", "User", "Group"]));
  return problems;
}

function validateBinding({ roleRef, subjects }: Binding, kinds: readonly string[]): Problem[] {
  const { apiGroup = "", kind = "", name } = (roleRef ?? {}) as Given<RoleRef>;
  return [
    ...(apiGroup === group ? [] : [notSupported("roleRef.apiGroup", apiGroup, [group])]),
    ...(kinds.includes(kind) ? [] : [notSupported("roleRef.kind", kind, kinds)]),
    ...(name ? invalidEach("roleRef.name", name, pathSegmentProblems(name)) : [required("roleRef.name")]),
    ...eachItem("subjects", subjects, (subject, at) => validateSubject(subject, at, kinds.includes("Role"))),
  ];
}

function setBindingDefaults(binding: Binding): void {
  const { roleRef, subjects } = binding as Given<Binding>;
  if (roleRef) roleRef.apiGroup ||= group;
  else binding.roleRef = { apiGroup: group, kind: "", name: "" };
  for (const subject of subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = group;
  }
}

const subjectNames = ({ subjects }: Binding, kind: string): string =>
  (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");

const bindingBehaviour = <T extends Binding>(kinds: readonly string[]): KindBehaviour<T> => ({
  ...shared,
  defaults: setBindingDefaults,
  validate: (binding) => validateBinding(binding, kinds),
  // Who was bound to one role is not silently bound to another.
  validateUpdate: ({ roleRef: next }, { roleRef: previous }) =>
    next?.apiGroup === previous?.apiGroup && next?.kind === previous?.kind && next?.name === previous?.name
      ? []
      : [invalid("roleRef", next, "cannot change roleRef")],
  ownAge: true,
  columns: [
    text("Role", ({ roleRef }) => `${roleRef?.kind ?? ""}/${roleRef?.name ?? ""}`),
    age,
    wide(text("Users", (binding) => subjectNames(binding, "User"))),
    wide(text("Groups", (binding) => subjectNames(binding, "Group"))),
    wide(text("ServiceAccounts", (binding) => subjectNames(binding, "ServiceAccount"))),
  ],
});

export const roleBindingBehaviour = behaviour(roleBindings, bindingBehaviour(["Role", "ClusterRole"]));
export const clusterRoleBindingBehaviour = behaviour(clusterRoleBindings, bindingBehaviour(["ClusterRole"]));
