/** Container instances: the machines of a cluster, what they offer and what is left of it. */
import { randomUUID } from "node:crypto";
import type { InstanceResource } from "../../shared/kubelet/task-engine.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import { booleanMember, type Input, isInput, stringMember, stringsMember, structuresMember } from "../wire/input.ts";
import { clientException, invalidParameter } from "./errors.ts";
import { type EventSink, instanceStateChange } from "./events.ts";
import { limits } from "./limits.ts";
import type { Cluster, ContainerInstance, Failure, InstanceRecord, Reservation } from "./model.ts";
import { page } from "./paging.ts";
import { clusterArn, memberArn, requiredCluster } from "./references.ts";
import type { EcsState } from "./state.ts";
import { readTags } from "./tags.ts";

/** What an agent says of its machine. */
export interface InstanceRegistration {
  readonly clusterName: string;
  readonly ec2InstanceId: string;
  readonly totalResources: readonly InstanceResource[];
  readonly attributes: readonly { readonly name: string; readonly value?: string }[];
  readonly eniSlots: number;
  readonly tags?: ContainerInstance["tags"];
}

export interface ContainerInstances {
  readonly operations: Readonly<
    Record<
      | "RegisterContainerInstance"
      | "DeregisterContainerInstance"
      | "DescribeContainerInstances"
      | "ListContainerInstances"
      | "UpdateContainerInstancesState",
      (input: Input) => unknown
    >
  >;
  register(registration: InstanceRegistration): InstanceRecord;
  /** The agent's connection came or went. */
  connected(containerInstanceArn: string, agentConnected: boolean): void;
  /** The instance is no longer part of its cluster. */
  retire(containerInstanceArn: string): void;
  /** What was placed on the instance changed: its version grows and it sends an event. */
  touch(containerInstanceArn: string): void;
  /** What a task can still get; ENI slots included. */
  remaining(record: InstanceRecord): Reservation;
}

/** Ports that the agent and SSH keep for themselves. */
const reservedPorts = ["22", "2375", "2376", "51678", "51679"];

/** The agent that the emulation pretends to be. */
const versionInfo = { agentVersion: "1.98.0", agentHash: "00000000", dockerVersion: "DockerVersion: 27.5.1" };

