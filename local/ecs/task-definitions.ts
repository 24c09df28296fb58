/** Task definitions: registering (with the limits and messages of Amazon ECS), describing, listing, deregistering. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import type { EngineContainer } from "../engine/engine.ts";
import { booleanMember, type Input, numberMember, stringMember, stringsMember, structuresMember } from "../wire/input.ts";
import { clientException, invalidParameter } from "./errors.ts";
import { fargateSizes, limits } from "./limits.ts";
import type { TaskDefinition, TaskDefinitionRecord } from "./model.ts";
import { page } from "./paging.ts";
import type { EcsState } from "./state.ts";
import { readTags } from "./tags.ts";

export interface TaskDefinitions {
  readonly operations: Readonly<
    Record<
      | "RegisterTaskDefinition"
      | "DescribeTaskDefinition"
      | "DeregisterTaskDefinition"
      | "ListTaskDefinitions"
      | "ListTaskDefinitionFamilies",
      (input: Input) => unknown
    >
  >;
  /**
   * The definition that a task is to be started from.
   * @throws {ServiceError} ClientException when it does not exist or is inactive
   */
  toStart(reference: string): TaskDefinitionRecord;
}

/** Members of a task definition that are kept as they come. */
const keptMembers = [
  "taskRoleArn",
  "executionRoleArn",
  "pidMode",
  "ipcMode",
  "placementConstraints",
  "proxyConfiguration",
  "runtimePlatform",
  "ephemeralStorage",
  "enableFaultInjection",
  "inferenceAccelerators",
] as const;

/** What the service adds to a container definition that does not say it. */
const containerDefaults = {
  cpu: 0,
  essential: true,
  portMappings: [],
  environment: [],
  mountPoints: [],
  volumesFrom: [],
  systemControls: [],
};

const nameRule = /^[A-Za-z0-9_-]{1,255}$/u;

