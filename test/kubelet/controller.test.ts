import { describe, expect, it } from "vitest";
import * as kinds from "../../shared/api/kinds.ts";
import { keyOf } from "../../shared/api/objects.ts";
import { bareEcs } from "../../shared/kubelet/engine-features.ts";
import { readRecord } from "../../shared/kubelet/record.ts";
import { EngineRefusedError, EngineThrottledError } from "../../shared/kubelet/task-engine.ts";
import { conditionOf, glance, kubeletWorld } from "../support/kubelet-world.ts";

const uid = (world: ReturnType<typeof kubeletWorld>, name = "pod-1") => world.get(name)?.metadata.uid ?? "";

async function started() {
  const world = kubeletWorld();
  await world.node();
  await world.pod();
  await world.run();
  return world;
}

async function running() {
  const world = await started();
  world.engine.run(uid(world));
  await world.run();
  return world;
}

describe("a bound Pod", () => {
  it("becomes a task on exactly its Node", async () => {
    const world = await started();
    expect(world.engine.starts).toEqual([
      {
        cluster: "binnacle-default",
        containerInstances: [expect.stringContaining("/node-1")],
        taskDefinition: expect.stringContaining("task-definition/binnacle-binnacle-"),
        startedBy: uid(world),
        networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-a"], securityGroups: ["sg-pod"] } },
        tags: [
          { key: "binnacle", value: "binnacle" },
          { key: "binnacle.dev/namespace", value: "default" },
          { key: "binnacle.dev/name", value: "pod-1" },
        ],
      },
    ]);
    expect(glance(world.get())).toBe("Pending, app ContainerCreating");
    expect(conditionOf(world.get(), "PodScheduled")?.status).toBe("True");
    expect(world.get()?.status).toMatchObject({
      hostIP: "10.0.0.11",
      startTime: "2026-01-01T00:00:00Z",
      qosClass: "BestEffort",
      observedGeneration: 1,
    });
  });

  it("runs when its task does", async () => {
    const world = await running();
    const pod = world.get();
    expect(glance(pod)).toBe("Running, app running");
    expect(pod?.status).toMatchObject({ podIP: "10.0.1.7", podIPs: [{ ip: "10.0.1.7" }] });
    expect(pod?.status?.containerStatuses?.[0]).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      containerID: expect.stringMatching(/^ecs:\/\/[0-9]{32}\/app$/),
      imageID: "example/app@sha256:abc",
    });
    for (const type of ["PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"])
      expect(conditionOf(pod, type)?.status).toBe("True");
    expect(world.reasons()).toEqual(["Pulled", "Created", "Started"]);
  });

  it("shares its task definition with all Pods of its template", async () => {
    const world = kubeletWorld();
    await world.node();
    for (const name of ["a", "b", "c"]) await world.pod({ name });
    await world.run();
    expect(world.engine.starts).toHaveLength(3);
    expect(world.engine.calls.filter((call) => call === "registerTaskDefinition")).toHaveLength(1);
  });

  it("does not make another definition in another process", async () => {
    const world = await started();
    world.crash();
    await world.pod({ name: "pod-2" });
    await world.run();
    expect(world.engine.starts).toHaveLength(2);
    expect(world.engine.calls.filter((call) => call === "registerTaskDefinition")).toHaveLength(1);
  });

  it("costs nothing more once it runs", async () => {
    const world = await running();
    const [calls, writes] = [world.engine.calls.length, world.api.writes.length];
    await world.after(60_000);
    await world.run();
    expect(world.engine.calls).toHaveLength(calls);
    expect(world.api.writes).toHaveLength(writes);
  });
});

