/**
 * ResourceQuota: nothing is made that would use more than a namespace's quotas allow. Runs last, so that only what would be stored counts.
 * @see k8s.io/apiserver/pkg/admission/plugin/resourcequota
 */
import type { Pod, ResourceQuota } from "../api/generated/types.ts";
import { resourceQuotas } from "../api/kinds.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../api/objects.ts";
import { type Amounts, exceeding, excess, keep, plus, printed } from "../quota/amounts.ts";
import { type Counted, constraintProblem, countsUnder, covers, isCounted, isTerminating, usageOf } from "../quota/usage.ts";
import { type AdmissionPlugin, type AdmissionRequest, refusal } from "./plugin.ts";

/** What is about to be used. */
export interface Charge {
  readonly quota: ObjectKey;
  readonly counted: Pick<Counted, "storage"> & { readonly uid: string; readonly replaces: string };
  readonly amounts: Amounts;
}

/** The books of all quotas. */
export interface QuotaLedger {
  /**
   * Adds a charge to what a quota says is used, judged on its newest state.
   * @param check throws what refuses the charge
   * @returns what takes it back; call it only when the write certainly did not happen
   */
  charge(cluster: string, charge: Charge, check: (quota: ResourceQuota) => void): Promise<() => Promise<void>>;
}

/** Kinds of which a change can use more than before. */
const growing: ReadonlySet<string> = new Set(["pods", "services", "persistentvolumeclaims"]);

export function resourceQuota(ledger: QuotaLedger): AdmissionPlugin {
  return {
    name: "ResourceQuota",
    handles: (kind, operation, subresource) => {
      if (!kind.namespaced || !kind.verbs.includes("get") || !isCounted(kind.storage)) return false;
      if (subresource === "") return operation === "CREATE" || (operation === "UPDATE" && growing.has(kind.storage));
      return operation === "UPDATE" && subresource === "resize";
    },

    validate: async (request, reader) => {
      const quotas = await reader.list(resourceQuotas, request.key.namespace);
      if (quotas.length === 0 || isUnconcerned(request)) return;
      const counted = countedIn(request, request.object);
      const used = usageOf(counted, request.now);
      const before = request.previous && countedIn(request, request.previous);
      for (const quota of quotas) {
        const hard = quota.status?.hard ?? {};
        if (!covers(quota, counted, hard)) continue;
        refuseUncountable(request, quota, counted);
        const amounts = keep(
          before && covers(quota, before, hard) ? excess(used, usageOf(before, request.now)) : excess(used, {}),
          Object.keys(hard),
        );
        if (Object.keys(amounts).length === 0) continue;
        const check = (newest: ResourceQuota) => {
          refuseUncountable(request, newest, counted);
          refuseExcess(request, newest, amounts);
        };
        if (request.dryRun) check((await reader.fresh(resourceQuotas, keyOf(quota))) ?? quota);
        else await charge(request, quota, amounts, check);
      }
    },
  };

  async function charge(
    request: AdmissionRequest,
    quota: ResourceQuota,
    amounts: Amounts,
    check: (quota: ResourceQuota) => void,
  ): Promise<void> {
    const { metadata } = request.object as KubeObject;
    const takeBack = await ledger.charge(
      request.cluster,
      {
        quota: { namespace: request.key.namespace, name: quota.metadata.name },
        counted: { storage: request.kind.storage, uid: metadata.uid, replaces: request.previous?.metadata.resourceVersion ?? "" },
        amounts,
      },
      check,
    );
    request.onFailure(takeBack);
  }
}

/** Updates of Pods count where they change the scope that the Pod is in, and where they change its size. */
function isUnconcerned({ kind, operation, subresource, object, previous }: AdmissionRequest): boolean {
  if (kind.storage !== "pods" || operation !== "UPDATE" || subresource === "resize") return false;
  return isTerminating(object as unknown as Pod) === isTerminating(previous as unknown as Pod);
}

const countedIn = ({ kind }: AdmissionRequest, object: unknown): Counted => ({ storage: kind.storage, object: object as KubeObject });

/** @throws {StatusError} Forbidden for what does not say what it needs, and while nobody has counted yet */
function refuseUncountable(request: AdmissionRequest, { metadata, status }: ResourceQuota, counted: Counted): void {
  const hard = status?.hard ?? {};
  const names = Object.keys(hard).filter((name) => countsUnder(counted.storage, name));
  const problem = constraintProblem(counted, keep(hard, names));
  if (problem !== undefined) throw refusal(request, `failed quota: ${metadata.name}: ${problem}`);
  if (names.some((name) => status?.used?.[name] === undefined))
    throw refusal(request, `status unknown for quota: ${metadata.name}, resources: ${names.toSorted().join(",")}`);
}

/** @throws {StatusError} Forbidden */
function refuseExcess(request: AdmissionRequest, { metadata, status }: ResourceQuota, amounts: Amounts): void {
  const hard = status?.hard ?? {};
  const used = status?.used ?? {};
  const wanted = keep(amounts, Object.keys(hard));
  const over = exceeding(keep(plus(used, wanted), Object.keys(wanted)), hard);
  if (over.length === 0) return;
  const [requested, before, limited] = [wanted, used, hard].map((list) => printed(keep(list, over)));
  throw refusal(request, `exceeded quota: ${metadata.name}, requested: ${requested}, used: ${before}, limited: ${limited}`);
}
