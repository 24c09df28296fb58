/** Figures from samples. */

/** @param share between 0 and 1 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Times of a kind of write, as the issue of figures wants them: `NAME_ms_p50` and `NAME_ms_p99`. */
export const latencies = (name: string, samples: readonly number[]): Record<string, number> => ({
  [`${name}_ms_p50`]: percentile(samples, 0.5),
  [`${name}_ms_p99`]: percentile(samples, 0.99),
});

/** Runs a job over and over in so many lanes, and times each. */
export async function timed(
  lanes: number,
  durationMs: number,
  job: (count: number) => Promise<unknown>,
): Promise<{ readonly times: readonly number[]; readonly seconds: number }> {
  const times: number[] = [];
  let count = 0;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (performance.now() - begun < durationMs) {
        const start = performance.now();
        await job(count++);
        times.push(performance.now() - start);
      }
    }),
  );
  return { times, seconds: (performance.now() - begun) / 1000 };
}
