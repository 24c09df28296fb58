import type { Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { localAccount } from "../../../local/account.ts";
import { createFunctions, type LocalFunction } from "../../../local/dispatcher/functions.ts";
import { jsonLog, silentLog } from "../../../shared/runtime/log.ts";
import { fakeClock, settled } from "../../support/fake-clock.ts";

function functionsOf(handler: LocalFunction["handler"], overrides: Partial<LocalFunction> = {}) {
  const clock = fakeClock();
  const lines: string[] = [];
  const functions = createFunctions({
    functions: { "binnacle-work": { handler, timeoutMs: 120_000, concurrency: 2, memorySize: 512, ...overrides } },
    account: localAccount("us-east-1"),
    clock,
    log: jsonLog((line) => lines.push(line), "debug"),
  });
  functions.begin();
  return { clock, functions, lines };
}

describe("an asynchronous event", () => {
  it("is tried three times: at once, after one minute, after two more", async () => {
    const times: number[] = [];
    const { clock, functions, lines } = functionsOf(async () => {
      times.push(clock.now().getTime());
      throw new Error("no");
    });
    const start = clock.now().getTime();
    functions.enqueue("binnacle-work", {});
    await clock.advance(600_000);
    expect(times.map((time) => time - start)).toEqual([0, 60_000, 180_000]);
    expect(lines.at(-1)).toContain("event dropped after three attempts");
  });

  it("is not tried again when it succeeded", async () => {
    let calls = 0;
    const { clock, functions } = functionsOf(async () => {
      calls += 1;
      if (calls === 1) throw new Error("once");
    });
    functions.enqueue("binnacle-work", {});
    await clock.advance(600_000);
    expect(calls).toBe(2);
  });

  it("is a copy: what a handler does to it does not reach the next attempt", async () => {
    const seen: unknown[] = [];
    const { clock, functions } = functionsOf(async (event) => {
      seen.push(structuredClone(event));
      event.count = 99;
      throw new Error("again");
    });
    functions.enqueue("binnacle-work", { count: 1 });
    await clock.advance(200_000);
    expect(seen).toEqual([{ count: 1 }, { count: 1 }, { count: 1 }]);
  });
});

describe("before it has begun", () => {
  it("nothing runs: what functions read when they are loaded may not be there yet", async () => {
    const clock = fakeClock();
    let runs = 0;
    const work: LocalFunction = { handler: async () => (runs += 1), timeoutMs: 1_000, concurrency: 1, memorySize: 128 };
    const functions = createFunctions({ functions: { work }, account: localAccount("us-east-1"), clock, log: silentLog });
    functions.enqueue("work", {});
    await clock.advance(600_000);
    expect(runs).toBe(0);
    functions.begin();
    await clock.advance(0);
    expect(runs).toBe(1);
  });
});

describe("a function", () => {
  it("runs no more often at once than its reserved concurrency", async () => {
    let running = 0;
    let most = 0;
    const { clock, functions } = functionsOf(async () => {
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(1_000);
      running -= 1;
    });
    for (let count = 0; count < 5; count += 1) functions.enqueue("binnacle-work", {});
    await clock.advance(10_000);
    expect(most).toBe(2);
    expect(running).toBe(0);
  });

  it("knows its deadline, and fails when it misses it", async () => {
    const remaining: number[] = [];
    const { clock, functions } = functionsOf(
      async (_event, context: Context) => {
        remaining.push(context.getRemainingTimeInMillis());
        await clock.sleep(40_000);
        remaining.push(context.getRemainingTimeInMillis());
      },
      { timeoutMs: 30_000 },
    );
    const outcome = functions.invoke("binnacle-work", {}).catch((error: Error) => error.message);
    await clock.advance(60_000);
    expect(await outcome).toBe("Task timed out after 30.00 seconds");
    expect(remaining).toEqual([30_000, 0]);
  });

  it("may finish what it is doing when everything stops, but not for ever", async () => {
    const { clock, functions } = functionsOf(() => clock.sleep(3_000).then(() => "done"));
    const outcome = functions.invoke("binnacle-work", {});
    await settled();
    const stopped = functions.stop(5_000);
    await clock.advance(3_000);
    await stopped;
    expect(await outcome).toBe("done");
    const stuck = functionsOf(() => new Promise(() => {}));
    void stuck.functions.invoke("binnacle-work", {});
    await settled();
    const given = stuck.functions.stop(5_000);
    await stuck.clock.advance(5_000);
    await given;
  });
});
