/** Runs Pods until enough of them have succeeded. */
import type { EnvVar, Job, Pod } from "../../api/generated/types.ts";
import { jobs, pods } from "../../api/kinds.ts";
import { controllerOf, type Draft, type KubeObject, keyOf, type ObjectKey, type OwnerReference } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { isLostRace } from "../../runtime/lost-race.ts";
import { adopted, becameOrphan, controllerReference, guardFor, ownerKeys, released } from "../common/owners.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { all, isNamespaceTerminating, isNotFound, messageOf, settle } from "../common/settle.ts";
import { podFrom } from "../common/template.ts";
import { indexAnnotation } from "./indexes.ts";
import { isTracked, type JobPlan, type NewPod, planJob, trackingFinalizer } from "./plan.ts";

export function jobController(): Controller {
  return {
    name: "job-controller",
    watches: [
      { kind: jobs, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<Job>,
      {
        kind: pods,
        keys: (change: Observed<Pod>, { lister }) => [
          ...ownerKeys(jobs, change),
          ...(becameOrphan(change)
            ? lister(jobs)
                .inNamespace(change.next?.metadata.namespace ?? "")
                .filter(({ spec }) => labelMatcher(spec.selector).matches(change.next?.metadata.labels))
                .map(keyOf)
            : []),
        ],
      } satisfies Watched<Pod>,
    ],

    async reconcile(key, context) {
      const { clock, lister } = context;
      const job = lister(jobs).get(key);
      await unpinAbandoned(key, job, context);
      if (!job) return {};
      warnOfLimits(job, context);
      const list = lister(pods);
      const plan = planJob({
        job,
        owned: list.ownedBy(job.metadata.uid),
        orphans: list.orphansIn(key.namespace),
        revision: list.revision,
        taken: (name) => list.get({ namespace: key.namespace, name }) !== undefined,
        now: clock.now(),
      });
      await carryOut(job, plan, list.revision, context);
      return plan.again ? { again: plan.again } : {};
    },
  };
}

/** Pods of a Job that is gone need not wait to be counted. */
async function unpinAbandoned(key: ObjectKey, job: Job | undefined, context: ControllerContext): Promise<void> {
  const abandoned = context
    .lister(pods)
    .inNamespace(key.namespace)
    .filter((pod) => {
      if (!isTracked(pod)) return false;
      const owner = controllerOf(pod);
      if (owner === undefined) return job === undefined;
      return owner.kind === jobs.kind && owner.name === key.name && owner.uid !== job?.metadata.uid;
    });
  await unpin(abandoned, context);
}

async function carryOut(job: Job, plan: JobPlan, revision: number, context: ControllerContext): Promise<void> {
  const { client, event } = context;
  const reference = controllerReference(jobs, job);
  if (plan.adopt.length + plan.release.length > 0) return changeOwnership(job, plan, reference, context);
  if (plan.expire) {
    const { uid, resourceVersion } = job.metadata;
    await client.delete(jobs, keyOf(job), { uid, resourceVersion, propagationPolicy: "Foreground" });
    return;
  }

  const errors = await changePods(job, plan, reference, revision, context);
  const error = errors.find((error) => !isLostRace(error)) ?? errors[0];
  if (error) throw error;
  if (plan.status && !semanticEqual(plan.status, job.status)) {
    await client.updateStatus(jobs, { ...job, status: plan.status });
    for (const { type, reason, message } of plan.events) event(job, type, reason, message);
  }
  await unpin(plan.unpin, context);
}

async function changeOwnership(
  job: Job,
  { adopt, release }: JobPlan,
  reference: OwnerReference,
  { client }: ControllerContext,
): Promise<void> {
  if (adopt.length > 0) {
    // Who adopts for an owner that is being deleted takes along what somebody else wanted to keep.
    const newest = await client.get(jobs, keyOf(job));
    if (newest?.metadata.uid !== job.metadata.uid || newest.metadata.deletionTimestamp) return;
  }
  await all([
    ...adopt.map((pod) => client.update(pods, pinned(adopted(pod, reference)))),
    ...release.map((pod) => client.update(pods, unpinned(released(pod, reference.uid)))),
  ]);
}

async function changePods(
  job: Job,
  { create, delete: end, discard }: JobPlan,
  owner: OwnerReference,
  revision: number,
  { client, event }: ControllerContext,
): Promise<readonly unknown[]> {
  const guard = guardFor(job, revision);
  const created = await settle(create.map((pod) => client.create(pods, podOf(job, pod, owner), { guard })));
  const deleted = await settle(
    [...discard, ...end].map(async (pod) => {
      if (discard.includes(pod) && isTracked(pod)) await client.modify(pods, keyOf(pod), (current) => letGo(current, pod), { guard });
      await client.delete(pods, keyOf(pod), { uid: pod.metadata.uid, guard }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return pod;
    }),
  );
  for (const { metadata } of created.done) event(job, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`);
  for (const { metadata } of deleted.done) event(job, "Normal", "SuccessfulDelete", `Deleted pod: ${metadata.name}`);
  const errors = created.errors.filter((error) => !isNamespaceTerminating(error));
  const failed = errors.find((error) => !isLostRace(error));
  if (failed) event(job, "Warning", "FailedCreate", `Error creating: ${messageOf(failed)}`);
  return [...errors, ...deleted.errors];
}

function podOf(job: Job, { name, prefix, index }: NewPod, owner: OwnerReference): Draft<Pod> {
  const draft = podFrom(job.spec.template, { name, namespace: job.metadata.namespace ?? "", owner, prefix });
  draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []).filter((entry) => entry !== trackingFinalizer), trackingFinalizer];
  if (index === undefined) return draft;
  draft.metadata.labels = { ...draft.metadata.labels, [indexAnnotation]: String(index) };
  draft.metadata.annotations = { ...draft.metadata.annotations, [indexAnnotation]: String(index) };
  draft.spec.hostname = `${job.metadata.name}-${index}`;
  const variable: EnvVar = {
    name: "JOB_COMPLETION_INDEX",
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
  };
  for (const container of [...(draft.spec.initContainers ?? []), ...draft.spec.containers]) {
    if (!container.env?.some((env) => env.name === variable.name)) container.env = [...(container.env ?? []), variable];
  }
  return draft;
}

const unpin = async (held: readonly Pod[], { client }: ControllerContext): Promise<void> => {
  await all(held.map((pod) => client.modify(pods, keyOf(pod), (current) => letGo(current, pod))));
};

/** Of the same incarnation only. */
const letGo = (current: Pod, pod: Pod): Pod =>
  current.metadata.uid === pod.metadata.uid && isTracked(current) ? unpinned(current) : current;

const unpinned = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, finalizers: (pod.metadata.finalizers ?? []).filter((entry) => entry !== trackingFinalizer) },
});

const pinned = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, finalizers: [...new Set([...(pod.metadata.finalizers ?? []), trackingFinalizer])] },
});

/** Fields that are accepted and not acted on yet: said aloud, so that nobody waits for their effect. */
function warnOfLimits(job: Job, { event }: ControllerContext): void {
  const { successPolicy, backoffLimitPerIndex, maxFailedIndexes, podFailurePolicy } = job.spec;
  const ignored = [
    ...(successPolicy ? ["spec.successPolicy"] : []),
    ...(backoffLimitPerIndex === undefined ? [] : ["spec.backoffLimitPerIndex"]),
    ...(maxFailedIndexes === undefined ? [] : ["spec.maxFailedIndexes"]),
    ...(podFailurePolicy?.rules.some(({ action }) => action === "FailIndex") ? ["spec.podFailurePolicy.rules[].action FailIndex"] : []),
  ];
  if (ignored.length === 0 || job.status?.startTime !== undefined) return;
  event(job, "Warning", "FieldsIgnored", `Binnacle does not act on ${ignored.join(", ")} yet`);
}
