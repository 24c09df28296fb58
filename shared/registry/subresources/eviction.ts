/** `pods/eviction`: a deletion that PodDisruptionBudgets can refuse for now. */
import type { Eviction, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import type { Kind } from "../../api/kind.ts";
import type { JsonObject, ObjectKey } from "../../api/objects.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { notSupported } from "../../api/validation/problems.ts";
import { badRequest, forbidden, invalid, notFound, StatusError } from "../../errors/status-error.ts";
import type { ResourceStore } from "../../store/store.ts";
import { type Deletion, deleteObject } from "../delete.ts";
import { checkDeletable } from "../preconditions.ts";
import { present, storeKey } from "../present.ts";
import type { DeleteParameters } from "../registry.ts";
import { clone, seconds } from "../values.ts";
import { toStorage } from "../versions.ts";
import { commit, type Write } from "../write.ts";
import { withCondition } from "./conditions.ts";
import { decodePosted } from "./posted.ts";

/** Where the budgets are. */
export interface Budgets {
  readonly kind: Kind;
  readonly store: ResourceStore;
}

/** Kubernetes takes the older version, too: it is all that is left of it. */
const evictionType = { definition: "io.k8s.api.policy.v1.Eviction", kind: "Eviction", apiVersions: ["policy/v1", "policy/v1beta1"] };

/** Evictions that the budget's controller has not seen confirmed yet; more would let a broken controller's budget be overrun. */
const maxUnconfirmed = 2_000;

const tries = 20;

export async function evictPod(write: Write, body: JsonObject, budgets: Budgets): Promise<void> {
  const options = readEviction(write, body);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await evictOnce(write, options, budgets);
    } catch (error) {
      const isRace = error instanceof StatusError && error.reason === "Conflict" && options.preconditions?.resourceVersion === undefined;
      if (!isRace || attempt === tries) throw error;
    }
  }
}

async function evictOnce(write: Write, options: DeleteParameters, budgets: Budgets): Promise<void> {
  const { store, kind, key } = write;
  const { object } = await store.get(storeKey(kind, key));
  if (object === undefined) throw notFound(kind, key.name);
  const pod = present(kind, object) as unknown as Pod;
  const isOver = pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  // A Pod that does not run yet disrupts nobody; but it must not have begun to run meanwhile.
  if (isOver || pod.status?.phase === "Pending") return removePod(write, isOver ? options : at(options, pod));

  const budget = await budgetOf(pod, budgets);
  if (budget === undefined) return removePod(write, options);
  if (!isReady(pod) && mayGoUnready(budget)) {
    try {
      return await removePod(write, at(options, pod));
    } catch (error) {
      if (error instanceof StatusError && error.reason === "Conflict" && options.preconditions?.resourceVersion === undefined) {
        throw tooMany(10, `The disruption budget ${budget.metadata.name} is still being processed by the server.`);
      }
      throw error;
    }
  }
  const { dryRun } = options;
  await spend({ ...write, parameters: { ...write.parameters, dryRun } }, budgets, { namespace: key.namespace, name: budget.metadata.name });
  return removePod(write, options);
}

/** @throws {StatusError} BadRequest */
function readEviction(write: Write, body: JsonObject): DeleteParameters {
  const { key, parameters } = write;
  const { metadata, deleteOptions = {} } = decodePosted(write, body, evictionType) as unknown as Eviction & { deleteOptions?: JsonObject };
  if (metadata.name !== key.name) throw badRequest("name in URL does not match name in Eviction object");
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = deleteOptions as DeleteParameters & {
    dryRun?: readonly string[];
  };
  // Whoever means a dry run must not lose the Pod by a slip.
  if ((dryRun ?? []).some((value) => value !== "All"))
    throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", [notSupported("dryRun", dryRun, ["All"])]);
  return {
    dryRun: parameters.dryRun || (Array.isArray(dryRun) && dryRun.includes("All")),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    ...(orphanDependents !== undefined && { orphanDependents }),
    ...(preconditions !== undefined && { preconditions }),
  };
}

/** The same options, for the Pod in exactly this state. */
const at = (options: DeleteParameters, pod: Pod): DeleteParameters => ({
  ...options,
  preconditions: { resourceVersion: pod.metadata.resourceVersion, ...options.preconditions },
});

const isReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

function mayGoUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const desired = status?.desiredHealthy ?? 0;
  return desired > 0 && (status?.currentHealthy ?? 0) >= desired;
}

