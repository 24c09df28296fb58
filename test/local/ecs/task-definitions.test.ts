import { describe, expect, it } from "vitest";
import { aContainer, aTaskDefinition, localEcs } from "../../support/local-ecs.ts";

describe("RegisterTaskDefinition", () => {
  it("counts revisions per family and fills in what was left out", () => {
    const local = localEcs();
    local.call("RegisterTaskDefinition", aTaskDefinition());
    const { taskDefinition } = local.call(
      "RegisterTaskDefinition",
      aTaskDefinition({ containerDefinitions: [{ name: "a", image: "b", memory: 32 }] }),
    );
    expect(taskDefinition).toMatchObject({
      taskDefinitionArn: "arn:aws:ecs:us-east-1:000000000000:task-definition/web:2",
      revision: 2,
      status: "ACTIVE",
      containerDefinitions: [{ name: "a", cpu: 0, essential: true, environment: [], mountPoints: [], portMappings: [] }],
    });
  });

  it("is throttled at 1/s after a burst of 20, deregistering included", async () => {
    const local = localEcs();
    for (let count = 0; count < 20; count += 1) local.call("RegisterTaskDefinition", aTaskDefinition());
    expect(local.refusal("RegisterTaskDefinition", aTaskDefinition())).toBe("ThrottlingException: Rate exceeded");
    expect(local.refusal("DeregisterTaskDefinition", { taskDefinition: "web:1" })).toBe("ThrottlingException: Rate exceeded");
    await local.clock.advance(999);
    expect(local.refusal("RegisterTaskDefinition", aTaskDefinition())).toBe("ThrottlingException: Rate exceeded");
    await local.clock.advance(1);
    expect(local.refusal("RegisterTaskDefinition", aTaskDefinition())).toBe("");
  });

  it.each([
    [
      "eleven containers",
      { containerDefinitions: Array.from({ length: 11 }, (_, i) => aContainer({ name: `c${i}` })) },
      "Too many containers.",
    ],
    ["no container", { containerDefinitions: [] }, "Container list cannot be empty."],
    ["a bad family", { family: "a b" }, "Family contains invalid characters."],
    [
      "a container without memory",
      { containerDefinitions: [{ name: "a", image: "b" }] },
      "Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' must be specified.",
    ],
    [
      "an overlong image name",
      { containerDefinitions: [aContainer({ image: "x".repeat(256) })] },
      "Container.image should be 255 characters or less",
    ],
    [
      "a SUCCESS dependency on an essential container",
      { containerDefinitions: [aContainer(), aContainer({ name: "b", dependsOn: [{ containerName: "main", condition: "SUCCESS" }] })] },
      "A container dependency with the condition SUCCESS cannot name an essential container: 'main'.",
    ],
    [
      "a circle of dependencies",
      {
        containerDefinitions: [
          aContainer({ name: "a", dependsOn: [{ containerName: "b", condition: "START" }] }),
          aContainer({ name: "b", dependsOn: [{ containerName: "a", condition: "START" }] }),
        ],
      },
      "There is a circular dependency between the containers of the task definition.",
    ],
    [
      "a host name under awsvpc",
      { containerDefinitions: [aContainer({ hostname: "h" })] },
      "Invalid setting for container 'main'. 'hostname' is not supported when the network mode is awsvpc.",
    ],
    [
      "sizes that Fargate does not have",
      { requiresCompatibilities: ["FARGATE"], cpu: "256", memory: "300" },
      "No Fargate configuration exists for given values.",
    ],
  ])("refuses %s", (_name, overrides, message) => {
    expect(localEcs().refusal("RegisterTaskDefinition", aTaskDefinition(overrides))).toBe(`ClientException: ${message}`);
  });

  it("refuses more than 64 KiB, and says how much it was", () => {
    const environment = [{ name: "A", value: "x".repeat(65_536) }];
    const refusal = localEcs().refusal("RegisterTaskDefinition", aTaskDefinition({ containerDefinitions: [aContainer({ environment })] }));
    expect(refusal).toMatch(/^ClientException: Actual length: '\d+'\. Max allowed length is '65536' bytes\.$/u);
  });
});

describe("task definitions", () => {
  it("are found by family, by revision and by ARN, until they are deregistered", () => {
    const local = localEcs();
    const { taskDefinition } = local.call("RegisterTaskDefinition", aTaskDefinition({ tags: [{ key: "a", value: "b" }] }));
    for (const reference of ["web", "web:1", taskDefinition.taskDefinitionArn]) {
      expect(local.call("DescribeTaskDefinition", { taskDefinition: reference }).taskDefinition.revision).toBe(1);
    }
    expect(local.call("DescribeTaskDefinition", { taskDefinition: "web", include: ["TAGS"] }).tags).toEqual([{ key: "a", value: "b" }]);
    expect(local.call("ListTagsForResource", { resourceArn: taskDefinition.taskDefinitionArn }).tags).toEqual([{ key: "a", value: "b" }]);
    local.call("DeregisterTaskDefinition", { taskDefinition: "web:1" });
    expect(local.call("DescribeTaskDefinition", { taskDefinition: "web:1" }).taskDefinition.status).toBe("INACTIVE");
    expect(local.refusal("DescribeTaskDefinition", { taskDefinition: "web" })).toBe("ClientException: Unable to describe task definition.");
    expect(local.call("RegisterTaskDefinition", aTaskDefinition()).taskDefinition.revision).toBe(2);
  });

  it("are listed by revision, in pages", () => {
    const local = localEcs();
    for (let count = 0; count < 12; count += 1) local.call("RegisterTaskDefinition", aTaskDefinition());
    const first = local.call("ListTaskDefinitions", { maxResults: 7 });
    const second = local.call("ListTaskDefinitions", { maxResults: 7, nextToken: first.nextToken });
    const revisions = [...first.taskDefinitionArns, ...second.taskDefinitionArns].map((arn: string) => Number(arn.split(":").at(-1)));
    expect(revisions).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(second).not.toHaveProperty("nextToken");
    expect(local.call("ListTaskDefinitionFamilies").families).toEqual(["web"]);
  });
});
