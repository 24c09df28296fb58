import { describe, expect, it } from "vitest";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from "../../../shared/api/generated/types.ts";
import { type BudgetState, planBudget } from "../../../shared/controllers/disruption/plan.ts";
import { aPod, aReplicaSet, meta } from "../../support/workloads.ts";

const now = new Date("2026-01-01T01:00:00Z");
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString().replace(".000", "");
const owner = aReplicaSet(4);

const aBudget = (spec: PodDisruptionBudgetSpec, status?: PodDisruptionBudgetStatus): PodDisruptionBudget => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: meta("b", { generation: 3 }),
  spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  ...(status && { status }),
});
const named = (name: string, given: Parameters<typeof aPod>[0] = {}) => aPod({ ...given, owner, metadata: { name, ...given.metadata } });
const four = ["a", "b", "c", "d"].map((name) => named(name));
const plan = (budget: PodDisruptionBudget, given: Partial<BudgetState> = {}) =>
  planBudget({ budget, pods: four, scaleOf: ({ uid }) => ({ uid, replicas: 4 }), now, ...given });

describe("what a budget allows", () => {
  it.each([
    { spec: { minAvailable: 3 }, desired: 3, allowed: 1 },
    { spec: { minAvailable: 4 }, desired: 4, allowed: 0 },
    { spec: { minAvailable: 9 }, desired: 9, allowed: 0 },
    { spec: { minAvailable: "60%" }, desired: 3, allowed: 1 },
    { spec: { maxUnavailable: 1 }, desired: 3, allowed: 1 },
    { spec: { maxUnavailable: "30%" }, desired: 2, allowed: 2 },
    { spec: { maxUnavailable: 9 }, desired: 0, allowed: 4 },
  ])("of four Pods that are well, $spec: $allowed", ({ spec, desired, allowed }) => {
    expect(plan(aBudget(spec)).status).toEqual({
      currentHealthy: 4,
      desiredHealthy: desired,
      expectedPods: 4,
      disruptionsAllowed: allowed,
      disruptedPods: undefined,
      observedGeneration: 3,
      conditions: [
        {
          type: "DisruptionAllowed",
          status: allowed > 0 ? "True" : "False",
          reason: allowed > 0 ? "SufficientPods" : "InsufficientPods",
          message: "",
          observedGeneration: 3,
          lastTransitionTime: "2026-01-01T01:00:00Z",
        },
      ],
    });
  });

  it("counts who is ready and stays, against the number that is wanted", () => {
    const pods = [named("a"), named("b", { ready: false }), named("c", { metadata: { deletionTimestamp: minutesAgo(0) } })];
    expect(plan(aBudget({ maxUnavailable: 1 }), { pods }).status).toMatchObject({
      currentHealthy: 1,
      desiredHealthy: 3,
      expectedPods: 4,
      disruptionsAllowed: 0,
    });
  });

  it("is nothing while it covers no Pod", () => {
    expect(plan(aBudget({ maxUnavailable: 1 }), { pods: [] }).status).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 });
    expect(plan(aBudget({ minAvailable: 0 }), { pods: [] }).status).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 });
  });

  it("counts each owner once, and Pods without one not at all", () => {
    const stray = aPod({ metadata: { name: "stray" } });
    const { status, unmanaged } = plan(aBudget({ maxUnavailable: 1 }), { pods: [...four, stray] });
    expect(status).toMatchObject({ expectedPods: 4, currentHealthy: 5 });
    expect(unmanaged).toEqual([stray]);
    expect(plan(aBudget({ minAvailable: 1 }), { pods: [stray] })).toMatchObject({ status: { expectedPods: 1 }, unmanaged: [] });
  });

  it("is nothing where an owner has no number, and the status says why", () => {
    const before = { currentHealthy: 4, desiredHealthy: 1, expectedPods: 4, disruptionsAllowed: 3, observedGeneration: 2 };
    const { status, failure } = plan(aBudget({ maxUnavailable: 1 }, before), { scaleOf: () => undefined });
    expect(failure).toBe('found no controllers for pod "a"');
    expect(status).toMatchObject({
      ...before,
      disruptionsAllowed: 0,
      conditions: [{ type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: failure }],
    });
  });
});

describe("Pods whose eviction was granted", () => {
  const disruptedPods = { a: minutesAgo(1), b: minutesAgo(3), gone: minutesAgo(1) };

  it("do not count until they are seen going, for two minutes", () => {
    const { status, again } = plan(aBudget({ minAvailable: 2 }, { disruptedPods }));
    expect(status).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1, disruptedPods: { a: minutesAgo(1) } });
    expect(again).toEqual(new Date("2026-01-01T01:01:00Z"));
  });

  it("are forgotten once they are being deleted", () => {
    const pods = [named("a", { metadata: { deletionTimestamp: minutesAgo(0) } }), ...four.slice(1)];
    const { status, again } = plan(aBudget({ minAvailable: 2 }, { disruptedPods: { a: minutesAgo(1) } }), { pods });
    expect(status).toMatchObject({ currentHealthy: 3, disruptedPods: undefined });
    expect(again).toBeUndefined();
  });
});

it("a plan that was carried out leads to itself", () => {
  const first = plan(aBudget({ minAvailable: 2 })).status;
  const later = new Date(now.getTime() + 60_000);
  expect(plan(aBudget({ minAvailable: 2 }, first), { now: later }).status).toEqual(first);
});
