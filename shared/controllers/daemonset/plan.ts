/**
 * Decides what a DaemonSet needs: a Pod on each Node that wants one, and how an update goes from Node to Node. Pure.
 * @see k8s.io/kubernetes/pkg/controller/daemon
 */
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from "../../api/generated/types.ts";
import { daemonSets } from "../../api/kinds.ts";
import { childNames, childPrefix } from "../common/names.ts";
import { isAvailable, isReady, isTerminal, nextAvailability } from "../common/pods.ts";
import { beyondHistory, podRevisionLabel, type RevisionDraft, type Wanted, wantedRevision } from "../common/revisions.ts";
import { scaledValue } from "../deployment/numbers.ts";
import { eligibility, targetNode } from "./placement.ts";

/** At most this many Pods are made or deleted in one go, as upstream does. */
const burst = 250;
/** How often the template changed, on the set and on Pods of old. */
const generationAnnotation = "deprecated.daemonset.template.generation";
export const generationLabel = "pod-template-generation";

export interface DaemonSetState {
  readonly set: DaemonSet;
  /** Those it owns and selects. */
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  /** Those it owns and selects. */
  readonly revisions: readonly ControllerRevision[];
  /** Whether a ControllerRevision of that name exists in the namespace. */
  readonly takenRevision: (name: string) => boolean;
  /** Whether a Pod of that name exists in the namespace. */
  readonly taken: (name: string) => boolean;
  /** Revision of the list of Pods. */
  readonly revision: number;
  /** When the failed Pod of a Node may be replaced, after others failed there; undefined: now. */
  readonly retryAt: (node: string) => Date | undefined;
  readonly now: Date;
}

export interface NewPod {
  readonly name: string;
  readonly node: string;
}

export interface DaemonSetEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface DaemonSetPlan {
  readonly createRevision?: RevisionDraft;
  readonly updateRevision?: ControllerRevision;
  /** Of the wanted template: the label of Pods that are made from it. */
  readonly hash: string;
  readonly create: readonly NewPod[];
  readonly delete: readonly Pod[];
  /** Nodes whose failed Pods are among those deleted. */
  readonly failed: readonly string[];
  readonly events: readonly DaemonSetEvent[];
  /** To be written after all of the above. */
  readonly status: DaemonSetStatus;
  /** To be deleted at last. */
  readonly deleteRevisions: readonly ControllerRevision[];
  readonly again?: Date;
}

const noPods: DaemonSetStatus = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

export function planDaemonSet(state: DaemonSetState): DaemonSetPlan {
  const { set, revisions, pods, now } = state;
  const wanted = wantedRevision(daemonSets, set, revisions, (hash) => ({ [podRevisionLabel]: hash }), state.takenRevision);
  if (wanted.type === "collided") {
    const status = { ...noPods, ...set.status, collisionCount: (set.status?.collisionCount ?? 0) + 1 };
    return { hash: "", create: [], delete: [], failed: [], events: [], deleteRevisions: [], status };
  }
  const hash = hashOf(wanted.revision);
  const world = new World(state, hash);
  const care = look(world);
  // What is being made and ended is waited for before the update goes on.
  const isSettled = care.create.length + care.delete.length === 0;
  const { create, delete: end } = isSettled ? update(world) : care;

  const names = childNames(childPrefix(set.metadata.name), set.metadata.uid, state.revision, Math.min(create.length, burst), state.taken);
  const live = new Set([hash, ...pods.map(revisionOf)]);
  const times = [nextAvailability(pods, minReadySeconds(set), now), ...care.waits].filter((time) => time !== undefined);
  return {
    ...revisionChange(wanted),
    hash,
    create: names.map((name, index) => ({ name, node: create[index] ?? "" })),
    delete: end.slice(0, burst),
    failed: care.failed,
    events: care.events,
    status: statusOf(world),
    deleteRevisions: beyondHistory(revisions, (revision) => live.has(hashOf(revision)), set.spec.revisionHistoryLimit ?? 10),
    ...(times.length > 0 && { again: new Date(Math.min(...times.map((time) => time.getTime()))) }),
  };
}

const hashOf = ({ metadata }: { readonly metadata: { readonly name: string; readonly labels?: Record<string, string> | undefined } }) =>
  metadata.labels?.[podRevisionLabel] ?? metadata.name;

const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[podRevisionLabel] ?? "";

function revisionChange(wanted: Exclude<Wanted, { type: "collided" }>): Pick<DaemonSetPlan, "createRevision" | "updateRevision"> {
  if (wanted.type === "new") return { createRevision: wanted.revision };
  return wanted.type === "again" ? { updateRevision: wanted.revision } : {};
}

const minReadySeconds = ({ spec }: DaemonSet): number => spec.minReadySeconds ?? 0;

