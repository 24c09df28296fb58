/** What is wrong with a question about rights. @see k8s.io/kubernetes/pkg/apis/authorization/validation */
import type { Problem } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { operatorProblems, type Requirement, validateRequirement } from "../api/validation/labels.ts";
import { eachItem, invalid, required } from "../api/validation/problems.ts";

interface Selector {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[];
}

interface AccessSpec {
  readonly resourceAttributes?: {
    readonly namespace?: string;
    readonly fieldSelector?: Selector;
    readonly labelSelector?: Selector;
  };
  readonly nonResourceAttributes?: object;
  readonly user?: string;
  readonly groups?: readonly string[];
}

/** Decoded by its schema. */
export interface AccessReview {
  readonly metadata?: JsonObject;
  readonly spec?: AccessSpec;
}

/** Of any such question. */
export function accessProblems({ spec = {} }: AccessReview): Problem[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  return [
    ...(resource && path
      ? [invalid("spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes")]
      : []),
    ...(!resource && !path
      ? [invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")]
      : []),
  ];
}

/** Of one about somebody else. */
export const subjectProblems = ({ spec: { user = "", groups = [] } = {} }: AccessReview): Problem[] =>
  user === "" && groups.length === 0 ? [invalid("spec.user", "", "at least one of user or group must be specified")] : [];

/** Of what is to be selected, where the question is about some objects only. */
export function selectionProblems({ spec: { resourceAttributes = {} } = {} }: AccessReview): Problem[] {
  const { fieldSelector, labelSelector } = resourceAttributes;
  const at = "spec.resourceAttributes";
  return [
    ...selectorProblems(fieldSelector, `${at}.fieldSelector`, fieldRequirementProblems),
    ...selectorProblems(labelSelector, `${at}.labelSelector`, (requirement, where) => validateRequirement(requirement, where, anyOperator)),
  ];
}

/** A newer client may know more operators. */
const anyOperator = { knownOperatorsOnly: false };

function selectorProblems(
  selector: Selector | undefined,
  at: string,
  requirementProblems: (requirement: Requirement, at: string) => Problem[],
): Problem[] {
  if (!selector) return [];
  const { rawSelector = "", requirements = [] } = selector;
  const isTwice = rawSelector !== "" && requirements.length > 0;
  const isEmpty = rawSelector === "" && requirements.length === 0;
  return [
    ...(isTwice ? [invalid(`${at}.rawSelector`, rawSelector, "may not specified at the same time as requirements")] : []),
    ...(isEmpty ? [required(`${at}.requirements`, `when ${at} is specified, requirements or rawSelector is required`)] : []),
    ...eachItem(`${at}.requirements`, requirements, requirementProblems),
  ];
}

const fieldRequirementProblems = (requirement: Requirement, at: string): Problem[] => [
  ...(requirement.key ? [] : [required(`${at}.key`, "must be specified")]),
  ...operatorProblems(requirement, at, anyOperator),
];

/** Nobody names a question. @param allowed fields that may be there all the same */
export function metadataProblems({ metadata = {} }: AccessReview, allowed: readonly string[] = []): Problem[] {
  const given = Object.keys(metadata).filter((field) => field !== "managedFields" && !allowed.includes(field));
  const except = allowed.length > 0 ? ` except for ${allowed.join(" and ")}` : "";
  return given.length > 0 ? [invalid("metadata", metadata, `must be empty${except}`)] : [];
}

/** Of one that is asked in a namespace. */
export function localProblems({ spec = {} }: AccessReview, namespace: string): Problem[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const asked = resource?.namespace ?? "";
  return [
    ...(resource && asked !== namespace ? [invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace")] : []),
    ...(path ? [invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request")] : []),
  ];
}