describe("trap 31: Nodes and fields of others", () => {
  it("leaves Pods on Nodes alone that are not container instances of ours", async () => {
    const world = kubeletWorld();
    await world.node({ ours: false });
    const pod = await world.pod();
    await world.run();
    await world.api.client.delete(kinds.pods, keyOf(pod));
    await world.run();
    expect(world.engine.starts).toEqual([]);
    expect(world.get()?.status).toEqual({ phase: "Pending" });
    expect(world.get()?.metadata.deletionTimestamp).toBeDefined();
  });

  it("keeps conditions that others set", async () => {
    const world = await started();
    const mine = { type: "example.com/Checked", status: "True" };
    await world.api.client.modify(
      kinds.pods,
      { namespace: "default", name: "pod-1" },
      (pod) => ({ ...pod, status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), mine] } }),
      { subresource: "status" },
    );
    world.engine.run(uid(world));
    await world.run();
    expect(conditionOf(world.get(), "example.com/Checked")).toEqual(mine);
  });

  it("never undoes a final phase", async () => {
    const world = await running();
    await world.api.client.modify(
      kinds.pods,
      { namespace: "default", name: "pod-1" },
      (pod) => ({ ...pod, status: { ...pod.status, phase: "Failed", reason: "Evicted" } }),
      { subresource: "status" },
    );
    await world.run();
    expect(world.engine.taskOf(uid(world)).desiredStatus).toBe("STOPPED");
    world.engine.stop(uid(world), { app: 0 });
    await world.run();
    expect(world.get()?.status).toMatchObject({ phase: "Failed", reason: "Evicted" });
    expect(glance(world.get())).toBe("Failed, app Completed 0");
  });
});

describe("trap 30: who ends a Pod", () => {
  it("stops the task first, and lets the object go when it has stopped", async () => {
    const world = await running();
    const id = uid(world);
    await world.api.client.delete(kinds.pods, { namespace: "default", name: "pod-1" });
    await world.run();
    expect(world.engine.taskOf(id).desiredStatus).toBe("STOPPED");
    expect(world.said.at(-1)).toEqual({ type: "Normal", reason: "Killing", message: "Stopping container app" });
    expect(world.get()).toBeDefined();
    world.engine.stop(id, { app: 143 });
    await world.run();
    expect(world.get()).toBeUndefined();
    expect(world.engine.calls.filter((call) => call === "stopTask")).toHaveLength(1);
  });

  it("lets a Pod go at once that was never started", async () => {
    const world = kubeletWorld();
    await world.node();
    const pod = await world.pod({ spec: { hostNetwork: true } });
    await world.run();
    await world.api.client.delete(kinds.pods, keyOf(pod));
    await world.run();
    expect(world.get()).toBeUndefined();
    expect(world.engine.starts).toEqual([]);
  });

  it("stops the task of a Pod that was deleted by force", async () => {
    const world = await running();
    const id = uid(world);
    await world.api.client.delete(kinds.pods, { namespace: "default", name: "pod-1" }, { gracePeriodSeconds: 0 });
    await world.run();
    expect(world.engine.taskOf(id).desiredStatus).toBe("STOPPED");
  });

  it("stops it at the next sweep, if nobody was there to see the deletion", async () => {
    const world = await running();
    const id = uid(world);
    await world.api.client.delete(kinds.pods, { namespace: "default", name: "pod-1" }, { gracePeriodSeconds: 0 });
    world.crash();
    await world.run({ sweep: true });
    expect(world.engine.taskOf(id).desiredStatus).toBe("STOPPED");
  });

  it("leaves tasks alone that others started in the cluster", async () => {
    const world = kubeletWorld();
    await world.engine.startTask({
      cluster: "binnacle-default",
      containerInstances: ["x"],
      taskDefinition: "somebody:1",
      startedBy: "somebody",
    });
    await world.run({ sweep: true });
    expect(world.engine.taskOf("somebody").desiredStatus).toBe("RUNNING");
  });

  it("waits for the finalizers of others", async () => {
    const world = kubeletWorld();
    await world.node();
    const pod = await world.pod({ metadata: { finalizers: ["example.com/wait"] } });
    await world.run();
    await world.api.client.delete(kinds.pods, keyOf(pod));
    await world.run();
    world.engine.stop(uid(world), { app: 0 });
    await world.run();
    expect(world.get()?.metadata.deletionGracePeriodSeconds).toBe(0);
    const writes = world.api.writes.length;
    await world.after(60_000);
    await world.run({ sweep: true });
    expect(world.api.writes).toHaveLength(writes);
  });

  it("says what the containers get when the deletion asks for another time", async () => {
    const world = await running();
    await world.api.client.delete(kinds.pods, { namespace: "default", name: "pod-1" }, { gracePeriodSeconds: 5 });
    await world.run();
    expect(world.said.find(({ reason }) => reason === "GracePeriodNotHonoured")?.message).toContain("get 30s to stop, not 5s");
  });
});

