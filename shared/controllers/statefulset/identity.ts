/** What makes a Pod of a StatefulSet this one and no other: its ordinal, its names, and the claims that belong to it. Pure. */
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet, Volume } from "../../api/generated/types.ts";
import { statefulSets } from "../../api/kinds.ts";
import type { Draft } from "../../api/objects.ts";
import { copyOf } from "../../api/patch/values.ts";
import { controllerReference } from "../common/owners.ts";
import { podRevisionLabel } from "../common/revisions.ts";
import { podFrom } from "../common/template.ts";
import { retentionOf } from "./retention.ts";

export const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

export type PodDraft = Draft<Pod> & { readonly metadata: { readonly name: string } };
export type ClaimDraft = Draft<PersistentVolumeClaim> & { readonly metadata: { readonly name: string } };

/** First and last ordinal; the last is less than the first when there shall be none. */
export function ordinalsOf({ spec }: StatefulSet): { readonly first: number; readonly last: number } {
  const first = spec.ordinals?.start ?? 0;
  return { first, last: first + (spec.replicas ?? 1) - 1 };
}

export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;

/** Name of the StatefulSet and ordinal, by a Pod's name alone. */
export function parsePodName(name: string): { readonly set: string; readonly ordinal: number } | undefined {
  const found = /^(.*)-(\d+)$/.exec(name);
  const ordinal = Number(found?.[2]);
  return found && ordinal <= 2 ** 31 - 1 ? { set: found[1] ?? "", ordinal } : undefined;
}

/** Undefined for a Pod that is none of the set's, by its name. */
export function ordinalIn(set: StatefulSet, pod: Pod): number | undefined {
  const parsed = parsePodName(pod.metadata.name);
  return parsed?.set === set.metadata.name ? parsed.ordinal : undefined;
}

export const claimName = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string =>
  `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

/** Names of the claims of one Pod. */
export const claimNames = (set: StatefulSet, ordinal: number): string[] =>
  (set.spec.volumeClaimTemplates ?? []).map((template) => claimName(set, template, ordinal));

/** Whether a claim of that name belongs to a Pod of the set, past or to come. */
export function isClaimOf(set: StatefulSet, name: string): boolean {
  return (set.spec.volumeClaimTemplates ?? []).some((template) => {
    const prefix = `${template.metadata.name}-${set.metadata.name}-`;
    return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
  });
}

/** The claims of one Pod, by the name of their template. */
export function claimDrafts(set: StatefulSet, ordinal: number): ClaimDraft[] {
  const reference = controllerReference(statefulSets, set);
  return (set.spec.volumeClaimTemplates ?? []).map((template) => {
    const { annotations, finalizers, labels } = template.metadata;
    return {
      metadata: {
        name: claimName(set, template, ordinal),
        namespace: set.metadata.namespace ?? "",
        labels: { ...labels, ...set.spec.selector.matchLabels },
        ...(annotations && { annotations: { ...annotations } }),
        ...(finalizers && { finalizers: [...finalizers] }),
        ...(retentionOf(set).whenDeleted === "Delete" && { ownerReferences: [reference] }),
      },
      spec: copyOf(template.spec),
    };
  });
}

/** Volumes of the Pod's claims take the place of those that the template calls by the same names. */
export function withClaims(set: StatefulSet, ordinal: number, volumes: readonly Volume[] | undefined): Volume[] {
  const claimed = (set.spec.volumeClaimTemplates ?? []).map(
    (template): Volume => ({
      name: template.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
    }),
  );
  return [...claimed, ...(volumes ?? []).filter(({ name }) => !claimed.some((volume) => volume.name === name))];
}

/** @param revision name of the revision that the template is from */
export function podDraft(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): PodDraft {
  const name = podName(set, ordinal);
  const draft = podFrom(template, { name, namespace: set.metadata.namespace ?? "", owner: controllerReference(statefulSets, set) });
  const volumes = withClaims(set, ordinal, draft.spec.volumes);
  return {
    ...draft,
    metadata: {
      ...draft.metadata,
      name,
      labels: { ...draft.metadata.labels, ...identityLabels(name, ordinal), [podRevisionLabel]: revision },
    },
    spec: {
      ...draft.spec,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}

const identityLabels = (name: string, ordinal: number) => ({ [podNameLabel]: name, [podIndexLabel]: String(ordinal) });

/** The Pod with the labels of its identity and the volumes of its claims; the same object when it has them. */
export function withIdentity(set: StatefulSet, pod: Pod, ordinal: number): Pod {
  const hasLabels = pod.metadata.labels?.[podNameLabel] === pod.metadata.name;
  const hasClaims = (set.spec.volumeClaimTemplates ?? []).every((template) =>
    pod.spec.volumes?.some(
      ({ name, persistentVolumeClaim }) =>
        name === template.metadata.name && persistentVolumeClaim?.claimName === claimName(set, template, ordinal),
    ),
  );
  if (hasLabels && hasClaims) return pod;
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...identityLabels(pod.metadata.name, ordinal) } },
    spec: hasClaims ? pod.spec : { ...pod.spec, volumes: withClaims(set, ordinal, pod.spec.volumes) },
  };
}

export const revisionLabelOf = (pod: Pod): string => pod.metadata.labels?.[podRevisionLabel] ?? "";
