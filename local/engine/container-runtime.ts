/**
 * What the agent needs of something that runs containers. `simulated/` pretends to; one over the Docker Engine API stands behind the
 * same interface. Implementations find containers again by task and name: a process that crashed leaves them running.
 */
import type { ProbeSpec } from "../../shared/kubelet/probes.ts";
import type { FilledVolume, VolumeFile } from "../../shared/kubelet/volumes.ts";
import type { ContainerProgress, EngineContainer, EngineTask } from "./engine.ts";

export interface ContainerExit {
  readonly exitCode: number;
  /** Such as `OutOfMemoryError: Container killed due to memory usage`. */
  readonly reason?: string;
}

export interface CheckResult {
  readonly success: boolean;
  /** What the check printed or why it failed, for people. */
  readonly output: string;
  /** The runtime knows that the answer stays this until then (milliseconds since the epoch, or Infinity): asking before is a waste. */
  readonly validUntil?: number;
}

/** What is done to a running container: a probe's action, the command of an ECS health check, or a lifecycle hook. */
export interface Check {
  readonly purpose: "startup" | "readiness" | "liveness" | "health" | "hook";
  readonly action: ProbeSpec["action"];
  readonly timeoutMs: number;
}

export interface RunningContainer {
  readonly runtimeId: string;
  readonly startedAt: Date;
  /** Settles when it has ended; never rejects. */
  readonly exited: Promise<ContainerExit>;
  /** Resolves when the signal is sent; a container that has ended already is no error. */
  signal(name: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Runs a check beside the container. Never rejects: one that cannot be run, or does not answer in time, has failed. */
  check(check: Check): Promise<CheckResult>;
}

export interface ContainerRuntime {
  readonly name: string;
  readonly notice: string;
  /**
   * Makes the network namespace that a task's containers share. Idempotent.
   * @returns the address it has, if the runtime chose another than the task's
   * @throws {StartError} when it cannot be made
   */
  openSandbox(task: EngineTask, signal: AbortSignal): Promise<{ readonly privateIpv4Address?: string }>;
  /** Idempotent. */
  closeSandbox(task: EngineTask): Promise<void>;
  /** @returns the image's digest, if it has one @throws {StartError} such as `CannotPullContainerError: …` */
  pull(task: EngineTask, container: EngineContainer, signal: AbortSignal): Promise<{ readonly digest?: string }>;
  /** Starts it, or finds the one that already runs for this task and name. @throws {StartError} */
  start(task: EngineTask, container: EngineContainer, signal: AbortSignal): Promise<RunningContainer>;
  /** Finds the container of an earlier process, running or ended. Undefined when there is none any more. */
  adopt(task: EngineTask, container: EngineContainer, progress: ContainerProgress): Promise<RunningContainer | undefined>;
  /**
   * Writes what belongs into a task's volume, replacing what was there. Absent where nothing reads it.
   * @see ../../shared/kubelet/volumes.ts
   */
  fillVolume?(task: EngineTask, volume: FilledVolume, files: readonly VolumeFile[]): Promise<void>;
  /** Removes what is left of tasks other than these. Absent where nothing can be left. */
  keepOnly?(taskArns: ReadonlySet<string>): void;
  /** Lets go without stopping anything. */
  close(): Promise<void>;
}

/** A container cannot be started; the message is what ECS shows as its `reason`. */
export class StartError extends Error {
  override readonly name = "StartError";
}
