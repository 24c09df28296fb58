import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from "../../../shared/api/generated/types.ts";
import { type DeploymentPlan, planDeployment } from "../../../shared/controllers/deployment/plan.ts";
import { aDeployment, aPod, aReplicaSet, meta, ownedBy, webTemplate } from "../../support/workloads.ts";

const now = new Date("2026-01-01T01:00:00Z");
const time = "2026-01-01T01:00:00Z";

interface Given {
  readonly replicaSets?: readonly ReplicaSet[];
  readonly pods?: readonly Pod[];
  readonly taken?: (name: string) => boolean;
  readonly at?: Date;
}

const plan = (deployment: Deployment, { replicaSets = [], pods = [], taken = () => false, at = now }: Given = {}): DeploymentPlan =>
  planDeployment({ deployment, replicaSets, pods, taken, now: at });

interface SetGiven {
  readonly image?: string;
  readonly size: number;
  /** Pods that exist, are ready and available; default: as many as its size. */
  readonly available?: number;
  readonly pods?: number;
  readonly revision?: number | string;
  readonly desired?: number;
  readonly max?: number;
  readonly created?: string;
  readonly observed?: number;
}

/** A ReplicaSet of the Deployment `web`, as its controllers left it. */
function aSet(
  name: string,
  { image = "web:1", size, available = size, pods = size, revision = 1, desired, max, created, observed = 1 }: SetGiven,
): ReplicaSet {
  return aReplicaSet(size, {
    metadata: {
      name,
      labels: { app: "web", "pod-template-hash": name },
      ownerReferences: [ownedBy(aDeployment())],
      annotations: {
        "deployment.kubernetes.io/revision": String(revision),
        ...(desired !== undefined && { "deployment.kubernetes.io/desired-replicas": String(desired) }),
        ...(max !== undefined && { "deployment.kubernetes.io/max-replicas": String(max) }),
      },
      ...(created !== undefined && { creationTimestamp: created }),
    },
    spec: {
      replicas: size,
      selector: { matchLabels: { app: "web", "pod-template-hash": name } },
      template: webTemplate(image, { app: "web", "pod-template-hash": name }),
    },
    status: { replicas: pods, readyReplicas: available, availableReplicas: available, observedGeneration: observed },
  });
}

const sizes = ({ scalings }: DeploymentPlan) => Object.fromEntries(scalings.map(({ name, to }) => [name, to]));
const condition = (status: DeploymentStatus | undefined, type: string) => status?.conditions?.find((one) => one.type === type);
const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
});

describe("a new Deployment", () => {
  const { create, update, revision, status, scalings } = plan(
    aDeployment(3, { metadata: { annotations: { note: "mine", "kubectl.kubernetes.io/last-applied-configuration": "{}" } } }),
  );
  const hash = create?.metadata.labels?.["pod-template-hash"];

  it("gets a ReplicaSet named after its template", () => {
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
    expect(create).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        namespace: "default",
        labels: { app: "web", "pod-template-hash": hash },
        annotations: {
          note: "mine",
          "deployment.kubernetes.io/revision": "1",
          "deployment.kubernetes.io/desired-replicas": "3",
          "deployment.kubernetes.io/max-replicas": "4",
        },
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "uid-of-web", controller: true, blockOwnerDeletion: true },
        ],
      },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web", "pod-template-hash": hash } },
        template: { metadata: { labels: { app: "web", "pod-template-hash": hash } } },
      },
    });
    expect(create?.metadata.annotations).not.toHaveProperty("kubectl.kubernetes.io/last-applied-configuration");
    expect({ update, revision, scalings }).toEqual({ update: [], revision: "1", scalings: [{ name: `web-${hash}`, from: 0, to: 3 }] });
  });

  it("says so", () => {
    expect(status.observedGeneration).toBe(1);
    expect(status.conditions).toEqual([
      {
        type: "Progressing",
        status: "True",
        reason: "NewReplicaSetCreated",
        message: `Created new replica set "web-${hash}"`,
        lastUpdateTime: time,
        lastTransitionTime: time,
      },
      {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
        lastUpdateTime: time,
        lastTransitionTime: time,
      },
    ]);
  });

  it("takes another name when that one is taken", () => {
    const blocked = plan(aDeployment(3), { taken: (name) => name === create?.metadata.name });
    expect(blocked).toMatchObject({ update: [], status: { collisionCount: 1 } });
    expect(blocked.create).toBeUndefined();
    const next = plan(aDeployment(3, { status: blocked.status }));
    expect(next.create?.metadata.name).not.toBe(create?.metadata.name);
    expect(next.status.collisionCount).toBe(1);
  });

  it("keeps the name of its ReplicaSet within 253 characters", () => {
    expect(plan(aDeployment(1, { metadata: { name: "x".repeat(253) } })).create?.metadata.name).toHaveLength(253);
  });
});

