/** Templates from which workloads make their Pods. */
import type { PodTemplateSpec } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { validateAnnotations, validateLabels } from "../labels.ts";
import { forbidden } from "../problems.ts";
import { validatePodAnnotations, validateProfilesMatch } from "./annotations.ts";
import { allContainers, validatePodSpec } from "./pod-spec.ts";

export function validatePodTemplate(template: PodTemplateSpec, path: string): Problem[] {
  const { metadata, spec = { containers: [] } } = template;
  return [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validatePodAnnotations(metadata?.annotations, spec, allContainers(spec, `${path}.spec`), `${path}.annotations`),
    ...validatePodSpec(spec, { isPod: false, podName: "" }, `${path}.spec`),
    ...validateProfilesMatch(metadata?.annotations, spec, allContainers(spec, `${path}.spec`), `${path}.spec`),
    ...((spec.ephemeralContainers ?? []).length > 0
      ? [forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template")]
      : []),
  ];
}
