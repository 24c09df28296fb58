/** A store with three processes, over any table, for the commands of the model. */
import * as fc from "fast-check";
import { type Clock, systemClock } from "../../../shared/runtime/clock.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import type { StoreSettings } from "../../../shared/store/settings.ts";
import type { Table } from "../../../shared/store/table.ts";
import { dropReply, faultyTable, onePerPage } from "../../support/faulty-table.ts";
import { auditLog } from "../../support/log-audit.ts";
import { runningClock } from "../../support/running-clock.ts";
import { type StoreBuild, shippedStore } from "../../support/simulation/build.ts";
import { randomFrom } from "../../support/stores.ts";
import { commands, type Real } from "./commands.ts";
import { Model } from "./model.ts";

const settings: Partial<StoreSettings> = {
  windowSlots: 6,
  bodyBytes: 1_500,
  inlineBytes: 400,
  helpSlots: 15,
  pollBusyMs: 2,
  pollIdleMs: 20,
};

/** Takes away all but the newest slot. */
const noRetention: Partial<StoreSettings> = { tokenAgeMs: 0, historyMs: 0, tombstoneMs: 0 };

export interface Place {
  /** Empty. */
  readonly table: Table;
  readonly clock: Clock;
  /** Lets so much time pass that what is to be compacted is old and, if that is for nothing, that processes look at the floor anew. */
  readonly pass: () => Promise<void>;
  readonly build?: StoreBuild;
}

async function setUp({ table: real, clock, pass, build = shippedStore }: Place): Promise<{ readonly model: Model; readonly real: Real }> {
  const table = faultyTable(real);
  const random = randomFrom(1);
  const open = (more: Partial<StoreSettings> = {}) => build.openStore({ table, clock, log: silentLog, settings: { ...settings, ...more } });
  await open().createCluster("default");
  const start = async () => (await open().cluster("default")).resource("pods");
  const processes = [await start(), await start(), await start()];
  const { revision } = await processes[0]!.list({ prefix: "", at: "newest" });
  const upkeep = async (more: Partial<StoreSettings> = {}) => {
    while (await open(more).maintain("default", { untilMs: Infinity }));
  };
  return {
    model: new Model(revision),
    real: {
      clock,
      processes,
      async restart(index) {
        processes[index] = await start();
      },
      idle: () => clock.sleep(clock === systemClock ? 100 : 5_000),
      upkeep,
      async compact() {
        table.faults = {};
        await pass();
        await upkeep(noRetention);
        await pass();
        // A process need not look at the floor more often than every few seconds.
        if (clock === systemClock) for (const index of processes.keys()) processes[index] = await start();
      },
      trouble(on) {
        const happens = () => random() < 0.07;
        table.faults = on
          ? {
              put: async (item, condition, put) => {
                if (happens()) throw new build.ThrottledError("slow down");
                if (happens()) return dropReply(new build.UnknownOutcomeError("lost"))(item, condition, put);
                return put();
              },
              get: async (_key, _consistent, get) => {
                if (happens()) throw new build.ThrottledError("slow down");
                return get();
              },
              query: async (query, page) => {
                if (happens()) throw new build.ThrottledError("slow down");
                return happens() ? onePerPage(query, page) : page();
              },
            }
          : {};
      },
    },
  };
}

/** Does what the commands say to a store and to its model. @throws {Error} when they disagree */
export async function runCommands(scenario: Iterable<fc.AsyncCommand<Model, Real>>, place: Place): Promise<void> {
  const { model, real } = await setUp(place);
  await fc.asyncModelRun(() => ({ model, real }), scenario);
  await auditLog(place.table);
}

/** Random commands over tables in memory. The same seed is the same run. */
export async function checkInMemory(parameters: { readonly numRuns: number; readonly seed?: number }, build?: StoreBuild): Promise<void> {
  const property = fc.asyncProperty(commands(60), async (scenario) => {
    const clock = runningClock();
    const table = memoryTable({ clock, pageBytes: 4_000 });
    await runCommands(scenario, { table, clock, pass: async () => clock.jump(15_000), ...(build && { build }) });
  });
  // A store that is broken may never come to an end.
  await fc.assert(property, { ...parameters, interruptAfterTimeLimit: 20_000 + parameters.numRuns * 1_000, markInterruptAsFailure: true });
}