describe("trap 22: an upgrade of ours does not roll workloads", () => {
  const current = aSet("web-old", { size: 1, desired: 1, max: 2 });
  const isCurrent = (deployment: Deployment) => plan(deployment, { replicaSets: [current] }).create === undefined;

  it("finds the template by its meaning, whatever its hash", () => {
    expect(isCurrent(aDeployment(1))).toBe(true);
    expect(isCurrent(aDeployment(1, { spec: { template: webTemplate("web:2") } }))).toBe(false);
  });

  it("fills in defaults that one side was stored without", () => {
    const template = webTemplate();
    template.spec = {
      ...template.spec,
      containers: template.spec?.containers ?? [],
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      terminationGracePeriodSeconds: 30,
    };
    expect(isCurrent(aDeployment(1, { spec: { template } }))).toBe(true);
  });

  it("does not tell empty from absent", () => {
    const template = webTemplate();
    template.spec = { ...template.spec, containers: template.spec?.containers ?? [], volumes: [], nodeSelector: {}, hostNetwork: false };
    expect(isCurrent(aDeployment(1, { spec: { template } }))).toBe(true);
  });

  it("tells zero from absent where Kubernetes does", () => {
    const template = webTemplate();
    template.spec = { ...template.spec, containers: template.spec?.containers ?? [], terminationGracePeriodSeconds: 0 };
    expect(isCurrent(aDeployment(1, { spec: { template } }))).toBe(false);
  });
});

