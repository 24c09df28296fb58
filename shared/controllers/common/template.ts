/** Pod templates: which ones are the same, and what their Pods look like. */
import type { Pod, PodSpec, PodTemplateSpec } from "../../api/generated/types.ts";
import { defaultPodTemplate } from "../../api/kinds/pod-spec-defaults.ts";
import type { Draft, ObjectMeta, OwnerReference } from "../../api/objects.ts";
import { copyOf } from "../../api/patch/values.ts";
import { childPrefix, safeHash } from "./names.ts";
import { semanticEqual } from "./semantic-equal.ts";

export const templateHashLabel = "pod-template-hash";

/**
 * Whether Pods of the two templates would be the same. Decided by meaning after defaulting both, never by a hash: a release that knows a
 * new field or default must not roll every workload (`kubernetes-traps.md` 22).
 */
export function sameTemplate(one: PodTemplateSpec | undefined, other: PodTemplateSpec | undefined): boolean {
  const [left, right] = [withoutHash(one), withoutHash(other)];
  return semanticEqual(left, right) || semanticEqual(defaulted(left), defaulted(right));
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  if (template?.metadata?.labels?.[templateHashLabel] === undefined) return template;
  const { [templateHashLabel]: _hash, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

function defaulted(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const copy: PodTemplateSpec = copyOf(template ?? {});
  defaultPodTemplate(copy);
  return copy;
}

/** A name for a template; it decides nothing. @param collisions how often the name turned out to be taken */
export const templateHash = (template: PodTemplateSpec, collisions: number): string =>
  safeHash([sorted(template), ...(collisions > 0 ? [collisions] : [])], 10);

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );

/** A Pod that a controller makes. */
export function podFrom(
  template: PodTemplateSpec | undefined,
  { name, namespace, owner, prefix = childPrefix(owner.name) }: { name: string; namespace: string; owner: OwnerReference; prefix?: string },
): Draft<Pod> & { metadata: Partial<ObjectMeta>; spec: PodSpec } {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    metadata: {
      name,
      generateName: prefix,
      namespace,
      ...(labels && { labels: { ...labels } }),
      ...(annotations && { annotations: { ...annotations } }),
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [owner],
    },
    spec: copyOf(template?.spec ?? { containers: [] }),
  };
}
