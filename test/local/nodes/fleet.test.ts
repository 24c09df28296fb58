import { describe, expect, it } from "vitest";
import { lastType } from "../../../local/nodes/fleet.ts";
import { cluster, localEcs, startedTask } from "../../support/local-ecs.ts";

const zonesOf = (local: ReturnType<typeof localEcs>) => local.fleet.nodes().map(({ zone }) => zone);

describe("the local machines", () => {
  it("spread over three zones and show what their type has", () => {
    const local = localEcs({ nodes: 4 });
    expect(zonesOf(local)).toEqual(["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1a"]);
    const { containerInstanceArns } = local.call("ListContainerInstances", { cluster });
    expect(containerInstanceArns).toHaveLength(4);
    const [instance] = local.call("DescribeContainerInstances", { cluster, containerInstances: containerInstanceArns }).containerInstances;
    expect(instance).toMatchObject({ status: "ACTIVE", agentConnected: true, ec2InstanceId: expect.stringMatching(/^i-0[0-9a-f]{16}$/u) });
    const attribute = (name: string) => instance.attributes.find((one: any) => one.name === name)?.value;
    expect([attribute("ecs.instance-type"), attribute("ecs.cpu-architecture"), attribute("ecs.os-type")]).toEqual([
      "m7g.large",
      "arm64",
      "linux",
    ]);
    const resource = (name: string) => instance.registeredResources.find((one: any) => one.name === name);
    expect(resource("CPU").integerValue).toBe(2_048);
    expect(resource("MEMORY").integerValue).toBe(7_985);
  });

  it("keep their ids over restarts, grow, shrink, and are replaced when their type changes", () => {
    const first = localEcs({ nodes: 3 });
    const again = localEcs({ nodes: 3, records: first.records });
    expect(again.fleet.nodes()).toEqual(first.fleet.nodes());
    const fewer = localEcs({ nodes: 2, records: first.records });
    expect(fewer.fleet.nodes()).toEqual(first.fleet.nodes().slice(0, 2));
    const more = localEcs({ nodes: 3, records: first.records });
    expect(more.fleet.nodes().slice(0, 2)).toEqual(fewer.fleet.nodes());
    expect(more.fleet.nodes()[2]?.ec2InstanceId).not.toBe(first.fleet.nodes()[2]?.ec2InstanceId);
    expect(zonesOf(more)).toEqual(zonesOf(first));
    const other = localEcs({ nodes: 3, nodeType: "m7g.xlarge", records: first.records });
    expect(other.fleet.nodes().map(({ ec2InstanceId }) => ec2InstanceId)).not.toContain(more.fleet.nodes()[0]?.ec2InstanceId);
    expect(other.call("ListContainerInstances", { cluster }).containerInstanceArns).toHaveLength(3);
  });

  it("are of the architecture that tasks really run on, whatever their type says", () => {
    const architecture = (local: ReturnType<typeof localEcs>) => {
      const { containerInstanceArns } = local.call("ListContainerInstances", { cluster });
      const [instance] = local.call("DescribeContainerInstances", {
        cluster,
        containerInstances: containerInstanceArns,
      }).containerInstances;
      return instance.attributes.find(({ name }: any) => name === "ecs.cpu-architecture").value;
    };
    const simulated = localEcs();
    const real = localEcs({ architecture: "x86_64", records: simulated.records });
    expect([architecture(simulated), architecture(real)]).toEqual(["arm64", "x86_64"]);
    expect(real.fleet.nodes()).toEqual(simulated.fleet.nodes());
    expect(lastType(real.records)).toBe("m7g.large");
  });

  it("take their tasks with them when they are terminated", async () => {
    const local = localEcs({ nodes: 2 });
    const { taskArn } = startedTask(local);
    await local.clock.advance(1_000);
    const [node] = local.fleet.nodes();
    local.fleet.terminate(node?.ec2InstanceId ?? "");
    expect(local.describe(taskArn)).toMatchObject({
      lastStatus: "STOPPED",
      stoppedReason: `Host EC2 (instance ${node?.ec2InstanceId}) terminated.`,
    });
    expect(local.call("ListContainerInstances", { cluster }).containerInstanceArns).toHaveLength(1);
    expect(local.events.findLast(({ detail }) => detail.ec2InstanceId === node?.ec2InstanceId)?.detail.status).toBe("INACTIVE");
    await local.clock.advance(60_000);
  });

  it("keep their last known state while their agent is away, and tell the rest when it is back", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local);
    await local.clock.advance(1_000);
    const { ec2InstanceId = "" } = local.fleet.nodes()[0] ?? {};
    local.fleet.setConnected(ec2InstanceId, false);
    local.call("StopTask", { cluster, task: taskArn });
    await local.clock.advance(60_000);
    expect(local.describe(taskArn)).toMatchObject({ lastStatus: "RUNNING", desiredStatus: "STOPPED" });
    local.fleet.setConnected(ec2InstanceId, true);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPED");
  });

  it("say how much is left, at every placement", async () => {
    const local = localEcs();
    startedTask(local);
    const [instance] = local.call("DescribeContainerInstances", {
      cluster,
      containerInstances: local.fleet.nodes().map(({ containerInstanceArn }) => containerInstanceArn),
    }).containerInstances;
    expect(instance.remainingResources.find((one: any) => one.name === "CPU").integerValue).toBe(2_048 - 256);
    expect(instance).toMatchObject({ runningTasksCount: 0, pendingTasksCount: 1 });
    const placements = local.events.filter((event) => event["detail-type"] === "ECS Container Instance State Change");
    expect(placements.map(({ detail }) => detail.version)).toEqual([1, 2]);
  });
});

describe("container instances over the API", () => {
  it("are only deregistered by force while tasks run on them", () => {
    const local = localEcs();
    startedTask(local);
    const [node] = local.fleet.nodes();
    const input = { cluster, containerInstance: node?.containerInstanceArn };
    expect(local.refusal("DeregisterContainerInstance", input)).toBe("InvalidParameterException: Found running tasks on the instance.");
    expect(local.call("DeregisterContainerInstance", { ...input, force: true }).containerInstance.status).toBe("INACTIVE");
  });

  it("register with an identity document", () => {
    const local = localEcs({ nodes: 0 });
    const document = { instanceId: "i-0123456789abcdef0", instanceType: "t3.small", availabilityZone: "us-east-1a" };
    const { containerInstance } = local.call("RegisterContainerInstance", {
      cluster,
      instanceIdentityDocument: JSON.stringify(document),
      totalResources: [{ name: "CPU", type: "INTEGER", integerValue: 2_048 }],
    });
    expect(containerInstance).toMatchObject({ ec2InstanceId: document.instanceId, status: "ACTIVE" });
  });
});
