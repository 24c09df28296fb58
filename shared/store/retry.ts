/** Pauses and repetition for table calls that may simply be made again: reads, and writes that are the same every time. */
import type { Clock } from "../runtime/clock.ts";
import { TableFullError, TableUnavailableError, ThrottledError, UnknownOutcomeError } from "./table.ts";

/**
 * A jittered pause before the next try.
 * @param failures so far, from 1
 * @returns milliseconds, up to 4 after the first failure and up to 200 after many
 */
export const pauseAfter = (failures: number, random: () => number): number => random() * Math.min(200, 4 * 2 ** (failures - 1));

/** What repeating needs. */
export interface Patience {
  readonly clock: Clock;
  readonly random: () => number;
  /** How long a call is made again. Default 10,000. */
  readonly budgetMs?: number;
}

const defaultBudgetMs = 10_000;
/** A process that was frozen meanwhile has not tried in earnest. */
const fewestTries = 3;

/** Makes an idempotent call until it succeeds, or time is up. */
export async function insist<T>({ clock, random, budgetMs = defaultBudgetMs }: Patience, call: () => Promise<T>): Promise<T> {
  const begun = clock.now().getTime();
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      const pause = pauseAfter(failures, random);
      const late = clock.now().getTime() + pause - begun > budgetMs;
      if (!passing(error) || (late && failures >= fewestTries)) throw error;
      await clock.sleep(pause);
    }
  }
}

/** Errors that say nothing about the request itself, and pass by themselves. */
export const passing = (error: unknown): boolean =>
  error instanceof ThrottledError ||
  (error instanceof UnknownOutcomeError && !(error instanceof TableFullError)) ||
  error instanceof TableUnavailableError;

/** Runs a job for each item, some at a time; the first failure is thrown once the running ones have ended. */
export async function forEachOf<T>(items: readonly T[], atOnce: number, job: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  let failed: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !failed) {
      const item = items[next++]!;
      try {
        await job(item);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failed) throw failed.error;
}
