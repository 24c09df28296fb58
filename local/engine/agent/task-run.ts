/**
 * One task on its machine, from its network interface to its end: containers in the order of `dependsOn`, essential ones that take the
 * task with them, stop time-outs, health checks and probes. What ECS' agent does, over any container runtime.
 */
import { addressVariablesLabel, endsWithLabel, podOfTask, sidecarLabel } from "../../../shared/kubelet/pod-tags.ts";
import type { ProbeReport } from "../../../shared/kubelet/probes.ts";
import type { TaskContainer } from "../../../shared/kubelet/task-engine.ts";
import { type FilledVolume, filledVolumes, VolumeNotReadyError, type VolumeSource } from "../../../shared/kubelet/volumes.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Log } from "../../../shared/runtime/log.ts";
import { type ContainerExit, type ContainerRuntime, type RunningContainer, StartError } from "../container-runtime.ts";
import type { ContainerChange, EngineContainer, EngineReports, EngineTask, TaskChange, TaskProgress } from "../engine.ts";
import { repeatCheck, sleep } from "./checks.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { hooksOf, runHook } from "./hooks.ts";
import { type ContainerHealth, probe, probesOf } from "./prober.ts";

/** `ECS_CONTAINER_STOP_TIMEOUT`'s default, in seconds. */
const defaultStopTimeoutSeconds = 30;
/** `restartAttemptPeriod`'s default, in seconds. */
const defaultRestartPeriodSeconds = 300;

/** A process gets this long to end, however long its `preStop` hook took, as in Kubernetes. */
const leastStopMs = 2_000;
/** Kubernetes lets a `postStart` hook run for ever. */
const longestHookMs = 24 * 60 * 60_000;

/** How long a task waits before it looks again for what its volumes need; doubled each time. */
const firstVolumeWaitMs = 1_000;
const longestVolumeWaitMs = 30_000;
/** How often volumes are brought up to date, as a kubelet does. */
const volumeRefreshMs = 60_000;

export interface TaskRunOptions {
  readonly task: EngineTask;
  readonly progress: TaskProgress | undefined;
  readonly runtime: ContainerRuntime;
  readonly reports: EngineReports;
  /** Where ConfigMap, Secret and projected volumes come from; without it they stay empty. */
  readonly volumes: VolumeSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A container on its way. `started` and `healthy` stay open for ever when it never gets there; `stopped` always settles. */
interface Member {
  readonly definition: EngineContainer;
  readonly started: Deferred<void>;
  readonly healthy: Deferred<void>;
  /** Undefined when it never ran. */
  readonly stopped: Deferred<ContainerExit | undefined>;
  running: RunningContainer | undefined;
  /** Started by this process, not by an earlier one. */
  isNew: boolean;
  health: ContainerHealth | undefined;
}

export class TaskRun {
  readonly #options: TaskRunOptions;
  readonly #members: ReadonlyMap<string, Member>;
  /** Aborted when the task has to end. */
  readonly #stopping = new AbortController();
  /** Aborted when this process lets go of the task: nothing is reported any more. */
  readonly #left = new AbortController();
  readonly #probed: boolean;
  /** The task goes on until all containers but the sidecars have stopped. */
  readonly #endsWithAll: boolean;
  /** Address of the task's network interface, once it has one. */
  #address: string | undefined;
  #reachedRunning: boolean;
  #reportVersion: number;

  constructor(options: TaskRunOptions) {
    this.#options = options;
    this.#members = new Map(
      options.task.containers.map((definition) => [
        definition.name,
        {
          definition,
          started: deferred<void>(),
          healthy: deferred<void>(),
          stopped: deferred<ContainerExit | undefined>(),
          running: undefined,
          isNew: false,
          health: options.progress?.lastReport?.containers.find(({ name }) => name === definition.name),
        },
      ]),
    );
    this.#probed = options.task.containers.some(probesOf);
    this.#endsWithAll = options.task.containers[0]?.dockerLabels?.[endsWithLabel] === "all";
    this.#reachedRunning = options.progress?.lastStatus === "RUNNING";
    this.#reportVersion = options.progress?.lastReport?.version ?? 0;
  }

