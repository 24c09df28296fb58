/** Task definitions by family: looked up before they are registered, once per process. */
import type { TaskDefinitionInput, TaskEngine } from "./task-engine.ts";

/** ARN of the definition; registers it when it is not there. The family's name holds the hash of the content. */
export type Definitions = (definition: TaskDefinitionInput) => Promise<string>;

const remembered = 5_000;

export function createDefinitions(engine: Pick<TaskEngine, "describeTaskDefinition" | "registerTaskDefinition">): Definitions {
  const known = new Map<string, Promise<string>>();
  const find = async (definition: TaskDefinitionInput): Promise<string> => {
    const found = await engine.describeTaskDefinition(definition.family);
    if (found?.status === "ACTIVE") return found.taskDefinitionArn;
    return (await engine.registerTaskDefinition(definition)).taskDefinitionArn;
  };
  return (definition) => {
    const before = known.get(definition.family);
    if (before) return before;
    const arn = find(definition);
    known.set(definition.family, arn);
    arn.catch(() => known.delete(definition.family));
    if (known.size > remembered) {
      for (const family of known.keys()) {
        known.delete(family);
        break;
      }
    }
    return arn;
  };
}