describe("a rolling update", () => {
  const updated = (replicas: number, spec: Partial<Deployment["spec"]> = {}) =>
    aDeployment(replicas, { spec: { template: webTemplate("web:2"), ...spec } });

  it.each([
    { name: "25 % of 10: surge rounds up, unavailability down", replicas: 10, spec: rolling("25%", "25%"), old: 8, next: 5 },
    { name: "surge alone", replicas: 4, spec: rolling(1, 0), old: 4, next: 1 },
    { name: "unavailability alone", replicas: 4, spec: rolling(0, 1), old: 3, next: 1 },
    { name: "when both come to nothing, one may be unavailable", replicas: 2, spec: rolling(0, "10%"), old: 1, next: 1 },
    { name: "one Pod", replicas: 1, spec: rolling("25%", "25%"), old: 1, next: 1 },
    { name: "all at once", replicas: 3, spec: rolling("100%", "100%"), old: 0, next: 3 },
  ])("begins as far as it may: $name", ({ replicas, spec, old, next }) => {
    const deployment = updated(replicas, spec);
    const result = plan(deployment, { replicaSets: [aSet("old", { size: replicas, desired: replicas })] });
    const counted = { old: sizes(result)["old"] ?? replicas, next: result.create?.spec.replicas };
    expect(counted).toEqual({ old, next });
  });

  it("goes on when new Pods are available", () => {
    const replicaSets = [
      aSet("old", { size: 8, desired: 10, created: "2025-12-01T00:00:00Z" }),
      aSet("new", { image: "web:2", size: 5, available: 3, desired: 10, revision: 2 }),
    ];
    expect(sizes(plan(updated(10), { replicaSets }))).toEqual({ old: 5, new: 8 });
  });

  it("removes broken old Pods first", () => {
    const replicaSets = [
      aSet("old", { size: 10, available: 7, desired: 10 }),
      aSet("new", { image: "web:2", size: 0, desired: 10, revision: 2 }),
    ];
    expect(sizes(plan(updated(10, rolling(0, 3)), { replicaSets }))).toEqual({ old: 7, new: 3 });
  });

  it("does not make more Pods unavailable while new ones do not come up", () => {
    const replicaSets = [
      aSet("old", { size: 8, desired: 10 }),
      aSet("new", { image: "web:2", size: 5, available: 0, desired: 10, revision: 2 }),
    ];
    expect(plan(updated(10), { replicaSets }).scalings).toEqual([]);
  });

  it.each([
    ["3546343826724305832", "3546343826724305833"],
    ["9223372036854775808", "1"],
    ["seven", "1"],
  ])("counts in 64 bits: after %j comes %j", (before, after) => {
    expect(plan(updated(1), { replicaSets: [aSet("old", { size: 1, revision: before })] }).revision).toBe(after);
  });

  it("counts revisions up", () => {
    const { create, revision } = plan(updated(1), { replicaSets: [aSet("old", { size: 1, revision: 7 })] });
    expect({ revision, annotation: create?.metadata.annotations?.["deployment.kubernetes.io/revision"] }).toEqual({
      revision: "8",
      annotation: "8",
    });
  });
});

describe("a rollback", () => {
  it("goes back to the ReplicaSet that has the template, with a new revision and the old one in its history", () => {
    const replicaSets = [
      aSet("first", { size: 0, revision: 1, created: "2025-12-01T00:00:00Z" }),
      aSet("second", { image: "web:2", size: 2, revision: 2, desired: 2 }),
    ];
    const { create, update, revision } = plan(aDeployment(2), { replicaSets });
    expect(create).toBeUndefined();
    expect(revision).toBe("3");
    expect(update.find(({ metadata }) => metadata.name === "first")?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
      "deployment.kubernetes.io/revision-history": "1",
    });
  });
});

describe("Recreate", () => {
  const recreate = (template = webTemplate("web:2")) => aDeployment(2, { spec: { strategy: { type: "Recreate" }, template } });
  const old = (given: Partial<SetGiven>) => aSet("old", { size: 0, desired: 2, ...given });

  it("first takes all old Pods down", () => {
    const result = plan(recreate(), { replicaSets: [old({ size: 2 })] });
    expect({ sizes: sizes(result), create: result.create }).toEqual({ sizes: { old: 0 }, create: undefined });
  });

  it.each([
    { name: "an old ReplicaSet still counts Pods", set: old({ pods: 1 }), pods: [], waits: true },
    { name: "an old ReplicaSet has not heard of it yet", set: old({ observed: 0 }), pods: [], waits: true },
    { name: "an old Pod is still terminating", set: old({}), pods: [aPod({ metadata: { deletionTimestamp: time } })], waits: true },
    { name: "an old Pod has finished", set: old({}), pods: [aPod({ phase: "Failed" })], waits: false },
    { name: "nothing is left", set: old({}), pods: [], waits: false },
  ])("waits while $name: $waits", ({ set, pods, waits }) => {
    expect(
      plan(recreate(), {
        replicaSets: [set],
        pods: pods.map((pod) => ({ ...pod, metadata: { ...pod.metadata, ownerReferences: [ownedBy(set)] } })),
      }).create === undefined,
    ).toBe(waits);
  });

  it("then makes the new ones", () => {
    expect(plan(recreate(), { replicaSets: [old({})] }).create?.spec.replicas).toBe(2);
  });
});