/** @throws {StatusError} InternalError when several budgets cover the Pod */
async function budgetOf(pod: Pod, { kind, store }: Budgets): Promise<PodDisruptionBudget | undefined> {
  const { items } = await store.list({ prefix: `${pod.metadata.namespace}/`, at: "newest" });
  const covering = items
    .map((stored) => present(kind, stored) as unknown as PodDisruptionBudget)
    .filter(({ spec }) => labelMatcher(spec?.selector).matches(pod.metadata.labels));
  if (covering.length > 1) {
    throw new StatusError(
      "InternalError",
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  }
  return covering[0];
}

/** Takes one disruption from a budget and tells its controller which Pod goes. @throws {StatusError} TooManyRequests */
async function spend(write: Write, { kind, store }: Budgets, key: ObjectKey): Promise<void> {
  await commit({ ...write, kind, store, key }, (current, { now }) => {
    if (current === undefined) throw notFound(kind, key.name);
    const next = clone(present(kind, current));
    const budget = next as unknown as PodDisruptionBudget;
    refuseOverspending(budget);
    const status = budget.status ?? noStatus;
    const disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
    budget.status = {
      ...status,
      disruptionsAllowed,
      disruptedPods: { ...status.disruptedPods, [write.key.name]: seconds(now) },
      ...(disruptionsAllowed === 0 && {
        conditions: withCondition(status.conditions ?? [], {
          type: "DisruptionAllowed",
          status: "False",
          reason: "InsufficientPods",
          message: "",
          lastTransitionTime: seconds(now),
          observedGeneration: status.observedGeneration,
        }),
      }),
    };
    return { type: "put", value: toStorage(kind, next) };
  });
}

const noStatus: NonNullable<PodDisruptionBudget["status"]> = {
  currentHealthy: 0,
  desiredHealthy: 0,
  disruptionsAllowed: 0,
  expectedPods: 0,
};

function refuseOverspending({ metadata: { name, generation = 0 }, status = noStatus }: PodDisruptionBudget): void {
  const {
    observedGeneration = 0,
    disruptionsAllowed = 0,
    currentHealthy = 0,
    desiredHealthy = 0,
    disruptedPods = {},
    conditions = [],
  } = status;
  const refuse = (why: string) => forbidden({ group: "policy", plural: "poddisruptionbudget" }, name, why);
  if (observedGeneration < generation) throw tooMany(10, `The disruption budget ${name} is still being processed by the server.`);
  if (disruptionsAllowed < 0) throw refuse("pdb disruptions allowed is negative");
  if (Object.keys(disruptedPods).length > maxUnconfirmed) {
    throw refuse("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (disruptionsAllowed > 0) return;
  const blocked = conditions.find(({ type, status: value, message }) => type === "DisruptionAllowed" && value === "False" && message);
  const because = `The disruption budget ${name} does not allow evicting pods currently`;
  if (blocked?.reason === "SyncFailed") throw tooMany(0, `${because} because it failed sync: ${blocked.message}`);
  if (currentHealthy <= desiredHealthy) {
    throw tooMany(0, `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`);
  }
  throw tooMany(0, blocked ? `${because} (${blocked.reason}): ${blocked.message}` : because);
}

const tooMany = (retryAfterSeconds: number, message: string): StatusError =>
  new StatusError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    details: { causes: [{ reason: "DisruptionBudget", message }], ...(retryAfterSeconds > 0 && { retryAfterSeconds }) },
  });

/** Says on the Pod why it goes, and deletes it. */
async function removePod(write: Write, options: DeleteParameters): Promise<void> {
  const { kind, key } = write;
  let { preconditions } = options;
  if (!options.dryRun) {
    const marked = await commit(write, (current, { now }) => {
      if (current === undefined) throw notFound(kind, key.name);
      const next = clone(present(kind, current));
      checkDeletable(kind, next.metadata, preconditions ?? {});
      const pod = next as unknown as Pod;
      const condition = {
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
        lastTransitionTime: seconds(now),
      };
      pod.status = { ...pod.status, conditions: withCondition(pod.status?.conditions ?? [], condition) };
      return { type: "put", value: toStorage(kind, next) };
    });
    if (preconditions?.resourceVersion !== undefined) {
      preconditions = { ...preconditions, resourceVersion: marked.object.metadata.resourceVersion };
    }
  }
  const deletion: Deletion = { ...write, subresource: "", parameters: { ...options, ...(preconditions && { preconditions }) } };
  await deleteObject(deletion);
}
