/**
 * Kills, freezes and restarts processes, by a schedule that follows from the seed: at any moment, or exactly between two steps of the
 * store, which it knows by the requests that pass the process' proxy.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type DynamoDbCall, type Step, stepOf, steps } from "./dynamodb-call.ts";
import type { Passage } from "./fault-proxy.ts";
import { longestDelayMs } from "./faults.ts";
import { monotonicMs } from "./journal.ts";
import { between, oneOf, type Random } from "./random.ts";
import { longSleepMs } from "./settings.ts";
import type { SupervisedProcess } from "./supervised.ts";

type Blow = { readonly type: "kill" } | { readonly type: "freeze"; readonly ms: number };

/** A blow that waits for its moment. */
interface Trap {
  readonly process: SupervisedProcess;
  readonly step: Step;
  /** Before the request reaches the table, or after it was carried out and before the process knows. */
  readonly moment: "before" | "after";
  readonly blow: Blow;
  readonly sprung: () => void;
}

/** Who waits for a step that does not come is struck anyway, after this many milliseconds. */
const patienceMs = 2_000;
const killShare = 0.4;
const longSleepShare = 0.06;
/** Share of the blows that wait for a step. */
const trapShare = 0.75;

export interface NemesisOptions {
  readonly processes: readonly SupervisedProcess[];
  readonly random: Random;
  /** Mean time between two blows, in milliseconds. */
  readonly everyMs: number;
  /** Nobody sleeps longer than until then, on the monotonic clock. */
  readonly until: number;
  readonly happened: (type: "kill" | "freeze" | "longFreeze") => void;
}

export class Nemesis {
  readonly #options: NemesisOptions;
  #trap: Trap | undefined;
  readonly #restarts = new Set<Promise<void>>();

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** What stands beside the proxy of a process. */
  passage(process: () => SupervisedProcess): Required<Passage> {
    return {
      before: async (call) => {
        const trap = this.#spring(process(), call, "before");
        if (!trap) return true;
        // What was sent before the blow may still arrive, and later than anybody would think.
        if (this.#options.random() < 0.5) await pause(between(this.#options.random, 1, longestDelayMs));
        return this.#options.random() < 0.7;
      },
      after: async (call) => {
        this.#spring(process(), call, "after");
      },
    };
  }

  /** Strikes until the signal aborts, and leaves everybody running. */
  async run(signal: AbortSignal): Promise<void> {
    const { processes, random, everyMs } = this.#options;
    while (!signal.aborted) {
      await pause(between(random, 0.2, 1.8) * everyMs, undefined, { signal }).catch(() => {});
      const process = oneOf(random, processes);
      const blow = this.#nextBlow();
      const trapped = random() < trapShare;
      const [step, moment] = [oneOf(random, steps), random() < 0.5 ? ("before" as const) : ("after" as const)];
      if (signal.aborted || !process?.isRunning) continue;
      if (trapped) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#trap = { process, step, moment, blow, sprung: resolve };
        await Promise.race([promise, pause(patienceMs)]);
        if (!this.#trap) continue;
        this.#trap = undefined;
      }
      this.#strike(process, blow);
    }
    await Promise.all(this.#restarts);
    while (processes.some((process) => process.isFrozen)) await pause(50);
  }

  #nextBlow(): Blow {
    const { random, until } = this.#options;
    if (random() < killShare) return { type: "kill" };
    const long = random() < longSleepShare && monotonicMs() + longSleepMs < until;
    return { type: "freeze", ms: long ? longSleepMs : between(random, 50, 4_000) };
  }

  #spring(process: SupervisedProcess, call: DynamoDbCall, moment: Trap["moment"]): Trap | undefined {
    const trap = this.#trap;
    if (trap?.process !== process || trap.moment !== moment || trap.step !== stepOf(call)) return undefined;
    this.#trap = undefined;
    this.#strike(process, trap.blow);
    trap.sprung();
    return trap;
  }

  async #restart(process: SupervisedProcess, afterMs: number): Promise<void> {
    await pause(afterMs);
    process.start();
  }

  #strike(process: SupervisedProcess, blow: Blow): void {
    const { random, happened } = this.#options;
    if (!process.isRunning) return;
    if (blow.type === "freeze") {
      process.freeze(blow.ms);
      happened(blow.ms === longSleepMs ? "longFreeze" : "freeze");
      return;
    }
    process.kill();
    happened("kill");
    const restart = this.#restart(process, between(random, 50, 1_500)).finally(() => this.#restarts.delete(restart));
    this.#restarts.add(restart);
  }
}