describe("scaling", () => {
  it("is passed on to the only ReplicaSet", () => {
    expect(sizes(plan(aDeployment(5), { replicaSets: [aSet("only", { size: 2, desired: 2, max: 3 })] }))).toEqual({ only: 5 });
  });

  it("in the midst of a rollout is shared out in proportion", () => {
    const replicaSets = [
      aSet("old", { size: 8, desired: 10, max: 13, created: "2025-12-01T00:00:00Z" }),
      aSet("new", { image: "web:2", size: 5, available: 0, desired: 10, max: 13, revision: 2 }),
    ];
    const twice = aDeployment(20, { spec: { template: webTemplate("web:2"), paused: true } });
    expect(sizes(plan(twice, { replicaSets }))).toEqual({ old: 15, new: 10 });
  });

  it("down to nothing empties all of them", () => {
    const replicaSets = [
      aSet("old", { size: 3, desired: 4, max: 5 }),
      aSet("new", { image: "web:2", size: 2, desired: 4, max: 5, revision: 2 }),
    ];
    expect(sizes(plan(aDeployment(0, { spec: { template: webTemplate("web:2") } }), { replicaSets }))).toEqual({ old: 0, new: 0 });
  });

  it("is not taken for one for ever when somebody scaled the ReplicaSet by hand", () => {
    const { update } = plan(aDeployment(5), { replicaSets: [aSet("only", { size: 5, desired: 2, max: 3 })] });
    expect(update[0]?.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/desired-replicas": "5" });
  });
});

describe("pausing", () => {
  const paused = aDeployment(3, { spec: { paused: true, template: webTemplate("web:2") } });
  const set = aSet("old", { size: 3, desired: 3, max: 4 });

  it("stops rollouts but not scaling", () => {
    const { create, scalings } = plan({ ...paused, spec: { ...paused.spec, replicas: 4 } }, { replicaSets: [set] });
    expect({ create, scalings }).toEqual({ create: undefined, scalings: [{ name: "old", from: 3, to: 4 }] });
  });

  it("and resuming are noted, so that the time between does not count against the deadline", () => {
    const { status } = plan(paused, { replicaSets: [set] });
    expect(condition(status, "Progressing")).toMatchObject({
      status: "Unknown",
      reason: "DeploymentPaused",
      message: "Deployment is paused",
    });
    const resumed = plan(
      { ...paused, spec: { ...paused.spec, template: webTemplate(), paused: false }, status: { ...status, replicas: 1 } },
      { replicaSets: [set] },
    );
    expect(condition(resumed.status, "Progressing")?.reason).toBe("NewReplicaSetAvailable");
  });
});

describe("progress", () => {
  const deployment = (status: DeploymentStatus) => aDeployment(3, { spec: { template: webTemplate("web:2") }, status });
  const progressing = (reason: string, lastUpdateTime: string, value = "True") => ({
    type: "Progressing",
    status: value,
    reason,
    lastUpdateTime,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  const set = (available: number, pods = 3) => aSet("web-2", { image: "web:2", size: 3, available, pods, revision: 2, desired: 3, max: 4 });

  it("is completed when all Pods are updated and available, in kubectl's words", () => {
    const { status, again } = plan(deployment({ conditions: [progressing("ReplicaSetUpdated", "2026-01-01T00:55:00Z")] }), {
      replicaSets: [set(3)],
    });
    expect(condition(status, "Progressing")).toMatchObject({
      status: "True",
      reason: "NewReplicaSetAvailable",
      message: 'ReplicaSet "web-2" has successfully progressed.',
    });
    expect(condition(status, "Available")).toMatchObject({
      status: "True",
      reason: "MinimumReplicasAvailable",
      message: "Deployment has minimum availability.",
    });
    expect(again).toBeUndefined();
  });

  it("starts the deadline again with every Pod", () => {
    const { status, again } = plan(
      deployment({
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [progressing("ReplicaSetUpdated", "2026-01-01T00:55:00Z")],
      }),
      {
        replicaSets: [set(2)],
      },
    );
    expect(condition(status, "Progressing")).toMatchObject({
      reason: "ReplicaSetUpdated",
      message: 'ReplicaSet "web-2" is progressing.',
      lastUpdateTime: time,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    });
    expect(again).toEqual(new Date("2026-01-01T01:10:01Z"));
  });

  it("fails when nothing happened for progressDeadlineSeconds", () => {
    const { status } = plan(
      deployment({ replicas: 3, updatedReplicas: 3, conditions: [progressing("ReplicaSetUpdated", "2026-01-01T00:49:59Z")] }),
      { replicaSets: [set(0)] },
    );
    expect(condition(status, "Progressing")).toMatchObject({
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: 'ReplicaSet "web-2" has timed out progressing.',
    });
  });

  it("is not judged again after it was completed", () => {
    const { status } = plan(
      deployment({ replicas: 3, updatedReplicas: 3, conditions: [progressing("NewReplicaSetAvailable", "2026-01-01T00:00:00Z")] }),
      { replicaSets: [set(1)] },
    );
    expect(condition(status, "Progressing")?.reason).toBe("NewReplicaSetAvailable");
    expect(condition(status, "Available")?.status).toBe("False");
  });

  it("is not judged without a deadline", () => {
    const endless = aDeployment(3, {
      spec: { progressDeadlineSeconds: 2 ** 31 - 1 },
      status: { conditions: [progressing("ReplicaSetUpdated", time)] },
    });
    expect(condition(plan(endless).status, "Progressing")).toBeUndefined();
  });

  it("passes on why Pods cannot be made, and forgets it", () => {
    const failing = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" };
    const { status } = plan(deployment({}), { replicaSets: [{ ...set(0, 0), status: { replicas: 0, conditions: [failing] } }] });
    expect(condition(status, "ReplicaFailure")).toMatchObject({ status: "True", reason: "FailedCreate", message: "exceeded quota" });
    expect(condition(plan(deployment(status), { replicaSets: [set(0)] }).status, "ReplicaFailure")).toBeUndefined();
  });
});

describe("trap 24: status", () => {
  it("keeps the conditions and fields of others", () => {
    const foreign = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" };
    const { status } = plan(aDeployment(1, { status: { conditions: [foreign] } }), { replicaSets: [aSet("web", { size: 1, desired: 1 })] });
    expect(status.conditions).toContainEqual(foreign);
  });

  it("says observedGeneration of the generation that was read", () => {
    expect(plan(aDeployment(1, { metadata: { generation: 9 } })).status.observedGeneration).toBe(9);
  });

  it("only counts while it is being deleted", () => {
    const deleting = aDeployment(3, { metadata: { deletionTimestamp: time } });
    expect(plan(deleting, { replicaSets: [aSet("web", { size: 1 })] })).toMatchObject({ update: [], delete: [], status: { replicas: 1 } });
  });
});

describe("the history", () => {
  it("keeps as many old ReplicaSets as asked for, once the rollout is complete", () => {
    const olds = [1, 2, 3, 4].map((revision) => aSet(`old-${revision}`, { image: `old:${revision}`, size: 0, revision }));
    const current = aSet("current", { size: 1, revision: 5, desired: 1 });
    const names = (result: DeploymentPlan) => result.delete.map(({ metadata }) => metadata.name);
    const limited = aDeployment(1, { spec: { revisionHistoryLimit: 2 } });
    expect(names(plan(limited, { replicaSets: [...olds, current] }))).toEqual(["old-1", "old-2"]);
    expect(names(plan(limited, { replicaSets: [...olds, aSet("current", { size: 1, available: 0, revision: 5 })] }))).toEqual([]);
    expect(names(plan(aDeployment(1, { spec: { revisionHistoryLimit: 0 } }), { replicaSets: [...olds, current] }))).toHaveLength(4);
  });

  it("never gives up one that still has Pods", () => {
    const old = aSet("old", { image: "old", size: 0, pods: 1, revision: 1 });
    expect(
      plan(aDeployment(1, { spec: { revisionHistoryLimit: 0 } }), { replicaSets: [old, aSet("current", { size: 1, revision: 2 })] }).delete,
    ).toEqual([]);
  });
});

describe("applying the plan, then planning again", () => {
  const set = fc.record({
    size: fc.nat(12),
    lost: fc.nat(4),
    desired: fc.nat(12),
    max: fc.nat(15),
    revision: fc.nat(6),
    annotated: fc.boolean(),
  });
  const amount = fc.oneof(
    fc.nat(5),
    fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
  );
  const given = fc.record({
    replicas: fc.nat(12),
    maxSurge: amount,
    maxUnavailable: amount,
    recreate: fc.boolean(),
    paused: fc.boolean(),
    limit: fc.nat(3),
    sets: fc.array(set, { maxLength: 5 }),
  });

  const build = ({
    replicas,
    maxSurge,
    maxUnavailable,
    recreate,
    paused,
    limit,
    sets,
  }: typeof given extends fc.Arbitrary<infer T> ? T : never) => ({
    deployment: aDeployment(replicas, {
      spec: {
        template: webTemplate("image:0"),
        paused,
        revisionHistoryLimit: limit,
        ...(recreate ? { strategy: { type: "Recreate" } } : rolling(maxSurge, maxUnavailable)),
      },
    }),
    replicaSets: sets.map(({ size, lost, desired, max, revision, annotated }, index) =>
      aSet(`set-${index}`, {
        image: `image:${index}`,
        size,
        available: Math.max(0, size - lost),
        revision,
        created: `2025-12-0${index + 1}T00:00:00Z`,
        ...(annotated && { desired, max }),
      }),
    ),
  });

  /** What the API would hold after the plan was carried out. */
  function apply(
    deployment: Deployment,
    replicaSets: readonly ReplicaSet[],
    done: DeploymentPlan,
  ): { deployment: Deployment; replicaSets: ReplicaSet[] } {
    const kept = replicaSets
      .filter((one) => !done.delete.includes(one))
      .map((one) => done.update.find(({ metadata }) => metadata.uid === one.metadata.uid) ?? one);
    const created = done.create
      ? [
          {
            ...aReplicaSet(),
            ...done.create,
            metadata: meta(done.create.metadata.name, { ...done.create.metadata, creationTimestamp: time }),
          },
        ]
      : [];
    const annotations = {
      ...deployment.metadata.annotations,
      ...(done.revision !== undefined && { "deployment.kubernetes.io/revision": done.revision }),
    };
    return {
      deployment: { ...deployment, metadata: { ...deployment.metadata, annotations }, status: done.status },
      replicaSets: [...kept, ...created],
    };
  }

  it("yields nothing", () => {
    fc.assert(
      fc.property(given, (values) => {
        const { deployment, replicaSets } = build(values);
        const after = apply(deployment, replicaSets, plan(deployment, { replicaSets }));
        const { again: _again, ...second } = plan(after.deployment, { replicaSets: after.replicaSets });
        expect(second).toEqual({ update: [], delete: [], scalings: [], status: after.deployment.status });
      }),
      { numRuns: 500 },
    );
  });

  it("never asks for more Pods than replicas and surge, once it was within them", () => {
    fc.assert(
      fc.property(given, (values) => {
        const { deployment, replicaSets } = build({ ...values, recreate: false, paused: false });
        const total = (sets: readonly ReplicaSet[]) => sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
        const surge =
          typeof values.maxSurge === "number" ? values.maxSurge : Math.ceil((Number.parseInt(values.maxSurge) * values.replicas) / 100);
        const before = total(replicaSets);
        const after = total(apply(deployment, replicaSets, plan(deployment, { replicaSets })).replicaSets);
        expect(after).toBeLessThanOrEqual(Math.max(before, values.replicas + surge));
      }),
      { numRuns: 500 },
    );
  });
});
