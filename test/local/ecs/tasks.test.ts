import { describe, expect, it } from "vitest";
import { aContainer, cluster, localEcs, startedTask, startInput } from "../../support/local-ecs.ts";

const statuses = (events: readonly { detail: any }[]) =>
  events.filter(({ detail }) => detail.taskArn).map(({ detail }) => detail.lastStatus);

describe("a task", () => {
  it("goes from its network interface over its image to RUNNING, and says so in events with growing versions", async () => {
    const local = localEcs();
    const { taskArn, lastStatus } = startedTask(local);
    expect(lastStatus).toBe("PROVISIONING");
    await local.clock.advance(1_000);
    const task = local.describe(taskArn);
    expect(task).toMatchObject({ lastStatus: "RUNNING", desiredStatus: "RUNNING", connectivity: "CONNECTED", launchType: "EC2" });
    expect(task.containers[0]).toMatchObject({ lastStatus: "RUNNING", imageDigest: expect.stringMatching(/^sha256:/u) });
    expect(task.attachments[0]).toMatchObject({ type: "ElasticNetworkInterface", status: "ATTACHED" });
    const address = task.attachments[0].details.find(({ name }: any) => name === "privateIPv4Address").value;
    expect(address).toMatch(/^10\.200\./u);
    expect(task.containers[0].networkInterfaces[0].privateIpv4Address).toBe(address);
    const events = local.events.filter(({ detail }) => detail.taskArn === taskArn);
    expect(statuses(events)).toEqual(["PROVISIONING", "PENDING", "PENDING", "RUNNING"]);
    expect(events.map(({ detail }) => detail.version)).toEqual([1, 2, 3, 4]);
    expect(events[3]).toMatchObject({ version: "0", source: "aws.ecs", "detail-type": "ECS Task State Change", resources: [taskArn] });
  });

  it("has events without health status and tags, with ISO times and an attachment of type eni", async () => {
    const local = localEcs();
    startedTask(local, {}, { tags: [{ key: "a", value: "b" }] });
    await local.clock.advance(1_000);
    const { detail } = local.events.findLast((event) => event.detail.taskArn) as { detail: any };
    expect(detail).not.toHaveProperty("healthStatus");
    expect(detail).not.toHaveProperty("tags");
    expect(detail.attachments[0].type).toBe("eni");
    expect(detail.startedAt).toMatch(/^\d{4}-\d\d-\d\dT/u);
  });

  it("is stopped by StopTask: SIGTERM, states in order, tags gone, its address free again", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, {}, { tags: [{ key: "a", value: "b" }] });
    await local.clock.advance(1_000);
    const before = local.events.length;
    local.call("StopTask", { cluster, task: taskArn, reason: "Pod deleted" });
    await local.clock.advance(1_000);
    const [task] = local.call("DescribeTasks", { cluster, tasks: [taskArn], include: ["TAGS"] }).tasks;
    expect(task).toMatchObject({
      lastStatus: "STOPPED",
      desiredStatus: "STOPPED",
      stopCode: "UserInitiated",
      stoppedReason: "Pod deleted",
      tags: [],
    });
    expect(task.containers[0]).toMatchObject({ lastStatus: "STOPPED", exitCode: 0 });
    expect(statuses(local.events.slice(before))).toEqual(["RUNNING", "DEACTIVATING", "STOPPING", "STOPPING", "DEPROVISIONING", "STOPPED"]);
    expect(local.call("ListTasks", { cluster }).taskArns).toEqual([]);
    expect(local.call("ListTasks", { cluster, desiredStatus: "STOPPED" }).taskArns).toEqual([taskArn]);
  });

  it("is killed after its stopTimeout when it ignores SIGTERM", async () => {
    const local = localEcs({ rules: { rules: [{ name: "deaf", match: {}, outcome: { sigterm: "ignored" } }] } });
    const { taskArn } = startedTask(local, { containerDefinitions: [aContainer({ stopTimeout: 7 })] });
    await local.clock.advance(1_000);
    local.call("StopTask", { cluster, task: taskArn });
    await local.clock.advance(6_900);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPING");
    await local.clock.advance(200);
    expect(local.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", containers: [{ exitCode: 137 }] });
  });

  it("takes 30 seconds by default before SIGKILL", async () => {
    const local = localEcs({ rules: { rules: [{ name: "deaf", match: {}, outcome: { sigterm: "ignored" } }] } });
    const { taskArn } = startedTask(local);
    await local.clock.advance(1_000);
    local.call("StopTask", { cluster, task: taskArn });
    await local.clock.advance(29_900);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPING");
    await local.clock.advance(200);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPED");
  });

  it("can be stopped before it runs", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local);
    local.call("StopTask", { cluster, task: taskArn });
    await local.clock.advance(1_000);
    const task = local.describe(taskArn);
    expect(task).toMatchObject({ lastStatus: "STOPPED", containers: [{ lastStatus: "STOPPED" }] });
    expect(task.containers[0]).not.toHaveProperty("exitCode");
  });

  it("ends with its essential container", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, {
      containerDefinitions: [aContainer({ command: ["sh", "-c", "sleep 5; exit 3"], image: "busybox" }), aContainer({ name: "other" })],
    });
    await local.clock.advance(4_000);
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
    await local.clock.advance(4_000);
    expect(local.describe(taskArn)).toMatchObject({
      lastStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
      containers: [{ exitCode: 3 }, { exitCode: 0 }],
    });
  });

  it("fails to start when its image cannot be pulled", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, { containerDefinitions: [aContainer({ image: "invalid.registry.example/alpine:3.1" })] });
    await local.clock.advance(1_000);
    const task = local.describe(taskArn);
    expect(task).toMatchObject({ lastStatus: "STOPPED", stopCode: "TaskFailedToStart" });
    expect(task.stoppedReason).toContain("CannotPullContainerError");
    expect(task.containers[0].reason).toContain("lookup invalid.registry.example: no such host");
  });

  it("is forgotten an hour after it stopped", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local);
    local.call("StopTask", { cluster, task: taskArn });
    await local.clock.advance(59 * 60_000);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPED");
    await local.clock.advance(2 * 60_000);
    expect(local.call("DescribeTasks", { cluster, tasks: [taskArn] })).toEqual({
      tasks: [],
      failures: [{ arn: taskArn, reason: "MISSING" }],
    });
  });
});

