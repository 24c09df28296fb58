/**
 * The task engine, in Amazon ECS' own vocabulary and shapes (a subset of its API), so that the whole translation from Pod to task
 * runs against AWS and locally alike. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html
 */

export interface KeyValuePair {
  readonly name: string;
  readonly value: string;
}

export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly essential: boolean;
  /** CPU units, 1,024 per vCPU. */
  readonly cpu?: number;
  /** MiB; a hard limit. */
  readonly memory?: number;
  /** MiB; reserved. */
  readonly memoryReservation?: number;
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly environment?: readonly KeyValuePair[];
  readonly portMappings?: readonly { readonly containerPort: number; readonly protocol: "tcp" | "udp"; readonly name?: string }[];
  readonly dependsOn?: readonly { readonly containerName: string; readonly condition: "START" | "COMPLETE" | "SUCCESS" | "HEALTHY" }[];
  readonly mountPoints?: readonly { readonly sourceVolume: string; readonly containerPath: string; readonly readOnly?: boolean }[];
  readonly healthCheck?: {
    readonly command: readonly string[];
    readonly interval?: number;
    readonly timeout?: number;
    readonly retries?: number;
    readonly startPeriod?: number;
  };
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopTimeout?: number;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly readonlyRootFilesystem?: boolean;
  /** `no-new-privileges`; EC2 only. */
  readonly dockerSecurityOptions?: readonly string[];
  readonly linuxParameters?: {
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
    readonly initProcessEnabled?: boolean;
  };
  readonly resourceRequirements?: readonly { readonly type: "GPU"; readonly value: string }[];
  readonly logConfiguration?: { readonly logDriver: "awslogs"; readonly options: Readonly<Record<string, string>> };
  readonly pseudoTerminal?: boolean;
  readonly interactive?: boolean;
  readonly dockerLabels?: Readonly<Record<string, string>>;
}

