/** Amazon ECS behind the task engine's port: the shapes are ECS' own, so little is translated but errors and gaps. */
import {
  DescribeContainerInstancesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ECSServiceException,
  ListContainerInstancesCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  StartTaskCommand,
  type StartTaskCommandInput,
  StopTaskCommand,
} from "@aws-sdk/client-ecs";
import {
  type ContainerInstance,
  EngineRefusedError,
  EngineThrottledError,
  type Failure,
  type Task,
  type TaskDefinition,
  type TaskEngine,
} from "../kubelet/task-engine.ts";

/** Errors that no repetition cures. */
const refusals = new Set([
  "AccessDeniedException",
  "AttributeLimitExceededException",
  "ClientException",
  "ClusterNotFoundException",
  "InvalidParameterException",
  "LimitExceededException",
  "PlatformTaskDefinitionIncompatibilityException",
  "PlatformUnknownException",
  "TargetNotFoundException",
  "UnsupportedFeatureException",
]);

/** Refused for now, though its name says for ever: other registrations of the family were under way. */
const isBusy = (error: Error): boolean => error.name === "ClientException" && /too many concurrent attempts/i.test(error.message);

const throttles = new Set(["ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"]);

/** Retries are the kubelet's: it counts every call against the account's quota. */
export function ecsTaskEngine(client: ECSClient = new ECSClient({ maxAttempts: 1 })): TaskEngine {
  return {
    async registerTaskDefinition(input) {
      const { taskDefinition, tags } = await calling(() =>
        client.send(new RegisterTaskDefinitionCommand(input as RegisterTaskDefinitionCommandInput)),
      );
      return { ...(taskDefinition as TaskDefinition), ...(tags && { tags: tags as NonNullable<TaskDefinition["tags"]> }) };
    },
    async describeTaskDefinition(taskDefinition) {
      try {
        const answer = await calling(() => client.send(new DescribeTaskDefinitionCommand({ taskDefinition, include: ["TAGS"] })));
        return { ...(answer.taskDefinition as TaskDefinition), tags: (answer.tags ?? []) as NonNullable<TaskDefinition["tags"]> };
      } catch (error) {
        // ECS has no exception of its own for a definition that does not exist.
        if (error instanceof EngineRefusedError && /unable to describe task definition/i.test(error.message)) return undefined;
        throw error;
      }
    },
    async startTask(input) {
      const { tasks, failures } = await calling(() => client.send(new StartTaskCommand(input as StartTaskCommandInput)));
      return { tasks: (tasks ?? []) as readonly Task[], failures: (failures ?? []) as readonly Failure[] };
    },
    async stopTask(input) {
      await calling(() => client.send(new StopTaskCommand(input)));
    },
    async describeTasks({ cluster, tasks: ids }) {
      const { tasks, failures } = await calling(() =>
        client.send(new DescribeTasksCommand({ cluster, tasks: [...ids], include: ["TAGS"] })),
      );
      return { tasks: (tasks ?? []) as readonly Task[], failures: (failures ?? []) as readonly Failure[] };
    },
    async listTasks(input) {
      const { taskArns, nextToken } = await calling(() => client.send(new ListTasksCommand(input)));
      return { taskArns: taskArns ?? [], ...(nextToken && { nextToken }) };
    },
    async listContainerInstances(input) {
      const { containerInstanceArns, nextToken } = await calling(() => client.send(new ListContainerInstancesCommand(input)));
      return { containerInstanceArns: containerInstanceArns ?? [], ...(nextToken && { nextToken }) };
    },
    async describeContainerInstances({ cluster, containerInstances: arns }) {
      const { containerInstances, failures } = await calling(() =>
        client.send(new DescribeContainerInstancesCommand({ cluster, containerInstances: [...arns] })),
      );
      return {
        containerInstances: (containerInstances ?? []) as readonly ContainerInstance[],
        failures: (failures ?? []) as readonly Failure[],
      };
    },
  };
}

/** Exceptions of the SDK do not leave this file. */
async function calling<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (throttles.has(error.name) || isBusy(error)) throw new EngineThrottledError(error.message, { cause: error });
    if (error instanceof ECSServiceException && refusals.has(error.name)) throw new EngineRefusedError(error.message, { cause: error });
    throw error;
  }
}