describe("the API is eventually consistent", () => {
  it("a task that was just started is MISSING at first, and unlisted", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, {}, { startedBy: "pod-uid" });
    expect(local.call("DescribeTasks", { cluster, tasks: [taskArn] }).failures).toEqual([{ arn: taskArn, reason: "MISSING" }]);
    expect(local.call("ListTasks", { cluster, startedBy: "pod-uid" }).taskArns).toEqual([]);
    await local.clock.advance(100);
    expect(local.call("ListTasks", { cluster, startedBy: "pod-uid" }).taskArns).toEqual([taskArn]);
  });
});

describe("StartTask", () => {
  it("answers per instance: tasks and failures side by side", () => {
    const local = localEcs({ nodes: 2 });
    const { taskDefinition } = local.call("RegisterTaskDefinition", {
      ...definition(),
      containerDefinitions: [aContainer({ memory: 5_000 })],
    });
    const [first, second] = local.fleet.nodes().map(({ containerInstanceArn }) => containerInstanceArn);
    const gone = `${first?.slice(0, -32)}${"0".repeat(32)}`;
    local.call("StartTask", startInput(local, taskDefinition.taskDefinitionArn));
    const answer = local.call(
      "StartTask",
      startInput(local, taskDefinition.taskDefinitionArn, { containerInstances: [first, second, gone] }),
    );
    expect(answer.tasks.map((task: any) => task.containerInstanceArn)).toEqual([second]);
    expect(answer.failures).toEqual([
      { arn: first, reason: "RESOURCE:MEMORY" },
      { arn: gone, reason: "MISSING" },
    ]);
  });

  it("knows how many network interfaces an instance type has room for", () => {
    const local = localEcs({ nodeType: "m7g.medium" });
    const { taskDefinition } = local.call("RegisterTaskDefinition", {
      ...definition(),
      containerDefinitions: [aContainer({ cpu: 1, memory: 16 })],
    });
    for (let count = 0; count < 4; count += 1) local.call("StartTask", startInput(local, taskDefinition.taskDefinitionArn));
    const { failures } = local.call("StartTask", startInput(local, taskDefinition.taskDefinitionArn));
    expect(failures).toMatchObject([{ reason: "RESOURCE:ENI" }]);
  });

  it("places nothing on an instance that drains or whose agent is away", () => {
    const local = localEcs();
    const [node] = local.fleet.nodes();
    const { taskDefinition } = local.call("RegisterTaskDefinition", definition());
    const start = () => local.call("StartTask", startInput(local, taskDefinition.taskDefinitionArn)).failures;
    local.call("UpdateContainerInstancesState", { cluster, containerInstances: [node?.containerInstanceArn], status: "DRAINING" });
    expect(start()).toMatchObject([{ reason: "INACTIVE" }]);
    local.call("UpdateContainerInstancesState", { cluster, containerInstances: [node?.containerInstanceArn], status: "ACTIVE" });
    local.fleet.setConnected(node?.ec2InstanceId ?? "", false);
    expect(start()).toMatchObject([{ reason: "AGENT" }]);
  });

  it.each([
    ["no cluster of this name", { cluster: "other" }, "ClusterNotFoundException: Cluster not found."],
    ["no such definition", { taskDefinition: "nope:1" }, "ClientException: TaskDefinition not found."],
    ["no instances", { containerInstances: [] }, "InvalidParameterException: Container instances cannot be empty."],
    [
      "more than ten instances",
      { containerInstances: Array(11).fill("a".repeat(32)) },
      "InvalidParameterException: Container instances cannot have more than 10 elements.",
    ],
    ["an overlong startedBy", { startedBy: "x".repeat(37) }, "InvalidParameterException: startedBy length should be between 1 and 36"],
    ["characters that startedBy may not have", { startedBy: "a b" }, "InvalidParameterException: startedBy contains invalid characters."],
    [
      "no network under awsvpc",
      { networkConfiguration: undefined },
      "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ],
    [
      "overrides over 8,192 characters",
      { overrides: { containerOverrides: [{ name: "main", environment: [{ name: "A", value: "x".repeat(8_192) }] }] } },
      "InvalidParameterException: Container Overrides length must be at most 8192",
    ],
    [
      "an override for nobody",
      { overrides: { containerOverrides: [{ name: "other" }] } },
      "InvalidParameterException: Override for container named other is not a container in the TaskDefinition.",
    ],
    ["a member of the wrong type", { startedBy: 7 }, "SerializationException: startedBy: expected a string"],
  ])("refuses %s", (_name, input, message) => {
    const local = localEcs();
    local.call("RegisterTaskDefinition", definition());
    expect(local.refusal("StartTask", startInput(local, "web:1", input))).toBe(message);
  });

  it("is throttled at 40/s after a burst of 100, shared with StopTask", async () => {
    const local = localEcs({ nodeType: "m7g.16xlarge" });
    local.call("RegisterTaskDefinition", { ...definition(), containerDefinitions: [aContainer({ cpu: 0, memory: 6 })] });
    const started = Array.from({ length: 100 }, () => local.call("StartTask", startInput(local, "web:1")).tasks[0]);
    expect(local.refusal("StartTask", startInput(local, "web:1"))).toBe("ThrottlingException: Rate exceeded");
    expect(local.refusal("StopTask", { cluster, task: started[0].taskArn })).toBe("ThrottlingException: Rate exceeded");
    await local.clock.advance(25);
    expect(local.refusal("StopTask", { cluster, task: started[0].taskArn })).toBe("");
    expect(local.refusal("StopTask", { cluster, task: started[1].taskArn })).toBe("ThrottlingException: Rate exceeded");
  });
});

describe("RunTask", () => {
  it("spreads tasks over the machines that have room", () => {
    const local = localEcs({ nodes: 3 });
    local.call("RegisterTaskDefinition", definition());
    const { tasks } = local.call("RunTask", { ...startInput(local, "web:1"), count: 3 });
    expect(new Set(tasks.map((task: any) => task.containerInstanceArn)).size).toBe(3);
  });

  it("does not carry out a repeat with the same client token, and refuses it with other parameters", () => {
    const local = localEcs();
    local.call("RegisterTaskDefinition", definition());
    const input = { ...startInput(local, "web:1"), clientToken: "t" };
    const first = local.call("RunTask", input);
    expect(local.call("RunTask", input).tasks[0].taskArn).toBe(first.tasks[0].taskArn);
    expect(local.refusal("RunTask", { ...input, count: 2 })).toMatch(/^ConflictException/u);
  });

  it("runs on Fargate without a machine, within its sizes and a new account's vCPU quota", async () => {
    const local = localEcs();
    local.call("RegisterTaskDefinition", { ...definition(), requiresCompatibilities: ["FARGATE"], cpu: "4096", memory: "8192" });
    const input = { ...startInput(local, "web:1"), launchType: "FARGATE" };
    const [task] = local.call("RunTask", input).tasks;
    await local.clock.advance(1_000);
    expect(local.describe(task.taskArn)).toMatchObject({ lastStatus: "RUNNING", launchType: "FARGATE" });
    expect(task).not.toHaveProperty("containerInstanceArn");
    expect(local.refusal("RunTask", input)).toBe(
      "ClientException: You've reached the limit on the number of vCPUs you can run concurrently",
    );
  });
});

describe("ExecuteCommand", () => {
  it("says that there is nothing to connect to", () => {
    const local = localEcs();
    const { taskArn } = startedTask(local);
    expect(local.refusal("ExecuteCommand", { cluster, task: taskArn, command: "sh", interactive: true })).toMatch(
      /^InvalidParameterException: The execute command failed/u,
    );
  });
});

describe("identifiers", () => {
  it("of another cluster, or malformed, are refused", () => {
    const local = localEcs();
    const { taskArn } = startedTask(local);
    local.call("CreateCluster", { clusterName: "other" });
    expect(local.refusal("DescribeTasks", { cluster: "other", tasks: [taskArn] })).toBe(
      `InvalidParameterException: Identifier is for cluster ${cluster}. Your cluster is other`,
    );
    expect(local.refusal("DescribeTasks", { cluster, tasks: ["short"] })).toBe(
      "InvalidParameterException: taskId length should be one of [32,36]",
    );
  });
});

const definition = () => ({
  family: "web",
  networkMode: "awsvpc",
  requiresCompatibilities: ["EC2"],
  containerDefinitions: [aContainer()],
});