export interface TaskDefinitionInput {
  readonly family: string;
  readonly networkMode: "awsvpc" | "host";
  readonly requiresCompatibilities: readonly ("EC2" | "FARGATE")[];
  readonly containerDefinitions: readonly ContainerDefinition[];
  readonly volumes?: readonly { readonly name: string; readonly host?: { readonly sourcePath?: string } }[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly taskRoleArn?: string;
  readonly executionRoleArn?: string;
  readonly pidMode?: "task" | "host";
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

export interface TaskDefinition extends TaskDefinitionInput {
  readonly taskDefinitionArn: string;
  readonly revision: number;
  readonly status: "ACTIVE" | "INACTIVE" | "DELETE_IN_PROGRESS";
}

export interface TaskOverride {
  readonly containerOverrides?: readonly {
    readonly name: string;
    readonly command?: readonly string[];
    readonly environment?: readonly KeyValuePair[];
    readonly cpu?: number;
    readonly memory?: number;
  }[];
  readonly taskRoleArn?: string;
}

export interface StartTaskInput {
  readonly cluster: string;
  /** 1 to 10 container instances, one task each. */
  readonly containerInstances: readonly string[];
  readonly taskDefinition: string;
  /** ≤ 36 characters of `[A-Za-z0-9-/_]`. */
  readonly startedBy?: string;
  readonly group?: string;
  /** ≤ 8,192 characters of JSON. */
  readonly overrides?: TaskOverride;
  readonly networkConfiguration?: {
    readonly awsvpcConfiguration: {
      readonly subnets: readonly string[];
      readonly securityGroups?: readonly string[];
      readonly assignPublicIp?: "ENABLED" | "DISABLED";
    };
  };
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  readonly enableExecuteCommand?: boolean;
}

export type TaskStatus = "PROVISIONING" | "PENDING" | "ACTIVATING" | "RUNNING" | "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" | "STOPPED";

export interface TaskContainer {
  readonly containerArn: string;
  readonly name: string;
  readonly image: string;
  readonly imageDigest?: string;
  readonly runtimeId?: string;
  readonly lastStatus: "PENDING" | "RUNNING" | "STOPPED";
  readonly exitCode?: number;
  readonly reason?: string;
  readonly healthStatus?: "HEALTHY" | "UNHEALTHY" | "UNKNOWN";
  readonly networkInterfaces?: readonly { readonly privateIpv4Address?: string; readonly ipv6Address?: string }[];
}

export interface Task {
  readonly taskArn: string;
  readonly clusterArn: string;
  readonly taskDefinitionArn: string;
  readonly containerInstanceArn?: string;
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: "RUNNING" | "STOPPED";
  readonly startedBy?: string;
  readonly group?: string;
  /** Grows with every state change: an event is newer only if its version is. */
  readonly version: number;
  readonly containers: readonly TaskContainer[];
  readonly overrides?: TaskOverride;
  readonly attachments?: readonly {
    readonly id: string;
    readonly type: string;
    readonly status: string;
    readonly details: readonly KeyValuePair[];
  }[];
  readonly stopCode?:
    | "TaskFailedToStart"
    | "EssentialContainerExited"
    | "UserInitiated"
    | "ServiceSchedulerInitiated"
    | "SpotInterruption"
    | "TerminationNotice";
  readonly stoppedReason?: string;
  readonly healthStatus?: "HEALTHY" | "UNHEALTHY" | "UNKNOWN";
  readonly createdAt?: Date;
  readonly startedAt?: Date;
  readonly stoppingAt?: Date;
  readonly stoppedAt?: Date;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

/** Why one part of a call that succeeded did not: `RESOURCE:MEMORY`, `MISSING`, `AGENT`, … */
export interface Failure {
  readonly arn?: string;
  readonly reason: string;
  readonly detail?: string;
}

export interface InstanceResource {
  readonly name: string;
  readonly type: "INTEGER" | "STRINGSET";
  readonly integerValue?: number;
  readonly stringSetValue?: readonly string[];
}

export interface ContainerInstance {
  readonly containerInstanceArn: string;
  readonly ec2InstanceId: string;
  readonly status: "ACTIVE" | "DRAINING" | "REGISTERING" | "DEREGISTERING" | "REGISTRATION_FAILED" | "INACTIVE";
  readonly agentConnected: boolean;
  readonly registeredResources: readonly InstanceResource[];
  readonly remainingResources: readonly InstanceResource[];
  readonly attributes: readonly { readonly name: string; readonly value?: string }[];
  readonly runningTasksCount: number;
  readonly pendingTasksCount: number;
  readonly version: number;
  readonly registeredAt?: Date;
  readonly versionInfo?: { readonly agentVersion?: string; readonly dockerVersion?: string };
}

/** Amazon ECS, as far as the kubelet and the node controller need it. Throttles surface as {@link EngineThrottledError}. */
export interface TaskEngine {
  registerTaskDefinition(input: TaskDefinitionInput): Promise<TaskDefinition>;
  /** `family`, `family:revision` or ARN. Undefined when it does not exist. */
  describeTaskDefinition(taskDefinition: string): Promise<TaskDefinition | undefined>;
  startTask(input: StartTaskInput): Promise<{ readonly tasks: readonly Task[]; readonly failures: readonly Failure[] }>;
  stopTask(input: { readonly cluster: string; readonly task: string; readonly reason?: string }): Promise<void>;
  /** ≤ 100 ARNs or ids. */
  describeTasks(input: {
    readonly cluster: string;
    readonly tasks: readonly string[];
  }): Promise<{ readonly tasks: readonly Task[]; readonly failures: readonly Failure[] }>;
  listTasks(input: {
    readonly cluster: string;
    readonly startedBy?: string;
    readonly containerInstance?: string;
    readonly desiredStatus?: "RUNNING" | "STOPPED";
    readonly nextToken?: string;
  }): Promise<{ readonly taskArns: readonly string[]; readonly nextToken?: string }>;
  listContainerInstances(input: {
    readonly cluster: string;
    readonly nextToken?: string;
  }): Promise<{ readonly containerInstanceArns: readonly string[]; readonly nextToken?: string }>;
  /** ≤ 100 ARNs. */
  describeContainerInstances(input: {
    readonly cluster: string;
    readonly containerInstances: readonly string[];
  }): Promise<{ readonly containerInstances: readonly ContainerInstance[]; readonly failures: readonly Failure[] }>;
}

export class EngineThrottledError extends Error {
  override readonly name = "EngineThrottledError";
}

/** The request can never succeed as it is (`ClientException`, `InvalidParameterException`). */
export class EngineRefusedError extends Error {
  override readonly name = "EngineRefusedError";
}