export const generationOf = ({ metadata }: DaemonSet): string | undefined => metadata.annotations?.[generationAnnotation];

/** One that has a place first, then the older. */
const inOrder = (one: Pod, other: Pod): number =>
  Number(Boolean(other.spec.nodeName)) - Number(Boolean(one.spec.nodeName)) ||
  Date.parse(one.metadata.creationTimestamp) - Date.parse(other.metadata.creationTimestamp) ||
  (one.metadata.name < other.metadata.name ? -1 : 1);

/** The Nodes and the Pods on each. */
class World {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly retryAt: DaemonSetState["retryAt"];
  readonly now: Date;
  readonly #hash: string;
  /** In order, by Node; Nodes that are not there any more among them. */
  readonly #pods = new Map<string, Pod[]>();
  readonly #eligibility = new Map<Node, ReturnType<typeof eligibility>>();

  constructor({ set, nodes, pods, retryAt, now }: DaemonSetState, hash: string) {
    this.set = set;
    this.nodes = nodes.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
    this.retryAt = retryAt;
    this.now = now;
    this.#hash = hash;
    for (const pod of pods.toSorted(inOrder)) {
      const node = targetNode(pod);
      // One that has ended and is on its way out is nobody's concern.
      if (node === undefined || (isTerminal(pod) && pod.metadata.deletionTimestamp)) continue;
      const known = this.#pods.get(node);
      if (known) known.push(pod);
      else this.#pods.set(node, [pod]);
    }
  }

  on = (node: Node): readonly Pod[] => this.#pods.get(node.metadata.name) ?? [];