describe("starting exactly once", () => {
  it("asks Amazon ECS for the task before it asks for another, when the answer was lost", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    world.engine.failNext("startTask", new Error("socket hang up"), { done: true });
    await world.run();
    expect(readRecord(world.get() ?? {})?.state).toBe("Requested");
    await world.after(20_000);
    expect(world.engine.starts).toHaveLength(1);
    expect(readRecord(world.get() ?? {})).toMatchObject({ state: "Started", attempt: 1 });
  });

  it("asks again when the request never arrived", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    world.engine.failNext("startTask", new Error("connection refused"));
    await world.run();
    await world.after(20_000);
    expect(world.engine.starts).toHaveLength(1);
    expect(readRecord(world.get() ?? {})).toMatchObject({ state: "Started", attempt: 1 });
  });

  it("adopts the task after a crash between the request and its answer", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    world.engine.failNext("startTask", new Error("killed"), { done: true });
    await world.run();
    world.crash();
    world.engine.run(uid(world));
    await world.run();
    expect(world.engine.starts).toHaveLength(1);
    expect(glance(world.get())).toBe("Running, app running");
  });

  it("does not start a task when somebody else claimed the Pod first", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    let once = true;
    world.api.intercept(async ({ verb, kind }) => {
      if (verb !== "update/status" || kind.plural !== "pods" || !once) return;
      once = false;
      const condition = {
        type: "binnacle.dev/Task",
        status: "Unknown",
        reason: "Requested",
        message: "attempt 1, back-off 0s",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      };
      await world.api.client.modify(
        kinds.pods,
        { namespace: "default", name: "pod-1" },
        (pod) => ({ ...pod, status: { ...pod.status, conditions: [condition] } }),
        { subresource: "status" },
      );
    });
    await world.run();
    expect(world.engine.starts).toEqual([]);
  });

  it("finds a running Pod's task again after a crash, from its record", async () => {
    const world = await running();
    world.crash();
    world.engine.onChange = () => {};
    world.engine.stop(uid(world), { app: 1 });
    await world.run();
    expect(world.get()?.status?.containerStatuses?.[0]).toMatchObject({ lastState: { terminated: { exitCode: 1 } } });
  });

  it("finds the task of a Pod whose record somebody removed", async () => {
    const world = await running();
    await world.api.client.modify(
      kinds.pods,
      { namespace: "default", name: "pod-1" },
      (pod) => ({ ...pod, status: { ...pod.status, conditions: [] } }),
      { subresource: "status" },
    );
    await world.run({ sweep: true });
    expect(world.engine.starts).toHaveLength(1);
    expect(conditionOf(world.get(), "Ready")?.status).toBe("True");
  });

  it("waits for its turn when it is throttled", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    world.engine.failNext("startTask", new EngineThrottledError("Rate exceeded"));
    const turn = world.run();
    await world.clock.advance(1_000);
    await turn;
    expect(world.engine.starts).toHaveLength(1);
    expect(readRecord(world.get() ?? {})?.state).toBe("Started");
  });
});

