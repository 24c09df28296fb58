/** An engine made of a container runtime: keeps the tasks that run and hands each its orders. */
import type { VolumeSource } from "../../../shared/kubelet/volumes.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Log } from "../../../shared/runtime/log.ts";
import type { ContainerRuntime } from "../container-runtime.ts";
import type { EngineFactory } from "../engine.ts";
import { TaskRun } from "./task-run.ts";

export const agent =
  (options: {
    readonly runtime: ContainerRuntime;
    readonly volumes?: VolumeSource;
    readonly clock: Clock;
    readonly log: Log;
  }): EngineFactory =>
  (reports) => {
    const { runtime, volumes, clock, log } = options;
    const runs = new Map<string, TaskRun>();
    return {
      name: runtime.name,
      notice: runtime.notice,
      start(task, progress) {
        const run = new TaskRun({ task, progress, runtime, reports, volumes, clock, log });
        runs.set(task.taskArn, run);
        void run.run().finally(() => runs.delete(task.taskArn));
      },
      stop: (taskArn) => runs.get(taskArn)?.stop(),
      lose(taskArn) {
        runs.get(taskArn)?.leave(true);
        runs.delete(taskArn);
      },
      keepOnly: (taskArns) => runtime.keepOnly?.(taskArns),
      async close() {
        for (const run of runs.values()) run.leave(false);
        runs.clear();
        await runtime.close();
      },
    };
  };