export function taskDefinitions({
  state,
  account,
  clock,
}: {
  readonly state: EcsState;
  readonly account: Account;
  readonly clock: Clock;
}): TaskDefinitions {
  const idOf = (reference: string): string | undefined => {
    const [, name] = /^(?:arn:[^/]*:task-definition\/)?([^/]+)$/u.exec(reference) ?? [];
    if (name === undefined) return undefined;
    if (/:\d+$/u.test(name)) return name;
    const newest = [...state.taskDefinitions.values()]
      .filter(({ definition }) => definition.family === name && definition.status === "ACTIVE")
      .reduce((highest, { definition }) => Math.max(highest, definition.revision), 0);
    return newest > 0 ? `${name}:${newest}` : undefined;
  };
  const find = (reference: string | undefined): TaskDefinitionRecord | undefined => {
    const id = reference ? idOf(reference) : undefined;
    return id === undefined ? undefined : state.taskDefinitions.get(id);
  };

  return {
    toStart(reference) {
      const record = find(reference);
      if (!record) throw clientException("TaskDefinition not found.");
      if (record.definition.status !== "ACTIVE") throw clientException("TaskDefinition is inactive");
      return record;
    },
    operations: {
      RegisterTaskDefinition(input) {
        // The size counts what was sent, before any default is added.
        const bytes = Buffer.byteLength(JSON.stringify(input));
        if (bytes > limits.taskDefinitionBytes) {
          throw clientException(`Actual length: '${bytes}'. Max allowed length is '${limits.taskDefinitionBytes}' bytes.`);
        }
        const read = readDefinition(input);
        const tags = readTags(input);
        const revision = (state.revisions.get(read.family) ?? 0) + 1;
        if (revision > limits.revisionsPerFamily) throw clientException("The maximum number of revisions per family was reached.");
        const definition: TaskDefinition = {
          ...read,
          taskDefinitionArn: arn(account, "ecs", `task-definition/${read.family}:${revision}`),
          revision,
          status: "ACTIVE",
          registeredAt: clock.now().getTime() / 1_000,
          registeredBy: `arn:aws:iam::${account.accountId}:root`,
        };
        state.revisions.put(read.family, revision);
        state.taskDefinitions.put(`${read.family}:${revision}`, { definition, tags });
        return { taskDefinition: definition, tags };
      },
      DescribeTaskDefinition(input) {
        const record = find(stringMember(input, "taskDefinition"));
        if (!record) throw clientException("Unable to describe task definition.");
        return {
          taskDefinition: record.definition,
          tags: stringsMember(input, "include")?.includes("TAGS") ? record.tags : [],
        };
      },
      DeregisterTaskDefinition(input) {
        const reference = stringMember(input, "taskDefinition") ?? "";
        if (!/:\d+$/u.test(reference)) throw clientException("Missing required parameter: revision");
        const record = find(reference);
        if (!record)
          throw clientException("The specified task definition does not exist. Specify a valid account, family, revision and try again.");
        const { definition } = record;
        if (definition.status === "INACTIVE") {
          throw clientException("The specified task definition does not exist. Specify a valid account, family, revision and try again.");
        }
        const deregistered: TaskDefinition = { ...definition, status: "INACTIVE", deregisteredAt: clock.now().getTime() / 1_000 };
        state.taskDefinitions.put(`${definition.family}:${definition.revision}`, { ...record, definition: deregistered });
        return { taskDefinition: deregistered };
      },
      ListTaskDefinitions(input) {
        const family = stringMember(input, "familyPrefix");
        const status = stringMember(input, "status") ?? "ACTIVE";
        const found = [...state.taskDefinitions.values()].filter(
          ({ definition }) => definition.status === status && (family === undefined || definition.family === family),
        );
        // Revisions are padded so that pages come in the order of numbers; the ARN is looked up again for the answer.
        const byKey = new Map(
          found.map(({ definition }) => [
            `${definition.family}:${String(definition.revision).padStart(9, "0")}`,
            definition.taskDefinitionArn,
          ]),
        );
        const keys = [...byKey.keys()].toSorted();
        if (stringMember(input, "sort") === "DESC") {
          // Only the first page can be asked for backwards: that is what people use it for.
          const { ids } = page(keys.toReversed().slice(0, numberMember(input, "maxResults") ?? limits.pageSize), {
            ...input,
            nextToken: null,
          });
          return { taskDefinitionArns: ids.flatMap((key) => byKey.get(key) ?? []) };
        }
        const { ids, ...rest } = page(keys, input);
        return { taskDefinitionArns: ids.flatMap((key) => byKey.get(key) ?? []), ...rest };
      },
      ListTaskDefinitionFamilies(input) {
        const prefix = stringMember(input, "familyPrefix") ?? "";
        const status = stringMember(input, "status") ?? "ALL";
        const active = new Set<string>();
        const all = new Set<string>();
        for (const { definition } of state.taskDefinitions.values()) {
          all.add(definition.family);
          if (definition.status === "ACTIVE") active.add(definition.family);
        }
        const wanted = [...all].filter(
          (family) => family.startsWith(prefix) && (status === "ALL" || active.has(family) === (status === "ACTIVE")),
        );
        const { ids, ...rest } = page(wanted.toSorted(), input);
        return { families: ids, ...rest };
      },
    },
  };
}

type Read = Omit<TaskDefinition, "taskDefinitionArn" | "revision" | "status" | "registeredAt" | "registeredBy">;

