/** Labels, annotations and label selectors. */
import type { LabelSelector } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { labelValueProblems, qualifiedNameProblems } from "../names.ts";
import { eachItem, forbidden, invalid, invalidEach, required, tooLong } from "./problems.ts";

type Strings = Readonly<Record<string, string>>;

const none: Strings = {};

export const validateLabelName = (name: string, path: string): Problem[] => invalidEach(path, name, qualifiedNameProblems(name));

export const validateLabels = (labels: Strings | undefined, path: string): Problem[] =>
  Object.entries(labels ?? none).flatMap(([key, value]) => [
    ...validateLabelName(key, path),
    ...invalidEach(path, value, labelValueProblems(value)),
  ]);

/** All annotations of an object together, keys and values, in bytes. */
export const annotationBytesLimit = 262_144;

export function validateAnnotations(annotations: Strings | undefined, path: string): Problem[] {
  const entries = Object.entries(annotations ?? {});
  const problems = entries.flatMap(([key]) => invalidEach(path, key, qualifiedNameProblems(key.toLowerCase())));
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return bytes > annotationBytesLimit ? [...problems, tooLong(path, annotationBytesLimit)] : problems;
}

export type Requirement = NonNullable<LabelSelector["matchExpressions"]>[number];

interface RequirementRules {
  readonly knownOperatorsOnly: boolean;
}

/** Whether there are values where the operator needs some, and none where it needs none. */
export function operatorProblems(
  { operator, values = [] }: Requirement,
  path: string,
  { knownOperatorsOnly }: RequirementRules,
): Problem[] {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length === 0 ? [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")] : [];
    case "Exists":
    case "DoesNotExist":
      return values.length > 0 ? [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")] : [];
    default:
      return knownOperatorsOnly ? [invalid(`${path}.operator`, operator ?? "", "not a valid selector operator")] : [];
  }
}

export const validateRequirement = (requirement: Requirement, path: string, rules: RequirementRules): Problem[] => [
  ...operatorProblems(requirement, path, rules),
  ...validateLabelName(requirement.key ?? "", `${path}.key`),
  ...eachItem(`${path}.values`, requirement.values, (value, at) => invalidEach(at, value, labelValueProblems(value))),
];

export const validateLabelSelector = (selector: LabelSelector | undefined, path: string): Problem[] => [
  ...validateLabels(selector?.matchLabels, `${path}.matchLabels`),
  ...eachItem(`${path}.matchExpressions`, selector?.matchExpressions, (requirement, at) =>
    validateRequirement(requirement, at, { knownOperatorsOnly: true }),
  ),
];

/** Labels by key, as messages show them. */
export const inOrder = (labels: Strings | undefined): Strings | undefined =>
  labels && Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

export const selectorInOrder = ({ matchLabels, ...others }: LabelSelector): LabelSelector => ({
  ...(matchLabels && { matchLabels: inOrder(matchLabels) }),
  ...others,
});

export const isEmptySelector = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
