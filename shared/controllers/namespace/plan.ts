/** Decides what a namespace needs: what every active one has, and how a terminating one comes to its end. Pure. */
import type { KindRef } from "../../api/client.ts";
import type { ConfigMap, NamespaceCondition, NamespaceStatus, ServiceAccount } from "../../api/generated/types.ts";
import type { Draft, KubeObject } from "../../api/objects.ts";
import { conditionOf, timestamp, withoutCondition } from "../common/conditions.ts";

export const defaultAccountName = "default";
export const rootCaName = "kube-root-ca.crt";
const rootCaKey = "ca.crt";

export type DefaultAction =
  | { readonly type: "createServiceAccount"; readonly draft: Draft<ServiceAccount> }
  | { readonly type: "createConfigMap"; readonly draft: Draft<ConfigMap> }
  | { readonly type: "updateConfigMap"; readonly next: ConfigMap };

/** @param ca PEM of the authority that signed the API's certificate; empty where public authorities did */
export function planDefaults(
  namespace: string,
  account: ServiceAccount | undefined,
  configMap: ConfigMap | undefined,
  ca: string,
): DefaultAction[] {
  const actions: DefaultAction[] = [];
  if (!account) actions.push({ type: "createServiceAccount", draft: { metadata: { name: defaultAccountName, namespace } } });
  if (!configMap) {
    actions.push({ type: "createConfigMap", draft: { metadata: { name: rootCaName, namespace }, data: { [rootCaKey]: ca } } });
  } else if (configMap.data?.[rootCaKey] !== ca || Object.keys(configMap.data).length !== 1) {
    actions.push({ type: "updateConfigMap", next: { ...configMap, data: { [rootCaKey]: ca } } });
  }
  return actions;
}

/** What is left of one kind in a namespace. */
export interface Content {
  readonly kind: KindRef;
  readonly objects: readonly KubeObject[];
}

/**
 * What to delete now: Pods by themselves first, so that nothing they need (network policies, secrets, accounts) is taken from under
 * them; then everything else. What is being deleted already is only waited for.
 */
export function planDeletion(contents: readonly Content[]): Content[] {
  const filled = contents.filter(({ objects }) => objects.length > 0);
  const pods = filled.filter(({ kind }) => kind.group === "" && kind.plural === "pods");
  return (pods.length > 0 ? pods : filled)
    .map(({ kind, objects }) => ({ kind, objects: objects.filter(({ metadata }) => !metadata.deletionTimestamp) }))
    .filter(({ objects }) => objects.length > 0);
}

/** Conditions in their order, with what they say when all is well. */
const conditions = {
  NamespaceDeletionDiscoveryFailure: { reason: "ResourcesDiscovered", message: "All resources successfully discovered" },
  NamespaceDeletionGroupVersionParsingFailure: { reason: "ParsedGroupVersions", message: "All legacy kube types successfully parsed" },
  NamespaceDeletionContentFailure: {
    reason: "ContentDeleted",
    message: "All content successfully deleted, may be waiting on finalization",
  },
  NamespaceContentRemaining: { reason: "ContentRemoved", message: "All content successfully removed" },
  NamespaceFinalizersRemaining: { reason: "ContentHasNoFinalizers", message: "All content-preserving finalizers finished" },
} as const;

type ConditionType = keyof typeof conditions;

/** The status of a terminating namespace. @param errors what failed while its content was being deleted */
export function deletionStatus(
  status: NamespaceStatus | undefined,
  remaining: readonly Content[],
  errors: readonly string[],
  now: Date,
): NamespaceStatus {
  const counts = remaining
    .filter(({ objects }) => objects.length > 0)
    .map(({ kind, objects }) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`)
    .toSorted();
  const byFinalizer = new Map<string, number>();
  for (const finalizer of remaining.flatMap(({ objects }) => objects.flatMap(({ metadata }) => metadata.finalizers ?? []))) {
    byFinalizer.set(finalizer, (byFinalizer.get(finalizer) ?? 0) + 1);
  }
  const holding = [...byFinalizer].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).toSorted();

  const trouble: Partial<Record<ConditionType, { reason: string; message: string }>> = {
    ...(errors.length > 0 && {
      NamespaceDeletionContentFailure: {
        reason: "ContentDeletionFailed",
        message: `Failed to delete all resource types, ${errors.length} remaining: ${errors.toSorted().join(", ")}`,
      },
    }),
    ...(counts.length > 0 && {
      NamespaceContentRemaining: { reason: "SomeResourcesRemain", message: `Some resources are remaining: ${counts.join(", ")}` },
    }),
    ...(holding.length > 0 && {
      NamespaceFinalizersRemaining: {
        reason: "SomeFinalizersRemain",
        message: `Some content in the namespace has finalizers remaining: ${holding.join(", ")}`,
      },
    }),
  };
  let known: NamespaceCondition[] = [...(status?.conditions ?? [])];
  for (const [type, well] of Object.entries(conditions)) {
    const bad = trouble[type as ConditionType];
    const before = conditionOf(known, type);
    const value = bad ? "True" : "False";
    const lastTransitionTime = before?.status === value ? before.lastTransitionTime : timestamp(now);
    const next: NamespaceCondition = { type, status: value, lastTransitionTime, ...(bad ?? well) };
    known = before ? known.map((condition) => (condition === before ? next : condition)) : [...withoutCondition(known, type), next];
  }
  return { ...status, phase: "Terminating", conditions: known };
}
