/**
 * What every Amazon ECS must do for the task engine's port, one request at a time: the shapes of requests and answers and the errors
 * that the kubelet relies on. What becomes of a container is not asked here: emulators differ in that, and some run none.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InstanceResource, StartTaskInput, TaskDefinitionInput, TaskEngine } from "../../shared/kubelet/task-engine.ts";

export interface EcsCluster {
  readonly engine: TaskEngine;
  /** Name of a cluster with one container instance, of which nobody else makes use. */
  readonly cluster: string;
  readonly containerInstanceArn: string;
  readonly subnet: string;
  /** Lets time pass, so that what is under way gets done. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** What an emulation may be known to lack; the tests that need it are skipped. */
export const gaps = ["awsvpc", "missing-tasks", "unknown-clusters"] as const;
export type Gap = (typeof gaps)[number];

export function describeTaskEngine(
  name: string,
  open: () => Promise<EcsCluster>,
  { lacks = new Set() }: { readonly lacks?: ReadonlySet<Gap> } = {},
): void {
  describe(`a task engine: ${name}`, () => {
    let ecs: EcsCluster;
    beforeAll(async () => {
      ecs = await open();
    });
    afterAll(() => ecs?.stop());

    const aFamily = () => `web-${randomUUID()}`;
    const definition = (family = aFamily()): TaskDefinitionInput => ({
      family,
      networkMode: "awsvpc",
      requiresCompatibilities: ["EC2"],
      containerDefinitions: [
        {
          name: "web",
          image: "registry.example/web:1",
          essential: true,
          cpu: 128,
          memory: 64,
          command: ["serve", "--port=80"],
          environment: [{ name: "COLOUR", value: "blue" }],
          portMappings: [{ containerPort: 80, protocol: "tcp" }],
        },
      ],
      tags: [{ key: "binnacle", value: "test" }],
    });
    const registered = () => ecs.engine.registerTaskDefinition(definition());
    const runnable = () => {
      if (!lacks.has("awsvpc")) return registered();
      return ecs.engine.registerTaskDefinition({ ...definition(), networkMode: "bridge" } as unknown as TaskDefinitionInput);
    };
    const start = (taskDefinition: string, input: Partial<StartTaskInput> = {}) =>
      ecs.engine.startTask({
        cluster: ecs.cluster,
        containerInstances: [ecs.containerInstanceArn],
        taskDefinition,
        ...(!lacks.has("awsvpc") && { networkConfiguration: { awsvpcConfiguration: { subnets: [ecs.subnet] } } }),
        ...input,
      });

    describe("a task definition", () => {
      it("gets revisions of its family, and is found by each of its names", async () => {
        const family = aFamily();
        const first = await ecs.engine.registerTaskDefinition(definition(family));
        const second = await ecs.engine.registerTaskDefinition(definition(family));
        expect(first).toMatchObject({ family, revision: 1, status: "ACTIVE" });
        expect(second).toMatchObject({ family, revision: 2, status: "ACTIVE" });
        expect(await ecs.engine.describeTaskDefinition(family)).toMatchObject({ revision: 2 });
        expect(await ecs.engine.describeTaskDefinition(`${family}:1`)).toMatchObject({ taskDefinitionArn: first.taskDefinitionArn });
        expect(await ecs.engine.describeTaskDefinition(second.taskDefinitionArn)).toMatchObject({ revision: 2 });
      });

      it("comes back with what was registered", async () => {
        const { taskDefinitionArn } = await registered();
        expect(await ecs.engine.describeTaskDefinition(taskDefinitionArn)).toMatchObject({
          networkMode: "awsvpc",
          containerDefinitions: [
            {
              name: "web",
              image: "registry.example/web:1",
              essential: true,
              cpu: 128,
              memory: 64,
              command: ["serve", "--port=80"],
              environment: [{ name: "COLOUR", value: "blue" }],
            },
          ],
          tags: [{ key: "binnacle", value: "test" }],
        });
      });

      it("that does not exist is undefined, not an error", async () => {
        expect(await ecs.engine.describeTaskDefinition(aFamily())).toBeUndefined();
      });
    });

    describe("a task", () => {
      it("starts where it is told to, and says whose it is", async () => {
        const { taskDefinitionArn } = await runnable();
        const startedBy = randomUUID();
        const { tasks, failures } = await start(taskDefinitionArn, { startedBy, tags: [{ key: "binnacle.dev/name", value: "web-1" }] });
        expect(failures).toEqual([]);
        expect(tasks).toHaveLength(1);
        const [task] = tasks;
        expect(task).toMatchObject({
          taskDefinitionArn,
          containerInstanceArn: ecs.containerInstanceArn,
          startedBy,
          desiredStatus: "RUNNING",
        });
        await ecs.settle();
        const described = await ecs.engine.describeTasks({ cluster: ecs.cluster, tasks: [task?.taskArn ?? ""] });
        expect(described.failures).toEqual([]);
        expect(described.tasks[0]).toMatchObject({
          taskArn: task?.taskArn,
          startedBy,
          lastStatus: "RUNNING",
          tags: [{ key: "binnacle.dev/name", value: "web-1" }],
        });
        expect(await ecs.engine.listTasks({ cluster: ecs.cluster, startedBy })).toEqual({ taskArns: [task?.taskArn] });
        await ecs.engine.stopTask({ cluster: ecs.cluster, task: task?.taskArn ?? "" });
      });

      it("is on its way out once it is stopped, with the reason", async () => {
        const { taskDefinitionArn } = await runnable();
        const { tasks } = await start(taskDefinitionArn);
        const task = tasks[0]?.taskArn ?? "";
        await ecs.settle();
        await ecs.engine.stopTask({ cluster: ecs.cluster, task, reason: "no longer wanted" });
        const described = await ecs.engine.describeTasks({ cluster: ecs.cluster, tasks: [task] });
        expect(described.tasks[0]).toMatchObject({ desiredStatus: "STOPPED", stoppedReason: "no longer wanted" });
      });

      it("of a definition that does not exist is refused", async () => {
        await expect(start(`${aFamily()}:1`)).rejects.toMatchObject({ name: "EngineRefusedError" });
      });

      it.skipIf(lacks.has("missing-tasks"))("that does not exist is a failure in the answer", async () => {
        const { taskDefinitionArn } = await runnable();
        const { tasks } = await start(taskDefinitionArn);
        const known = tasks[0]?.taskArn ?? "";
        await ecs.settle();
        const unknown = `${known.slice(0, -8)}00000000`;
        const described = await ecs.engine.describeTasks({ cluster: ecs.cluster, tasks: [unknown, known] });
        expect(described.tasks.map(({ taskArn }) => taskArn)).toEqual([known]);
        expect(described.failures).toMatchObject([{ arn: unknown, reason: "MISSING" }]);
        await ecs.engine.stopTask({ cluster: ecs.cluster, task: known });
      });
    });

    describe("a container instance", () => {
      it("is listed and described, with what it has and what is left", async () => {
        const { containerInstanceArns } = await ecs.engine.listContainerInstances({ cluster: ecs.cluster });
        expect(containerInstanceArns).toEqual([ecs.containerInstanceArn]);
        const { containerInstances } = await ecs.engine.describeContainerInstances({
          cluster: ecs.cluster,
          containerInstances: [ecs.containerInstanceArn],
        });
        const [instance] = containerInstances;
        expect(instance).toMatchObject({ status: "ACTIVE", agentConnected: true });
        const cpu = (resources: readonly InstanceResource[] = []) => resources.find(({ name }) => name === "CPU")?.integerValue ?? 0;
        expect(cpu(instance?.registeredResources)).toBeGreaterThanOrEqual(cpu(instance?.remainingResources));
        expect(cpu(instance?.remainingResources)).toBeGreaterThan(0);
      });
    });

    it("refuses to list the tasks of a cluster that does not exist", async () => {
      await expect(ecs.engine.listTasks({ cluster: "nowhere" })).rejects.toMatchObject({ name: "EngineRefusedError" });
    });

    it.skipIf(lacks.has("unknown-clusters"))("refuses to list the machines of a cluster that does not exist", async () => {
      await expect(ecs.engine.listContainerInstances({ cluster: "nowhere" })).rejects.toMatchObject({ name: "EngineRefusedError" });
    });
  });
}
