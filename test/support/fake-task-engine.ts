/**
 * A small working Amazon ECS: definitions, container instances and tasks in memory. Tasks change only when a test says so, and each
 * change is an event, as EventBridge would deliver it.
 */
import type {
  ContainerInstance,
  Failure,
  StartTaskInput,
  Task,
  TaskContainer,
  TaskDefinition,
  TaskDefinitionInput,
  TaskEngine,
} from "../../shared/kubelet/task-engine.ts";
import type { Clock } from "../../shared/runtime/clock.ts";

type Method = keyof TaskEngine;

const account = "arn:aws:ecs:eu-west-1:111122223333";

export class FakeTaskEngine implements TaskEngine {
  readonly cluster: string;
  readonly definitions = new Map<string, TaskDefinition>();
  readonly tasks = new Map<string, Task>();
  readonly instances = new Map<string, ContainerInstance>();
  /** Calls so far, by name. */
  readonly calls: Method[] = [];
  readonly starts: StartTaskInput[] = [];
  /** Gets every change of a task. */
  onChange: (task: Task) => void = () => {};
  readonly #clock: Clock;
  readonly #failures: { readonly method: Method; readonly error: unknown; readonly done: boolean }[] = [];
  readonly #refusals: Failure[] = [];
  #count = 0;

  constructor(clock: Clock, cluster = "binnacle-default") {
    this.#clock = clock;
    this.cluster = cluster;
  }

  /** The next call of this method fails; `done`: though it was carried out. */
  failNext(method: Method, error: unknown, options: { readonly done?: boolean } = {}): void {
    this.#failures.push({ method, error, done: options.done ?? false });
  }

  /** The next StartTask answers with a failure. */
  refuseNext(reason: string, detail?: string): void {
    this.#refusals.push({ reason, ...(detail && { detail }) });
  }

