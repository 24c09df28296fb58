/** How long to leave alone what keeps failing. */

const baseMs = 1_000;
const capMs = 300_000;

/**
 * How long a failing key waits before its next reconcile.
 * @param failures consecutive failures of this key, from 1
 * @returns milliseconds, between 0 and 300_000
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (full jitter)
 */
export const backoffMs = (failures: number, random: () => number): number => Math.floor(random() * ceilingMs(failures));

/** The longest that {@link backoffMs} can wait after so many failures: 1 s, doubling up to 5 minutes. */
export const ceilingMs = (failures: number): number => Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
