/** Keeps as many Pods as a ReplicaSet asks for, or whatever else can be seen as one. */

import type { KindRef } from "../../api/client.ts";
import type { Pod, ReplicaSet, ReplicaSetStatus } from "../../api/generated/types.ts";
import { pods, replicaSets } from "../../api/kinds.ts";
import { controllerOf, type KubeObject, keyOf } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { adopted, becameOrphan, controllerReference, guardFor, ownerKeys, released } from "../common/owners.ts";
import { isActive } from "../common/pods.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { all, isNamespaceTerminating, isNotFound, messageOf, settle } from "../common/settle.ts";
import { podFrom } from "../common/template.ts";
import { type Action, type Failure, nextReplicaSetCheck, planReplicaSet, replicaSetStatus } from "./plan.ts";

/** A kind whose objects want a number of Pods of one template. */
export interface ReplicaKind<T extends KubeObject> {
  readonly name: string;
  readonly kind: KindRef<T>;
  /** The same object, as far as a plan looks at it. */
  asReplicaSet(object: T): ReplicaSet;
  withStatus(object: T, status: ReplicaSetStatus): T;
}

const itself: ReplicaKind<ReplicaSet> = {
  name: "replicaset-controller",
  kind: replicaSets,
  asReplicaSet: (replicaSet) => replicaSet,
  withStatus: (replicaSet, status) => ({ ...replicaSet, status }),
};

export const replicaSetController = (): Controller => replicaController(itself);

export function replicaController<T extends KubeObject>(replicas: ReplicaKind<T>): Controller {
  const { kind } = replicas;
  const asReplicaSet = (object: T) => replicas.asReplicaSet(object);
  return {
    name: replicas.name,
    watches: [
      { kind, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<T>,
      {
        kind: pods,
        keys: (change: Observed<Pod>, { lister }) => [
          ...ownerKeys(kind, change),
          ...(becameOrphan(change)
            ? lister(kind)
                .inNamespace(change.next?.metadata.namespace ?? "")
                .filter((object) => labelMatcher(asReplicaSet(object).spec.selector).matches(change.next?.metadata.labels))
                .map(keyOf)
            : []),
        ],
      } satisfies Watched<Pod>,
    ],

    async reconcile(key, context) {
      const object = context.lister(kind).get(key);
      if (!object) return {};
      const replicaSet = asReplicaSet(object);
      const podList = context.lister(pods);
      const now = context.clock.now();
      const owned = podList.ownedBy(replicaSet.metadata.uid);
      const actions = planReplicaSet({
        replicaSet,
        owned,
        orphans: podList.orphansIn(key.namespace),
        related: relatedPods(kind, replicaSet, context),
        revision: podList.revision,
        taken: (name) => podList.get({ namespace: key.namespace, name }) !== undefined,
        now,
      });
      if (await changeOwnership(kind, replicaSet, actions, context)) return {};

      const { pods: left, errors } = await changeNumber(kind, replicaSet, owned, actions, podList.revision, context);
      const lost = errors.find(isLostRace);
      if (lost) throw lost;
      const failure = failureOf(actions, errors);
      const next = replicas.withStatus(object, replicaSetStatus(replicaSet, left, failure, now));
      if (!semanticEqual(asReplicaSet(next).status, replicaSet.status)) await context.client.updateStatus(kind, next);
      if (errors.length > 0) throw errors[0];
      const again = nextReplicaSetCheck(replicaSet, left, now);
      return again ? { again } : {};
    },
  };
}

/** Pods of every object of the kind with the same controller. */
function relatedPods(kind: KindRef, replicaSet: ReplicaSet, { lister }: ControllerContext): Pod[] {
  const controller = controllerOf(replicaSet);
  const siblings = controller ? lister(kind).ownedBy(controller.uid) : [replicaSet];
  return siblings.flatMap(({ metadata }) => lister(pods).ownedBy(metadata.uid));
}

/** @returns whether there was anything to do: then the numbers wait for the next round, when its outcome can be seen */
async function changeOwnership(
  kind: KindRef,
  replicaSet: ReplicaSet,
  actions: readonly Action[],
  { client }: ControllerContext,
): Promise<boolean> {
  const reference = controllerReference(kind, replicaSet);
  const adopt = actions.filter((action) => action.type === "adoptPod");
  const release = actions.filter((action) => action.type === "releasePod");
  if (adopt.length + release.length === 0) return false;
  if (adopt.length > 0) {
    // Who adopts for an owner that is being deleted takes Pods along that somebody else wanted to keep.
    const newest = await client.get(kind, keyOf(replicaSet));
    if (newest?.metadata.uid !== replicaSet.metadata.uid || newest.metadata.deletionTimestamp) return true;
  }
  await all<unknown>([
    ...adopt.map(({ pod }) => client.update(pods, adopted(pod, reference))),
    ...release.map(({ pod }) => client.update(pods, released(pod, reference.uid))),
  ]);
  return true;
}

/** @returns the Pods that are there afterwards, and what went wrong */
async function changeNumber(
  kind: KindRef,
  replicaSet: ReplicaSet,
  owned: readonly Pod[],
  actions: readonly Action[],
  revision: number,
  { client, event }: ControllerContext,
): Promise<{ pods: readonly Pod[]; errors: readonly unknown[] }> {
  const guard = guardFor(replicaSet, revision);
  const owner = controllerReference(kind, replicaSet);
  const namespace = replicaSet.metadata.namespace ?? "";
  const create = actions.filter((action) => action.type === "createPod");
  const remove = actions.filter((action) => action.type === "deletePod");

  const created = await settle(
    create.map(({ name }) => client.create(pods, podFrom(replicaSet.spec.template, { name, namespace, owner }), { guard })),
  );
  const deleted = await settle(
    remove.map(async ({ pod }) => {
      await client.delete(pods, keyOf(pod), { uid: pod.metadata.uid, guard }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return pod;
    }),
  );
  for (const { metadata } of created.done) event(replicaSet, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`);
  for (const { metadata } of deleted.done) event(replicaSet, "Normal", "SuccessfulDelete", `Deleted pod: ${metadata.name}`);
  const errors = [...created.errors.filter((error) => !isNamespaceTerminating(error)), ...deleted.errors];
  const failed = errors.find((error) => !isLostRace(error));
  if (failed && create.length > 0) event(replicaSet, "Warning", "FailedCreate", `Error creating: ${messageOf(failed)}`);
  if (failed && remove.length > 0) event(replicaSet, "Warning", "FailedDelete", `Error deleting: ${messageOf(failed)}`);

  const gone = new Set(deleted.done.map(({ metadata }) => metadata.uid));
  // A deleted Pod may go on terminating for a while; it is counted as such once that is seen.
  const kept = owned.filter((pod) => !gone.has(pod.metadata.uid) || !isActive(pod));
  return { pods: [...kept, ...created.done], errors };
}

function failureOf(actions: readonly Action[], errors: readonly unknown[]): Failure | undefined {
  if (errors.length === 0) return undefined;
  return { reason: actions.some(({ type }) => type === "createPod") ? "FailedCreate" : "FailedDelete", message: messageOf(errors[0]) };
}
