import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pod, ReplicaSet } from "../../../shared/api/generated/types.ts";
import { inDeletionOrder } from "../../../shared/controllers/replicaset/deletion-order.ts";
import { nextReplicaSetCheck, planReplicaSet, replicaSetStatus } from "../../../shared/controllers/replicaset/plan.ts";
import { aPod, aReplicaSet, meta, ownedBy, type PodGiven } from "../../support/workloads.ts";

const now = new Date("2026-01-01T01:00:00Z");
const web = aReplicaSet(2);
const mine = (given: PodGiven = {}) => aPod({ owner: web, ...given });
const terminating = mine({ metadata: { deletionTimestamp: "2026-01-01T00:59:00Z" } });

interface Given {
  readonly owned?: readonly Pod[];
  readonly orphans?: readonly Pod[];
  readonly taken?: (name: string) => boolean;
  readonly revision?: number;
}

const plan = (replicaSet: ReplicaSet, { owned = [], orphans = [], taken = () => false, revision = 1 }: Given) =>
  planReplicaSet({ replicaSet, owned, orphans, related: owned, revision, taken, now });

describe("a ReplicaSet", () => {
  it.each([
    { name: "fills up to its size", replicas: 2, owned: [mine()], actions: ["createPod"] },
    { name: "is content with its size", replicas: 2, owned: [mine(), mine()], actions: [] },
    { name: "replaces a terminating pod", replicas: 1, owned: [terminating], actions: ["createPod"] },
    { name: "replaces a failed pod", replicas: 1, owned: [mine({ phase: "Failed" })], actions: ["createPod"] },
    { name: "deletes what is too much", replicas: 1, owned: [mine(), mine()], actions: ["deletePod"] },
    { name: "deletes everything at size 0", replicas: 0, owned: [mine(), mine()], actions: ["deletePod", "deletePod"] },
  ])("$name", ({ replicas, owned, actions }) => {
    expect(plan(aReplicaSet(replicas), { owned }).map(({ type }) => type)).toEqual(actions);
  });

  it("adopts what it selects and nobody owns, before it counts", () => {
    const orphan = aPod();
    expect(plan(web, { orphans: [orphan, aPod({ metadata: { labels: { app: "db" } } })] })).toEqual([{ type: "adoptPod", pod: orphan }]);
  });

  it("releases what it no longer selects", () => {
    const stray = mine({ metadata: { labels: { app: "debug" } } });
    expect(plan(web, { owned: [stray, mine()] })).toEqual([{ type: "releasePod", pod: stray }]);
  });

  it("does nothing while it is being deleted", () => {
    const deleting = aReplicaSet(3, { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
    expect(plan(deleting, { orphans: [aPod()], owned: [mine({ metadata: { labels: {} } })] })).toEqual([]);
  });

  it("makes at most 500 pods in one go", () => {
    expect(plan(aReplicaSet(10_000), {})).toHaveLength(500);
  });
});

describe("trap 23: names of replaceable children are never reused", () => {
  const names = (given: Given) => plan(aReplicaSet(3), given).map((action) => (action.type === "createPod" ? action.name : ""));

  it("derives them from the owner's uid and the state that was seen, so that a repeated plan collides", () => {
    expect(names({ revision: 7 })).toEqual(names({ revision: 7 }));
    for (const name of names({ revision: 7 })) expect(name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it("makes others at every later state, and for every other owner", () => {
    const other = plan(aReplicaSet(3, { metadata: { uid: "another" } }), { revision: 7 });
    const all = [
      ...names({ revision: 7 }),
      ...names({ revision: 8 }),
      ...other.map((action) => (action.type === "createPod" ? action.name : "")),
    ];
    expect(new Set(all).size).toBe(9);
  });

  it("takes the next number when somebody else has the name", () => {
    const [first, second, third] = names({ revision: 7 });
    expect(names({ revision: 7, taken: (name) => name === first })).toEqual([second, third, expect.any(String)]);
  });

  it("keeps names within what a DNS label allows", () => {
    const long = plan(aReplicaSet(1, { metadata: { name: "x".repeat(200) } }), {});
    expect(long).toMatchObject([{ name: expect.stringMatching(/^x{58}.{5}$/) }]);
  });
});

describe("which pods go first", () => {
  const old = "2026-01-01T00:00:00Z";
  const young = "2026-01-01T00:59:00Z";
  const at = (creationTimestamp: string, given: PodGiven = {}) =>
    aPod({ nodeName: "n", readySince: creationTimestamp, ...given, metadata: { ...given.metadata, creationTimestamp } });
  const costing = (cost: string) => at(old, { metadata: { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } } });

  it.each([
    { rule: "not bound before bound", first: aPod({ phase: "Running" }), next: aPod({ nodeName: "n", phase: "Pending" }) },
    { rule: "pending before running", first: aPod({ nodeName: "n", phase: "Pending" }), next: aPod({ nodeName: "n", ready: false }) },
    { rule: "not ready before ready", first: aPod({ nodeName: "n", ready: false }), next: aPod({ nodeName: "n" }) },
    { rule: "cheaper before dearer", first: costing("-5"), next: costing("10") },
    { rule: "a cost that is no number counts as 0", first: costing("-1"), next: costing("cheap") },
    { rule: "ready lately before ready for long", first: at(old, { readySince: young }), next: at(old, { readySince: old }) },
    { rule: "restarted often before seldom", first: aPod({ nodeName: "n", restarts: 5 }), next: aPod({ nodeName: "n", restarts: 0 }) },
    { rule: "young before old", first: at(young, { readySince: old }), next: at(old, { readySince: old }) },
    {
      rule: "of about one age, by uid",
      first: at(old, { metadata: { uid: "a" } }),
      next: at("2026-01-01T00:00:01Z", { metadata: { uid: "b" } }),
    },
  ])("$rule", ({ first, next }) => {
    expect(inDeletionOrder([next, first], [], now)).toEqual([first, next]);
    expect(inDeletionOrder([first, next], [], now)).toEqual([first, next]);
  });

  it("prefers crowded nodes", () => {
    const crowded = aPod({ nodeName: "crowded", metadata: { uid: "z" } });
    const alone = aPod({ nodeName: "alone", metadata: { uid: "a" } });
    expect(inDeletionOrder([alone, crowded], [alone, crowded, aPod({ nodeName: "crowded" })], now)[0]).toBe(crowded);
  });
});

describe("a ReplicaSet's status", () => {
  it("counts what is there", () => {
    const waits = aReplicaSet(4, { spec: { ...web.spec, minReadySeconds: 60 } });
    const owned = [mine(), mine({ readySince: "2026-01-01T00:59:30Z" }), mine({ ready: false }), terminating];
    expect(replicaSetStatus(waits, owned, undefined, now)).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 1,
      observedGeneration: 1,
      conditions: undefined,
    });
    expect(nextReplicaSetCheck(waits, owned, now)).toEqual(new Date("2026-01-01T01:00:30Z"));
  });

  it("says why pods cannot be made, once, and forgets it when they can", () => {
    const failure = { reason: "FailedCreate", message: "exceeded quota" } as const;
    const failed = replicaSetStatus(web, [], failure, now);
    expect(failed.conditions).toEqual([{ type: "ReplicaFailure", status: "True", lastTransitionTime: "2026-01-01T01:00:00Z", ...failure }]);
    const again = replicaSetStatus({ ...web, status: failed }, [], { ...failure, message: "another pod" }, new Date(now.getTime() + 1e6));
    expect(again.conditions).toEqual(failed.conditions);
    expect(replicaSetStatus({ ...web, status: failed }, [], undefined, now).conditions).toBeUndefined();
  });

  it("trap 24: leaves the conditions of others alone", () => {
    const foreign = { type: "Foreign", status: "True" };
    const status = { replicas: 0, conditions: [foreign] };
    expect(replicaSetStatus({ ...web, status }, [], undefined, now).conditions).toEqual([foreign]);
  });
});

describe("applying the plan, then planning again", () => {
  const pod = fc.record({
    phase: fc.constantFrom("Pending", "Running", "Succeeded", "Failed"),
    ready: fc.boolean(),
    bound: fc.boolean(),
    owned: fc.boolean(),
    selected: fc.boolean(),
    deleting: fc.boolean(),
  });

  it("yields nothing", () => {
    fc.assert(
      fc.property(fc.nat(8), fc.array(pod, { maxLength: 12 }), (replicas, given) => {
        const replicaSet = aReplicaSet(replicas);
        let existing = given.map((one, index) =>
          aPod({
            phase: one.phase,
            ready: one.ready,
            ...(one.bound && { nodeName: "n" }),
            ...(one.owned && { owner: replicaSet }),
            metadata: {
              name: `pod-${index}`,
              labels: { app: one.selected ? "web" : "other" },
              ...(one.deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
            },
          }),
        );
        const isMine = ({ metadata }: Pod) => metadata.ownerReferences?.some(({ uid }) => uid === replicaSet.metadata.uid) ?? false;
        const decide = () =>
          planReplicaSet({
            replicaSet,
            owned: existing.filter(isMine),
            orphans: existing.filter((one) => !isMine(one)),
            related: [],
            revision: 1,
            taken: (name) => existing.some(({ metadata }) => metadata.name === name),
            now,
          });
        // Ownership first, then numbers.
        for (let step = 0; step < 2; step++) {
          for (const action of decide()) {
            if (action.type === "createPod") existing.push(aPod({ owner: replicaSet, metadata: { name: action.name } }));
            if (action.type === "deletePod") existing = existing.filter((one) => one !== action.pod);
            if (action.type === "adoptPod" || action.type === "releasePod") {
              const ownerReferences = action.type === "adoptPod" ? [ownedBy(replicaSet)] : [];
              existing = existing.map((one) =>
                one === action.pod ? { ...one, metadata: meta(one.metadata.name, { ...one.metadata, ownerReferences }) } : one,
              );
            }
          }
        }
        expect(decide()).toEqual([]);
      }),
    );
  });
});
