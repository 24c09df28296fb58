/** A container that the engine runs, as the agent sees it: its end, its checks, its signals; its output is carried away meanwhile. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Log } from "../../../shared/runtime/log.ts";
import { sleep } from "../agent/checks.ts";
import type { ContainerExit, RunningContainer } from "../container-runtime.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";
import { ApiError, type EngineApi, isNotFound, isUnreachable } from "./api.ts";
import { execCheck } from "./exec.ts";
import type { ContainerState } from "./flavour.ts";
import { type ContainerLogs, followLog, type LogPosition } from "./log-follower.ts";
import { networkCheck } from "./probe-actions.ts";

/** What the engine says of a container. */
export interface Inspected {
  readonly Id: string;
  readonly State: ContainerState;
  readonly Config: {
    readonly Tty: boolean;
    readonly StopSignal?: string | number;
    readonly Labels: Readonly<Record<string, string>> | null;
  };
}

export interface WatchOptions {
  readonly api: EngineApi;
  readonly task: EngineTask;
  readonly container: EngineContainer;
  readonly inspected: Inspected;
  /** Of the Pod. */
  readonly address: string;
  readonly logs: ContainerLogs;
  /** How far its log is kept already. */
  readonly logFrom: LogPosition | undefined;
  readonly ended: (id: string) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when this process lets go. */
  readonly closed: AbortSignal;
}

const retryMs = 1_000;
/** How long the end of a container waits for the end of its output. */
const drainMs = 5_000;
/** Exit code of a process that SIGKILL ended. */
const killed = 137;
/** As when a container vanished: nobody knows how it ended. */
const unknownExit: ContainerExit = { exitCode: 137, reason: "ContainerNotFoundError: the container was removed" };

export function watch(options: WatchOptions): RunningContainer {
  const { api, task, container, inspected, address, logs, clock, log, closed } = options;
  const id = inspected.Id;
  let wasKilled = false;
  const over = new AbortController();

  const inspect = () => api.call<Inspected>("GET", `/containers/${id}/json`);
  const isRunning = async () => (await inspect()).State.Running;
  const output = followLog({
    api,
    id,
    terminal: inspected.Config.Tty,
    from: options.logFrom,
    append: (lines) => logs.append(task, container, lines),
    isRunning,
    clock,
    log,
    signal: closed,
  });

  const exit = (state: ContainerState): ContainerExit => {
    // podman's `OOMKilled` stays false, and Docker's may come after the end: then a SIGKILL is evidence that nobody here sent, and a limit.
    const outOfMemory = state.OOMKilled || (state.ExitCode === killed && container.memory !== undefined && !wasKilled);
    return { exitCode: state.ExitCode, ...(outOfMemory && { reason: "OutOfMemoryError: Container killed due to memory usage" }) };
  };

  /** Never settles once this process has let go. */
  const end = async (): Promise<ContainerExit> => {
    for (;;) {
      try {
        await api.call("POST", `/containers/${id}/wait`, { signal: closed });
        const { State: state } = await inspect();
        if (!state.Running) return exit(state);
      } catch (error) {
        if (closed.aborted) return new Promise<never>(() => {});
        if (isNotFound(error)) return unknownExit;
        if (!isUnreachable(error)) log.warn("cannot wait for a container", { container: id, error });
      }
      await sleep(clock, retryMs, closed);
    }
  };
  const exited = end().then(async (result) => {
    over.abort();
    const late = new AbortController();
    await Promise.race([output, delay(drainMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
    options.ended(id);
    return result;
  });

  return {
    runtimeId: id,
    startedAt: new Date(inspected.State.StartedAt),
    exited,
    async signal(name) {
      if (name === "SIGKILL") wasKilled = true;
      // An image may name another signal that ends it well.
      const signal = name === "SIGTERM" ? inspected.Config.StopSignal || name : name;
      while (!over.signal.aborted && !closed.aborted) {
        try {
          await api.call("POST", `/containers/${id}/kill`, { query: { signal } });
          return;
        } catch (error) {
          // It has ended, or is gone.
          if (error instanceof ApiError && error.status !== undefined) return;
          log.warn("cannot signal a container", { container: id, signal, error });
        }
        await sleep(clock, retryMs, closed);
      }
    },
    check: ({ action, timeoutMs }) =>
      action.type === "exec" ? execCheck(api, id, action.command, timeoutMs) : networkCheck(action, address, timeoutMs),
  };
}