/** Checks what was sent and fills in defaults. */
function readDefinition(input: Input): Read {
  const family = stringMember(input, "family");
  if (!family) throw clientException("Family should not be null or empty.");
  if (!nameRule.test(family)) throw clientException("Family contains invalid characters.");
  const networkMode = stringMember(input, "networkMode");
  if (networkMode !== undefined && !["awsvpc", "bridge", "host", "none"].includes(networkMode)) {
    throw clientException(`Invalid network mode: ${networkMode}`);
  }
  const requires = stringsMember(input, "requiresCompatibilities");
  for (const one of requires ?? []) {
    if (!["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"].includes(one)) throw clientException(`Invalid compatibility: ${one}`);
  }
  const cpu = stringMember(input, "cpu");
  const memory = stringMember(input, "memory");
  const containers = structuresMember(input, "containerDefinitions") ?? [];
  if (containers.length === 0) throw clientException("Container list cannot be empty.");
  if (containers.length > limits.containersPerTaskDefinition) throw clientException("Too many containers.");
  const volumes = (structuresMember(input, "volumes") ?? []).map(readVolume);
  const definitions = containers.map((container) =>
    readContainer(container, {
      awsvpc: networkMode === "awsvpc",
      taskMemory: memory !== undefined,
      volumes: volumes.map(({ name }) => name),
    }),
  );
  checkContainers(definitions);
  const fargate = networkMode === "awsvpc" && fitsFargate(cpu, memory);
  if (requires?.includes("FARGATE")) checkFargate(networkMode, cpu, memory, definitions);
  return {
    family,
    ...(networkMode !== undefined && { networkMode: networkMode as NonNullable<TaskDefinition["networkMode"]> }),
    ...(requires && { requiresCompatibilities: requires }),
    compatibilities: fargate ? ["EC2", "FARGATE"] : ["EC2"],
    containerDefinitions: definitions,
    volumes,
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...Object.fromEntries(keptMembers.flatMap((member) => (input[member] == null ? [] : [[member, input[member]] as const]))),
  };
}

function readVolume(volume: Input): TaskDefinition["volumes"][number] {
  const name = stringMember(volume, "name") ?? "";
  if (!nameRule.test(name)) throw clientException("Volume.name contains invalid characters.");
  return { ...volume, name };
}

function readContainer(
  input: Input,
  { awsvpc, taskMemory, volumes }: { readonly awsvpc: boolean; readonly taskMemory: boolean; readonly volumes: readonly string[] },
): EngineContainer {
  const name = stringMember(input, "name");
  if (!name) throw clientException("Container.name should not be null or empty.");
  if (!nameRule.test(name)) throw clientException("Container.name contains invalid characters.");
  const image = stringMember(input, "image");
  if (!image) throw clientException("Container.image should not be null or empty.");
  if (image.length > 255) throw clientException("Container.image should be 255 characters or less");
  const memory = numberMember(input, "memory");
  const memoryReservation = numberMember(input, "memoryReservation");
  if (memory === undefined && memoryReservation === undefined && !taskMemory) {
    throw clientException(`Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`);
  }
  if (memory !== undefined && memory < 6)
    throw clientException(`Invalid setting for container '${name}'. Container memory must be at least 6 MiB.`);
  if (memory !== undefined && memoryReservation !== undefined && memoryReservation > memory) {
    throw clientException(`Invalid setting for container '${name}'. 'memory' must be greater than 'memoryReservation'.`);
  }
  if (awsvpc) {
    for (const member of ["hostname", "extraHosts", "links"]) {
      if (input[member] != null)
        throw clientException(`Invalid setting for container '${name}'. '${member}' is not supported when the network mode is awsvpc.`);
    }
  }
  for (const member of ["entryPoint", "command"]) stringsMember(input, member);
  booleanMember(input, "essential");
  const portMappings = (structuresMember(input, "portMappings") ?? []).map((mapping) => {
    const containerPort = numberMember(mapping, "containerPort");
    if (containerPort === undefined || containerPort < 1 || containerPort > 65_535)
      throw clientException("Invalid 'containerPort' setting");
    const hostPort = numberMember(mapping, "hostPort") ?? (awsvpc ? containerPort : 0);
    if (awsvpc && hostPort !== containerPort) {
      throw clientException("When networkMode=awsvpc, the host ports and container ports in port mappings must match.");
    }
    const protocol = stringMember(mapping, "protocol") ?? "tcp";
    return { ...mapping, containerPort, hostPort, protocol: protocol as "tcp" | "udp" };
  });
  for (const mount of structuresMember(input, "mountPoints") ?? []) {
    const volume = stringMember(mount, "sourceVolume") ?? "";
    if (!volumes.includes(volume)) throw clientException(`Unknown volume '${volume}'.`);
  }
  const present = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
  return { ...containerDefaults, ...present, name, image, portMappings, essential: booleanMember(input, "essential") ?? true };
}

