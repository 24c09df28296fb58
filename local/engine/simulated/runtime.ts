/**
 * A container runtime that runs nothing: its containers are entries with a start time and a fate (see `rules.ts`), and time is a clock
 * that tests control. It takes as long as the rules file says for each step, and its logs say that nothing runs.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../../shared/runtime/clock.ts";
import { sleep } from "../agent/checks.ts";
import { deferred } from "../agent/deferred.ts";
import { type ContainerExit, type ContainerRuntime, type RunningContainer, StartError } from "../container-runtime.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";
import type { Fate, Rules } from "./rules.ts";

/** Takes the lines that containers write; see {@link import("../../logs/awslogs.ts")}. */
export interface LineSink {
  write(task: EngineTask, container: EngineContainer, line: string, timestamp: number): void;
}

/** Exit code of a process that SIGKILL ended. */
const killed = 137;

export function simulatedRuntime({
  rules,
  clock,
  lines,
}: {
  readonly rules: Rules;
  readonly clock: Clock;
  readonly lines: LineSink;
}): ContainerRuntime {
  /** Images by machine. */
  const pulled = new Set<string>();
  const { timings } = rules;
  const closed = new AbortController();

  const begin = (task: EngineTask, container: EngineContainer, runtimeId: string, startedAt: Date): RunningContainer =>
    pretend({ fate: rules.fate(task, container), rules, container, clock, runtimeId, startedAt, closed: closed.signal });

  return {
    name: "simulated",
    notice:
      "The simulated engine runs no containers: tasks go through their states on a clock, by the rules in local/engine/simulated/rules.json.",
    async openSandbox(task, signal) {
      if (task.networkMode === "awsvpc") await clock.sleep(timings.attachNetworkInterface, signal);
      return {};
    },
    async closeSandbox(task) {
      if (task.networkMode === "awsvpc") await sleep(clock, timings.detachNetworkInterface, closed.signal);
    },
    async pull(task, container, signal) {
      const key = `${task.ec2InstanceId ?? task.taskArn} ${container.image}`;
      await clock.sleep(pulled.has(key) ? timings.pullCached : timings.pull, signal);
      const { pullError } = rules.fate(task, container);
      if (pullError !== undefined) throw new StartError(pullError);
      pulled.add(key);
      return { digest: digestOf(container.image) };
    },
    async start(task, container, signal) {
      await clock.sleep(timings.start, signal);
      const { startError } = rules.fate(task, container);
      if (startError !== undefined) throw new StartError(startError);
      const startedAt = clock.now();
      const runtimeId = createHash("sha256").update(`${task.taskArn} ${container.name} ${startedAt.getTime()}`).digest("hex");
      lines.write(
        task,
        container,
        `binnacle: simulated engine: nothing runs here. The image ${container.image} was not pulled and its process was not started; this container only pretends to run.`,
        startedAt.getTime(),
      );
      return begin(task, container, runtimeId, startedAt);
    },
    async adopt(task, container, { runtimeId, startedAt }) {
      return runtimeId === undefined || startedAt === undefined ? undefined : begin(task, container, runtimeId, new Date(startedAt));
    },
    async close() {
      closed.abort();
    },
  };
}

/** An image named by digest has that one; any other gets one that is the same each time. */
const digestOf = (image: string): string =>
  /@(sha256:[0-9a-f]{64})$/u.exec(image)?.[1] ?? `sha256:${createHash("sha256").update(image).digest("hex")}`;

function pretend(options: {
  readonly fate: Fate;
  readonly rules: Rules;
  readonly container: EngineContainer;
  readonly clock: Clock;
  readonly runtimeId: string;
  readonly startedAt: Date;
  readonly closed: AbortSignal;
}): RunningContainer {
  const { fate, rules, container, clock, runtimeId, startedAt, closed } = options;
  const exited = deferred<ContainerExit>();
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, closed]);
  const endAfter = async (ms: number, exit: ContainerExit) => {
    await sleep(clock, ms, signal);
    if (signal.aborted) return;
    exited.resolve(exit);
    over.abort();
  };
  if (fate.exit) {
    const { afterSeconds, code, reason } = fate.exit;
    const leftMs = startedAt.getTime() + afterSeconds * 1_000 - clock.now().getTime();
    void endAfter(Math.max(0, leftMs), { exitCode: code, ...(reason !== undefined && { reason }) });
  }
  return {
    runtimeId,
    startedAt,
    exited: exited.promise,
    async signal(name) {
      if (name === "SIGKILL") await endAfter(0, { exitCode: killed });
      else if (fate.sigterm !== "ignored") void endAfter(rules.timings.stop, { exitCode: fate.sigterm.code });
    },
    async check({ action, purpose }) {
      if (action.type === "exec" && !rules.succeeds(action, container)) {
        return { success: false, output: "simulated: the command ends with a code other than 0", validUntil: Infinity };
      }
      if (purpose === "hook") return { success: true, output: "simulated: ok" };
      const [from, until] = fate.checks[purpose];
      const ageSeconds = (clock.now().getTime() - startedAt.getTime()) / 1_000;
      const success = ageSeconds >= from && ageSeconds < until;
      const changesAt = ageSeconds < from ? from : ageSeconds < until ? until : Infinity;
      return {
        success,
        output: success ? "simulated: ok" : `simulated: a rule lets this ${purpose} check fail`,
        validUntil: startedAt.getTime() + changesAt * 1_000,
      };
    },
  };
}
