/**
 * A task engine that keeps to its budgets, and tries again what was only throttled. Reads wait for their turn; for what starts, stops
 * and registers, the kubelet has taken a token before (it does not stand still while others could be looked after).
 */
import type { Budget, Limiter } from "./limiter.ts";
import { EngineThrottledError, type TaskEngine } from "./task-engine.ts";

const attempts = 6;

export function limitedEngine(engine: TaskEngine, limiter: Limiter): TaskEngine {
  async function run<T>(budget: Budget, call: () => Promise<T>, options: { readonly paid: boolean }): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (options.paid && attempt === 1 ? limiter.paid(budget, call) : limiter.run(budget, call));
      } catch (error) {
        // A throttled request was not carried out: asking again is safe, and the limiter waits longer each time.
        if (!(error instanceof EngineThrottledError) || attempt >= attempts) throw error;
      }
    }
  }
  const waiting = { paid: false };
  const paid = { paid: true };
  return {
    registerTaskDefinition: (input) => run("register", () => engine.registerTaskDefinition(input), paid),
    describeTaskDefinition: (name) => run("readDefinition", () => engine.describeTaskDefinition(name), paid),
    startTask: (input) => run("modify", () => engine.startTask(input), paid),
    stopTask: (input) => run("modify", () => engine.stopTask(input), paid),
    describeTasks: (input) => run("read", () => engine.describeTasks(input), waiting),
    listTasks: (input) => run("read", () => engine.listTasks(input), waiting),
    listContainerInstances: (input) => run("read", () => engine.listContainerInstances(input), waiting),
    describeContainerInstances: (input) => run("read", () => engine.describeContainerInstances(input), waiting),
  };
}