export function containerInstances(options: {
  readonly state: EcsState;
  readonly account: Account;
  readonly clock: Clock;
  readonly events: EventSink;
}): ContainerInstances {
  const { state, account, clock, events } = options;

  const remaining = (record: InstanceRecord): Reservation => {
    const total = (name: string) => record.instance.registeredResources.find((resource) => resource.name === name);
    const reserved = state.tasksOn(record.instance.containerInstanceArn).map((task) => task.reserved);
    const sum = (amount: (reservation: Reservation) => number) => reserved.reduce((all, one) => all + amount(one), 0);
    return {
      cpu: (total("CPU")?.integerValue ?? 0) - sum(({ cpu }) => cpu),
      memory: (total("MEMORY")?.integerValue ?? 0) - sum(({ memory }) => memory),
      gpu: (total("GPU")?.stringSetValue?.length ?? 0) - sum(({ gpu }) => gpu),
      eni: record.eniSlots - sum(({ eni }) => eni),
      ports: [...(total("PORTS")?.stringSetValue ?? []), ...reserved.flatMap(({ ports }) => ports)],
      udpPorts: [...(total("PORTS_UDP")?.stringSetValue ?? []), ...reserved.flatMap(({ udpPorts }) => udpPorts)],
    };
  };

  const remainingResources = (record: InstanceRecord): readonly InstanceResource[] => {
    const left = remaining(record);
    return record.instance.registeredResources.map((resource) => {
      if (resource.name === "CPU") return { ...resource, integerValue: left.cpu };
      if (resource.name === "MEMORY") return { ...resource, integerValue: left.memory };
      if (resource.name === "PORTS") return { ...resource, stringSetValue: left.ports };
      if (resource.name === "PORTS_UDP") return { ...resource, stringSetValue: left.udpPorts };
      if (resource.name === "GPU") return { ...resource, stringSetValue: resource.stringSetValue?.slice(0, left.gpu) ?? [] };
      return resource;
    });
  };

  const put = (record: InstanceRecord, change: Partial<ContainerInstance>): InstanceRecord => {
    const changed = { ...record, instance: { ...record.instance, ...change, version: record.instance.version + 1 } };
    state.instances.put(changed.instance.containerInstanceArn, changed);
    const { clusterName, instance } = changed;
    events.publish(instanceStateChange(account, clusterArn(account, clusterName), instance, remainingResources(changed), clock.now()));
    return changed;
  };

  const shown = (record: InstanceRecord, withTags: boolean) => {
    const tasks = state.tasksOn(record.instance.containerInstanceArn);
    return {
      ...record.instance,
      tags: withTags ? record.instance.tags : [],
      remainingResources: remainingResources(record),
      runningTasksCount: tasks.filter(({ task }) => task.lastStatus === "RUNNING").length,
      pendingTasksCount: tasks.filter(({ task }) => ["PROVISIONING", "PENDING", "ACTIVATING"].includes(task.lastStatus)).length,
    };
  };

  const find = (cluster: Cluster, reference: string): InstanceRecord | undefined =>
    state.instances.get(memberArn(account, cluster, "container-instance", reference));

  const register = (registration: InstanceRegistration): InstanceRecord => {
    const { clusterName, ec2InstanceId, totalResources, attributes, eniSlots, tags = [] } = registration;
    const instances = [...state.instances.values()].filter((record) => record.clusterName === clusterName);
    if (instances.filter(({ instance }) => instance.status !== "INACTIVE").length >= limits.instancesPerCluster) {
      throw clientException("The maximum number of container instances per cluster was reached.");
    }
    const known = instances.find(({ instance }) => instance.ec2InstanceId === ec2InstanceId && instance.status !== "INACTIVE");
    if (known) return put({ ...known, eniSlots }, { agentConnected: true, attributes });
    const instance: ContainerInstance = {
      containerInstanceArn: arn(account, "ecs", `container-instance/${clusterName}/${randomUUID().replaceAll("-", "")}`),
      ec2InstanceId,
      version: 0,
      status: "ACTIVE",
      agentConnected: true,
      registeredResources: withPorts(totalResources),
      attributes,
      versionInfo,
      registeredAt: clock.now().getTime() / 1_000,
      tags,
    };
    return put({ clusterName, instance, eniSlots }, {});
  };

  const change = (containerInstanceArn: string, changed: Partial<ContainerInstance>) => {
    const record = state.instances.get(containerInstanceArn);
    if (record && record.instance.status !== "INACTIVE") put(record, changed);
  };

  return {
    register,
    remaining,
    connected: (containerInstanceArn, agentConnected) => change(containerInstanceArn, { agentConnected }),
    retire: (containerInstanceArn) => change(containerInstanceArn, { status: "INACTIVE", agentConnected: false }),
    touch: (containerInstanceArn) => change(containerInstanceArn, {}),
    operations: {
      RegisterContainerInstance(input) {
        const cluster = requiredCluster(state, input);
        const document = identityDocument(stringMember(input, "instanceIdentityDocument"));
        const attributes = (structuresMember(input, "attributes") ?? []).map(readAttribute);
        const record = register({
          clusterName: cluster.clusterName,
          ec2InstanceId: document.instanceId,
          totalResources: (structuresMember(input, "totalResources") ?? []) as unknown as readonly InstanceResource[],
          attributes: [
            { name: "ecs.availability-zone", value: document.availabilityZone },
            { name: "ecs.instance-type", value: document.instanceType },
            ...attributes,
          ],
          // An instance that tells no more has one interface for itself and, as the smallest types, one for a task.
          eniSlots: 1,
          tags: readTags(input),
        });
        return { containerInstance: shown(record, true) };
      },
      DeregisterContainerInstance(input) {
        const cluster = requiredCluster(state, input);
        const record = find(cluster, stringMember(input, "containerInstance") ?? "");
        if (!record || record.instance.status === "INACTIVE") throw invalidParameter("The referenced container instance was not found.");
        const force = booleanMember(input, "force") ?? false;
        if (!force && state.tasksOn(record.instance.containerInstanceArn).length > 0) {
          throw invalidParameter("Found running tasks on the instance.");
        }
        return { containerInstance: shown(put(record, { status: "INACTIVE", agentConnected: false }), true) };
      },
      DescribeContainerInstances(input) {
        const cluster = requiredCluster(state, input);
        const asked = described(input, "containerInstances", "Container instances");
        const withTags = stringsMember(input, "include")?.includes("TAGS") ?? false;
        const found: unknown[] = [];
        const failures: Failure[] = [];
        for (const reference of asked) {
          const record = find(cluster, reference);
          if (record) found.push(shown(record, withTags));
          else failures.push({ arn: memberArn(account, cluster, "container-instance", reference), reason: "MISSING" });
        }
        return { containerInstances: found, failures };
      },
      ListContainerInstances(input) {
        const cluster = requiredCluster(state, input);
        const status = stringMember(input, "status");
        if (stringMember(input, "filter")) throw invalidParameter("The cluster query language is not emulated: leave out filter.");
        const arns = [...state.instances.values()]
          .filter(
            ({ clusterName, instance }) =>
              clusterName === cluster.clusterName && (status === undefined ? instance.status !== "INACTIVE" : instance.status === status),
          )
          .map(({ instance }) => instance.containerInstanceArn);
        const { ids, ...rest } = page(arns.toSorted(), input);
        return { containerInstanceArns: ids, ...rest };
      },
      UpdateContainerInstancesState(input) {
        const cluster = requiredCluster(state, input);
        const status = stringMember(input, "status");
        if (status !== "ACTIVE" && status !== "DRAINING")
          throw invalidParameter("Container instance status should be one of [ACTIVE,DRAINING]");
        const asked = described(input, "containerInstances", "Container instances", 10);
        const found: unknown[] = [];
        const failures: Failure[] = [];
        for (const reference of asked) {
          const record = find(cluster, reference);
          if (!record) failures.push({ arn: memberArn(account, cluster, "container-instance", reference), reason: "MISSING" });
          else if (record.instance.status === "INACTIVE") failures.push({ arn: record.instance.containerInstanceArn, reason: "INACTIVE" });
          else found.push(shown(put(record, { status }), false));
        }
        return { containerInstances: found, failures };
      },
    },
  };
}

