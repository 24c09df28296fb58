/** What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common. */
import type { LabelSelector, PodTemplateSpec } from "../generated/types.ts";
import type { Problem, ScaleMapping } from "../kind.ts";
import type { KubeObject } from "../objects.ts";
import { labelMatcher } from "../selectors.ts";
import { inOrder, isEmptySelector, validateLabelSelector } from "../validation/labels.ts";
import { validatePodTemplate } from "../validation/pod/pod-template.ts";
import { forbidden, invalid, notSupported, required } from "../validation/problems.ts";
import { nonNegative } from "../validation/values.ts";
import { selectorText } from "./cells.ts";

/** Replicas of workloads whose Pods the selector finds. */
export interface Scalable extends KubeObject {
  spec: { replicas?: number | undefined; selector?: LabelSelector | undefined };
  status?: { replicas?: number | undefined } | undefined;
}

export const scaleMapping = <T extends Scalable>(): ScaleMapping<T> => ({
  specReplicas: ({ spec }) => spec.replicas ?? 0,
  statusReplicas: ({ status }) => status?.replicas ?? 0,
  selector: ({ spec }) => selectorText(spec.selector),
  withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
});

/**
 * The selector that says which Pods belong to a workload.
 * @param what names the kind in the message about empty ones
 * @param unreadable added when the selector cannot be used at all
 */
export function validateWorkloadSelector(
  selector: LabelSelector | undefined,
  path: string,
  what: string,
  unreadable = "invalid label selector",
): Problem[] {
  if (!selector) return [required(path)];
  const problems = validateLabelSelector(selector, path);
  return [
    ...problems,
    ...(problems.length > 0 ? [invalid(path, selector, unreadable)] : []),
    ...(isEmptySelector(selector) ? [invalid(path, selector, `empty selector is invalid for ${what}`)] : []),
  ];
}

/** The template's Pods must be found by the selector, and run for ever. @param what names the kind in messages */
export function validateWorkloadTemplate(
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  path: string,
  what: string,
): Problem[] {
  if (!template) return [required(path)];
  return [
    ...validateSelectorMatches(template, selector, path),
    ...validatePodTemplate(template, path),
    ...validateRunsForEver(template, path, what),
  ];
}

export function validateRunsForEver({ spec }: PodTemplateSpec, path: string, what: string): Problem[] {
  return [
    ...(spec?.restartPolicy === "Always" ? [] : [notSupported(`${path}.spec.restartPolicy`, spec?.restartPolicy ?? "", ["Always"])]),
    ...(spec?.activeDeadlineSeconds === undefined
      ? []
      : [forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${what} is not Supported`)]),
  ];
}

/** Where it is not, most kinds say nothing of the template that it is to match. */
export const isReadableSelector = (selector: LabelSelector | undefined): boolean => validateLabelSelector(selector, "").length === 0;

export function validateSelectorMatches(template: PodTemplateSpec, selector: LabelSelector | undefined, path: string): Problem[] {
  const labels = template.metadata?.labels;
  if (selector) {
    // A selector that cannot be read is reported for itself.
    if (isEmptySelector(selector) || !isReadableSelector(selector)) return [];
    if (labelMatcher(selector).matches(labels)) return [];
  }
  return [invalid(`${path}.metadata.labels`, inOrder(labels), "`selector` does not match template `labels`")];
}

type Counts = Readonly<Record<string, unknown>>;

/**
 * Counters of a status: none is negative, and those which count some of the replicas are not above all of them.
 * @param parts counters that `replicas` bounds
 * @param readyName what the message calls the counter of ready replicas
 */
export function validateCounts(
  status: object,
  counters: readonly string[],
  parts: readonly string[],
  readyName = "readyReplicas",
): Problem[] {
  const of = (name: string): number => ((status as Counts)[name] as number | undefined) ?? 0;
  const problems = counters.flatMap((name) => nonNegative(of(name), `status.${name}`));
  for (const part of parts) {
    if (of(part) > of("replicas")) problems.push(invalid(`status.${part}`, of(part), "cannot be greater than status.replicas"));
  }
  if (of("availableReplicas") > of("readyReplicas")) {
    problems.push(invalid("status.availableReplicas", of("availableReplicas"), `cannot be greater than ${readyName}`));
  }
  return problems;
}
