import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../../shared/api/generated/types.ts";
import { planStatefulSet, type StatefulSetPlan, type StatefulSetState } from "../../../shared/controllers/statefulset/plan.ts";
import { aClaim, aMember, aRevision, aStatefulSet, dataTemplate, type MemberGiven } from "../../support/stateful.ts";
import { ownedBy, webTemplate } from "../../support/workloads.ts";

const now = new Date("2026-01-01T01:00:00Z");

interface Given extends Partial<Pick<StatefulSetState, "pods" | "revisions">> {
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly strangers?: readonly Pod[];
}

/** The set is at its first revision, `web-one`, unless given otherwise. */
function plan(set: StatefulSet, given: Given = {}): StatefulSetPlan {
  const { pods = [], revisions = [aRevision(set, "web-one", 1, webTemplate())], claims = [], strangers = [] } = given;
  return planStatefulSet({
    set,
    pods,
    revisions,
    claim: (name) => claims.find(({ metadata }) => metadata.name === name),
    pod: (name) => [...pods, ...strangers].find(({ metadata }) => metadata.name === name),
    taken: (name) => revisions.some(({ metadata }) => metadata.name === name),
    now,
  });
}

const created = ({ createPods }: StatefulSetPlan) => createPods.map(({ draft }) => draft.metadata.name);
const deleted = ({ deletePods }: StatefulSetPlan) => deletePods.map(({ metadata }) => metadata.name);
const parallel = { podManagementPolicy: "Parallel" };
const members = (set: StatefulSet, ...given: readonly MemberGiven[]) => given.map((one, ordinal) => aMember(set, ordinal, one));