/** The ids that a request names: at least one, at most 100. */
export function described(input: Input, member: string, title: string, most: number = limits.describedAtOnce): readonly string[] {
  const asked = stringsMember(input, member) ?? [];
  if (asked.length === 0) throw invalidParameter(`${title} cannot be empty.`);
  if (asked.length > most) throw invalidParameter(`${title} cannot have more than ${most} elements.`);
  return asked;
}

function readAttribute(input: Input): { readonly name: string; readonly value?: string } {
  const value = stringMember(input, "value");
  return { name: stringMember(input, "name") ?? "", ...(value !== undefined && { value }) };
}

function identityDocument(text: string | undefined): { instanceId: string; instanceType: string; availabilityZone: string } {
  let document: unknown;
  try {
    document = JSON.parse(text ?? "");
  } catch {
    document = undefined;
  }
  if (!isInput(document)) throw clientException("Instance identity document is not valid JSON.");
  const member = (name: string): string => {
    const value = document[name];
    if (typeof value !== "string") throw clientException(`Instance identity document has no ${name}.`);
    return value;
  };
  return { instanceId: member("instanceId"), instanceType: member("instanceType"), availabilityZone: member("availabilityZone") };
}

const withPorts = (resources: readonly InstanceResource[]): readonly InstanceResource[] => [
  ...resources.filter(({ name }) => name !== "PORTS" && name !== "PORTS_UDP"),
  { name: "PORTS", type: "STRINGSET", stringSetValue: reservedPorts },
  { name: "PORTS_UDP", type: "STRINGSET", stringSetValue: [] },
];
