import { describe, expect, it } from "vitest";
import { silentLog } from "../../shared/runtime/log.ts";
import { createTurns, freeTurns, type Turn, type Turns } from "../../shared/runtime/turns.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { type Table, UnknownOutcomeError } from "../../shared/store/table.ts";
import { type FakeClock, fakeClock, settled } from "../support/fake-clock.ts";

interface World {
  readonly clock: FakeClock;
  readonly table: Table;
  /** Turns as another process has them. */
  process(table?: Table): Turns;
}

function world(): World {
  const clock = fakeClock();
  const table = memoryTable({ clock });
  let holders = 0;
  return {
    clock,
    table,
    process: (its = table) => createTurns({ table: its, clock, log: silentLog, holderId: () => `holder-${++holders}` }),
  };
}

/** A table whose reads can be held up. */
function slowReads(table: Table): { readonly table: Table; readonly hold: () => () => void } {
  let open = Promise.resolve();
  return {
    table: {
      ...table,
      put: (...parameters) => table.put(...parameters),
      async get(...parameters) {
        await open;
        return table.get(...parameters);
      },
    },
    hold() {
      const gate = Promise.withResolvers<void>();
      open = gate.promise;
      return gate.resolve;
    },
  };
}

const take = async (turns: Turns): Promise<Turn> => {
  const turn = await turns.take("default", "reconciler");
  if (!turn) throw new Error("somebody else has the turn");
  return turn;
};

describe("a turn", () => {
  it("is held by one at a time; whoever finds it taken rings instead", async () => {
    const here = world();
    const turn = await take(here.process());
    await expect(here.process().take("default", "reconciler")).resolves.toBeUndefined();
    await expect(turn.release()).resolves.toBe(false);
    await expect(turn.release()).resolves.toBe(true);
    await take(here.process());
  });

  it("is one per cluster and consumer", async () => {
    const turns = world().process();
    for (const [cluster, consumer] of [
      ["default", "reconciler"],
      ["default", "kubelet"],
      ["other", "reconciler"],
    ] as const) {
      await expect(turns.take(cluster, consumer)).resolves.toBeDefined();
    }
  });

  it("ends by itself after a minute, by the table's clock, when its holder is gone", async () => {
    const here = world();
    await take(here.process());
    await here.clock.advance(59_999);
    await expect(here.process().take("default", "reconciler")).resolves.toBeUndefined();
    await here.clock.advance(1);
    await take(here.process());
  });

  it("is prolonged by renewing", async () => {
    const here = world();
    const turn = await take(here.process());
    await here.clock.advance(50_000);
    await expect(turn.renew()).resolves.toBe(true);
    await here.clock.advance(50_000);
    await expect(here.process().take("default", "reconciler")).resolves.toBeUndefined();
  });

  it("that was lost is not given back in somebody else's name", async () => {
    const here = world();
    const late = await take(here.process());
    await here.clock.advance(60_000);
    await take(here.process());
    await expect(late.renew()).resolves.toBe(false);
    await expect(late.release()).resolves.toBe(true);
    await expect(here.process().take("default", "reconciler")).resolves.toBeUndefined();
  });

  it("can be abandoned whatever rang", async () => {
    const here = world();
    const turn = await take(here.process());
    await here.process().take("default", "reconciler");
    await turn.abandon();
    await take(here.process());
  });

  it("that was given back is not brought back by a renewal that was under way", async () => {
    const here = world();
    const turn = await take(here.process());
    await expect(turn.release()).resolves.toBe(true);
    await expect(turn.renew()).resolves.toBe(false);
    await take(here.process());
  });

  it("goes to exactly one of many who ask at once", async () => {
    const here = world();
    const taken = Promise.all(Array.from({ length: 8 }, () => here.process().take("default", "reconciler")));
    await here.clock.advance(10_000);
    expect((await taken).filter(Boolean)).toHaveLength(1);
  });

  it("survives a table that does not say whether it wrote", async () => {
    const here = world();
    let failures = 2;
    const shaky: Table = {
      ...here.table,
      get: (...parameters) => here.table.get(...parameters),
      put: async (...parameters) => {
        const written = await here.table.put(...parameters);
        if (failures-- > 0) throw new UnknownOutcomeError("timed out");
        return written;
      },
    };
    const asked = here.process(shaky).take("default", "reconciler");
    await here.clock.advance(1_000);
    const turn = await asked;
    await expect(turn?.release()).resolves.toBe(true);
    await take(here.process());
  });
});

describe("turns whose holders are known to be gone", () => {
  it("can be freed at once", async () => {
    const here = world();
    await take(here.process());
    await here.process().take("default", "reconciler");
    await freeTurns(here.table, "default");
    await take(here.process());
  });
});

describe("a ring", () => {
  it("is heard at once within the process", async () => {
    const here = world();
    const turns = here.process();
    const turn = await take(turns);
    let heard = false;
    const listen = async () => {
      await turn.rung(new AbortController().signal);
      heard = true;
    };
    const listening = listen();
    await settled();
    expect(heard).toBe(false);
    await turns.take("default", "reconciler");
    await listening;
    expect(heard).toBe(true);
    await expect(turn.release()).resolves.toBe(true);
  });

  it("from another process is heard within half a second", async () => {
    const here = world();
    const turn = await take(here.process());
    let heard = false;
    const listen = async () => {
      await turn.rung(new AbortController().signal);
      heard = true;
    };
    const listening = listen();
    await settled();
    await here.process().take("default", "reconciler");
    await here.clock.advance(500);
    await listening;
    expect(heard).toBe(true);
  });

  it("that came before anybody listened is not missed", async () => {
    const here = world();
    const turns = here.process();
    const turn = await take(turns);
    await turns.take("default", "reconciler");
    await turn.rung(new AbortController().signal);
  });

  it("that came after its listener had enough is not taken for heard", async () => {
    const here = world();
    const { table: slow, hold } = slowReads(here.table);
    const turn = await take(here.process(slow));
    const stop = new AbortController();
    const listening = turn.rung(stop.signal);
    await settled();
    const goOn = hold();
    await here.clock.advance(500);
    stop.abort(new Error("enough"));
    await here.process().take("default", "reconciler");
    goOn();
    await expect(listening).rejects.toThrow("enough");
    await expect(turn.release()).resolves.toBe(false);
  });

  it("is waited for without losing the turn", async () => {
    const here = world();
    const turn = await take(here.process());
    const stop = new AbortController();
    const listening = turn.rung(stop.signal);
    await here.clock.advance(120_000);
    await expect(here.process().take("default", "reconciler")).resolves.toBeUndefined();
    await here.clock.advance(500);
    await listening;
  });

  it("is no longer waited for when nobody wants to", async () => {
    const here = world();
    const turn = await take(here.process());
    const stop = new AbortController();
    const listening = turn.rung(stop.signal);
    await settled();
    stop.abort(new Error("enough"));
    await expect(listening).rejects.toThrow("enough");
    expect(here.clock.sleeping).toBe(0);
  });
});
