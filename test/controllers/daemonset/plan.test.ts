import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ControllerRevision, DaemonSet, Node, Pod } from "../../../shared/api/generated/types.ts";
import { Failures } from "../../../shared/controllers/daemonset/failures.ts";
import { type DaemonSetPlan, planDaemonSet } from "../../../shared/controllers/daemonset/plan.ts";
import { aDaemon, aDaemonSet, type DaemonGiven } from "../../support/daemons.ts";
import { aNode } from "../../support/nodes.ts";
import { meta, ownedBy, webTemplate } from "../../support/workloads.ts";

const now = new Date("2026-01-01T01:00:00Z");
const three = ["node-1", "node-2", "node-3"].map((name) => aNode({ name }));

const aRevision = (owner: DaemonSet, hash: string, revision: number, image: string): ControllerRevision => ({
  apiVersion: "apps/v1",
  kind: "ControllerRevision",
  metadata: meta(`agent-${hash}`, { labels: { app: "web", "controller-revision-hash": hash }, ownerReferences: [ownedBy(owner)] }),
  data: { spec: { template: { ...webTemplate(image), $patch: "replace" } } },
  revision,
});
/** `one` is `web:1`, `two` is `web:2`. */
const history = (set: DaemonSet) => [aRevision(set, "one", 1, "web:1"), aRevision(set, "two", 2, "web:2")];

interface Given {
  readonly pods?: readonly Pod[];
  readonly nodes?: readonly Node[];
  readonly revisions?: readonly ControllerRevision[];
  readonly retryAt?: (node: string) => Date | undefined;
}

const plan = (
  set: DaemonSet,
  { pods = [], nodes = three, revisions = history(set).slice(0, 1), retryAt = () => undefined }: Given,
): DaemonSetPlan =>
  planDaemonSet({
    set,
    pods,
    nodes,
    revisions,
    takenRevision: (name) => revisions.some(({ metadata }) => metadata.name === name),
    taken: (name) => pods.some(({ metadata }) => metadata.name === name),
    revision: 1_000,
    retryAt,
    now,
  });

const made = ({ create }: DaemonSetPlan) => create.map(({ node }) => node);
const ended = (result: DaemonSetPlan) => result.delete.map(({ metadata }) => metadata.name);
const daemons = (set: DaemonSet, ...given: readonly DaemonGiven[]) => given.map((one, index) => aDaemon(set, `node-${index + 1}`, one));

describe("a DaemonSet", () => {
  const set = aDaemonSet();

  it("makes a Pod for each Node, under names of their own", () => {
    const result = plan(set, {});
    expect(made(result)).toEqual(["node-1", "node-2", "node-3"]);
    expect(new Set(result.create.map(({ name }) => name)).size).toBe(3);
    for (const { name } of result.create) expect(name).toMatch(/^agent-[a-z0-9]{5}$/);
  });

  it("counts a Pod that waits to be bound to its Node", () => {
    expect(made(plan(set, { pods: [aDaemon(set, "node-2", { bound: false })] }))).toEqual(["node-1", "node-3"]);
  });

  it("makes another only when the one before is gone", () => {
    expect(made(plan(set, { pods: daemons(set, { terminating: true }, {}, {}) }))).toEqual([]);
  });

  it("keeps the oldest of several, and one that has a place before one that has none", () => {
    const pods = [
      aDaemon(set, "node-1", { name: "waiting", bound: false, createdAt: "2025-01-01T00:00:00Z" }),
      aDaemon(set, "node-1", { name: "older" }),
      aDaemon(set, "node-1", { name: "younger", createdAt: "2026-01-01T00:30:00Z" }),
    ];
    expect(ended(plan(set, { pods, nodes: [aNode()] }))).toEqual(["younger", "waiting"]);
  });

  it("ends Pods where they do not belong, and those that can never start", () => {
    const pods = daemons(set, {}, {});
    const nodes = [aNode({ name: "node-1" }), aNode({ name: "node-2", taints: [{ key: "mine", effect: "NoExecute" }] })];
    expect(ended(plan(set, { pods: [...pods, aDaemon(set, "node-9", { bound: false })], nodes }))).toEqual([
      "agent-node-9",
      "agent-node-2",
    ]);
  });

  it("lets Pods stay on a Node that wants no new ones, and counts them as misplaced", () => {
    const nodes = [aNode({ name: "node-1", taints: [{ key: "mine", effect: "NoSchedule" }] })];
    const result = plan(set, { pods: daemons(set, {}), nodes });
    expect(ended(result)).toEqual([]);
    expect(result.status).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 1 });
  });

  it("replaces Pods that have ended, and says so", () => {
    const result = plan(set, { pods: daemons(set, { phase: "Failed" }, { phase: "Succeeded" }, {}) });
    expect(ended(result)).toEqual(["agent-node-1", "agent-node-2"]);
    expect(result.events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      "FailedDaemonPod: Found failed daemon pod default/agent-node-1 on node node-1, will try to kill it",
      "SucceededDaemonPod: Found succeeded daemon pod default/agent-node-2 on node node-2, will try to delete it",
    ]);
    expect(result.failed).toEqual(["node-1"]);
  });

  it("but later and later where they keep failing", () => {
    const at = new Date(now.getTime() + 5_000);
    const result = plan(set, { pods: daemons(set, { phase: "Failed" }, {}, {}), retryAt: () => at });
    expect(ended(result)).toEqual([]);
    expect(result.again).toEqual(at);
    const failures = new Failures();
    const waits = Array.from({ length: 12 }, () => {
      failures.note("node-1", now);
      return (failures.retryAt("node-1")?.getTime() ?? 0) - now.getTime();
    });
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(15 * 60_000);
    failures.note("node-1", new Date(now.getTime() + 60 * 60_000));
    expect(failures.retryAt("node-1")).toEqual(new Date(now.getTime() + 60 * 60_000 + 1_000));
  });

  it("looks again when a Pod has been ready for long enough", () => {
    const patient = aDaemonSet({ spec: { minReadySeconds: 3_700 } });
    const { again, status } = plan(patient, { pods: daemons(patient, {}, {}, {}) });
    expect(again).toEqual(new Date("2026-01-01T01:01:40Z"));
    expect(status).toMatchObject({ numberReady: 3, numberUnavailable: 3 });
  });

  it("says what stands where", () => {
    const pods = daemons(set, {}, { ready: false });
    expect(plan(set, { pods }).status).toEqual({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 2,
      numberMisscheduled: 0,
      numberReady: 1,
      numberAvailable: 1,
      numberUnavailable: 2,
      updatedNumberScheduled: 2,
      observedGeneration: 1,
    });
  });
});