  async #call<T>(method: Method, carryOut: () => T): Promise<T> {
    this.calls.push(method);
    const index = this.#failures.findIndex((failure) => failure.method === method);
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1);
    if (failure && !failure.done) throw failure.error;
    const result = carryOut();
    if (failure) throw failure.error;
    return result;
  }

  registerTaskDefinition(input: TaskDefinitionInput): Promise<TaskDefinition> {
    return this.#call("registerTaskDefinition", () => {
      const revision = (this.definitions.get(input.family)?.revision ?? 0) + 1;
      const definition: TaskDefinition = {
        ...input,
        taskDefinitionArn: `${account}:task-definition/${input.family}:${revision}`,
        revision,
        status: "ACTIVE",
      };
      this.definitions.set(input.family, definition);
      return definition;
    });
  }

  describeTaskDefinition(name: string): Promise<TaskDefinition | undefined> {
    return this.#call("describeTaskDefinition", () => this.#definition(name));
  }

  #definition(name: string): TaskDefinition | undefined {
    return this.definitions.get(name) ?? [...this.definitions.values()].find(({ taskDefinitionArn }) => taskDefinitionArn === name);
  }

  startTask(input: StartTaskInput) {
    return this.#call("startTask", () => {
      this.starts.push(input);
      const refusal = this.#refusals.shift();
      if (refusal) return { tasks: [], failures: [refusal] };
      const definition = this.#definition(input.taskDefinition);
      const id = String(++this.#count).padStart(32, "0");
      const taskArn = `${account}:task/${this.cluster}/${id}`;
      const task: Task = {
        taskArn,
        clusterArn: `${account}:cluster/${this.cluster}`,
        taskDefinitionArn: definition?.taskDefinitionArn ?? input.taskDefinition,
        containerInstanceArn: input.containerInstances[0] ?? "",
        lastStatus: "PENDING",
        desiredStatus: "RUNNING",
        ...(input.startedBy && { startedBy: input.startedBy }),
        version: 1,
        containers: (definition?.containerDefinitions ?? []).map(({ name, image }) => ({
          containerArn: `${account}:container/${this.cluster}/${id}/${name}`,
          name,
          image,
          lastStatus: "PENDING",
        })),
        ...(input.overrides && { overrides: input.overrides }),
        ...(input.tags && { tags: input.tags }),
        createdAt: this.#clock.now(),
      };
      this.tasks.set(taskArn, task);
      return { tasks: [task], failures: [] };
    });
  }

  stopTask({ task }: { readonly task: string }): Promise<void> {
    return this.#call("stopTask", () => {
      const found = this.tasks.get(task);
      if (found && found.desiredStatus !== "STOPPED") {
        this.change(task, { desiredStatus: "STOPPED", lastStatus: "STOPPING", stopCode: "UserInitiated", stoppingAt: this.#clock.now() });
      }
    });
  }

  describeTasks({ tasks }: { readonly tasks: readonly string[] }) {
    return this.#call("describeTasks", () => {
      const found = tasks.flatMap((arn) => this.tasks.get(arn) ?? []);
      const missing = tasks.filter((arn) => !this.tasks.has(arn)).map((arn): Failure => ({ arn, reason: "MISSING" }));
      return { tasks: found, failures: missing };
    });
  }

  listTasks({ startedBy, desiredStatus = "RUNNING" }: { readonly startedBy?: string; readonly desiredStatus?: "RUNNING" | "STOPPED" }) {
    return this.#call("listTasks", () => ({
      taskArns: [...this.tasks.values()]
        .filter((task) => task.desiredStatus === desiredStatus && (startedBy === undefined || task.startedBy === startedBy))
        .map(({ taskArn }) => taskArn),
    }));
  }

  listContainerInstances() {
    // As Amazon ECS does: what was deregistered is described for a while, but not listed.
    const listed = () => [...this.instances.values()].filter(({ status }) => status !== "INACTIVE");
    return this.#call("listContainerInstances", () => ({
      containerInstanceArns: listed().map(({ containerInstanceArn }) => containerInstanceArn),
    }));
  }

  describeContainerInstances({ containerInstances }: { readonly containerInstances: readonly string[] }) {
    return this.#call("describeContainerInstances", () => ({
      containerInstances: containerInstances.flatMap((arn) => this.instances.get(arn) ?? []),
      failures: [],
    }));
  }

  /** The task started last for a Pod. */
  taskOf(uid: string): Task {
    const task = [...this.tasks.values()].findLast(({ startedBy }) => startedBy === uid);
    if (!task) throw new Error(`no task was started by ${uid}`);
    return task;
  }

  change(taskArn: string, change: Partial<Task>): Task {
    const task = this.tasks.get(taskArn);
    if (!task) throw new Error(`no such task: ${taskArn}`);
    const next = { ...task, ...change, version: task.version + 1 };
    this.tasks.set(taskArn, next);
    this.onChange(next);
    return next;
  }

  /** All containers run, or those that are named. */
  run(uid: string, containers?: readonly string[]): Task {
    const task = this.taskOf(uid);
    return this.change(task.taskArn, {
      lastStatus: "RUNNING",
      startedAt: this.#clock.now(),
      attachments: [{ id: "eni", type: "eni", status: "ATTACHED", details: [{ name: "privateIPv4Address", value: "10.0.1.7" }] }],
      containers: task.containers.map(
        (container): TaskContainer =>
          containers && !containers.includes(container.name)
            ? container
            : { ...container, lastStatus: "RUNNING", runtimeId: `r-${container.name}`, imageDigest: "sha256:abc" },
      ),
    });
  }

  /** The task stops; exit codes by container, or the reason why a container never ran. */
  stop(uid: string, containers: Readonly<Record<string, number | string>>, change: Partial<Task> = {}): Task {
    const task = this.taskOf(uid);
    return this.change(task.taskArn, {
      lastStatus: "STOPPED",
      desiredStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
      stoppedAt: this.#clock.now(),
      containers: task.containers.map((container): TaskContainer => {
        const outcome = containers[container.name];
        const stopped = { ...container, lastStatus: "STOPPED" as const };
        if (outcome === undefined) return stopped;
        return typeof outcome === "string" ? { ...stopped, reason: outcome } : { ...stopped, exitCode: outcome };
      }),
      ...change,
    });
  }
}

export const aContainerInstance = (given: Partial<ContainerInstance> = {}): ContainerInstance => ({
  containerInstanceArn: `${account}:container-instance/binnacle-default/${given.ec2InstanceId ?? "i-1"}`,
  ec2InstanceId: "i-1",
  status: "ACTIVE",
  agentConnected: true,
  registeredResources: [
    { name: "CPU", type: "INTEGER", integerValue: 2048 },
    { name: "MEMORY", type: "INTEGER", integerValue: 7680 },
  ],
  remainingResources: [],
  attributes: [
    { name: "ecs.availability-zone", value: "eu-west-1a" },
    { name: "ecs.instance-type", value: "m7g.large" },
    { name: "ecs.cpu-architecture", value: "arm64" },
    { name: "ecs.os-type", value: "linux" },
  ],
  runningTasksCount: 0,
  pendingTasksCount: 0,
  version: 1,
  ...given,
});