describe("a StatefulSet that keeps an order", () => {
  it.each([
    { name: "begins with the first", replicas: 3, pods: [], create: ["web-0"] },
    { name: "goes on when the one before is ready", replicas: 3, pods: [{}], create: ["web-1"] },
    { name: "waits for the one before", replicas: 3, pods: [{ ready: false }], create: [] },
    { name: "waits for one that has not started", replicas: 3, pods: [{ phase: "Pending" }], create: [] },
    { name: "waits for one that ends", replicas: 3, pods: [{ terminating: true }], create: [] },
    { name: "has what it wants", replicas: 2, pods: [{}, {}], create: [] },
  ])("$name", ({ replicas, pods, create }) => {
    const set = aStatefulSet(replicas);
    expect(created(plan(set, { pods: members(set, ...pods) }))).toEqual(create);
  });

  it("fills a gap before it goes on", () => {
    const set = aStatefulSet(3);
    expect(created(plan(set, { pods: [aMember(set, 0), aMember(set, 2)] }))).toEqual(["web-1"]);
  });

  it("replaces a Pod that has ended, whatever its end was", () => {
    const set = aStatefulSet(2);
    for (const phase of ["Failed", "Succeeded"]) {
      const { deletePods, createPods } = plan(set, { pods: members(set, { phase }, {}) });
      expect([deletePods.map(({ metadata }) => metadata.name), createPods]).toEqual([["web-0"], []]);
    }
  });

  it("shrinks from the top, one at a time, and only while all others are well", () => {
    const set = aStatefulSet(1);
    const three = members(set, {}, {}, {});
    expect(deleted(plan(set, { pods: three }))).toEqual(["web-2"]);
    expect(deleted(plan(set, { pods: members(set, {}, {}, { terminating: true }) }))).toEqual([]);
    expect(deleted(plan(set, { pods: members(set, { ready: false }, {}, {}) }))).toEqual([]);
    expect(deleted(plan(set, { pods: members(set, {}, { ready: false }, {}) }))).toEqual(["web-2"]);
    expect(deleted(plan(set, { pods: members(set, {}, {}, { ready: false }) }))).toEqual(["web-2"]);
    expect(deleted(plan(set, { pods: members(set, {}, { ready: false }, { ready: false }) }))).toEqual([]);
  });

  it("counts a Pod as well only after minReadySeconds, and looks again then", () => {
    const set = aStatefulSet(2, { spec: { minReadySeconds: 60 } });
    const young = plan(set, { pods: members(set, { readySince: "2026-01-01T00:59:30Z" }) });
    expect(created(young)).toEqual([]);
    expect(young.again).toEqual(new Date("2026-01-01T01:00:30Z"));
    expect(young.status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
    expect(created(plan(set, { pods: members(set, { readySince: "2026-01-01T00:58:00Z" }) }))).toEqual(["web-1"]);
  });
});

describe("Pods that have ended", () => {
  it("hold up nothing when they are too much", () => {
    const set = aStatefulSet(0);
    expect(deleted(plan(set, { pods: members(set, { phase: "Failed" }, { phase: "Failed" }) }))).toEqual(["web-1"]);
  });
});

describe("a StatefulSet without an order", () => {
  it("makes all that are missing, and ends all that are too much, at once", () => {
    const more = aStatefulSet(3, { spec: parallel });
    expect(created(plan(more, { pods: members(more, { ready: false }) }))).toEqual(["web-1", "web-2"]);
    const less = aStatefulSet(1, { spec: parallel });
    expect(deleted(plan(less, { pods: members(less, { ready: false }, {}, {}) }))).toEqual(["web-2", "web-1"]);
  });

  it("still updates one at a time", () => {
    const set = aStatefulSet(3, { spec: { ...parallel, template: webTemplate("web:2") } });
    const revisions = [aRevision(set, "web-one", 1, webTemplate()), aRevision(set, "web-two", 2, webTemplate("web:2"))];
    expect(deleted(plan(set, { revisions, pods: members(set, {}, {}, {}) }))).toEqual(["web-2"]);
    expect(deleted(plan(set, { revisions, pods: members(set, {}, {}, { revision: "web-two", ready: false }) }))).toEqual([]);
  });

  it("asks only once to end a Pod that has ended and is out of date", () => {
    const set = aStatefulSet(1, { spec: { ...parallel, template: webTemplate("web:2") } });
    expect(deleted(plan(set, { pods: members(set, { phase: "Failed" }) }))).toEqual(["web-0"]);
  });
});

describe("the Pods of a StatefulSet", () => {
  it("have names, labels, host names and claims of their own", () => {
    const set = aStatefulSet(1, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    const [pod] = plan(set).createPods;
    expect(pod?.draft).toMatchObject({
      metadata: {
        name: "web-0",
        generateName: "web-",
        labels: {
          app: "web",
          "statefulset.kubernetes.io/pod-name": "web-0",
          "apps.kubernetes.io/pod-index": "0",
          "controller-revision-hash": "web-one",
        },
      },
      spec: { hostname: "web-0", subdomain: "web", volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-web-0" } }] },
    });
    expect(pod?.claims).toMatchObject([
      { metadata: { name: "data-web-0", namespace: "default", labels: { app: "web" } }, spec: { accessModes: ["ReadWriteOnce"] } },
    ]);
  });

  it("begin at spec.ordinals.start, and those below are too much", () => {
    const set = aStatefulSet(2, { spec: { ...parallel, ordinals: { start: 5 } } });
    const { createPods, deletePods } = plan(set, { pods: [aMember(set, 0), aMember(set, 6)] });
    expect(createPods.map(({ draft }) => draft.metadata.name)).toEqual(["web-5"]);
    expect(deletePods.map(({ metadata }) => metadata.name)).toEqual(["web-0"]);
  });

  it("take the place of a volume of the template with the name of a claim", () => {
    const template = {
      ...webTemplate(),
      spec: {
        containers: [],
        volumes: [
          { name: "data", emptyDir: {} },
          { name: "tmp", emptyDir: {} },
        ],
      },
    };
    const set = aStatefulSet(1, { spec: { template, volumeClaimTemplates: [dataTemplate()] } });
    const [pod] = plan(set, { revisions: [] }).createPods;
    expect(pod?.draft.spec?.volumes).toEqual([
      { name: "data", persistentVolumeClaim: { claimName: "data-web-0" } },
      { name: "tmp", emptyDir: {} },
    ]);
  });

  it("get claims that are missing while they wait", () => {
    const set = aStatefulSet(1, { spec: { volumeClaimTemplates: [dataTemplate(), dataTemplate("log")] } });
    const { createClaims } = plan(set, { pods: members(set, { phase: "Pending" }), claims: [aClaim("data-web-0")] });
    expect(createClaims).toMatchObject([{ pod: "web-0", draft: { metadata: { name: "log-web-0" } } }]);
  });

  it("wait for a claim that is being deleted", () => {
    const set = aStatefulSet(1, { spec: { volumeClaimTemplates: [dataTemplate()] } });
    const { createPods, warnings } = plan(set, { claims: [aClaim("data-web-0", { deletionTimestamp: "2026-01-01T00:00:00Z" })] });
    expect(createPods).toEqual([]);
    expect(warnings).toEqual([
      { reason: "FailedCreate", message: "Create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted" },
    ]);
  });

  it("are not made over somebody else's, which is said", () => {
    const set = aStatefulSet(1);
    const stranger = aMember(set, 0);
    const blocked = plan(set, { strangers: [stranger] });
    expect(created(blocked)).toEqual([]);
    expect(blocked.warnings.map(({ message }) => message)).toEqual([
      `Create Pod web-0 in StatefulSet web failed error: pods "web-0" already exists and is not this StatefulSet's`,
    ]);
  });

  it("get their identity back", () => {
    const set = aStatefulSet(1);
    const { updatePods } = plan(set, { pods: members(set, { labels: { "statefulset.kubernetes.io/pod-name": "other" } }) });
    expect(updatePods.map(({ metadata }) => metadata.labels?.["statefulset.kubernetes.io/pod-name"])).toEqual(["web-0"]);
  });
});

describe("an update of a StatefulSet", () => {
  const two = webTemplate("web:2");
  const revisionsOf = (set: StatefulSet) => [aRevision(set, "web-one", 1, webTemplate()), aRevision(set, "web-two", 2, two)];
  const status = { replicas: 3, currentRevision: "web-one" };
  const updating = (spec: Partial<StatefulSet["spec"]> = {}) => aStatefulSet(3, { spec: { template: two, ...spec }, status });

  it("makes a revision, and says what it replaces", () => {
    const set = aStatefulSet(3, { spec: { template: two }, status });
    const { createRevision, status: next } = plan(set, { pods: members(set, {}, {}, {}) });
    expect(createRevision).toMatchObject({
      metadata: { labels: { app: "web", "controller.kubernetes.io/hash": expect.any(String) as string } },
      revision: 2,
      data: { spec: { template: { ...two, $patch: "replace" } } },
    });
    expect(createRevision?.metadata.name).toBe(`web-${createRevision?.metadata.labels?.["controller.kubernetes.io/hash"]}`);
    expect(next).toMatchObject({ currentRevision: "web-one", updateRevision: createRevision?.metadata.name, currentReplicas: 2 });
  });

  it("replaces from the top, one at a time, waiting for each", () => {
    const set = updating();
    const steps: [readonly MemberGiven[], readonly string[]][] = [
      [[{}, {}, {}], ["web-2"]],
      [[{}, {}, { revision: "web-two", ready: false }], []],
      [[{}, {}, { revision: "web-two" }], ["web-1"]],
      [[{}, { revision: "web-two" }, { revision: "web-two" }], ["web-0"]],
    ];
    for (const [pods, expected] of steps)
      expect(deleted(plan(set, { revisions: revisionsOf(set), pods: members(set, ...pods) }))).toEqual(expected);
  });

  it("stops at the partition, and below it makes Pods of the old template", () => {
    const set = updating({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
    const given = { revisions: revisionsOf(set) };
    expect(deleted(plan(set, { ...given, pods: members(set, {}, {}, { revision: "web-two" }) }))).toEqual([]);
    const [lost] = plan(set, { ...given, pods: [aMember(set, 1), aMember(set, 2, { revision: "web-two" })] }).createPods;
    expect(lost?.draft).toMatchObject({
      metadata: { name: "web-0", labels: { "controller-revision-hash": "web-one" } },
      spec: { containers: [{ image: "web:1" }] },
    });
  });

  it("OnDelete: replaces nothing, and what is made is new", () => {
    const set = updating({ updateStrategy: { type: "OnDelete" } });
    const given = { revisions: revisionsOf(set) };
    expect(deleted(plan(set, { ...given, pods: members(set, {}, {}, {}) }))).toEqual([]);
    const [next] = plan(set, { ...given, pods: members(set, {}, {}) }).createPods;
    expect(next?.draft.metadata).toMatchObject({ name: "web-2", labels: { "controller-revision-hash": "web-two" } });
  });

  it("is complete when all Pods are new and ready", () => {
    const set = updating();
    const revision = "web-two";
    const { status: next } = plan(set, { revisions: revisionsOf(set), pods: members(set, { revision }, { revision }, { revision }) });
    expect(next).toMatchObject({ currentRevision: revision, updateRevision: revision, currentReplicas: 3, updatedReplicas: 3 });
  });

  it("back to a template that was: its revision gets the next number", () => {
    const set = aStatefulSet(3, { status: { ...status, currentRevision: "web-two" } });
    const { createRevision, updateRevision } = plan(set, { revisions: revisionsOf(set), pods: members(set, {}, {}, {}) });
    expect(createRevision).toBeUndefined();
    expect(updateRevision).toMatchObject({ metadata: { name: "web-one" }, revision: 3 });
  });

  it("takes the next name when another template has it", () => {
    const set = aStatefulSet(1);
    const first = plan(set, { revisions: [] }).createRevision?.metadata.name ?? "";
    const collided = plan(set, { revisions: [aRevision(set, first, 1, two)] });
    expect(collided).toMatchObject({ status: { collisionCount: 1 }, createPods: [] });
    const again = plan(aStatefulSet(1, { status: collided.status }), { revisions: [aRevision(set, first, 1, two)] });
    expect(again.createRevision?.metadata.name).not.toBe(first);
  });

  it("forgets the oldest revisions that no Pod has any more", () => {
    const set = aStatefulSet(1, { spec: { revisionHistoryLimit: 1 } });
    const revisions = [
      aRevision(set, "used", 1, webTemplate("web:1a")),
      aRevision(set, "old", 2, webTemplate("web:1b")),
      aRevision(set, "kept", 3, webTemplate("web:1c")),
      aRevision(set, "web-one", 4, webTemplate()),
    ];
    const { deleteRevisions } = plan(set, { revisions, pods: members(set, { revision: "used" }) });
    expect(deleteRevisions.map(({ metadata }) => metadata.name)).toEqual(["old"]);
  });
});

describe("trap 22: an upgrade of ours must not roll workloads", () => {
  it("a revision from before a default was known is the same revision", () => {
    const defaulted = webTemplate();
    const container = { name: "web", image: "web:1", imagePullPolicy: "IfNotPresent", terminationMessagePath: "/dev/termination-log" };
    const set = aStatefulSet(1, { spec: { template: { ...defaulted, spec: { restartPolicy: "Always", containers: [container] } } } });
    const result = plan(set, {
      revisions: [aRevision(set, "from-before", 1, webTemplate())],
      pods: members(set, { revision: "from-before" }),
    });
    expect(result).toMatchObject({ createPods: [], deletePods: [], status: { updateRevision: "from-before" } });
    expect(result.createRevision).toBeUndefined();
  });
});

describe("claims of a StatefulSet", () => {
  const withPolicy = (whenScaled: string, whenDeleted: string) =>
    aStatefulSet(1, {
      spec: { volumeClaimTemplates: [dataTemplate()], persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted } },
    });
  const claims = [aClaim("data-web-0"), aClaim("data-web-1")];
  const claimedBy = (set: StatefulSet, pod: Pod) => ({
    ...pod,
    spec: {
      ...pod.spec,
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: `data-${pod.metadata.name}` } }],
    },
    metadata: { ...pod.metadata, ownerReferences: [ownedBy(set)] },
  });

  it.each([
    { whenScaled: "Retain", whenDeleted: "Retain", owners: {} },
    { whenScaled: "Retain", whenDeleted: "Delete", owners: { "data-web-0": "StatefulSet", "data-web-1": "StatefulSet" } },
    { whenScaled: "Delete", whenDeleted: "Retain", owners: { "data-web-1": "Pod" } },
    { whenScaled: "Delete", whenDeleted: "Delete", owners: { "data-web-0": "StatefulSet", "data-web-1": "Pod" } },
  ])("scaled: $whenScaled, deleted: $whenDeleted", ({ whenScaled, whenDeleted, owners }) => {
    const set = withPolicy(whenScaled, whenDeleted);
    const pods = [aMember(set, 0), aMember(set, 1)].map((pod) => claimedBy(set, pod));
    const { updateClaims } = plan(set, { pods, claims });
    expect(Object.fromEntries(updateClaims.map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.kind]))).toEqual(owners);
    const next = claims.map((claim) => updateClaims.find(({ metadata }) => metadata.name === claim.metadata.name) ?? claim);
    expect(plan(set, { pods, claims: next }).updateClaims).toEqual([]);
  });

  it("that go with an earlier Pod hold up the next one", () => {
    const set = withPolicy("Delete", "Retain");
    const gone = aMember(set, 0);
    const leaving = aClaim("data-web-0", { ownerReferences: [{ ...ownedBy(gone), uid: "another" }] });
    expect(created(plan(set, { claims: [leaving] }))).toEqual([]);
  });

  it("that somebody else controls are left to them, which is said", () => {
    const set = withPolicy("Delete", "Delete");
    const owner = { apiVersion: "example.com/v1", kind: "Database", name: "db", uid: "db", controller: true };
    const pods = [claimedBy(set, aMember(set, 0))];
    const { updateClaims, warnings } = plan(set, { pods, claims: [aClaim("data-web-0", { ownerReferences: [owner] })] });
    expect(updateClaims).toEqual([]);
    expect(warnings.map(({ reason }) => reason)).toEqual(["ConflictingController"]);
  });

  it("are the set's from the beginning when they are to go with it", () => {
    const [pod] = plan(withPolicy("Retain", "Delete")).createPods;
    expect(pod?.claims[0]?.metadata.ownerReferences).toMatchObject([{ kind: "StatefulSet", name: "web" }]);
  });
});

