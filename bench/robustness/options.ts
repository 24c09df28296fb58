/** The command line of a robustness run. */
import { parseArgs } from "node:util";

export interface RunOptions {
  readonly minutes: number;
  /** Traffic and faults follow from it, as far as processes allow. */
  readonly seed: number;
  /** Processes that write, list and watch. Upkeep and a consumer come on top. */
  readonly processes: number;
}

export function readOptions(args: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      processes: { type: "string", default: "4" },
    },
  });
  const options = { minutes: Number(values.minutes), seed: Number(values.seed), processes: Number(values.processes) };
  if (!(options.minutes > 0)) throw new RangeError(`--minutes ${values.minutes}: a number above 0 is wanted`);
  if (!Number.isSafeInteger(options.seed)) throw new RangeError(`--seed ${values.seed}: a whole number is wanted`);
  if (!(Number.isInteger(options.processes) && options.processes > 0)) {
    throw new RangeError(`--processes ${values.processes}: a whole number above 0 is wanted`);
  }
  return options;
}
