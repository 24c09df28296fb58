/** Runs a container's lifecycle hooks, as the kubelet would. */
import { type ContainerHooks, type HookAction, hooksLabel } from "../../../shared/kubelet/hooks.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { CheckResult, RunningContainer } from "../container-runtime.ts";
import type { EngineContainer } from "../engine.ts";
import { sleep } from "./checks.ts";

/** The hooks a task definition carries for a container; none without the label, or when it is not JSON. */
export function hooksOf(container: EngineContainer): ContainerHooks {
  try {
    return JSON.parse(container.dockerLabels?.[hooksLabel] ?? "{}");
  } catch {
    return {};
  }
}

/** Ends when the hook has, after `timeoutMs`, or when the signal aborts. Never rejects. */
export async function runHook(
  action: HookAction,
  { container, timeoutMs, clock, signal }: { container: RunningContainer; timeoutMs: number; clock: Clock; signal: AbortSignal },
): Promise<CheckResult> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const late = sleep(clock, timeoutMs, either).then((): CheckResult => ({ success: false, output: "the hook takes too long" }));
  const run =
    action.type === "sleep"
      ? sleep(clock, action.seconds * 1_000, either).then((): CheckResult => ({ success: true, output: "" }))
      : container.check({ purpose: "hook", action, timeoutMs });
  try {
    return await Promise.race([run, late]);
  } finally {
    over.abort();
  }
}
