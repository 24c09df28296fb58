/** Tasks: starting, stopping, describing, listing; and what the engine reports of them. */
import { randomBytes, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { ProbeReport } from "../../shared/kubelet/probes.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import type { Engine, EngineContainer, EngineReports, EngineTask, TaskChange } from "../engine/engine.ts";
import type { Vpc } from "../nodes/vpc.ts";
import { type Input, numberMember, stringMember, stringsMember } from "../wire/input.ts";
import { ServiceError } from "../wire/service-error.ts";
import { type ContainerInstances, described } from "./container-instances.ts";
import { clientException, conflict, invalidParameter } from "./errors.ts";
import { type EventSink, taskStateChange } from "./events.ts";
import { consistencyDelayMs, limits } from "./limits.ts";
import type { Attachment, Cluster, Container, EcsTask, Failure, InstanceRecord, Reservation, TaskRecord } from "./model.ts";
import { page } from "./paging.ts";
import { choose, whyNot } from "./placement.ts";
import { memberArn, requiredCluster } from "./references.ts";
import { applyOverrides, readStartInput, type StartInput } from "./start-input.ts";
import type { EcsState } from "./state.ts";
import { withChange } from "./task-changes.ts";
import { sizeOf, type TaskDefinitions } from "./task-definitions.ts";

export interface Tasks {
  readonly operations: Readonly<
    Record<"StartTask" | "RunTask" | "StopTask" | "DescribeTasks" | "ListTasks" | "ExecuteCommand", (input: Input) => unknown>
  >;
  readonly reports: EngineReports;
  /** Hands the tasks that an earlier process left over to the engine. */
  adopt(): void;
  /** The instance's agent reports again: what it could not say meanwhile is told now. */
  flush(containerInstanceArn: string): void;
  /** The instance is gone, and the tasks on it with it. */
  lose(containerInstanceArn: string): void;
}

export interface TasksOptions {
  readonly state: EcsState;
  readonly account: Account;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly instances: ContainerInstances;
  readonly definitions: TaskDefinitions;
  readonly vpc: Vpc;
  readonly engine: () => Engine;
  readonly probed: (report: ProbeReport) => void;
  /** @throws {ServiceError} ThrottlingException */
  readonly takeFargateTokens: (tasks: number) => void;
}

export function tasks(options: TasksOptions): Tasks {
  const { state, account, clock, events, instances, definitions, vpc, engine } = options;
  /** What agents without a connection could not report yet, by instance ARN. */
  const unreported = new Map<string, { readonly taskArn: string; readonly change: TaskChange }[]>();

  const put = (record: TaskRecord, previous: TaskRecord | undefined): void => {
    state.tasks.put(record.task.taskArn, record);
    if (previous && previous.task.version === record.task.version) return;
    events.publish(taskStateChange(account, record.task, clock.now()));
    const takesOrFrees = !previous || (record.task.lastStatus === "STOPPED" && previous.task.lastStatus !== "STOPPED");
    if (takesOrFrees && record.task.containerInstanceArn) instances.touch(record.task.containerInstanceArn);
  };

  const apply = (taskArn: string, change: TaskChange): void => {
    const record = state.tasks.get(taskArn);
    if (!record) return;
    const next = withChange(record, change, clock.now().getTime());
    put(next, record);
    if (next.task.lastStatus === "STOPPED" && record.task.lastStatus !== "STOPPED") release(next.task);
  };

  const release = (task: EcsTask): void => {
    const address = addressOf(task);
    if (address !== undefined) vpc.release(address);
  };

  const begin = (start: StartInput, cluster: Cluster, where: Place, reserved: Reservation): EcsTask => {
    const now = clock.now();
    const { task, address } = newTask(start, cluster, where, account, now);
    const record: TaskRecord = { task, visibleAt: now.getTime() + consistencyDelayMs, reserved, containerStartedAt: {} };
    put(record, undefined);
    engine().start(engineTask(record, start.containers, start.definition, where.ec2InstanceId, address));
    return task;
  };

  /** An address in a subnet of the zone, or why there is none. */
  const attach = (start: StartInput, zone: string | undefined): { address?: string; subnetId?: string; zone?: string } | Failure => {
    if (start.subnets.length === 0) return {};
    const known = start.subnets.flatMap((id) => vpc.subnets.find(({ subnetId }) => subnetId === id) ?? []);
    if (known.length < start.subnets.length) {
      const missing = start.subnets.find((id) => !known.some(({ subnetId }) => subnetId === id));
      throw invalidParameter(`The subnet ID '${missing}' does not exist`);
    }
    for (const subnet of known) {
      if (zone !== undefined && subnet.zone !== zone) continue;
      const address = vpc.allocate(subnet.subnetId);
      if (address !== undefined) return { address, subnetId: subnet.subnetId, zone: subnet.zone };
    }
    return { reason: "ATTRIBUTE", detail: `No subnet in ${zone ?? "any zone"} has a free address.` };
  };

  const placeOn = (record: InstanceRecord, start: StartInput, cluster: Cluster, reserved: Reservation): EcsTask | Failure => {
    const { instance } = record;
    const attribute = (name: string) => instance.attributes.find((one) => one.name === name)?.value;
    const zone = attribute("ecs.availability-zone") ?? "";
    const architecture = attribute("ecs.cpu-architecture");
    const attached = attach(start, zone);
    if ("reason" in attached) return { ...attached, arn: instance.containerInstanceArn };
    const { ec2InstanceId, containerInstanceArn } = instance;
    return begin(
      start,
      cluster,
      {
        ...attached,
        zone,
        containerInstanceArn,
        ec2InstanceId,
        ...(architecture !== undefined && { architecture }),
        launchType: "EC2",
      },
      reserved,
    );
  };

  const operations: Tasks["operations"] = {
    StartTask(input) {
      const cluster = requiredCluster(state, input);
      const references = stringsMember(input, "containerInstances") ?? [];
      if (references.length === 0) throw invalidParameter("Container instances cannot be empty.");
      if (references.length > limits.instancesPerStartTask) {
        throw invalidParameter(`Container instances cannot have more than ${limits.instancesPerStartTask} elements.`);
      }
      const record = definitions.toStart(stringMember(input, "taskDefinition") ?? "");
      const only = record.definition.requiresCompatibilities;
      if (only && only.length > 0 && !only.includes("EC2")) throw invalidParameter("Task definition does not support launch_type EC2.");
      const start = readStartInput(input, record);
      const reserved = reservation(start);
      const arns = references.map((reference) => memberArn(account, cluster, "container-instance", reference));
      return started(
        arns.map((containerInstanceArn): EcsTask | Failure => {
          const instance = state.instances.get(containerInstanceArn);
          if (!instance) return { arn: containerInstanceArn, reason: "MISSING" };
          return whyNot(instance, instances.remaining(instance), reserved) ?? placeOn(instance, start, cluster, reserved);
        }),
      );
    },

    RunTask(input) {
      const token = stringMember(input, "clientToken");
      const repeated = token === undefined ? undefined : state.clientTokens.get(token);
      if (repeated) {
        if (!isDeepStrictEqual(repeated.input, input)) {
          throw conflict("The client token was used already for a request with other parameters.");
        }
        const { taskArns, failures } = repeated.output;
        return { tasks: taskArns.flatMap((taskArn) => state.tasks.get(taskArn)?.task ?? []), failures };
      }
      const cluster = requiredCluster(state, input);
      const record = definitions.toStart(stringMember(input, "taskDefinition") ?? "");
      const launchType = stringMember(input, "launchType") ?? "EC2";
      if (launchType !== "EC2" && launchType !== "FARGATE") throw invalidParameter(`The launch type ${launchType} is not emulated.`);
      if (input.capacityProviderStrategy != null) throw invalidParameter("Capacity providers are not emulated: use launchType.");
      if (!record.definition.compatibilities.includes(launchType)) {
        throw invalidParameter(`Task definition does not support launch_type ${launchType}.`);
      }
      const count = numberMember(input, "count") ?? 1;
      if (!Number.isInteger(count) || count < 1 || count > limits.tasksPerRunTask) {
        throw invalidParameter(`count should be between 1 and ${limits.tasksPerRunTask}`);
      }
      const start = readStartInput(input, record);
      const output = started(launchType === "FARGATE" ? onFargate(start, cluster, count) : onInstances(start, cluster, count));
      if (token !== undefined) {
        state.clientTokens.put(token, {
          input,
          output: { taskArns: output.tasks.map(({ taskArn }) => taskArn), failures: output.failures },
          createdAt: clock.now().getTime() / 1_000,
        });
      }
      return output;
    },

    StopTask(input) {
      const cluster = requiredCluster(state, input);
      const record = state.tasks.get(memberArn(account, cluster, "task", stringMember(input, "task") ?? ""));
      if (!record) throw invalidParameter("The referenced task was not found.");
      if (record.task.desiredStatus === "STOPPED") return { task: record.task };
      const stopped = withChange(
        // Stopping a task deletes its tags.
        { ...record, task: { ...record.task, tags: [] } },
        { stop: { stopCode: "UserInitiated", stoppedReason: stringMember(input, "reason") ?? "Task stopped by user" } },
        clock.now().getTime(),
      );
      put(stopped, record);
      engine().stop(stopped.task.taskArn);
      return { task: stopped.task };
    },

    DescribeTasks(input) {
      const cluster = requiredCluster(state, input);
      const withTags = stringsMember(input, "include")?.includes("TAGS") ?? false;
      const found: EcsTask[] = [];
      const failures: Failure[] = [];
      for (const reference of described(input, "tasks", "Tasks")) {
        const taskArn = memberArn(account, cluster, "task", reference);
        const record = state.tasks.get(taskArn);
        if (record && record.visibleAt <= clock.now().getTime()) found.push(withTags ? record.task : { ...record.task, tags: [] });
        else failures.push({ arn: taskArn, reason: "MISSING" });
      }
      return { tasks: found, failures };
    },

    ListTasks(input) {
      const cluster = requiredCluster(state, input);
      const wanted = {
        desiredStatus: stringMember(input, "desiredStatus") ?? "RUNNING",
        startedBy: stringMember(input, "startedBy"),
        family: stringMember(input, "family"),
        launchType: stringMember(input, "launchType"),
        instance: stringMember(input, "containerInstance"),
      };
      if (!["RUNNING", "STOPPED"].includes(wanted.desiredStatus))
        throw invalidParameter("desiredStatus should be one of [RUNNING,STOPPED]");
      if (wanted.startedBy !== undefined && (wanted.family ?? wanted.instance ?? wanted.launchType) !== undefined) {
        throw invalidParameter("startedBy must be the only filter.");
      }
      if (stringMember(input, "serviceName") !== undefined) throw new ServiceError("ServiceNotFoundException", "Service not found.");
      const onInstance = wanted.instance === undefined ? undefined : memberArn(account, cluster, "container-instance", wanted.instance);
      const now = clock.now().getTime();
      const arns: string[] = [];
      for (const { task, visibleAt } of state.tasks.values()) {
        if (
          visibleAt <= now &&
          task.clusterArn === cluster.clusterArn &&
          task.desiredStatus === wanted.desiredStatus &&
          (wanted.startedBy === undefined || task.startedBy === wanted.startedBy) &&
          (wanted.family === undefined || familyOf(task) === wanted.family) &&
          (wanted.launchType === undefined || task.launchType === wanted.launchType) &&
          (onInstance === undefined || task.containerInstanceArn === onInstance)
        ) {
          arns.push(task.taskArn);
        }
      }
      const { ids, ...rest } = page(arns.toSorted(), input);
      return { taskArns: ids, ...rest };
    },

    ExecuteCommand(input) {
      const cluster = requiredCluster(state, input);
      const record = state.tasks.get(memberArn(account, cluster, "task", stringMember(input, "task") ?? ""));
      if (!record) throw invalidParameter("The referenced task was not found.");
      throw invalidParameter(
        "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn't running. Wait and try again or run a new task with execute command enabled and try again.",
      );
    },
  };

  const onInstances = (start: StartInput, cluster: Cluster, count: number): (EcsTask | Failure)[] => {
    const reserved = reservation(start);
    const candidates = [...state.instances.values()].filter(
      ({ clusterName, instance }) => clusterName === cluster.clusterName && instance.status !== "INACTIVE",
    );
    if (candidates.length === 0) throw invalidParameter("No Container Instances were found in your cluster.");
    return Array.from({ length: count }, () => {
      const choice = choose(
        candidates.map((record) => ({ record, left: instances.remaining(record) })),
        reserved,
      );
      return "record" in choice ? placeOn(choice.record, start, cluster, reserved) : choice.tried;
    }).flat();
  };

  const onFargate = (start: StartInput, cluster: Cluster, count: number): (EcsTask | Failure)[] => {
    options.takeFargateTokens(count);
    const { cpu, memory } = sizeOf(start.definition, start.containers);
    const running = [...state.tasks.values()]
      .filter(({ task }) => task.launchType === "FARGATE" && task.lastStatus !== "STOPPED")
      .reduce((total, { task }) => total + Number(task.cpu), 0);
    if (running + count * cpu > limits.fargateVcpus * 1_024) {
      throw clientException("You've reached the limit on the number of vCPUs you can run concurrently");
    }
    const reserved = { cpu, memory, gpu: 0, eni: 1, ports: [], udpPorts: [] };
    return Array.from({ length: count }, () => {
      const attached = attach(start, undefined);
      return "reason" in attached
        ? attached
        : begin(start, cluster, { ...attached, zone: attached.zone ?? "", launchType: "FARGATE" }, reserved);
    });
  };

  const disconnected = (taskArn: string): string | undefined => {
    const containerInstanceArn = state.tasks.get(taskArn)?.task.containerInstanceArn;
    if (containerInstanceArn === undefined) return undefined;
    return state.instances.get(containerInstanceArn)?.instance.agentConnected === false ? containerInstanceArn : undefined;
  };

  return {
    operations,
    reports: {
      changed(taskArn, change) {
        const cutOff = disconnected(taskArn);
        if (cutOff === undefined) return apply(taskArn, change);
        const waiting = unreported.get(cutOff) ?? [];
        waiting.push({ taskArn, change });
        unreported.set(cutOff, waiting);
      },
      probed(report) {
        const record = state.tasks.get(report.taskArn);
        if (!record || disconnected(report.taskArn) !== undefined) return;
        state.tasks.put(report.taskArn, { ...record, lastReport: report });
        options.probed(report);
      },
    },
    flush(containerInstanceArn) {
      const waiting = unreported.get(containerInstanceArn) ?? [];
      unreported.delete(containerInstanceArn);
      for (const { taskArn, change } of waiting) apply(taskArn, change);
    },
    lose(containerInstanceArn) {
      unreported.delete(containerInstanceArn);
      const instanceId = state.instances.get(containerInstanceArn)?.instance.ec2InstanceId ?? "";
      for (const { task } of state.tasksOn(containerInstanceArn)) {
        engine().lose(task.taskArn);
        apply(task.taskArn, {
          stop: { stopCode: "TerminationNotice", stoppedReason: `Host EC2 (instance ${instanceId}) terminated.` },
          containers: task.containers.map(({ name }) => ({ name, lastStatus: "STOPPED" as const })),
          lastStatus: "STOPPED",
        });
      }
    },
    adopt() {
      const running = new Set<string>();
      for (const record of state.tasks.values()) {
        const { task } = record;
        if (task.lastStatus === "STOPPED") continue;
        running.add(task.taskArn);
        const address = addressOf(task);
        if (address !== undefined) vpc.reserve(address);
        const { definition } = state.taskDefinitions.get(task.taskDefinitionArn.split("/").at(-1) ?? "") ?? {};
        if (!definition) continue;
        const containers = applyOverrides(definition.containerDefinitions, task.overrides);
        const instanceId = state.instances.get(task.containerInstanceArn ?? "")?.instance.ec2InstanceId;
        engine().start(engineTask(record, containers, definition, instanceId, address), {
          lastStatus: task.lastStatus,
          desiredStatus: task.desiredStatus,
          containers: Object.fromEntries(
            task.containers.map(({ name, lastStatus, runtimeId, exitCode }) => {
              const startedAt = record.containerStartedAt[name];
              return [
                name,
                {
                  lastStatus,
                  ...(runtimeId !== undefined && { runtimeId }),
                  ...(exitCode !== undefined && { exitCode }),
                  ...(startedAt !== undefined && { startedAt }),
                },
              ];
            }),
          ),
          ...(record.lastReport && { lastReport: record.lastReport }),
        });
      }
      engine().keepOnly(running);
    },
  };
}

/** Where a task is to run. */
interface Place {
  readonly launchType: "EC2" | "FARGATE";
  readonly zone: string;
  readonly architecture?: string;
  readonly containerInstanceArn?: string;
  readonly ec2InstanceId?: string;
  readonly subnetId?: string;
  readonly address?: string;
}

const started = (
  results: readonly (EcsTask | Failure)[],
): { readonly tasks: readonly EcsTask[]; readonly failures: readonly Failure[] } => ({
  tasks: results.filter((result) => "taskArn" in result),
  failures: results.filter((result): result is Failure => !("taskArn" in result)),
});

const familyOf = ({ taskDefinitionArn }: EcsTask): string | undefined => /task-definition\/([^:]+):/u.exec(taskDefinitionArn)?.[1];

const addressOf = ({ attachments }: EcsTask): string | undefined =>
  attachments[0]?.details.find(({ name }) => name === "privateIPv4Address")?.value;

/** What a task takes of its instance. */
function reservation({ definition, containers }: StartInput): Reservation {
  const awsvpc = definition.networkMode === "awsvpc";
  const hostPorts = (protocol: "tcp" | "udp") =>
    awsvpc
      ? []
      : containers.flatMap(({ portMappings }) =>
          (portMappings ?? []).flatMap((mapping) => {
            const port = definition.networkMode === "host" ? mapping.containerPort : (mapping as { hostPort?: number }).hostPort;
            return mapping.protocol === protocol && port ? [String(port)] : [];
          }),
        );
  return {
    ...sizeOf(definition, containers),
    gpu: containers.reduce(
      (total, { resourceRequirements }) => total + (resourceRequirements ?? []).reduce((sum, { value }) => sum + Number(value), 0),
      0,
    ),
    eni: awsvpc ? 1 : 0,
    ports: hostPorts("tcp"),
    udpPorts: hostPorts("udp"),
  };
}

function newTask(
  start: StartInput,
  cluster: Cluster,
  place: Place,
  account: Account,
  now: Date,
): { readonly task: EcsTask; readonly address: string | undefined } {
  const id = randomUUID().replaceAll("-", "");
  const taskArn = arn(account, "ecs", `task/${cluster.clusterName}/${id}`);
  const attachments = place.address === undefined || place.subnetId === undefined ? [] : [newInterface(place.subnetId, place.address)];
  const size = sizeOf(start.definition, start.containers);
  const containers = start.containers.map(
    (container): Container => ({
      containerArn: arn(account, "ecs", `container/${cluster.clusterName}/${id}/${randomUUID()}`),
      taskArn,
      name: container.name,
      image: container.image,
      lastStatus: "PENDING",
      networkBindings: [],
      networkInterfaces: attachments.map((attachment) => ({
        attachmentId: attachment.id,
        ...(place.address !== undefined && { privateIpv4Address: place.address }),
      })),
      ...(container.healthCheck && { healthStatus: "UNKNOWN" as const }),
      cpu: String(container.cpu ?? 0),
      ...(container.memory !== undefined && { memory: String(container.memory) }),
      ...(container.memoryReservation !== undefined && { memoryReservation: String(container.memoryReservation) }),
    }),
  );
  const task: EcsTask = {
    taskArn,
    clusterArn: cluster.clusterArn,
    taskDefinitionArn: start.definition.taskDefinitionArn,
    ...(place.containerInstanceArn !== undefined && { containerInstanceArn: place.containerInstanceArn }),
    availabilityZone: place.zone,
    launchType: place.launchType,
    ...(place.launchType === "FARGATE" && { platformVersion: "1.4.0", platformFamily: "Linux" }),
    lastStatus: attachments.length > 0 ? "PROVISIONING" : "PENDING",
    desiredStatus: "RUNNING",
    ...(start.startedBy !== undefined && { startedBy: start.startedBy }),
    group: start.group,
    version: 1,
    cpu: String(size.cpu),
    memory: String(size.memory),
    containers,
    overrides: start.overrides,
    attachments,
    attributes: place.architecture === undefined ? [] : [{ name: "ecs.cpu-architecture", value: place.architecture }],
    enableExecuteCommand: start.enableExecuteCommand,
    healthStatus: "UNKNOWN",
    createdAt: now.getTime() / 1_000,
    tags: start.tags,
  };
  return { task, address: place.address };
}

const newInterface = (subnetId: string, address: string): Attachment => ({
  id: randomUUID(),
  type: "ElasticNetworkInterface",
  status: "PRECREATED",
  details: [
    { name: "subnetId", value: subnetId },
    { name: "networkInterfaceId", value: `eni-0${randomBytes(8).toString("hex")}` },
    { name: "macAddress", value: ["0a", ...randomBytes(5).toString("hex").match(/../gu)!].join(":") },
    { name: "privateIPv4Address", value: address },
  ],
});

function engineTask(
  { task }: TaskRecord,
  containers: readonly EngineContainer[],
  definition: Pick<EngineTask, "family" | "pidMode" | "volumes"> & { readonly networkMode?: EngineTask["networkMode"] },
  ec2InstanceId: string | undefined,
  address: string | undefined,
): EngineTask {
  return {
    taskArn: task.taskArn,
    clusterArn: task.clusterArn,
    family: definition.family,
    networkMode: definition.networkMode ?? "bridge",
    ...(definition.pidMode !== undefined && { pidMode: definition.pidMode }),
    ...(address !== undefined && { privateIpv4Address: address }),
    ...(ec2InstanceId !== undefined && { ec2InstanceId }),
    containers,
    volumes: definition.volumes,
    ...(task.startedBy !== undefined && { startedBy: task.startedBy }),
    tags: task.tags,
  };
}
