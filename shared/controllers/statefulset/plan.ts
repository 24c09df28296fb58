/**
 * Decides what a StatefulSet needs: Pods, one by one or all at once, their claims, and what its status says. Pure.
 * @see k8s.io/kubernetes/pkg/controller/statefulset, whose order of steps this keeps
 */
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  StatefulSet,
  StatefulSetStatus,
} from "../../api/generated/types.ts";
import { statefulSets } from "../../api/kinds.ts";
import { isAvailable, isReady, isTerminal, nextAvailability } from "../common/pods.ts";
import { beyondHistory, type RevisionDraft, revisionHashLabel, templateOf, type Wanted, wantedRevision } from "../common/revisions.ts";
import {
  type ClaimDraft,
  claimDrafts,
  claimNames,
  ordinalIn,
  ordinalsOf,
  type PodDraft,
  podDraft,
  podName,
  revisionLabelOf,
  withIdentity,
} from "./identity.ts";
import { awaitsDeletion, hasOtherController, withRetention } from "./retention.ts";

/** At most this many Pods are made or deleted in one go, as upstream does. */
const burst = 500;

export interface StatefulSetState {
  readonly set: StatefulSet;
  /** Those it owns, selects, and has named. */
  readonly pods: readonly Pod[];
  /** Those it owns and selects. */
  readonly revisions: readonly ControllerRevision[];
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  /** A Pod of that name, whoever owns it. */
  readonly pod: (name: string) => Pod | undefined;
  /** Whether a ControllerRevision of that name exists in the namespace, whoever owns it. */
  readonly taken: (name: string) => boolean;
  readonly now: Date;
}

export interface NewPod {
  readonly draft: PodDraft;
  /** To be made before it. */
  readonly claims: readonly ClaimDraft[];
}

export interface Warning {
  readonly reason: string;
  readonly message: string;
}

export interface StatefulSetPlan {
  readonly createRevision?: RevisionDraft;
  readonly updateRevision?: ControllerRevision;
  readonly createPods: readonly NewPod[];
  /** Claims that Pods which are there already wait for, with the name of the Pod. */
  readonly createClaims: readonly { readonly pod: string; readonly draft: ClaimDraft }[];
  /** Next states, at the version that was seen. */
  readonly updateClaims: readonly PersistentVolumeClaim[];
  /** Next states, at the version that was seen. */
  readonly updatePods: readonly Pod[];
  readonly deletePods: readonly Pod[];
  readonly warnings: readonly Warning[];
  /** To be written after all of the above. */
  readonly status: StatefulSetStatus;
  /** To be deleted at last. */
  readonly deleteRevisions: readonly ControllerRevision[];
  /** When something changes by the mere passing of time. */
  readonly again?: Date;
}

interface Revision {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

export function planStatefulSet(state: StatefulSetState): StatefulSetPlan {
  const { set, revisions, taken } = state;
  const steps = new Steps(state);
  if (set.metadata.deletionTimestamp) return { ...steps.collected(), status: counted(state, set.status), deleteRevisions: [] };
  const wanted = wantedRevision(statefulSets, set, revisions, (hash) => ({ [revisionHashLabel]: hash }), taken);
  if (wanted.type === "collided") {
    const status = { ...(set.status ?? { replicas: 0 }), collisionCount: (set.status?.collisionCount ?? 0) + 1 };
    return { ...steps.collected(), status, deleteRevisions: [] };
  }
  const update: Revision = { name: wanted.revision.metadata.name, template: set.spec.template };
  const currently = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision);
  const current: Revision = currently ? { name: currently.metadata.name, template: templateOf(currently) ?? update.template } : update;

  steps.go(current, update);
  const status = statusOf(state, current, update, steps.updated);
  const live = new Set([current.name, update.name, ...state.pods.map(revisionLabelOf)]);
  const again = nextAvailability(state.pods, set.spec.minReadySeconds ?? 0, state.now);
  return {
    ...revisionChange(wanted),
    ...steps.collected(),
    status,
    deleteRevisions: beyondHistory(revisions, ({ metadata }) => live.has(metadata.name), set.spec.revisionHistoryLimit ?? 10),
    ...(again && { again }),
  };
}

function revisionChange(wanted: Exclude<Wanted, { type: "collided" }>): Pick<StatefulSetPlan, "createRevision" | "updateRevision"> {
  if (wanted.type === "new") return { createRevision: wanted.revision };
  return wanted.type === "again" ? { updateRevision: wanted.revision } : {};
}

const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === "Running" && isReady(pod);