describe("an update of a DaemonSet", () => {
  const updating = (rollingUpdate: object = { maxUnavailable: 1, maxSurge: 0 }) =>
    aDaemonSet({ spec: { template: webTemplate("web:2"), updateStrategy: { type: "RollingUpdate", rollingUpdate } } });
  const steps = (set: DaemonSet, ...given: readonly DaemonGiven[]) => plan(set, { pods: daemons(set, ...given), revisions: history(set) });
  const two = { hash: "two" };

  it("makes a revision, whose hash its Pods bear", () => {
    const set = updating();
    const { createRevision, hash } = plan(set, { pods: daemons(set, {}, {}, {}) });
    expect(createRevision).toMatchObject({
      metadata: { name: `agent-${hash}`, labels: { "controller-revision-hash": hash } },
      revision: 2,
    });
  });

  it("goes from Node to Node, with no more missing than may be", () => {
    const set = updating();
    expect(ended(steps(set, {}, {}, {}))).toEqual(["agent-node-1"]);
    expect(ended(steps(set, { terminating: true }, {}, {}))).toEqual([]);
    expect(ended(steps(set, { ...two, ready: false }, {}, {}))).toEqual([]);
    expect(ended(steps(set, two, {}, {}))).toEqual(["agent-node-2"]);
    expect(ended(steps(set, two, two, two))).toEqual([]);
    expect(ended(steps(updating({ maxUnavailable: "50%" }), {}, {}, {}))).toEqual(["agent-node-1", "agent-node-2"]);
  });

  it("replaces what is broken anyway at once", () => {
    expect(ended(steps(updating(), {}, { ready: false }, { ready: false }))).toEqual(["agent-node-2", "agent-node-3"]);
  });

  it("waits for missing Pods to be made before it goes on", () => {
    const set = updating();
    const result = plan(set, { pods: [aDaemon(set, "node-1")], revisions: history(set) });
    expect([made(result), ended(result)]).toEqual([["node-2", "node-3"], []]);
  });

  it("OnDelete: leaves it to the user", () => {
    const set = aDaemonSet({ spec: { template: webTemplate("web:2"), updateStrategy: { type: "OnDelete" } } });
    expect(ended(steps(set, {}, {}, {}))).toEqual([]);
    expect(plan(set, { pods: daemons(set, {}, {}), revisions: history(set) }).hash).toBe("two");
  });

  it("surging: the new one first, and the old one goes when it is available", () => {
    const set = updating({ maxSurge: 1, maxUnavailable: 0 });
    const revisions = history(set);
    const beside = (given: DaemonGiven) => aDaemon(set, "node-1", { name: "next", ...two, ...given });
    const pods = daemons(set, {}, {}, {});
    expect(made(plan(set, { pods, revisions }))).toEqual(["node-1"]);
    const waiting = plan(set, { pods: [...pods, beside({ ready: false })], revisions });
    expect([made(waiting), ended(waiting)]).toEqual([[], []]);
    expect(ended(plan(set, { pods: [...pods, beside({})], revisions }))).toEqual(["agent-node-1"]);
    expect(
      ended(plan(set, { pods: [aDaemon(set, "node-1", { ready: false }), beside({ ready: false })], nodes: [aNode()], revisions })),
    ).toEqual(["agent-node-1"]);
  });

  it("surging: a Node that wants no Pod any more keeps its own until others make up for it", () => {
    const set = updating({ maxSurge: 1, maxUnavailable: 0 });
    const nodes = [aNode({ name: "node-1", taints: [{ key: "mine", effect: "NoSchedule" }] }), aNode({ name: "node-2" })];
    const revisions = history(set);
    const waiting = [aDaemon(set, "node-1"), aDaemon(set, "node-2", { ...two, ready: false })];
    expect(ended(plan(set, { pods: waiting, nodes, revisions }))).toEqual([]);
    const there = [aDaemon(set, "node-1"), aDaemon(set, "node-2", two)];
    expect(ended(plan(set, { pods: there, nodes, revisions }))).toEqual(["agent-node-1"]);
  });

  it("trap 22: Pods of a revision from before a default was known are up to date", () => {
    const container = { name: "web", image: "web:1", imagePullPolicy: "IfNotPresent", terminationMessagePath: "/dev/termination-log" };
    const set = aDaemonSet({ spec: { template: { ...webTemplate(), spec: { restartPolicy: "Always", containers: [container] } } } });
    const result = plan(set, { pods: daemons(set, {}, {}, {}) });
    expect([result.createRevision, made(result), ended(result)]).toEqual([undefined, [], []]);
  });

  it("back to a template that was: its revision gets the next number, and Pods that still bear it are kept", () => {
    const set = aDaemonSet();
    const result = steps(set, {}, two, two);
    expect(result.updateRevision).toMatchObject({ metadata: { name: "agent-one" }, revision: 3 });
    expect(ended(result)).toEqual(["agent-node-2"]);
  });
});