  /** Pods tied to Nodes that are not there, and so never to be started. */
  lost(): Pod[] {
    const names = new Set(this.nodes.map(({ metadata }) => metadata.name));
    return [...this.#pods].flatMap(([name, pods]) => (names.has(name) ? [] : pods.filter(({ spec }) => !spec.nodeName)));
  }

  eligibility(node: Node): ReturnType<typeof eligibility> {
    let found = this.#eligibility.get(node);
    if (!found) this.#eligibility.set(node, (found = eligibility(this.set, node)));
    return found;
  }

  isAvailable = (pod: Pod): boolean => isAvailable(pod, minReadySeconds(this.set), this.now);

  isUpdated(pod: Pod): boolean {
    const generation = generationOf(this.set);
    return revisionOf(pod) === this.#hash || (generation !== undefined && pod.metadata.labels?.[generationLabel] === generation);
  }

  /** Undefined when there are more of a kind than there should be: they are sorted out first. */
  pair(node: Node): { readonly next: Pod | undefined; readonly old: Pod | undefined } | undefined {
    const live = this.on(node).filter(({ metadata }) => !metadata.deletionTimestamp);
    const next = live.filter((pod) => this.isUpdated(pod));
    const old = live.filter((pod) => !this.isUpdated(pod));
    return next.length > 1 || old.length > 1 ? undefined : { next: next[0], old: old[0] };
  }

  get desired(): number {
    return this.nodes.filter((node) => this.eligibility(node).runs).length;
  }

  /** How many Pods may be missing, or too many, in an update. */
  get limits(): { readonly surge: number; readonly unavailable: number } {
    const { type = "RollingUpdate", rollingUpdate } = this.set.spec.updateStrategy ?? {};
    if (type !== "RollingUpdate") return { surge: 0, unavailable: 0 };
    const surge = scaledValue(rollingUpdate?.maxSurge, this.desired, "up");
    const unavailable = scaledValue(rollingUpdate?.maxUnavailable, this.desired, "up");
    return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
  }

  get maySurge(): boolean {
    const { type = "RollingUpdate", rollingUpdate } = this.set.spec.updateStrategy ?? {};
    return type === "RollingUpdate" && scaledValue(rollingUpdate?.maxSurge, 1, "up") > 0;
  }
}

interface Steps {
  /** Names of Nodes. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
}

interface Care extends Steps {
  readonly failed: readonly string[];
  readonly events: readonly DaemonSetEvent[];
  readonly waits: readonly Date[];
}

/** One Pod on each Node that wants one, and none elsewhere. */
function look(world: World): Care {
  const care = {
    create: [] as string[],
    delete: world.lost(),
    failed: [] as string[],
    events: [] as DaemonSetEvent[],
    waits: [] as Date[],
  };
  for (const node of world.nodes) {
    const { runs, stays } = world.eligibility(node);
    const pods = world.on(node);
    if (runs && pods.length === 0) care.create.push(node.metadata.name);
    else if (stays) keepOne(world, node, pods, runs, care);
    else care.delete.push(...pods.filter(({ metadata }) => !metadata.deletionTimestamp));
  }
  return care;
}

function keepOne(
  world: World,
  node: Node,
  pods: readonly Pod[],
  runs: boolean,
  care: { create: string[]; delete: Pod[]; failed: string[]; events: DaemonSetEvent[]; waits: Date[] },
): void {
  const { name } = node.metadata;
  const running: Pod[] = [];
  for (const pod of pods.filter(({ metadata }) => !metadata.deletionTimestamp)) {
    const { phase } = pod.status ?? {};
    const about = `daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${name}, will try to`;
    if (phase === "Failed") {
      const retryAt = world.retryAt(name);
      // Somebody refuses the Pods of this Node: later and later, so that no fight comes of it.
      if (retryAt && retryAt > world.now) {
        care.waits.push(retryAt);
        continue;
      }
      care.failed.push(name);
      care.events.push({ type: "Warning", reason: "FailedDaemonPod", message: `Found failed ${about} kill it` });
      care.delete.push(pod);
    } else if (phase === "Succeeded") {
      care.events.push({ type: "Normal", reason: "SucceededDaemonPod", message: `Found succeeded ${about} delete it` });
      care.delete.push(pod);
    } else running.push(pod);
  }
  if (!world.maySurge) {
    care.delete.push(...running.slice(1));
    return;
  }
  if (running.length === 0 && runs) care.create.push(name);
  if (running.length > 1) care.delete.push(...surplus(world, running));
}

/** Two may stand side by side while the new one is not available and the old one is ready. */
function surplus(world: World, running: readonly Pod[]): Pod[] {
  const next = running.find((pod) => world.isUpdated(pod));
  const old = running.find((pod) => !world.isUpdated(pod));
  const others = running.filter((pod) => pod !== next && pod !== old);
  const isOver = next && old && (!isReady(old) || world.isAvailable(next));
  return isOver ? [...others, old] : others;
}

const nothing: Steps = { create: [], delete: [] };

function update(world: World): Steps {
  if ((world.set.spec.updateStrategy?.type ?? "RollingUpdate") !== "RollingUpdate") return nothing;
  return world.limits.surge === 0 ? replace(world) : surge(world);
}

/** Nodes that matter to an update: they want a Pod, or have one. */
const concerned = (world: World): Node[] => world.nodes.filter((node) => world.eligibility(node).runs || world.on(node).length > 0);

/** Ends old Pods, as many as may be missing; those that are not available anyway first. */
function replace(world: World): Steps {
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  let unavailable = 0;
  for (const node of concerned(world)) {
    const pair = world.pair(node);
    if (pair?.old && !pair.next) {
      if (world.isAvailable(pair.old)) candidates.push(pair.old);
      else {
        broken.push(pair.old);
        unavailable++;
      }
    } else if (!pair?.next || pair.old || !world.isAvailable(pair.next)) unavailable++;
  }
  return { create: [], delete: [...broken, ...candidates.slice(0, Math.max(0, world.limits.unavailable - unavailable))] };
}

/** Makes new Pods beside old ones, and ends the old when the new are available. */
function surge(world: World): Steps {
  const end: Pod[] = [];
  const elsewhere: Pod[] = [];
  const create: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  let available = 0;
  for (const node of concerned(world)) {
    const pair = world.pair(node);
    if (!pair) {
      surging++;
      continue;
    }
    const { next, old } = pair;
    const counts = old ?? next;
    if (counts && world.isAvailable(counts)) available++;
    if (!old) continue;
    if (next) {
      if (world.isAvailable(next)) end.push(old);
      else surging++;
    } else if (!world.eligibility(node).runs) (world.isAvailable(old) ? elsewhere : end).push(old);
    else (world.isAvailable(old) ? candidates : create).push(node.metadata.name);
  }
  return {
    create: [...create, ...candidates.slice(0, Math.max(0, world.limits.surge - surging))],
    // Pods on Nodes that want none any more go only when others are available in their place.
    delete: [...end, ...elsewhere.slice(0, Math.max(0, available - world.desired))],
  };
}

/** Fields and conditions of others stay as they are. */
function statusOf(world: World): DaemonSetStatus {
  const { set } = world;
  const wanted = world.nodes.filter((node) => world.eligibility(node).runs);
  const standing = wanted.flatMap((node) => world.on(node)[0] ?? []);
  const available = standing.filter((pod) => world.isAvailable(pod)).length;
  return {
    ...noPods,
    ...set.status,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: standing.length,
    numberMisscheduled: world.nodes.filter((node) => !world.eligibility(node).runs && world.on(node).length > 0).length,
    numberReady: standing.filter(isReady).length,
    updatedNumberScheduled: standing.filter((pod) => world.isUpdated(pod)).length || undefined,
    numberAvailable: available || undefined,
    numberUnavailable: wanted.length - available || undefined,
    observedGeneration: set.metadata.generation,
  };
}
