import { describe, expect, it } from "vitest";
import type { Container, ContainerStatus, Pod } from "../../shared/api/generated/types.ts";
import type { ProbeReport } from "../../shared/kubelet/probes.ts";
import { qosClass } from "../../shared/kubelet/qos.ts";
import { readRecord, recordCondition, type TaskRecord } from "../../shared/kubelet/record.ts";
import { afterStop, durationText, longer } from "../../shared/kubelet/restarts.ts";
import { podStatus, type StatusInput } from "../../shared/kubelet/status.ts";
import type { Task, TaskContainer, TaskStatus } from "../../shared/kubelet/task-engine.ts";
import { conditionOf, glance } from "../support/kubelet-world.ts";
import { aWorkPod } from "../support/nodes.ts";

const now = new Date("2026-01-01T00:10:00Z");
const taskArn = "arn:aws:ecs:eu-west-1:111122223333:task/binnacle-default/t1";
const record: TaskRecord = { state: "Started", attempt: 1, backOffSeconds: 0, taskArn, since: new Date("2026-01-01T00:00:00Z") };

const aTask = (lastStatus: TaskStatus, containers: readonly Partial<TaskContainer>[], given: Partial<Task> = {}): Task => ({
  taskArn,
  clusterArn: "c",
  taskDefinitionArn: "d",
  lastStatus,
  desiredStatus: lastStatus === "STOPPED" ? "STOPPED" : "RUNNING",
  version: 1,
  containers: containers.map((container) => ({
    containerArn: "x",
    name: "app",
    image: "example/app:1",
    lastStatus: "PENDING",
    ...container,
  })),
  attachments: [{ id: "e", type: "eni", status: "ATTACHED", details: [{ name: "privateIPv4Address", value: "10.0.1.7" }] }],
  startedAt: new Date("2026-01-01T00:00:30Z"),
  ...(lastStatus === "STOPPED" && { stoppedAt: new Date("2026-01-01T00:05:00Z") }),
  ...given,
});

const shown = (pod: Pod, task: Task | undefined, rest: Partial<StatusInput> = {}): Pod => ({
  ...pod,
  status: podStatus({ pod, record, task, report: undefined, hostIp: "10.0.0.11", ending: false, now, ...rest }),
});

const ended = (exitCode: number, reason?: string): Partial<TaskContainer> => ({
  lastStatus: "STOPPED",
  runtimeId: "r",
  exitCode,
  ...(reason && { reason }),
});

