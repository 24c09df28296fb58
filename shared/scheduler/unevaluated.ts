/** Fields that Kubernetes' scheduler obeys and this one does not read yet. Named to the user, never silently ignored. */
import type { Pod } from "../api/generated/types.ts";

export function unevaluatedFields(pod: Pod): string[] {
  const { affinity, topologySpreadConstraints, resourceClaims } = pod.spec;
  const fields: string[] = [];
  const used = (terms: readonly unknown[] | undefined, field: string) => {
    if (terms && terms.length > 0) fields.push(field);
  };
  used(
    affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
  );
  used(
    affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution",
  );
  used(
    affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
    "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
  );
  used(
    affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution",
  );
  used(topologySpreadConstraints, "spec.topologySpreadConstraints");
  used(resourceClaims, "spec.resourceClaims");
  return fields;
}