describe("a Pod whose task cannot be started", () => {
  it("is tried again later when Amazon ECS has no room, and given up when that lasts", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    for (let attempt = 0; attempt < 5; attempt++) world.engine.refuseNext("RESOURCE:MEMORY");
    await world.run();
    expect(glance(world.get())).toBe("Pending, app ContainerCreating");
    expect(world.said[0]).toEqual({
      type: "Warning",
      reason: "FailedCreatePodSandBox",
      message: "Failed to create pod sandbox: Amazon ECS: RESOURCE:MEMORY",
    });
    for (const seconds of [10, 20, 40, 80]) await world.after(seconds * 1_000);
    expect(world.get()?.status).toMatchObject({ phase: "Failed", reason: "OutOfmemory" });
    expect(world.engine.starts).toHaveLength(5);
  });

  it("waits with the field that is not supported as its reason", async () => {
    const world = kubeletWorld({ features: bareEcs });
    await world.node();
    await world.pod({ spec: { hostNetwork: true } });
    await world.run();
    expect(glance(world.get())).toBe("Pending, app Unsupported");
    expect(world.get()?.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain("spec.hostNetwork: ");
    expect(world.said).toMatchObject([{ type: "Warning", reason: "Unsupported", message: expect.stringContaining("spec.hostNetwork") }]);
    await world.after(600_000);
    expect(world.said).toHaveLength(1);
  });

  it("waits with Amazon ECS' own words when its definition is refused", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod();
    world.engine.failNext("registerTaskDefinition", new EngineRefusedError("Container.image should not be null or empty."));
    await world.run();
    expect(world.get()?.status?.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: "Unsupported",
      message: "spec: Container.image should not be null or empty.",
    });
  });

  it("waits for a ConfigMap and starts when it is there", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod({ spec: { containers: [{ name: "app", image: "x", envFrom: [{ configMapRef: { name: "settings" } }] }] } });
    await world.run();
    expect(glance(world.get())).toBe("Pending, app CreateContainerConfigError");
    expect(world.said).toContainEqual({ type: "Warning", reason: "Failed", message: 'Error: configmap "settings" not found' });
    await world.api.client.create(kinds.configMaps, { metadata: { name: "settings", namespace: "default" }, data: { A: "1" } });
    await world.after(5_000);
    expect(world.engine.starts).toHaveLength(1);
    expect(glance(world.get())).toBe("Pending, app ContainerCreating");
  });

  it("is named what its fields are not honoured for, once", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod({ spec: { securityContext: { fsGroup: 2000 } } });
    await world.run();
    expect(world.said).toMatchObject([
      { type: "Warning", reason: "NotHonoured", message: expect.stringContaining("spec.securityContext.fsGroup") },
    ]);
  });
});

describe("kubelet admission of Pods that somebody else bound", () => {
  it.each([
    {
      name: "more CPU than is left",
      given: { requests: { cpu: "2500m" } },
      reason: "OutOfcpu",
      message: "Node didn't have enough resource: cpu, requested: 2500, used: 0, capacity: 2000",
    },
    {
      name: "another Node by its labels",
      given: { spec: { nodeSelector: { disk: "fast" } } },
      reason: "NodeAffinity",
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    },
  ])("fails a Pod that needs $name", async ({ given, reason, message }) => {
    const world = kubeletWorld();
    await world.node();
    await world.pod(given);
    await world.run();
    expect(world.get()?.status).toMatchObject({ phase: "Failed", reason, message: `Pod was rejected: ${message}` });
    expect(world.said).toEqual([{ type: "Warning", reason, message }]);
    expect(world.engine.starts).toEqual([]);
  });

  it("fails a Pod that does not tolerate that others are evicted there", async () => {
    const world = kubeletWorld();
    await world.node({ taints: [{ key: "gone", effect: "NoExecute" }] });
    await world.pod();
    await world.run();
    expect(world.get()?.status?.reason).toBe("TaintToleration");
  });

  it("takes those that came first, when not all fit", async () => {
    const world = kubeletWorld();
    await world.node();
    for (const name of ["a", "b", "c"]) await world.pod({ name, requests: { cpu: "900m" } });
    await world.run();
    expect(["a", "b", "c"].map((name) => world.get(name)?.status?.reason)).toEqual([undefined, undefined, "OutOfcpu"]);
  });
});

