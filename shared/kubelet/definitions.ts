/** Task definitions by family: looked up before they are registered, once per process, and never waited for. */
import type { Limiter } from "./limiter.ts";
import type { TaskDefinitionInput, TaskEngine } from "./task-engine.ts";

export type Found = { readonly arn: string } | { readonly again: Date };

/** ARN of the definition, registered when it is not there; or when to ask again. The family's name holds the hash of the content. */
export type Definitions = (definition: TaskDefinitionInput) => Promise<Found>;

const remembered = 5_000;

export function createDefinitions(
  engine: Pick<TaskEngine, "describeTaskDefinition" | "registerTaskDefinition">,
  limiter: Pick<Limiter, "tryTake">,
): Definitions {
  const known = new Map<string, string>();
  /** Families that Amazon ECS did not know when it was asked. */
  const absent = new Set<string>();
  const underWay = new Map<string, Promise<Found>>();

  async function find(definition: TaskDefinitionInput): Promise<Found> {
    const { family } = definition;
    if (!absent.has(family)) {
      const again = limiter.tryTake("readDefinition");
      if (again) return { again };
      const found = await engine.describeTaskDefinition(family);
      if (found?.status === "ACTIVE") return remember(family, found.taskDefinitionArn);
      absent.add(family);
    }
    const again = limiter.tryTake("register");
    if (again) return { again };
    const registered = await engine.registerTaskDefinition(definition);
    absent.delete(family);
    return remember(family, registered.taskDefinitionArn);
  }

  function remember(family: string, arn: string): Found {
    for (const oldest of known.keys()) {
      if (known.size < remembered) break;
      known.delete(oldest);
    }
    known.set(family, arn);
    return { arn };
  }

  return async (definition) => {
    const arn = known.get(definition.family);
    if (arn !== undefined) return { arn };
    let finding = underWay.get(definition.family);
    if (!finding) {
      finding = find(definition).finally(() => underWay.delete(definition.family));
      underWay.set(definition.family, finding);
    }
    return finding;
  };
}
