/** Where a Pod may run: affinity, tolerations, spreading, gates. */
import type {
  Affinity,
  LabelSelector,
  NodeSelector,
  PodSchedulingGate,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems, dnsSubdomainProblems, labelValueProblems, qualifiedNameProblems } from "../../names.ts";
import type { Given } from "../given.ts";
import { validateLabelName, validateLabelSelector } from "../labels.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../problems.ts";
import { oneOf, positive } from "../values.ts";

export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

type Term = NodeSelector["nodeSelectorTerms"][number];
type Requirement = NonNullable<Term["matchExpressions"]>[number];

function validateNodeRequirement(requirement: Requirement, path: string, checkValues: boolean): Problem[] {
  const { key = "", operator, values = [] } = requirement as Given<Requirement>;
  const problems: Problem[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) problems.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      problems.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      problems.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else problems.push(invalid(`${path}.operator`, operator ?? "", "not a valid selector operator"));
  return [
    ...problems,
    ...validateLabelName(key, `${path}.key`),
    ...(checkValues ? eachItem(`${path}.values`, values, (value, at) => invalidEach(at, value, labelValueProblems(value))) : []),
  ];
}

function validateFieldRequirement({ key, operator, values = [] }: Requirement, path: string): Problem[] {
  const problems: Problem[] = [];
  if (operator !== "In" && operator !== "NotIn") {
    problems.push(invalid(`${path}.operator`, operator ?? "", "not a valid selector operator"));
  } else if (values.length !== 1) {
    problems.push(required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  }
  if (key !== "metadata.name") return [...problems, invalid(`${path}.key`, key ?? "", "not a valid field selector key")];
  return [...problems, ...eachItem(`${path}.values`, values, (value, at) => invalidEach(at, value, dnsSubdomainProblems(value)))];
}

const validateTerm = (term: Term, path: string, checkValues: boolean): Problem[] => [
  ...eachItem(`${path}.matchExpressions`, term.matchExpressions, (requirement, at) =>
    validateNodeRequirement(requirement, at, checkValues),
  ),
  ...eachItem(`${path}.matchFields`, term.matchFields, validateFieldRequirement),
];

export function validateNodeSelector(selector: NodeSelector, path: string): Problem[] {
  const at = `${path}.nodeSelectorTerms`;
  if ((selector.nodeSelectorTerms ?? []).length === 0) return [required(at, "must have at least one node selector term")];
  return eachItem(at, selector.nodeSelectorTerms, (term, termPath) => validateTerm(term, termPath, true));
}

const validateWeight = (weight: number | undefined, path: string): Problem[] =>
  (weight ?? 0) >= 1 && (weight ?? 0) <= 100 ? [] : [invalid(`${path}.weight`, weight ?? 0, "must be in the range 1-100")];

const requiredRule = "requiredDuringSchedulingIgnoredDuringExecution";
const preferredRule = "preferredDuringSchedulingIgnoredDuringExecution";

type PodTerms = NonNullable<Affinity["podAffinity"]>;
type PodTerm = NonNullable<PodTerms[typeof requiredRule]>[number];

function validatePodTerm(term: PodTerm, path: string): Problem[] {
  const { topologyKey = "" } = term as Given<PodTerm>;
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => invalidEach(`${path}.namespace`, name, dnsLabelProblems(name))),
    ...validateLabelKeys(term.labelSelector, term.matchLabelKeys, term.mismatchLabelKeys, path),
    ...(topologyKey ? [] : [required(`${path}.topologyKey`, "can not be empty")]),
    ...validateLabelName(topologyKey, `${path}.topologyKey`),
  ];
}

