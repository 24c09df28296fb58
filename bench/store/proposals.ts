/** The writes that the benchmarks make. */
import type { JsonObject } from "../../shared/api/objects.ts";
import type { Outcome, Proposal, ResourceStore } from "../../shared/store/store.ts";

const author = { user: "system:serviceaccount:kube-system:replicaset-controller", userAgent: "bench", auditId: "6c0a2f0e-0c5d-4c07" };

export const write = (key: string, value: JsonObject): Proposal => ({ key, author, judge: () => ({ type: "put", value }) });

export const remove = (key: string): Proposal => ({
  key,
  author,
  judge: (current) => (current ? { type: "delete", value: current.value } : { type: "refused", error: new Error(`${key} is missing`) }),
});

/** @throws when a write was refused: a benchmark of refusals would flatter */
export async function done(outcome: Promise<Outcome>): Promise<void> {
  const settled = await outcome;
  if (settled.type === "refused") throw settled.error;
}

export const commitAll = (resource: ResourceStore, proposals: readonly Proposal[]): Promise<unknown> =>
  Promise.all(proposals.map((proposal) => done(resource.commit(proposal))));