/** Walks through the set in the order of its ordinals and collects what is to be done. */
class Steps {
  readonly #state: StatefulSetState;
  readonly #ordered: boolean;
  /** By ordinal. */
  readonly #replicas = new Map<number, Pod>();
  /** Beyond the ordinals, highest first. */
  readonly #condemned: Pod[];
  readonly #createPods: NewPod[] = [];
  readonly #createClaims: { pod: string; draft: ClaimDraft }[] = [];
  readonly #updateClaims: PersistentVolumeClaim[] = [];
  readonly #updatePods: Pod[] = [];
  readonly #deletePods: Pod[] = [];
  readonly #warnings: Warning[] = [];
  /** Pods that are deleted to be made again from another template. */
  updated = 0;

  constructor(state: StatefulSetState) {
    this.#state = state;
    this.#ordered = state.set.spec.podManagementPolicy !== "Parallel";
    const { first, last } = ordinalsOf(state.set);
    const ordinal = (pod: Pod) => ordinalIn(state.set, pod) ?? -1;
    for (const pod of state.pods) if (ordinal(pod) >= first && ordinal(pod) <= last) this.#replicas.set(ordinal(pod), pod);
    this.#condemned = state.pods
      .filter((pod) => ordinal(pod) >= 0 && (ordinal(pod) < first || ordinal(pod) > last))
      .toSorted((one, other) => ordinal(other) - ordinal(one));
  }

  collected() {
    return {
      createPods: this.#createPods,
      createClaims: this.#createClaims,
      updateClaims: this.#updateClaims,
      updatePods: this.#updatePods,
      deletePods: this.#deletePods,
      warnings: this.#warnings,
    };
  }

  /** Replicas first, then what is too much, and an update only when both are as they should be. */
  go(current: Revision, update: Revision): void {
    const { first, last } = ordinalsOf(this.#state.set);
    for (let ordinal = first; ordinal <= last; ordinal++) {
      if (!this.#replica(ordinal, current, update) && this.#ordered) return;
    }
    for (const pod of this.#condemned) this.#retain(pod, ordinalIn(this.#state.set, pod) ?? -1, false);
    for (const pod of this.#condemned) if (!this.#condemn(pod) && this.#ordered) return;
    this.#update(update);
  }

  /** @returns whether those after it may go on, where that matters */
  #replica(ordinal: number, current: Revision, update: Revision): boolean {
    const { set } = this.#state;
    const pod = this.#replicas.get(ordinal);
    if (!pod) {
      this.#create(ordinal, current, update);
      return false;
    }
    if (isTerminal(pod)) {
      // Another one is made when it is gone.
      if (!pod.metadata.deletionTimestamp) this.#delete(pod);
      return false;
    }
    if ((pod.status?.phase ?? "Pending") === "Pending") {
      const missing = this.#missingClaims(ordinal, "Update");
      if (!missing) return false;
      this.#createClaims.push(...missing.map((draft) => ({ pod: pod.metadata.name, draft })));
    }
    if (this.#ordered && (pod.metadata.deletionTimestamp !== undefined || !isRunningAndReady(pod) || !this.#isAvailable(pod))) {
      return false;
    }
    const next = withIdentity(set, pod, ordinal);
    if (next !== pod) this.#updatePods.push(next);
    this.#retain(pod, ordinal, true);
    return true;
  }

  #create(ordinal: number, current: Revision, update: Revision): void {
    const { set, pod, claim } = this.#state;
    if (this.#createPods.length >= burst) return;
    const name = podName(set, ordinal);
    const other = pod(name);
    if (other) {
      // One of ours that is being deleted, or one of an earlier set, goes away by itself; somebody else's has to be removed.
      if (!other.metadata.deletionTimestamp) this.#warn("Create", name, `pods "${name}" already exists and is not this StatefulSet's`);
      return;
    }
    const stale = claimNames(set, ordinal).some((claimed) => {
      const found = claim(claimed);
      return found !== undefined && awaitsDeletion(set, found, name);
    });
    const claims = stale ? undefined : this.#missingClaims(ordinal, "Create");
    if (!claims) return;
    const revision = this.#startsAt(ordinal) ? current : update;
    this.#createPods.push({ draft: podDraft(set, revision.template, revision.name, ordinal), claims });
  }

  /** Whether a Pod that is made now is to have the template from before the update. */
  #startsAt(ordinal: number): boolean {
    const { set } = this.#state;
    const { type = "RollingUpdate", rollingUpdate } = set.spec.updateStrategy ?? {};
    const { first } = ordinalsOf(set);
    if (rollingUpdate) return ordinal < first + (rollingUpdate.partition ?? 0);
    return type === "RollingUpdate" && ordinal < first + (set.status?.currentReplicas ?? 0);
  }

  /** Undefined when a claim is still being deleted: its Pod has to wait. */
  #missingClaims(ordinal: number, verb: "Create" | "Update"): ClaimDraft[] | undefined {
    const { set, claim } = this.#state;
    const drafts = claimDrafts(set, ordinal);
    const going = drafts.find(({ metadata }) => claim(metadata.name)?.metadata.deletionTimestamp !== undefined);
    if (!going) return drafts.filter(({ metadata }) => claim(metadata.name) === undefined);
    this.#warn(verb, podName(set, ordinal), `pvc ${going.metadata.name} is being deleted`);
    return undefined;
  }

  #retain(pod: Pod, ordinal: number, stays: boolean): void {
    const { set, claim } = this.#state;
    for (const name of claimNames(set, ordinal)) {
      const found = claim(name);
      const next = found && withRetention(set, found, pod, stays);
      if (!found || !next) continue;
      if (hasOtherController(set, found, pod)) {
        const message = `PersistentVolumeClaim ${name} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`;
        this.#warnings.push({ reason: "ConflictingController", message });
      }
      if (next !== found) this.#updateClaims.push(next);
    }
  }

