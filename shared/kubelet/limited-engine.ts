/** A task engine that keeps to its budgets, and tries again what was only throttled. */
import type { Budget, Limiter } from "./limiter.ts";
import { EngineThrottledError, type TaskEngine } from "./task-engine.ts";

const attempts = 6;

export function limitedEngine(engine: TaskEngine, limiter: Limiter): TaskEngine {
  async function run<T>(budget: Budget, call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await limiter.run(budget, call);
      } catch (error) {
        // A throttled request was not carried out: asking again is safe, and the limiter waits longer each time.
        if (!(error instanceof EngineThrottledError) || attempt >= attempts) throw error;
      }
    }
  }
  return {
    registerTaskDefinition: (input) => run("register", () => engine.registerTaskDefinition(input)),
    describeTaskDefinition: (name) => run("readDefinition", () => engine.describeTaskDefinition(name)),
    startTask: (input) => run("modify", () => engine.startTask(input)),
    stopTask: (input) => run("modify", () => engine.stopTask(input)),
    describeTasks: (input) => run("read", () => engine.describeTasks(input)),
    listTasks: (input) => run("read", () => engine.listTasks(input)),
    listContainerInstances: (input) => run("read", () => engine.listContainerInstances(input)),
    describeContainerInstances: (input) => run("read", () => engine.describeContainerInstances(input)),
  };
}
