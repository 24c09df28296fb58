/** The records of the emulated Amazon ECS, in the shapes of its API. Times are seconds since the epoch, as its JSON protocol has them. */
import type { ProbeReport } from "../../shared/kubelet/probes.ts";
import type {
  Failure,
  InstanceResource,
  KeyValuePair,
  Task,
  TaskContainer,
  TaskOverride,
  TaskStatus,
} from "../../shared/kubelet/task-engine.ts";
import type { EngineContainer } from "../engine/engine.ts";
import type { Input } from "../wire/input.ts";

export type { Failure };

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface Cluster {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly tags: readonly Tag[];
  readonly settings: readonly KeyValuePair[];
}

/** Members that are only kept and shown are left out of this type. */
export interface TaskDefinition {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly networkMode?: "awsvpc" | "bridge" | "host" | "none";
  readonly pidMode?: "task" | "host";
  readonly requiresCompatibilities?: readonly string[];
  readonly compatibilities: readonly string[];
  readonly containerDefinitions: readonly EngineContainer[];
  readonly volumes: readonly { readonly name: string; readonly host?: { readonly sourcePath?: string } }[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly registeredAt: number;
  readonly deregisteredAt?: number;
  readonly registeredBy: string;
}

/** What `include: [TAGS]` shows stands beside the definition in the API. */
export interface TaskDefinitionRecord {
  readonly definition: TaskDefinition;
  readonly tags: readonly Tag[];
}

export interface Container extends TaskContainer {
  readonly taskArn: string;
  readonly cpu: string;
  readonly memory?: string;
  readonly memoryReservation?: string;
  readonly networkBindings: readonly never[];
}

export interface Attachment {
  readonly id: string;
  readonly type: "ElasticNetworkInterface";
  readonly status: "PRECREATED" | "ATTACHING" | "ATTACHED" | "DETACHED" | "DELETED";
  readonly details: readonly KeyValuePair[];
}

/** A task as the API shows it. */
export interface EcsTask {
  readonly taskArn: string;
  readonly clusterArn: string;
  readonly taskDefinitionArn: string;
  readonly containerInstanceArn?: string;
  readonly availabilityZone: string;
  readonly launchType: "EC2" | "FARGATE";
  readonly platformVersion?: string;
  readonly platformFamily?: string;
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: "RUNNING" | "STOPPED";
  readonly startedBy?: string;
  readonly group: string;
  readonly version: number;
  readonly cpu: string;
  readonly memory: string;
  readonly containers: readonly Container[];
  readonly overrides: TaskOverride;
  readonly attachments: readonly Attachment[];
  readonly attributes: readonly { readonly name: string; readonly value?: string }[];
  readonly enableExecuteCommand: boolean;
  readonly healthStatus: "HEALTHY" | "UNHEALTHY" | "UNKNOWN";
  readonly connectivity?: "CONNECTED" | "DISCONNECTED";
  readonly connectivityAt?: number;
  readonly stopCode?: NonNullable<Task["stopCode"]>;
  readonly stoppedReason?: string;
  readonly createdAt: number;
  readonly pullStartedAt?: number;
  readonly pullStoppedAt?: number;
  readonly startedAt?: number;
  readonly executionStoppedAt?: number;
  readonly stoppingAt?: number;
  readonly stoppedAt?: number;
  readonly tags: readonly Tag[];
}

/** A task with what only the emulation knows. */
export interface TaskRecord {
  readonly task: EcsTask;
  /** Describe and List do not see the task before (milliseconds since the epoch): the API is eventually consistent. */
  readonly visibleAt: number;
  /** What the task takes from its instance. */
  readonly reserved: Reservation;
  /** When each container started, in milliseconds since the epoch. */
  readonly containerStartedAt: Readonly<Record<string, number>>;
  readonly lastReport?: ProbeReport;
}

export interface Reservation {
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  readonly gpu: number;
  /** Network interfaces: 1 under awsvpc. */
  readonly eni: number;
  /** Host ports under the network modes that share the machine's. */
  readonly ports: readonly string[];
  readonly udpPorts: readonly string[];
}

export interface ContainerInstance {
  readonly containerInstanceArn: string;
  readonly ec2InstanceId: string;
  readonly version: number;
  readonly status: "ACTIVE" | "DRAINING" | "INACTIVE";
  readonly agentConnected: boolean;
  readonly registeredResources: readonly InstanceResource[];
  readonly attributes: readonly { readonly name: string; readonly value?: string }[];
  readonly versionInfo: { readonly agentVersion: string; readonly agentHash: string; readonly dockerVersion: string };
  readonly registeredAt: number;
  readonly tags: readonly Tag[];
}

export interface InstanceRecord {
  readonly clusterName: string;
  readonly instance: ContainerInstance;
  /** Network interfaces that tasks may have on it at once. */
  readonly eniSlots: number;
}

/** What RunTask did for a client token, so that a repeat is answered and not carried out. */
export interface ClientToken {
  readonly input: Input;
  readonly output: { readonly taskArns: readonly string[]; readonly failures: readonly Failure[] };
  readonly createdAt: number;
}
