import { describe, expect, it } from "vitest";
import { createLimiter } from "../../shared/kubelet/limiter.ts";
import { fakeClock, settled } from "../support/fake-clock.ts";

class Throttled extends Error {}

function world(perSecond: number, burst: number) {
  const clock = fakeClock();
  const limiter = createLimiter({ clock, isThrottled: (error) => error instanceof Throttled, rates: { modify: { perSecond, burst } } });
  let done = 0;
  const call = async (error?: Error) => {
    try {
      await limiter.run("modify", async () => {
        if (error) throw error;
        done++;
      });
    } catch {
      // Whoever asked for a failure expects it.
    }
  };
  return { clock, call, done: () => done };
}

describe("the limiter", () => {
  it("lets a burst through, then a steady rate", async () => {
    const { clock, call, done } = world(10, 5);
    for (let index = 0; index < 20; index++) void call();
    await settled();
    expect(done()).toBe(5);
    await clock.advance(1_000);
    expect(done()).toBe(15);
    await clock.advance(500);
    expect(done()).toBe(20);
  });

  it("saves up no more than a burst", async () => {
    const { clock, call, done } = world(10, 5);
    await clock.advance(3_600_000);
    for (let index = 0; index < 20; index++) void call();
    await settled();
    expect(done()).toBe(5);
  });

  it("halves its rate when it is throttled, and recovers slowly", async () => {
    const { clock, call, done } = world(10, 1);
    await call(new Throttled());
    for (let index = 0; index < 60; index++) void call();
    await clock.advance(1_000);
    expect(done()).toBeLessThanOrEqual(6);
    await clock.advance(12_000);
    expect(done()).toBe(60);
    for (let index = 0; index < 20; index++) void call();
    await clock.advance(2_000);
    expect(done()).toBeGreaterThanOrEqual(75);
  });

  it("does not mind other failures", async () => {
    const { clock, call, done } = world(10, 1);
    await call(new Error("something else"));
    for (let index = 0; index < 10; index++) void call();
    await clock.advance(1_000);
    expect(done()).toBe(10);
  });

  it("keeps budgets apart", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({ clock, isThrottled: () => false, rates: { register: { perSecond: 1, burst: 1 } } });
    await limiter.run("register", async () => {});
    void limiter.run("register", async () => {});
    await expect(limiter.run("modify", async () => "at once")).resolves.toBe("at once");
  });
});