async function ended(restartPolicy: string, code: number) {
  const world = kubeletWorld();
  await world.node();
  await world.pod({ spec: { restartPolicy } });
  await world.run();
  world.engine.run(uid(world));
  await world.run();
  world.engine.stop(uid(world), { app: code });
  await world.run();
  return world;
}

describe("a Pod that ends", () => {
  it.each([
    { policy: "Never", code: 0, glance: "Succeeded, app Completed 0" },
    { policy: "Never", code: 3, glance: "Failed, app Error 3" },
    { policy: "OnFailure", code: 0, glance: "Succeeded, app Completed 0" },
  ])("is done with restartPolicy $policy and exit code $code", async ({ policy, code, glance: expected }) => {
    const world = await ended(policy, code);
    expect(glance(world.get())).toBe(expected);
    expect(conditionOf(world.get(), "Ready")).toMatchObject({ status: "False", reason: code === 0 ? "PodCompleted" : "PodFailed" });
    await world.after(600_000);
    expect(world.engine.starts).toHaveLength(1);
  });

  it("is started again at once after its first failure, then later and later", async () => {
    const world = await ended("Always", 1);
    expect(world.engine.starts).toHaveLength(2);
    expect(world.get()?.status?.containerStatuses?.[0]).toMatchObject({
      state: { waiting: { reason: "ContainerCreating" } },
      lastState: { terminated: { exitCode: 1 } },
    });

    for (const [index, seconds] of [10, 20, 40].entries()) {
      world.engine.run(uid(world));
      await world.run();
      expect(glance(world.get())).toBe(`Running, app running (${index + 1})`);
      world.engine.stop(uid(world), { app: 1 });
      await world.run();
      expect(glance(world.get())).toBe(`Running, app Error 1 (${index + 1})`);
      await world.after(1_000);
      expect(glance(world.get())).toBe(`Running, app CrashLoopBackOff (${index + 1})`);
      expect(world.get()?.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
        `back-off ${seconds}s restarting failed container=app pod=pod-1_default(${uid(world)})`,
      );
      await world.after((seconds - 2) * 1_000);
      expect(world.engine.starts).toHaveLength(index + 2);
      await world.after(1_000);
      expect(world.engine.starts).toHaveLength(index + 3);
    }
    expect(world.said).toContainEqual({
      type: "Warning",
      reason: "BackOff",
      message: `Back-off restarting failed container app in pod pod-1_default(${uid(world)})`,
    });
  });

  it("forgets its failures after ten minutes of running", async () => {
    const world = await ended("Always", 1);
    world.engine.run(uid(world));
    await world.run();
    await world.after(600_000);
    world.engine.stop(uid(world), { app: 1 });
    await world.run();
    expect(world.engine.starts).toHaveLength(3);
  });

  it("goes on after a crash where its back-off stood", async () => {
    const world = await ended("Always", 1);
    world.engine.run(uid(world));
    await world.run();
    world.engine.stop(uid(world), { app: 1 });
    await world.run();
    world.crash();
    await world.after(9_000);
    expect(world.engine.starts).toHaveLength(2);
    await world.after(1_000);
    expect(world.engine.starts).toHaveLength(3);
  });

  it("says that memory ran out", async () => {
    const world = await running();
    const task = world.engine.taskOf(uid(world));
    world.engine.stop(
      uid(world),
      { app: 137 },
      {
        containers: task.containers.map((container) => ({
          ...container,
          lastStatus: "STOPPED",
          exitCode: 137,
          reason: "OutOfMemoryError: Container killed due to memory usage",
        })),
      },
    );
    await world.run();
    expect(world.get()?.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  it("fails when its machine does, so that its controller replaces it elsewhere", async () => {
    const world = await running();
    world.engine.stop(uid(world), {}, { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." });
    await world.run();
    expect(world.get()?.status).toMatchObject({ phase: "Failed", reason: "Terminated" });
  });

  it("is believed to be gone when Amazon ECS does not know its task for five minutes", async () => {
    const world = await running();
    world.engine.tasks.clear();
    world.crash();
    await world.run();
    expect(glance(world.get())).toBe("Running, app running");
    await world.after(300_000);
    expect(world.get()?.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: "ContainerStatusUnknown",
    });
    expect(world.engine.starts).toHaveLength(2);
  });

  it("fails when its deadline passes", async () => {
    const world = kubeletWorld();
    await world.node();
    await world.pod({ spec: { activeDeadlineSeconds: 100 } });
    await world.run();
    world.engine.run(uid(world));
    await world.run();
    await world.after(100_000);
    expect(world.get()?.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
    expect(world.engine.taskOf(uid(world)).desiredStatus).toBe("STOPPED");
    world.engine.stop(uid(world), { app: 143 });
    await world.run();
    expect(glance(world.get())).toBe("Failed, app Error 143");
  });
});

describe("an image that cannot be pulled", () => {
  it("is reported and tried again", async () => {
    const world = await started();
    const reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found";
    const stop = () => world.engine.stop(uid(world), { app: reason }, { stopCode: "TaskFailedToStart", stoppedReason: reason });
    stop();
    await world.run();
    expect(world.get()?.status?.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: "ErrImagePull",
      message: "pull image manifest has been retried 5 time(s): not found",
    });
    await world.after(1_000);
    expect(glance(world.get())).toBe("Pending, app ImagePullBackOff");
    expect(world.get()?.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain(
      'Back-off pulling image "example/app:1": ErrImagePull: ',
    );
    await world.after(9_000);
    expect(world.engine.starts).toHaveLength(2);
    stop();
    await world.run();
    await world.after(19_000);
    expect(world.engine.starts).toHaveLength(2);
    await world.after(1_000);
    expect(world.engine.starts).toHaveLength(3);
    world.engine.run(uid(world));
    await world.run();
    expect(glance(world.get())).toBe("Running, app running");
  });
});

async function initWorld(restartPolicy = "Always") {
  const made = kubeletWorld();
  await made.node();
  await made.pod({ spec: { restartPolicy, initContainers: [{ name: "init", image: "x" }] } });
  await made.run();
  return made;
}

describe("init containers", () => {
  it("are shown until they are done", async () => {
    const made = await initWorld();
    expect(glance(made.get())).toBe("Pending, init PodInitializing, app PodInitializing");
    made.engine.run(uid(made), ["init"]);
    await made.run();
    expect(glance(made.get())).toBe("Pending, init running, app PodInitializing");
    expect(conditionOf(made.get(), "Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [init]",
    });
    const task = made.engine.taskOf(uid(made));
    made.engine.change(task.taskArn, {
      containers: task.containers.map((container) =>
        container.name === "init"
          ? { ...container, lastStatus: "STOPPED", exitCode: 0 }
          : { ...container, lastStatus: "RUNNING", runtimeId: "r" },
      ),
    });
    await made.run();
    expect(glance(made.get())).toBe("Running, init Completed 0, app running");
    expect(conditionOf(made.get(), "Ready")?.status).toBe("True");
  });

  it("that fail are tried again with the Pod's task", async () => {
    const made = await initWorld();
    made.engine.run(uid(made), ["init"]);
    await made.run();
    made.engine.stop(uid(made), { init: 2 });
    await made.run();
    expect(made.engine.starts).toHaveLength(2);
    expect(glance(made.get())).toBe("Pending, init PodInitializing, app PodInitializing");
    made.engine.run(uid(made), ["init"]);
    await made.run();
    made.engine.stop(uid(made), { init: 2 });
    await made.run();
    await made.after(1_000);
    expect(glance(made.get())).toBe("Pending, init CrashLoopBackOff (1), app PodInitializing");
  });

  it("that fail end a Pod that is never restarted", async () => {
    const made = await initWorld("Never");
    made.engine.run(uid(made), ["init"]);
    await made.run();
    made.engine.stop(uid(made), { init: 2 });
    await made.run();
    expect(glance(made.get())).toBe("Failed, init Error 2, app PodInitializing");
  });
});

async function probed() {
  const world = kubeletWorld();
  await world.node();
  await world.pod({ spec: { containers: [{ name: "app", image: "x", readinessProbe: { tcpSocket: { port: 80 } } }] } });
  await world.run();
  world.engine.run(uid(world));
  await world.run();
  return world;
}

describe("probe reports", () => {
  it("decide when a container is ready", async () => {
    const world = await probed();
    expect(conditionOf(world.get(), "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [app]",
    });
    const { taskArn } = world.engine.taskOf(uid(world));
    world.report(taskArn, 1, [{ name: "app", started: true, ready: true }]);
    await world.run();
    expect(conditionOf(world.get(), "Ready")?.status).toBe("True");
    world.report(taskArn, 2, [
      { name: "app", started: true, ready: false, failing: "Readiness", message: "dial tcp 10.0.1.7:80: connect: connection refused" },
    ]);
    await world.run();
    expect(conditionOf(world.get(), "Ready")?.status).toBe("False");
    expect(world.said.at(-1)).toEqual({
      type: "Warning",
      reason: "Unhealthy",
      message: "Readiness probe failed: dial tcp 10.0.1.7:80: connect: connection refused",
    });
  });

  it("that are late do not count", async () => {
    const world = await probed();
    const { taskArn } = world.engine.taskOf(uid(world));
    world.report(taskArn, 5, [{ name: "app", started: true, ready: true }]);
    await world.run();
    world.report(taskArn, 4, [{ name: "app", started: true, ready: false }]);
    await world.run();
    expect(conditionOf(world.get(), "Ready")?.status).toBe("True");
  });

  it("still count after a crash", async () => {
    const world = await probed();
    world.report(world.engine.taskOf(uid(world)).taskArn, 1, [{ name: "app", started: true, ready: true }]);
    await world.run();
    world.crash();
    await world.run({ sweep: true });
    expect(conditionOf(world.get(), "Ready")?.status).toBe("True");
  });
});

describe("events", () => {
  it("out of order do not turn the clock back", async () => {
    const world = await started();
    const early = world.engine.taskOf(uid(world));
    world.engine.run(uid(world));
    await world.run();
    world.deliver("aws.ecs", "ECS Task State Change", early);
    await world.run();
    expect(glance(world.get())).toBe("Running, app running");
  });

  it("that are lost are made up for by asking", async () => {
    const world = await started();
    world.engine.onChange = () => {};
    world.engine.run(uid(world));
    await world.run();
    expect(glance(world.get())).toBe("Pending, app ContainerCreating");
    await world.run({ sweep: true });
    expect(glance(world.get())).toBe("Running, app running");
  });

  it("leave nothing in the inbox once dealt with", async () => {
    const world = await running();
    expect(await world.inbox.all("default")).toEqual([]);
  });

  it("of many Pods are dealt with together", async () => {
    const world = kubeletWorld();
    await world.node({ allocatable: { pods: "100" } });
    const names = Array.from({ length: 30 }, (_, index) => `pod-${index}`);
    for (const name of names) await world.pod({ name });
    await world.run();
    for (const name of names) world.engine.run(uid(world, name));
    const before = world.engine.calls.length;
    await world.run();
    expect(names.map((name) => world.get(name)?.status?.phase)).toEqual(names.map(() => "Running"));
    expect(world.engine.calls).toHaveLength(before);
  });
});
