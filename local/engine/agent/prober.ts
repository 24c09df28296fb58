/** Runs a container's startup, readiness and liveness probes as the kubelet would: on AWS the helper in the Pod does this. */
import { isDeepStrictEqual } from "node:util";
import type { ContainerProbes, ProbeReport, ProbeSpec } from "../../../shared/kubelet/probes.ts";
import { probesLabel } from "../../../shared/kubelet/probes.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { RunningContainer } from "../container-runtime.ts";
import type { EngineContainer } from "../engine.ts";
import { repeatCheck } from "./checks.ts";

/** What probes say of a container. */
export type ContainerHealth = Omit<ProbeReport["containers"][number], "name">;

/** The probes a task definition carries for a container; undefined without the label, or when it is not JSON. */
export function probesOf(container: EngineContainer): ContainerProbes | undefined {
  const label = container.dockerLabels?.[probesLabel];
  if (label === undefined) return undefined;
  try {
    return JSON.parse(label);
  } catch {
    return undefined;
  }
}

/**
 * Probes one container until the signal aborts or it is killed.
 * @param options.last what an earlier process had found, so that an adopted container does not fall back to "not ready"
 * @param options.kill the container must end and be started anew: its liveness or startup probe failed
 */
export function probe(options: {
  readonly probes: ContainerProbes;
  readonly container: RunningContainer;
  readonly last: ContainerHealth | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly changed: (health: ContainerHealth) => void;
  readonly kill: () => void;
}): void {
  const { probes, container, clock } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let health: ContainerHealth = options.last ?? { started: false, ready: false };

  const say = (next: ContainerHealth) => {
    if (isDeepStrictEqual(next, health)) return;
    health = next;
    options.changed(health);
  };
  const run = (purpose: "startup" | "readiness" | "liveness", spec: ProbeSpec, verdict: (success: boolean, output: string) => boolean) =>
    void repeatCheck({
      schedule: spec,
      since: container.startedAt,
      check: () => container.check({ purpose, action: spec.action, timeoutMs: spec.timeoutSeconds * 1_000 }),
      verdict,
      clock,
      signal,
    });
  const fail = (failing: "Startup" | "Liveness", message: string) => {
    say({ started: health.started, ready: false, message, failing });
    stop.abort();
    options.kill();
    return false;
  };
  const afterStartup = () => {
    say({ started: true, ready: probes.readiness ? health.ready : true });
    const { readiness, liveness } = probes;
    if (readiness) {
      run("readiness", readiness, (success, message) => {
        say(success ? { started: true, ready: true } : { started: true, ready: false, message, failing: "Readiness" });
        return true;
      });
    }
    if (liveness) run("liveness", liveness, (success, message) => success || fail("Liveness", message));
  };

  if (!probes.startup || health.started) afterStartup();
  else {
    run("startup", probes.startup, (success, message) => {
      if (!success) return fail("Startup", message);
      afterStartup();
      return false;
    });
  }
}