  /** @returns whether the next one may go, where that matters */
  #condemn(pod: Pod): boolean {
    if (pod.metadata.deletionTimestamp) return false;
    // One at a time, and only while all others are well; but one that is not well may be what is to be got rid of, and one that has
    // ended will never be well again.
    const isWell = isTerminal(pod) || (isRunningAndReady(pod) && this.#isAvailable(pod));
    const blocked = this.#ordered && !isWell && pod !== this.#firstUnavailable();
    if (!blocked) this.#delete(pod);
    return false;
  }

  /** Lowest ordinal first; replicas before condemned ones. */
  #firstUnavailable(): Pod | undefined {
    const replicas = [...this.#replicas].toSorted(([one], [other]) => one - other).map(([, pod]) => pod);
    return [...replicas, ...this.#condemned.toReversed()].find((pod) => this.#isUnavailable(pod));
  }

  /** Replaces the highest Pod that has another template, and waits for those above it. */
  #update(update: Revision): void {
    const { type = "RollingUpdate", rollingUpdate } = this.#state.set.spec.updateStrategy ?? {};
    if (type === "OnDelete") return;
    const { first, last } = ordinalsOf(this.#state.set);
    for (let ordinal = last; ordinal >= first + (rollingUpdate?.partition ?? 0); ordinal--) {
      const pod = this.#replicas.get(ordinal);
      if (!pod) return;
      if (revisionLabelOf(pod) !== update.name && !pod.metadata.deletionTimestamp) {
        this.updated++;
        this.#delete(pod);
        return;
      }
      if (this.#isUnavailable(pod)) return;
    }
  }

  #delete(pod: Pod): void {
    if (this.#deletePods.length < burst && !this.#deletePods.includes(pod)) this.#deletePods.push(pod);
  }

  #warn(verb: "Create" | "Update", pod: string, why: string): void {
    this.#warnings.push({
      reason: `Failed${verb}`,
      message: `${verb} Pod ${pod} in StatefulSet ${this.#state.set.metadata.name} failed error: ${why}`,
    });
  }

  readonly #isAvailable = (pod: Pod): boolean => isAvailable(pod, this.#state.set.spec.minReadySeconds ?? 0, this.#state.now);
  readonly #isUnavailable = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined || !this.#isAvailable(pod);
}

/** Counters that depend on no revision. Fields and conditions of others stay as they are. */
function counted({ set, pods, now }: StatefulSetState, status: StatefulSetStatus | undefined): StatefulSetStatus {
  const ready = pods.filter(isRunningAndReady);
  return {
    ...status,
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: ready.length || undefined,
    availableReplicas: ready.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)).length,
  };
}

/** @param updated Pods that are about to go to be updated */
function statusOf(state: StatefulSetState, current: Revision, update: Revision, updated: number): StatefulSetStatus {
  const { set, pods } = state;
  const at = (revision: Revision) => pods.filter((pod) => !pod.metadata.deletionTimestamp && revisionLabelOf(pod) === revision.name).length;
  const status = counted(state, set.status);
  const desired = set.spec.replicas ?? 1;
  const { type = "RollingUpdate" } = set.spec.updateStrategy ?? {};
  const complete =
    type === "RollingUpdate" && at(update) === desired && (status.readyReplicas ?? 0) === desired && status.replicas === desired;
  return {
    ...status,
    currentReplicas: (complete ? at(update) : Math.max(0, at(current) - updated)) || undefined,
    updatedReplicas: at(update) || undefined,
    currentRevision: complete ? update.name : current.name,
    updateRevision: update.name,
    collisionCount: set.status?.collisionCount ?? 0,
  };
}
