/** Measuring work of one process by the CPU time it takes, since other programs may hold the machine's cores meanwhile. */

export interface Measured {
  readonly cpuMs: number;
  readonly wallMs: number;
}

export async function measured(work: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - begin };
}

export interface Rate {
  /** CPU milliseconds of one call, those of the garbage collector's and compiler's threads included. */
  readonly cpuMs: number;
  /** Calls in a second of wall time, one after the other. */
  readonly perSecond: number;
}

/** Calls one after the other: first until the code is warm, then for as long as asked. */
export async function rate(forMs: number, call: (index: number) => Promise<unknown>): Promise<Rate> {
  let index = 0;
  const run = async (ms: number): Promise<number> => {
    const first = index;
    const until = performance.now() + ms;
    while (performance.now() < until) await call(index++);
    return index - first;
  };
  await run(forMs / 2);
  let calls = 0;
  const { cpuMs, wallMs } = await measured(async () => {
    calls = await run(forMs);
  });
  return { cpuMs: cpuMs / calls, perSecond: (calls / wallMs) * 1000 };
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
