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

type Requirement = NonNullable<LabelSelector["matchExpressions"]>[number];

function validateRequirement(requirement: Requirement, path: string): Problem[] {
  const problems: Problem[] = [];
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) problems.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0)
        problems.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    default:
      problems.push(invalid(`${path}.operator`, requirement.operator ?? "", "not a valid selector operator"));
  }
  problems.push(...validateLabelName(requirement.key ?? "", `${path}.key`));
  problems.push(...eachItem(`${path}.values`, values, (value, at) => invalidEach(at, value, labelValueProblems(value))));
  return problems;
}

export const validateLabelSelector = (selector: LabelSelector | undefined, path: string): Problem[] => [
  ...validateLabels(selector?.matchLabels, `${path}.matchLabels`),
  ...eachItem(`${path}.matchExpressions`, selector?.matchExpressions, validateRequirement),
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