/** Keys whose values come from the Pod itself; by now they have been merged into the selector. */
function validateLabelKeys(
  selector: LabelSelector | undefined,
  keys: readonly string[] = [],
  mismatchKeys: readonly string[] = [],
  path: string,
): Problem[] {
  const named = (list: readonly string[], field: string): Problem[] => {
    if (list.length === 0) return [];
    if (!selector) return [forbidden(field, "must not be specified when labelSelector is not set")];
    return eachItem(field, list, (key, at) => validateLabelName(key, at));
  };
  const problems = [...named(keys, `${path}.matchLabelKeys`), ...named(mismatchKeys, `${path}.mismatchLabelKeys`)];
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key } of selector?.matchExpressions ?? []) {
    if (keys.includes(key) && seen.has(key)) {
      problems.push(invalid(`${path}[${keys.lastIndexOf(key)}]`, key, "exists in both matchLabelKeys and labelSelector"));
    }
    seen.add(key);
  }
  for (const [index, key] of keys.entries()) {
    if (mismatchKeys.includes(key)) {
      problems.push(invalid(`${path}.matchLabelKeys[${index}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys"));
    }
  }
  return problems;
}

const validatePodTerms = (terms: PodTerms | undefined, path: string): Problem[] => [
  ...eachItem(`${path}.${requiredRule}`, terms?.[requiredRule], validatePodTerm),
  ...eachItem(`${path}.${preferredRule}`, terms?.[preferredRule], (weighted, at) => [
    ...validateWeight(weighted.weight, at),
    ...validatePodTerm((weighted as Given<typeof weighted>).podAffinityTerm ?? ({} as PodTerm), `${at}.podAffinityTerm`),
  ]),
];

export function validateAffinity(affinity: Affinity | undefined, path: string): Problem[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const needed = nodeAffinity?.[requiredRule];
  return [
    ...(needed ? validateNodeSelector(needed, `${path}.nodeAffinity.${requiredRule}`) : []),
    ...eachItem(`${path}.nodeAffinity.${preferredRule}`, nodeAffinity?.[preferredRule], (term, at) => [
      ...validateWeight(term.weight, at),
      ...validateTerm(term.preference ?? {}, `${at}.preference`, false),
    ]),
    ...validatePodTerms(podAffinity, `${path}.podAffinity`),
    ...validatePodTerms(podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

export const validateTolerations = (tolerations: readonly Toleration[] | undefined, path: string): Problem[] =>
  eachItem(path, tolerations, ({ key, operator, value, effect, tolerationSeconds }, at) => {
    const problems: Problem[] = [];
    if (key) problems.push(...validateLabelName(key, `${at}.key`));
    else if (operator !== "Exists") {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      problems.push(invalid(`${at}.operator`, operator ?? "", detail));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      problems.push(invalid(`${at}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (!operator || operator === "Equal") {
      const wrong = labelValueProblems(value ?? "");
      if (wrong.length > 0) problems.push(invalid(`${at}.operator`, value ?? "", wrong.join(";")));
    } else if (operator === "Exists") {
      if (value) problems.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else {
      const numeric = operator === "Lt" || operator === "Gt" ? ["Lt", "Gt"] : [];
      problems.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists", ...numeric]));
    }
    return [...problems, ...oneOf(effect, taintEffects, `${at}.effect`)];
  });

export function validateSpreading(constraints: PodSpec["topologySpreadConstraints"], path: string): Problem[] {
  return eachItem(path, constraints, (constraint, at, index) => {
    const { topologyKey = "", whenUnsatisfiable = "", minDomains, labelSelector } = constraint as Given<TopologySpreadConstraint>;
    const twin = (constraints ?? [])
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    const problems: Problem[] = [...positive(constraint.maxSkew, `${at}.maxSkew`)];
    if (!topologyKey) problems.push(required(`${at}.topologyKey`, "can not be empty"));
    if (whenUnsatisfiable !== "DoNotSchedule" && whenUnsatisfiable !== "ScheduleAnyway") {
      problems.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]));
    }
    if (twin) problems.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    if (minDomains !== undefined) {
      problems.push(...positive(minDomains, `${at}.minDomains`));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        problems.push(invalid(`${at}.minDomains`, minDomains, detail));
      }
    }
    for (const policy of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const value = constraint[policy];
      if (value !== undefined && value !== "Honor" && value !== "Ignore") {
        problems.push(notSupported(`${at}.${policy}`, value, ["Honor", "Ignore"]));
      }
    }
    return [
      ...problems,
      ...validateLabelKeys(labelSelector, constraint.matchLabelKeys, [], at),
      ...validateLabelSelector(labelSelector, `${at}.labelSelector`),
    ];
  });
}

export function validateGates(gates: PodSpec["schedulingGates"], path: string): Problem[] {
  const seen = new Set<string>();
  return eachItem(path, gates, ({ name = "" }: Given<PodSchedulingGate>, at) => {
    const twin = seen.has(name);
    seen.add(name);
    return [...invalidEach(at, name, qualifiedNameProblems(name)), ...(twin ? [duplicate(at, name)] : [])];
  });
}