describe("a task's state as the status of its Pod", () => {
  const ran = { runtimeId: "r", lastStatus: "RUNNING" as const };
  const yes = "True";
  const no = "False";
  it.each<{ task: Task | undefined; policy?: string; glance: string; network: string; ready: string }>([
    { task: undefined, glance: "Pending, app ContainerCreating", network: no, ready: no },
    { task: aTask("PROVISIONING", [{}], { attachments: [] }), glance: "Pending, app ContainerCreating", network: no, ready: no },
    { task: aTask("PENDING", [{}]), glance: "Pending, app ContainerCreating", network: yes, ready: no },
    { task: aTask("ACTIVATING", [ran]), glance: "Running, app running", network: yes, ready: yes },
    { task: aTask("RUNNING", [ran]), glance: "Running, app running", network: yes, ready: yes },
    { task: aTask("DEACTIVATING", [ran], { desiredStatus: "STOPPED" }), glance: "Running, app running", network: yes, ready: yes },
    { task: aTask("STOPPING", [ran], { desiredStatus: "STOPPED" }), glance: "Running, app running", network: yes, ready: yes },
    { task: aTask("STOPPING", [ended(143)]), glance: "Running, app Error 143", network: yes, ready: no },
    { task: aTask("DEPROVISIONING", [ended(0)]), glance: "Running, app Completed 0", network: no, ready: no },
    { task: aTask("STOPPED", [ended(0)], {}), glance: "Running, app Completed 0", network: no, ready: no },
    { task: aTask("STOPPED", [ended(0)]), policy: "Never", glance: "Succeeded, app Completed 0", network: no, ready: no },
    { task: aTask("STOPPED", [ended(0)]), policy: "OnFailure", glance: "Succeeded, app Completed 0", network: no, ready: no },
    { task: aTask("STOPPED", [ended(1)]), policy: "OnFailure", glance: "Running, app Error 1", network: no, ready: no },
    { task: aTask("STOPPED", [ended(1)]), policy: "Never", glance: "Failed, app Error 1", network: no, ready: no },
    {
      task: aTask("STOPPED", [ended(137, "OutOfMemoryError: Container killed due to memory usage")]),
      policy: "Never",
      glance: "Failed, app OOMKilled 137",
      network: no,
      ready: no,
    },
    {
      task: aTask("STOPPED", [{ lastStatus: "STOPPED", runtimeId: "r" }]),
      policy: "Never",
      glance: "Failed, app ContainerStatusUnknown 137",
      network: no,
      ready: no,
    },
    {
      task: aTask("STOPPED", [{ lastStatus: "STOPPED", reason: "CannotPullContainerError: no" }]),
      policy: "Never",
      glance: "Pending, app ErrImagePull",
      network: no,
      ready: no,
    },
    {
      task: aTask("STOPPED", [{ lastStatus: "STOPPED", reason: "CannotCreateContainerError: no" }]),
      glance: "Pending, app CreateContainerError",
      network: no,
      ready: no,
    },
    {
      task: aTask("STOPPED", [{ lastStatus: "STOPPED", reason: 'CannotStartContainerError: exec: "x": not found' }]),
      policy: "Never",
      glance: "Failed, app StartError 128",
      network: no,
      ready: no,
    },
    { task: aTask("STOPPED", [{ lastStatus: "STOPPED" }]), glance: "Pending, app ContainerCreating", network: no, ready: no },
  ])("$task.lastStatus, $policy: $glance", ({ task, policy = "Always", glance: expected, network, ready }) => {
    const pod = shown(aWorkPod({ spec: { restartPolicy: policy } }), task);
    expect(glance(pod)).toBe(expected);
    expect(conditionOf(pod, "PodReadyToStartContainers")?.status).toBe(network);
    expect(conditionOf(pod, "Ready")?.status).toBe(ready);
    expect(conditionOf(pod, "ContainersReady")?.status).toBe(ready);
  });

  it("keeps when a container started, as far as it was seen", () => {
    const pod = shown(aWorkPod({ spec: { restartPolicy: "Never" } }), aTask("RUNNING", [ran]));
    const later = shown(pod, aTask("STOPPED", [ended(3)]));
    expect(later.status?.containerStatuses?.[0]?.state?.terminated).toEqual({
      exitCode: 3,
      reason: "Error",
      startedAt: "2026-01-01T00:00:30Z",
      finishedAt: "2026-01-01T00:05:00Z",
      containerID: "ecs://t1/app",
    });
  });

  it("moves lastTransitionTime only with a condition's status", () => {
    const pod = shown(aWorkPod(), aTask("PENDING", [{}]));
    const later = shown(pod, aTask("RUNNING", [ran]), { now: new Date("2026-01-01T00:20:00Z") });
    expect(conditionOf(later, "PodScheduled")?.lastTransitionTime).toBe("2026-01-01T00:10:00Z");
    expect(conditionOf(later, "Ready")?.lastTransitionTime).toBe("2026-01-01T00:20:00Z");
  });

  it("is the same for the same task", () => {
    const pod = shown(aWorkPod(), aTask("RUNNING", [ran]));
    expect(shown(pod, aTask("RUNNING", [ran]), { now: new Date("2026-01-01T09:00:00Z") }).status).toEqual(pod.status);
  });

  it("counts a restart when the container of another task has run", () => {
    const first = shown(aWorkPod(), aTask("STOPPED", [ended(1)]));
    const pending = shown(first, aTask("PENDING", [{}], { taskArn: taskArn.replace("t1", "t2") }));
    expect(glance(pending)).toBe("Running, app ContainerCreating");
    expect(pending.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(1);
    const second = shown(pending, aTask("RUNNING", [ran], { taskArn: taskArn.replace("t1", "t2") }));
    expect(glance(second)).toBe("Running, app running (1)");
    expect(second.status?.containerStatuses?.[0]).toMatchObject({
      containerID: "ecs://t2/app",
      lastState: { terminated: { exitCode: 1, containerID: "ecs://t1/app" } },
    });
  });

  it("waits for readiness gates", () => {
    const pod = aWorkPod({ spec: { readinessGates: [{ conditionType: "example.com/lb" }] } });
    const waiting = shown(pod, aTask("RUNNING", [ran]));
    expect(conditionOf(waiting, "ContainersReady")?.status).toBe("True");
    expect(conditionOf(waiting, "Ready")).toMatchObject({
      status: "False",
      reason: "ReadinessGatesNotReady",
      message: 'corresponding condition of pod readiness gate "example.com/lb" does not exist.',
    });
    const conditions = [...(waiting.status?.conditions ?? []), { type: "example.com/lb", status: "True" }];
    expect(conditionOf(shown({ ...waiting, status: { ...waiting.status, conditions } }, aTask("RUNNING", [ran])), "Ready")?.status).toBe(
      "True",
    );
  });

  it("has both addresses of a dual-stack task", () => {
    const details = [
      { name: "privateIPv4Address", value: "10.0.1.7" },
      { name: "iPv6Address", value: "2001:db8::7" },
    ];
    const pod = shown(aWorkPod(), aTask("RUNNING", [ran], { attachments: [{ id: "e", type: "eni", status: "ATTACHED", details }] }));
    expect(pod.status?.podIPs).toEqual([{ ip: "10.0.1.7" }, { ip: "2001:db8::7" }]);
  });
});

const reportOf = (started: boolean, ready: boolean, arn = taskArn): ProbeReport => ({
  taskArn: arn,
  clusterArn: "c",
  version: 1,
  containers: [{ name: "app", started, ready }],
});

describe("probes", () => {
  const container: Container = {
    name: "app",
    image: "x",
    startupProbe: { tcpSocket: { port: 1 } },
    readinessProbe: { tcpSocket: { port: 1 } },
  };
  const pod = aWorkPod({ spec: { containers: [container] } });
  const runningTask = aTask("RUNNING", [{ runtimeId: "r", lastStatus: "RUNNING" }]);
  it.each([
    { name: "nothing is known yet", report: undefined, started: false, ready: false },
    { name: "it starts up", report: reportOf(false, false), started: false, ready: false },
    { name: "it has started", report: reportOf(true, false), started: true, ready: false },
    { name: "it is ready", report: reportOf(true, true), started: true, ready: true },
    { name: "only an earlier task was ready", report: reportOf(true, true, "arn:x/t0"), started: false, ready: false },
  ])("while $name", ({ report, started, ready }) => {
    expect(shown(pod, runningTask, { report }).status?.containerStatuses?.[0]).toMatchObject({ started, ready });
  });
});

const both = (proxy: Partial<TaskContainer>, app: Partial<TaskContainer>) =>
  aTask("RUNNING", [
    { name: "proxy", ...proxy },
    { name: "app", ...app },
  ]);

describe("sidecars", () => {
  const pod = aWorkPod({
    spec: {
      restartPolicy: "Never",
      initContainers: [{ name: "proxy", image: "x", restartPolicy: "Always" }],
      containers: [{ name: "app", image: "x" }],
    },
  });
  const ran = { runtimeId: "r", lastStatus: "RUNNING" as const };

  it("initialise the Pod when they have started", () => {
    expect(conditionOf(shown(pod, both({}, {})), "Initialized")?.status).toBe("False");
    const started = shown(pod, both(ran, {}));
    expect(conditionOf(started, "Initialized")?.status).toBe("True");
    expect(glance(started)).toBe("Pending, proxy running, app PodInitializing");
  });

  it("do not decide how the Pod ends", () => {
    const ended = shown(
      pod,
      aTask("STOPPED", [
        { name: "proxy", lastStatus: "STOPPED", exitCode: 143, runtimeId: "r" },
        { name: "app", lastStatus: "STOPPED", exitCode: 0, runtimeId: "r" },
      ]),
    );
    expect(ended.status?.phase).toBe("Succeeded");
  });
});

const status = (state: ContainerStatus["state"]) => ({
  containerStatuses: [{ name: "app", image: "", imageID: "", ready: false, restartCount: 0, ...(state && { state }) }],
});

describe("what follows when a task has stopped", () => {
  const endedAt = new Date("2026-01-01T00:00:00Z");
  const crash = (exitCode: number, ranSeconds = 1) =>
    status({
      terminated: {
        exitCode,
        startedAt: "2026-01-01T00:00:00Z",
        finishedAt: new Date(Date.UTC(2026, 0, 1) + ranSeconds * 1_000).toISOString(),
      },
    });
  const decide = (policy: string, of: ReturnType<typeof status>, given: Partial<TaskRecord> = {}) =>
    afterStop(aWorkPod({ spec: { restartPolicy: policy } }), of, { ...record, ...given }, aTask("STOPPED", [{}]), endedAt);

  it.each([
    { policy: "Never", of: crash(0), expected: { type: "done" } },
    { policy: "Never", of: crash(1), expected: { type: "done" } },
    { policy: "OnFailure", of: crash(0), expected: { type: "done" } },
    { policy: "OnFailure", of: crash(1), expected: { type: "again", cause: "crash", backOffSeconds: 0 } },
    { policy: "Always", of: crash(0), expected: { type: "again", cause: "crash", backOffSeconds: 0 } },
    { policy: "Always", of: crash(1), given: { attempt: 2 }, expected: { type: "again", backOffSeconds: 10 } },
    { policy: "Always", of: crash(1), given: { attempt: 9, backOffSeconds: 160 }, expected: { type: "again", backOffSeconds: 300 } },
    { policy: "Always", of: crash(1, 599), given: { attempt: 9, backOffSeconds: 300 }, expected: { type: "again", backOffSeconds: 300 } },
    { policy: "Always", of: crash(1, 600), given: { attempt: 9, backOffSeconds: 300 }, expected: { type: "again", backOffSeconds: 0 } },
    {
      policy: "Never",
      of: status({ waiting: { reason: "ErrImagePull" } }),
      expected: { type: "again", cause: "pull", backOffSeconds: 10, containers: ["app"] },
    },
    {
      policy: "Never",
      of: status({ waiting: { reason: "CreateContainerError" } }),
      expected: { type: "again", cause: "create", backOffSeconds: 10 },
    },
    {
      policy: "Never",
      of: status({ waiting: { reason: "ContainerCreating" } }),
      expected: { type: "again", cause: "create", backOffSeconds: 10 },
    },
  ])("$policy, $of.containerStatuses.0.state: $expected", ({ policy, of, given, expected }) => {
    const decision = decide(policy, of, given);
    expect(decision).toMatchObject(expected);
    if (decision.type === "again") expect(decision.at.getTime()).toBe(endedAt.getTime() + decision.backOffSeconds * 1_000);
  });

  it("puts off 10 s, doubled to 5 min", () => {
    const steps = [0];
    for (let step = 0; step < 7; step++) steps.push(longer(steps.at(-1) ?? 0));
    expect(steps).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(steps.map(durationText).slice(1, 7)).toEqual(["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"]);
  });
});

describe("the record", () => {
  it.each<TaskRecord>([
    { state: "Requested", attempt: 1, backOffSeconds: 0, since: now },
    { state: "Started", attempt: 12, backOffSeconds: 300, taskArn, since: now },
    { state: "Ended", attempt: 0, backOffSeconds: 0, since: now },
  ])("reads as it was written: $state", (written) => {
    expect(readRecord({ status: { conditions: [recordCondition(written)] } })).toEqual(written);
  });

  it("of somebody else is none", () => {
    expect(
      readRecord({ status: { conditions: [{ type: "binnacle.dev/Task", status: "True", reason: "Started", message: "by hand" }] } }),
    ).toBeUndefined();
  });
});

describe("the QoS class", () => {
  it.each([
    { name: "BestEffort", given: {} },
    { name: "Burstable", given: { requests: { cpu: "1" } } },
    { name: "Burstable", given: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } } },
    { name: "Guaranteed", given: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1000m", memory: "1024Mi" } } },
    { name: "BestEffort", given: { requests: { "example.com/x": "1" } } },
  ])("$name: $given", ({ name, given }) => {
    expect(qosClass(aWorkPod(given))).toBe(name);
  });
});
