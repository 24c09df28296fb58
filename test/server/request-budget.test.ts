import { describe, expect, it } from "vitest";
import { processRequestBudget } from "../../shared/server/request-budget.ts";

const enterTimes = (budget: ReturnType<typeof processRequestBudget>, user: string, times: number) =>
  Array.from({ length: times }, () => budget.enter("c", user, "read")).filter((leave) => leave !== undefined);

describe("a budget for requests", () => {
  it("gives one user all there is, and no more", () => {
    const budget = processRequestBudget({ reads: 10, writes: 5 });
    expect(enterTimes(budget, "ann", 20)).toHaveLength(10);
    expect(budget.inFlight("read")).toBe(10);
  });

  it("reads do not keep writes waiting", () => {
    const budget = processRequestBudget({ reads: 1, writes: 1 });
    budget.enter("c", "ann", "read");
    expect(budget.enter("c", "ann", "read")).toBeUndefined();
    expect(budget.enter("c", "ann", "write")).toBeDefined();
  });

  it("places come back, once", () => {
    const budget = processRequestBudget({ reads: 2, writes: 1 });
    const [leave] = enterTimes(budget, "ann", 2);
    leave?.();
    leave?.();
    expect(enterTimes(budget, "ann", 2)).toHaveLength(1);
  });

  it("who is loud leaves room for others when it gets tight", () => {
    const budget = processRequestBudget({ reads: 10, writes: 1 });
    expect(enterTimes(budget, "quiet", 1)).toHaveLength(1);
    expect(enterTimes(budget, "loud", 20)).toHaveLength(5);
    expect(enterTimes(budget, "quiet", 10)).toHaveLength(4);
  });

  it("the same name in another cluster is another user", () => {
    const budget = processRequestBudget({ reads: 10, writes: 1 });
    expect(budget.enter("a", "ann", "read")).toBeDefined();
    expect(enterTimes(budget, "ann", 20)).toHaveLength(5);
  });
});