describe("any DaemonSet", () => {
  const node = fc.record({ taint: fc.constantFrom(undefined, "NoSchedule", "NoExecute") });
  const pod = fc.record({
    node: fc.integer({ min: 1, max: 4 }),
    hash: fc.constantFrom("one", "two"),
    state: fc.constantFrom("ready", "unready", "failed", "waiting"),
  });
  const strategy = fc.constantFrom(
    { maxUnavailable: 1, maxSurge: 0 },
    { maxUnavailable: "60%", maxSurge: 0 },
    { maxUnavailable: 0, maxSurge: 1 },
  );

  it("comes to rest with one new Pod on each Node that wants one", () => {
    fc.assert(
      fc.property(
        fc.array(node, { minLength: 1, maxLength: 4 }),
        fc.array(pod, { maxLength: 8 }),
        strategy,
        (given, pods, rollingUpdate) => {
          const set = aDaemonSet({ spec: { template: webTemplate("web:2"), updateStrategy: { type: "RollingUpdate", rollingUpdate } } });
          const revisions = history(set);
          const nodes = given.map(({ taint }, index) =>
            aNode({ name: `node-${index + 1}`, ...(taint && { taints: [{ key: "mine", effect: taint }] }) }),
          );
          let count = 0;
          const existing = new Set(nodes.map(({ metadata }) => metadata.name));
          const name = () => `pod-${++count}`;
          let live = pods.map(({ node, hash, state }) =>
            aDaemon(set, `node-${node}`, {
              name: name(),
              hash,
              phase: state === "failed" ? "Failed" : "Running",
              ready: state === "ready",
              bound: state !== "waiting" && existing.has(`node-${node}`),
            }),
          );
          for (let step = 0; step < 40; step++) {
            const next = plan(set, { pods: live, nodes, revisions });
            expect(new Set(ended(next)).size).toBe(next.delete.length);
            const gone = new Set(next.delete);
            live = [
              ...live.filter((one) => !gone.has(one)),
              ...next.create.map((one) => aDaemon(set, one.node, { name: name(), hash: next.hash })),
            ].map((one) => (one.status?.phase === "Failed" ? one : { ...one, status: aDaemon(set, "any").status }));
          }
          const wanted = given.flatMap(({ taint }, index) => (taint === undefined ? [`node-${index + 1}`] : []));
          const standing = live.filter(({ metadata }) => metadata.labels?.["controller-revision-hash"] === "two");
          for (const one of wanted) {
            expect(standing.filter(({ spec }) => JSON.stringify(spec.affinity).includes(one))).toHaveLength(1);
          }
          const rest = plan(set, { pods: live, nodes, revisions });
          expect([rest.create, rest.delete]).toEqual([[], []]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
