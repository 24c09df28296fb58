/**
 * The change store's costs and rates, on dynoxide with its file: `npm run bench -- store`. Rates are measured over 30 s each, with the table's
 * stream read and the upkeep running beside; `--quick` takes shorter windows and fewer objects, `--only PART` one part (costs, rates,
 * batches, processes or watches).
 */
import { makeBed } from "./store/bed.ts";
import { costs } from "./store/costs.ts";
import { manyProcesses } from "./store/processes.ts";
import { batchesPerSecond, rawPutsPerSecond, writesPerSecond } from "./store/rates.ts";
import { watchLatency } from "./store/watches.ts";

interface Size {
  readonly windowMs: number;
  /** Pods stored for the comparison with few. */
  readonly manyObjects: number;
}

const full: Size = { windowMs: 30_000, manyObjects: 100_000 };
const quick: Size = { windowMs: 4_000, manyObjects: 5_000 };

type Part = (size: Size) => Promise<Record<string, number>>;

const parts: Readonly<Record<string, Part>> = {
  rates: ({ windowMs }) => onBed(async (bed) => rates(bed, windowMs)),
  batches: ({ windowMs }) =>
    onBed(async (bed) => {
      const { figures, lagMax } = await batchesPerSecond(bed, windowMs);
      return { ...figures, batch_view_lag_changes_max: lagMax };
    }),
  processes: ({ windowMs }) => onBed((bed) => manyProcesses(bed, windowMs)),
  watches: ({ windowMs }) => onBed((bed) => watchLatency(bed, windowMs)),
  costs: ({ manyObjects }) => onBed((bed) => costs(bed.table, manyObjects)),
};

type Bed = Awaited<ReturnType<typeof makeBed>>;

/** Each part has an engine of its own, so that none works on what another left. */
async function onBed<T>(job: (bed: Bed) => Promise<T>): Promise<T> {
  const bed = await makeBed();
  try {
    return await job(bed);
  } finally {
    await bed.stop();
  }
}

/** The bare puts are measured before and after the writes that they are compared with: the machine may have other things to do. */
async function rates(bed: Bed, windowMs: number): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  let lagMax = 0;
  const raw = (lanes: number) => rawPutsPerSecond(bed.client, bed.tableName, lanes, windowMs / 4);
  for (const lanes of [1, 16, 64]) {
    const rawLanes = Math.min(lanes, 16);
    const before = await raw(rawLanes);
    const written = await writesPerSecond(bed, lanes, windowMs);
    const rawPerSecond = (before + (await raw(rawLanes))) / 2;
    if (lanes === rawLanes) figures[`raw_put_per_s_${lanes}`] = rawPerSecond;
    Object.assign(figures, written.figures);
    figures[`ratio_writes_to_raw_${lanes}`] = (written.figures[`writes_per_s_${lanes}`] ?? 0) / rawPerSecond;
    lagMax = Math.max(lagMax, written.lagMax);
  }
  Object.assign(figures, (await writesPerSecond(bed, 16, windowMs, true)).figures);
  return { ...figures, view_lag_changes_max: lagMax };
}

export async function run(options: readonly string[]): Promise<Record<string, unknown>> {
  const size = options.includes("--quick") ? quick : full;
  const only = options.includes("--only") ? options[options.indexOf("--only") + 1] : undefined;
  if (only !== undefined && !parts[only]) throw new Error(`there is no part ${only}: ${Object.keys(parts).join(", ")}`);
  const result: Record<string, unknown> = { quick: size === quick };
  for (const [name, part] of Object.entries(parts)) {
    if (only === undefined || only === name) Object.assign(result, await part(size));
  }
  return result;
}
