/** Keeps the status of PodDisruptionBudgets, by which evictions are granted or refused. */
import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { groupOf } from "../../api/kind.ts";
import { deployments, podDisruptionBudgets, pods, replicaSets, replicationControllers, statefulSets } from "../../api/kinds.ts";
import { controllerOf, type KubeObject, keyOf, type OwnerReference } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { Controller, ControllerContext, Watched } from "../../runtime/controller.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { planBudget, type Scale } from "./plan.ts";

const covers = ({ spec }: PodDisruptionBudget, pod: KubeObject | undefined): boolean =>
  pod !== undefined && labelMatcher(spec.selector).matches(pod.metadata.labels);

export const disruptionController = (): Controller => ({
  name: "disruption-controller",
  watches: [
    {
      kind: podDisruptionBudgets,
      follows: true,
      keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)],
    } satisfies Watched<PodDisruptionBudget>,
    {
      kind: pods,
      keys: ({ previous, next }, { lister }) =>
        lister(podDisruptionBudgets)
          .inNamespace((next ?? previous)?.metadata.namespace ?? "")
          .filter((budget) => covers(budget, previous) || covers(budget, next))
          .map(keyOf),
    } satisfies Watched<Pod>,
  ],
  reads: [replicationControllers, deployments, replicaSets, statefulSets],

  async reconcile(key, context) {
    const { client, clock, lister, event } = context;
    const budget = lister(podDisruptionBudgets).get(key);
    if (!budget || budget.metadata.deletionTimestamp) return {};
    const covered = lister(pods)
      .inNamespace(key.namespace)
      .filter((pod) => covers(budget, pod));
    const { status, again, failure, unmanaged } = planBudget({
      budget,
      pods: covered,
      scaleOf: (owner) => scaleOf(owner, key.namespace, context),
      now: clock.now(),
    });
    if (!semanticEqual(status, budget.status)) {
      if (failure !== undefined) {
        const what = `Failed to calculate the number of expected pods: ${failure}`;
        event(budget, "Warning", "CalculateExpectedPodCountFailed", what);
      }
      if (unmanaged.length > 0) event(budget, "Warning", "UnmanagedPods", unmanagedPods);
      await client.updateStatus(podDisruptionBudgets, { ...budget, status });
    }
    return again ? { again } : {};
  },
});

const unmanagedPods =
  "Some of the Pods that are selected have no controller, and are not counted: " +
  "set .spec.minAvailable to a whole number to have them counted.";

/** Undefined for owners that are not there (any more), and for those that want no number of Pods. */
function scaleOf(
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
  { lister }: Pick<ControllerContext, "lister">,
): Scale | undefined {
  const key = { namespace, name };
  const group = groupOf(apiVersion);
  const scale = (found: { metadata: { uid: string }; spec?: { replicas?: number | undefined } | undefined } | undefined) =>
    found?.metadata.uid === uid ? { uid, replicas: found.spec?.replicas ?? 1 } : undefined;
  if (group === "" && kind === "ReplicationController") return scale(lister(replicationControllers).get(key));
  if (group !== "apps") return undefined;
  if (kind === "StatefulSet") return scale(lister(statefulSets).get(key));
  if (kind === "Deployment") return scale(lister(deployments).get(key));
  if (kind !== "ReplicaSet") return undefined;
  const replicaSet = lister(replicaSets).get(key);
  if (replicaSet?.metadata.uid !== uid) return undefined;
  // The Deployment's number is the one that counts: during a rollout its ReplicaSets come and go.
  const owner = controllerOf(replicaSet);
  return owner?.kind === "Deployment" ? scaleOf(owner, namespace, { lister }) : scale(replicaSet);
}
