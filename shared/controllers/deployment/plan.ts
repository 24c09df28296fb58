/**
 * Decides what a Deployment needs: which ReplicaSets to make, scale and delete, and what its status says. Pure. Upstream takes one step
 * and looks again; here the steps that follow from one state are taken together, which comes to the same and costs fewer commits.
 */
import type { Deployment, DeploymentStatus, Pod, PodTemplateSpec, ReplicaSet } from "../../api/generated/types.ts";
import { deployments } from "../../api/kinds.ts";
import { controllerOf, type Draft, type ObjectMeta } from "../../api/objects.ts";
import { copyOf } from "../../api/patch/values.ts";
import { controllerReference } from "../common/owners.ts";
import { isTerminal } from "../common/pods.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { sameTemplate, templateHash, templateHashLabel } from "../common/template.ts";
import { isRollingUpdate } from "./numbers.ts";
import { annotationsOfNewest, revisionAnnotation, revisionOf } from "./revisions.ts";
import { isScalingEvent, type Member, present, rollOut, scaleAll, scaleTo, sizesOf } from "./rollout.ts";
import {
  isComplete,
  nextProgressCheck,
  observedStatus,
  rolloutStatus,
  withFoundReplicaSet,
  withNewReplicaSet,
  withPausedCondition,
} from "./status.ts";

const maxNameLength = 253;
/** The value of `revisionHistoryLimit` that means "all". */
const everyRevision = 2 ** 31 - 1;

export interface DeploymentState {
  readonly deployment: Deployment;
  /** Those it owns and selects. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Pods of these ReplicaSets. */
  readonly pods: readonly Pod[];
  /** Whether a ReplicaSet of that name exists in the namespace, whoever owns it. */
  readonly taken: (name: string) => boolean;
  readonly now: Date;
}

