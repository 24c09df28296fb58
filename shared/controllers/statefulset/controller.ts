/** Keeps Pods with an identity of their own: names, claims and an order in which they come and go. */
import type { PlanGuard } from "../../api/client.ts";
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from "../../api/kinds.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { becameOrphan, claim, guardFor, ownerKeys } from "../common/owners.ts";
import { settleOwnership } from "../common/ownership.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { all, isNamespaceTerminating, messageOf, settle, unlessGone } from "../common/settle.ts";
import { type ClaimDraft, isClaimOf, ordinalIn, parsePodName } from "./identity.ts";
import { type NewPod, planStatefulSet, type StatefulSetPlan } from "./plan.ts";

export function statefulSetController(): Controller {
  return {
    name: "statefulset-controller",
    watches: [
      { kind: statefulSets, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<StatefulSet>,
      { kind: pods, keys: podKeys } satisfies Watched<Pod>,
      {
        kind: controllerRevisions,
        keys: (change: Observed<ControllerRevision>) => ownerKeys(statefulSets, change),
      } satisfies Watched<ControllerRevision>,
      { kind: persistentVolumeClaims, keys: claimKeys } satisfies Watched<PersistentVolumeClaim>,
    ],

    async reconcile(key, context) {
      const { lister, clock } = context;
      const set = lister(statefulSets).get(key);
      if (!set) return {};
      const selector = labelMatcher(set.spec.selector);
      const podList = lister(pods);
      const revisionList = lister(controllerRevisions);
      const { uid } = set.metadata;
      const claims = claim(
        set,
        selector,
        podList.ownedBy(uid),
        podList.orphansIn(key.namespace),
        (pod) => ordinalIn(set, pod) !== undefined,
      );
      const revisions = claim(set, selector, revisionList.ownedBy(uid), revisionList.orphansIn(key.namespace));
      const estates = [
        { kind: pods, claims },
        { kind: controllerRevisions, claims: { ...revisions, toRelease: [] } },
      ];
      if (await settleOwnership(statefulSets, set, estates, context.client)) return {};

      const plan = planStatefulSet({
        set,
        pods: claims.held,
        revisions: revisions.held,
        claim: (name) => lister(persistentVolumeClaims).get({ namespace: key.namespace, name }),
        pod: (name) => podList.get({ namespace: key.namespace, name }),
        taken: (name) => revisionList.get({ namespace: key.namespace, name }) !== undefined,
        now: clock.now(),
      });
      await carryOut(set, plan, podList.revision, context);
      return plan.again ? { again: plan.again } : {};
    },
  };
}

/** The owner, whoever may adopt it, and whoever has waited for its name. */
function podKeys(change: Observed<Pod>, { lister }: Pick<ControllerContext, "lister">): ObjectKey[] {
  const { previous, next } = change;
  const namespace = (next ?? previous)?.metadata.namespace ?? "";
  const parsed = next ? undefined : parsePodName(previous?.metadata.name ?? "");
  const named = parsed && lister(statefulSets).get({ namespace, name: parsed.set });
  return [
    ...ownerKeys(statefulSets, change),
    ...(named ? [keyOf(named)] : []),
    ...(becameOrphan(change)
      ? lister(statefulSets)
          .inNamespace(namespace)
          .filter(({ spec }) => labelMatcher(spec.selector).matches(next?.metadata.labels))
          .map(keyOf)
      : []),
  ];
}

/** Pods wait for claims that are missing, or on their way out; and somebody may have changed who owns one. */
function claimKeys({ previous, next }: Observed<PersistentVolumeClaim>, { lister }: Pick<ControllerContext, "lister">): ObjectKey[] {
  const matters =
    !next ||
    previous?.metadata.deletionTimestamp !== next.metadata.deletionTimestamp ||
    !semanticEqual(previous?.metadata.ownerReferences, next.metadata.ownerReferences);
  const { name = "", namespace = "" } = (next ?? previous)?.metadata ?? {};
  if (!matters) return [];
  return lister(statefulSets)
    .inNamespace(namespace)
    .filter((set) => isClaimOf(set, name))
    .map(keyOf);
}

/** Revisions before the Pods that name them, claims before the Pods that use them, the status when all that is done. */
async function carryOut(set: StatefulSet, plan: StatefulSetPlan, revision: number, context: ControllerContext): Promise<void> {
  const { client, event } = context;
  if (plan.createRevision) await client.create(controllerRevisions, plan.createRevision);
  if (plan.updateRevision) await client.update(controllerRevisions, plan.updateRevision);
  for (const { reason, message } of plan.warnings) event(set, "Warning", reason, message);

  const guard = guardFor(set, revision);
  const { errors } = await settle<unknown>([
    ...plan.createPods.map((pod) => createPod(set, pod, guard, context)),
    ...plan.createClaims.map(({ pod, draft }) => createClaim(set, draft, pod, context)),
    ...plan.updateClaims.map((next) => client.update(persistentVolumeClaims, next)),
    ...plan.updatePods.map((next) => updatePod(set, next, context)),
    ...plan.deletePods.map((pod) => deletePod(set, pod, guard, context)),
  ]);
  const lost = errors.find(isLostRace);
  if (lost) throw lost;

  if (!semanticEqual(plan.status, set.status)) await client.updateStatus(statefulSets, { ...set, status: plan.status });
  await all(
    plan.deleteRevisions.map(({ metadata }) =>
      client
        .delete(controllerRevisions, keyOf({ metadata }), { uid: metadata.uid, resourceVersion: metadata.resourceVersion })
        .catch(unlessGone),
    ),
  );
  const error = errors.find((failure) => !isNamespaceTerminating(failure));
  if (error) throw error;
}

async function createPod(set: StatefulSet, { draft, claims }: NewPod, guard: PlanGuard, context: ControllerContext): Promise<void> {
  await reported(set, "Create", draft.metadata.name, context, async () => {
    await all(claims.map((claimDraft) => createClaim(set, claimDraft, draft.metadata.name, context)));
    await context.client.create(pods, draft, { guard });
  });
}

const updatePod = (set: StatefulSet, next: Pod, context: ControllerContext): Promise<void> =>
  reported(set, "Update", next.metadata.name, context, () => context.client.update(pods, next));

const deletePod = (set: StatefulSet, pod: Pod, guard: PlanGuard, context: ControllerContext): Promise<void> =>
  reported(set, "Delete", pod.metadata.name, context, () =>
    context.client.delete(pods, keyOf(pod), { uid: pod.metadata.uid, guard }).catch(unlessGone),
  );

async function createClaim(set: StatefulSet, draft: ClaimDraft, pod: string, { client, event }: ControllerContext): Promise<void> {
  const { name } = draft.metadata;
  const where = `in StatefulSet ${set.metadata.name}`;
  try {
    await client.create(persistentVolumeClaims, draft);
  } catch (error) {
    if (!isLostRace(error))
      event(set, "Warning", "FailedCreate", `Create Claim ${name} for Pod ${pod} ${where} failed error: ${messageOf(error)}`);
    throw error;
  }
  event(set, "Normal", "SuccessfulCreate", `Create Claim ${name} Pod ${pod} ${where} success`);
}

/** Does something about a Pod and says how it went; lost races are not worth a word. */
async function reported(
  set: StatefulSet,
  verb: "Create" | "Update" | "Delete",
  pod: string,
  { event }: ControllerContext,
  act: () => Promise<unknown>,
): Promise<void> {
  const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`;
  try {
    await act();
  } catch (error) {
    if (!isLostRace(error) && !isNamespaceTerminating(error)) {
      event(set, "Warning", `Failed${verb}`, `${what} failed error: ${messageOf(error)}`);
    }
    throw error;
  }
  event(set, "Normal", `Successful${verb}`, `${what} successful`);
}
