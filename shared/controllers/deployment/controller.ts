/** Rolls out what a Deployment describes, by way of ReplicaSets. */
import type { Deployment, Pod, ReplicaSet } from "../../api/generated/types.ts";
import { deployments, pods, replicaSets } from "../../api/kinds.ts";
import { type KubeObject, keyOf } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { adopted, becameOrphan, type Claims, claim, controllerReference, ownerKeys, released } from "../common/owners.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { all, isNamespaceTerminating, isNotFound, messageOf } from "../common/settle.ts";
import { type DeploymentPlan, planDeployment } from "./plan.ts";
import { revisionAnnotation } from "./revisions.ts";
import { withCreateError } from "./status.ts";

export function deploymentController(): Controller {
  return {
    name: "deployment-controller",
    watches: [
      { kind: deployments, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<Deployment>,
      {
        kind: replicaSets,
        keys: (change: Observed<ReplicaSet>, { lister }) => [
          ...ownerKeys(deployments, change),
          ...(becameOrphan(change)
            ? lister(deployments)
                .inNamespace(change.next?.metadata.namespace ?? "")
                .filter(({ spec }) => labelMatcher(spec.selector).matches(change.next?.metadata.labels))
                .map(keyOf)
            : []),
        ],
      } satisfies Watched<ReplicaSet>,
      {
        // Recreate waits for the last Pod to be gone; everything else shows in the status of a ReplicaSet.
        kind: pods,
        keys: (change: Observed<Pod>, { lister }) =>
          change.next
            ? []
            : ownerKeys(replicaSets, change).flatMap((key) => {
                const next = lister(replicaSets).get(key);
                return next ? ownerKeys(deployments, { previous: undefined, next }) : [];
              }),
      } satisfies Watched<Pod>,
    ],

    async reconcile(key, context) {
      const deployment = context.lister(deployments).get(key);
      if (!deployment) return {};
      if (semanticEqual(deployment.spec.selector, {})) {
        await selectsEverything(deployment, context);
        return {};
      }

      const list = context.lister(replicaSets);
      const selector = labelMatcher(deployment.spec.selector);
      const claims = claim(deployment, selector, list.ownedBy(deployment.metadata.uid), list.orphansIn(key.namespace));
      if (await changeOwnership(deployment, claims, context)) return {};

      const plan = planDeployment({
        deployment,
        replicaSets: claims.held,
        pods: claims.held.flatMap(({ metadata }) => context.lister(pods).ownedBy(metadata.uid)),
        taken: (name) => list.get({ namespace: key.namespace, name }) !== undefined,
        now: context.clock.now(),
      });
      await carryOut(deployment, plan, context);
      return plan.again ? { again: plan.again } : {};
    },
  };
}

/** Children first, then the Deployment itself: `observedGeneration` is a promise that they are under way (`kubernetes-traps.md` 24). */
async function carryOut(deployment: Deployment, plan: DeploymentPlan, context: ControllerContext): Promise<void> {
  const { client } = context;
  await all<unknown>([
    ...(plan.create ? [createReplicaSet(deployment, plan, context)] : []),
    ...plan.update.map((next) => client.update(replicaSets, next)),
    ...plan.delete.map(({ metadata }) =>
      client
        .delete(replicaSets, keyOf({ metadata }), { uid: metadata.uid, resourceVersion: metadata.resourceVersion })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        }),
    ),
  ]);
  for (const { name, from, to } of plan.scalings) {
    const message = `Scaled ${from < to ? "up" : "down"} replica set ${name} from ${from} to ${to}`;
    context.event(deployment, "Normal", "ScalingReplicaSet", message);
  }

  // Through the status, or the annotation would ask for another generation.
  const current = plan.revision === undefined ? deployment : withRevision(deployment, plan.revision);
  if (current !== deployment || !semanticEqual(plan.status, deployment.status))
    await client.updateStatus(deployments, { ...current, status: plan.status });
}

const withRevision = (deployment: Deployment, revision: string): Deployment => {
  const { metadata } = deployment;
  return { ...deployment, metadata: { ...metadata, annotations: { ...metadata.annotations, [revisionAnnotation]: revision } } };
};

async function createReplicaSet(deployment: Deployment, { create }: DeploymentPlan, context: ControllerContext): Promise<void> {
  if (!create) return;
  try {
    await context.client.create(replicaSets, create);
  } catch (error) {
    if (!isLostRace(error) && !isNamespaceTerminating(error)) await reportFailure(deployment, create.metadata.name, error, context);
    throw error;
  }
}

async function reportFailure(
  deployment: Deployment,
  name: string,
  error: unknown,
  { client, clock, event }: ControllerContext,
): Promise<void> {
  const message = messageOf(error);
  event(deployment, "Warning", "ReplicaSetCreateError", `Failed to create new replica set "${name}": ${message}`);
  const status = withCreateError(deployment, name, message, clock.now());
  if (!semanticEqual(status, deployment.status)) await client.updateStatus(deployments, { ...deployment, status });
}

/** @returns whether there was anything to do: then the rest waits for the next round, when its outcome can be seen */
async function changeOwnership(
  deployment: Deployment,
  { toAdopt, toRelease }: Claims<ReplicaSet>,
  { client }: ControllerContext,
): Promise<boolean> {
  if (toAdopt.length + toRelease.length === 0) return false;
  if (toAdopt.length > 0) {
    // Who adopts for an owner that is being deleted takes along what somebody else wanted to keep.
    const newest = await client.get(deployments, keyOf(deployment));
    if (newest?.metadata.uid !== deployment.metadata.uid || newest.metadata.deletionTimestamp) return true;
  }
  const reference = controllerReference(deployments, deployment);
  await all<unknown>([
    ...toAdopt.map((replicaSet) => client.update(replicaSets, adopted(replicaSet, reference))),
    ...toRelease.map((replicaSet) => client.update(replicaSets, released(replicaSet, reference.uid))),
  ]);
  return true;
}

async function selectsEverything(deployment: Deployment, { client, event }: ControllerContext): Promise<void> {
  event(deployment, "Warning", "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
  const { generation } = deployment.metadata;
  if (deployment.status?.observedGeneration === generation) return;
  await client.updateStatus(deployments, { ...deployment, status: { ...deployment.status, observedGeneration: generation } });
}