  /** Ends when the task has stopped, or when it was let go. Never rejects. */
  async run(): Promise<void> {
    const { task, progress, runtime, log } = this.#options;
    if (progress?.desiredStatus === "STOPPED") this.#stopping.abort();
    try {
      if (!(await this.#openSandbox())) return;
      await this.#fillVolumes();
      await Promise.all([...this.#members.values()].map((member) => this.#runMember(member)));
      if (this.#left.signal.aborted) return;
      this.#change({ lastStatus: "DEPROVISIONING" });
      await runtime.closeSandbox(task);
      this.#change({ lastStatus: "STOPPED" });
    } catch (error) {
      if (this.#left.signal.aborted) return;
      log.error("task failed in the engine", { task: task.taskArn, error });
      this.#beginStop("TaskFailedToStart", `InternalError: ${error instanceof Error ? error.message : String(error)}`);
      for (const { running } of this.#members.values()) void running?.signal("SIGKILL");
      this.#change({ lastStatus: "STOPPED" });
    }
  }

  /** ECS wants the task to end. */
  stop(): void {
    this.#beginStop();
  }

  /** This process lets go. @param kill the machine is gone, and its containers with it */
  leave(kill: boolean): void {
    this.#left.abort();
    if (!kill) return;
    for (const { running } of this.#members.values()) void running?.signal("SIGKILL");
    void this.#options.runtime.closeSandbox(this.#options.task);
  }

  /** @returns false when the task came to nothing, or was let go meanwhile */
  async #openSandbox(): Promise<boolean> {
    const { task, progress, runtime } = this.#options;
    try {
      const { privateIpv4Address } = await runtime.openSandbox(task, AbortSignal.any([this.#left.signal, this.#stopping.signal]));
      if (this.#left.signal.aborted) return false;
      this.#address = privateIpv4Address ?? task.privateIpv4Address;
      const isNew = progress === undefined || progress.lastStatus === "PROVISIONING";
      if (isNew && !this.#stopping.signal.aborted) {
        this.#change({ lastStatus: "PENDING", ...(privateIpv4Address !== undefined && { privateIpv4Address }) });
      }
    } catch (error) {
      if (this.#left.signal.aborted) return false;
      if (!this.#stopping.signal.aborted) {
        if (!(error instanceof StartError)) throw error;
        this.#beginStop("TaskFailedToStart", error.message);
      }
    }
    return true;
  }

  /** Fills the task's volumes, waiting for as long as something they need is missing, and keeps them up to date. */
  async #fillVolumes(): Promise<void> {
    const { task, runtime, volumes, clock, log } = this.#options;
    const pod = podOfTask(task);
    const wanted = filledVolumes({ containerDefinitions: task.containers });
    if (!volumes || !pod || wanted.length === 0) return;
    const ending = AbortSignal.any([this.#left.signal, this.#stopping.signal]);
    const begun = Object.values(this.#options.progress?.containers ?? {}).some(({ lastStatus }) => lastStatus !== "PENDING");
    const fill = async (volume: FilledVolume) => {
      const files = await volumes.files(pod, volume);
      await runtime.fillVolume?.(task, volume, files);
    };
    for (let waitMs = firstVolumeWaitMs; !ending.aborted; waitMs = Math.min(waitMs * 2, longestVolumeWaitMs)) {
      // What ran before has its files, and must be watched over at once.
      if (begun) break;
      try {
        await Promise.all(wanted.map(fill));
        break;
      } catch (error) {
        if (!(error instanceof VolumeNotReadyError)) log.warn("volume not filled", { task: task.taskArn, error });
        const [first] = task.containers;
        if (first && error instanceof Error) this.#changeContainer({ name: first.name, reason: error.message });
        await sleep(clock, waitMs, ending);
      }
    }
    if (!runtime.fillVolume) return;
    const refresh = async () => {
      while (!ending.aborted) {
        await sleep(clock, volumeRefreshMs, ending);
        if (ending.aborted) return;
        await Promise.all(wanted.map(fill)).catch((error: unknown) => {
          // What is there stays until its source can be read again.
          if (!(error instanceof VolumeNotReadyError)) log.warn("volume not refreshed", { task: task.taskArn, error });
        });
      }
    };
    void refresh();
  }

  async #runMember(member: Member): Promise<void> {
    const { definition } = member;
    const before = this.#options.progress?.containers[definition.name];
    if (before?.lastStatus === "STOPPED") {
      member.started.resolve();
      member.stopped.resolve(before.exitCode === undefined ? undefined : { exitCode: before.exitCode });
      this.#memberMoved();
      return;
    }
    let exit: ContainerExit | undefined;
    for (let attempt = 0; ; attempt += 1) {
      const running = await this.#startMember(member, attempt);
      if (!running) break;
      exit = await this.#watchMember(member, running);
      if (this.#left.signal.aborted) return;
      if (!exit || !this.#mayRestart(member, exit)) break;
    }
    if (this.#left.signal.aborted) return;
    member.running = undefined;
    member.stopped.resolve(exit);
    this.#stopped(member, exit);
  }

  /** Waits for its turn, pulls and starts it. @returns undefined when it will not run; that is then reported */
  async #startMember(member: Member, attempt: number): Promise<RunningContainer | undefined> {
    const { task, runtime, progress } = this.#options;
    const { definition } = member;
    const ending = AbortSignal.any([this.#left.signal, this.#stopping.signal]);
    const before = progress?.containers[definition.name];
    if (attempt === 0 && before?.runtimeId !== undefined) {
      const adopted = await runtime.adopt(task, definition, before);
      if (adopted) return this.#started(member, adopted, before.lastStatus === "RUNNING");
      if (before.lastStatus === "RUNNING") {
        this.#changeContainer({ name: definition.name, lastStatus: "STOPPED", reason: "ContainerNotFoundError: the container is gone" });
        return undefined;
      }
    }
    try {
      if (attempt === 0 && !(await this.#dependencies(definition, ending))) return undefined;
      if (ending.aborted) return undefined;
      this.#change({ pullStarted: true });
      const { digest } = await runtime.pull(task, definition, ending);
      if (ending.aborted) return undefined;
      this.#change({ pullStopped: true });
      const running = await runtime.start(task, withAddress(definition, this.#address), ending);
      return this.#started(member, running, false, digest);
    } catch (error) {
      if (ending.aborted) return undefined;
      if (!(error instanceof StartError)) throw error;
      this.#changeContainer({ name: definition.name, lastStatus: "STOPPED", reason: error.message });
      if (definition.essential || this.#isAwaited(definition.name)) {
        // A container that never ran takes the task with it before it reached RUNNING.
        this.#beginStop("TaskFailedToStart", error.message);
      }
      return undefined;
    }
  }

  #started(member: Member, running: RunningContainer, known: boolean, digest?: string): RunningContainer | undefined {
    if (this.#left.signal.aborted) return undefined;
    const { name } = member.definition;
    member.running = running;
    member.isNew = !known;
    member.started.resolve();
    if (!known) {
      this.#changeContainer({
        name,
        lastStatus: "RUNNING",
        runtimeId: running.runtimeId,
        startedAt: running.startedAt.getTime(),
        ...(digest !== undefined && { imageDigest: digest }),
      });
    }
    this.#memberMoved();
    return running;
  }

  /** Watches over a running container until it ends. @returns undefined when the task was let go */
  async #watchMember(member: Member, running: RunningContainer): Promise<ContainerExit | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#left.signal]);
    void this.#afterStart(member, running, signal);
    this.#checkHealth(member, running, signal);
    const ended = running.exited.then((exit) => exit);
    const left = new Promise<undefined>((resolve) => onAbort(this.#left.signal, () => resolve(undefined)));
    onAbort(this.#stopping.signal, () => void this.#endMember(member, running, signal));
    const exit = await Promise.race([ended, left]);
    over.abort();
    return exit;
  }

  /** SIGTERM once everything that depends on it has ended (and, for a sidecar, all that is none), SIGKILL after its time-out. */
  async #endMember(member: Member, running: RunningContainer, over: AbortSignal): Promise<void> {
    const { name } = member.definition;
    const dependents = [...this.#members.values()].filter(
      ({ definition }) =>
        definition.dependsOn?.some(({ containerName }) => containerName === name) ||
        (isSidecar(member.definition) && !isSidecar(definition)),
    );
    await Promise.all(dependents.map(({ stopped }) => stopped.promise));
    if (!over.aborted) await this.#terminate(member, running, over);
  }

  async #terminate({ definition }: Member, running: RunningContainer, over: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const graceMs = (definition.stopTimeout ?? defaultStopTimeoutSeconds) * 1_000;
    const killAt = clock.now().getTime() + graceMs;
    const { preStop } = hooksOf(definition);
    if (preStop) await runHook(preStop, { container: running, timeoutMs: graceMs, clock, signal: over });
    if (over.aborted) return;
    await running.signal("SIGTERM");
    await sleep(clock, Math.max(leastStopMs, killAt - clock.now().getTime()), over);
    if (!over.aborted) await running.signal("SIGKILL");
  }

  /** Probes begin when the `postStart` hook has ended; a container whose hook fails is ended. */
  async #afterStart(member: Member, running: RunningContainer, signal: AbortSignal): Promise<void> {
    const { postStart } = hooksOf(member.definition);
    if (postStart && member.isNew) {
      const { clock, log, task } = this.#options;
      const result = await runHook(postStart, { container: running, timeoutMs: longestHookMs, clock, signal });
      if (signal.aborted) return;
      if (!result.success) {
        log.warn("postStart hook failed", { task: task.taskArn, container: member.definition.name, output: result.output });
        return this.#terminate(member, running, signal);
      }
    }
    this.#probe(member, running, signal);
  }

  #probe(member: Member, running: RunningContainer, signal: AbortSignal): void {
    const probes = probesOf(member.definition);
    if (!probes) {
      member.health = { started: true, ready: true };
      this.#report();
      return;
    }
    if (probes.startup && !member.health) {
      member.health = { started: false, ready: false };
      this.#report();
    }
    probe({
      probes,
      container: running,
      last: member.health,
      clock: this.#options.clock,
      signal,
      changed: (health) => {
        member.health = health;
        this.#report();
      },
      kill: () => void this.#terminate(member, running, signal),
    });
  }

  #checkHealth(member: Member, running: RunningContainer, signal: AbortSignal): void {
    const { healthCheck, name } = member.definition;
    const [kind, ...words] = healthCheck?.command ?? ["NONE"];
    if (!healthCheck || kind === "NONE") return;
    const command = kind === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : kind === "CMD" ? words : [kind ?? "", ...words];
    this.#changeContainer({ name, healthStatus: "UNKNOWN" });
    void repeatCheck({
      schedule: {
        initialDelaySeconds: healthCheck.startPeriod ?? 0,
        periodSeconds: healthCheck.interval ?? 30,
        successThreshold: 1,
        failureThreshold: healthCheck.retries ?? 3,
      },
      since: running.startedAt,
      check: () => running.check({ purpose: "health", action: { type: "exec", command }, timeoutMs: (healthCheck.timeout ?? 5) * 1_000 }),
      verdict: (success) => {
        this.#changeContainer({ name, healthStatus: success ? "HEALTHY" : "UNHEALTHY" });
        if (success) member.healthy.resolve();
        return true;
      },
      clock: this.#options.clock,
      signal,
    });
  }

  /** @returns false when a dependency can never be met; then the task is stopped */
  async #dependencies(definition: EngineContainer, ending: AbortSignal): Promise<boolean> {
    const ended = new Promise<"ended">((resolve) => onAbort(ending, () => resolve("ended")));
    for (const { containerName, condition } of definition.dependsOn ?? []) {
      const dependency = this.#members.get(containerName);
      if (!dependency) continue;
      const met =
        condition === "START"
          ? dependency.started.promise.then(() => true)
          : condition === "HEALTHY"
            ? dependency.healthy.promise.then(() => true)
            : dependency.stopped.promise.then((exit) => exit !== undefined && (condition === "COMPLETE" || exit.exitCode === 0));
      // A dependency that ends before it got there never will.
      const missed = dependency.stopped.promise.then(() =>
        condition === "START" ? dependency.started.settled : condition === "HEALTHY" ? dependency.healthy.settled : met,
      );
      const result = await Promise.race([met, missed, ended]);
      if (result === "ended") return false;
      if (!result) {
        this.#changeContainer({ name: definition.name, lastStatus: "STOPPED" });
        this.#beginStop(
          "TaskFailedToStart",
          `TaskFailedToStart: container ${definition.name} depends on ${containerName}, which did not meet the condition ${condition}`,
        );
        return false;
      }
    }
    return true;
  }

  #isAwaited = (name: string): boolean =>
    [...this.#members.values()].some(({ definition }) => definition.dependsOn?.some(({ containerName }) => containerName === name));

  #mayRestart({ definition }: Member, exit: ContainerExit): boolean {
    const policy = definition.restartPolicy;
    if (!policy?.enabled || this.#stopping.signal.aborted || policy.ignoredExitCodes?.includes(exit.exitCode)) return false;
    const startedAt = this.#members.get(definition.name)?.running?.startedAt.getTime() ?? 0;
    return this.#options.clock.now().getTime() - startedAt >= (policy.restartAttemptPeriod ?? defaultRestartPeriodSeconds) * 1_000;
  }

  #stopped(member: Member, exit: ContainerExit | undefined): void {
    const { name, essential } = member.definition;
    // Why it was killed goes on being said; it is not ready any more.
    member.health = { ...member.health, started: false, ready: false };
    this.#changeContainer({
      name,
      lastStatus: "STOPPED",
      ...(exit && { exitCode: exit.exitCode }),
      ...(exit?.reason && { reason: exit.reason }),
    });
    this.#report();
    if (exit && this.#endsTask(essential)) this.#beginStop("EssentialContainerExited", "Essential container in task exited");
    this.#memberMoved();
  }

  /** Whether the task ends now that one of its containers has. */
  #endsTask(essential: boolean): boolean {
    if (!this.#endsWithAll) return essential;
    return [...this.#members.values()].every(({ definition, stopped }) => stopped.settled || isSidecar(definition));
  }

  /** The task runs once every container has started, those that already ended (init containers) included. */
  #memberMoved(): void {
    if (this.#reachedRunning || this.#stopping.signal.aborted) return;
    if (![...this.#members.values()].every(({ started }) => started.settled)) return;
    this.#reachedRunning = true;
    this.#change({ lastStatus: "RUNNING" });
  }

  #beginStop(...[stopCode, stoppedReason]: [] | [stopCode: NonNullable<TaskChange["stop"]>["stopCode"], stoppedReason: string]): void {
    if (this.#stopping.signal.aborted || this.#left.signal.aborted) return;
    if (stopCode && stoppedReason !== undefined) this.#change({ stop: { stopCode, stoppedReason } });
    if (this.#reachedRunning) this.#change({ lastStatus: "DEACTIVATING" });
    this.#change({ lastStatus: "STOPPING" });
    this.#stopping.abort();
  }

  #change(change: TaskChange): void {
    if (!this.#left.signal.aborted) this.#options.reports.changed(this.#options.task.taskArn, change);
  }

  #changeContainer(change: ContainerChange & { readonly lastStatus?: TaskContainer["lastStatus"] }): void {
    this.#change({ containers: [change] });
  }

  #report(): void {
    if (!this.#probed || this.#left.signal.aborted) return;
    const { task, clock } = this.#options;
    // Versions go on growing after a restart of this process, even if its last report was not kept.
    this.#reportVersion = Math.max(this.#reportVersion + 1, clock.now().getTime());
    const report: ProbeReport = {
      taskArn: task.taskArn,
      clusterArn: task.clusterArn,
      version: this.#reportVersion,
      containers: [...this.#members.values()].map(({ definition, health }) => ({
        name: definition.name,
        ...(health ?? { started: false, ready: false }),
      })),
    };
    this.#options.reports.probed(report);
  }
}

const isSidecar = ({ dockerLabels }: EngineContainer): boolean => dockerLabels?.[sidecarLabel] !== undefined;

/** Sets the variables that hold the task's own address. */
function withAddress(container: EngineContainer, address: string | undefined): EngineContainer {
  const label = container.dockerLabels?.[addressVariablesLabel];
  if (label === undefined || address === undefined) return container;
  const names: readonly string[] = JSON.parse(label);
  const others = container.environment?.filter(({ name }) => !names.includes(name)) ?? [];
  return { ...container, environment: [...others, ...names.map((name) => ({ name, value: address }))] };
}

function onAbort(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener("abort", then, { once: true });
}
