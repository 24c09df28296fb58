/** Repeats one check with Kubernetes' thresholds: the state machine that probes and ECS health checks share. */
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { CheckResult } from "../container-runtime.ts";

export interface CheckSchedule {
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/**
 * Runs `check` until the signal aborts, first after the initial delay and then once per period, and says each time the verdict is
 * reached: after `successThreshold` successes or `failureThreshold` failures in a row. A check that knows how long its answer holds is
 * not asked again before.
 * @param since when the container started (the delay counts from there)
 * @param verdict called when the verdict is first reached and whenever it changes; false ends the loop
 */
export async function repeatCheck(options: {
  readonly schedule: CheckSchedule;
  readonly since: Date;
  readonly check: () => Promise<CheckResult>;
  readonly verdict: (success: boolean, output: string) => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { schedule, clock, signal } = options;
  const periodMs = Math.max(1, schedule.periodSeconds) * 1_000;
  let next = options.since.getTime() + schedule.initialDelaySeconds * 1_000;
  let streak = { success: false, length: 0 };
  let said: boolean | undefined;
  while (!signal.aborted) {
    const now = clock.now().getTime();
    if (next > now) await sleep(clock, next - now, signal);
    if (signal.aborted) return;
    const result = await options.check();
    if (signal.aborted) return;
    streak = { success: result.success, length: streak.success === result.success ? streak.length + 1 : 1 };
    const reached = streak.length >= (result.success ? schedule.successThreshold : schedule.failureThreshold);
    if (reached && said !== result.success) {
      said = result.success;
      if (!options.verdict(result.success, result.output)) return;
    }
    if (reached && result.validUntil === Infinity) return;
    const steadyUntil = reached ? (result.validUntil ?? 0) : 0;
    next = following(next, periodMs, Math.max(clock.now().getTime(), steadyUntil));
  }
}

/** The first tick after `previous` that is not before `earliest` (milliseconds since the epoch). */
const following = (previous: number, periodMs: number, earliest: number): number =>
  previous + periodMs * Math.max(1, Math.ceil((earliest - previous) / periodMs));

/** Sleeps; returns early, without an error, when the signal aborts. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