/** What concerns several containers at once. */
function checkContainers(containers: readonly EngineContainer[]): void {
  const byName = new Map(containers.map((container) => [container.name, container]));
  if (byName.size < containers.length) throw clientException("Container names must be unique within a task definition.");
  if (!containers.some(({ essential }) => essential)) throw clientException("At least one container must be marked as essential.");
  for (const { name, dependsOn } of containers) {
    for (const { containerName, condition } of dependsOn ?? []) {
      const dependency = byName.get(containerName);
      if (!dependency) throw clientException(`Container '${name}' depends on container '${containerName}', which does not exist.`);
      if ((condition === "COMPLETE" || condition === "SUCCESS") && dependency.essential) {
        throw clientException(
          `A container dependency with the condition ${condition} cannot name an essential container: '${containerName}'.`,
        );
      }
      if (condition === "HEALTHY" && !dependency.healthCheck) {
        throw clientException(`Container '${containerName}' needs a health check: '${name}' depends on its being HEALTHY.`);
      }
    }
  }
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) throw clientException("There is a circular dependency between the containers of the task definition.");
    for (const { containerName } of byName.get(name)?.dependsOn ?? []) visit(containerName, [...path, name]);
  };
  for (const { name } of containers) visit(name, []);
}

/** `"0.5 vCPU"`, `"512"` → CPU units; `"1 GB"`, `"1024"` → MiB. */
const cpuUnits = (text: string): number => (/vcpu$/iu.test(text) ? Number.parseFloat(text) * 1_024 : Number(text));
const mebibytes = (text: string): number => (/gb$/iu.test(text) ? Number.parseFloat(text) * 1_024 : Number(text));

const fitsFargate = (cpu: string | undefined, memory: string | undefined): boolean =>
  cpu !== undefined && memory !== undefined && (fargateSizes[cpuUnits(cpu)]?.includes(mebibytes(memory) / 1_024) ?? false);

function checkFargate(
  networkMode: string | undefined,
  cpu: string | undefined,
  memory: string | undefined,
  containers: readonly EngineContainer[],
): void {
  if (networkMode !== "awsvpc") throw clientException("Fargate only supports network mode 'awsvpc'.");
  if (cpu === undefined) throw clientException("Fargate requires that 'cpu' be defined at the task level.");
  if (memory === undefined) throw clientException("Fargate requires that 'memory' be defined at the task level.");
  if (!fitsFargate(cpu, memory)) throw clientException("No Fargate configuration exists for given values.");
  for (const { name, privileged, stopTimeout } of containers) {
    if (privileged) throw clientException("Fargate does not support privileged containers.");
    if (stopTimeout !== undefined && stopTimeout > 120)
      throw invalidParameter(`Invalid setting for container '${name}'. 'stopTimeout' must be at most 120 seconds on Fargate.`);
  }
}

/** What a task of this definition takes of CPU (units) and memory (MiB): the task's own numbers, else the sum of its containers. */
export function sizeOf(
  definition: TaskDefinition,
  containers: readonly EngineContainer[],
): { readonly cpu: number; readonly memory: number } {
  const sum = (value: (container: EngineContainer) => number) => containers.reduce((total, container) => total + value(container), 0);
  return {
    cpu: definition.cpu === undefined ? sum(({ cpu }) => cpu ?? 0) : cpuUnits(definition.cpu),
    memory:
      definition.memory === undefined
        ? sum(({ memory, memoryReservation }) => memoryReservation ?? memory ?? 0)
        : mebibytes(definition.memory),
  };
}