describe("the status of a StatefulSet", () => {
  it("counts what is there", () => {
    const set = aStatefulSet(3);
    const { status } = plan(set, { pods: members(set, {}, { ready: false }, { terminating: true }) });
    expect(status).toEqual({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 2,
      currentRevision: "web-one",
      updateRevision: "web-one",
      collisionCount: 0,
    });
  });

  it("is all that a set which is being deleted still gets", () => {
    const set = aStatefulSet(3, { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" }, spec: { template: webTemplate("web:2") } });
    expect(plan(set, { pods: members(set, {}) })).toMatchObject({
      createPods: [],
      deletePods: [],
      status: { replicas: 1, readyReplicas: 1, observedGeneration: 1 },
    });
  });
});

describe("any StatefulSet", () => {
  const state = fc.record({
    replicas: fc.integer({ min: 0, max: 4 }),
    start: fc.integer({ min: 0, max: 2 }),
    policy: fc.constantFrom("OrderedReady", "Parallel"),
    partition: fc.integer({ min: 0, max: 3 }),
    pods: fc.array(
      fc.record({
        ordinal: fc.integer({ min: 0, max: 6 }),
        revision: fc.constantFrom("web-one", "web-two"),
        state: fc.constantFrom("ready", "unready", "pending", "failed", "terminating"),
      }),
      { maxLength: 6 },
    ),
  });

  it("comes to rest with the Pods it wants once everything is carried out and runs", () => {
    fc.assert(
      fc.property(state, ({ replicas, start, policy, partition, pods }) => {
        const spec = {
          podManagementPolicy: policy,
          ordinals: { start },
          template: webTemplate("web:2"),
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition } },
        };
        let set = aStatefulSet(replicas, { spec, status: { replicas: 0, currentRevision: "web-one" } });
        const revisions = [aRevision(set, "web-one", 1, webTemplate()), aRevision(set, "web-two", 2, webTemplate("web:2"))];
        let live = new Map(
          pods.map(({ ordinal, revision, state }) => {
            const phase = state === "failed" ? "Failed" : state === "pending" ? "Pending" : "Running";
            return [
              ordinal,
              aMember(set, ordinal, { revision, phase, ready: state === "ready", terminating: state === "terminating" }),
            ] as const;
          }),
        );
        for (let step = 0; step < 40; step++) {
          const before = [...live.values()].filter(({ metadata }) => !metadata.deletionTimestamp);
          const next = plan(set, { revisions, pods: [...live.values()] });
          // In order: at most one Pod at a time comes or goes.
          if (policy === "OrderedReady") expect(next.createPods.length + next.deletePods.length).toBeLessThanOrEqual(1);
          expect(new Set(deleted(next)).size).toBe(next.deletePods.length);
          expect(before.length).toBeLessThanOrEqual(13);
          const gone = new Set(deleted(next));
          live = new Map([...live].filter(([, { metadata }]) => !gone.has(metadata.name) && !metadata.deletionTimestamp));
          for (const { draft } of next.createPods) {
            const ordinal = Number(draft.metadata.name.slice("web-".length));
            live.set(ordinal, aMember(set, ordinal, { revision: draft.metadata.labels?.["controller-revision-hash"] ?? "" }));
          }
          // What waits comes up in the end; what failed stays as it is.
          live = new Map(
            [...live].map(([ordinal, pod]) => [
              ordinal,
              pod.status?.phase === "Failed"
                ? pod
                : aMember(set, ordinal, { revision: pod.metadata.labels?.["controller-revision-hash"] ?? "" }),
            ]),
          );
          set = { ...set, status: next.status };
        }
        const names = [...live.values()].map(({ metadata }) => metadata.name).toSorted();
        expect(names).toEqual(Array.from({ length: replicas }, (_, index) => `web-${start + index}`).toSorted());
        for (const [ordinal, pod] of live) {
          if (ordinal >= start + partition) expect(pod.metadata.labels?.["controller-revision-hash"]).toBe("web-two");
        }
        const rest = plan(set, { revisions, pods: [...live.values()] });
        expect([rest.createPods, rest.deletePods, rest.updatePods]).toEqual([[], [], []]);
      }),
      { numRuns: 200 },
    );
  });
});
