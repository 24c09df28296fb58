/** Keeps one Pod on each Node that wants one. */
import { isDeepStrictEqual } from "node:util";
import type { ControllerRevision, DaemonSet, Node, Pod } from "../../api/generated/types.ts";
import { controllerRevisions, daemonSets, nodes, pods } from "../../api/kinds.ts";
import { type Draft, type KubeObject, keyOf, type OwnerReference } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { becameOrphan, claim, controllerReference, guardFor, ownerKeys } from "../common/owners.ts";
import { settleOwnership } from "../common/ownership.ts";
import { podRevisionLabel } from "../common/revisions.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { all, isNamespaceTerminating, messageOf, settle, unlessGone } from "../common/settle.ts";
import { podFrom } from "../common/template.ts";
import { Failures } from "./failures.ts";
import { tiedTo, tolerationsOf } from "./placement.ts";
import { type DaemonSetPlan, generationLabel, generationOf, type NewPod, planDaemonSet } from "./plan.ts";

export function daemonSetController(): Controller {
  const failures = new Failures();
  return {
    name: "daemonset-controller",
    watches: [
      { kind: daemonSets, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<DaemonSet>,
      {
        kind: pods,
        keys: (change: Observed<Pod>, { lister }) => [
          ...ownerKeys(daemonSets, change),
          ...(becameOrphan(change)
            ? lister(daemonSets)
                .inNamespace(change.next?.metadata.namespace ?? "")
                .filter(({ spec }) => labelMatcher(spec.selector).matches(change.next?.metadata.labels))
                .map(keyOf)
            : []),
        ],
      } satisfies Watched<Pod>,
      {
        kind: controllerRevisions,
        keys: (change: Observed<ControllerRevision>) => ownerKeys(daemonSets, change),
      } satisfies Watched<ControllerRevision>,
      {
        kind: nodes,
        keys: ({ previous, next }: Observed<Node>, { lister }) =>
          previous && next && isDeepStrictEqual(placingFacts(previous), placingFacts(next)) ? [] : [...lister(daemonSets).all()].map(keyOf),
      } satisfies Watched<Node>,
    ],

    async reconcile(key, context) {
      const { lister, clock } = context;
      const set = lister(daemonSets).get(key);
      // Its revisions may be gone before its Pods: nothing could be said about it.
      if (!set || set.metadata.deletionTimestamp) return {};
      if (semanticEqual(set.spec.selector, {})) {
        context.event(set, "Warning", "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required.");
        return {};
      }
      const selector = labelMatcher(set.spec.selector);
      const podList = lister(pods);
      const revisionList = lister(controllerRevisions);
      const { uid } = set.metadata;
      const claims = claim(set, selector, podList.ownedBy(uid), podList.orphansIn(key.namespace));
      const revisions = claim(set, selector, revisionList.ownedBy(uid), revisionList.orphansIn(key.namespace));
      const estates = [
        { kind: pods, claims },
        { kind: controllerRevisions, claims: { ...revisions, toRelease: [] } },
      ];
      if (await settleOwnership(daemonSets, set, estates, context.client)) return {};

      const failureKey = (node: string) => `${uid}/${set.status?.observedGeneration ?? 0}/${node}`;
      const plan = planDaemonSet({
        set,
        pods: claims.held,
        nodes: [...lister(nodes).all()],
        revisions: revisions.held,
        takenRevision: (name) => revisionList.get({ namespace: key.namespace, name }) !== undefined,
        taken: (name) => podList.get({ namespace: key.namespace, name }) !== undefined,
        revision: podList.revision,
        retryAt: (node) => failures.retryAt(failureKey(node)),
        now: clock.now(),
      });
      await carryOut(set, plan, podList.revision, context);
      for (const node of plan.failed) failures.note(failureKey(node), clock.now());
      return plan.again ? { again: plan.again } : {};
    },
  };
}

const placingFacts = ({ metadata, spec }: Node) => [metadata.labels, spec?.taints];

/** Revisions before the Pods that name them, the status when Pods are made and deleted. */
async function carryOut(set: DaemonSet, plan: DaemonSetPlan, revision: number, context: ControllerContext): Promise<void> {
  const { client, event } = context;
  if (plan.createRevision) await client.create(controllerRevisions, plan.createRevision);
  if (plan.updateRevision) await client.update(controllerRevisions, plan.updateRevision);
  for (const { type, reason, message } of plan.events) event(set, type, reason, message);

  const errors = await changePods(set, plan, revision, context);
  const lost = errors.find(isLostRace);
  if (lost) throw lost;
  if (!semanticEqual(plan.status, set.status)) await client.updateStatus(daemonSets, { ...set, status: plan.status });
  await all(
    plan.deleteRevisions.map(({ metadata }) =>
      client
        .delete(controllerRevisions, keyOf({ metadata }), { uid: metadata.uid, resourceVersion: metadata.resourceVersion })
        .catch(unlessGone),
    ),
  );
  if (errors.length > 0) throw errors[0];
}

async function changePods(
  set: DaemonSet,
  { create, delete: end, hash }: DaemonSetPlan,
  revision: number,
  { client, event }: ControllerContext,
): Promise<readonly unknown[]> {
  const guard = guardFor(set, revision);
  const owner = controllerReference(daemonSets, set);
  const created = await settle(create.map((pod) => client.create(pods, podOf(set, pod, hash, owner), { guard })));
  const deleted = await settle(
    end.map(async (pod) => {
      await client.delete(pods, keyOf(pod), { uid: pod.metadata.uid, guard }).catch(unlessGone);
      return pod;
    }),
  );
  for (const { metadata } of created.done) event(set, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`);
  for (const { metadata } of deleted.done) event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${metadata.name}`);
  const failures = created.errors.filter((error) => !isNamespaceTerminating(error));
  const [toCreate, toDelete] = [failures, deleted.errors].map((errors) => errors.find((error) => !isLostRace(error)));
  if (toCreate) event(set, "Warning", "FailedCreate", `Error creating: ${messageOf(toCreate)}`);
  if (toDelete) event(set, "Warning", "FailedDelete", `Error deleting: ${messageOf(toDelete)}`);
  return [...failures, ...deleted.errors];
}

function podOf(set: DaemonSet, { name, node }: NewPod, hash: string, owner: OwnerReference): Draft<Pod> {
  const draft = podFrom(set.spec.template, { name, namespace: set.metadata.namespace ?? "", owner });
  const generation = generationOf(set);
  const labels = { ...draft.metadata.labels, ...(generation !== undefined && { [generationLabel]: generation }), [podRevisionLabel]: hash };
  return {
    ...draft,
    metadata: { ...draft.metadata, labels },
    spec: { ...draft.spec, affinity: tiedTo(node, draft.spec.affinity), tolerations: tolerationsOf(draft.spec) },
  };
}
