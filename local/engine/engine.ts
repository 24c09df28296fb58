/**
 * What stands where ECS' agent and the machine under it stand on AWS: it is told to start and stop tasks and reports what becomes of
 * them. The agent's own logic (order of containers, probes, stop time-outs) is written once, in `agent/`, over a
 * {@link import("./container-runtime.ts").ContainerRuntime}.
 */
import type { ProbeReport } from "../../shared/kubelet/probes.ts";
import type { ContainerDefinition, Task, TaskContainer, TaskStatus } from "../../shared/kubelet/task-engine.ts";

/** A container definition with the task's overrides applied. */
export interface EngineContainer extends ContainerDefinition {
  readonly restartPolicy?: {
    readonly enabled: boolean;
    readonly ignoredExitCodes?: readonly number[];
    /** Seconds that a container must have run to be started again; 60 to 1,800. */
    readonly restartAttemptPeriod?: number;
  };
}

/** A task as the agent gets it. */
export interface EngineTask {
  readonly taskArn: string;
  readonly clusterArn: string;
  readonly family: string;
  readonly networkMode: "awsvpc" | "host" | "bridge" | "none";
  /** `task`: its containers see each other's processes. */
  readonly pidMode?: "task" | "host";
  /** The address ECS gave the task's network interface; absent outside awsvpc. */
  readonly privateIpv4Address?: string;
  /** The machine it is placed on; absent on Fargate. */
  readonly ec2InstanceId?: string;
  readonly containers: readonly EngineContainer[];
  readonly volumes: readonly { readonly name: string; readonly host?: { readonly sourcePath?: string } }[];
  readonly startedBy?: string;
  readonly tags?: NonNullable<Task["tags"]>;
}

/** What is already known of a container, so that another process can go on with it. Times in milliseconds since the epoch. */
export interface ContainerProgress {
  readonly lastStatus: TaskContainer["lastStatus"];
  readonly runtimeId?: string;
  readonly startedAt?: number;
  readonly exitCode?: number;
}

/** How far a task had come when the process that ran it ended. */
export interface TaskProgress {
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: "RUNNING" | "STOPPED";
  readonly containers: Readonly<Record<string, ContainerProgress>>;
  readonly lastReport?: ProbeReport;
}

/** A step of a container. Absent members are as they were. */
export interface ContainerChange extends Partial<ContainerProgress> {
  readonly name: string;
  readonly imageDigest?: string;
  readonly reason?: string;
  readonly healthStatus?: "HEALTHY" | "UNHEALTHY" | "UNKNOWN";
}

/** A step of a task. Absent members are as they were. */
export interface TaskChange {
  readonly lastStatus?: TaskStatus;
  /** The agent decided to stop the task. */
  readonly stop?: { readonly stopCode: NonNullable<Task["stopCode"]>; readonly stoppedReason: string };
  readonly containers?: readonly ContainerChange[];
  /** The network interface the task really got, if that is not the one it was given. */
  readonly privateIpv4Address?: string;
  readonly pullStarted?: true;
  readonly pullStopped?: true;
}

/** Where an engine reports to. */
export interface EngineReports {
  changed(taskArn: string, change: TaskChange): void;
  probed(report: ProbeReport): void;
}

export interface Engine {
  readonly name: string;
  /** One sentence for whoever starts it: what it runs, or that it runs nothing. */
  readonly notice: string;
  /** Begins to run a task; what becomes of it is reported. With `progress`, goes on with a task that an earlier process began. */
  start(task: EngineTask, progress?: TaskProgress): void;
  /** Asks the containers to end, last started first; kills each after its `stopTimeout`. Unknown tasks are ignored. */
  stop(taskArn: string): void;
  /** The machine is gone: its containers end at once and nothing is reported. */
  lose(taskArn: string): void;
  /** Every task that is to run was started: what an earlier process left of others can go. */
  keepOnly(taskArns: ReadonlySet<string>): void;
  /** Lets go of everything without stopping containers, so that another process can adopt them. */
  close(): Promise<void>;
}

/** Engines are made before there is anyone to report to. */
export type EngineFactory = (reports: EngineReports) => Engine;