export interface Scaling {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface DeploymentPlan {
  readonly create?: ReplicaSetDraft;
  /** Next states of ReplicaSets, at the version that was seen. */
  readonly update: readonly ReplicaSet[];
  /** Old ReplicaSets beyond the history limit. */
  readonly delete: readonly ReplicaSet[];
  /** The Deployment's revision annotation, when it has to change. */
  readonly revision?: string;
  /** To be written after all of the above. */
  readonly status: DeploymentStatus;
  /** For events. */
  readonly scalings: readonly Scaling[];
  /** When the rollout is judged again by the mere passing of time. */
  readonly again?: Date;
}

export type ReplicaSetDraft = Draft<ReplicaSet> & { readonly metadata: { readonly name: string } };

export function planDeployment(state: DeploymentState): DeploymentPlan {
  const { deployment, now } = state;
  const { paused = false } = deployment.spec;
  // Of several ReplicaSets with the wanted template (an upgrade can lead to that) the oldest is the one.
  const byAge = state.replicaSets.toSorted(olderFirst);
  const current = byAge.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  const olds = byAge.filter((replicaSet) => replicaSet !== current).map(memberOf);
  if (deployment.metadata.deletionTimestamp) {
    const status = observedStatus(deployment, deployment.status ?? {}, olds, current && memberOf(current), now);
    return { update: [], delete: [], scalings: [], status };
  }

  const revision = olds.map(({ annotations }) => revisionOf(annotations)).reduce((one, other) => (one > other ? one : other), 0n) + 1n;
  const emptied = oldPodsAreGone(olds, current, state.pods);
  let status = withPausedCondition(deployment, now);
  let newest: Member | undefined;
  if (current) {
    newest = memberOf(current);
    newest.annotations = annotationsOfNewest(deployment, newest.annotations, revision);
    newest.minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    status = withFoundReplicaSet(deployment, status, newest.name, now);
  }
  if (!paused && !newest && (isRollingUpdate(deployment) || emptied)) {
    const name = newName(deployment);
    // Another template with the same hash, or somebody else's object: the next name is derived from one collision more.
    if (state.taken(name)) return { update: [], delete: [], scalings: [], status: collided(deployment) };
    newest = newMember(deployment, name, revision);
    status = withNewReplicaSet(deployment, status, name, now);
  }
  shareOut(deployment, olds, newest, emptied);

  const next = (paused ? observedStatus : rolloutStatus)(deployment, status, olds, newest, now);
  const obsolete = paused || isComplete(deployment, next) ? beyondHistory(deployment, olds) : [];
  const members = present(olds, newest);
  const wanted = newest?.annotations[revisionAnnotation];
  const again = paused ? undefined : nextProgressCheck(deployment, next);
  return {
    ...(newest && !newest.replicaSet && { create: draftOf(deployment, newest) }),
    update: members.flatMap((member) =>
      member.replicaSet && !obsolete.includes(member.replicaSet) ? updateOf(member.replicaSet, member) : [],
    ),
    delete: obsolete,
    ...(wanted !== undefined && wanted !== deployment.metadata.annotations?.[revisionAnnotation] && { revision: wanted }),
    status: next,
    scalings: members.filter(({ from, replicas }) => from !== replicas).map(({ name, from, replicas }) => ({ name, from, to: replicas })),
    ...(again && { again }),
  };
}

/** Scaling first, as upstream does, and what follows from either, until it comes to rest. */
function shareOut(deployment: Deployment, olds: readonly Member[], newest: Member | undefined, emptied: boolean): void {
  const { paused = false } = deployment.spec;
  const members = present(olds, newest);
  for (let step = 0; step <= members.length; step++) {
    const before = sizesOf(members);
    if (paused || isScalingEvent(deployment, members)) scaleAll(deployment, olds, newest);
    if (!paused) rollOut(deployment, olds, newest, emptied);
    if (sizesOf(members) === before) return;
  }
}

function olderFirst(one: ReplicaSet, other: ReplicaSet): number {
  const [first, second] = [one.metadata, other.metadata];
  if (first.creationTimestamp !== second.creationTimestamp) return first.creationTimestamp < second.creationTimestamp ? -1 : 1;
  return first.name < second.name ? -1 : 1;
}

const memberOf = (replicaSet: ReplicaSet): Member => ({
  replicaSet,
  name: replicaSet.metadata.name,
  created: Date.parse(replicaSet.metadata.creationTimestamp),
  from: replicaSet.spec.replicas ?? 1,
  available: replicaSet.status?.availableReplicas ?? 0,
  replicas: replicaSet.spec.replicas ?? 1,
  annotations: replicaSet.metadata.annotations ?? {},
  minReadySeconds: replicaSet.spec.minReadySeconds ?? 0,
});

function newMember(deployment: Deployment, name: string, revision: bigint): Member {
  const annotations = annotationsOfNewest(deployment, undefined, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const member: Member = {
    replicaSet: undefined,
    name,
    created: Infinity,
    from: 0,
    available: 0,
    replicas: 0,
    annotations,
    minReadySeconds,
  };
  scaleTo(deployment, member, 0);
  return member;
}

/** Whether nothing of an older template runs or can still be started: what Recreate waits for. */
function oldPodsAreGone(olds: readonly Member[], current: ReplicaSet | undefined, pods: readonly Pod[]): boolean {
  const empty = olds.every(({ replicaSet, from }) => {
    const observed = (replicaSet?.status?.observedGeneration ?? 0) >= (replicaSet?.metadata.generation ?? 0);
    return from === 0 && observed && (replicaSet?.status?.replicas ?? 0) === 0;
  });
  return empty && pods.every((pod) => isTerminal(pod) || controllerOf(pod)?.uid === current?.metadata.uid);
}

function hashOf(deployment: Deployment): string {
  return templateHash(deployment.spec.template, deployment.status?.collisionCount ?? 0);
}

function newName(deployment: Deployment): string {
  const hash = hashOf(deployment);
  return `${deployment.metadata.name.slice(0, maxNameLength - hash.length - 1)}-${hash}`;
}

const collided = ({ status }: Deployment): DeploymentStatus => ({ ...status, collisionCount: (status?.collisionCount ?? 0) + 1 });

function draftOf(deployment: Deployment, { name, replicas, annotations, minReadySeconds }: Member): ReplicaSetDraft {
  const hash = hashOf(deployment);
  const { selector } = deployment.spec;
  const template: PodTemplateSpec = copyOf(deployment.spec.template);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  template.metadata = { ...template.metadata, labels } as ObjectMeta;
  return {
    metadata: {
      name,
      ...(deployment.metadata.namespace !== undefined && { namespace: deployment.metadata.namespace }),
      labels,
      annotations: { ...annotations },
      ownerReferences: [controllerReference(deployments, deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds > 0 && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
      template,
    },
  };
}

function updateOf(replicaSet: ReplicaSet, { replicas, annotations, minReadySeconds }: Member): ReplicaSet[] {
  const next: ReplicaSet = {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations: { ...annotations } },
    spec: { ...replicaSet.spec, replicas, minReadySeconds: minReadySeconds || undefined },
  };
  const same =
    replicas === (replicaSet.spec.replicas ?? 1) &&
    minReadySeconds === (replicaSet.spec.minReadySeconds ?? 0) &&
    semanticEqual(annotations, replicaSet.metadata.annotations);
  return same ? [] : [next];
}

/** The oldest of those that have neither Pods nor orders to make some. */
function beyondHistory({ spec }: Deployment, olds: readonly Member[]): ReplicaSet[] {
  const limit = spec.revisionHistoryLimit ?? 10;
  if (limit === everyRevision) return [];
  const alive = olds.filter(({ replicaSet }) => replicaSet && !replicaSet.metadata.deletionTimestamp);
  return alive
    .toSorted((one, other) => compareRevisions(one, other) || one.created - other.created)
    .slice(0, Math.max(0, alive.length - limit))
    .flatMap(({ replicaSet, replicas }) => (replicaSet && replicas === 0 && isIdle(replicaSet) ? [replicaSet] : []));
}

const compareRevisions = (one: Member, other: Member): number => {
  const [first, second] = [revisionOf(one.annotations), revisionOf(other.annotations)];
  return first === second ? 0 : first < second ? -1 : 1;
};

const isIdle = ({ spec, status, metadata }: ReplicaSet): boolean =>
  (spec.replicas ?? 1) === 0 && (status?.replicas ?? 0) === 0 && (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
